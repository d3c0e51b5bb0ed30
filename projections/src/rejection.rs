//! Why a command cannot be decided. Nothing is written then.

use luzhang_ledger::{Position, text::PackId};
use thiserror::Error;

use crate::pack::PackError;

/// Why a well-formed command cannot be decided. Nothing is written.
#[derive(Debug, Error)]
pub enum Rejection {
    /// No policy pack was ever adopted.
    #[error("no policy pack is adopted: run `luzhang policy adopt` first")]
    NoPolicy,
    /// The fund is not one of the pack's.
    #[error("unknown fund; the policy pack {pack} has: {known}")]
    UnknownFund {
        /// The pack asked.
        pack: PackId,
        /// Its funds.
        known: String,
    },
    /// The programme is not one of the pack's.
    #[error("unknown programme; the policy pack {pack} has: {known}")]
    UnknownProgramme {
        /// The pack asked.
        pack: PackId,
        /// Its programmes.
        known: String,
    },
    /// The pack in force has no programme for this form of claim.
    #[error("the policy pack {pack} has no programme for this kind of claim")]
    NoProgramme {
        /// The pack asked.
        pack: PackId,
    },
    /// The course was never registered.
    #[error("course {course_no} is not registered: import the course table first")]
    UnknownCourse {
        /// The number given.
        course_no: String,
    },
    /// The loan was never issued.
    #[error("loan {loan_no} is not on the ledger: it was never issued, or was refused")]
    UnknownLoan {
        /// The number given.
        loan_no: String,
    },
    /// There is no such benefit period of this person.
    #[error("position {position} is not a standing benefit period of this person")]
    UnknownBenefit {
        /// The position given.
        position: Position,
    },
    /// The course number is taken.
    #[error("course {course_no} is registered already at position {at}")]
    CourseExists {
        /// The number given.
        course_no: String,
        /// Where.
        at: u64,
    },
    /// The loan number is taken.
    #[error("loan {loan_no} is issued already at position {at}")]
    LoanExists {
        /// The number given.
        loan_no: String,
        /// Where.
        at: u64,
    },
    /// The loan is settled.
    #[error("loan {loan_no} is settled already at position {at}")]
    LoanSettled {
        /// The number given.
        loan_no: String,
        /// Where.
        at: u64,
    },
    /// The brand has a plaque.
    #[error("brand {brand_no} has its plaque already at position {at}")]
    PlaqueExists {
        /// The number given.
        brand_no: String,
        /// Where.
        at: u64,
    },
    /// The appropriation's document was recorded.
    #[error("document {document} is recorded already")]
    AppropriationExists {
        /// The number given.
        document: String,
    },
    /// The grant is not on the ledger, or is not one that is paid.
    #[error("{grant} is not the position of a grant that is paid")]
    UnknownGrant {
        /// The position given.
        grant: Position,
    },
    /// There is no such notice.
    #[error("notice {number} is not on the ledger")]
    UnknownNotice {
        /// The number given.
        number: String,
    },
    /// There is no such objection.
    #[error("objection {number} is not on the ledger")]
    UnknownObjection {
        /// The number given.
        number: String,
    },
    /// There is no such payment batch.
    #[error("payment batch {number} is not on the ledger")]
    UnknownBatch {
        /// The number given.
        number: String,
    },
    /// The grant has no such payment.
    #[error("grant {grant} has no payment number {attempt}")]
    UnknownPayment {
        /// The grant.
        grant: Position,
        /// The attempt given.
        attempt: u32,
    },
    /// There is no such recovery.
    #[error("recovery {number} is not on the ledger")]
    UnknownRecovery {
        /// The number given.
        number: String,
    },
    /// There is no such open conflict of this grant.
    #[error("position {position} is not an open conflict of this grant")]
    UnknownConflict {
        /// The position given.
        position: Position,
    },
    /// The brand never had a plaque.
    #[error("brand {brand_no} has no plaque on the ledger: import the plaque table first")]
    UnknownPlaque {
        /// The number given.
        brand_no: String,
    },
    /// There is no such appropriation.
    #[error("document {document} made no appropriation on this ledger")]
    UnknownAppropriation {
        /// The number given.
        document: String,
    },
    /// There is no such fact, or it no longer counts.
    #[error(
        "position {position} is not a fact that counts: it never was one, or was retracted or corrected already"
    )]
    UnknownFact {
        /// The position given.
        position: Position,
    },
    /// A correction speaks of something else than the fact that it corrects.
    #[error(
        "a correction is of the same kind and about the same subject as the fact at {position}: retract that and record this one"
    )]
    OtherFact {
        /// The fact.
        position: Position,
    },
    /// The number is taken.
    #[error("{number} is recorded already at position {at}")]
    NumberExists {
        /// The number given.
        number: String,
        /// Where.
        at: u64,
        /// The field that holds it.
        field: &'static str,
    },
    /// The grant's amount cannot become this one.
    #[error(
        "the amount of this grant cannot become {fen} fen: an allowance is a whole daily rate, a loan's principal is the bank's"
    )]
    AdjustmentAmount {
        /// The amount given, in fen.
        fen: i64,
    },
    /// Nobody has a mandate, so nobody can give one.
    #[error(
        "nobody has a mandate in this ledger: name its first administrators on its own machine \
         (luzhang principal found)"
    )]
    Ungoverned,
    /// Fewer than two administrators would be left.
    #[error("a ledger has at least two administrators: make another one first")]
    TooFewAdministrators,
    /// No proposal waits there.
    #[error(
        "no proposal waits at position {position}: it was confirmed, a later one took its \
         place, or its proposer is no administrator any more"
    )]
    UnknownProposal {
        /// The position given.
        position: Position,
    },
    /// Whoever proposed it cannot confirm it.
    #[error("the proposal at {position} is your own: another administrator confirms it")]
    OneAdministrator {
        /// The proposal.
        position: Position,
    },
    /// A mandate for a programme that no pack has.
    #[error("no adopted policy pack has the programme {programme}; there are: {known}")]
    UnknownScope {
        /// The programme given.
        programme: String,
        /// Those that there are.
        known: String,
    },
    /// The subject is not on the ledger.
    #[error("the ledger does not know this subject")]
    UnknownSubject,
    /// The subject's details were erased.
    #[error("the details of this subject were erased already")]
    Erased,
    /// Money of the subject is on its way.
    #[error(
        "money of this subject is still on its way, such as of grant {grant}: it cannot be paid \
         or claimed back without the details. Finish or reverse the grant first"
    )]
    Unfinished {
        /// One such grant.
        grant: Position,
    },
    /// The pack is not usable.
    #[error(transparent)]
    Pack(#[from] PackError),
}

impl Rejection {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPolicy => "NO_POLICY",
            Self::UnknownFund { .. } => "UNKNOWN_FUND",
            Self::UnknownProgramme { .. } | Self::UnknownScope { .. } => "UNKNOWN_PROGRAMME",
            Self::NoProgramme { .. } => "NO_PROGRAMME",
            Self::UnknownCourse { .. } => "UNKNOWN_COURSE",
            Self::UnknownLoan { .. } => "UNKNOWN_LOAN",
            Self::UnknownBenefit { .. } => "UNKNOWN_BENEFIT",
            Self::CourseExists { .. } => "COURSE_EXISTS",
            Self::LoanExists { .. } => "LOAN_EXISTS",
            Self::LoanSettled { .. } => "LOAN_SETTLED",
            Self::PlaqueExists { .. } => "PLAQUE_EXISTS",
            Self::AppropriationExists { .. } => "APPROPRIATION_EXISTS",
            Self::UnknownGrant { .. } => "UNKNOWN_GRANT",
            Self::UnknownNotice { .. } => "UNKNOWN_NOTICE",
            Self::UnknownObjection { .. } => "UNKNOWN_OBJECTION",
            Self::UnknownBatch { .. } => "UNKNOWN_BATCH",
            Self::UnknownPayment { .. } => "UNKNOWN_PAYMENT",
            Self::UnknownRecovery { .. } => "UNKNOWN_RECOVERY",
            Self::UnknownConflict { .. } => "UNKNOWN_CONFLICT",
            Self::UnknownPlaque { .. } => "UNKNOWN_PLAQUE",
            Self::UnknownAppropriation { .. } => "UNKNOWN_APPROPRIATION",
            Self::UnknownFact { .. } => "UNKNOWN_FACT",
            Self::OtherFact { .. } => "OTHER_FACT",
            Self::NumberExists { .. } => "NUMBER_EXISTS",
            Self::AdjustmentAmount { .. } => "ADJUSTMENT_AMOUNT",
            Self::Ungoverned => "PRINCIPALS_NONE",
            Self::TooFewAdministrators => "ADMINISTRATORS_TOO_FEW",
            Self::UnknownProposal { .. } => "UNKNOWN_PROPOSAL",
            Self::OneAdministrator { .. } => "SECOND_ADMINISTRATOR",
            Self::UnknownSubject => "SUBJECT_NOT_FOUND",
            Self::Erased => "SUBJECT_ERASED",
            Self::Unfinished { .. } => "SUBJECT_UNFINISHED",
            Self::Pack(PackError::BaseMissing { .. }) => "POLICY_BASE_MISSING",
            Self::Pack(_) => "POLICY_INVALID",
        }
    }

    /// The field at fault, as on the wire; empty if none.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NoPolicy | Self::NoProgramme { .. } | Self::Ungoverned => "",
            Self::TooFewAdministrators => "roles",
            Self::UnknownProposal { .. } | Self::OneAdministrator { .. } => "proposal",
            Self::UnknownScope { .. } => "programmes",
            Self::UnknownSubject | Self::Erased | Self::Unfinished { .. } => "subject",
            Self::UnknownFund { .. } => "fund",
            Self::UnknownProgramme { .. } => "programme",
            Self::UnknownCourse { .. } | Self::CourseExists { .. } => "course_no",
            Self::UnknownLoan { .. } | Self::LoanExists { .. } | Self::LoanSettled { .. } => {
                "loan_no"
            }
            Self::UnknownBenefit { .. } | Self::UnknownFact { .. } => "asserted",
            Self::PlaqueExists { .. } | Self::UnknownPlaque { .. } => "brand_no",
            Self::AppropriationExists { .. } => "document",
            Self::UnknownGrant { .. } => "grant",
            Self::UnknownNotice { .. } => "notice_no",
            Self::UnknownObjection { .. } => "objection_no",
            Self::UnknownBatch { .. } => "batch_no",
            Self::UnknownPayment { .. } => "payment",
            Self::UnknownRecovery { .. } => "recovery_no",
            Self::UnknownConflict { .. } => "conflict",
            Self::UnknownAppropriation { .. } => "of",
            Self::OtherFact { .. } => "now",
            Self::NumberExists { field, .. } => field,
            Self::AdjustmentAmount { .. } => "amount_fen",
            Self::Pack(_) => "content",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NoPolicy => "尚未启用任何政策包：请先运行 luzhang policy adopt".to_owned(),
            Self::UnknownFund { pack, known } => {
                format!("资金来源不在政策包 {pack} 之内，可用：{known}")
            }
            Self::UnknownProgramme { pack, known } => {
                format!("项目不在政策包 {pack} 之内，可用：{known}")
            }
            Self::NoProgramme { pack } => format!("政策包 {pack} 没有这类申领的项目"),
            Self::UnknownCourse { course_no } => {
                format!("班级编号 {course_no} 未登记：请先导入培训班表")
            }
            Self::UnknownLoan { loan_no } => {
                format!("贷款编号 {loan_no} 不在账上：未发放或未获受理")
            }
            Self::UnknownBenefit { position } => {
                format!("位置 {position} 不是此人有效的失业保险金领取期间")
            }
            Self::CourseExists { course_no, at } => {
                format!("班级编号 {course_no} 已在位置 {at} 登记")
            }
            Self::LoanExists { loan_no, at } => format!("贷款编号 {loan_no} 已在位置 {at} 发放"),
            Self::LoanSettled { loan_no, at } => format!("贷款编号 {loan_no} 已在位置 {at} 结清"),
            Self::PlaqueExists { brand_no, at } => {
                format!("品牌编号 {brand_no} 已在位置 {at} 授牌")
            }
            Self::AppropriationExists { document } => format!("文号 {document} 的指标已登记"),
            Self::UnknownGrant { grant } => {
                format!("位置 {grant} 不是可拨付的补助：请核对位置或申领编号")
            }
            Self::UnknownNotice { number } => format!("公示编号 {number} 不在账上"),
            Self::UnknownObjection { number } => format!("异议编号 {number} 不在账上"),
            Self::UnknownBatch { number } => format!("批次号 {number} 不在账上"),
            Self::UnknownPayment { grant, attempt } => {
                format!("位置 {grant} 的补助没有第 {attempt} 次支付")
            }
            Self::UnknownRecovery { number } => format!("追回编号 {number} 不在账上"),
            Self::UnknownConflict { position } => {
                format!("位置 {position} 不是该补助未解除的冲突")
            }
            Self::UnknownPlaque { brand_no } => {
                format!("品牌编号 {brand_no} 没有牌匾：请先导入授牌表")
            }
            Self::UnknownAppropriation { document } => {
                format!("文号 {document} 没有下达过指标")
            }
            Self::UnknownFact { position } => {
                format!("位置 {position} 不是有效的事实：从未登记，或者已经撤回、更正")
            }
            Self::OtherFact { position } => {
                format!("更正应与位置 {position} 的事实同类、同一对象：请撤回原事实后另行登记")
            }
            Self::NumberExists { number, at, .. } => {
                format!("{number} 已在位置 {at} 登记，请换一个编号")
            }
            Self::AdjustmentAmount { fen } => {
                format!("金额不能调整为 {fen} 分：培训补贴应为每日标准的整数倍，贷款本金由银行确定")
            }
            Self::Ungoverned => {
                "本账本尚无授权，请在账本所在的机器上指定首批系统管理员（luzhang principal found）"
                    .to_owned()
            }
            Self::TooFewAdministrators => "账本至少应有两名系统管理员，请先增加一名".to_owned(),
            Self::UnknownProposal { position } => format!(
                "位置 {position} 没有待确认的授权：已确认、已被后来的取代，或提出人已不是系统管理员"
            ),
            Self::OneAdministrator { position } => {
                format!("位置 {position} 的授权由您提出，须由另一名系统管理员确认")
            }
            Self::UnknownScope { programme, known } => {
                format!("已启用的政策包没有项目 {programme}，可用：{known}")
            }
            Self::UnknownSubject => "账本中没有该对象".to_owned(),
            Self::Erased => "该对象的信息已经删除".to_owned(),
            Self::Unfinished { grant } => format!(
                "该对象还有在途资金（如位置 {grant} 的补助），没有信息就无法拨付或追回，请先办结或冲正"
            ),
            Self::Pack(PackError::BaseMissing { base }) => {
                format!("政策包依托的 {base} 尚未启用：请先启用")
            }
            Self::Pack(error) => format!("政策包不可用：{error}"),
        }
    }
}
