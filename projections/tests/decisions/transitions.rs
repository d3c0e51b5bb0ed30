//! Every transition, allowed or not, in one table: how far a case is, what is
//! attempted, and what comes of it. A step that is refused is on the chain with
//! its code; one about something that is not there is rejected.

use luzhang_ledger::{
    Position,
    claim::Claim,
    fact::BrandLevel,
    step::{
        Adjustment, AppropriationChange, AppropriationEvent, Batch, BatchLocking, BatchSubmission,
        BatchWithdrawal, Bounce, Duty, Extent, Judgement, Notice, NoticeClosing, Objection,
        ObjectionOutcome, ObjectionResolution, Opinion, Override, Payment, PlaqueChange,
        PlaqueEvent, RecoveryClosing, RecoveryOpening, RecoveryReceipt, Refund, Reissue,
        Restoration, Reversal, Settlement, Step as Life,
    },
    text::{
        BatchNo, BrandNo, DocumentNo, FundId, Label, NoticeNo, ObjectionNo, Principal, RecoveryNo,
    },
};
use luzhang_projections::{Command, decide::CommandBody};

use crate::{
    given::{Outcome, given, outcome},
    ledger::Ledger,
    steps::{
        FUND, OFFICE, Step, WANG, allowance, attended, budget, course, day, fen, listed, office,
        plaque,
    },
};

/// Somebody takes a step.
pub(crate) fn by(who: &str, life: Life) -> Step {
    Step {
        command: Command {
            office: office(OFFICE),
            body: CommandBody::Step(Box::new(life), Principal::new(who).unwrap()),
        },
    }
}

pub(crate) fn position(number: u64) -> Position {
    Position::new(number).unwrap()
}

fn label() -> Label {
    Label::new("why").unwrap()
}

fn document(number: &str) -> DocumentNo {
    DocumentNo::new(number).unwrap()
}

/// The steps of one grant of 150 yuan, by name.
#[expect(clippy::too_many_lines, reason = "an arm for each kind of step")]
pub(crate) fn step(name: &str, grant: u64) -> Step {
    let (grant, attempt) = (position(grant), 1);
    let payment = Payment { grant, attempt };
    let judgement = |opinion| Judgement {
        grant,
        opinion,
        note: None,
    };
    let notice = |number: &str| Notice {
        notice_no: NoticeNo::new(number).unwrap(),
        grants: vec![grant],
        first_day: day("2024-09-27"),
        last_day: None,
        list_digest: [0; 32],
    };
    let batch = |number: &str, grants| Batch {
        batch_no: BatchNo::new(number).unwrap(),
        fund: FundId::new(FUND).unwrap(),
        grants,
        amounts: Vec::new(),
    };
    let resolution = |outcome| ObjectionResolution {
        objection_no: ObjectionNo::new("O1").unwrap(),
        outcome,
        resolved_on: day("2024-10-01"),
        note: None,
    };
    let objection = |number: &str| Objection {
        notice_no: NoticeNo::new("N1").unwrap(),
        objection_no: ObjectionNo::new(number).unwrap(),
        grant,
        filed_on: day("2024-09-30"),
        reason: label(),
    };
    let batch_no = BatchNo::new("B1").unwrap();
    let opening = |number: &str| RecoveryOpening {
        recovery_no: RecoveryNo::new(number).unwrap(),
        grant,
        amount: None,
        conflict: None,
        basis: label(),
    };
    let recovery_no = RecoveryNo::new("R1").unwrap();
    let reversal = |extent| Reversal {
        grant,
        extent,
        reason: label(),
    };
    let (who, life) = match name {
        "review" => ("reviewer", Life::Review(judgement(Opinion::Passed))),
        "review-return" => ("reviewer", Life::Review(judgement(Opinion::Returned))),
        "approve" => ("approver", Life::Approval(judgement(Opinion::Passed))),
        "approve-return" => ("approver", Life::Approval(judgement(Opinion::Returned))),
        "override" => (
            "chief",
            Life::Override(Override {
                grant,
                duty: Duty::Payment,
                principal: Principal::new("reviewer").unwrap(),
                reason: label(),
            }),
        ),
        "notice-1" => ("clerk", Life::Notice(notice("N1"))),
        "notice" => ("clerk", Life::Notice(notice("N9"))),
        "object-1" => ("clerk", Life::Objection(objection("O1"))),
        "object" => ("clerk", Life::Objection(objection("O9"))),
        "uphold" => (
            "clerk",
            Life::ObjectionResolution(resolution(ObjectionOutcome::Upheld)),
        ),
        "dismiss" => (
            "clerk",
            Life::ObjectionResolution(resolution(ObjectionOutcome::Dismissed)),
        ),
        "close-notice" => (
            "clerk",
            Life::NoticeClosing(NoticeClosing {
                notice_no: NoticeNo::new("N1").unwrap(),
                closed_on: day("2024-10-12"),
            }),
        ),
        "batch-1" => ("cashier", Life::Batch(batch("B1", vec![grant]))),
        "batch-2" => ("cashier", Life::Batch(batch("B2", Vec::new()))),
        "batch" => ("cashier", Life::Batch(batch("B9", vec![grant]))),
        "withdraw" => (
            "cashier",
            Life::BatchWithdrawal(BatchWithdrawal {
                batch_no,
                grant,
                reason: label(),
            }),
        ),
        "lock" => (
            "cashier",
            Life::BatchLocking(BatchLocking {
                batch_no,
                count: 1,
                total: fen(15_000),
            }),
        ),
        "submit" => (
            "cashier",
            Life::BatchSubmission(BatchSubmission {
                batch_no,
                file_digest: [0; 32],
                submitted_on: day("2024-10-14"),
            }),
        ),
        "settle" => (
            "cashier",
            Life::Settlement(Settlement {
                payment,
                amount: fen(15_000),
                settled_on: day("2024-10-15"),
            }),
        ),
        "bounce" => (
            "cashier",
            Life::Bounce(Bounce {
                payment,
                bounced_on: day("2024-10-16"),
                reason: label(),
            }),
        ),
        "reissue" => (
            "cashier",
            Life::Reissue(Reissue {
                payment,
                batch_no: BatchNo::new("B2").unwrap(),
            }),
        ),
        "reverse-part" => ("clerk", Life::Reversal(reversal(Extent::Part(fen(5_000))))),
        "reverse" => ("clerk", Life::Reversal(reversal(Extent::Whole))),
        "refund" => (
            "cashier",
            Life::Refund(Refund {
                grant,
                amount: fen(5_000),
                received_on: day("2024-11-01"),
            }),
        ),
        "recover-1" => ("clerk", Life::RecoveryOpening(opening("R1"))),
        "recover" => ("clerk", Life::RecoveryOpening(opening("R9"))),
        "receive-all" => (
            "cashier",
            Life::RecoveryReceipt(RecoveryReceipt {
                recovery_no,
                amount: fen(15_000),
                received_on: day("2024-12-01"),
            }),
        ),
        "receive" => (
            "cashier",
            Life::RecoveryReceipt(RecoveryReceipt {
                recovery_no,
                amount: fen(5_000),
                received_on: day("2024-12-01"),
            }),
        ),
        "close-recovery" => (
            "chief",
            Life::RecoveryClosing(RecoveryClosing {
                recovery_no,
                written_off: fen(15_000),
                document: document("W"),
            }),
        ),
        "restore-all" | "restore" => (
            "cashier",
            Life::Restoration(Restoration {
                grant,
                amount: fen(if name == "restore" { 5_000 } else { 15_000 }),
                document: document("G"),
            }),
        ),
        "adjust" => {
            let mut claim = match allowance(WANG, "K1", "2024-03-04..2024-03-06").command.body {
                CommandBody::Claim(claim @ Claim::TrainingAllowance(_)) => claim,
                other => panic!("{other:?}"),
            };
            assert!(claim.set_amount(fen(12_000)));
            (
                "clerk",
                Life::Adjustment(Adjustment {
                    grant,
                    claim,
                    document: document("A"),
                }),
            )
        }
        other => panic!("no step {other}"),
    };
    by(who, life)
}

/// One grant of three days in training, and where it is.
pub(crate) fn granted() -> (Ledger, u64) {
    let ledger = given([
        budget("training-allowance", 2024, 15_000),
        listed(WANG, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-08"),
        allowance(WANG, "K1", "2024-03-04..2024-03-06"),
    ]);
    let grant = ledger.log.len() as u64;
    (ledger, grant)
}

/// The ledger after these steps, all of which are taken.
#[track_caller]
pub(crate) fn after(names: &str) -> (Ledger, u64) {
    let (mut ledger, grant) = granted();
    for name in names.split_whitespace() {
        let taken = outcome(&ledger.submit(&step(name, grant)));
        assert_eq!(taken, Outcome::Recorded, "{name} of {names}");
    }
    (ledger, grant)
}

const ATTEMPTS: [&str; 23] = [
    "review",
    "approve",
    "override",
    "notice",
    "object",
    "dismiss",
    "close-notice",
    "batch",
    "withdraw",
    "lock",
    "submit",
    "settle",
    "bounce",
    "reissue",
    "reverse-part",
    "reverse",
    "adjust",
    "refund",
    "recover",
    "receive",
    "close-recovery",
    "restore",
    "batch-2",
];

/// A stage: its name, the steps that lead to it, and what comes of each attempt
/// that is not simply taken.
type Stage<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

const STAGES: &[Stage<'_>] = &include!("transitions/table.in");

#[test]
fn every_transition_of_a_case() {
    let mut differ = String::new();
    for (name, way, refused) in STAGES {
        let (ledger, grant) = after(way);
        for (attempt, _) in *refused {
            assert!(ATTEMPTS.contains(attempt), "{name}: {attempt}");
        }
        for attempt in ATTEMPTS {
            let actual = match outcome(&ledger.decide(&step(attempt, grant))) {
                Outcome::Recorded => String::new(),
                Outcome::Refused(codes) | Outcome::Rejected(codes) => codes,
                other => panic!("{name}: {attempt}: {other:?}"),
            };
            let expected = refused.iter().find(|(of, _)| *of == attempt);
            let expected = expected.map_or("", |(_, code)| *code);
            if actual != expected {
                use std::fmt::Write as _;
                writeln!(
                    differ,
                    "{name}: {attempt}: {actual:?}, expected {expected:?}"
                )
                .unwrap();
            }
        }
    }
    assert!(differ.is_empty(), "\n{differ}");
}

#[test]
fn every_transition_of_a_plaque() {
    use PlaqueEvent as P;
    let change = |change, on: &str| {
        by(
            "clerk",
            Life::PlaqueChange(PlaqueChange {
                brand_no: BrandNo::new("B1").unwrap(),
                change,
                on: day(on),
                document: document("P"),
            }),
        )
    };
    let all = [
        P::Renewed,
        P::Suspended,
        P::Reinstated,
        P::Revoked,
        P::Expired,
    ];
    // Changes so far, the day of the attempt, and its outcome in the order above.
    for (before, on, expected) in [
        (
            &[][..],
            "2025-01-01",
            ["", "", "PLAQUE_NOT_SUSPENDED", "", "PLAQUE_IN_FORCE"],
        ),
        // The day before the term ends, and the first day after it.
        (
            &[],
            "2027-01-14",
            ["", "", "PLAQUE_NOT_SUSPENDED", "", "PLAQUE_IN_FORCE"],
        ),
        (
            &[],
            "2027-01-15",
            ["", "PLAQUE_NOT_IN_FORCE", "PLAQUE_NOT_SUSPENDED", "", ""],
        ),
        (
            &[(P::Suspended, "2025-01-01")],
            "2025-02-01",
            [
                "PLAQUE_SUSPENDED",
                "PLAQUE_SUSPENDED",
                "",
                "",
                "PLAQUE_IN_FORCE",
            ],
        ),
        (
            &[(P::Suspended, "2025-01-01")],
            "2024-12-31",
            ["PLAQUE_ORDER"; 5],
        ),
        (
            &[(P::Suspended, "2025-01-01"), (P::Reinstated, "2025-02-01")],
            "2025-03-01",
            ["", "", "PLAQUE_NOT_SUSPENDED", "", "PLAQUE_IN_FORCE"],
        ),
        (
            &[(P::Renewed, "2027-01-15")],
            "2029-12-31",
            ["", "", "PLAQUE_NOT_SUSPENDED", "", "PLAQUE_IN_FORCE"],
        ),
        (
            &[(P::Expired, "2027-01-15")],
            "2027-02-01",
            ["", "PLAQUE_NOT_IN_FORCE", "PLAQUE_NOT_SUSPENDED", "", ""],
        ),
        (
            &[(P::Revoked, "2025-01-01")],
            "2025-01-01",
            ["PLAQUE_REVOKED"; 5],
        ),
    ] {
        let ledger = given([plaque("B1", BrandLevel::Provincial, "2024-01-15")]);
        let ledger = ledger.and(before.iter().map(|(kind, on)| change(*kind, on)));
        for (kind, expected) in all.into_iter().zip(expected) {
            let answer = ledger.when(change(kind, on));
            match expected {
                "" => answer.then(Outcome::Recorded),
                code => answer.then(code),
            };
        }
    }
    let none = given([]);
    let rejected = Outcome::Rejected("UNKNOWN_PLAQUE".to_owned());
    none.when(change(P::Renewed, "2025-01-01")).then(rejected);
}

#[test]
fn every_transition_of_an_appropriation() {
    use AppropriationEvent as A;
    let change = |number: &str, of: &str, change, amount| {
        by(
            "clerk",
            Life::AppropriationChange(AppropriationChange {
                document: document(number),
                of: document(of),
                change,
                amount: fen(amount),
            }),
        )
    };
    let (ledger, _) = granted();
    let ledger = ledger.and([change(
        "D1",
        "training-allowance 2024 15000",
        A::Increased,
        100,
    )]);
    for (of, kind, amount, expected) in [
        ("training-allowance 2024 15000", A::Increased, 1, ""),
        ("training-allowance 2024 15000", A::Decreased, 100, ""),
        ("D1", A::Decreased, 100, ""),
        ("D1", A::Returned, 100, ""),
        ("D1", A::Decreased, 101, "APPROPRIATION_OVERDRAWN"),
        ("D1", A::Returned, 101, "APPROPRIATION_OVERDRAWN"),
    ] {
        let answer = ledger.when(change("D2", of, kind, amount));
        match expected {
            "" => answer.then(Outcome::Recorded),
            code => answer.then(code),
        };
    }
    for (number, of, code) in [
        ("D1", "D1", "APPROPRIATION_EXISTS"),
        ("D2", "D9", "UNKNOWN_APPROPRIATION"),
    ] {
        let answer = ledger.when(change(number, of, A::Increased, 1));
        answer.then(Outcome::Rejected(code.to_owned()));
    }
}
