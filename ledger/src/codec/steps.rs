//! Steps to stored messages and back.

use luzhang_proto::event::{self as stored, step::Step as S};

use super::{DecodeError, bytes, claims, day, missing, position, unknown};
use crate::{
    amount::Fen,
    calendar::to_number,
    malformed::{Malformed, at},
    position::Position,
    step::{
        Adjustment, AppropriationChange, AppropriationEvent, Batch, BatchLocking, BatchSubmission,
        BatchWithdrawal, Bounce, Duty, Extent, Judgement, Notice, NoticeClosing, Objection,
        ObjectionOutcome, ObjectionResolution, Opinion, Override, Payment, PlaqueChange,
        PlaqueEvent, RecoveryClosing, RecoveryOpening, RecoveryReceipt, Refund, Reissue,
        Restoration, Reversal, Settlement, Step,
    },
    text::{
        BatchNo, BrandNo, DocumentNo, FundId, Label, NoticeNo, ObjectionNo, Principal, RecoveryNo,
    },
};

#[expect(clippy::too_many_lines, reason = "one arm a message")]
pub(super) fn to_stored(step: &Step) -> stored::Step {
    let step = match step {
        Step::Review(step) => S::ReviewDecided(judgement(step)),
        Step::Approval(step) => S::ApprovalDecided(judgement(step)),
        Step::Override(step) => S::OverrideRecorded(stored::Override {
            grant: step.grant.number(),
            duty: match step.duty {
                Duty::Review => stored::Duty::Review,
                Duty::Approval => stored::Duty::Approval,
                Duty::Payment => stored::Duty::Payment,
            }
            .into(),
            principal: step.principal.to_string(),
            reason: step.reason.to_string(),
        }),
        Step::Notice(step) => S::NoticePublished(stored::Notice {
            notice_no: step.notice_no.to_string(),
            grants: numbers(&step.grants),
            first_day: to_number(step.first_day),
            last_day: step.last_day.map_or(0, to_number),
            list_digest: step.list_digest.to_vec(),
        }),
        Step::Objection(step) => S::ObjectionFiled(stored::Objection {
            notice_no: step.notice_no.to_string(),
            objection_no: step.objection_no.to_string(),
            grant: step.grant.number(),
            filed_on: to_number(step.filed_on),
            reason: step.reason.to_string(),
        }),
        Step::ObjectionResolution(step) => S::ObjectionResolved(stored::ObjectionResolution {
            objection_no: step.objection_no.to_string(),
            outcome: match step.outcome {
                ObjectionOutcome::Upheld => stored::ObjectionOutcome::Upheld,
                ObjectionOutcome::Dismissed => stored::ObjectionOutcome::Dismissed,
            }
            .into(),
            resolved_on: to_number(step.resolved_on),
            note: optional(step.note.as_ref()),
        }),
        Step::NoticeClosing(step) => S::NoticeClosed(stored::NoticeClosing {
            notice_no: step.notice_no.to_string(),
            closed_on: to_number(step.closed_on),
        }),
        Step::Batch(step) => S::PaymentBatchCreated(stored::Batch {
            batch_no: step.batch_no.to_string(),
            fund: step.fund.to_string(),
            grants: numbers(&step.grants),
            amounts_fen: step.amounts.iter().map(|amount| amount.fen()).collect(),
        }),
        Step::BatchWithdrawal(step) => S::PaymentWithdrawn(stored::BatchWithdrawal {
            batch_no: step.batch_no.to_string(),
            grant: step.grant.number(),
            reason: step.reason.to_string(),
        }),
        Step::BatchLocking(step) => S::PaymentBatchLocked(stored::BatchLocking {
            batch_no: step.batch_no.to_string(),
            count: step.count,
            total_fen: step.total.fen(),
        }),
        Step::BatchSubmission(step) => S::PaymentBatchSubmitted(stored::BatchSubmission {
            batch_no: step.batch_no.to_string(),
            file_digest: step.file_digest.to_vec(),
            submitted_on: to_number(step.submitted_on),
        }),
        Step::Settlement(step) => S::PaymentSettled(stored::Settlement {
            payment: Some(payment(step.payment)),
            amount_fen: step.amount.fen(),
            settled_on: to_number(step.settled_on),
        }),
        Step::Bounce(step) => S::PaymentBounced(stored::Bounce {
            payment: Some(payment(step.payment)),
            bounced_on: to_number(step.bounced_on),
            reason: step.reason.to_string(),
        }),
        Step::Reissue(step) => S::PaymentReissued(stored::Reissue {
            payment: Some(payment(step.payment)),
            batch_no: step.batch_no.to_string(),
        }),
        Step::Reversal(step) => S::GrantReversed(stored::Reversal {
            grant: step.grant.number(),
            amount_fen: match step.extent {
                Extent::Whole => 0,
                Extent::Part(amount) => amount.fen(),
            },
            reason: step.reason.to_string(),
        }),
        Step::Adjustment(step) => S::GrantAdjusted(stored::Adjustment {
            grant: step.grant.number(),
            claim: Some(claims::to_message(&step.claim)),
            document: step.document.to_string(),
        }),
        Step::Refund(step) => S::RefundReceived(stored::Refund {
            grant: step.grant.number(),
            amount_fen: step.amount.fen(),
            received_on: to_number(step.received_on),
        }),
        Step::RecoveryOpening(step) => S::RecoveryOpened(stored::RecoveryOpening {
            recovery_no: step.recovery_no.to_string(),
            grant: step.grant.number(),
            amount_fen: step.amount.map_or(0, Fen::fen),
            conflict: step.conflict.map_or(0, Position::number),
            basis: step.basis.to_string(),
        }),
        Step::RecoveryReceipt(step) => S::RecoveryReceived(stored::RecoveryReceipt {
            recovery_no: step.recovery_no.to_string(),
            amount_fen: step.amount.fen(),
            received_on: to_number(step.received_on),
        }),
        Step::RecoveryClosing(step) => S::RecoveryClosed(stored::RecoveryClosing {
            recovery_no: step.recovery_no.to_string(),
            written_off_fen: step.written_off.fen(),
            document: step.document.to_string(),
        }),
        Step::Restoration(step) => S::FundRestored(stored::Restoration {
            grant: step.grant.number(),
            amount_fen: step.amount.fen(),
            document: step.document.to_string(),
        }),
        Step::PlaqueChange(step) => plaque_change(step),
        Step::AppropriationChange(step) => appropriation_change(step),
    };
    stored::Step { step: Some(step) }
}

fn plaque_change(step: &PlaqueChange) -> S {
    let message = stored::PlaqueChange {
        brand_no: step.brand_no.to_string(),
        on: to_number(step.on),
        document: step.document.to_string(),
    };
    match step.change {
        PlaqueEvent::Renewed => S::PlaqueRenewed(message),
        PlaqueEvent::Suspended => S::PlaqueSuspended(message),
        PlaqueEvent::Reinstated => S::PlaqueReinstated(message),
        PlaqueEvent::Revoked => S::PlaqueRevoked(message),
        PlaqueEvent::Expired => S::PlaqueExpired(message),
    }
}

fn appropriation_change(step: &AppropriationChange) -> S {
    let fen = step.amount.fen();
    let message = |amount_fen| stored::AppropriationChange {
        document: step.document.to_string(),
        of: step.of.to_string(),
        amount_fen,
    };
    match step.change {
        AppropriationEvent::Increased => S::AppropriationAdjusted(message(fen)),
        AppropriationEvent::Decreased => S::AppropriationAdjusted(message(fen.saturating_neg())),
        AppropriationEvent::Returned => S::AppropriationReturned(message(fen)),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm a message")]
pub(super) fn from_stored(step: stored::Step) -> Result<Step, DecodeError> {
    let step = match step.step.ok_or(DecodeError::UnknownBody)? {
        S::ReviewDecided(step) => Step::Review(from_judgement(step)?),
        S::ApprovalDecided(step) => Step::Approval(from_judgement(step)?),
        S::OverrideRecorded(step) => Step::Override(Override {
            duty: match step.duty() {
                stored::Duty::Review => Duty::Review,
                stored::Duty::Approval => Duty::Approval,
                stored::Duty::Payment => Duty::Payment,
                stored::Duty::Unspecified => return Err(unknown("duty").into()),
            },
            grant: position(step.grant, "grant")?,
            principal: Principal::new(step.principal).map_err(at("principal"))?,
            reason: label(step.reason, "reason")?,
        }),
        S::NoticePublished(step) => Step::Notice(Notice {
            notice_no: notice_no(step.notice_no)?,
            grants: positions(&step.grants)?,
            first_day: day(step.first_day, "first_day")?,
            last_day: super::optional_day(step.last_day, "last_day")?,
            list_digest: bytes(&step.list_digest, "list_digest")?,
        }),
        S::ObjectionFiled(step) => Step::Objection(Objection {
            notice_no: notice_no(step.notice_no)?,
            objection_no: ObjectionNo::new(step.objection_no).map_err(at("objection_no"))?,
            grant: position(step.grant, "grant")?,
            filed_on: day(step.filed_on, "filed_on")?,
            reason: label(step.reason, "reason")?,
        }),
        S::ObjectionResolved(step) => Step::ObjectionResolution(ObjectionResolution {
            outcome: match step.outcome() {
                stored::ObjectionOutcome::Upheld => ObjectionOutcome::Upheld,
                stored::ObjectionOutcome::Dismissed => ObjectionOutcome::Dismissed,
                stored::ObjectionOutcome::Unspecified => return Err(unknown("outcome").into()),
            },
            objection_no: ObjectionNo::new(step.objection_no).map_err(at("objection_no"))?,
            resolved_on: day(step.resolved_on, "resolved_on")?,
            note: from_optional(step.note, "note")?,
        }),
        S::NoticeClosed(step) => Step::NoticeClosing(NoticeClosing {
            notice_no: notice_no(step.notice_no)?,
            closed_on: day(step.closed_on, "closed_on")?,
        }),
        S::PaymentBatchCreated(step) => Step::Batch(Batch {
            batch_no: batch_no(step.batch_no)?,
            fund: FundId::new(step.fund).map_err(at("fund"))?,
            grants: positions(&step.grants)?,
            amounts: step
                .amounts_fen
                .iter()
                .map(|fen| amount(*fen, "amounts_fen"))
                .collect::<Result<_, _>>()?,
        }),
        S::PaymentWithdrawn(step) => Step::BatchWithdrawal(BatchWithdrawal {
            batch_no: batch_no(step.batch_no)?,
            grant: position(step.grant, "grant")?,
            reason: label(step.reason, "reason")?,
        }),
        S::PaymentBatchLocked(step) => Step::BatchLocking(BatchLocking {
            batch_no: batch_no(step.batch_no)?,
            count: step.count,
            total: amount(step.total_fen, "total_fen")?,
        }),
        S::PaymentBatchSubmitted(step) => Step::BatchSubmission(BatchSubmission {
            batch_no: batch_no(step.batch_no)?,
            file_digest: bytes(&step.file_digest, "file_digest")?,
            submitted_on: day(step.submitted_on, "submitted_on")?,
        }),
        S::PaymentSettled(step) => Step::Settlement(Settlement {
            payment: from_payment(step.payment)?,
            amount: amount(step.amount_fen, "amount_fen")?,
            settled_on: day(step.settled_on, "settled_on")?,
        }),
        S::PaymentBounced(step) => Step::Bounce(Bounce {
            payment: from_payment(step.payment)?,
            bounced_on: day(step.bounced_on, "bounced_on")?,
            reason: label(step.reason, "reason")?,
        }),
        S::PaymentReissued(step) => Step::Reissue(Reissue {
            payment: from_payment(step.payment)?,
            batch_no: batch_no(step.batch_no)?,
        }),
        S::GrantReversed(step) => Step::Reversal(Reversal {
            grant: position(step.grant, "grant")?,
            extent: match step.amount_fen {
                0 => Extent::Whole,
                fen => Extent::Part(amount(fen, "amount_fen")?),
            },
            reason: label(step.reason, "reason")?,
        }),
        S::GrantAdjusted(step) => Step::Adjustment(Adjustment {
            grant: position(step.grant, "grant")?,
            claim: claims::from_message(step.claim)?,
            document: document(step.document, "document")?,
        }),
        S::RefundReceived(step) => Step::Refund(Refund {
            grant: position(step.grant, "grant")?,
            amount: amount(step.amount_fen, "amount_fen")?,
            received_on: day(step.received_on, "received_on")?,
        }),
        S::RecoveryOpened(step) => Step::RecoveryOpening(RecoveryOpening {
            recovery_no: recovery_no(step.recovery_no)?,
            grant: position(step.grant, "grant")?,
            amount: match step.amount_fen {
                0 => None,
                fen => Some(amount(fen, "amount_fen")?),
            },
            conflict: Position::new(step.conflict),
            basis: label(step.basis, "basis")?,
        }),
        S::RecoveryReceived(step) => Step::RecoveryReceipt(RecoveryReceipt {
            recovery_no: recovery_no(step.recovery_no)?,
            amount: amount(step.amount_fen, "amount_fen")?,
            received_on: day(step.received_on, "received_on")?,
        }),
        S::RecoveryClosed(step) => Step::RecoveryClosing(RecoveryClosing {
            recovery_no: recovery_no(step.recovery_no)?,
            written_off: amount(step.written_off_fen, "written_off_fen")?,
            document: document(step.document, "document")?,
        }),
        S::FundRestored(step) => Step::Restoration(Restoration {
            grant: position(step.grant, "grant")?,
            amount: amount(step.amount_fen, "amount_fen")?,
            document: document(step.document, "document")?,
        }),
        S::PlaqueRenewed(step) => from_plaque_change(step, PlaqueEvent::Renewed)?,
        S::PlaqueSuspended(step) => from_plaque_change(step, PlaqueEvent::Suspended)?,
        S::PlaqueReinstated(step) => from_plaque_change(step, PlaqueEvent::Reinstated)?,
        S::PlaqueRevoked(step) => from_plaque_change(step, PlaqueEvent::Revoked)?,
        S::PlaqueExpired(step) => from_plaque_change(step, PlaqueEvent::Expired)?,
        S::AppropriationAdjusted(step) => {
            let change = match step.amount_fen {
                ..0 => AppropriationEvent::Decreased,
                0.. => AppropriationEvent::Increased,
            };
            from_appropriation_change(step, change)?
        }
        S::AppropriationReturned(step) => {
            from_appropriation_change(step, AppropriationEvent::Returned)?
        }
    };
    step.check()?;
    Ok(step)
}

fn from_plaque_change(step: stored::PlaqueChange, change: PlaqueEvent) -> Result<Step, Malformed> {
    Ok(Step::PlaqueChange(PlaqueChange {
        brand_no: BrandNo::new(step.brand_no).map_err(at("brand_no"))?,
        change,
        on: day(step.on, "on")?,
        document: document(step.document, "document")?,
    }))
}

fn from_appropriation_change(
    step: stored::AppropriationChange,
    change: AppropriationEvent,
) -> Result<Step, Malformed> {
    let fen = match change {
        AppropriationEvent::Decreased => step.amount_fen.saturating_neg(),
        AppropriationEvent::Increased | AppropriationEvent::Returned => step.amount_fen,
    };
    Ok(Step::AppropriationChange(AppropriationChange {
        document: document(step.document, "document")?,
        of: document(step.of, "of")?,
        change,
        amount: amount(fen, "amount_fen")?,
    }))
}

fn judgement(step: &Judgement) -> stored::Judgement {
    stored::Judgement {
        grant: step.grant.number(),
        opinion: match step.opinion {
            Opinion::Passed => stored::Opinion::Passed,
            Opinion::Returned => stored::Opinion::Returned,
        }
        .into(),
        note: optional(step.note.as_ref()),
    }
}

fn from_judgement(step: stored::Judgement) -> Result<Judgement, Malformed> {
    Ok(Judgement {
        grant: position(step.grant, "grant")?,
        opinion: match step.opinion() {
            stored::Opinion::Passed => Opinion::Passed,
            stored::Opinion::Returned => Opinion::Returned,
            stored::Opinion::Unspecified => return Err(unknown("opinion")),
        },
        note: from_optional(step.note, "note")?,
    })
}

fn payment(payment: Payment) -> stored::Payment {
    stored::Payment {
        grant: payment.grant.number(),
        attempt: payment.attempt,
    }
}

fn from_payment(payment: Option<stored::Payment>) -> Result<Payment, Malformed> {
    let payment = payment.ok_or(missing("payment"))?;
    Ok(Payment {
        grant: position(payment.grant, "payment.grant")?,
        attempt: payment.attempt,
    })
}

fn numbers(positions: &[Position]) -> Vec<u64> {
    positions.iter().map(|position| position.number()).collect()
}

fn positions(numbers: &[u64]) -> Result<Vec<Position>, Malformed> {
    numbers.iter().map(|n| position(*n, "grants")).collect()
}

fn optional(label: Option<&Label>) -> String {
    label.map_or_else(String::new, ToString::to_string)
}

fn from_optional(text: String, field: &'static str) -> Result<Option<Label>, Malformed> {
    match text.as_str() {
        "" => Ok(None),
        _ => label(text, field).map(Some),
    }
}

fn label(text: String, field: &'static str) -> Result<Label, Malformed> {
    Label::new(text).map_err(at(field))
}

fn amount(fen: i64, field: &'static str) -> Result<Fen, Malformed> {
    Fen::new(fen).map_err(at(field))
}

fn document(text: String, field: &'static str) -> Result<DocumentNo, Malformed> {
    DocumentNo::new(text).map_err(at(field))
}

fn notice_no(text: String) -> Result<NoticeNo, Malformed> {
    NoticeNo::new(text).map_err(at("notice_no"))
}

fn batch_no(text: String) -> Result<BatchNo, Malformed> {
    BatchNo::new(text).map_err(at("batch_no"))
}

fn recovery_no(text: String) -> Result<RecoveryNo, Malformed> {
    RecoveryNo::new(text).map_err(at("recovery_no"))
}
