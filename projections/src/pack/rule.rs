//! The closed set of rules that a limit can be an instance of.

use luzhang_ledger::{
    Office,
    claim::{BorrowerKind, Form, RecognitionLevel, SkillBaseKind},
    fact::BrandLevel,
};

use super::param::ParamIx;

/// What a limit does. Each kind is one file in [`crate::limits`].
#[derive(Clone, Debug)]
pub enum Rule {
    /// Every claimed day lies in the pack's window.
    Window,
    /// Every parameter that the programme uses has exactly one value on each day.
    ParamsDefined,
    /// What is committed stays within what is appropriated.
    Budget,
    /// The rate of a unit is at most `max` on each day.
    CapPerUnit {
        /// The most for one unit.
        max: ParamIx,
    },
    /// No day is granted twice to one subject.
    UniqueDate,
    /// At most `max` per key and period.
    CountPerPeriod {
        /// What is counted.
        unit: CountUnit,
        /// What besides the subject makes the key.
        per: Vec<Attribute>,
        /// In which period.
        period: Period,
        /// The most.
        max: ParamIx,
    },
    /// No claimed day inside a period that a fact asserts.
    NoFactOverlap {
        /// Which fact.
        fact: FactKind,
    },
    /// A fact holds on each claimed day.
    RequiresFact {
        /// Which fact.
        fact: FactKind,
        /// How many years it holds from its day on, where it says no end.
        valid_years: Option<ParamIx>,
    },
    /// The amount equals a table's cell.
    FixedAmount {
        /// The table.
        amount: Table,
    },
    /// The fund is one of these.
    AllowedFund {
        /// Ids of the funds.
        funds: Vec<String>,
    },
    /// The amount is at most a table's cell.
    Cap {
        /// The table.
        max: Table,
    },
    /// Every earlier one of the subject is settled, in time.
    PriorSettled,
    /// At most a share of the interest actually paid.
    ShareOfInterest {
        /// Share of the interest on the principal within the tranche, ppm.
        share: ParamIx,
        /// Share of the interest on the rest, ppm.
        excess_share: ParamIx,
        /// The tranche.
        tranche: Table,
    },
    /// Periods granted for one thing do not overlap.
    NoPeriodOverlap,
    /// The contract lasts at least so long, and the worker is insured.
    MinimumTerm {
        /// So many years.
        years: ParamIx,
    },
    /// The amount is a table's cell or, without a table, what an authority
    /// document in force allows.
    AuthorisedAmount {
        /// The table, in a pack that has figures.
        amount: Option<Table>,
    },
    /// The province of work is not this one.
    OtherProvince {
        /// The home province.
        home: Office,
    },
    /// At most a share of what was spent more than in the year before.
    ShareOfIncrement {
        /// The share, ppm.
        share: ParamIx,
    },
    /// Payment waits until the case's notice is closed and nobody objects.
    NoticeClosed {
        /// Working days of a notice.
        days: ParamIx,
    },
    /// Who submits, reviews, approves and pays one case are different people.
    DutiesApart,
    /// Payments of a grant are at most what stands of it.
    PaymentWithinGrant,
}

/// What [`Rule::CountPerPeriod`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountUnit {
    /// Each grant.
    Grant,
    /// Each course, however many grants it has.
    Course,
}

/// In which period something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From the first event on.
    Ever,
    /// In the calendar year of the claim's counting date.
    CalendarYear,
}

/// Facts that limits rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// 脱贫人口
    PovertyStatus,
    /// 失业保险金
    UnemploymentBenefit,
    /// 考勤
    Attendance,
    /// 授牌
    Plaque,
    /// An issued loan.
    Loan,
    /// 证书
    Certificate,
}

/// A property of a claim that can make a key or choose a table's cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Skill base or studio.
    Kind,
    /// National or provincial.
    Level,
    /// City, provincial or county brand.
    BrandLevel,
    /// Person or firm.
    BorrowerKind,
    /// The employer.
    Employer,
    /// The certificate.
    Certificate,
}

impl Attribute {
    /// The names of its values in a pack, by number; none if it is not
    /// enumerable.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Self::Kind => &["training_base", "master_studio"],
            Self::Level => &["national", "provincial"],
            Self::BrandLevel => &["city", "provincial", "county"],
            Self::BorrowerKind => &["personal", "firm"],
            Self::Employer | Self::Certificate => &[],
        }
    }

    fn number_of(self, key: &str) -> u32 {
        let place = self.values().iter().position(|value| *value == key);
        place
            .and_then(|p| u32::try_from(p).ok())
            .unwrap_or(u32::MAX)
    }

    /// Whether claims of this form have it.
    pub fn belongs_to(self, form: Form) -> bool {
        match self {
            Self::Kind | Self::Level => form == Form::SkillBase,
            Self::BrandLevel => form == Form::BrandAward,
            Self::BorrowerKind => matches!(form, Form::Loan | Form::InterestSubsidy),
            Self::Employer => form == Form::ServiceSubsidy,
            Self::Certificate => form == Form::TrainingSubsidy,
        }
    }

    /// The number of a kind.
    pub fn kind(kind: SkillBaseKind) -> u32 {
        Self::Kind.number_of(kind.key())
    }

    /// The number of a level.
    pub fn level(level: RecognitionLevel) -> u32 {
        Self::Level.number_of(level.key())
    }

    /// The number of a brand level.
    pub fn brand_level(level: BrandLevel) -> u32 {
        Self::BrandLevel.number_of(level.key())
    }

    /// The number of a borrower kind.
    pub fn borrower_kind(kind: BorrowerKind) -> u32 {
        Self::BorrowerKind.number_of(kind.key())
    }
}

/// Parameters by the attributes of a claim: `m05.amount` by kind and level is
/// the parameters `m05.amount.training_base.national` and so on.
#[derive(Clone, Debug)]
pub struct Table {
    /// What chooses the cell.
    pub by: Vec<Attribute>,
    /// The cells, by the numbers of the attributes' values.
    pub(super) cells: Vec<(Vec<u32>, ParamIx)>,
}

impl Table {
    fn applies_to(&self, form: Form) -> bool {
        self.by.iter().all(|attribute| attribute.belongs_to(form))
    }

    /// The cell for these attribute numbers.
    pub fn cell(&self, numbers: &[u32]) -> Option<ParamIx> {
        let cell = self.cells.iter().find(|(key, _)| key == numbers);
        cell.map(|(_, param)| *param)
    }
}

impl Rule {
    /// The parameters it uses.
    pub fn params(&self) -> Vec<ParamIx> {
        let cells = |table: &Table| table.cells.iter().map(|(_, p)| *p).collect::<Vec<_>>();
        match self {
            Self::CapPerUnit { max } | Self::CountPerPeriod { max, .. } => vec![*max],
            Self::ShareOfIncrement { share } => vec![*share],
            Self::NoticeClosed { days } => vec![*days],
            Self::AuthorisedAmount { amount } => amount.as_ref().map(cells).unwrap_or_default(),
            Self::MinimumTerm { years } => vec![*years],
            Self::RequiresFact { valid_years, .. } => valid_years.iter().copied().collect(),
            Self::FixedAmount { amount } => cells(amount),
            Self::Cap { max } => cells(max),
            Self::ShareOfInterest {
                share,
                excess_share,
                tranche,
            } => {
                let mut params = cells(tranche);
                params.extend([*share, *excess_share]);
                params
            }
            Self::Window
            | Self::ParamsDefined
            | Self::Budget
            | Self::UniqueDate
            | Self::NoFactOverlap { .. }
            | Self::AllowedFund { .. }
            | Self::PriorSettled
            | Self::NoPeriodOverlap
            | Self::OtherProvince { .. }
            | Self::DutiesApart
            | Self::PaymentWithinGrant => Vec::new(),
        }
    }

    /// Whether it gates what follows a grant, and not the grant.
    pub fn is_of_step(&self) -> bool {
        matches!(
            self,
            Self::NoticeClosed { .. } | Self::DutiesApart | Self::PaymentWithinGrant
        )
    }

    /// Whether claims of this form have what the rule looks at. A claim that has
    /// not could never fail it, so that such a limit would limit nothing.
    pub fn applies_to(&self, form: Form) -> bool {
        let training = form == Form::TrainingAllowance;
        let person = matches!(
            form,
            Form::TrainingAllowance
                | Form::ServiceSubsidy
                | Form::Loan
                | Form::TrainingSubsidy
                | Form::TransportAid
        );
        match self {
            Self::Window | Self::ParamsDefined => true,
            Self::NoticeClosed { .. } | Self::DutiesApart | Self::PaymentWithinGrant => {
                form != Form::Loan
            }
            Self::AuthorisedAmount { amount } => {
                matches!(
                    form,
                    Form::TrainingSubsidy | Form::TransportAid | Form::Subsidy
                ) && amount.as_ref().is_none_or(|table| table.applies_to(form))
            }
            Self::OtherProvince { .. } => form == Form::TransportAid,
            Self::ShareOfIncrement { .. } => form == Form::Subsidy,
            Self::Budget | Self::AllowedFund { .. } => form != Form::Loan,
            Self::CapPerUnit { .. } | Self::UniqueDate => training,
            Self::CountPerPeriod { unit, per, .. } => {
                (training || *unit == CountUnit::Grant)
                    && per.iter().all(|attribute| attribute.belongs_to(form))
            }
            Self::NoFactOverlap { fact } => match fact {
                FactKind::PovertyStatus | FactKind::UnemploymentBenefit => person,
                FactKind::Attendance
                | FactKind::Plaque
                | FactKind::Loan
                | FactKind::Certificate => false,
            },
            Self::RequiresFact { fact, .. } => match fact {
                FactKind::PovertyStatus | FactKind::UnemploymentBenefit => person,
                FactKind::Attendance => training,
                FactKind::Plaque => form == Form::BrandAward,
                FactKind::Loan => form == Form::InterestSubsidy,
                FactKind::Certificate => form == Form::TrainingSubsidy,
            },
            Self::FixedAmount { amount: table } | Self::Cap { max: table } => {
                table.applies_to(form)
            }
            Self::PriorSettled => form == Form::Loan,
            Self::ShareOfInterest { tranche, .. } => {
                form == Form::InterestSubsidy && tranche.applies_to(form)
            }
            Self::NoPeriodOverlap => form == Form::InterestSubsidy,
            Self::MinimumTerm { .. } => form == Form::ServiceSubsidy,
        }
    }

    /// The placeholders that a limit's texts may use: the names of the values
    /// that the rule compares.
    pub fn placeholders(&self) -> &'static [&'static str] {
        match self {
            Self::Window => &["dates", "from", "until"],
            Self::ParamsDefined => &["params"],
            Self::Budget => &[
                "amount",
                "committed",
                "appropriated",
                "left",
                "year",
                "fund",
            ],
            Self::CapPerUnit { .. } => &["rate", "max"],
            Self::CountPerPeriod { .. } => &["count", "max", "period"],
            Self::UniqueDate | Self::NoFactOverlap { .. } => &["dates"],
            Self::RequiresFact { .. } => &["dates", "number"],
            Self::FixedAmount { .. } => &["amount", "expected"],
            Self::AllowedFund { .. } => &["fund", "allowed"],
            Self::PriorSettled => &["open", "overdue"],
            Self::Cap { .. } | Self::ShareOfInterest { .. } => &["amount", "max"],
            Self::NoPeriodOverlap => &["from", "until"],
            Self::MinimumTerm { .. } => &["first", "last", "earliest_last", "insured"],
            Self::AuthorisedAmount { .. } => &["amount", "expected", "document"],
            Self::OtherProvince { .. } => &["province", "home"],
            Self::ShareOfIncrement { .. } => &["amount", "max", "previous", "current"],
            Self::NoticeClosed { .. } => &["grant", "notice", "last_day", "objections", "days"],
            Self::DutiesApart => &["grant", "duty", "principal", "other"],
            Self::PaymentWithinGrant => &["grant", "amount", "left"],
        }
    }
}
