//! Mutual TLS: whoever has a certificate is whom it says, and nobody else is let in.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    is_han,
    raw::{self, PREFACE, closed, say},
    support::{
        Bureau, Ledger, Pki, Ran, SecureServer, Server, Signed, Target, govern, run, signal,
    },
    until,
};

/// A command that is taken whoever sends it.
fn appropriation(document: &str) -> Value {
    json!({
        "office": "510502",
        "appropriation": {
            "document": document, "fund": "市级就业创业补助资金", "programme": "training-allowance",
            "office": "510502", "year": 2025, "amount_fen": 100,
        },
    })
}

fn submit(target: &Target, document: &str) -> Ran {
    let command = appropriation(document).to_string();
    target.run_with_input(["submit", "-", "-o", "json"], &command)
}

fn principal_of(target: &Target, position: &Value) -> String {
    let position = position.to_string();
    let event = target
        .run(["event", "show", &position, "-o", "json"])
        .ended(0);
    let event = event.json();
    event["event"]["principal"].as_str().unwrap().to_owned()
}

/// Both languages say so, under the same code.
#[track_caller]
fn denied(target: &Target, arguments: &[&str], exit: i32, code: &str) -> [String; 2] {
    ["zh", "en"].map(|lang| {
        let ran = target.run(arguments.iter().chain(&["--lang", lang]));
        ran.failed(exit, code);
        let said = ran.err.chars().any(is_han);
        assert_eq!(said, lang == "zh", "{}", ran.err);
        ran.err
    })
}

#[test]
fn what_a_clerk_sends_is_recorded_in_the_name_of_the_certificate() {
    let ledger = Ledger::new();
    let site = SecureServer::start(&ledger.dir(), &["clerk-1", "书记员"], &[]);
    assert!(site.server.url().starts_with("https://"));
    let clerk = site.target("clerk-1");
    let demo = Bureau::demo();
    let files = demo.files();
    let ran = clerk.run(["import", files[0].to_str().unwrap(), "-o", "ndjson"]);
    let imported = ran.ended(0).lines();
    assert!(imported.len() > 3, "{imported:?}");
    // After the beginning, its pack, and four mandates.
    assert_eq!(principal_of(&clerk, &json!(7)), "clerk-1");
    let other = site.target("书记员");
    let sent = submit(&other, "泸财〔2025〕9号").ended(0).json();
    let position = &sent["accepted"]["receipt"]["position"];
    assert_eq!(principal_of(&clerk, position), "书记员", "{sent}");
    // Whoever repeats the certificate's name says nothing new.
    let same = site.target("clerk-1").with(&["--principal", "clerk-1"]);
    let sent = submit(&same, "泸财〔2025〕10号").ended(0).json();
    let position = &sent["accepted"]["receipt"]["position"];
    assert_eq!(principal_of(&clerk, position), "clerk-1");
    let ended = site.server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(!ended.err.contains("no TLS"), "{}", ended.err);
}

#[test]
fn a_request_cannot_name_another_account_than_the_certificate() {
    let ledger = Ledger::new();
    let site = SecureServer::start(&ledger.dir(), &["clerk-1", "clerk-2"], &[]);
    let forged = site.target("clerk-1").with(&["--principal", "clerk-2"]);
    let head = site.target("clerk-2").head();
    for command in [
        &["audit", "head"][..],
        &["event", "show", "1"],
        &["report", "totals"],
        &["policy", "list"],
    ] {
        let [zh, en] = denied(&forged, command, 4, "PRINCIPAL_MISMATCH");
        assert!(zh.contains("clerk-1") && en.contains("clerk-1"));
    }
    submit(&forged, "泸财〔2025〕9号").failed(4, "PRINCIPAL_MISMATCH");
    // Nothing of it is on the log but that it was denied.
    let clerk = site.target("clerk-2");
    let position = |head: String| -> u64 { head.split_once(':').unwrap().0.parse().unwrap() };
    for at in position(head) + 1..=position(clerk.head()) {
        let event = clerk.run(["event", "show", &at.to_string(), "-o", "json"]);
        let event = event.ended(0).json();
        assert_eq!(
            event["event"]["access_denied"]["code"],
            "PRINCIPAL_MISMATCH"
        );
    }
}

#[test]
fn a_certificate_that_does_not_do_is_denied_with_its_code() {
    let ledger = Ledger::new();
    let mut site = SecureServer::start(&ledger.dir(), &["clerk-1", "书"], &[]);
    let pki = &site.pki;
    let head = site.target("clerk-1").head();
    let foreign = Pki::new(&["clerk-1"]);
    // A CA by the same name as ours, and nothing else in common.
    let twin = Pki::new(&[]);
    fs::copy(pki.ca(), twin.ca()).unwrap();
    let twin = twin.sign(&Signed::default());
    let sign = |file, names, uris| {
        pki.sign(&Signed {
            file,
            names,
            uris,
            ..Signed::default()
        })
    };
    let expired = pki.sign(&Signed {
        file: "expired",
        names: &["clerk-9"],
        from: -7_200,
        until: -3_600,
        ..Signed::default()
    });
    let early = pki.sign(&Signed {
        file: "early",
        from: 3_600,
        until: 7_200,
        ..Signed::default()
    });
    let urn = "urn:luzhang:principal:";
    assert_eq!(urn, luzhang_server::tls::certificate::URN);
    let ours = |identity: &Path| {
        let ca = pki.ca();
        let options = ["--ca", ca.to_str().unwrap()];
        site.server.target().with(&options).identified(identity)
    };
    for (target, code, says) in [
        (
            site.server
                .target()
                .with(&["--ca", pki.ca().to_str().unwrap()]),
            "CERTIFICATE_REQUIRED",
            "--identity",
        ),
        (
            ours(&foreign.identity("clerk-1")),
            "CERTIFICATE_UNTRUSTED",
            "clerk-1.crt",
        ),
        (ours(&twin), "CERTIFICATE_UNTRUSTED", "odd.crt"),
        (ours(&expired), "CERTIFICATE_EXPIRED", "clerk-9"),
        (ours(&early), "CERTIFICATE_NOT_YET_VALID", "odd"),
        (
            ours(&sign("nobody", &[], &[])),
            "CERTIFICATE_NAMELESS",
            "nobody.crt",
        ),
        (
            ours(&sign("ledger", &["luzhang"], &[])),
            "CERTIFICATE_NAMELESS",
            "ledger.crt",
        ),
        (
            ours(&sign("control", &["a\u{202e}b"], &[])),
            "CERTIFICATE_NAMELESS",
            "control.crt",
        ),
        (
            ours(&sign(
                "two",
                &["x"],
                &["urn:luzhang:principal:a", "urn:luzhang:principal:b"],
            )),
            "CERTIFICATE_NAMELESS",
            "two.crt",
        ),
        (
            ours(&sign("broken", &["x"], &["urn:luzhang:principal:%zz"])),
            "CERTIFICATE_NAMELESS",
            "broken.crt",
        ),
        (
            ours(&pki.identity("server")),
            "CERTIFICATE_INVALID",
            "server.crt",
        ),
        (ours(&pki.identity("ca")), "CERTIFICATE_INVALID", "ca.crt"),
    ] {
        let [zh, en] = denied(&target, &["audit", "head"], 4, code);
        assert!(zh.contains(says) && en.contains(says), "{code}: {zh}{en}");
        submit(&target, "泸财〔2025〕9号").failed(4, code);
    }
    // The chain says so too, though not whose certificates they were.
    let auditor = site.target("clerk-1");
    until("what was denied before anything was asked", || {
        let denials = auditor.run(["principal", "denials", "-o", "json"]);
        let rows = denials.ended(0).json()["rows"].clone();
        let rows = rows.as_array().unwrap().clone();
        assert!(!Value::from(rows.clone()).to_string().contains("clerk-9"));
        let is_there = |code: &str| {
            let mut rows = rows.iter();
            rows.any(|row| row["code"] == code && row["action"] == "connection")
        };
        let codes = ["CERTIFICATE_EXPIRED", "CERTIFICATE_UNTRUSTED"];
        codes.iter().all(|code| is_there(code)).then_some(())
    });
    // The alternative name counts more, and is decoded.
    let named = sign(
        "named",
        &["x"],
        &["https://else.example", "urn:luzhang:principal:%E4%B9%A6"],
    );
    let sent = submit(&ours(&named), "泸财〔2025〕9号").ended(0).json();
    let position = &sent["accepted"]["receipt"]["position"];
    let good = site.target("clerk-1");
    assert_eq!(principal_of(&good, position), "书");
    assert_ne!(good.head(), head);
    // A key that is another certificate's is seen before anything is sent.
    fs::copy(pki.identity("clerk-1.crt"), pki.identity("mixed.crt")).unwrap();
    fs::copy(pki.identity("server.key"), pki.identity("mixed.key")).unwrap();
    denied(
        &ours(&pki.identity("mixed")),
        &["audit", "head"],
        1,
        "TLS_KEY_MISMATCH",
    );
    denied(
        &ours(&pki.identity("gone")),
        &["audit", "head"],
        1,
        "FILE_IO",
    );
    // The log has codes, and no names of people who were not let in.
    let said = site.server.said();
    assert!(said.contains("code=\"CERTIFICATE_"), "{said}");
    assert!(
        !said.contains("clerk-9") && !said.contains("nobody"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_server_is_believed_by_its_ca_and_by_its_name() {
    let ledger = Ledger::new();
    let site = SecureServer::start(&ledger.dir(), &["clerk-1"], &["--listen", "0.0.0.0:0"]);
    let port = site.server.url().rsplit(':').next().unwrap().to_owned();
    let at = |host: &str| Target::server(&format!("https://{host}:{port}"));
    let clerk = site.pki.identity("clerk-1");
    at("127.0.0.1")
        .identified(&clerk)
        .run(["audit", "head"])
        .ended(0);
    at("localhost")
        .identified(&clerk)
        .run(["audit", "head"])
        .ended(0);
    let [_, en] = denied(
        &at("127.0.0.2").identified(&clerk),
        &["audit", "head"],
        4,
        "SERVER_NAME_MISMATCH",
    );
    assert!(en.contains("127.0.0.2"), "{en}");
    let foreign = Pki::new(&["clerk-1"]);
    for target in [
        at("127.0.0.1").identified(&foreign.identity("clerk-1")),
        at("127.0.0.1"),
    ] {
        let [zh, en] = denied(&target, &["audit", "head"], 4, "SERVER_UNTRUSTED");
        assert!(zh.contains("--ca") && en.contains("--ca"), "{zh}{en}");
    }
    site.server.terminate();

    let pki = site.pki;
    let late = pki.sign(&Signed {
        file: "late",
        from: -7_200,
        until: -3_600,
        server: true,
        ..Signed::default()
    });
    let ca = pki.ca();
    let (cert, key) = (late.with_extension("crt"), late.with_extension("key"));
    let arguments = [
        "--tls-cert",
        cert.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
        "--tls-client-ca",
        ca.to_str().unwrap(),
    ];
    let server = Server::with(&ledger.dir(), arguments, "warn");
    let target = server.target().identified(&clerk);
    let [zh, en] = denied(&target, &["audit", "head"], 4, "CERTIFICATE_EXPIRED");
    assert!(
        zh.contains("服务器") && en.contains("the server"),
        "{zh}{en}"
    );
}

#[test]
fn plain_and_tls_that_meet_say_so() {
    let ledger = Ledger::new();
    let site = SecureServer::start(&ledger.dir(), &["clerk-1"], &[]);
    let plain = Target::server(&site.server.url().replace("https://", "http://"));
    let [_, en] = denied(&plain, &["audit", "head"], 4, "TLS_REQUIRED");
    assert!(en.contains("https://"), "{en}");
    let other = Ledger::new();
    let server = Server::start(&other.dir());
    let secure = Target::server(&server.url().replace("http://", "https://"));
    let secure = secure.identified(&site.pki.identity("clerk-1"));
    denied(&secure, &["audit", "head"], 7, "TLS_HANDSHAKE");
}

#[test]
fn without_tls_only_this_machine_is_listened_to() {
    let ledger = Ledger::new();
    for arguments in [
        &["--listen", "0.0.0.0:0"][..],
        &["--listen", "[::]:0"],
        &["--listen", "127.0.0.1:0", "--web", "0.0.0.0:0"],
    ] {
        let serve = |lang: &str| {
            let command = ["serve"].iter().chain(arguments);
            ledger.target().run(command.chain(&["--lang", lang]))
        };
        for lang in ["zh", "en"] {
            let ran = serve(lang);
            ran.failed(1, "NOT_LOOPBACK");
            assert!(ran.err.contains("TLS"), "{}", ran.err);
        }
    }
    // It says that it believes whom it hears.
    let ended = Server::start(&ledger.dir()).terminate();
    assert!(
        ended.err.contains("no TLS") && ended.err.contains("--tls"),
        "{}",
        ended.err
    );
    // Files that do not do are found before anything is served.
    let pki = Pki::new(&[]);
    let serve = |arguments: &[&str]| {
        let all = ["serve", "--listen", "127.0.0.1:0"].iter().chain(arguments);
        ledger.target().run(all)
    };
    let (crt, key) = (pki.identity("server.crt"), pki.identity("ca.key"));
    let (crt, key) = (crt.to_str().unwrap(), key.to_str().unwrap());
    serve(&["--tls", "nowhere"]).failed(1, "FILE_IO");
    serve(&["--tls", pki.path(), "--tls-key", key]).failed(1, "TLS_KEY_MISMATCH");
    serve(&["--tls", pki.path(), "--tls-key", crt]).failed(1, "TLS_FILE_INVALID");
    serve(&["--tls", pki.path(), "--tls-client-ca", key]).failed(1, "TLS_FILE_INVALID");
    serve(&["--tls-cert", crt]).failed(2, "USAGE");
}

/// What the server shows to whoever looks.
fn credential(url: &str) -> Value {
    let shown = run(["cert", "show", url, "-o", "json"]).ended(0).json();
    shown["rows"][0]["credential"].clone()
}

#[test]
fn certificates_are_replaced_while_the_server_runs() {
    let ledger = Ledger::new();
    let mut site = SecureServer::start(&ledger.dir(), &["clerk-1"], &[]);
    let url = site.server.url().to_owned();
    let clerk = site.target("clerk-1");
    let first = credential(&url);
    let mut open = raw::secure(&url, &site.pki, &site.pki.identity("clerk-1"));
    say(&mut open, PREFACE);

    // Two files cannot be replaced at once: for a moment they do not fit.
    let renewed = Pki::new(&[]);
    let dir = site.pki.dir().to_owned();
    let replace = |from: &Path, name: &str| {
        let beside = dir.join("new");
        fs::copy(from, &beside).unwrap();
        fs::rename(&beside, dir.join(name)).unwrap();
    };
    let new = site.pki.sign(&Signed {
        file: "next",
        server: true,
        ..Signed::default()
    });
    replace(&new.with_extension("crt"), "server.crt");
    let said = until("a word on the key", || {
        let said = site.server.said();
        said.contains("TLS_KEY_MISMATCH").then_some(said)
    });
    assert!(said.contains("the old ones are"), "{said}");
    assert_eq!(credential(&url), first);
    clerk.run(["audit", "head"]).ended(0);
    replace(&new.with_extension("key"), "server.key");
    let second = until("the new certificate", || {
        Some(credential(&url)).filter(|now| *now != first)
    });
    clerk.run(["audit", "head"]).ended(0);

    // Broken, and the server is told to look at once.
    fs::write(
        dir.join("server.crt"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
    )
    .unwrap();
    signal("HUP", site.server.process());
    until("a word on the file", || {
        site.server
            .said()
            .contains("TLS_FILE_INVALID")
            .then_some(())
    });
    assert_eq!(credential(&url), second);
    clerk.run(["audit", "head"]).ended(0);
    fs::remove_file(dir.join("server.crt")).unwrap();
    until("a word on its absence", || {
        site.server.said().contains("FILE_IO").then_some(())
    });
    assert_eq!(credential(&url), second);
    replace(&new.with_extension("crt"), "server.crt");

    // Another CA: whom the old one certified is nobody now, from the next connection
    // on.
    let ours = dir.join("ours.crt");
    fs::copy(dir.join("ca.crt"), &ours).unwrap();
    replace(&renewed.ca(), "ca.crt");
    signal("HUP", site.server.process());
    let clerk = clerk.with(&["--ca", ours.to_str().unwrap()]);
    until("the new CA", || {
        let ran = clerk.run(["audit", "head"]);
        ran.err.starts_with("CERTIFICATE_UNTRUSTED: ").then_some(())
    });
    renewed.add(&["clerk-1"]);
    let other = Target::server(&url).identified(&renewed.identity("clerk-1"));
    other
        .with(&["--ca", ours.to_str().unwrap()])
        .run(["audit", "head"])
        .ended(0);
    // Who was connected all the while still is.
    say(&mut open, b"\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678");
    let mut heard = Vec::new();
    until("the answer to a ping", || {
        let mut some = [0; 1024];
        let read = std::io::Read::read(&mut open, &mut some).unwrap();
        assert_ne!(read, 0, "closed");
        heard.extend_from_slice(&some[..read]);
        heard
            .windows(8)
            .any(|eight| eight == b"12345678")
            .then_some(())
    });
}

#[test]
fn a_connection_ends_with_the_certificate_that_it_was_made_with() {
    let ledger = Ledger::new();
    let mut site = SecureServer::start(&ledger.dir(), &[], &[]);
    let brief = site.pki.sign(&Signed {
        until: 4,
        ..Signed::default()
    });
    let mut open = raw::secure(site.server.url(), &site.pki, &brief);
    say(&mut open, PREFACE);
    let lasted = closed(&mut open);
    assert!((1..=10).contains(&lasted.as_secs()), "{lasted:?}");
    let said = site.server.said();
    assert!(said.contains("CERTIFICATE_EXPIRED"), "{said}");
}

#[test]
fn the_tree_is_published_over_tls_and_needs_no_certificate() {
    let ledger = Ledger::new();
    let pki = Pki::new(&["clerk-1"]);
    govern(&ledger.dir(), &["clerk-1"]);
    let arguments = ["--tls", pki.path(), "--checkpoint-every", "1s"];
    let (server, tiles) = Server::publishing(&ledger.dir(), arguments);
    assert!(tiles.starts_with("https://"), "{tiles}");
    let clerk = server.target().identified(&pki.identity("clerk-1"));
    let ca = pki.ca();
    let ca = ca.to_str().unwrap();
    submit(&clerk, "泸财〔2025〕9号").ended(0);
    clerk.run(["checkpoint", "show"]).ended(0);
    let keys = clerk.run(["checkpoint", "keys", "-o", "json"]).ended(0);
    let key = keys.json()["rows"][0]["key"].as_str().unwrap().to_owned();
    let verify = |options: &[&str]| {
        let all = ["audit", "verify", "--tiles", &tiles, "--key", &key];
        clerk.run(all.iter().chain(options))
    };
    until("a checkpoint", || {
        let ran = verify(&[]);
        (ran.code == 0).then_some(())
    });
    let file = ledger.file("export");
    let out = ["audit", "export", "--out", file.to_str().unwrap()];
    clerk.run(out).ended(0);
    let alone = |options: &[&str]| {
        let all = [
            "audit",
            "verify",
            file.to_str().unwrap(),
            "--tiles",
            &tiles,
            "--key",
            &key,
        ];
        run(all.iter().chain(options))
    };
    until("the newest checkpoint", || {
        let ran = alone(&["--ca", ca]);
        (ran.code == 0).then_some(())
    });
    for lang in ["zh", "en"] {
        let ran = alone(&["--lang", lang]);
        ran.failed(11, "SERVER_UNTRUSTED");
        assert!(ran.err.contains("--ca"), "{}", ran.err);
    }
    // Somebody watches it, who has no certificate either.
    let state = ledger.file("state");
    let watch = |options: &[&str]| {
        let all = ["audit", "watch", &tiles, "--key", &key, "--once", "--state"];
        run(all
            .iter()
            .copied()
            .chain([state.to_str().unwrap()])
            .chain(options.iter().copied()))
    };
    watch(&["--ca", ca]).ended(0);
    let ran = watch(&[]);
    assert!(ran.err.starts_with("SERVER_UNTRUSTED: "), "{ran:?}");
}
