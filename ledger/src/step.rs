//! Steps: what a bureau does with a grant after it is decided, with a plaque
//! after it is awarded, and with an appropriation after it is made. A step is
//! taken or refused, and either is an event.

use crate::{
    amount::Fen,
    calendar::Date,
    claim::Claim,
    event::Failure,
    fact::{in_order, malformed},
    identity::SubjectId,
    malformed::{Malformed, Problem},
    position::{Position, StreamId, StreamKind},
    text::{
        BatchNo, BrandNo, DocumentNo, FundId, Label, NoticeNo, ObjectionNo, Principal, RecoveryNo,
    },
};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// 审核
    Review(Judgement),
    /// 审批
    Approval(Judgement),
    /// 岗位例外
    Override(Override),
    /// 公示
    Notice(Notice),
    /// 公示异议
    Objection(Objection),
    /// 异议处理
    ObjectionResolution(ObjectionResolution),
    /// 公示期满
    NoticeClosing(NoticeClosing),
    /// 拨付批次
    Batch(Batch),
    /// One case leaves a batch before it is locked.
    BatchWithdrawal(BatchWithdrawal),
    /// No case enters or leaves a batch any more.
    BatchLocking(BatchLocking),
    /// A batch goes to the bank.
    BatchSubmission(BatchSubmission),
    /// 支付成功
    Settlement(Settlement),
    /// 退票
    Bounce(Bounce),
    /// 重新支付
    Reissue(Reissue),
    /// 冲正
    Reversal(Reversal),
    /// 调整
    Adjustment(Adjustment),
    /// 退款
    Refund(Refund),
    /// 追回立案
    RecoveryOpening(RecoveryOpening),
    /// 追回到账
    RecoveryReceipt(RecoveryReceipt),
    /// 追回结案
    RecoveryClosing(RecoveryClosing),
    /// 归垫
    Restoration(Restoration),
    /// 牌匾变更
    PlaqueChange(PlaqueChange),
    /// 指标调整、收回
    AppropriationChange(AppropriationChange),
}

/// What a reviewer or approver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// 通过
    Passed,
    /// 退回
    Returned,
}

/// A reviewer's or approver's word on one grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The grant.
    pub grant: Position,
    /// What they say.
    pub opinion: Opinion,
    /// Why; no personal data.
    pub note: Option<Label>,
}

/// A duty that one person may not have twice in one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// 审核
    Review,
    /// 审批
    Approval,
    /// 拨付
    Payment,
}

/// Somebody who has no part in a case lets another one take a second duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The grant.
    pub grant: Position,
    /// The duty.
    pub duty: Duty,
    /// Who may take it.
    pub principal: Principal,
    /// Why; no personal data.
    pub reason: Label,
}

/// A list of grants is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub notice_no: NoticeNo,
    /// The grants, ascending.
    pub grants: Vec<Position>,
    /// The first day on which it hangs.
    pub first_day: Date,
    /// The last day on which it hangs; `None` in a request: it follows from the
    /// policy's number of working days.
    pub last_day: Option<Date>,
    /// BLAKE3 of the masked list as it was published.
    pub list_digest: [u8; 32],
}

/// Somebody objects to one grant of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The notice.
    pub notice_no: NoticeNo,
    /// The objection's number.
    pub objection_no: ObjectionNo,
    /// The grant.
    pub grant: Position,
    /// When it was received.
    pub filed_on: Date,
    /// About what; no personal data.
    pub reason: Label,
}

/// What came of an objection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectionOutcome {
    /// 异议成立: the grant cannot be paid as it is.
    Upheld,
    /// 异议不成立
    Dismissed,
}

/// An objection is dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectionResolution {
    /// Its number.
    pub objection_no: ObjectionNo,
    /// How.
    pub outcome: ObjectionOutcome,
    /// When.
    pub resolved_on: Date,
    /// Why; no personal data.
    pub note: Option<Label>,
}

/// A notice has hung long enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeClosing {
    /// The notice.
    pub notice_no: NoticeNo,
    /// The first day after it.
    pub closed_on: Date,
}

/// Grants that are paid together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub batch_no: BatchNo,
    /// From which fund.
    pub fund: FundId,
    /// The grants, ascending; none if it is to be filled by reissues.
    pub grants: Vec<Position>,
    /// What each is paid; empty in a request: all that is reserved for it.
    pub amounts: Vec<Fen>,
}

/// A grant is taken out of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchWithdrawal {
    /// The batch.
    pub batch_no: BatchNo,
    /// The grant.
    pub grant: Position,
    /// Why; no personal data.
    pub reason: Label,
}

/// A batch as it will go to the bank. A cashier who says what they counted
/// cannot lock another batch than they saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchLocking {
    /// The batch.
    pub batch_no: BatchNo,
    /// How many payments.
    pub count: u32,
    /// Their sum.
    pub total: Fen,
}

/// A batch was handed to the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSubmission {
    /// The batch.
    pub batch_no: BatchNo,
    /// BLAKE3 of the file.
    pub file_digest: [u8; 32],
    /// When.
    pub submitted_on: Date,
}

/// One payment of a grant: the grant and a count of its payments, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The grant.
    pub grant: Position,
    /// Its first, second, … payment.
    pub attempt: u32,
}

/// The bank paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which payment.
    pub payment: Payment,
    /// How much.
    pub amount: Fen,
    /// When.
    pub settled_on: Date,
}

/// The bank could not pay, or the money came back to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// Which payment.
    pub payment: Payment,
    /// When.
    pub bounced_on: Date,
    /// The bank's reason.
    pub reason: Label,
}

/// A bounced payment goes into another batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reissue {
    /// The payment that bounced.
    pub payment: Payment,
    /// The batch, not locked yet.
    pub batch_no: BatchNo,
}

/// What is taken back of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it: the entitlement is free again.
    Whole,
    /// So much of it: the entitlement stays used.
    Part(Fen),
}

/// A grant is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// The grant.
    pub grant: Position,
    /// How much of it.
    pub extent: Extent,
    /// Why; no personal data.
    pub reason: Label,
}

/// A grant's amount was wrong. The claim with the right amount is judged like a
/// new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// The grant.
    pub grant: Position,
    /// The claim with the amount that is right.
    pub claim: Claim,
    /// By which document.
    pub document: DocumentNo,
}

/// A payee gave money back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The grant.
    pub grant: Position,
    /// How much.
    pub amount: Fen,
    /// When.
    pub received_on: Date,
}

/// Money is claimed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryOpening {
    /// Its number.
    pub recovery_no: RecoveryNo,
    /// The grant.
    pub grant: Position,
    /// How much; `None` in a request: all that the payee holds.
    pub amount: Option<Fen>,
    /// The conflict that it follows from, if one.
    pub conflict: Option<Position>,
    /// On what ground; no personal data.
    pub basis: Label,
}

/// Money that was claimed back came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryReceipt {
    /// Which recovery.
    pub recovery_no: RecoveryNo,
    /// How much.
    pub amount: Fen,
    /// When.
    pub received_on: Date,
}

/// Nothing more is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryClosing {
    /// Which recovery.
    pub recovery_no: RecoveryNo,
    /// What stays out, and is written off.
    pub written_off: Fen,
    /// By which document.
    pub document: DocumentNo,
}

/// Money that came back fills the fund that it was paid from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restoration {
    /// The grant.
    pub grant: Position,
    /// How much.
    pub amount: Fen,
    /// By which document.
    pub document: DocumentNo,
}

/// What becomes of a plaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaqueEvent {
    /// 续牌: another term begins.
    Renewed,
    /// 暂停
    Suspended,
    /// 恢复
    Reinstated,
    /// 撤销
    Revoked,
    /// 到期
    Expired,
}

/// A plaque changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaqueChange {
    /// Which brand.
    pub brand_no: BrandNo,
    /// How.
    pub change: PlaqueEvent,
    /// From which day on.
    pub on: Date,
    /// By which document.
    pub document: DocumentNo,
}

/// How an appropriation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppropriationEvent {
    /// 调增
    Increased,
    /// 调减
    Decreased,
    /// 收回
    Returned,
}

/// An appropriation changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppropriationChange {
    /// By which document.
    pub document: DocumentNo,
    /// The document of the appropriation.
    pub of: DocumentNo,
    /// How.
    pub change: AppropriationEvent,
    /// By how much.
    pub amount: Fen,
}

/// A step that is not allowed, with every reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRefusal {
    /// The whole step, so that it can be judged again.
    pub step: Step,
    /// Never empty.
    pub failures: Vec<Failure>,
}

impl Step {
    /// The most grants of one notice or batch, so that its event fits a block.
    pub const MAX_GRANTS: usize = 5_000;

    /// Checks what a single field cannot show.
    pub fn check(&self) -> Result<(), Malformed> {
        let positive = |field, amount: Fen| match amount {
            Fen::ZERO => Err(malformed(field, Problem::NotPositive)),
            _ => Ok(()),
        };
        match self {
            Self::Notice(step) => {
                if step.grants.is_empty() {
                    return Err(malformed("grants", Problem::Missing));
                }
                distinct(&step.grants)?;
                let last = step.last_day.unwrap_or(step.first_day);
                in_order("last_day", step.first_day, last)
            }
            Self::Batch(step) => {
                distinct(&step.grants)?;
                if !step.amounts.is_empty() && step.amounts.len() != step.grants.len() {
                    return Err(malformed("amounts_fen", Problem::UnknownValue));
                }
                Ok(())
            }
            Self::Settlement(step) => positive("amount_fen", step.amount),
            Self::Refund(step) => positive("amount_fen", step.amount),
            Self::Reversal(Reversal {
                extent: Extent::Part(amount),
                ..
            })
            | Self::RecoveryOpening(RecoveryOpening {
                amount: Some(amount),
                ..
            }) => positive("amount_fen", *amount),
            Self::RecoveryReceipt(step) => positive("amount_fen", step.amount),
            Self::Restoration(step) => positive("amount_fen", step.amount),
            Self::AppropriationChange(step) => positive("amount_fen", step.amount),
            Self::Adjustment(step) => step.claim.check(),
            Self::Review(_)
            | Self::Approval(_)
            | Self::Override(_)
            | Self::Objection(_)
            | Self::ObjectionResolution(_)
            | Self::NoticeClosing(_)
            | Self::BatchWithdrawal(_)
            | Self::BatchLocking(_)
            | Self::BatchSubmission(_)
            | Self::Bounce(_)
            | Self::Reissue(_)
            | Self::Reversal(_)
            | Self::RecoveryOpening(_)
            | Self::RecoveryClosing(_)
            | Self::PlaqueChange(_) => Ok(()),
        }
    }

    /// The grant that it is about, if it is about one.
    pub fn grant(&self) -> Option<Position> {
        match self {
            Self::Review(step) | Self::Approval(step) => Some(step.grant),
            Self::Override(step) => Some(step.grant),
            Self::Objection(step) => Some(step.grant),
            Self::BatchWithdrawal(step) => Some(step.grant),
            Self::Settlement(step) => Some(step.payment.grant),
            Self::Bounce(step) => Some(step.payment.grant),
            Self::Reissue(step) => Some(step.payment.grant),
            Self::Reversal(step) => Some(step.grant),
            Self::Adjustment(step) => Some(step.grant),
            Self::Refund(step) => Some(step.grant),
            Self::RecoveryOpening(step) => Some(step.grant),
            Self::Restoration(step) => Some(step.grant),
            Self::Notice(_)
            | Self::ObjectionResolution(_)
            | Self::NoticeClosing(_)
            | Self::Batch(_)
            | Self::BatchLocking(_)
            | Self::BatchSubmission(_)
            | Self::RecoveryReceipt(_)
            | Self::RecoveryClosing(_)
            | Self::PlaqueChange(_)
            | Self::AppropriationChange(_) => None,
        }
    }

    /// The stream that it belongs to by itself. What is about a grant belongs to
    /// the grant's stream, and what is about an appropriation to its fund's,
    /// which only the state knows; `None` of these.
    pub fn stream(&self) -> Option<StreamId> {
        match self {
            Self::Notice(step) => Some(notice(&step.notice_no)),
            Self::NoticeClosing(step) => Some(notice(&step.notice_no)),
            Self::Batch(step) => Some(batch(&step.batch_no)),
            Self::BatchLocking(step) => Some(batch(&step.batch_no)),
            Self::BatchSubmission(step) => Some(batch(&step.batch_no)),
            Self::PlaqueChange(step) => {
                Some(StreamId::of(StreamKind::Brand, step.brand_no.as_str()))
            }
            Self::Review(_)
            | Self::Approval(_)
            | Self::Override(_)
            | Self::Objection(_)
            | Self::ObjectionResolution(_)
            | Self::BatchWithdrawal(_)
            | Self::Settlement(_)
            | Self::Bounce(_)
            | Self::Reissue(_)
            | Self::Reversal(_)
            | Self::Adjustment(_)
            | Self::Refund(_)
            | Self::RecoveryOpening(_)
            | Self::RecoveryReceipt(_)
            | Self::RecoveryClosing(_)
            | Self::Restoration(_)
            | Self::AppropriationChange(_) => None,
        }
    }

    /// The civil date that it is about, for the event's header.
    pub fn basis(&self) -> Option<Date> {
        match self {
            Self::Notice(step) => Some(step.first_day),
            Self::Objection(step) => Some(step.filed_on),
            Self::ObjectionResolution(step) => Some(step.resolved_on),
            Self::NoticeClosing(step) => Some(step.closed_on),
            Self::BatchSubmission(step) => Some(step.submitted_on),
            Self::Settlement(step) => Some(step.settled_on),
            Self::Bounce(step) => Some(step.bounced_on),
            Self::Adjustment(step) => Some(step.claim.basis()),
            Self::Refund(step) => Some(step.received_on),
            Self::RecoveryReceipt(step) => Some(step.received_on),
            Self::PlaqueChange(step) => Some(step.on),
            Self::Review(_)
            | Self::Approval(_)
            | Self::Override(_)
            | Self::Batch(_)
            | Self::BatchWithdrawal(_)
            | Self::BatchLocking(_)
            | Self::Reissue(_)
            | Self::Reversal(_)
            | Self::RecoveryOpening(_)
            | Self::RecoveryClosing(_)
            | Self::Restoration(_)
            | Self::AppropriationChange(_) => None,
        }
    }

    /// The name of its field in the stored message: what filters and listings
    /// call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Review(_) => "review_decided",
            Self::Approval(_) => "approval_decided",
            Self::Override(_) => "override_recorded",
            Self::Notice(_) => "notice_published",
            Self::Objection(_) => "objection_filed",
            Self::ObjectionResolution(_) => "objection_resolved",
            Self::NoticeClosing(_) => "notice_closed",
            Self::Batch(_) => "payment_batch_created",
            Self::BatchWithdrawal(_) => "payment_withdrawn",
            Self::BatchLocking(_) => "payment_batch_locked",
            Self::BatchSubmission(_) => "payment_batch_submitted",
            Self::Settlement(_) => "payment_settled",
            Self::Bounce(_) => "payment_bounced",
            Self::Reissue(_) => "payment_reissued",
            Self::Reversal(_) => "grant_reversed",
            Self::Adjustment(_) => "grant_adjusted",
            Self::Refund(_) => "refund_received",
            Self::RecoveryOpening(_) => "recovery_opened",
            Self::RecoveryReceipt(_) => "recovery_received",
            Self::RecoveryClosing(_) => "recovery_closed",
            Self::Restoration(_) => "fund_restored",
            Self::PlaqueChange(step) => match step.change {
                PlaqueEvent::Renewed => "plaque_renewed",
                PlaqueEvent::Suspended => "plaque_suspended",
                PlaqueEvent::Reinstated => "plaque_reinstated",
                PlaqueEvent::Revoked => "plaque_revoked",
                PlaqueEvent::Expired => "plaque_expired",
            },
            Self::AppropriationChange(step) => match step.change {
                AppropriationEvent::Increased | AppropriationEvent::Decreased => {
                    "appropriation_adjusted"
                }
                AppropriationEvent::Returned => "appropriation_returned",
            },
        }
    }
}

/// The stream of a notice.
pub fn notice(number: &NoticeNo) -> StreamId {
    StreamId::of(StreamKind::Notice, number.as_str())
}

/// The stream of a payment batch.
pub fn batch(number: &BatchNo) -> StreamId {
    StreamId::of(StreamKind::Batch, number.as_str())
}

/// Not too many grants, each once, ascending.
fn distinct(grants: &[Position]) -> Result<(), Malformed> {
    if grants.len() > Step::MAX_GRANTS {
        let max = Step::MAX_GRANTS;
        return Err(malformed("grants", Problem::TooMany { max }));
    }
    match grants.array_windows().find(|[one, two]| one >= two) {
        Some([_, two]) => Err(malformed("grants", Problem::Twice(two.number()))),
        None => Ok(()),
    }
}

/// A subject's bank account, under seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose; it is the event's stream.
    pub subject: SubjectId,
    /// The sealed bank and number, see [`crate::identity::details`].
    pub sealed: Box<[u8]>,
    /// Keyed digest of both.
    pub digest: [u8; 8],
}
