//! Civil dates in Asia/Shanghai, sets of days and half-open windows.

use thiserror::Error;

pub use jiff::civil::Date;

/// Why a number is not a date, or days are not a set.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CalendarError {
    /// Not a day of the calendar between 1900 and 9999.
    #[error("not a day of the calendar")]
    NoSuchDay,
    /// The same day twice.
    #[error("{0} is named twice")]
    Duplicate(Date),
    /// No day at all.
    #[error("no day is named")]
    Empty,
    /// More than [`DateSet::MAX`] days.
    #[error("more than 1,000 days")]
    TooMany,
}

/// The stored form of a date: the decimal number YYYYMMDD.
pub fn to_number(date: Date) -> u32 {
    let year = u32::from(date.year().unsigned_abs());
    let month = u32::from(date.month().unsigned_abs());
    let day = u32::from(date.day().unsigned_abs());
    year.saturating_mul(10_000)
        .saturating_add(month.saturating_mul(100))
        .saturating_add(day)
}

/// Reads the stored form of a date.
pub fn from_number(number: u32) -> Result<Date, CalendarError> {
    let part = |value: u32| i8::try_from(value).map_err(|_| CalendarError::NoSuchDay);
    let year = i16::try_from(number / 10_000).map_err(|_| CalendarError::NoSuchDay)?;
    date(year, part(number / 100 % 100)?, part(number % 100)?)
}

/// A checked civil date from 1900 on.
pub fn date(year: i16, month: i8, day: i8) -> Result<Date, CalendarError> {
    if year < 1900 {
        return Err(CalendarError::NoSuchDay);
    }
    Date::new(year, month, day).map_err(|_| CalendarError::NoSuchDay)
}

/// Distinct days in ascending order; 1 to 1,000 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateSet(Box<[Date]>);

impl DateSet {
    /// The most days that one record may name.
    pub const MAX: usize = 1_000;

    /// Sorts `days`; refuses repeated ones, none at all, and too many.
    pub fn new(mut days: Vec<Date>) -> Result<Self, CalendarError> {
        if days.is_empty() {
            return Err(CalendarError::Empty);
        }
        if days.len() > Self::MAX {
            return Err(CalendarError::TooMany);
        }
        days.sort_unstable();
        if let Some(pair) = days.array_windows().find(|[a, b]| a == b) {
            return Err(CalendarError::Duplicate(pair[0]));
        }
        Ok(Self(days.into_boxed_slice()))
    }

    /// The days, ascending.
    pub fn days(&self) -> &[Date] {
        &self.0
    }

    /// The first day.
    pub fn first(&self) -> Date {
        // A set is never empty: see `new`.
        self.0.first().copied().unwrap_or(Date::MIN)
    }

    /// How many days.
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// A half-open run of days `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: Date,
    /// `Date::MAX` stands for "open": no record can name that day.
    until: Date,
}

/// The window's end is not after its beginning.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the end {until} is not after the beginning {from}")]
pub struct ReversedWindow {
    /// First day.
    pub from: Date,
    /// First day after.
    pub until: Date,
}

impl Window {
    /// `[from, until)`; without `until` it is open.
    pub fn new(from: Date, until: Option<Date>) -> Result<Self, ReversedWindow> {
        let until = until.unwrap_or(Date::MAX);
        if until <= from {
            return Err(ReversedWindow { from, until });
        }
        Ok(Self { from, until })
    }

    /// `[first, last]`, both inclusive.
    pub fn inclusive(first: Date, last: Date) -> Result<Self, ReversedWindow> {
        Self::new(first, last.tomorrow().ok())
    }

    /// First day.
    pub fn from(self) -> Date {
        self.from
    }

    /// First day after; `None` if open.
    pub fn until(self) -> Option<Date> {
        (self.until != Date::MAX).then_some(self.until)
    }

    /// Whether `day` is inside.
    pub fn contains(self, day: Date) -> bool {
        self.from <= day && day < self.until
    }

    /// Whether the two share a day.
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> Date {
        from_number(number).unwrap()
    }

    #[test]
    fn numbers_are_dates_only_if_the_calendar_has_them() {
        for (number, ok) in [
            (20_240_229, true),
            (20_230_229, false),
            (20_241_231, true),
            (20_241_301, false),
            (20_240_100, false),
            (18_991_231, false),
            (19_000_101, true),
            (99_991_231, true),
            (100_000_101, false),
            (0, false),
            (u32::MAX, false),
        ] {
            assert_eq!(from_number(number).is_ok(), ok, "{number}");
            if ok {
                assert_eq!(to_number(day(number)), number);
            }
        }
    }

    #[test]
    fn windows_are_half_open() {
        let window = Window::new(day(20_231_217), Some(day(20_261_217))).unwrap();
        for (number, inside) in [
            (20_231_216, false),
            (20_231_217, true),
            (20_261_216, true),
            (20_261_217, false),
        ] {
            assert_eq!(window.contains(day(number)), inside, "{number}");
        }
        let open = Window::new(day(20_200_101), None).unwrap();
        assert!(open.contains(day(99_981_231)));
        assert_eq!(open.until(), None);
        assert!(Window::new(day(20_200_101), Some(day(20_200_101))).is_err());
        let one = Window::inclusive(day(20_200_101), day(20_200_101)).unwrap();
        assert_eq!(one.until(), Some(day(20_200_102)));
        assert!(Window::inclusive(day(20_200_102), day(20_200_101)).is_err());
    }

    #[test]
    fn neighbours_do_not_overlap() {
        let window = |a, b| Window::new(day(a), Some(day(b))).unwrap();
        let middle = window(20_240_201, 20_240_301);
        for (other, expected) in [
            (window(20_240_101, 20_240_201), false),
            (window(20_240_301, 20_240_401), false),
            (window(20_240_101, 20_240_202), true),
            (window(20_240_229, 20_240_401), true),
            (window(20_240_210, 20_240_211), true),
        ] {
            assert_eq!(middle.overlaps(other), expected);
            assert_eq!(other.overlaps(middle), expected);
        }
    }

    #[test]
    fn a_date_set_is_sorted_and_distinct() {
        let set = DateSet::new(vec![day(20_240_302), day(20_240_229)]).unwrap();
        assert_eq!(set.days(), [day(20_240_229), day(20_240_302)]);
        assert_eq!(
            DateSet::new(vec![day(20_240_302), day(20_240_229), day(20_240_302)]),
            Err(CalendarError::Duplicate(day(20_240_302)))
        );
        assert_eq!(DateSet::new(vec![]), Err(CalendarError::Empty));
        assert_eq!(
            DateSet::new(vec![day(20_240_302); 1_001]),
            Err(CalendarError::TooMany)
        );
    }
}
