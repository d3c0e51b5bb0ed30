//! A command of each kind.

use luzhang_proto::{
    event as stored,
    wire::{self, command::Body},
};

use crate::commands::{
    FUND, OFFICE, allowance, appropriation, at, attendance, award, benefit, course, day, interest,
    listed, loan, organisation, passed, person, placement, plaque, policy, recovery, retraction,
    settlement, skill_base,
};

/// A command of each kind, in order as far as its own fields go. Money facts that are
/// retracted are the steward's, others the clerk's, so those two stand twice.
#[expect(clippy::vec_init_then_push, reason = "one line a kind")]
pub(crate) fn each(fact: u64, money: u64, grant: u64) -> Vec<(&'static str, Body)> {
    let on = || Some(day("2024-03-20"));
    let grant_ref = || Some(at(grant));
    let why = || "说明".to_owned();
    let document = || "演9号".to_owned();
    let batch_no = || "BF-1".to_owned();
    let payment = || {
        Some(wire::Payment {
            grant: grant_ref(),
            attempt: 1,
        })
    };
    let retract = |asserted| {
        Body::Retraction(wire::Retraction {
            asserted,
            reason: why(),
        })
    };
    let authority = || wire::Authority {
        document: document(),
        programme: "rent-relief".to_owned(),
        office: OFFICE.to_owned(),
        from: on(),
        until: None,
        amount_fen: 5,
        stated: wire::AuthorityAmount::AtMost.into(),
    };
    let correct = |asserted, now| {
        Body::Correction(wire::Correction {
            asserted,
            reason: why(),
            now: Some(now),
        })
    };
    let mut all = Vec::new();
    all.push((
        "training_allowance",
        Body::TrainingAllowance(allowance("A", 1, "PX-1", "2024-03-05")),
    ));
    all.push(("skill_base", Body::SkillBase(skill_base("B"))));
    all.push(("service_subsidy", Body::ServiceSubsidy(placement("C", 1))));
    all.push(("brand_award", Body::BrandAward(award("D", "PP-1"))));
    all.push(("loan", Body::Loan(loan("DK-1", 1))));
    all.push((
        "interest_subsidy",
        Body::InterestSubsidy(interest("E", "DK-1")),
    ));
    all.push((
        "training_subsidy",
        Body::TrainingSubsidy(wire::TrainingSubsidy {
            claim_no: "F".to_owned(),
            person: Some(person(1)),
            course_no: "PX-1".to_owned(),
            certificate_no: "ZS-1".to_owned(),
            amount_fen: 5,
            fund: FUND.to_owned(),
        }),
    ));
    all.push((
        "transport_aid",
        Body::TransportAid(wire::TransportAid {
            claim_no: "G".to_owned(),
            person: Some(person(1)),
            province: "440000".to_owned(),
            travelled_on: on(),
            mode: wire::TravelMode::Rail.into(),
            amount_fen: 5,
            fund: FUND.to_owned(),
        }),
    ));
    all.push((
        "subsidy",
        Body::Subsidy(wire::Subsidy {
            claim_no: "H".to_owned(),
            programme: "rent-relief".to_owned(),
            recipient: Some(wire::Recipient {
                kind: Some(wire::recipient::Kind::Organisation(organisation(1))),
            }),
            document: document(),
            due_on: on(),
            spending: None,
            amount_fen: 5,
            fund: FUND.to_owned(),
        }),
    ));
    all.push(("poverty_status", Body::PovertyStatus(listed(2))));
    all.push((
        "unemployment_benefit",
        Body::UnemploymentBenefit(benefit(2, "2024-01-01", "2024-02-01")),
    ));
    all.push((
        "unemployment_benefit_retraction",
        Body::UnemploymentBenefitRetraction(retraction(2, 3)),
    ));
    all.push(("course", Body::Course(course("PX-2"))));
    all.push((
        "attendance",
        Body::Attendance(attendance(2, "PX-1", "2024-03-04")),
    ));
    all.push(("plaque", Body::Plaque(plaque("PP-1"))));
    all.push(("loan_settlement", Body::LoanSettlement(settlement("DK-1"))));
    all.push((
        "certificate",
        Body::Certificate(wire::Certificate {
            certificate_no: "ZS-1".to_owned(),
            person: Some(person(1)),
            kind: wire::CertificateKind::Training.into(),
            level: "五级".to_owned(),
            issued_on: on(),
        }),
    ));
    all.push((
        "contract_end",
        Body::ContractEnd(wire::ContractEnd {
            worker: Some(person(1)),
            employer: Some(organisation(1)),
            contract_first_day: Some(day("2024-03-01")),
            ended_on: on(),
            source: why(),
        }),
    ));
    all.push((
        "account",
        Body::Account(wire::Account {
            holder: Some(wire::account::Holder::Person(person(1))),
            bank: "演示银行".to_owned(),
            number: "6222-0001".to_owned(),
        }),
    ));
    all.push((
        "appropriation",
        Body::Appropriation(appropriation("演2号", "skill-base")),
    ));
    all.push((
        "appropriation_change",
        Body::AppropriationChange(wire::AppropriationChange {
            document: document(),
            of: "演1号".to_owned(),
            change: wire::AppropriationEvent::Increased.into(),
            amount_fen: 5,
        }),
    ));
    all.push(("authority", Body::Authority(authority())));
    all.push(("policy_pack", Body::PolicyPack(policy("x"))));
    all.push(("retraction", retract(fact)));
    all.push(("retraction", retract(money)));
    all.push((
        "correction",
        correct(fact, wire::correction::Now::PovertyStatus(listed(1))),
    ));
    all.push((
        "correction",
        correct(money, wire::correction::Now::Authority(authority())),
    ));
    all.push(("review", Body::Review(passed(grant))));
    all.push(("approval", Body::Approval(passed(grant))));
    all.push((
        "override",
        Body::Override(wire::Override {
            grant: grant_ref(),
            duty: wire::Duty::Approval.into(),
            principal: "reviewer".to_owned(),
            reason: why(),
        }),
    ));
    all.push((
        "notice",
        Body::Notice(wire::Notice {
            notice_no: "GS-1".to_owned(),
            grants: vec![at(grant)],
            first_day: on(),
            last_day: None,
        }),
    ));
    all.push((
        "notice_closing",
        Body::NoticeClosing(wire::NoticeClosing {
            notice_no: "GS-1".to_owned(),
            closed_on: on(),
        }),
    ));
    all.push((
        "objection",
        Body::Objection(wire::Objection {
            notice_no: "GS-1".to_owned(),
            objection_no: "YY-1".to_owned(),
            grant: grant_ref(),
            filed_on: on(),
            reason: why(),
        }),
    ));
    all.push((
        "objection_resolution",
        Body::ObjectionResolution(wire::ObjectionResolution {
            objection_no: "YY-1".to_owned(),
            outcome: wire::ObjectionOutcome::Dismissed.into(),
            resolved_on: on(),
            note: String::new(),
        }),
    ));
    all.push((
        "batch",
        Body::Batch(wire::Batch {
            batch_no: batch_no(),
            fund: FUND.to_owned(),
            grants: vec![at(grant)],
        }),
    ));
    all.push((
        "batch_withdrawal",
        Body::BatchWithdrawal(wire::BatchWithdrawal {
            batch_no: batch_no(),
            grant: grant_ref(),
            reason: why(),
        }),
    ));
    all.push((
        "batch_locking",
        Body::BatchLocking(wire::BatchLocking {
            batch_no: batch_no(),
            count: 1,
            total_fen: 5,
        }),
    ));
    all.push((
        "batch_submission",
        Body::BatchSubmission(wire::BatchSubmission {
            batch_no: batch_no(),
            file_digest: vec![7; 32],
            submitted_on: on(),
        }),
    ));
    all.push((
        "settlement",
        Body::Settlement(wire::Settlement {
            payment: payment(),
            amount_fen: 5,
            settled_on: on(),
        }),
    ));
    all.push((
        "bounce",
        Body::Bounce(wire::Bounce {
            payment: payment(),
            bounced_on: on(),
            reason: why(),
        }),
    ));
    all.push((
        "reissue",
        Body::Reissue(wire::Reissue {
            payment: payment(),
            batch_no: batch_no(),
        }),
    ));
    all.push((
        "refund",
        Body::Refund(wire::Refund {
            grant: grant_ref(),
            amount_fen: 5,
            received_on: on(),
        }),
    ));
    all.push((
        "recovery_receipt",
        Body::RecoveryReceipt(wire::RecoveryReceipt {
            recovery_no: "ZH-1".to_owned(),
            amount_fen: 5,
            received_on: on(),
        }),
    ));
    all.push((
        "restoration",
        Body::Restoration(wire::Restoration {
            grant: grant_ref(),
            amount_fen: 5,
            document: document(),
        }),
    ));
    all.push((
        "reversal",
        Body::Reversal(wire::Reversal {
            grant: grant_ref(),
            amount_fen: 0,
            reason: why(),
        }),
    ));
    all.push((
        "adjustment",
        Body::Adjustment(wire::Adjustment {
            grant: grant_ref(),
            amount_fen: 10_000,
            document: document(),
        }),
    ));
    all.push((
        "recovery_opening",
        Body::RecoveryOpening(recovery("ZH-1", grant, 0)),
    ));
    all.push((
        "recovery_closing",
        Body::RecoveryClosing(wire::RecoveryClosing {
            recovery_no: "ZH-1".to_owned(),
            written_off_fen: 0,
            document: document(),
        }),
    ));
    all.push((
        "plaque_change",
        Body::PlaqueChange(wire::PlaqueChange {
            brand_no: "PP-1".to_owned(),
            change: wire::PlaqueEvent::Revoked.into(),
            on: on(),
            document: document(),
        }),
    ));
    all.push((
        "mandate",
        Body::Mandate(wire::Mandate {
            principal: "new".to_owned(),
            roles: vec![stored::Role::Clerk.into()],
            offices: vec![OFFICE.to_owned()],
            ..wire::Mandate::default()
        }),
    ));
    all.push((
        "mandate_confirmation",
        Body::MandateConfirmation(wire::MandateConfirmation { proposal: 1 }),
    ));
    all.push((
        "erasure",
        Body::Erasure(wire::Erasure {
            subject: Some(wire::erasure::Subject::NationalId(person(1).national_id)),
            document: document(),
        }),
    ));
    all
}
