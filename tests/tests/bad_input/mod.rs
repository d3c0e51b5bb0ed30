//! Bad input, of every kind that a bureau meets: a clear error in both
//! languages, nothing acknowledged is lost, good rows go through, and the server
//! goes on where it can.

mod disk;
mod files;
mod requests;
mod rows;

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use crate::support::{Ran, Target, run};

/// What a reader of one language must find in an error.
#[derive(Clone, Copy, Debug)]
struct Words<'a> {
    zh: &'a [&'a str],
    en: &'a [&'a str],
}

/// Every word is there.
#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

/// Runs the same command in both languages; each says the code and its words.
#[track_caller]
fn says_in_both(target: &Target, arguments: &[&str], code: &str, words: Words<'_>) {
    for (lang, words) in [("zh", words.zh), ("en", words.en)] {
        let ran = target.run(arguments.iter().chain(&["--lang", lang]));
        let all = format!("{}{}", ran.out, ran.err);
        let line = all.lines().find(|line| line.contains(code));
        says(line.unwrap_or_else(|| panic!("no {code}: {all}")), words);
    }
    explained(code);
}

/// `luzhang explain CODE` says in both languages what to do.
#[track_caller]
fn explained(code: &str) {
    let advice = [("zh", "请", '。'), ("en", " ", '.')];
    for (lang, word, stop) in advice {
        let ran = run(["explain", code, "--lang", lang]).ended(0);
        let paragraph = ran.out.lines().nth(1).unwrap_or_default();
        assert!(paragraph.contains(word), "no advice in: {paragraph}");
        let sentences = paragraph.matches(stop).count();
        assert!(
            sentences >= 2 && paragraph.ends_with(stop),
            "no sentences: {paragraph}"
        );
    }
}

/// `outcome CODES` of each row of an import.
fn outcomes(ran: &Ran) -> Vec<String> {
    let row = |line: &Value| {
        let codes = line["codes"].as_array().unwrap().iter();
        let codes = codes.map(|code| code.as_str().unwrap());
        let outcome = line["outcome"].as_str().unwrap();
        [outcome]
            .into_iter()
            .chain(codes)
            .collect::<Vec<_>>()
            .join(" ")
    };
    ran.lines().iter().map(row).collect()
}

/// The positions of the rows that are on the chain.
fn positions(ran: &Ran) -> BTreeSet<u64> {
    ran.lines()
        .iter()
        .filter_map(|line| line["position"].as_u64())
        .collect()
}

fn import(target: &Target, file: &Path) -> Ran {
    target.run([
        Path::new("import"),
        file,
        Path::new("-o"),
        Path::new("ndjson"),
    ])
}
