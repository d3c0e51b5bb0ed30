//! Steps from the wire: what they refer to is found here.

use luzhang_ledger::{
    Body, Position,
    malformed::{Problem, at},
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
use luzhang_projections::{Rejection, state::Found};
use luzhang_proto::wire::{self, command::Body as W};
use tonic::Code;

use super::from_proto::{Parser, amount, date, optional_date, value};
use crate::rejected::Rejected;

impl Parser<'_> {
    /// A step; everything else is taken before.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "everything else is taken before"
    )]
    #[expect(clippy::too_many_lines, reason = "an arm for each kind of step")]
    pub(super) fn step(&self, body: W) -> Result<Step, Rejected> {
        Ok(match body {
            W::Review(step) => Step::Review(self.judgement(step)?),
            W::Approval(step) => Step::Approval(self.judgement(step)?),
            W::Override(step) => self.override_duty(step)?,
            W::Notice(step) => self.notice(step)?,
            W::Objection(step) => Step::Objection(Objection {
                notice_no: notice_no(step.notice_no)?,
                objection_no: objection_no(step.objection_no)?,
                grant: self.grant(step.grant)?,
                filed_on: date(step.filed_on, "filed_on")?,
                reason: label(step.reason, "reason")?,
            }),
            W::ObjectionResolution(step) => resolution(step)?,
            W::NoticeClosing(step) => Step::NoticeClosing(NoticeClosing {
                notice_no: notice_no(step.notice_no)?,
                closed_on: date(step.closed_on, "closed_on")?,
            }),
            W::Batch(step) => Step::Batch(Batch {
                batch_no: batch_no(step.batch_no)?,
                fund: FundId::new(step.fund).map_err(at("fund"))?,
                grants: self.grants(step.grants)?,
                amounts: Vec::new(),
            }),
            W::BatchWithdrawal(step) => Step::BatchWithdrawal(BatchWithdrawal {
                batch_no: batch_no(step.batch_no)?,
                grant: self.grant(step.grant)?,
                reason: label(step.reason, "reason")?,
            }),
            W::BatchLocking(step) => Step::BatchLocking(BatchLocking {
                batch_no: batch_no(step.batch_no)?,
                count: step.count,
                total: luzhang_ledger::Fen::new(step.total_fen).map_err(at("total_fen"))?,
            }),
            W::BatchSubmission(step) => Step::BatchSubmission(BatchSubmission {
                batch_no: batch_no(step.batch_no)?,
                file_digest: digest(&step.file_digest)?,
                submitted_on: date(step.submitted_on, "submitted_on")?,
            }),
            W::Settlement(step) => Step::Settlement(Settlement {
                payment: self.payment(step.payment)?,
                amount: amount(step.amount_fen)?,
                settled_on: date(step.settled_on, "settled_on")?,
            }),
            W::Bounce(step) => Step::Bounce(Bounce {
                payment: self.payment(step.payment)?,
                bounced_on: date(step.bounced_on, "bounced_on")?,
                reason: label(step.reason, "reason")?,
            }),
            W::Reissue(step) => Step::Reissue(Reissue {
                payment: self.payment(step.payment)?,
                batch_no: batch_no(step.batch_no)?,
            }),
            W::Reversal(step) => Step::Reversal(Reversal {
                grant: self.grant(step.grant)?,
                extent: match step.amount_fen {
                    0 => Extent::Whole,
                    fen => Extent::Part(amount(fen)?),
                },
                reason: label(step.reason, "reason")?,
            }),
            W::Adjustment(step) => self.adjustment(step)?,
            W::Refund(step) => Step::Refund(Refund {
                grant: self.grant(step.grant)?,
                amount: amount(step.amount_fen)?,
                received_on: date(step.received_on, "received_on")?,
            }),
            W::RecoveryOpening(step) => Step::RecoveryOpening(RecoveryOpening {
                recovery_no: recovery_no(step.recovery_no)?,
                grant: self.grant(step.grant)?,
                amount: match step.amount_fen {
                    0 => None,
                    fen => Some(amount(fen)?),
                },
                conflict: Position::new(step.conflict),
                basis: label(step.basis, "basis")?,
            }),
            W::RecoveryReceipt(step) => Step::RecoveryReceipt(RecoveryReceipt {
                recovery_no: recovery_no(step.recovery_no)?,
                amount: amount(step.amount_fen)?,
                received_on: date(step.received_on, "received_on")?,
            }),
            W::RecoveryClosing(step) => Step::RecoveryClosing(RecoveryClosing {
                recovery_no: recovery_no(step.recovery_no)?,
                written_off: luzhang_ledger::Fen::new(step.written_off_fen)
                    .map_err(at("written_off_fen"))?,
                document: document(step.document, "document")?,
            }),
            W::Restoration(step) => Step::Restoration(Restoration {
                grant: self.grant(step.grant)?,
                amount: amount(step.amount_fen)?,
                document: document(step.document, "document")?,
            }),
            W::PlaqueChange(step) => plaque_change(step)?,
            W::AppropriationChange(step) => appropriation_change(step)?,
            _ => {
                return Err(Rejected::new(
                    Code::Unimplemented,
                    "COMMAND_EMPTY",
                    "请求没有内容",
                    "the command has no body",
                ));
            }
        })
    }

    /// The position of a grant.
    fn grant(&self, reference: Option<wire::GrantRef>) -> Result<Position, Rejected> {
        use wire::grant_ref::Grant as G;
        let missing = || Rejected::missing("grant");
        match reference
            .and_then(|reference| reference.grant)
            .ok_or_else(missing)?
        {
            G::Position(number) => Position::new(number).ok_or_else(missing),
            G::Claim(wire::ClaimRef {
                programme,
                claim_no,
            }) => match self.ledger.numbered(&programme, &claim_no) {
                Found::Grant(position) => Ok(position),
                Found::Nothing => Err(Rejected {
                    status: Code::NotFound,
                    ..Rejected::field(
                        "grant",
                        "UNKNOWN_GRANT",
                        "没有这个项目和申领编号的补助：请核对项目和编号",
                        "no grant has this programme and claim number: check both",
                    )
                }),
                Found::Several => Err(Rejected::field(
                    "grant",
                    "GRANT_AMBIGUOUS",
                    "这个项目和申领编号对应多笔补助：请改填位置",
                    "several grants have this programme and claim number: give the position",
                )),
            },
        }
    }

    fn grants(&self, references: Vec<wire::GrantRef>) -> Result<Vec<Position>, Rejected> {
        if references.len() > Step::MAX_GRANTS {
            let max = Step::MAX_GRANTS;
            return Err(at("grants")(Problem::TooMany { max }).into());
        }
        let mut grants = references
            .into_iter()
            .map(|reference| self.grant(Some(reference)))
            .collect::<Result<Vec<Position>, Rejected>>()?;
        grants.sort_unstable();
        Ok(grants)
    }

    fn payment(&self, payment: Option<wire::Payment>) -> Result<Payment, Rejected> {
        let payment = payment.ok_or_else(|| Rejected::missing("payment"))?;
        Ok(Payment {
            grant: self.grant(payment.grant)?,
            attempt: payment.attempt,
        })
    }

    fn judgement(&self, step: wire::Judgement) -> Result<Judgement, Rejected> {
        Ok(Judgement {
            grant: self.grant(step.grant)?,
            opinion: match value(step.opinion, "opinion")? {
                wire::Opinion::Passed => Opinion::Passed,
                wire::Opinion::Returned => Opinion::Returned,
                wire::Opinion::Unspecified => return Err(Rejected::missing("opinion")),
            },
            note: optional(step.note, "note")?,
        })
    }

    fn override_duty(&self, step: wire::Override) -> Result<Step, Rejected> {
        Ok(Step::Override(Override {
            grant: self.grant(step.grant)?,
            duty: match value(step.duty, "duty")? {
                wire::Duty::Review => Duty::Review,
                wire::Duty::Approval => Duty::Approval,
                wire::Duty::Payment => Duty::Payment,
                wire::Duty::Unspecified => return Err(Rejected::missing("duty")),
            },
            principal: Principal::new(step.principal).map_err(at("principal"))?,
            reason: label(step.reason, "reason")?,
        }))
    }

    fn notice(&self, step: wire::Notice) -> Result<Step, Rejected> {
        let grants = self.grants(step.grants)?;
        Ok(Step::Notice(Notice {
            notice_no: notice_no(step.notice_no)?,
            list_digest: self.ledger.notice_digest(&grants)?,
            grants,
            first_day: date(step.first_day, "first_day")?,
            last_day: optional_date(step.last_day, "last_day")?,
        }))
    }

    fn adjustment(&self, step: wire::Adjustment) -> Result<Step, Rejected> {
        let grant = self.grant(step.grant)?;
        let fen = amount(step.amount_fen)?;
        let event = self.ledger.event(grant)?;
        let Some(Body::Granted(mut claim)) = event.map(|event| event.body) else {
            return Err(Rejection::UnknownGrant { grant }.into());
        };
        if !claim.set_amount(fen) {
            return Err(Rejection::AdjustmentAmount { fen: fen.fen() }.into());
        }
        Ok(Step::Adjustment(Adjustment {
            grant,
            claim,
            document: document(step.document, "document")?,
        }))
    }
}

fn resolution(step: wire::ObjectionResolution) -> Result<Step, Rejected> {
    Ok(Step::ObjectionResolution(ObjectionResolution {
        objection_no: objection_no(step.objection_no)?,
        outcome: match value(step.outcome, "outcome")? {
            wire::ObjectionOutcome::Upheld => ObjectionOutcome::Upheld,
            wire::ObjectionOutcome::Dismissed => ObjectionOutcome::Dismissed,
            wire::ObjectionOutcome::Unspecified => return Err(Rejected::missing("outcome")),
        },
        resolved_on: date(step.resolved_on, "resolved_on")?,
        note: optional(step.note, "note")?,
    }))
}

fn plaque_change(step: wire::PlaqueChange) -> Result<Step, Rejected> {
    Ok(Step::PlaqueChange(PlaqueChange {
        brand_no: BrandNo::new(step.brand_no).map_err(at("brand_no"))?,
        change: match value(step.change, "change")? {
            wire::PlaqueEvent::Renewed => PlaqueEvent::Renewed,
            wire::PlaqueEvent::Suspended => PlaqueEvent::Suspended,
            wire::PlaqueEvent::Reinstated => PlaqueEvent::Reinstated,
            wire::PlaqueEvent::Revoked => PlaqueEvent::Revoked,
            wire::PlaqueEvent::Expired => PlaqueEvent::Expired,
            wire::PlaqueEvent::Unspecified => return Err(Rejected::missing("change")),
        },
        on: date(step.on, "on")?,
        document: document(step.document, "document")?,
    }))
}

fn appropriation_change(step: wire::AppropriationChange) -> Result<Step, Rejected> {
    Ok(Step::AppropriationChange(AppropriationChange {
        document: document(step.document, "document")?,
        of: document(step.of, "of")?,
        change: match value(step.change, "change")? {
            wire::AppropriationEvent::Increased => AppropriationEvent::Increased,
            wire::AppropriationEvent::Decreased => AppropriationEvent::Decreased,
            wire::AppropriationEvent::Returned => AppropriationEvent::Returned,
            wire::AppropriationEvent::Unspecified => return Err(Rejected::missing("change")),
        },
        amount: amount(step.amount_fen)?,
    }))
}

fn digest(bytes: &[u8]) -> Result<[u8; 32], Rejected> {
    let problem = |_| at("file_digest")(Problem::ByteLength { expected: 32 });
    Ok(bytes.try_into().map_err(problem)?)
}

fn label(text: String, field: &'static str) -> Result<Label, Rejected> {
    Ok(Label::new(text).map_err(at(field))?)
}

fn optional(text: String, field: &'static str) -> Result<Option<Label>, Rejected> {
    match text.as_str() {
        "" => Ok(None),
        _ => label(text, field).map(Some),
    }
}

fn document(text: String, field: &'static str) -> Result<DocumentNo, Rejected> {
    Ok(DocumentNo::new(text).map_err(at(field))?)
}

fn notice_no(text: String) -> Result<NoticeNo, Rejected> {
    Ok(NoticeNo::new(text).map_err(at("notice_no"))?)
}

fn objection_no(text: String) -> Result<ObjectionNo, Rejected> {
    Ok(ObjectionNo::new(text).map_err(at("objection_no"))?)
}

fn batch_no(text: String) -> Result<BatchNo, Rejected> {
    Ok(BatchNo::new(text).map_err(at("batch_no"))?)
}

fn recovery_no(text: String) -> Result<RecoveryNo, Rejected> {
    Ok(RecoveryNo::new(text).map_err(at("recovery_no"))?)
}
