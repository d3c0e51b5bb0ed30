//! Commands in a few words. Each function gives a command that is in order; a
//! test changes what it is about.

use std::sync::atomic::{AtomicU64, Ordering};

use luzhang_proto::{
    google::r#type::Date,
    wire::{self, command::Body},
};
use uuid::Uuid;

use crate::support::{Organisation, Person};

pub(crate) const OFFICE: &str = "510502";
pub(crate) const FUND: &str = "省级就业创业补助资金";

/// A request id that no other command of this process has.
pub(crate) fn fresh_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u64_pair(0x1111_0000_0000_4000, 0x8000_0000_0000_0000 | number).to_string()
}

pub(crate) fn command(body: Body) -> wire::Command {
    wire::Command {
        request_id: fresh_id(),
        office: OFFICE.to_owned(),
        body: Some(body),
    }
}

pub(crate) fn day(text: &str) -> Date {
    let mut parts = text.splitn(3, '-').map(|part| part.parse().unwrap());
    let mut part = || parts.next().unwrap();
    Date {
        year: part(),
        month: part(),
        day: part(),
    }
}

pub(crate) fn days(text: &str) -> Vec<Date> {
    text.split_whitespace().map(day).collect()
}

pub(crate) fn person(index: u32) -> wire::Person {
    Person::number(index).wire()
}

pub(crate) fn organisation(index: u32) -> wire::Organisation {
    Organisation::number(index).wire()
}

pub(crate) fn appropriation(document: &str, programme: &str) -> wire::Appropriation {
    wire::Appropriation {
        document: document.to_owned(),
        fund: FUND.to_owned(),
        programme: programme.to_owned(),
        office: OFFICE.to_owned(),
        year: 2024,
        amount_fen: 100_000_000,
    }
}

/// On the poverty list since 2020.
pub(crate) fn listed(index: u32) -> wire::PovertyStatus {
    wire::PovertyStatus {
        person: Some(person(index)),
        from: Some(day("2020-01-01")),
        until: None,
        list_version: "v1".to_owned(),
    }
}

pub(crate) fn benefit(index: u32, first: &str, last: &str) -> wire::UnemploymentBenefit {
    wire::UnemploymentBenefit {
        person: Some(person(index)),
        first_day: Some(day(first)),
        last_day: Some(day(last)),
        source: "市失业保险中心".to_owned(),
    }
}

pub(crate) fn retraction(index: u32, asserted: u64) -> wire::UnemploymentBenefitRetraction {
    wire::UnemploymentBenefitRetraction {
        person: Some(person(index)),
        asserted,
    }
}

/// A course of the first week of March 2024.
pub(crate) fn course(number: &str) -> wire::Course {
    wire::Course {
        course_no: number.to_owned(),
        provider: Some(organisation(1)),
        trade: "酿酒工".to_owned(),
        first_day: Some(day("2024-03-04")),
        last_day: Some(day("2024-03-08")),
    }
}

pub(crate) fn attendance(index: u32, course: &str, on: &str) -> wire::Attendance {
    wire::Attendance {
        course_no: course.to_owned(),
        person: Some(person(index)),
        dates: days(on),
    }
}

/// 50 yuan a day.
pub(crate) fn allowance(
    claim_no: &str,
    index: u32,
    course: &str,
    on: &str,
) -> wire::TrainingAllowance {
    let dates = days(on);
    wire::TrainingAllowance {
        claim_no: claim_no.to_owned(),
        person: Some(person(index)),
        course_no: course.to_owned(),
        daily_fen: 5_000,
        amount_fen: 5_000 * i64::try_from(dates.len()).unwrap(),
        dates,
        fund: FUND.to_owned(),
    }
}

pub(crate) fn plaque(brand: &str) -> wire::Plaque {
    wire::Plaque {
        brand_no: brand.to_owned(),
        brand_name: "半坛月".to_owned(),
        level: wire::BrandLevel::Provincial.into(),
        applicant: Some(organisation(3)),
        awarded_on: Some(day("2024-01-26")),
        document: "演〔2024〕1号".to_owned(),
    }
}

pub(crate) fn award(claim_no: &str, brand: &str) -> wire::BrandAward {
    wire::BrandAward {
        claim_no: claim_no.to_owned(),
        brand_no: brand.to_owned(),
        amount_fen: 20_000_000,
        paid_on: Some(day("2024-05-10")),
        fund: FUND.to_owned(),
    }
}

pub(crate) fn skill_base(claim_no: &str) -> wire::SkillBase {
    wire::SkillBase {
        claim_no: claim_no.to_owned(),
        entity: Some(organisation(4)),
        kind: wire::SkillBaseKind::MasterStudio.into(),
        level: wire::RecognitionLevel::Provincial.into(),
        recognised_on: Some(day("2024-04-18")),
        document: "演〔2024〕2号".to_owned(),
        amount_fen: 30_000_000,
        fund: FUND.to_owned(),
    }
}

pub(crate) fn placement(claim_no: &str, index: u32) -> wire::ServiceSubsidy {
    wire::ServiceSubsidy {
        claim_no: claim_no.to_owned(),
        agency: Some(organisation(5)),
        worker: Some(person(index)),
        employer: Some(organisation(6)),
        contract_first_day: Some(day("2024-04-08")),
        contract_last_day: Some(day("2025-04-07")),
        insured_from: Some(day("2024-04-08")),
        amount_fen: 30_000,
        fund: FUND.to_owned(),
    }
}

pub(crate) fn borrower(index: u32) -> wire::Borrower {
    wire::Borrower {
        kind: Some(wire::borrower::Kind::Person(person(index))),
    }
}

pub(crate) fn loan(number: &str, index: u32) -> wire::Loan {
    wire::Loan {
        loan_no: number.to_owned(),
        borrower: Some(borrower(index)),
        principal_fen: 20_000_000,
        rate_ppm: 34_500,
        issued_on: Some(day("2024-01-15")),
        due_on: Some(day("2026-01-15")),
        bank: "灯盏银行".to_owned(),
    }
}

pub(crate) fn settlement(loan: &str) -> wire::LoanSettlement {
    wire::LoanSettlement {
        loan_no: loan.to_owned(),
        settled_on: Some(day("2024-12-20")),
        repayment: wire::Repayment::OnTime.into(),
    }
}

pub(crate) fn interest(claim_no: &str, loan: &str) -> wire::InterestSubsidy {
    wire::InterestSubsidy {
        claim_no: claim_no.to_owned(),
        loan_no: loan.to_owned(),
        from: Some(day("2024-01-15")),
        until: Some(day("2024-04-15")),
        interest_fen: 170_000,
        amount_fen: 85_000,
        fund: FUND.to_owned(),
    }
}

pub(crate) fn policy(content: impl Into<Vec<u8>>) -> wire::PolicyPack {
    wire::PolicyPack {
        content: content.into(),
    }
}

/// What each body is as a command.
pub(crate) fn erasure(index: u32) -> wire::Erasure {
    wire::Erasure {
        subject: Some(wire::erasure::Subject::NationalId(
            person(index).national_id,
        )),
        document: "泸市人社函〔2026〕1号".to_owned(),
    }
}

pub(crate) trait Commanded: Sized {
    fn command(self) -> wire::Command;

    /// The same with a change.
    fn with(mut self, change: impl FnOnce(&mut Self)) -> wire::Command {
        change(&mut self);
        self.command()
    }
}

macro_rules! commanded {
    ($($name:ident)*) => {$(
        impl Commanded for wire::$name {
            fn command(self) -> wire::Command {
                command(Body::$name(self))
            }
        }
    )*};
}

commanded! {
    Appropriation PovertyStatus UnemploymentBenefit UnemploymentBenefitRetraction Course
    Attendance Plaque LoanSettlement TrainingAllowance SkillBase ServiceSubsidy BrandAward Loan
    InterestSubsidy PolicyPack Notice NoticeClosing Batch BatchLocking BatchSubmission Settlement
    Bounce Reissue Reversal RecoveryOpening RecoveryReceipt RecoveryClosing Erasure
}

/// What a training allowance of person 1 rests on: six events, the parties
/// among them.
pub(crate) fn claimable() -> [wire::Command; 4] {
    [
        appropriation("演1号", "training-allowance").command(),
        listed(1).command(),
        course("PX-1").command(),
        attendance(1, "PX-1", "2024-03-04 2024-03-05 2024-03-06").command(),
    ]
}

pub(crate) fn at(position: u64) -> wire::GrantRef {
    let grant = Some(wire::grant_ref::Grant::Position(position));
    wire::GrantRef { grant }
}

pub(crate) fn passed(position: u64) -> wire::Judgement {
    wire::Judgement {
        grant: Some(at(position)),
        opinion: wire::Opinion::Passed.into(),
        note: String::new(),
    }
}

pub(crate) fn first_payment(position: u64) -> wire::Payment {
    wire::Payment {
        grant: Some(at(position)),
        attempt: 1,
    }
}

/// What makes a grant ready to be paid, each step by another account.
pub(crate) fn cleared(position: u64) -> [(&'static str, wire::Command); 4] {
    let notice_no = format!("GS-{position}");
    let notice = wire::Notice {
        notice_no: notice_no.clone(),
        grants: vec![at(position)],
        first_day: Some(day("2024-03-11")),
        last_day: None,
    };
    let closing = wire::NoticeClosing {
        notice_no,
        closed_on: Some(day("2024-03-18")),
    };
    [
        ("reviewer", command(Body::Review(passed(position)))),
        ("approver", command(Body::Approval(passed(position)))),
        ("reviewer", notice.command()),
        ("reviewer", closing.command()),
    ]
}

/// What pays a cleared grant, in a batch of its own.
pub(crate) fn paid(position: u64, amount_fen: i64) -> [(&'static str, wire::Command); 4] {
    let batch_no = format!("BF-{position}");
    let batch = wire::Batch {
        batch_no: batch_no.clone(),
        fund: FUND.to_owned(),
        grants: vec![at(position)],
    };
    let locking = wire::BatchLocking {
        batch_no: batch_no.clone(),
        count: 1,
        total_fen: amount_fen,
    };
    let submission = wire::BatchSubmission {
        batch_no,
        file_digest: vec![7; 32],
        submitted_on: Some(day("2024-03-20")),
    };
    let settlement = wire::Settlement {
        payment: Some(first_payment(position)),
        amount_fen,
        settled_on: Some(day("2024-03-21")),
    };
    [
        ("cashier", batch.command()),
        ("cashier", locking.command()),
        ("cashier", submission.command()),
        ("cashier", settlement.command()),
    ]
}

pub(crate) fn recovery(number: &str, position: u64, conflict: u64) -> wire::RecoveryOpening {
    wire::RecoveryOpening {
        recovery_no: number.to_owned(),
        grant: Some(at(position)),
        amount_fen: 0,
        conflict,
        basis: "演〔2024〕9号".to_owned(),
    }
}

/// An outcome in a few words: `accepted`, `refused M04_DAY_DUP`, `rejected
/// ID_CHECK_DIGIT person.national_id`, and whether it was `replayed`.
pub(crate) fn shown(outcome: &wire::Outcome) -> String {
    let mut words = match outcome.result.as_ref().unwrap() {
        wire::outcome::Result::Accepted(_) => vec!["accepted"],
        wire::outcome::Result::Refused(refused) => {
            let codes = refused.reasons.iter().map(|reason| &*reason.code);
            ["refused"].into_iter().chain(codes).collect()
        }
        wire::outcome::Result::Rejected(rejected) => {
            let code = &*rejected.reason.as_ref().unwrap().code;
            vec!["rejected", code, &rejected.field]
        }
    };
    if outcome.replayed {
        words.push("replayed");
    }
    words.join(" ").trim_end().to_owned()
}

/// The receipt of an accepted or refused command.
#[track_caller]
pub(crate) fn receipt(outcome: &wire::Outcome) -> &wire::Receipt {
    match &outcome.result {
        Some(wire::outcome::Result::Accepted(accepted)) => accepted.receipt.as_ref(),
        Some(wire::outcome::Result::Refused(refused)) => refused.receipt.as_ref(),
        Some(wire::outcome::Result::Rejected(_)) | None => None,
    }
    .unwrap_or_else(|| panic!("no receipt: {outcome:?}"))
}

#[track_caller]
pub(crate) fn accepted(outcome: &wire::Outcome) -> &wire::Accepted {
    match &outcome.result {
        Some(wire::outcome::Result::Accepted(accepted)) => accepted,
        other => panic!("not accepted: {other:?}"),
    }
}
