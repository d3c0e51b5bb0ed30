//! What stands in a snapshot, as bytes: little-endian numbers, one after the other.
//!
//! [`record!`] names the fields of a struct once, for both ways; a field that is not
//! named does not compile. Everything is strict: a value that the type would refuse
//! is refused here too.

use std::{collections::BTreeMap, fmt::Write as _};

use luzhang_ledger::{
    Date, DateSet, Fen, Hash, Office, Position, StreamId, SubjectId,
    access::{Credential, Mandate, Role, Roles},
    claim::{BorrowerKind, Form},
    event::Conflict,
    fact::{AuthorityAmount, BrandLevel, BudgetYear, Repayment},
    step::{Duty, Opinion, PlaqueEvent},
    text::{Principal, ProgrammeId},
};

/// A value of a snapshot.
pub trait Record: Sized {
    /// Says what its bytes are, so that two layouts are never taken for each other.
    fn shape(shape: &mut String);
    /// Appends its bytes.
    fn put(&self, bytes: &mut Vec<u8>);
    /// Takes it from the front; `None` if that is not what stands there.
    fn take(bytes: &mut &[u8]) -> Option<Self>;
}

/// Says what a field is, of which only the place is known.
pub(crate) fn shape_of<S, T: Record>(_field: impl Fn(&S) -> &T, shape: &mut String) {
    T::shape(shape);
}

/// A struct, by all its fields in the order in which they are written.
macro_rules! record {
    ($name:ident $(<$of:ident>)? { $($field:ident),* $(,)? }) => {
        impl $(<$of: $crate::snapshot::Record>)? $crate::snapshot::Record for $name $(<$of>)? {
            fn shape(shape: &mut String) {
                shape.push_str(concat!(stringify!($name), "{"));
                $(
                    shape.push_str(concat!(stringify!($field), ":"));
                    $crate::snapshot::shape_of(|all: &Self| &all.$field, shape);
                    shape.push(',');
                )*
                shape.push('}');
            }

            fn put(&self, bytes: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::snapshot::Record::put($field, bytes);)*
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::snapshot::Record::take(bytes)?),* })
            }
        }
    };
}

/// An enum without content, by a number for each of its variants.
macro_rules! numbered {
    ($name:ident { $($variant:ident = $number:literal),* $(,)? }) => {
        impl $crate::snapshot::Record for $name {
            fn shape(shape: &mut String) {
                shape.push_str(concat!(
                    stringify!($name), "{", $(stringify!($variant = $number), ",",)* "}"
                ));
            }

            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.push(match self { $($name::$variant => $number),* });
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                match u8::take(bytes)? {
                    $($number => Some($name::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {numbered, record};

macro_rules! numbers {
    ($($number:ident),*) => {$(
        impl Record for $number {
            fn shape(shape: &mut String) {
                shape.push_str(stringify!($number));
            }

            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                let (first, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_le_bytes(*first))
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, i8, i16, i64);

/// Types that are a value of another one, which they check.
macro_rules! wrapped {
    ($($name:ident as $inner:ty: $out:expr, $back:expr;)*) => {$(
        impl Record for $name {
            fn shape(shape: &mut String) {
                shape.push_str(concat!(stringify!($name), "="));
                <$inner>::shape(shape);
            }

            fn put(&self, bytes: &mut Vec<u8>) {
                let out: fn(&Self) -> $inner = $out;
                out(self).put(bytes);
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                let back: fn($inner) -> Option<Self> = $back;
                back(<$inner>::take(bytes)?)
            }
        }
    )*};
}

wrapped! {
    bool as u8: |is| u8::from(*is), |byte| match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    Position as u64: |position| position.number(), Self::new;
    Fen as i64: |fen| fen.fen(), |fen| Self::new(fen).ok();
    Office as u32: |office| office.code(), |code| Self::new(code).ok();
    BudgetYear as i16: |year| year.number(),
        |year| Date::new(year, 1, 1).ok().map(BudgetYear::of);
    Hash as Bytes32: |hash| *hash.as_bytes(), |bytes| Some(Self::from_bytes(bytes));
    SubjectId as Bytes16: |id| *id.as_bytes(), |bytes| Some(Self::from_bytes(bytes));
    StreamId as Bytes16: |id| *id.as_bytes(), |bytes| Some(Self::from_bytes(bytes));
    Credential as Bytes32: |key| *key.as_bytes(), |bytes| Some(Self::from_bytes(bytes));
    Principal as String: |name| name.as_str().to_owned(), |name| Self::new(name).ok();
    ProgrammeId as String: |id| id.as_str().to_owned(), |id| Self::new(id).ok();
    Roles as Vec<Role>: |roles| roles.iter().collect(),
        |roles| Some(roles.into_iter().collect());
    DateSet as Vec<Date>: |dates| dates.days().to_vec(), |days| Self::new(days).ok();
}

type Bytes16 = [u8; 16];
type Bytes32 = [u8; 32];

/// `i16` year, `i8` month, `i8` day: any day at all, also those that only stand for
/// "open".
impl Record for Date {
    fn shape(shape: &mut String) {
        shape.push_str("date");
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        let [year_low, year_high] = self.year().to_le_bytes();
        let ([month], [day]) = (self.month().to_le_bytes(), self.day().to_le_bytes());
        bytes.extend_from_slice(&[year_low, year_high, month, day]);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Self::new(i16::take(bytes)?, i8::take(bytes)?, i8::take(bytes)?).ok()
    }
}

impl<const N: usize> Record for [u8; N] {
    fn shape(shape: &mut String) {
        // Writing to a string cannot fail.
        let _ = write!(shape, "[u8;{N}]");
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*first)
    }
}

impl<const N: usize> Record for [i64; N] {
    fn shape(shape: &mut String) {
        let _ = write!(shape, "[i64;{N}]");
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        for number in self {
            number.put(bytes);
        }
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let mut all = [0; N];
        for number in &mut all {
            *number = i64::take(bytes)?;
        }
        Some(all)
    }
}

impl<T: Record> Record for Option<T> {
    fn shape(shape: &mut String) {
        shape.push('?');
        T::shape(shape);
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        self.is_some().put(bytes);
        if let Some(value) = self {
            value.put(bytes);
        }
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(if bool::take(bytes)? {
            Some(T::take(bytes)?)
        } else {
            None
        })
    }
}

impl<A: Record, B: Record> Record for (A, B) {
    fn shape(shape: &mut String) {
        shape.push('(');
        A::shape(shape);
        shape.push(',');
        B::shape(shape);
        shape.push(')');
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        self.0.put(bytes);
        self.1.put(bytes);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::take(bytes)?, B::take(bytes)?))
    }
}

fn put_all<'a, T: Record + 'a>(all: &'a [T], bytes: &mut Vec<u8>) {
    u64::try_from(all.len()).unwrap_or(u64::MAX).put(bytes);
    for one in all {
        one.put(bytes);
    }
}

/// A length, which is never more than there are bytes.
fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let length = usize::try_from(u64::take(bytes)?).ok()?;
    (length <= bytes.len()).then_some(length)
}

impl<T: Record> Record for Vec<T> {
    fn shape(shape: &mut String) {
        shape.push('[');
        T::shape(shape);
        shape.push(']');
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put_all(self, bytes);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let length = take_length(bytes)?;
        (0..length).map(|_| T::take(bytes)).collect()
    }
}

impl<T: Record> Record for Box<[T]> {
    fn shape(shape: &mut String) {
        Vec::<T>::shape(shape);
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put_all(self, bytes);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Vec::take(bytes).map(Vec::into_boxed_slice)
    }
}

impl Record for String {
    fn shape(shape: &mut String) {
        shape.push_str("text");
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        u64::try_from(self.len()).unwrap_or(u64::MAX).put(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let length = take_length(bytes)?;
        let (text, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        std::str::from_utf8(text).ok().map(str::to_owned)
    }
}

impl Record for Box<str> {
    fn shape(shape: &mut String) {
        String::shape(shape);
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        u64::try_from(self.len()).unwrap_or(u64::MAX).put(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        String::take(bytes).map(String::into_boxed_str)
    }
}

impl<K: Record + Ord, V: Record> Record for BTreeMap<K, V> {
    fn shape(shape: &mut String) {
        Vec::<(K, V)>::shape(shape);
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        u64::try_from(self.len()).unwrap_or(u64::MAX).put(bytes);
        for (key, value) in self {
            key.put(bytes);
            value.put(bytes);
        }
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let all = Vec::<(K, V)>::take(bytes)?;
        Some(all.into_iter().collect())
    }
}

record!(Conflict {
    limit,
    code,
    grant,
    dates
});
record!(Mandate {
    principal,
    roles,
    offices,
    programmes,
    credentials
});
numbered!(Role {
    Clerk = 0,
    Reviewer = 1,
    Approver = 2,
    Cashier = 3,
    Auditor = 4,
    Reporter = 5,
    Steward = 6,
    Administrator = 7,
});
numbered!(Form {
    TrainingAllowance = 0,
    SkillBase = 1,
    ServiceSubsidy = 2,
    BrandAward = 3,
    Loan = 4,
    InterestSubsidy = 5,
    TrainingSubsidy = 6,
    TransportAid = 7,
    Subsidy = 8,
});
numbered!(BorrowerKind {
    Person = 0,
    SmallFirm = 1,
});
numbered!(BrandLevel {
    City = 0,
    Provincial = 1,
    County = 2,
});
numbered!(Repayment {
    OnTime = 0,
    Overdue = 1,
});
numbered!(AuthorityAmount {
    Exactly = 0,
    AtMost = 1,
});
numbered!(Opinion {
    Passed = 0,
    Returned = 1,
});
numbered!(Duty {
    Review = 0,
    Approval = 1,
    Payment = 2,
});
numbered!(PlaqueEvent {
    Renewed = 0,
    Suspended = 1,
    Reinstated = 2,
    Revoked = 3,
    Expired = 4,
});
