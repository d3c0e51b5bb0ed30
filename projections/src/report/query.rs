//! What may be asked of reports, and why one cannot be made.

use core::fmt;

use luzhang_ledger::{Date, Office, Position, SubjectId};
use thiserror::Error;

use super::{Column, columns};
use crate::{codes::Text, projection};

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// 公示名单
    Publicity,
    /// 台账: every event that moves a grant's money.
    Register,
    /// 预算执行率表
    Execution,
    /// 按月份、机构、项目汇总
    Pivot,
    /// 有效牌匾
    Plaques,
    /// 担保贷款与贴息
    Loans,
    /// 不予受理原因
    Refusals,
    /// 冲突与追回
    Conflicts,
    /// 拨付与退票
    Payments,
    /// 个人（单位）对账单
    Statement,
}

impl Name {
    /// All.
    pub const ALL: [Self; 10] = [
        Self::Publicity,
        Self::Register,
        Self::Execution,
        Self::Pivot,
        Self::Plaques,
        Self::Loans,
        Self::Refusals,
        Self::Conflicts,
        Self::Payments,
        Self::Statement,
    ];

    /// What it is called on the command line and on covers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publicity => "publicity",
            Self::Register => "register",
            Self::Execution => "execution",
            Self::Pivot => "pivot",
            Self::Plaques => "plaques",
            Self::Loans => "loans",
            Self::Refusals => "refusals",
            Self::Conflicts => "conflicts",
            Self::Payments => "payments",
            Self::Statement => "statement",
        }
    }

    /// The report with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// Its title.
    pub fn title(self) -> Text {
        let (zh, en) = match self {
            Self::Publicity => ("补助公示名单", "Publicity list"),
            Self::Register => ("补助资金台账", "Register of grants and payments"),
            Self::Execution => ("预算执行率表", "Budget execution"),
            Self::Pivot => (
                "补助资金分月汇总表",
                "Grants by month, office and programme",
            ),
            Self::Plaques => ("有效牌匾一览表", "Plaques in force"),
            Self::Loans => (
                "创业担保贷款及贴息表",
                "Startup loans and their interest subsidies",
            ),
            Self::Refusals => ("不予受理原因统计表", "Refusals by reason"),
            Self::Conflicts => ("冲突与追回情况表", "Conflicts and recoveries"),
            Self::Payments => ("拨付与退票明细表", "Payments and bounces"),
            Self::Statement => ("对象补助对账单", "A subject's statement"),
        };
        Text { zh, en }
    }

    /// The version of its columns and rules: raised whenever the same log gives
    /// other rows.
    pub fn version(self) -> u32 {
        1
    }

    /// The projections that it rests on, whose digests its cover names.
    pub fn rests_on(self) -> &'static [projection::Name] {
        use projection::Name as P;
        match self {
            Self::Publicity => &[P::Cases, P::Notices],
            Self::Register | Self::Statement => &[P::Cases],
            Self::Execution => &[P::Budget],
            Self::Pivot => &[P::Months],
            Self::Plaques => &[P::Plaques],
            Self::Loans => &[P::Loans],
            Self::Refusals => &[P::Refusals],
            Self::Conflicts => &[P::Conflicts, P::Recoveries],
            Self::Payments => &[P::Batches],
        }
    }

    /// All columns that it may have.
    pub fn columns(self) -> &'static [Column] {
        columns::of(self)
    }

    /// Whether it may have as many rows as the log has events. Such a report hands
    /// its rows out one by one, and its forms hold none.
    pub fn is_long(self) -> bool {
        matches!(
            self,
            Self::Publicity | Self::Register | Self::Payments | Self::Statement
        )
    }

    /// Whether its rows have a programme, a year and a fund to be chosen by.
    pub fn has_lines(self) -> bool {
        !matches!(self, Self::Plaques | Self::Loans)
    }

    /// What `from` and `to` are about.
    pub fn period(self) -> Text {
        let (zh, en) = match self {
            Self::Publicity => ("公示起始日", "first day of the notice"),
            Self::Plaques => ("授牌日期", "day of the award"),
            Self::Loans => ("发放日期", "day of issue"),
            Self::Register
            | Self::Execution
            | Self::Pivot
            | Self::Refusals
            | Self::Conflicts
            | Self::Payments
            | Self::Statement => ("入账日期", "day of the record"),
        };
        Text { zh, en }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A moment of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After this event.
    Position(Position),
    /// After the last event that was recorded on this day in China.
    Day(Date),
}

/// What is asked of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which.
    pub report: Name,
    /// As known then; else as known now.
    pub as_of: Option<AsOf>,
    /// This acting office only.
    pub office: Option<Office>,
    /// This programme only, by its id or its Chinese name.
    pub programme: Option<String>,
    /// This fund only, by its id or its Chinese name.
    pub fund: Option<String>,
    /// From this day on; see [`Name::period`].
    pub from: Option<Date>,
    /// Up to and with this day.
    pub to: Option<Date>,
    /// Plaques in force on this day; else on that of the last event.
    pub on: Option<Date>,
    /// Whose statement.
    pub subject: Option<SubjectId>,
    /// Which notice; else all that are not closed.
    pub notice: Option<String>,
    /// Closed notices too, plaques that are not in force too.
    pub all: bool,
    /// A masked identity number in a publicity list.
    pub identity: bool,
    /// A masked account number in a publicity list.
    pub account: bool,
}

impl Query {
    /// Everything of one report, as known now.
    pub fn of(report: Name) -> Self {
        Self {
            report,
            as_of: None,
            office: None,
            programme: None,
            fund: None,
            from: None,
            to: None,
            on: None,
            subject: None,
            notice: None,
            all: false,
            identity: false,
            account: false,
        }
    }

    pub(super) fn has_day(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    pub(super) fn has_office(&self, office: Option<Office>) -> bool {
        self.office.is_none() || self.office == office
    }
}

/// Why a report cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The log ends before the position that was asked for.
    #[error("the ledger has no event at {0}")]
    Beyond(Position),
    /// No pack of the log knows it.
    #[error("no policy pack knows the programme {asked}; there are: {known}")]
    Programme {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// No pack of the log knows it.
    #[error("no policy pack knows the fund {asked}; there are: {known}")]
    Fund {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// The log has no such notice.
    #[error("there is no notice {0}")]
    Notice(String),
    /// Nothing in the log is about the subject.
    #[error("the ledger did not know this subject then")]
    Subject,
}

impl Problem {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Beyond(_) => "EVENT_NOT_FOUND",
            Self::Programme { .. } => "PROGRAMME_UNKNOWN",
            Self::Fund { .. } => "FUND_UNKNOWN",
            Self::Notice(_) => "UNKNOWN_NOTICE",
            Self::Subject => "SUBJECT_NOT_FOUND",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Beyond(position) => format!("账本没有位置 {position}"),
            Self::Programme { asked, known } => {
                format!("没有政策包规定项目“{asked}”，可用：{known}")
            }
            Self::Fund { asked, known } => {
                format!("没有政策包规定资金来源“{asked}”，可用：{known}")
            }
            Self::Notice(number) => format!("没有公示“{number}”"),
            Self::Subject => "账本当时没有该对象".to_owned(),
        }
    }
}
