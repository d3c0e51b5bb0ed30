//! What the README shows as output is output.

use std::path::Path;

mod support;

const BEGIN: &str = "<!-- demo -->\n```text\n";
const END: &str = "```\n<!-- /demo -->";

/// Hashes, addresses, directories and times differ from run to run; everything
/// else is compared to the letter.
fn steady(text: &str) -> String {
    let volatile = |word: &str| {
        let bare = word.trim_end_matches([',', '…']);
        bare.contains("/luzhang-demo-")
            || bare.starts_with("http://127.0.0.1:")
            || bare.len() >= 32 && bare.chars().all(|c| c.is_ascii_hexdigit() || c == ':')
            || bare.split_once('.').is_some_and(|(whole, tenth)| {
                tenth.len() == 1 && whole.parse::<u16>().is_ok() && tenth.parse::<u8>().is_ok()
            })
    };
    let lines = text.lines().map(|line| {
        let words = line
            .split(' ')
            .map(|word| if volatile(word) { "*" } else { word });
        words.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_demo_prints_what_the_readme_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shown = readme
        .split_once(BEGIN)
        .unwrap()
        .1
        .split_once(END)
        .unwrap()
        .0;
    let printed = support::run(["demo", "--lang", "en"]).ended(0).out;
    for line in printed.lines() {
        if let Some(dir) = line.split(' ').find(|word| word.contains("/luzhang-demo-")) {
            // The demo leaves its ledger for whoever tried it; a test does not.
            let dir = Path::new(dir.trim_end_matches(',')).parent().unwrap();
            let _gone = std::fs::remove_dir_all(dir);
            break;
        }
    }
    assert_eq!(steady(&printed), steady(shown));
}

/// SECURITY.md says which test shows what: those tests are there.
#[test]
fn the_tests_that_security_md_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let mut sources = String::new();
    read_all(&root.join("tests/tests"), &mut sources);
    read_all(&root.join("projections/tests"), &mut sources);
    let names: std::collections::BTreeSet<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.matches('_').count() >= 3)
        .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}()")), "{name}");
    }
}

fn read_all(dir: &Path, into: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
