//! What two packs say differently.
//!
//! Parameters are compared day by day. Everything else is compared by the keys of
//! its TOML tables, so that what a later pack says is compared too.

use luzhang_ledger::{Date, Window};
use toml::{Table, Value};

use super::{Pack, PackError, Param, Unit, param::Dated};

/// The differences of two packs, in the order of the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Head, funds, programmes, readings, limits.
    pub entries: Vec<Entry>,
    /// Parameters.
    pub params: Vec<ParamDiff>,
    /// Whether limits that both have are reported in another order.
    pub reordered: bool,
}

/// An entry that one pack does not have, or that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key of its table in the pack: `pack` for the head, `fund`, `limit` …
    pub section: String,
    /// Its id; empty where there is one only.
    pub id: String,
    /// Who has it.
    pub change: Change,
    /// The keys that differ; of an entry that is added or removed, all.
    pub keys: Vec<KeyDiff>,
}

/// Which of the packs has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The second only.
    Added,
    /// The first only.
    Removed,
    /// Both, and it differs.
    Changed,
}

/// A key with its value in both packs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDiff {
    /// The key.
    pub key: String,
    /// In the first.
    pub before: Option<String>,
    /// In the second.
    pub after: Option<String>,
}

/// A parameter that one pack does not have, or that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamDiff {
    /// Its id.
    pub id: String,
    /// Who has it.
    pub change: Change,
    /// Unit and basis, where they differ.
    pub keys: Vec<KeyDiff>,
    /// What it counts, in the second pack if that has it.
    pub unit: Unit,
    /// Days with another value or citation, ascending.
    pub spans: Vec<Span>,
}

/// Days on which a parameter differs in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The days.
    pub window: Window,
    /// In the first.
    pub before: Option<Cited>,
    /// In the second.
    pub after: Option<Cited>,
}

/// A value and the document that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cited {
    /// The value.
    pub value: i64,
    /// The document.
    pub cite: String,
}

impl Change {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

impl Diff {
    /// Whether the packs say the same.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares two packs by their texts. Both have to be sound.
///
/// # Errors
/// What [`Pack::load`] says of either.
pub fn of(before: &[u8], after: &[u8]) -> Result<Diff, PackError> {
    let packs = (Pack::load(before)?, Pack::load(after)?);
    let (before, after) = (table(before)?, table(after)?);
    let mut entries = Vec::new();
    for section in sections(&before, &after) {
        let parts = (parts(&before, section), parts(&after, section));
        for id in ids(parts.0.iter(), parts.1.iter(), |(id, _)| id) {
            let tables = (find(&parts.0, id), find(&parts.1, id));
            entries.extend(entry(section, id, tables.0, tables.1));
        }
    }
    let mut params = Vec::new();
    let both = (packs.0.params.iter(), packs.1.params.iter());
    for id in ids(both.0, both.1, |param| &param.id) {
        let find = |pack: &Pack| pack.params.iter().find(|param| param.id == id).cloned();
        params.extend(param(id, find(&packs.0).as_ref(), find(&packs.1).as_ref()));
    }
    let common = |of: &Pack, other: &Pack| -> Vec<String> {
        let limits = of.limits.iter().map(|limit| limit.id.clone());
        limits.filter(|id| other.limit(id).is_some()).collect()
    };
    Ok(Diff {
        entries,
        params,
        reordered: common(&packs.0, &packs.1) != common(&packs.1, &packs.0),
    })
}

fn table(text: &[u8]) -> Result<Table, PackError> {
    let unreadable = |error: &dyn ToString| PackError::Toml(error.to_string());
    let text = std::str::from_utf8(text).map_err(|error| unreadable(&error))?;
    text.parse()
        .map_err(|error: toml::de::Error| unreadable(&error))
}

/// What is compared by keys, as a reader of a pack meets it; then what is not
/// known here, by name.
const ORDER: [&str; 5] = ["pack", "fund", "programme", "reading", "limit"];
/// What is compared day by day.
const PARAMS: &str = "param";

fn sections<'a>(before: &'a Table, after: &'a Table) -> Vec<&'a str> {
    let mut sections: Vec<&str> = before
        .keys()
        .chain(after.keys())
        .map(|key| &**key)
        .collect();
    sections.retain(|section| *section != PARAMS);
    let rank = |section: &str| ORDER.iter().position(|known| *known == section);
    sections.sort_by_key(|section| (rank(section).unwrap_or(ORDER.len()), *section));
    sections.dedup();
    sections
}

/// The tables of a section by their ids. What is no such table is one part
/// without an id.
fn parts(pack: &Table, section: &str) -> Vec<(String, Table)> {
    let of = |value: &Value| {
        let table = value.as_table()?;
        let id = table.get("id")?.as_str()?.to_owned();
        Some((id, table.clone()))
    };
    match pack.get(section) {
        None => Vec::new(),
        Some(Value::Table(table)) => vec![(String::new(), table.clone())],
        Some(value) => {
            let tables = value.as_array().into_iter().flatten().map(of);
            tables.collect::<Option<Vec<_>>>().unwrap_or_else(|| {
                let whole = Table::from_iter([(section.to_owned(), value.clone())]);
                vec![(String::new(), whole)]
            })
        }
    }
}

fn find<'a>(list: &'a [(String, Table)], id: &str) -> Option<&'a Table> {
    list.iter().find(|(of, _)| of == id).map(|(_, table)| table)
}

/// The ids of the first, then those that only the second has.
fn ids<'a, T: 'a>(
    before: impl Iterator<Item = &'a T>,
    after: impl Iterator<Item = &'a T>,
    id: impl Fn(&'a T) -> &'a String,
) -> Vec<&'a str> {
    let mut ids: Vec<&str> = before.map(|item| id(item).as_str()).collect();
    for item in after {
        if !ids.contains(&id(item).as_str()) {
            ids.push(id(item));
        }
    }
    ids
}

fn entry(section: &str, id: &str, before: Option<&Table>, after: Option<&Table>) -> Option<Entry> {
    let change = change(before.is_some(), after.is_some())?;
    let mut names: Vec<&String> = before
        .into_iter()
        .chain(after)
        .flat_map(Table::keys)
        .collect();
    names.sort();
    names.dedup();
    let shown = |table: Option<&Table>, key: &str| table.and_then(|t| t.get(key)).map(shown);
    let keys: Vec<KeyDiff> = names
        .into_iter()
        .filter(|key| *key != "id" || id.is_empty())
        .map(|key| KeyDiff {
            key: key.clone(),
            before: shown(before, key),
            after: shown(after, key),
        })
        .filter(|key| key.before != key.after)
        .collect();
    (change != Change::Changed || !keys.is_empty()).then(|| Entry {
        section: section.to_owned(),
        id: id.to_owned(),
        change,
        keys,
    })
}

fn change(before: bool, after: bool) -> Option<Change> {
    match (before, after) {
        (true, true) => Some(Change::Changed),
        (true, false) => Some(Change::Removed),
        (false, true) => Some(Change::Added),
        (false, false) => None,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            values.join(", ")
        }
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Table(_) => value.to_string(),
    }
}

fn param(id: &str, before: Option<&Param>, after: Option<&Param>) -> Option<ParamDiff> {
    let change = change(before.is_some(), after.is_some())?;
    let unit = after.or(before)?.unit;
    let key = |key: &str, of: fn(&Param) -> String| KeyDiff {
        key: key.to_owned(),
        before: before.map(of),
        after: after.map(of),
    };
    let keys = [
        key("unit", |param| param.unit.name().to_owned()),
        key("basis", |param| param.basis.clone()),
    ];
    let keys: Vec<KeyDiff> = keys
        .into_iter()
        .filter(|key| change == Change::Changed && key.before != key.after)
        .collect();
    let spans = spans(before, after);
    (change != Change::Changed || !keys.is_empty() || !spans.is_empty()).then(|| ParamDiff {
        id: id.to_owned(),
        change,
        keys,
        unit,
        spans,
    })
}

/// Runs of days on which the values or citations differ.
fn spans(before: Option<&Param>, after: Option<&Param>) -> Vec<Span> {
    let values = |param: Option<&Param>| param.map_or(Vec::new(), |param| param.values.clone());
    let (before, after) = (values(before), values(after));
    let bounds = before.iter().chain(&after).flat_map(|dated| {
        let until = dated.window.until().unwrap_or(Date::MAX);
        [dated.window.from(), until]
    });
    let mut bounds: Vec<Date> = bounds.collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut spans: Vec<Span> = Vec::new();
    for (from, until) in bounds.iter().zip(bounds.iter().skip(1)) {
        let (before, after) = (on(&before, *from), on(&after, *from));
        if before == after {
            continue;
        }
        // A bound that only the other pack has does not part what is one.
        if let Some(last) = spans.last_mut()
            && last.window.until() == Some(*from)
            && last.before == before
            && last.after == after
            && let Ok(window) = Window::new(last.window.from(), Some(*until))
        {
            last.window = window;
        } else if let Ok(window) = Window::new(*from, Some(*until)) {
            spans.push(Span {
                window,
                before,
                after,
            });
        }
    }
    spans
}

fn on(values: &[Dated], day: Date) -> Option<Cited> {
    let dated = values.iter().find(|dated| dated.window.contains(day))?;
    Some(Cited {
        value: dated.value,
        cite: dated.cite.clone(),
    })
}
