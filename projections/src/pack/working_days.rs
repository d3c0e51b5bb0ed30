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
    use luzhang_ledger::calendar::from_number;

    use super::*;

    fn calendar() -> WorkingDays {
        let day = |number| from_number(number).unwrap();
        WorkingDays {
            until: day(2024_11_01),
            cite: String::new(),
            holidays: (2024_10_01..=2024_10_07).map(day).collect(),
            workdays: [2024_09_29, 2024_10_12].map(day).into(),
        }
    }

    #[test]
    fn p_notice_counts_working_days_over_a_holiday() {
        for (first, days, last) in [
            // A whole week; a Saturday that is none; one that is worked.
            (2024_09_02, 5, Some(2024_09_06)),
            (2024_09_07, 1, Some(2024_09_09)),
            (2024_09_29, 1, Some(2024_09_29)),
            // Friday 27th, Sunday 29th and Monday 30th, then after the holiday.
            (2024_09_27, 3, Some(2024_09_30)),
            (2024_09_27, 4, Some(2024_10_08)),
            (2024_10_08, 5, Some(2024_10_12)),
            (2024_10_31, 1, Some(2024_10_31)),
            (2024_10_31, 2, None),
            (2024_10_31, 0, None),
            (2024_10_31, -1, None),
        ] {
            let found = calendar().last_of(from_number(first).unwrap(), days);
            let last = last.map(|day| from_number(day).unwrap());
            assert_eq!(found, last, "{days} from {first}");
        }
    }
}
