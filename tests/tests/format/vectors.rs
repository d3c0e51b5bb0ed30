//! Reads FORMAT.md: its golden vectors, and the files that it prints.
//!
//! A fenced block marked `vectors` holds lines `name = hex`. Hex may go on over
//! indented lines; `#` begins a comment; `{name}` stands for an earlier vector.

use std::collections::BTreeMap;

const DOCUMENT: &str = include_str!("../../../FORMAT.md");

/// All golden vectors, by name.
pub(crate) fn vectors() -> BTreeMap<String, Vec<u8>> {
    let mut vectors: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for block in fenced("vectors") {
        let mut name = None;
        for line in block.lines() {
            let line = line.split('#').next().unwrap();
            let mut words = line;
            if !line.starts_with(' ')
                && let Some((left, right)) = line.split_once('=')
            {
                let left = left.trim().to_owned();
                let twice = vectors.insert(left.clone(), Vec::new());
                assert_eq!(twice, None, "FORMAT.md gives `{left}` twice");
                name = Some(left);
                words = right;
            }
            for word in words.split_whitespace() {
                let bytes = match word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
                    Some(other) => vectors[other].clone(),
                    None => unhex(word),
                };
                let name = name.as_ref().expect("a vector begins with its name");
                vectors.get_mut(name).unwrap().extend(bytes);
            }
        }
    }
    vectors
}

/// The file that FORMAT.md prints in the one fenced block with this mark.
pub(crate) fn printed(mark: &str) -> String {
    let mut blocks = fenced(mark).into_iter();
    let block = blocks
        .next()
        .unwrap_or_else(|| panic!("FORMAT.md has no `{mark}` block"));
    assert_eq!(blocks.next(), None, "FORMAT.md has two `{mark}` blocks");
    block
}

/// Hexadecimal digits to bytes.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "an odd number of digits: {text}");
    pairs
        .iter()
        .map(|pair| {
            let pair = std::str::from_utf8(pair).unwrap();
            u8::from_str_radix(pair, 16).unwrap_or_else(|_| panic!("not hexadecimal: {text}"))
        })
        .collect()
}

fn fenced(mark: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in DOCUMENT.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(found)) => open = Some((found == mark, String::new())),
            (Some((wanted, text)), Some(_)) => {
                if *wanted {
                    blocks.push(std::mem::take(text));
                }
                open = None;
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "FORMAT.md ends inside a fenced block");
    blocks
}
