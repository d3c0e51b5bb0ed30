//! The money in plain-text accounting: one transaction an event, in the formats
//! that `hledger` and `beancount` read. Every transaction balances, because every
//! transfer does.

use std::{collections::BTreeSet, fmt::Write as _};

use luzhang_ledger::{Date, Event, Position};

use crate::state::{
    Line, Movement, State,
    money::{Account, Posting},
};

/// A plain-text accounting format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `hledger`, `ledger`.
    Hledger,
    /// `beancount`.
    Beancount,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event.
    pub position: Position,
    /// Its kind.
    pub kind: &'static str,
    /// The day on which it was recorded, in Asia/Shanghai.
    pub on: Date,
    /// The budget line.
    pub line: Line,
    /// The grant, if it is about one.
    pub grant: Option<Position>,
    /// What is debited and credited; sums to zero.
    pub postings: Vec<Posting>,
}

/// Asia/Shanghai has kept UTC+8 since before any event.
const SHANGHAI_MICROS: i64 = 8 * 3_600_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// The civil day in Asia/Shanghai of a time in UTC microseconds.
pub fn day_of(recorded_at: i64) -> Date {
    let days = recorded_at
        .saturating_add(SHANGHAI_MICROS)
        .div_euclid(DAY_MICROS);
    let span = jiff::Span::new().try_days(days);
    let day = span.and_then(|span| Date::constant(1970, 1, 1).checked_add(span));
    day.unwrap_or(Date::MAX)
}

impl Entry {
    /// The transaction of the next event, before it is applied; `None` if it
    /// moves no money.
    pub fn of(state: &State, event: &Event) -> Option<Self> {
        let Movement {
            line,
            grant,
            transfers,
        } = state.movement(event)?;
        Some(Self {
            position: event.header.position,
            kind: event.body.kind(),
            on: day_of(event.header.recorded_at),
            line,
            grant,
            postings: transfers
                .into_iter()
                .flat_map(super::state::money::Transfer::postings)
                .collect(),
        })
    }
}

/// Writes transactions, and opens accounts as they appear.
#[derive(Clone, Debug)]
pub struct Journal {
    format: Format,
    opened: BTreeSet<(Account, Line)>,
}

impl Journal {
    /// A new journal.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            opened: BTreeSet::new(),
        }
    }

    /// What stands at the top of the file.
    pub fn head(&self) -> &'static str {
        match self.format {
            Format::Hledger => "; luzhang\ncommodity 1000.00 CNY\n\n",
            Format::Beancount => {
                "; luzhang\noption \"title\" \"luzhang\"\noption \"operating_currency\" \"CNY\"\n\n"
            }
        }
    }

    /// One transaction, with the accounts that it opens.
    pub fn entry(&mut self, entry: &Entry) -> String {
        let mut text = String::new();
        if self.format == Format::Beancount {
            for posting in &entry.postings {
                if self.opened.insert((posting.account, entry.line.clone())) {
                    let name = self.account(posting.account, &entry.line);
                    // Writing to a string cannot fail.
                    let _ = writeln!(text, "{} open {name} CNY", entry.on);
                }
            }
        }
        let what = match entry.grant {
            Some(grant) => format!("{} grant {grant}", entry.kind),
            None => entry.kind.to_owned(),
        };
        let _ = match self.format {
            Format::Hledger => writeln!(text, "{} * ({}) {what}", entry.on, entry.position),
            Format::Beancount => writeln!(
                text,
                "{} * \"{what}\"\n  position: {}",
                entry.on, entry.position
            ),
        };
        for posting in &entry.postings {
            let name = self.account(posting.account, &entry.line);
            let _ = writeln!(text, "  {name}  {} CNY", yuan(posting.fen));
        }
        text.push('\n');
        text
    }

    /// The name of an account of a budget line.
    pub fn account(&self, account: Account, line: &Line) -> String {
        let root = match account {
            Account::Appropriated => "Equity:Appropriated",
            Account::Available => "Assets:Available",
            Account::Reserved => "Assets:Reserved",
            Account::Paid => "Expenses:Paid",
            Account::Receivable => "Assets:Receivable",
            Account::Returned => "Assets:Returned",
            Account::Recovered => "Assets:Recovered",
            Account::WrittenOff => "Expenses:WrittenOff",
            Account::Advanced => "Liabilities:Advanced",
        };
        let programme = component(&line.programme);
        let fund = component(&line.fund);
        format!("{root}:{programme}:{}:{}:{fund}", line.year, line.office)
    }
}

/// A name of one account level: letters, digits and dashes, a capital first. Two
/// ids of a pack that differ only otherwise keep apart by a few digits of a hash.
fn component(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut name: String = id.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    if let Some(first) = name.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let proper = name.starts_with(|c: char| c.is_ascii_uppercase());
    if !proper || id.chars().any(|c| !plain(c)) || id.starts_with(|c: char| c.is_uppercase()) {
        let hash = blake3::hash(id.as_bytes()).to_hex();
        let digits = hash.get(..8).unwrap_or_default();
        name = format!("X{name}-{digits}");
    }
    name
}

/// Fen as yuan, with a sign if negative.
fn yuan(fen: i64) -> String {
    let (whole, rest) = (fen.unsigned_abs() / 100, fen.unsigned_abs() % 100);
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{whole}.{rest:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_turn_at_midnight_in_shanghai() {
        // 2023-12-31T15:59:59.999999Z is the last microsecond of the year there.
        for (micros, day) in [
            (1_704_038_399_999_999, "2023-12-31"),
            (1_704_038_400_000_000, "2024-01-01"),
            (0, "1970-01-01"),
            (i64::MAX, "9999-12-31"),
        ] {
            assert_eq!(day_of(micros).to_string(), day);
        }
    }

    #[test]
    fn account_names_are_what_both_programs_take() {
        for (id, name) in [("training-allowance", "Training-allowance"), ("x9", "X9")] {
            assert_eq!(component(id), name);
        }
        // Whatever a pack calls them, they stay names, and stay apart.
        let odd = [
            "9th", "Fund", "fund", "资金", "资助", "a_b", "a b", "a-b", "",
        ];
        let names: BTreeSet<String> = odd.iter().map(|id| component(id)).collect();
        assert_eq!(names.len(), odd.len());
        for name in names {
            assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        }
    }

    #[test]
    fn fen_as_yuan() {
        for (fen, text) in [
            (0, "0.00"),
            (-1, "-0.01"),
            (12_345, "123.45"),
            (-100, "-1.00"),
        ] {
            assert_eq!(yuan(fen), text);
        }
    }
}
