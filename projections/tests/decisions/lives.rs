//! Random lives: commands of every kind, by several people, in whatever order.
//! After each, money is where an independent count says, no limit is exceeded by
//! what stands; at the end every decision follows from the log once more, and the
//! log read back from its bytes gives the same digests.

mod books;
mod dice;

use std::{collections::BTreeMap, env, ops::ControlFlow, sync::OnceLock, thread};

use luzhang_ledger::{Body, Hash, codec};
use luzhang_projections::{
    projection::{self, Projections},
    redecide::Redecider,
    report::{Cell, Column, Cover, Name, Query, Report},
};

use crate::{ledger::Ledger, snapshots};
use books::Books;
use dice::Dice;

/// How many histories, unless `LUZHANG_HISTORIES` says otherwise.
const HISTORIES: u64 = 10_000;

/// How many commands after the prepared ones.
const COMMANDS: u32 = 36;

/// How often each kind of event and each code came up.
type Tally = BTreeMap<String, u64>;

/// What every life begins with. Packs take long to parse, so it is made once.
fn begin() -> &'static (Ledger, Books) {
    static BEGIN: OnceLock<(Ledger, Books)> = OnceLock::new();
    BEGIN.get_or_init(|| {
        let (mut ledger, mut books) = (Ledger::new(), Books::default());
        for step in dice::prepared() {
            let events = ledger.log.len();
            ledger.submit(&step).unwrap();
            books.follow(&ledger, events, 0);
        }
        again(&Ledger::new(), &ledger, 0);
        (ledger, books)
    })
}

/// Decides every event after `begin` once more, and folds it from its bytes.
fn again(begin: &Ledger, ledger: &Ledger, seed: u64) {
    let mut redecider = Redecider::from(begin.folded.clone());
    let mut again = begin.folded.clone();
    for event in &ledger.log[begin.log.len()..] {
        assert_eq!(redecider.apply(event), [], "seed {seed}");
        let mut bytes = Vec::new();
        codec::encode(event, &mut bytes);
        let read = codec::decode(&bytes).unwrap_or_else(|e| panic!("seed {seed}: {e} {event:?}"));
        assert_eq!(&read, event, "seed {seed}");
        again.apply(&read);
    }
    assert_eq!(redecider.finish(), [], "seed {seed}");
    assert_eq!(again.statuses(), ledger.folded.statuses(), "seed {seed}");
}

/// One life in so many is reported too.
const REPORTED: u64 = 200;

/// One life in so many is kept and read back: its packs are parsed then.
const RESTORED: u64 = 20;

/// Reports keep the books only; their digests and sums are those of everything.
fn reported(ledger: &Ledger, seed: u64) {
    let made = |name| {
        let mut report = Report::new(Query::of(name));
        let mut out = |_: Vec<Cell>| ControlFlow::Continue(());
        for event in &ledger.log {
            let ended = report.take(event, Hash::from_bytes([0; 32]), &mut out);
            assert!(ended.is_continue(), "seed {seed}");
        }
        let ended = report.finish(&BTreeMap::new(), &mut out);
        assert_eq!(ended, Ok(ControlFlow::Continue(())), "seed {seed} {name}");
        (report.columns(), report.cover())
    };
    let sum = |(columns, cover): &(Vec<Column>, Cover), id: &str| {
        let place = columns.iter().position(|column| column.id == id).unwrap();
        match cover.totals[place] {
            Cell::Fen(sum) | Cell::Count(sum) => sum,
            ref other => panic!("{id}: {other:?}"),
        }
    };
    let all = Name::ALL
        .into_iter()
        .filter(|name| *name != Name::Statement);
    let reports: BTreeMap<Name, _> = all.map(|name| (name, made(name))).collect();
    for (name, (_, cover)) in &reports {
        for status in &cover.projections {
            let whole = ledger.folded.status(status.name);
            assert_eq!(*status, whole, "seed {seed} {name}");
        }
    }
    let rows = ledger.folded.rows(projection::Name::Budget);
    let of_budget = |id: &str| -> i64 {
        let place = rows
            .columns
            .iter()
            .position(|column| *column == id)
            .unwrap();
        rows.rows
            .iter()
            .map(|row| row[place].parse::<i64>().unwrap())
            .sum()
    };
    for (name, ids) in [
        (
            Name::Execution,
            &[
                "appropriated_fen",
                "committed_fen",
                "reserved_fen",
                "paid_fen",
                "left_fen",
            ][..],
        ),
        (
            Name::Register,
            &[
                "committed_fen",
                "paid_fen",
                "receivable_fen",
                "returned_fen",
                "recovered_fen",
                "written_off_fen",
            ],
        ),
        (
            Name::Pivot,
            &["committed_fen", "paid_fen", "receivable_fen"],
        ),
    ] {
        for id in ids {
            assert_eq!(
                sum(&reports[&name], id),
                of_budget(id),
                "seed {seed} {name} {id}"
            );
        }
    }
}

fn play(seed: u64) -> Tally {
    let mut dice = Dice::new(seed);
    let (mut ledger, mut books) = begin().clone();
    let mut tally = Tally::new();
    let middle = dice.below(COMMANDS);
    let mut snapshot = None;
    for turn in 0..COMMANDS {
        if turn == middle {
            snapshot = Some((ledger.folded.clone(), ledger.log.len()));
        }
        let step = dice.command(&ledger, &books);
        let events = ledger.log.len();
        match ledger.submit(&step) {
            Ok(decision) => {
                let kind = decision.body.kind();
                *tally.entry(kind.to_owned()).or_default() += 1;
                let failures = match &decision.body {
                    Body::Refused(refusal) => &refusal.failures[..],
                    Body::StepRefused(refusal) => &refusal.failures[..],
                    _ => &[],
                };
                for failure in failures {
                    *tally.entry(failure.code.clone()).or_default() += 1;
                }
                for (name, count) in [
                    ("conflict", decision.conflicts.len()),
                    ("cleared", decision.cleared.len()),
                ] {
                    *tally.entry(name.to_owned()).or_default() += count as u64;
                }
            }
            Err(rejection) => *tally.entry(rejection.code().to_owned()).or_default() += 1,
        }
        books.follow(&ledger, events, seed);
    }

    again(&begin().0, &ledger, seed);
    let statuses = ledger.folded.statuses();
    if seed.is_multiple_of(REPORTED) {
        reported(&ledger, seed);
    }

    // What a snapshot and the rest of the log give is what the whole log gives.
    let (mut state, from) = snapshot.unwrap_or((Projections::default(), 0));
    if seed.is_multiple_of(RESTORED) {
        snapshots::check_decided(&ledger, from, &state, seed);
    }
    for event in &ledger.log[from..] {
        state.apply(event);
    }
    assert_eq!(state.statuses(), statuses, "seed {seed}");
    tally
}

fn histories(count: u64) -> Tally {
    let parts = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    thread::scope(|scope| {
        let playing: Vec<_> = (0..parts)
            .map(|part| {
                scope.spawn(move || {
                    let mut tally = Tally::new();
                    for seed in (part..count).step_by(usize::try_from(parts).unwrap()) {
                        for (name, number) in play(seed) {
                            *tally.entry(name).or_default() += number;
                        }
                    }
                    tally
                })
            })
            .collect();
        let mut tally = Tally::new();
        for part in playing {
            for (name, number) in part.join().unwrap() {
                *tally.entry(name).or_default() += number;
            }
        }
        tally
    })
}

#[test]
fn money_is_conserved_and_no_limit_exceeded_in_ten_thousand_lives() {
    let count = env::var("LUZHANG_HISTORIES").ok();
    let count = count.map_or(HISTORIES, |text| text.parse().unwrap());
    let tally = histories(count);
    if count < HISTORIES {
        return;
    }
    // Were some of it out of reach, the rest would say nothing of it.
    for name in [
        "training_allowance_granted",
        "skill_base_granted",
        "service_subsidy_granted",
        "brand_award_granted",
        "loan_issued",
        "interest_subsidy_granted",
        "training_subsidy_granted",
        "transport_aid_granted",
        "subsidy_granted",
        "review_decided",
        "approval_decided",
        "override_recorded",
        "notice_published",
        "objection_filed",
        "objection_resolved",
        "notice_closed",
        "payment_batch_created",
        "payment_withdrawn",
        "payment_batch_locked",
        "payment_batch_submitted",
        "payment_settled",
        "payment_bounced",
        "payment_reissued",
        "grant_reversed",
        "grant_adjusted",
        "refund_received",
        "recovery_opened",
        "recovery_received",
        "recovery_closed",
        "fund_restored",
        "plaque_renewed",
        "plaque_suspended",
        "plaque_reinstated",
        "plaque_revoked",
        "appropriation_adjusted",
        "appropriation_returned",
        "fact_retracted",
        "fact_corrected",
        "contract_ended",
        "certificate_asserted",
        "account_bound",
        "conflict",
        "cleared",
        "FOUR_EYES",
        "NOTICE_OPEN",
        "BUDGET_EXCEEDED",
        "CASE_REVERSED",
        "CASE_IN_PAYMENT",
        "REVERSAL_EXCEEDS",
        "REFUND_EXCEEDS",
        "RECOVERY_EXCEEDS",
        "RESTORATION_EXCEEDS",
        "APPROPRIATION_OVERDRAWN",
    ] {
        let count = tally.get(name).copied().unwrap_or(0);
        assert!(count >= 5, "{name} came up {count} times: {tally:#?}");
    }
}
