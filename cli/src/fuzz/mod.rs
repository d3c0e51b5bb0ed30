//! What is checked of files from outside: for `fuzz/`, and for a test that calls
//! these functions with every file of its corpus. They panic where something does
//! not hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "the checks of tests"
)]

mod results;
mod table;

/// Shared with the other targets.
#[allow(
    unreachable_pub,
    reason = "the source of a crate of its own, outside this workspace"
)]
#[path = "../../../fuzz/src/edits.rs"]
mod edits;

use luzhang_proto::wire;
use prost::Message as _;
use serde_json::Value;

pub use self::{results::results, table::table};
use crate::message;

/// What fuzzing begins from, by target; the targets' other inputs have other names.
#[cfg(test)]
fn seeds() -> [(&'static str, &'static str, Vec<Vec<u8>>); 3] {
    [
        ("table", "seed", table::seeds()),
        ("results", "seed", results::seeds()),
        ("command", "json", texts()),
    ]
}

#[cfg(test)]
fn texts() -> Vec<Vec<u8>> {
    let person = r#"{"name":"某某某某某某某某某某某某","national_id":"51059019831126546X"}"#;
    let day = r#"{"year":2024,"month":3,"day":11}"#;
    let texts = [
        format!(
            r#"{{"request_id":"01890a5d-ac96-774b-bcce-b302099a8057","office":"510502","poverty_status":{{"person":{person},"from":{day},"list_version":"v1"}}}}"#
        ),
        format!(
            r#"{{"attendance":{{"course_no":"K1","person":{person},"dates":[{day},{day}]}}}}"#
        ),
        format!(r#"{{"poverty_status":{{"person":"51059019831126546X","from":{day}}}}}"#),
        format!(r#"{{"poverty_status":{{"person":{person},"from":"某某某某某某某某某某某某"}}}}"#),
        r#"{"poverty_status":{"person":{"national_id":510590198311265460}}}"#.to_owned(),
        r#"{"skill_base":{"kind":"某某某某某某某某某某某某","amount_fen":"9007199254740993"}}"#.to_owned(),
        r#"{"plaque":{"level":"BRAND_LEVEL_CITY"},"loan":{"rate_ppm":34500.0}}"#.to_owned(),
        r#"{"policy_pack":{"content":"510590198311265460=="}}"#.to_owned(),
        r#"{"review":{"grant":{"claim":{"programme":"a","claim_no":"b"}},"opinion":1,"note":"\u6797\ud83d\ude00"}}"#.to_owned(),
        "{\"office\":\"510590198311265460".to_owned(),
        "{\"office\":\"510502\"} 某某某某某某某某某某某某".to_owned(),
        "[".repeat(200),
    ];
    let texts = texts.iter();
    texts.map(|text| [b"j", text.as_bytes()].concat()).collect()
}

/// The shortest text that is looked for in what is said of it: none so short that
/// our own sentences have it.
const SHORTEST: usize = 12;

/// Whether a text that came from outside is long enough to be somebody's.
fn is_telling(text: &str) -> bool {
    text.chars().count() >= SHORTEST
}

/// A command as `luzhang submit` reads it. What it takes it writes down again, and
/// what it says of the rest repeats no value.
pub fn command_text(text: &[u8]) {
    const COMMAND: &str = "luzhang.v1.Command";
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    match message::from_json::<wire::Command>(COMMAND, text) {
        Ok(command) => {
            let bytes = command.encode_to_vec();
            assert_eq!(wire::Command::decode(&*bytes).unwrap(), command);
            for json in [
                message::to_json(COMMAND, &command).unwrap(),
                message::to_whole_json(COMMAND, &command).unwrap(),
            ] {
                let again = message::from_json::<wire::Command>(COMMAND, &json.to_string());
                assert_eq!(again.unwrap(), command, "{json}");
            }
        }
        Err(error) => {
            let said = message::without_values(&format!("{error:#}"));
            let (mut values, mut names) = (Vec::new(), Vec::new());
            if let Ok(json) = serde_json::from_str::<Value>(text) {
                collect(&json, &mut values, &mut names);
            }
            for value in values {
                let named = names.iter().any(|name| name.contains(&value));
                assert!(named || !said.contains(&value), "{value:?} in {said}");
            }
        }
    }
}

/// The values of a JSON text that may be somebody's, and the names in it, which an
/// error may repeat.
fn collect(json: &Value, values: &mut Vec<String>, names: &mut Vec<String>) {
    match json {
        Value::String(text) if is_telling(text) => values.push(text.clone()),
        Value::Number(number) if is_telling(&number.to_string()) => {
            values.push(number.to_string());
        }
        Value::Array(all) => all.iter().for_each(|one| collect(one, values, names)),
        Value::Object(object) => {
            for (name, one) in object {
                names.push(name.clone());
                collect(one, values, names);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
