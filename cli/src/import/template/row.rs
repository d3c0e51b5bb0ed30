//! Reading the cells of one row, and collecting all that is wrong with them.

use std::fmt;

use jiff::civil::Date;
use luzhang_proto::{
    google::r#type::Date as WireDate,
    wire::{
        ClaimRef, Correction, GrantRef, Organisation, Person, command::Body, correction::Now,
        grant_ref::Grant,
    },
};

use super::{CORRECTION_COLUMNS, layout::Layout};
use crate::import::{
    cell::{Cell, CellError, trim},
    table::Row,
};

/// The office of a row that names none: the city's own.
const CITY: &str = "510500";
/// The columns that are part of a key and may be written in small letters.
const NUMBERS: [&str; 3] = ["身份证号码", "证件号码", "用工单位代码"];
/// Between the cells of an identity; no cell that the ledger accepts holds it.
const UNIT_SEPARATOR: &str = "\u{1f}";

/// 户主类型, 对象类型.
#[derive(Clone, Copy, Default)]
pub(super) enum HolderKind {
    #[default]
    Person,
    Organisation,
}

pub(super) const HOLDER_KINDS: [(&str, HolderKind); 2] = [
    ("个人", HolderKind::Person),
    ("单位", HolderKind::Organisation),
];

/// Before the position of a grant, in place of the number of its claim.
const AT: char = '@';

/// A row as a command, still without its request id.
pub(crate) struct ParsedRow {
    /// What the clerk knows the row by.
    pub(crate) key: String,
    /// What makes it the same row again; the row's part of the request id. Equal
    /// for all ways to write one value, such as the three ways to write a date.
    pub(crate) identity: String,
    /// The acting office, six digits.
    pub(crate) office: String,
    /// What is asked.
    pub(crate) body: Body,
}

/// One thing that is wrong with a row. Carries nothing of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowError {
    /// The stable reason code.
    pub(crate) code: &'static str,
    /// The column at fault; empty if it is the row as a whole.
    pub(crate) column: &'static str,
    /// The sentence in Chinese.
    pub(crate) zh: String,
    /// The sentence in English.
    pub(crate) en: String,
}

impl fmt::Debug for ParsedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedRow").finish_non_exhaustive()
    }
}

/// The cells of one row by the names of their columns.
///
/// A cell that cannot be read leaves an error here and an empty value with its
/// reader, so that one pass finds all errors. [`Fields::finish`] gives such a row
/// away to no one.
pub(super) struct Fields<'a> {
    layout: &'a Layout,
    row: &'a Row,
    read: Vec<(&'static str, String)>,
    office: Option<String>,
    errors: Vec<RowError>,
}

impl<'a> Fields<'a> {
    /// # Errors
    ///
    /// The row's cells do not stand under the header's columns.
    pub(super) fn new(layout: &'a Layout, row: &'a Row) -> Result<Self, Vec<RowError>> {
        let correction = layout.correction.as_slice().as_flattened();
        let needed = layout.places.iter().chain(correction).max();
        let needed = needed.map_or(0, |last| last + 1);
        let named = |place: usize| {
            [&layout.places, correction, &layout.results]
                .iter()
                .any(|places| places.contains(&place))
        };
        let stray = (0..)
            .zip(row.cells())
            .any(|(place, cell)| !named(place) && !cell.is_blank());
        if row.cells().len() < needed || stray {
            return Err(vec![RowError {
                code: "FIELD_COUNT",
                column: "",
                zh: "字段数与表头不符：请检查多余或缺少的分隔符、未加引号的逗号".to_owned(),
                en: "the number of fields is not that of the header: look for a separator too \
                     many or too few, or a comma outside quotation marks"
                    .to_owned(),
            }]);
        }
        Ok(Self {
            layout,
            row,
            read: Vec::with_capacity(layout.places.len()),
            office: None,
            errors: Vec::new(),
        })
    }

    pub(super) fn text(&mut self, column: &'static str) -> String {
        let text = self.cell(column).text();
        self.take(column, text, String::clone)
    }

    /// Text that may be left out.
    pub(super) fn text_or_none(&mut self, column: &'static str) -> String {
        if self.skip(column) {
            return String::new();
        }
        self.text(column)
    }

    pub(super) fn person(&mut self, name: &'static str, number: &'static str) -> Person {
        Person {
            name: self.text(name),
            national_id: self.identity_number(number),
        }
    }

    pub(super) fn organisation(&mut self, name: &'static str, code: &'static str) -> Organisation {
        Organisation {
            name: self.text(name),
            credit_code: self.identity_number(code),
            accept_check_digit: false,
        }
    }

    pub(super) fn date(&mut self, column: &'static str) -> Option<WireDate> {
        let date = self.cell(column).date().map(Some);
        self.take(column, date, |day| {
            day.map(|day| day.to_string()).unwrap_or_default()
        })
        .map(wire)
    }

    /// A date that may be left out.
    pub(super) fn date_or_none(&mut self, column: &'static str) -> Option<WireDate> {
        if self.skip(column) {
            return None;
        }
        self.date(column)
    }

    pub(super) fn dates(&mut self, column: &'static str) -> Vec<WireDate> {
        let days = self.cell(column).dates();
        let days = self.take(column, days, |days| {
            days.iter()
                .map(Date::to_string)
                .collect::<Vec<_>>()
                .join(";")
        });
        days.into_iter().map(wire).collect()
    }

    /// Yuan, in fen.
    pub(super) fn amount(&mut self, column: &'static str) -> i64 {
        let amount = self.cell(column).amount();
        self.take(column, amount, ToString::to_string).fen()
    }

    /// Yuan, in fen; 0 if left out, which the ledger takes for all there is. A
    /// zero that was written is no amount.
    pub(super) fn amount_or_all(&mut self, column: &'static str) -> i64 {
        if self.skip(column) {
            return 0;
        }
        let amount = self.cell(column).amount().and_then(|amount| {
            let some = (amount.fen() > 0).then_some(amount);
            some.ok_or(CellError::NoAmount)
        });
        self.take(column, amount, ToString::to_string).fen()
    }

    /// A position on the chain.
    pub(super) fn position(&mut self, column: &'static str) -> u64 {
        let position = self.cell(column).position();
        self.take(column, position, ToString::to_string)
    }

    /// A position that may be left out, which is 0.
    pub(super) fn position_or_none(&mut self, column: &'static str) -> u64 {
        if self.skip(column) {
            return 0;
        }
        self.position(column)
    }

    /// A province by its code or its name.
    pub(super) fn province(&mut self, column: &'static str) -> String {
        let province = self.cell(column).province();
        self.take(column, province, String::clone)
    }

    /// A grant by its programme and claim number; or, with no programme, by its
    /// position behind an `@`.
    pub(super) fn grant(
        &mut self,
        programme: &'static str,
        claim_no: &'static str,
    ) -> Option<GrantRef> {
        let programme = self.text_or_none(programme);
        let number = self.text(claim_no);
        let found = grant_of(&programme, &number);
        if found.is_none() && !number.is_empty() {
            self.fail(claim_no, &CellError::GrantNumber);
        }
        found
    }

    /// Several of them, separated by `;`.
    pub(super) fn grants(
        &mut self,
        programme: &'static str,
        claim_nos: &'static str,
    ) -> Vec<GrantRef> {
        let programme = self.text_or_none(programme);
        let numbers = self.text(claim_nos);
        let numbers = numbers.split([';', '；']).map(trim);
        let found: Option<Vec<GrantRef>> = numbers
            .filter(|number| !number.is_empty())
            .map(|number| grant_of(&programme, number))
            .collect();
        if found.is_none() {
            self.fail(claim_nos, &CellError::GrantNumber);
        }
        found.unwrap_or_default()
    }

    pub(super) fn rate_ppm(&mut self, column: &'static str) -> u32 {
        let rate = self.cell(column).rate_ppm();
        self.take(column, rate, ToString::to_string)
    }

    pub(super) fn year(&mut self, column: &'static str) -> i32 {
        let year = self.cell(column).year();
        self.take(column, year, ToString::to_string)
    }

    /// The office that acts, and whose row it is.
    pub(super) fn office(&mut self, column: &'static str) -> String {
        let office = self.cell(column).office();
        let office = self.take(column, office, String::clone);
        self.office = Some(office.clone());
        office
    }

    /// The office that acts; the city's own if left out.
    pub(super) fn acting(&mut self, column: &'static str) {
        if !self.skip(column) {
            self.office(column);
        }
    }

    pub(super) fn label<T: Copy + Default>(
        &mut self,
        column: &'static str,
        labels: &[(&'static str, T)],
    ) -> T {
        let cell = self.cell(column);
        let value = cell.label(labels);
        self.take(column, value, |_| trim(&cell.display()).to_owned())
    }

    /// The row, if no cell was wrong.
    pub(super) fn finish(self, body: Body) -> Result<ParsedRow, Vec<RowError>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let identity: Vec<&str> = self
            .layout
            .template
            .identity_columns()
            .iter()
            .filter_map(|column| self.read.iter().find(|(name, _)| name == column))
            .map(|(_, value)| value.as_str())
            .collect();
        Ok(ParsedRow {
            key: Self::key(self.layout, self.row),
            identity: identity.join(UNIT_SEPARATOR),
            office: self.office.unwrap_or_else(|| CITY.to_owned()),
            body,
        })
    }

    /// The row as a correction of the fact that it states, if no cell was wrong.
    pub(super) fn finish_correction(mut self, body: Body) -> Result<ParsedRow, Vec<RowError>> {
        let [place, why] = CORRECTION_COLUMNS;
        let asserted = self.position(place);
        let reason = self.text(why);
        let mut parts: Vec<&str> = vec!["", place];
        parts.extend(self.read.iter().map(|(_, value)| value.as_str()));
        // A row that is no correction does not begin with an empty part.
        let identity = parts.join(UNIT_SEPARATOR);
        let row = self.finish(Body::Correction(Correction {
            asserted,
            reason,
            now: as_fact(body),
        }))?;
        Ok(ParsedRow { identity, ..row })
    }

    /// The cells of the key's columns, as far as they can be read.
    pub(super) fn key(layout: &Layout, row: &Row) -> String {
        let parts: Vec<String> = layout
            .template
            .key_columns()
            .iter()
            .map(|column| {
                let cell = find(layout, row, column);
                let written = cell.display();
                if NUMBERS.contains(column) {
                    trim(&written).to_ascii_uppercase()
                } else {
                    trim(&written).to_owned()
                }
            })
            .collect();
        parts.join(":")
    }

    /// Whether nothing is in a cell.
    pub(super) fn is_blank(&self, column: &'static str) -> bool {
        self.cell(column).is_blank()
    }

    /// Whether nothing is in a cell that may be left out.
    fn skip(&mut self, column: &'static str) -> bool {
        let blank = self.is_blank(column);
        if blank {
            self.read.push((column, String::new()));
        }
        blank
    }

    fn identity_number(&mut self, column: &'static str) -> String {
        let number = self.cell(column).identity_number();
        self.take(column, number, String::clone)
    }

    fn cell(&self, column: &'static str) -> &'a Cell {
        find(self.layout, self.row, column)
    }

    /// Notes how a value is written in an identity, or what is wrong with it.
    fn take<T: Default>(
        &mut self,
        column: &'static str,
        value: Result<T, CellError>,
        canonical: impl FnOnce(&T) -> String,
    ) -> T {
        match value {
            Ok(value) => {
                self.read.push((column, canonical(&value)));
                value
            }
            Err(error) => {
                self.fail(column, &error);
                T::default()
            }
        }
    }

    fn fail(&mut self, column: &'static str, error: &CellError) {
        self.errors.push(RowError {
            code: error.code(),
            column,
            zh: error.zh(),
            en: error.to_string(),
        });
    }
}

fn grant_of(programme: &str, number: &str) -> Option<GrantRef> {
    let grant = if programme.is_empty() {
        let position = number.strip_prefix(AT)?.parse().ok()?;
        Grant::Position(position)
    } else {
        Grant::Claim(ClaimRef {
            programme: programme.to_owned(),
            claim_no: number.to_owned(),
        })
    };
    Some(GrantRef { grant: Some(grant) })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is no fact has no such columns"
)]
fn as_fact(body: Body) -> Option<Now> {
    Some(match body {
        Body::PovertyStatus(fact) => Now::PovertyStatus(fact),
        Body::UnemploymentBenefit(fact) => Now::UnemploymentBenefit(fact),
        Body::Course(fact) => Now::Course(fact),
        Body::Attendance(fact) => Now::Attendance(fact),
        Body::Plaque(fact) => Now::Plaque(fact),
        Body::LoanSettlement(fact) => Now::LoanSettlement(fact),
        Body::Certificate(fact) => Now::Certificate(fact),
        Body::Authority(fact) => Now::Authority(fact),
        Body::ContractEnd(fact) => Now::ContractEnd(fact),
        _ => return None,
    })
}

fn find<'a>(layout: &Layout, row: &'a Row, column: &str) -> &'a Cell {
    let columns = layout.template.columns().iter().zip(&layout.places);
    let correction = CORRECTION_COLUMNS
        .iter()
        .zip(layout.correction.iter().flatten());
    columns
        .chain(correction)
        .find(|(name, _)| **name == column)
        .and_then(|(_, place)| row.cells().get(*place))
        .unwrap_or(&Cell::Empty)
}

fn wire(day: Date) -> WireDate {
    WireDate {
        year: i32::from(day.year()),
        month: i32::from(day.month()),
        day: i32::from(day.day()),
    }
}

#[cfg(test)]
mod tests;
