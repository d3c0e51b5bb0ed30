//! What gates a payment: the notice, who does what, what stands of the grant; and
//! what frees an entitlement.

use luzhang_ledger::{
    Fen,
    step::{
        BatchLocking, BatchSubmission, Duty, Extent, Judgement, Opinion, Override, Payment,
        Reversal, Settlement, Step as Life,
    },
    text::{BatchNo, Label, Principal},
};

use crate::{
    given::{GRANTED, RECORDED, rejected},
    steps::{WANG, allowance, budget, day, fen},
    transitions::{after, by, granted, position, step},
};

const CLEARED: &str = "review approve notice-1 close-notice";

#[test]
fn p_notice_nothing_is_paid_before_the_notice_is_over() {
    for (way, expected) in [
        ("review approve", "NOTICE_OPEN"),
        ("review approve notice-1", "NOTICE_OPEN"),
        (
            "review approve notice-1 object-1 close-notice",
            "NOTICE_OPEN",
        ),
        ("review approve notice-1 object-1 dismiss close-notice", ""),
        ("review approve notice-1 close-notice", ""),
    ] {
        let (ledger, grant) = after(way);
        let answer = ledger.when(step("batch", grant));
        match expected {
            "" => answer.then(RECORDED),
            code => answer.then(code),
        };
    }
    // From Friday 27 September: 27, 29, 30 September, 8 and 9 October.
    let (ledger, _) = after("review approve notice-1");
    let closing = |on: &str| {
        by(
            "clerk",
            Life::NoticeClosing(luzhang_ledger::step::NoticeClosing {
                notice_no: luzhang_ledger::text::NoticeNo::new("N1").unwrap(),
                closed_on: day(on),
            }),
        )
    };
    for (on, expected) in [
        ("2024-09-30", "NOTICE_OPEN"),
        ("2024-10-08", "NOTICE_OPEN"),
        ("2024-10-09", "NOTICE_OPEN"),
        ("2024-10-10", ""),
    ] {
        let answer = ledger.when(closing(on));
        match expected {
            "" => answer.then(RECORDED),
            code => answer.then(code),
        };
    }
    // A shorter one is refused, a longer one is not.
    let (ledger, grant) = after("review approve");
    for (last, expected) in [
        ("2024-10-08", "NOTICE_TOO_SHORT"),
        ("2024-10-09", ""),
        ("2024-10-31", ""),
    ] {
        let mut notice = step("notice", grant);
        if let luzhang_projections::decide::CommandBody::Step(life, _) = &mut notice.command.body
            && let Life::Notice(notice) = &mut **life
        {
            notice.last_day = Some(day(last));
        }
        let answer = ledger.when(notice);
        match expected {
            "" => answer.then(RECORDED),
            code => answer.then(code),
        };
    }
}

fn judged(approval: bool, who: &str, grant: u64) -> crate::steps::Step {
    let judgement = Judgement {
        grant: position(grant),
        opinion: Opinion::Passed,
        note: None,
    };
    let life = if approval {
        Life::Approval(judgement)
    } else {
        Life::Review(judgement)
    };
    by(who, life)
}

fn exception(duty: Duty, who: &str, whom: &str, grant: u64) -> crate::steps::Step {
    by(
        who,
        Life::Override(Override {
            grant: position(grant),
            duty,
            principal: Principal::new(whom).unwrap(),
            reason: Label::new("one officer").unwrap(),
        }),
    )
}

#[test]
fn p_eyes_four_people_have_four_duties() {
    let (ledger, grant) = granted();
    ledger.when(judged(false, "clerk", grant)).then("FOUR_EYES");
    ledger.when(judged(false, "reviewer", grant)).then(RECORDED);
    let (ledger, grant) = after("review");
    for (who, expected) in [
        ("clerk", "FOUR_EYES"),
        ("reviewer", "FOUR_EYES"),
        ("approver", ""),
    ] {
        let answer = ledger.when(judged(true, who, grant));
        match expected {
            "" => answer.then(RECORDED),
            code => answer.then(code),
        };
    }
    let (ledger, grant) = after(CLEARED);
    for who in ["clerk", "reviewer", "approver"] {
        let mut batch = step("batch", grant);
        if let luzhang_projections::decide::CommandBody::Step(_, by) = &mut batch.command.body {
            *by = Principal::new(who).unwrap();
        }
        ledger.when(batch).then("FOUR_EYES");
    }
    ledger.when(step("batch", grant)).then(RECORDED);
    // Whoever makes the batch, those who lock and hand it in are not in the case.
    let (ledger, _) = after(&format!("{CLEARED} batch-1"));
    let batch_no = BatchNo::new("B1").unwrap();
    let lock = Life::BatchLocking(BatchLocking {
        batch_no: batch_no.clone(),
        count: 1,
        total: fen(15_000),
    });
    ledger.when(by("reviewer", lock)).then("FOUR_EYES");
    let (ledger, _) = after(&format!("{CLEARED} batch-1 lock"));
    let submit = Life::BatchSubmission(BatchSubmission {
        batch_no,
        file_digest: [0; 32],
        submitted_on: day("2024-10-14"),
    });
    ledger.when(by("approver", submit)).then("FOUR_EYES");
}

#[test]
fn p_eyes_an_exception_is_made_by_somebody_without_a_part() {
    let (ledger, grant) = after("review");
    for (who, whom, expected) in [
        ("clerk", "reviewer", "FOUR_EYES"),
        ("reviewer", "reviewer", "FOUR_EYES"),
        ("reviewer", "clerk", "FOUR_EYES"),
        ("chief", "chief", "FOUR_EYES"),
        ("chief", "reviewer", ""),
    ] {
        let answer = ledger.when(exception(Duty::Approval, who, whom, grant));
        match expected {
            "" => answer.then(RECORDED),
            code => answer.then(code),
        };
    }
    let ledger = ledger.and([exception(Duty::Approval, "chief", "reviewer", grant)]);
    ledger.when(judged(true, "reviewer", grant)).then(RECORDED);
    // It is for one duty and one person.
    ledger.when(judged(true, "clerk", grant)).then("FOUR_EYES");
    let ledger = ledger.and([judged(true, "reviewer", grant), step("notice-1", grant)]);
    let ledger = ledger.and([step("close-notice", grant)]);
    let mut batch = step("batch", grant);
    if let luzhang_projections::decide::CommandBody::Step(_, by) = &mut batch.command.body {
        *by = Principal::new("reviewer").unwrap();
    }
    ledger.when(batch).then("FOUR_EYES FOUR_EYES");
}

fn settled(grant: u64, attempt: u32, amount: i64) -> crate::steps::Step {
    by(
        "cashier",
        Life::Settlement(Settlement {
            payment: Payment {
                grant: position(grant),
                attempt,
            },
            amount: fen(amount),
            settled_on: day("2024-10-15"),
        }),
    )
}

#[test]
fn p_pay_no_more_than_what_stands_is_paid() {
    let (ledger, grant) = after(&format!("{CLEARED} batch-1 lock submit"));
    for (amount, expected) in [
        (15_000, ""),
        (14_999, "PAYMENT_AMOUNT"),
        (15_001, "PAYMENT_AMOUNT PAY_EXCEEDS"),
    ] {
        let answer = ledger.when(settled(grant, 1, amount));
        match expected {
            "" => answer.then(RECORDED),
            codes => answer.then(codes),
        };
    }
    let answer = ledger.when(settled(grant, 2, 15_000));
    answer.then(rejected("UNKNOWN_PAYMENT"));
    // The same result twice.
    let (ledger, grant) = after(&format!("{CLEARED} batch-1 lock submit settle"));
    ledger
        .when(settled(grant, 1, 15_000))
        .then("PAYMENT_SETTLED");
    // A late success after a reissue: one of both is too much.
    let reissued = format!("{CLEARED} batch-1 lock submit bounce batch-2 reissue");
    let (ledger, grant) = after(&reissued);
    let late = ledger.and([settled(grant, 1, 15_000)]);
    let batch_no = BatchNo::new("B2").unwrap();
    let lock = |total: Fen| {
        Life::BatchLocking(BatchLocking {
            batch_no: BatchNo::new("B2").unwrap(),
            count: 1,
            total,
        })
    };
    late.when(by("cashier", lock(fen(15_000))))
        .then("PAY_EXCEEDS");
    let (ledger, grant) = after(&reissued);
    let submit = Life::BatchSubmission(BatchSubmission {
        batch_no,
        file_digest: [0; 32],
        submitted_on: day("2024-10-20"),
    });
    let sent = ledger.and([by("cashier", lock(fen(15_000))), by("cashier", submit)]);
    let both = sent.clone().and([settled(grant, 1, 15_000)]);
    both.when(settled(grant, 2, 15_000)).then("PAY_EXCEEDS");
    let other = sent.and([settled(grant, 2, 15_000)]);
    other.when(settled(grant, 1, 15_000)).then("PAY_EXCEEDS");
}

#[test]
fn a_whole_reversal_frees_entitlement_and_budget_from_then_on() {
    let again = || allowance(WANG, "K1", "2024-03-04..2024-03-06");
    let other = || allowance(WANG, "K1", "2024-03-07");
    let reversal = |grant, extent| {
        by(
            "clerk",
            Life::Reversal(Reversal {
                grant: position(grant),
                extent,
                reason: Label::new("why").unwrap(),
            }),
        )
    };
    let (ledger, grant) = granted();
    ledger.when(again()).then("BUDGET_EXCEEDED M04_DAY_DUP");
    let part = ledger
        .clone()
        .and([reversal(grant, Extent::Part(fen(10_000)))]);
    part.when(again()).then("BUDGET_EXCEEDED M04_DAY_DUP");
    part.when(other()).then(GRANTED);
    // All of it bit by bit is still a part: the days stay used.
    let all = part.and([reversal(grant, Extent::Part(fen(5_000)))]);
    all.when(again()).then("M04_DAY_DUP");
    let whole = ledger.and([reversal(grant, Extent::Whole)]);
    whole.when(again()).then(GRANTED);
    // A bounce never frees anything.
    let (bounced, _) = after(&format!("{CLEARED} batch-1 lock submit bounce"));
    bounced.when(again()).then("BUDGET_EXCEEDED M04_DAY_DUP");
    // What was paid is free in the year it came from, however late it is reversed.
    let (settled, grant) = after(&format!("{CLEARED} batch-1 lock submit settle"));
    let settled = settled.and([
        budget("training-allowance", 2025, 1),
        reversal(grant, Extent::Whole),
    ]);
    settled.when(again()).then(GRANTED);
}
