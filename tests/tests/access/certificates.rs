//! `luzhang cert`: what it makes, and what it says of what there is.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::Value;

use crate::{
    is_han,
    support::{Ledger, Pki, SecureServer, Signed, luzhang, run},
};

fn files(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn row(document: &Value, file: &str) -> Value {
    let rows = document["rows"].as_array().unwrap().iter();
    let ends = |row: &&Value| row["place"].as_str().unwrap().ends_with(file);
    rows.clone()
        .find(ends)
        .unwrap_or_else(|| panic!("{file}: {document}"))
        .clone()
}

#[test]
fn a_ca_a_server_and_accounts_are_made_once_and_never_again() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("deep/pki");
    let path = dir.to_str().unwrap();
    let made = run(["cert", "dev", path, "--principal", "clerk-1", "-o", "json"]).ended(0);
    let document = made.json();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["files"].as_array().unwrap().len(), 6);
    let names = ["ca", "server", "clerk-1"];
    let all = names
        .iter()
        .flat_map(|n| [format!("{n}.crt"), format!("{n}.key")]);
    let all: BTreeSet<String> = all.collect();
    assert_eq!(files(&dir), all);
    for file in &all {
        let mode = fs::metadata(dir.join(file)).unwrap().permissions().mode() & 0o777;
        let secret = Path::new(file).extension().is_some_and(|e| e == "key");
        assert!(!secret || mode == 0o600, "{file} has {mode:o}");
    }
    let mode = fs::metadata(&dir).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);

    let before: Vec<Vec<u8>> = all.iter().map(|f| fs::read(dir.join(f)).unwrap()).collect();
    for again in [
        &["--principal", "clerk-1"][..],
        &["--principal", "clerk-2", "--principal", "clerk-1"],
        &["--principal", "clerk-2", "--host", "ledger.example"],
        &[],
    ] {
        let ran = run(["cert", "dev", path].iter().chain(again));
        ran.failed(6, "CERTIFICATE_EXISTS");
        let ran = run(["cert", "dev", path, "--lang", "zh"].iter().chain(again));
        ran.failed(6, "CERTIFICATE_EXISTS");
        assert!(ran.err.chars().any(is_han), "{}", ran.err);
    }
    assert_eq!(files(&dir), all, "something was made in spite of that");
    let after: Vec<Vec<u8>> = all.iter().map(|f| fs::read(dir.join(f)).unwrap()).collect();
    assert_eq!(before, after);

    run(["cert", "dev", path, "--principal", "书记员"]).ended(0);
    let shown = run(["cert", "show", path, "-o", "json"]).ended(0).json();
    assert_eq!(shown["schema_version"], 1);
    let (ca, one, two) = (
        row(&shown, "ca.crt"),
        row(&shown, "clerk-1.crt"),
        row(&shown, "书记员.crt"),
    );
    assert_eq!(one["principal"], "clerk-1");
    assert_eq!(two["principal"], "书记员");
    assert_eq!(
        (&ca["principal"], &row(&shown, "server.crt")["principal"]),
        (&"".into(), &"".into())
    );
    assert_eq!(one["issuer"], ca["subject"]);
    assert_eq!(two["issuer"], ca["subject"]);
    let days_left = one["days_left"].as_i64().unwrap();
    assert!((364..=365).contains(&days_left), "{one}");
    let credentials: BTreeSet<&str> = [&ca, &one, &two]
        .map(|row| row["credential"].as_str().unwrap())
        .into();
    assert_eq!(credentials.len(), 3);
    assert!(credentials.iter().all(|c| c.len() == 64));
}

#[test]
fn an_account_whose_name_is_no_files_is_refused_before_anything_is_made() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("pki");
    let path = dir.to_str().unwrap();
    for name in [
        "../clerk",
        "a/b",
        "/etc/x",
        "..",
        ".hidden",
        "-x",
        "a b",
        "a\\b",
        "ca",
        "CA",
        "server",
        "luzhang",
        "a\u{202e}b",
        "a:b",
        "",
    ] {
        for lang in ["zh", "en"] {
            let option = format!("--principal={name}");
            let ran = run([
                "cert",
                "dev",
                path,
                "--principal",
                "fine",
                &option,
                "--lang",
                lang,
            ]);
            let code = match name {
                "" | "a\u{202e}b" => "USAGE",
                _ => "CERTIFICATE_NAME",
            };
            ran.failed(2, code);
            assert!(!ran.err.contains('\u{202e}'), "{:?}", ran.err);
        }
        assert!(!dir.exists(), "{name:?}");
    }
    for host in ["", "a b", "http://x", "主机"] {
        run(["cert", "dev", path, "--host", host]).failed(2, "USAGE");
    }
    assert!(files(scratch.path()).is_empty());
}

#[test]
fn what_has_expired_is_shown_and_told_by_the_exit_code() {
    let pki = Pki::new(&["clerk-1"]);
    let show = |of: &str, lang: &str| run(["cert", "show", of, "--lang", lang]);
    show(pki.path(), "en").ended(0);
    for (file, from, until, state, en, zh, exit) in [
        ("late", -7_200, -3_600, "expired", "EXPIRED", "已过期", 1),
        (
            "soon",
            -60,
            86_400 * 29,
            "expires_soon",
            "expires soon",
            "即将过期",
            0,
        ),
        ("long", -60, 86_400 * 31, "valid", "valid", "有效", 0),
        (
            "early",
            3_600,
            86_400 * 99,
            "not_yet_valid",
            "not yet valid",
            "尚未生效",
            0,
        ),
    ] {
        let signed = Signed {
            file,
            names: &["clerk-1"],
            from,
            until,
            ..Signed::default()
        };
        let crt = pki.sign(&signed).with_extension("crt");
        let crt = crt.to_str().unwrap();
        assert!(show(crt, "en").ended(exit).out.contains(en), "{file}");
        assert!(show(crt, "zh").ended(exit).out.contains(zh), "{file}");
        let document = run(["cert", "show", crt, "-o", "json"]).ended(exit).json();
        assert_eq!(document["rows"][0]["state"], state);
        assert_eq!(
            document["rows"][0]["days_left"].as_i64().unwrap() < 0,
            exit == 1
        );
    }
    // Of a directory, one is enough.
    show(pki.path(), "en").ended(1);
    let nothing = tempfile::tempdir().unwrap();
    show(nothing.path().to_str().unwrap(), "en").failed(1, "FILE_IO");
    show("nowhere.crt", "en").failed(1, "FILE_IO");
    let key = pki.identity("clerk-1.key");
    let ran = show(key.to_str().unwrap(), "en");
    ran.failed(1, "TLS_FILE_INVALID");
    let secret = fs::read_to_string(&key).unwrap();
    let secret = secret.lines().nth(1).unwrap();
    assert!(!ran.err.contains(secret));
    run(["cert", "show"]).failed(2, "USAGE");
    let own = luzhang()
        .args(["cert", "show", "-o", "json"])
        .env("LUZHANG_IDENTITY", pki.identity("clerk-1"))
        .output()
        .unwrap();
    let own = crate::support::Ran::from(own).ended(0).json();
    assert_eq!(own["rows"][0]["principal"], "clerk-1");
}

#[test]
fn a_servers_certificate_can_be_seen_before_it_is_believed() {
    let ledger = Ledger::new();
    let site = SecureServer::start(&ledger.dir(), &["clerk-1"], &[]);
    let of_file = run(["cert", "show", site.pki.path(), "-o", "json"]).json();
    let of_server = run(["cert", "show", site.server.url(), "-o", "json"]).ended(0);
    let of_server = of_server.json();
    let credential = &of_server["rows"][0]["credential"];
    assert_eq!(*credential, row(&of_file, "server.crt")["credential"]);
    let (url, plain) = ("https://127.0.0.1:1", Ledger::new());
    run(["cert", "show", url]).failed(7, "SERVER_UNREACHABLE");
    let plain = crate::support::Server::start(&plain.dir());
    let url = plain.url().replace("http://", "https://");
    run(["cert", "show", &url]).failed(7, "SERVER_UNREACHABLE");
}
