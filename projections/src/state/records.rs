//! What the state keeps of each event: flat records, by the numbers of their streams.

use luzhang_ledger::{
    Date, DateSet, Fen, Office, SubjectId,
    claim::BorrowerKind,
    fact::{AuthorityAmount, BrandLevel, Repayment},
    step::PlaqueEvent,
};

use super::streams::Ix;
use crate::{
    pack::Attribute,
    snapshot::{Record, record},
};

/// A half-open run of days that a fact asserts, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Date,
    pub(crate) until: Date,
    pub(crate) position: u64,
    /// A retracted span no longer counts.
    pub(crate) standing: bool,
}

record!(Span {
    from,
    until,
    position,
    standing
});

impl Span {
    pub(crate) fn contains(&self, day: Date) -> bool {
        self.standing && self.from <= day && day < self.until
    }
}

/// Days attended in one course.
#[derive(Clone, Debug)]
pub(crate) struct Attended {
    pub(crate) course: Ix,
    pub(crate) position: u64,
    pub(crate) days: Box<[Date]>,
}

record!(Attended {
    course,
    position,
    days
});

/// A registered course.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) first_day: Date,
    pub(crate) last_day: Date,
    pub(crate) position: u64,
}

record!(Course {
    first_day,
    last_day,
    position
});

/// A plaque, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Plaque {
    pub(crate) level: BrandLevel,
    pub(crate) applicant: SubjectId,
    pub(crate) awarded_on: Date,
    pub(crate) position: u64,
    /// In the order of their events, which is that of their days too.
    pub(crate) changes: Vec<PlaqueChanged>,
}

record!(Plaque {
    level,
    applicant,
    awarded_on,
    position,
    changes
});

/// A change of a plaque.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaqueChanged {
    pub(crate) change: PlaqueEvent,
    pub(crate) on: Date,
    pub(crate) position: u64,
}

record!(PlaqueChanged {
    change,
    on,
    position
});

/// A certificate in somebody's hands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certificate {
    pub(crate) person: SubjectId,
    pub(crate) issued_on: Date,
    pub(crate) position: u64,
}

record!(Certificate {
    person,
    issued_on,
    position
});

/// An authority document for one programme.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    pub(crate) document: Ix,
    pub(crate) programme: u16,
    pub(crate) office: Office,
    pub(crate) amount: Fen,
    pub(crate) stated: AuthorityAmount,
    pub(crate) span: Span,
}

record!(Authority {
    document,
    programme,
    office,
    amount,
    stated,
    span
});

/// A contract that ended early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContractEnded {
    pub(crate) employer: Ix,
    pub(crate) first_day: Date,
    pub(crate) ended_on: Date,
    pub(crate) position: u64,
    pub(crate) standing: bool,
}

record!(ContractEnded {
    employer,
    first_day,
    ended_on,
    position,
    standing
});

/// A conflict that no later fact cleared.
#[derive(Clone, Debug)]
pub(crate) struct OpenConflict {
    pub(crate) position: u64,
    pub(crate) limit: Box<str>,
    pub(crate) code: Box<str>,
    pub(crate) dates: DateSet,
}

record!(OpenConflict {
    position,
    limit,
    code,
    dates
});

/// An issued loan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loan {
    pub(crate) borrower: SubjectId,
    pub(crate) kind: BorrowerKind,
    pub(crate) principal: Fen,
    pub(crate) issued_on: Date,
    pub(crate) position: u64,
    pub(crate) settled: Option<(Repayment, u64)>,
}

record!(Loan {
    borrower,
    kind,
    principal,
    issued_on,
    position,
    settled
});

/// A grant that stands, as limits see it.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) position: u64,
    /// The date that counts per period: of a training allowance the course's
    /// first day, of others the basis date.
    pub(crate) counted_on: Date,
    /// Granted days, or the granted period.
    pub(crate) extent: Extent,
    /// Course of a training allowance, employer of a service subsidy, certificate
    /// of a training subsidy, document of another subsidy, else 0.
    pub(crate) party: Ix,
    /// Numbers of the claim's kind and level, where it has them.
    pub(crate) kind: u8,
    pub(crate) level: u8,
    /// Whether it counts: it was not reversed as a whole.
    pub(crate) standing: bool,
    /// Of a subsidy the programme, by its number among the names, else 0: the
    /// other forms have one programme each.
    pub(crate) programme: u16,
    /// The policy that allowed it, by its place in [`State::policies`].
    pub(crate) policy: u16,
}

record!(Grant {
    position,
    counted_on,
    extent,
    party,
    kind,
    level,
    standing,
    programme,
    policy
});

/// The days that a grant covers.
#[derive(Clone, Debug)]
pub(crate) enum Extent {
    /// None in particular.
    None,
    /// These.
    Days(Box<[Date]>),
    /// A half-open period.
    Period(Date, Date),
}

impl Record for Extent {
    fn shape(shape: &mut String) {
        shape.push_str("Extent{0:,1:");
        Box::<[Date]>::shape(shape);
        shape.push_str(",2:");
        <(Date, Date)>::shape(shape);
        shape.push('}');
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::None => bytes.push(0),
            Self::Days(days) => {
                bytes.push(1);
                days.put(bytes);
            }
            Self::Period(from, until) => {
                bytes.push(2);
                from.put(bytes);
                until.put(bytes);
            }
        }
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        match u8::take(bytes)? {
            0 => Some(Self::None),
            1 => Some(Self::Days(Record::take(bytes)?)),
            2 => Some(Self::Period(Record::take(bytes)?, Record::take(bytes)?)),
            _ => None,
        }
    }
}

impl Grant {
    pub(crate) fn attribute(&self, attribute: Attribute) -> u32 {
        match attribute {
            Attribute::Kind | Attribute::BorrowerKind => self.kind.into(),
            Attribute::Level | Attribute::BrandLevel => self.level.into(),
            Attribute::Employer | Attribute::Certificate => self.party,
        }
    }

    pub(crate) fn days(&self) -> &[Date] {
        match &self.extent {
            Extent::Days(days) => days,
            Extent::None | Extent::Period(..) => &[],
        }
    }
}

/// Something of the memory that days are in.
pub(super) fn first_of(days: &[Date]) -> u64 {
    days.first()
        .map_or(0, |day| day.day().unsigned_abs().into())
}
