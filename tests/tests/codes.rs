//! Every code that the program can give is in the catalogue, and the catalogue
//! has no others. The program's codes are read from its sources, so that a new
//! one cannot be forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    str::FromStr as _,
};

use luzhang_projections::{
    Pack,
    codes::{self, Kind},
};
use proc_macro2::{Delimiter, Group, LexError, TokenStream, TokenTree};

/// Names in capitals that are no codes: of environment variables.
const NO_CODES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "NO_COLOR"];
const NO_CODE_PREFIXES: [&str; 3] = ["LUZHANG_", "CARGO_", "OTEL_"];

/// Codes that this version no longer gives. Ledgers of earlier ones may hold
/// them, so they stay in the catalogue.
const RETIRED: [&str; 0] = [];

#[test]
fn codes_are_unique_and_well_formed() {
    let mut seen = BTreeSet::new();
    for entry in codes::all() {
        assert!(seen.insert(entry.code), "{} is there twice", entry.code);
        assert!(is_code(entry.code), "{} is not in capitals", entry.code);
        assert_eq!(codes::find(entry.code), Some(entry));
    }
}

#[test]
fn every_entry_is_written_in_both_languages() {
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for entry in codes::all() {
        let codes::Entry {
            code,
            title,
            paragraph,
            ..
        } = entry;
        for text in [title, paragraph] {
            assert!(text.zh.chars().any(is_han), "{code}: no Chinese");
            assert!(
                !text.en.is_empty() && !text.en.chars().any(is_han),
                "{code}: no English"
            );
            for text in [text.zh, text.en] {
                assert_eq!(text, text.trim(), "{code}");
                assert!(
                    !text.contains("  ") && !text.contains('\n'),
                    "{code}: {text}"
                );
            }
        }
        assert!(
            !title.zh.ends_with('。') && !title.en.ends_with('.'),
            "{code}"
        );
        for (paragraph, stop) in [(paragraph.zh, '。'), (paragraph.en, '.')] {
            assert!(paragraph.ends_with(stop), "{code}: {paragraph}");
            let sentences =
                paragraph.split_inclusive(['。', '；']).count() + paragraph.matches(". ").count();
            assert!(sentences >= 2, "{code}: only one sentence: {paragraph}");
        }
    }
}

#[test]
fn figures_of_a_policy_are_the_packs_and_said_to_be() {
    let has_figure = |text: &str| {
        let money = text.contains('¥') || text.contains(" yuan");
        let zh_money = text
            .split('元')
            .rev()
            .skip(1)
            .any(|before| before.ends_with(|c: char| c.is_ascii_digit() || c == '万'));
        money || zh_money
    };
    for entry in codes::all() {
        if entry.kind != Kind::Refusal {
            continue;
        }
        let texts = entry.paragraph;
        for text in [texts.zh, texts.en] {
            assert!(!has_figure(text), "{}: {text}", entry.code);
        }
        if has_figure(entry.title.zh) || entry.title.zh.contains(|c: char| c.is_ascii_digit()) {
            for text in [texts.zh, texts.en] {
                assert!(
                    text.contains("luzhou-2023"),
                    "{}: whose figure?",
                    entry.code
                );
            }
        }
    }
}

#[test]
fn every_limit_of_a_pack_is_explained_as_a_refusal() {
    let limits = pack_codes().unwrap();
    assert!(limits.contains("M04_DAY_DUP"), "{limits:?}");
    for code in &limits {
        let kind = codes::find(code).map(|entry| entry.kind);
        assert_eq!(kind, Some(Kind::Refusal), "{code}");
    }
    let refusals = codes::all()
        .iter()
        .filter(|entry| entry.kind == Kind::Refusal);
    for refusal in refusals.filter(|entry| !RETIRED.contains(&entry.code)) {
        assert!(
            limits.contains(refusal.code),
            "no limit gives {}",
            refusal.code
        );
    }
}

#[test]
fn every_code_that_is_given_is_explained() {
    let given = source_codes().unwrap();
    // The scan itself works: these come from four different kinds of source.
    for known in [
        "AMOUNT_FORMAT",
        "NO_POLICY",
        "LEDGER_LOCKED",
        "TEMPLATE_UNKNOWN",
    ] {
        assert!(
            given.contains_key(known),
            "{known} was not found in the sources"
        );
    }
    let missing: Vec<_> = given
        .iter()
        .filter(|(code, _)| codes::find(code).is_none())
        .collect();
    assert!(missing.is_empty(), "not in the catalogue: {missing:#?}");
}

#[test]
fn every_code_that_is_explained_is_given() {
    let (given, limits) = (source_codes().unwrap(), pack_codes().unwrap());
    let unused: Vec<&str> = codes::all()
        .iter()
        .map(|entry| entry.code)
        .filter(|code| !given.contains_key(*code) && !limits.contains(*code))
        .filter(|code| !RETIRED.contains(code))
        .collect();
    assert!(unused.is_empty(), "nothing gives: {unused:#?}");
}

#[test]
fn the_scan_reads_code_and_leaves_tests_and_comments() {
    for (source, expected) in [
        (
            r#"fn f() -> &'static str { "SOME_CODE" }"#,
            &["SOME_CODE"][..],
        ),
        (
            r#"match x { Self::A => "A1_B2", _ => r"RAW_S" }"#,
            &["A1_B2", "RAW_S"],
        ),
        (r##"const X: &str = r#"RAW_ONE"#;"##, &["RAW_ONE"]),
        (r#"vec![reason("IN_MACRO")]"#, &["IN_MACRO"]),
        (
            r#"let a = ("AB_C", "A_BC", 'c', b"BYTES_NOT", "a_b", "A_", "_A", "A__B", "AB");"#,
            &["AB_C"],
        ),
        (r#"// "A_COMMENT""#, &[]),
        ("/// A_COMMENT\nfn f() {}", &[]),
        (r#"/* "A_COMMENT" /* "NESTED_ONE" */ */ fn f() {}"#, &[]),
        (
            r#"#[cfg(test)] mod tests { const A: &str = "IN_TEST"; } const B: &str = "AFTER_IT";"#,
            &["AFTER_IT"],
        ),
        (
            r#"#[cfg(test)] #[allow(x, reason = "y")] fn f() { "IN_TEST"; } fn g() { "AFTER_IT"; }"#,
            &["AFTER_IT"],
        ),
        (
            r#"#[cfg(all(test, unix))] const A: [&str; 1] = ["IN_TEST"]; const B: &str = "AFTER_IT";"#,
            &["AFTER_IT"],
        ),
        (r#"#[cfg(unix)] const A: &str = "NOT_TEST";"#, &["NOT_TEST"]),
        (r#"#![cfg(test)] const A: &str = "IN_TEST";"#, &[]),
        (
            r#"mod a { #[cfg(test)] mod tests { f("IN_TEST"); } fn g() { "AFTER_IT"; } }"#,
            &["AFTER_IT"],
        ),
    ] {
        let found = Scan::of(source).unwrap();
        let codes: Vec<&str> = found.codes.iter().map(String::as_str).collect();
        assert_eq!(codes, expected, "{source}");
    }
    let found = Scan::of("#[cfg(test)]\nmod tests;\nmod other;").unwrap();
    assert_eq!(found.test_modules, ["tests"]);
}

/// Codes of the limits of all packs that are delivered.
fn pack_codes() -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut codes = BTreeSet::new();
    for file in files(&workspace().join("policies"), "toml")? {
        let pack = Pack::load(&fs::read(&file)?)?;
        codes.extend(pack.limits.iter().map(|limit| limit.code.clone()));
    }
    Ok(codes)
}

/// Codes in the sources, and the files that have them. The catalogue is not
/// looked at, nor is any module for tests.
fn source_codes() -> Result<BTreeMap<String, BTreeSet<PathBuf>>, Box<dyn Error>> {
    let catalogue = workspace().join("projections/src/codes");
    let mut tests: Vec<PathBuf> = Vec::new();
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    for room in ["ledger", "projections", "server", "cli"] {
        for file in files(&workspace().join(room).join("src"), "rs")? {
            if file.starts_with(&catalogue) {
                continue;
            }
            let scan = Scan::of(&fs::read_to_string(&file)?)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            let home = home(&file);
            tests.extend(scan.test_modules.iter().map(|module| home.join(module)));
            found.extend(scan.codes.into_iter().map(|code| (file.clone(), code)));
        }
    }
    let mut codes: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for (file, code) in found {
        // `a/tests` is `a/tests.rs`, or what is below `a/tests/`.
        let in_test =
            |module: &PathBuf| file.with_extension("") == *module || file.starts_with(module);
        if !tests.iter().any(in_test) {
            codes.entry(code).or_default().insert(file);
        }
    }
    Ok(codes)
}

/// The directory in which a file's modules are.
fn home(file: &Path) -> PathBuf {
    let named_by_directory = ["mod", "lib", "main"]
        .iter()
        .any(|stem| file.file_stem().is_some_and(|s| s == *stem));
    if named_by_directory {
        file.parent().unwrap_or(file).to_path_buf()
    } else {
        file.with_extension("")
    }
}

/// What a source holds.
#[derive(Default)]
struct Scan {
    /// String literals that are codes, in order.
    codes: Vec<String>,
    /// Modules in files of their own that are compiled for tests alone.
    test_modules: Vec<String>,
}

impl Scan {
    fn of(source: &str) -> Result<Self, LexError> {
        let mut scan = Self::default();
        scan.read(TokenStream::from_str(source)?);
        Ok(scan)
    }

    fn read(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Literal(literal) => self.codes.extend(code(&literal.to_string())),
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    let inner = tokens.next_if(|t| is_mark(t, '!')).is_some();
                    let attribute = tokens.next_if(|t| matches!(t, TokenTree::Group(_)));
                    match attribute {
                        Some(TokenTree::Group(group)) if is_for_tests(&group) => {
                            if inner {
                                return;
                            }
                            self.skip_item(&mut tokens);
                        }
                        Some(TokenTree::Group(group)) => self.read(group.stream()),
                        _ => {}
                    }
                }
                TokenTree::Punct(_) | TokenTree::Ident(_) => {}
            }
        }
    }

    fn skip_item(&mut self, tokens: &mut impl Iterator<Item = TokenTree>) {
        let mut after_mod = false;
        let mut module = None;
        for token in tokens {
            if is_mark(&token, ';') {
                self.test_modules.extend(module);
                return;
            }
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
                TokenTree::Ident(word) => {
                    if after_mod {
                        module = Some(word.to_string());
                    }
                    after_mod = word == "mod";
                }
                TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == mark)
}

fn is_for_tests(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// The code that a literal is, if it is one. A code needs no escapes.
fn code(literal: &str) -> Option<String> {
    let text = literal
        .strip_prefix('r')
        .unwrap_or(literal)
        .trim_matches('#');
    let text = text.strip_prefix('"')?.strip_suffix('"')?;
    let other = NO_CODES.contains(&text) || NO_CODE_PREFIXES.iter().any(|p| text.starts_with(p));
    (is_code(text) && !other).then(|| text.to_owned())
}

/// `^[A-Z][A-Z0-9]+(_[A-Z0-9]+)+$`
fn is_code(text: &str) -> bool {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let words: Vec<&str> = text.split('_').collect();
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && words.len() > 1
        && words.first().is_some_and(|word| word.len() > 1)
        && words
            .iter()
            .all(|word| !word.is_empty() && word.chars().all(capital))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below a directory with this ending, in order.
fn files(directory: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
