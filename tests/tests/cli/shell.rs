//! The command line itself: options, the environment, pipes, completion, manual.

use std::{fs, process::Stdio};

use crate::{
    bureau,
    support::{Ledger, Ran, Server, Target, luzhang, run},
};

#[test]
fn a_command_about_no_ledger_or_about_two_is_misused() {
    for lang in ["zh", "en"] {
        run(["audit", "head", "--lang", lang]).failed(2, "USAGE");
        let both = [
            "--server",
            "http://127.0.0.1:1",
            "--data-dir",
            "x",
            "audit",
            "head",
        ];
        run(both.iter().chain(&["--lang", lang])).failed(2, "USAGE");
        let server = ["--server", "http://127.0.0.1:1", "--lang", lang];
        for command in [&["init"][..], &["serve"]] {
            run(command.iter().chain(&server)).failed(2, "USAGE");
        }
        for url in [
            "http://127.0.0.1:1",
            "127.0.0.1:1",
            "no url at all",
            "http://",
        ] {
            let ran = run(["audit", "head", "--server", url, "--lang", lang]);
            ran.failed(7, "SERVER_UNREACHABLE");
            assert!(
                ran.err.contains(url) && ran.err.contains("luzhang serve"),
                "{}",
                ran.err
            );
        }
    }
    let misused: [&[&str]; 8] = [
        &[],
        &["--no-such"],
        &["no-such"],
        &["import", "--data-dir", "x"],
        &["event", "show", "first", "--data-dir", "x"],
        &["audit", "head", "-o", "xml"],
        &["subject", "show", "x", "--on", "2025-02-30"],
        &["audit", "verify", "--head", "x", "--receipt", "y"],
    ];
    for arguments in misused {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["--version"], &["import", "--help"]] {
        let ran = run(arguments).ended(0);
        assert!(!ran.out.is_empty() && ran.err.is_empty());
    }
}

#[test]
fn a_flag_goes_before_the_environment() {
    let ledger = Ledger::new();
    let dir = ledger.dir().into_os_string();
    let other = Ledger::new();
    let server = Server::start(&other.dir());
    let (head, other_head) = (ledger.target().head(), server.target().head());
    let with = |environment: &[(&str, &str)], options: &[&str]| -> Ran {
        let mut command = luzhang();
        command
            .envs(environment.iter().copied())
            .args(["audit", "head"]);
        command.args(options).output().unwrap().into()
    };
    let dir = dir.to_str().unwrap();
    let (data_dir, server_url) = (("LUZHANG_DATA_DIR", dir), ("LUZHANG_SERVER", server.url()));
    for (environment, options, expected) in [
        (&[data_dir][..], &[][..], &head),
        (&[server_url], &[], &other_head),
        (&[server_url], &["--data-dir", dir], &head),
        (&[data_dir], &["--server", server.url()], &other_head),
        (&[data_dir, server_url], &["--data-dir", dir], &head),
        (
            &[data_dir, server_url],
            &["--server", server.url()],
            &other_head,
        ),
        (
            &[("LUZHANG_DATA_DIR", "/nowhere")],
            &["--data-dir", dir],
            &head,
        ),
    ] {
        let ran = with(environment, options).ended(0);
        assert_eq!(ran.out.trim(), expected, "{environment:?} {options:?}");
    }
    with(&[data_dir, server_url], &[]).failed(2, "USAGE");

    // Languages: the flag, then the variable, then the locale.
    let nowhere = ["--server", "http://127.0.0.1:1"];
    for (environment, options, is_zh) in [
        (&[("LC_ALL", "zh_CN.UTF-8")][..], &[][..], true),
        (&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")], &[], false),
        (&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")], &[], true),
        (&[("LC_ALL", "de_DE.UTF-8")], &[], false),
        (&[("LUZHANG_LANG", "zh")], &[], true),
        (&[("LUZHANG_LANG", "zh")], &["--lang", "en"], false),
        (&[("LC_ALL", "zh_CN"), ("LUZHANG_LANG", "en")], &[], false),
    ] {
        let ran = with(environment, &[&nowhere[..], options].concat());
        ran.failed(7, "SERVER_UNREACHABLE");
        assert_eq!(
            ran.err.contains("无法连接"),
            is_zh,
            "{environment:?} {options:?}"
        );
    }
}

/// `luzhang … | head`: whoever has read enough is no error.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let ledger = bureau();
    let tables = format!(
        "{}/../cli/demo/06-training-allowance.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let commands: [&[&str]; 12] = [
        &["report", "register", "-o", "table"],
        &["report", "register", "-o", "json"],
        &["report", "register", "-o", "ndjson"],
        &["report", "register", "-o", "csv"],
        &["report", "totals"],
        &["policy", "show"],
        &["policy", "show", "-o", "csv"],
        &["event", "show", "1"],
        &["import", &tables],
        &["import", &tables, "-o", "csv"],
        &["audit", "verify"],
        &["completion", "bash"],
    ];
    for command in commands {
        let mut child = luzhang()
            .args(ledger.target().options())
            .args(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Before it has written anything.
        drop(child.stdout.take());
        let ran = Ran::from(child.wait_with_output().unwrap()).ended(0);
        assert_eq!(ran.err, "", "{command:?}");
    }
}

#[test]
fn results_go_to_standard_output_and_talk_to_standard_error() {
    let ledger = Ledger::new();
    let target = Target::data_dir(&ledger.file("second"));
    let made = target.run(["init", "--lang", "zh"]).ended(0);
    assert!(made.out.starts_with("已建立账本 ") && made.out.lines().count() == 1);
    assert!(made.err.contains("keys"), "{}", made.err);
    let demo = bureau();
    // No progress bar, no colour, where nobody watches.
    for command in [
        &["rebuild"][..],
        &["audit", "verify"],
        &["report", "register"],
    ] {
        for no_colour in [None, Some("1")] {
            let mut asked = luzhang();
            asked.args(demo.target().options()).args(command);
            asked.envs(no_colour.map(|value| ("NO_COLOR", value)));
            let ran = Ran::from(asked.output().unwrap()).ended(0);
            assert_eq!(ran.err, "", "{command:?}");
            assert!(!ran.out.contains('\u{1b}'), "{command:?}");
        }
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let ledger = Ledger::new();
    let man = ledger.file("deep/man");
    run(["man", man.to_str().unwrap()]).ended(0);
    let pages: Vec<_> = fs::read_dir(&man)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let commands = [
        "init",
        "serve",
        "submit",
        "import",
        "event",
        "subject",
        "explain",
        "policy",
        "audit",
        "rebuild",
        "report",
        "bench",
        "demo",
        "completion",
        "man",
    ];
    for command in commands {
        assert!(
            pages.contains(&format!("luzhang-{command}.1")),
            "{command}: {pages:?}"
        );
    }
    for page in [
        "luzhang.1",
        "luzhang-audit-verify.1",
        "luzhang-report-totals.1",
    ] {
        assert!(
            fs::read_to_string(man.join(page)).unwrap().contains(".TH"),
            "{page}"
        );
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(["completion", shell]).ended(0).out;
        for command in commands {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    run(["completion", "tcsh"]).ended(2);
}

/// The demo needs nothing, ends by itself, and says what to try next.
#[test]
fn the_demo_tells_its_story() {
    let scratch = Ledger::new();
    let dir = scratch.file("demo");
    for (lang, words) in [
        (
            "zh",
            [
                "逐行一致",
                "M04_UI_OVERLAP",
                "完整",
                "全部一致",
                "已被篡改",
                "接下来",
            ],
        ),
        (
            "en",
            [
                "row by row",
                "M04_UI_OVERLAP",
                "intact",
                "all equal",
                "tampered",
                "try next",
            ],
        ),
    ] {
        let place = dir.join(lang);
        let ran = run(["demo", "--lang", lang, "--dir", place.to_str().unwrap()]).ended(0);
        for word in words {
            assert!(ran.out.contains(word), "{word}: {}", ran.out);
        }
        assert_eq!(ran.err, "");
        // What it says to try works.
        let data = Target::data_dir(&place.join("ledger"));
        let totals = data.run(["report", "totals", "-o", "json"]).ended(0);
        assert_eq!(totals.json()["conflicts"], 3);
        // A second time it does not go over the first.
        let again = run(["demo", "--lang", lang, "--dir", place.to_str().unwrap()]);
        again.failed(6, "LEDGER_EXISTS");
    }
}
