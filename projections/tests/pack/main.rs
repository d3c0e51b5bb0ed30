//! The loader of policy packs: what it refuses, and what the built-in pack says.
//!
//! Each row takes the built-in text, breaks one thing, and names the defect.

#![cfg(test)]

mod built_in;
mod differences;
mod limits;
mod params;
mod shape;
mod texts;

use luzhang_ledger::Date;
use luzhang_projections::{
    Pack,
    pack::{Defect, LUZHOU_2023, PackError},
};

/// The built-in text with the first `from` replaced.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    assert!(
        LUZHOU_2023.contains(from),
        "the built-in pack has no {from:?}"
    );
    LUZHOU_2023.replacen(from, to, 1)
}

/// The built-in text with a line added to, or removed from, one limit.
#[track_caller]
fn limit_without(limit: &str, line: &str) -> String {
    in_limit(limit, |text| {
        assert!(text.contains(line), "{limit} has no {line:?}");
        text.replacen(line, "", 1)
    })
}

#[track_caller]
fn limit_with(limit: &str, line: &str) -> String {
    in_limit(limit, |text| format!("{}\n{line}\n\n", text.trim_end()))
}

#[track_caller]
fn in_limit(limit: &str, change: impl Fn(&str) -> String) -> String {
    let head = format!("[[limit]]\nid = \"{limit}\"\n");
    let start = LUZHOU_2023.find(&head).expect(limit);
    let next = LUZHOU_2023[start + 1..].find("[[limit]]");
    let end = next.map_or(LUZHOU_2023.len(), |next| start + 1 + next);
    let [before, text, after] = [
        &LUZHOU_2023[..start],
        &LUZHOU_2023[start..end],
        &LUZHOU_2023[end..],
    ];
    [before, &change(text), after].concat()
}

#[track_caller]
fn defects(text: &str) -> Vec<Defect> {
    match Pack::load(text.as_bytes()) {
        Err(PackError::Defects(defects)) => defects,
        Err(other @ (PackError::Toml(_) | PackError::TooLarge | PackError::BaseMissing { .. })) => {
            panic!("{other}")
        }
        Ok(_) => Vec::new(),
    }
}

#[track_caller]
fn refused(text: &str, expected: Defect) {
    let found = defects(text);
    assert_eq!(found, [expected]);
    let error = PackError::Defects(found.clone()).to_string();
    assert!(error.contains(&found[0].to_string()), "{error}");
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn s(text: &str) -> String {
    text.to_owned()
}

/// The built-in text with another `values` line in one parameter.
#[track_caller]
fn in_param(param: &str, values: &str) -> String {
    let start = LUZHOU_2023.find(&format!("id = \"{param}\"")).expect(param);
    let line = start + LUZHOU_2023[start..].find("values = ").unwrap();
    let end = line + LUZHOU_2023[line..].find('\n').unwrap();
    [&LUZHOU_2023[..line], values, &LUZHOU_2023[end..]].concat()
}
