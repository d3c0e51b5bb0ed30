//! The closed list of import templates.

pub(crate) mod layout;
pub(crate) mod row;

mod claim;
mod fact;
mod step;

use luzhang_proto::wire::command::Body;

use row::Fields;

/// The columns that an annotated copy has more; they are not read.
pub(crate) const RESULT_COLUMNS: [&str; 3] = ["结果", "原因", "位置"];

/// The columns that make a row of a fact's template a correction of that fact:
/// where it was asserted, or last corrected, and why it is corrected.
pub(crate) const CORRECTION_COLUMNS: [&str; 2] = ["更正位置", "更正原因"];

/// What a template is.
struct Spec {
    /// The stable name, part of a row's request id.
    id: &'static str,
    /// The name in Chinese.
    title: &'static str,
    /// The header, in its usual order.
    columns: &'static [&'static str],
    /// The columns whose cells name a row within its template.
    key: &'static [&'static str],
    identity: Identity,
    /// Reads the cells in the order of `columns`.
    body: fn(&mut Fields<'_>) -> Body,
}

/// What makes a row the same row again.
enum Identity {
    /// Its key.
    Key,
    /// All of it: one person may stand on a list several times.
    Row,
}

macro_rules! templates {
    ($($name:ident = $spec:path,)*) => {
        /// One of the tables a bureau keeps. One row is a fact, a claim or a step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Template {
            $($name,)*
        }

        impl Template {
            /// All of them, in the order in which a bureau would import them.
            pub(crate) const ALL: [Self; [$(stringify!($name)),*].len()] = [$(Self::$name),*];

            fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$name => &$spec,)*
                }
            }
        }
    };
}

templates! {
    PovertyStatus = fact::POVERTY_STATUS,
    UnemploymentBenefit = fact::UNEMPLOYMENT_BENEFIT,
    Course = fact::COURSE,
    Attendance = fact::ATTENDANCE,
    Certificate = fact::CERTIFICATE,
    Authority = fact::AUTHORITY,
    Appropriation = fact::APPROPRIATION,
    AppropriationChange = step::APPROPRIATION_CHANGE,
    Account = fact::ACCOUNT,
    TrainingAllowance = claim::TRAINING_ALLOWANCE,
    TrainingSubsidy = claim::TRAINING_SUBSIDY,
    SkillBase = claim::SKILL_BASE,
    ServiceSubsidy = claim::SERVICE_SUBSIDY,
    ContractEnd = fact::CONTRACT_END,
    TransportAid = claim::TRANSPORT_AID,
    Plaque = fact::PLAQUE,
    PlaqueChange = step::PLAQUE_CHANGE,
    BrandAward = claim::BRAND_AWARD,
    Loan = claim::LOAN,
    LoanSettlement = fact::LOAN_SETTLEMENT,
    InterestSubsidy = claim::INTEREST_SUBSIDY,
    Subsidy = claim::SUBSIDY,
    Review = step::REVIEW,
    Approval = step::APPROVAL,
    Override = step::OVERRIDE,
    Notice = step::NOTICE,
    Objection = step::OBJECTION,
    ObjectionResolution = step::OBJECTION_RESOLUTION,
    NoticeClosing = step::NOTICE_CLOSING,
    Reversal = step::REVERSAL,
    Adjustment = step::ADJUSTMENT,
    Refund = step::REFUND,
    RecoveryOpening = step::RECOVERY_OPENING,
    RecoveryReceipt = step::RECOVERY_RECEIPT,
    RecoveryClosing = step::RECOVERY_CLOSING,
    Restoration = step::RESTORATION,
    Retraction = step::RETRACTION,
}

impl Template {
    /// The stable name, part of a row's request id.
    pub(crate) fn id(self) -> &'static str {
        self.spec().id
    }

    /// The name in Chinese.
    pub(crate) fn title(self) -> &'static str {
        self.spec().title
    }

    /// The header, in its usual order.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        self.spec().columns
    }

    /// The columns whose cells name a row within its template.
    fn key_columns(self) -> &'static [&'static str] {
        self.spec().key
    }

    /// The columns that make a row the same row again.
    fn identity_columns(self) -> &'static [&'static str] {
        match self.spec().identity {
            Identity::Key => self.spec().key,
            Identity::Row => self.spec().columns,
        }
    }

    fn body(self, fields: &mut Fields<'_>) -> Body {
        (self.spec().body)(fields)
    }

    /// Whether its rows are facts that can be corrected.
    fn is_correctable(self) -> bool {
        matches!(
            self,
            Self::PovertyStatus
                | Self::UnemploymentBenefit
                | Self::Course
                | Self::Attendance
                | Self::Plaque
                | Self::LoanSettlement
                | Self::Certificate
                | Self::Authority
                | Self::ContractEnd
        )
    }
}

#[cfg(test)]
mod tests;
