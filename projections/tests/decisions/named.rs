//! Each limit of the catalogue has a test that begins with its id.

use std::{fs, path::Path};

const LIMITS: [&str; 30] = [
    "g_window",
    "g_param",
    "g_budget",
    "m04_cap",
    "m04_day",
    "m04_once",
    "m04_ui",
    "m04_elig",
    "m04_att",
    "m04_cert",
    "m05_amt",
    "m05_once",
    "m05_fund",
    "m15_amt",
    "m15_cond",
    "m15_elig",
    "m15_uniq",
    "m15_trans",
    "m16_amt",
    "m16_once",
    "m16_valid",
    "m22_cap",
    "m22_count",
    "m22_repeat",
    "m22_int",
    "m22_no_loan",
    "m22_period",
    "p_notice",
    "p_eyes",
    "p_pay",
];

#[test]
fn every_limit_of_the_catalogue_has_a_test_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = fs::read_dir(root.join("tests/decisions")).unwrap();
    let files = tests.map(|entry| entry.unwrap().path());
    let files = files.chain([root.join("src/limits/tests.rs")]);
    let sources: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for limit in LIMITS {
        let test = format!("#[test]\nfn {limit}_");
        let found = sources.iter().any(|source| source.contains(&test));
        assert!(found, "no test begins with {limit}_");
    }
}
