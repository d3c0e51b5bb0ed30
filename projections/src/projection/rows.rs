//! Rows of projections for showing.

use luzhang_ledger::{Position, access::Mandate, calendar::Date};

use super::Rows;
use crate::{
    registers::{Loans, Plaques},
    state::{
        State,
        cases::{Life, PaymentStage, Row, held, standing},
        money::Account,
    },
    totals::{Conflicts, Totals},
};

pub(super) fn budget(state: &State) -> Rows {
    let mut rows: Vec<Vec<String>> = state
        .budget
        .lines()
        .map(|(key, balance)| {
            let of = |account| balance.accounts.balance(account).to_string();
            vec![
                state.programmes.name(key.programme).to_owned(),
                key.year.number().to_string(),
                key.office.to_string(),
                state.funds.name(key.fund).to_owned(),
                balance.appropriated().to_string(),
                balance.committed().to_string(),
                balance.left().to_string(),
                of(Account::Reserved),
                of(Account::Paid),
                of(Account::Receivable),
                of(Account::Returned),
                of(Account::Recovered),
                of(Account::WrittenOff),
                balance
                    .accounts
                    .balance(Account::Advanced)
                    .saturating_neg()
                    .to_string(),
            ]
        })
        .collect();
    rows.sort();
    Rows {
        columns: &[
            "programme",
            "year",
            "office",
            "fund",
            "appropriated_fen",
            "committed_fen",
            "left_fen",
            "reserved_fen",
            "paid_fen",
            "receivable_fen",
            "returned_fen",
            "recovered_fen",
            "written_off_fen",
            "advanced_fen",
        ],
        rows,
    }
}

pub(super) fn conflicts(state: &State, conflicts: &Conflicts) -> Rows {
    let rows = conflicts.all.iter().map(|known| {
        let conflict = &known.conflict;
        let days: Vec<String> = conflict.dates.days().iter().map(Date::to_string).collect();
        let case = state.cases.find(conflict.grant);
        let purse = case.map(|case| state.cases.purse(case)).unwrap_or_default();
        let stake = held(&purse).saturating_add(purse.balance(Account::Reserved));
        vec![
            known.position.to_string(),
            known.fact.map_or(String::new(), |fact| fact.to_string()),
            conflict.grant.to_string(),
            conflict.code.clone(),
            days.join(";"),
            known
                .cleared
                .map_or(String::new(), |cleared| cleared.to_string()),
            stake.to_string(),
            held(&purse).to_string(),
        ]
    });
    Rows {
        columns: &[
            "position",
            "fact",
            "grant",
            "code",
            "dates",
            "cleared",
            "stake_fen",
            "held_fen",
        ],
        rows: rows.collect(),
    }
}

pub(super) fn cases(state: &State) -> Rows {
    let cases = &state.cases;
    let rows = (0_u32..).zip(cases.rows()).map(|(case, row)| {
        let life = cases.life(case);
        let purse = cases.purse(case);
        let of = |account| purse.balance(account).to_string();
        let key = state.budget.key(row.line);
        let line = key.map(|key| state.line_in_words(key));
        let line = line.unwrap_or_default();
        vec![
            row.position.to_string(),
            line.programme,
            line.year.to_string(),
            line.office.to_string(),
            line.fund,
            stage(state, row, life).to_owned(),
            row.amount.to_string(),
            of(Account::Reserved),
            of(Account::Paid),
            of(Account::Receivable),
            of(Account::Returned),
            of(Account::Recovered),
            life.map_or(0, |life| life.payments.len()).to_string(),
        ]
    });
    Rows {
        columns: &[
            "grant",
            "programme",
            "year",
            "office",
            "fund",
            "stage",
            "amount_fen",
            "reserved_fen",
            "paid_fen",
            "receivable_fen",
            "returned_fen",
            "recovered_fen",
            "payments",
        ],
        rows: rows.collect(),
    }
}

/// How far a case is, in one word.
fn stage(state: &State, row: &Row, life: Option<&Life>) -> &'static str {
    let Some(life) = life else {
        return "granted";
    };
    if life.reversed.is_some() {
        return "reversed";
    }
    if let Some((_, payment)) = life.waiting() {
        let batch = state.cases.batches.at(payment.batch);
        return match batch.map(|batch| (batch.locked, batch.submitted)) {
            Some((_, Some(_))) => "submitted",
            Some((Some(_), None)) => "locked",
            Some((None, None)) | None => "in_batch",
        };
    }
    match life.payments.last().map(|payment| payment.stage) {
        Some(PaymentStage::Settled) if life.purse.balance(Account::Reserved) == 0 => {
            return "settled";
        }
        Some(PaymentStage::Bounced) => return "bounced",
        _ => {}
    }
    if life.open_objections > 0 {
        return "objected";
    }
    let notice = life.notice.and_then(|place| state.cases.notices.at(place));
    if let Some(notice) = notice {
        return if notice.closed.is_some() {
            "cleared"
        } else {
            "in_notice"
        };
    }
    match (life.review, life.approval) {
        (_, approval) if Life::is_passed(approval) => "approved",
        (review, None) if Life::is_passed(review) => "reviewed",
        (_, Some(_)) | (Some(_), None) => "returned",
        (None, None) if row.amount != life.purse.balance(Account::Reserved) => "changed",
        (None, None) => "granted",
    }
}

fn or_empty(position: Option<u64>) -> String {
    position.map_or(String::new(), |position| position.to_string())
}

pub(super) fn notices(state: &State) -> Rows {
    let rows = state.cases.notices.iter().map(|notice| {
        vec![
            notice.number.to_string(),
            notice.position.to_string(),
            notice.cases.len().to_string(),
            notice.last_day.to_string(),
            or_empty(notice.closed),
        ]
    });
    Rows {
        columns: &["notice_no", "position", "grants", "last_day", "closed"],
        rows: rows.collect(),
    }
}

pub(super) fn batches(state: &State) -> Rows {
    use PaymentStage as S;
    let rows = state.cases.batches.iter().map(|batch| {
        let payments = batch.items.iter().filter_map(|(case, attempt)| {
            let payment = state.cases.life(*case)?.payment(*attempt)?;
            (payment.stage != PaymentStage::Withdrawn).then_some(payment)
        });
        let payments: Vec<_> = payments.collect();
        let sum = |wanted: &[PaymentStage]| {
            let of = payments.iter().filter(|p| wanted.contains(&p.stage));
            let fen = of.map(|payment| payment.fen);
            fen.fold(0_i64, i64::saturating_add).to_string()
        };
        vec![
            batch.number.to_string(),
            batch.position.to_string(),
            state.funds.name(batch.fund).to_owned(),
            payments.len().to_string(),
            sum(&[S::Waiting, S::Settled, S::Bounced, S::Reissued]),
            or_empty(batch.locked),
            or_empty(batch.submitted),
            sum(&[S::Settled]),
            sum(&[S::Bounced, S::Reissued]),
            sum(&[S::Waiting]),
        ]
    });
    Rows {
        columns: &[
            "batch_no",
            "position",
            "fund",
            "payments",
            "total_fen",
            "locked",
            "submitted",
            "settled_fen",
            "bounced_fen",
            "waiting_fen",
        ],
        rows: rows.collect(),
    }
}

pub(super) fn recoveries(state: &State) -> Rows {
    let rows = state.cases.recoveries.iter().map(|recovery| {
        let row = state.cases.row(recovery.case);
        let conflict = Position::new(recovery.conflict);
        vec![
            recovery.number.to_string(),
            recovery.position.to_string(),
            row.map_or(String::new(), |row| row.position.to_string()),
            conflict.map_or(String::new(), |conflict| conflict.to_string()),
            recovery.fen.to_string(),
            recovery.received.to_string(),
            recovery.outstanding().to_string(),
            or_empty(recovery.closed),
        ]
    });
    Rows {
        columns: &[
            "recovery_no",
            "position",
            "grant",
            "conflict",
            "amount_fen",
            "received_fen",
            "outstanding_fen",
            "closed",
        ],
        rows: rows.collect(),
    }
}

pub(super) fn months(totals: &Totals) -> Rows {
    let rows = totals.months().map(|(line, month, change)| {
        vec![
            month.to_string(),
            line.programme.clone(),
            line.year.to_string(),
            line.office.to_string(),
            line.fund.clone(),
            change.grants.to_string(),
            change.committed_fen().to_string(),
            change.paid_fen().to_string(),
            change.accounts.balance(Account::Receivable).to_string(),
        ]
    });
    Rows {
        columns: &[
            "month",
            "programme",
            "year",
            "office",
            "fund",
            "grants",
            "committed_fen",
            "paid_fen",
            "receivable_fen",
        ],
        rows: rows.collect(),
    }
}

pub(super) fn plaques(plaques: &Plaques) -> Rows {
    let rows = plaques.all().map(|(brand, known)| {
        vec![
            brand.to_owned(),
            known.position.to_string(),
            known.level().key().to_owned(),
            known.applicant().to_string(),
            known.awarded_on().to_string(),
            known.document.clone(),
        ]
    });
    Rows {
        columns: &[
            "brand_no",
            "position",
            "level",
            "applicant",
            "awarded_on",
            "document",
        ],
        rows: rows.collect(),
    }
}

pub(super) fn loans(loans: &Loans) -> Rows {
    let rows = loans.all().map(|(number, lent)| {
        vec![
            number.to_owned(),
            lent.position.to_string(),
            lent.borrower.to_string(),
            lent.kind.key().to_owned(),
            lent.issued_on.to_string(),
            lent.due_on.to_string(),
            lent.settled
                .map_or(String::new(), |(settled_on, _)| settled_on.to_string()),
            lent.principal_fen.to_string(),
            lent.outstanding_fen().to_string(),
            standing(&lent.accounts).to_string(),
        ]
    });
    Rows {
        columns: &[
            "loan_no",
            "position",
            "borrower",
            "borrower_kind",
            "issued_on",
            "due_on",
            "settled_on",
            "principal_fen",
            "outstanding_fen",
            "subsidy_fen",
        ],
        rows: rows.collect(),
    }
}

/// Mandates in force and taken back, then those that wait to be confirmed.
pub(super) fn access(state: &State) -> Rows {
    let row = |mandate: &Mandate, position: Position, by: &str| {
        let list = |items: Vec<String>| items.join(" ");
        vec![
            mandate.principal.to_string(),
            list(
                mandate
                    .roles
                    .iter()
                    .map(|r| r.as_str().to_owned())
                    .collect(),
            ),
            list(mandate.offices.iter().map(ToString::to_string).collect()),
            list(mandate.programmes.iter().map(ToString::to_string).collect()),
            list(
                mandate
                    .credentials
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            ),
            position.to_string(),
            by.to_owned(),
        ]
    };
    let held = state.access.mandates();
    let held = held.map(|held| row(&held.mandate, held.position, ""));
    let waiting = state.access.proposals();
    let waiting = waiting.map(|p| row(&p.mandate, p.position, p.by.as_str()));
    Rows {
        columns: &[
            "principal",
            "roles",
            "offices",
            "programmes",
            "credentials",
            "position",
            "proposed_by",
        ],
        rows: held.chain(waiting).collect(),
    }
}
