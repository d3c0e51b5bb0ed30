//! Whether the hot path keeps to its budgets, in instructions and allocations, which
//! are the same on a busy machine and on an idle one.
//!
//! The workload (`src/main.rs`) is built as it is shipped and run under callgrind, which
//! writes down for each item what was executed. Counted are the instructions of our
//! program, libraries in Rust included. Not counted is what the C library does, as it
//! chooses by processor how it copies; allocations are counted by number instead.
//! BLAKE3 is built without instructions that not every processor has: one hash costs
//! more than in the program that is shipped, and the same everywhere.
//!
//! An item that costs 10 % more than its budget, or 10 % less, fails: the first should
//! not be, and the second should not be lost again. `UPDATE_BUDGETS=1 cargo test -p
//! luzhang-budgets` writes `budgets.toml` anew.
#![cfg(target_arch = "x86_64")]

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

/// How many of each item the workload does.
const COUNT: u64 = 1_000;
/// What may be more or less, in percent.
const TOLERANCE: u64 = 10;
/// So few allocations more are none.
const SLACK: u64 = COUNT / 20;

/// What a thousand of an item take.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Cost {
    instructions: u64,
    allocations: u64,
}

type Costs = BTreeMap<String, Cost>;

#[test]
fn the_hot_path_keeps_to_its_budgets() {
    let counted = count();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("budgets.toml");
    if env::var_os("UPDATE_BUDGETS").is_some() {
        fs::write(&file, written(&counted)).unwrap();
        return;
    }
    let budgets: Costs = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let complaints = complaints(&counted, &budgets);
    assert!(
        complaints.is_empty(),
        "\n{complaints}\nIf it is worth that, or to keep what was gained, renew the budgets:\n  \
         UPDATE_BUDGETS=1 cargo test -p luzhang-budgets\nand say why in the commit.\n"
    );
}

/// Builds the workload and runs it.
fn count() -> Costs {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let workload = build(&scratch.join("counted"));
    let out = tempdir(scratch);
    let run = Command::new("valgrind")
        .arg("--tool=callgrind")
        // No line of a source is asked for, and names are read as they stand.
        .args(["--compress-strings=no", "--compress-pos=no"])
        .arg("--dump-after=workload::measured::*")
        .arg(format!("--callgrind-out-file={}/out", out.display()))
        .arg(workload)
        // Nothing but the workload decides what it does.
        .env_clear()
        .output();
    let run = run.unwrap_or_else(|error| panic!("valgrind is needed to count: {error}"));
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let mut costs = Costs::new();
    for dump in fs::read_dir(&out).unwrap() {
        let dump = fs::read_to_string(dump.unwrap().path()).unwrap();
        if let Some((item, cost)) = read(&dump) {
            assert!(costs.insert(item, cost).is_none(), "an item counted twice");
        }
    }
    fs::remove_dir_all(&out).unwrap();
    assert!(!costs.is_empty(), "callgrind counted nothing");
    costs
}

fn build(target: &Path) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo
        .args(["build", "--quiet", "--locked", "--profile=counted"])
        .args(["--package=luzhang-budgets", "--features=portable"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // Others build otherwise; this build is always the same.
    for (name, _) in env::vars_os() {
        let known = name.to_string_lossy();
        if known.starts_with("CARGO_PROFILE_")
            || known.starts_with("CARGO_BUILD_")
            || known.ends_with("RUSTFLAGS")
        {
            cargo.env_remove(&name);
        }
    }
    assert!(
        cargo.status().unwrap().success(),
        "the workload is not built"
    );
    target.join("counted/workload")
}

/// An empty directory of this process.
fn tempdir(scratch: &Path) -> PathBuf {
    let dir = scratch.join(format!("callgrind-{}", std::process::id()));
    // What a killed run left behind.
    let _absent = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// One dump of callgrind: which item ended, and what it took; `None` of a preparation.
///
/// Its lines are `ob=` for the program or library that follows, `fn=` for the function,
/// `calls=` for a call, whose next line is what the callee took altogether, and else a
/// place and what was executed there.
fn read(dump: &str) -> Option<(String, Cost)> {
    let trigger = dump
        .lines()
        .find_map(|line| line.strip_prefix("desc: Trigger: --dump-after="))?;
    let item = trigger.strip_prefix("workload::measured::")?.to_owned();
    if item == "begin" {
        return None;
    }
    let mut cost = Cost::default();
    let (mut is_ours, mut called) = (false, "");
    let mut lines = dump.lines();
    while let Some(line) = lines.next() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_ours = object.ends_with("/workload");
        } else if let Some(function) = line.strip_prefix("cfn=") {
            called = function;
        } else if let Some(calls) = line.strip_prefix("calls=") {
            let number = calls.split(' ').next().unwrap();
            if matches!(called, "malloc" | "calloc" | "realloc" | "posix_memalign") {
                cost.allocations += number.parse::<u64>().unwrap();
            }
            lines.next();
        } else if is_ours && line.starts_with(|first: char| first.is_ascii_digit()) {
            let executed = line.split(' ').nth(1).unwrap();
            cost.instructions += executed.parse::<u64>().unwrap();
        }
    }
    Some((item, cost))
}

/// What is not as the budgets say, a line each.
fn complaints(counted: &Costs, budgets: &Costs) -> String {
    let mut complaints = String::new();
    for item in budgets.keys().filter(|item| !counted.contains_key(*item)) {
        writeln!(complaints, "{item} has a budget, but is not counted").unwrap();
    }
    for (item, cost) in counted {
        let Some(budget) = budgets.get(item) else {
            writeln!(complaints, "{item} is counted, but has no budget").unwrap();
            continue;
        };
        for (what, counted, budget, slack) in [
            ("instructions", cost.instructions, budget.instructions, 0),
            ("allocations", cost.allocations, budget.allocations, SLACK),
        ] {
            if counted.abs_diff(budget) <= (budget / 100 * TOLERANCE).max(slack) {
                continue;
            }
            let verdict = if counted > budget { "more" } else { "less" };
            writeln!(
                complaints,
                "{item} takes {} {what}, {} % {verdict} than its budget of {}",
                each(counted),
                (counted.abs_diff(budget) * 100).div_ceil(budget.max(1)),
                each(budget),
            )
            .unwrap();
        }
    }
    complaints
}

/// What one takes, where a thousand take so much.
fn each(thousand: u64) -> String {
    format!("{}.{:03}", thousand / COUNT, thousand % COUNT)
}

fn written(costs: &Costs) -> String {
    let mut text = "# What a thousand take of each work item of the hot path; see \
                    tests/counts.rs for what\n# is counted. Written by `UPDATE_BUDGETS=1 cargo \
                    test -p luzhang-budgets`.\n"
        .to_owned();
    for (item, cost) in costs {
        let Cost {
            instructions,
            allocations,
        } = cost;
        write!(
            text,
            "\n[{item}]\ninstructions = {instructions}\nallocations = {allocations}\n"
        )
        .unwrap();
    }
    text
}

#[test]
fn what_costs_more_or_less_is_named() {
    let costs = |instructions, allocations| {
        let cost = Cost {
            instructions,
            allocations,
        };
        Costs::from([("decode".to_owned(), cost)])
    };
    let budget = costs(1_000_000, 6_000);
    for (counted, expected) in [
        (costs(1_100_000, 6_600), ""),
        (costs(900_000, 5_400), ""),
        (
            costs(1_100_001, 6_000),
            "decode takes 1100.001 instructions, 11 % more than its budget of 1000.000\n",
        ),
        (
            costs(899_999, 6_000),
            "decode takes 899.999 instructions, 11 % less than its budget of 1000.000\n",
        ),
        (
            costs(1_000_000, 7_000),
            "decode takes 7.000 allocations, 17 % more than its budget of 6.000\n",
        ),
        (Costs::new(), "decode has a budget, but is not counted\n"),
    ] {
        assert_eq!(complaints(&counted, &budget), expected);
    }
    assert_eq!(
        complaints(&budget, &Costs::new()),
        "decode is counted, but has no budget\n"
    );
    assert_eq!(
        toml::from_str::<Costs>(&written(&budget)).unwrap(),
        budget,
        "what is written can be read"
    );
}
