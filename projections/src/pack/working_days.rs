//! Working days: Monday to Friday, but for the holidays that the State Council
//! announces each year, and the weekend days that are worked in their stead.

use std::collections::BTreeSet;

use jiff::civil::Weekday;
use luzhang_ledger::Date;

/// A calendar of working days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingDays {
    /// The first day that it says nothing about.
    pub until: Date,
    /// Where it is announced.
    pub cite: String,
    /// Weekdays, and weekend days too, that are holidays.
    pub holidays: BTreeSet<Date>,
    /// Weekend days that are worked.
    pub workdays: BTreeSet<Date>,
}

/// The longest notice that is looked for, in calendar days.
const HORIZON: usize = 366;

impl WorkingDays {
    /// Whether people work on a day.
    pub fn works(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        !self.holidays.contains(&day) && (!weekend || self.workdays.contains(&day))
    }

    /// The day on which the `days`th working day ends, `first` included if it is
    /// one; `None` if that is beyond what the calendar says, or if `days` is 0.
    pub fn last_of(&self, first: Date, days: i64) -> Option<Date> {
        let days = usize::try_from(days).ok()?.checked_sub(1)?;
        let day = |day: &Date| day.tomorrow().ok();
        let from_first = std::iter::successors(Some(first), day).take(HORIZON);
        let last = from_first.filter(|day| self.works(*day)).nth(days)?;
        (last < self.until).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn calendar() -> WorkingDays {
        WorkingDays {
            until: date(2024, 11, 1),
            cite: String::new(),
            holidays: (1..=7).map(|day| date(2024, 10, day)).collect(),
            workdays: [date(2024, 9, 29), date(2024, 10, 12)].into(),
        }
    }

    #[test]
    fn p_notice_counts_working_days_over_a_holiday() {
        for (first, days, last) in [
            // A whole week; a Saturday that is none; one that is worked.
            (date(2024, 9, 2), 5, Some(date(2024, 9, 6))),
            (date(2024, 9, 7), 1, Some(date(2024, 9, 9))),
            (date(2024, 9, 29), 1, Some(date(2024, 9, 29))),
            // Friday 27th, Sunday 29th and Monday 30th, then after the holiday.
            (date(2024, 9, 27), 3, Some(date(2024, 9, 30))),
            (date(2024, 9, 27), 4, Some(date(2024, 10, 8))),
            (date(2024, 10, 8), 5, Some(date(2024, 10, 12))),
            (date(2024, 10, 31), 1, Some(date(2024, 10, 31))),
            (date(2024, 10, 31), 2, None),
            (date(2024, 10, 31), 0, None),
            (date(2024, 10, 31), -1, None),
        ] {
            let found = calendar().last_of(first, days);
            assert_eq!(found, last, "{days} from {first}");
        }
    }
}
