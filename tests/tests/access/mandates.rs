//! Mandates on the command line: given, used, taken back; and the first minute of a
//! new user.

use std::fs;

use serde_json::Value;

use crate::{
    is_han,
    support::{Bureau, Ledger, SecureServer, Server, Target, run},
    until,
};

fn rows(target: &Target, arguments: &[&str]) -> Vec<Value> {
    let ran = target.run(arguments.iter().chain(&["-o", "json"])).ended(0);
    ran.json()["rows"].as_array().unwrap().clone()
}

/// The three commands of the README.
#[test]
fn a_new_user_has_a_server_with_tls_and_imports_as_a_clerk() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("ledger");
    let certs = scratch.path().join("certs");
    let data_dir = ["--data-dir", dir.to_str().unwrap()];
    run(["init", "--dev-certs", certs.to_str().unwrap()]
        .iter()
        .chain(&data_dir))
    .ended(0);
    let server = Server::with(&dir, ["--tls", certs.to_str().unwrap()], "warn");
    assert!(server.url().starts_with("https://"));
    let clerk = server.target().identified(&certs.join("clerk"));
    let files = Bureau::demo().files();
    let poverty = files[0].to_str().unwrap();
    let ran = clerk.run(["import", poverty, "-o", "json"]).ended(0);
    assert_eq!(ran.json()["accepted"], 40, "{}", ran.out);
    // Money is not the clerk's to make.
    let money = files
        .iter()
        .find(|f| f.ends_with("05-appropriations.csv"))
        .unwrap();
    let ran = clerk.run([
        "import",
        money.to_str().unwrap(),
        "-o",
        "table",
        "--lang",
        "zh",
    ]);
    assert!(
        ran.out.contains("ROLE_REQUIRED") && ran.out.contains("政策与指标"),
        "{}",
        ran.out
    );
    let steward = server.target().identified(&certs.join("steward"));
    steward.run(["import", money.to_str().unwrap()]).ended(0);
    let auditor = server.target().identified(&certs.join("auditor"));
    auditor.run(["audit", "verify"]).ended(0);
    auditor.run(["audit", "redecide"]).ended(0);
    // The key that acted is on the chain.
    let event = auditor
        .run(["event", "show", "15", "-o", "json"])
        .ended(0)
        .json();
    let credential = event["event"]["credential"].as_str().unwrap();
    let shown = run([
        "cert",
        "show",
        certs.join("clerk.crt").to_str().unwrap(),
        "-o",
        "json",
    ]);
    assert!(shown.ended(0).out.contains(credential), "{credential}");
    // 33 rows were denied, and few events say so.
    let denied = until("the denials", || {
        let denied = rows(&auditor, &["principal", "denials"]);
        let count: i64 = denied
            .iter()
            .map(|row| row["count"].as_i64().unwrap())
            .sum();
        (count == 33).then_some(denied)
    });
    assert!(denied.len() <= 3, "{denied:?}");
    assert_eq!(denied[0]["principal"], "clerk");
    assert_eq!(denied[0]["action"], "appropriation");
}

#[test]
fn a_mandate_is_given_by_two_used_and_taken_back() {
    let ledger = Ledger::new();
    let site = SecureServer::start(&ledger.dir(), &["clerk-1"], &[]);
    site.pki.add(&["administrator", "administrator-2", "new"]);
    let [one, two, new] = ["administrator", "administrator-2", "new"].map(|name| site.target(name));
    for lang in ["zh", "en"] {
        let ran = new.run(["policy", "list", "--lang", lang]);
        ran.failed(4, "PRINCIPAL_UNKNOWN");
        assert_eq!(ran.err.chars().any(is_han), lang == "zh", "{}", ran.err);
    }
    let propose = [
        "principal",
        "propose",
        "new",
        "--role",
        "clerk,reporter",
        "--office",
        "510502",
    ];
    let proposed = one
        .run(propose.iter().chain(&["-o", "json"]))
        .ended(0)
        .json();
    let position = proposed["accepted"]["receipt"]["position"].to_string();
    one.run(["principal", "confirm", &position])
        .failed(4, "SECOND_ADMINISTRATOR");
    two.run(["principal", "confirm", &position]).ended(0);
    two.run(["principal", "confirm", &position])
        .failed(5, "UNKNOWN_PROPOSAL");
    new.run(["policy", "list"]).ended(0);
    let held = rows(&one, &["principal", "list"]);
    let row = held.iter().find(|row| row["principal"] == "new").unwrap();
    assert_eq!(row["roles"], "clerk reporter");
    assert_eq!(row["offices"], "510502");
    new.run([
        "audit",
        "export",
        "--out",
        ledger.file("x").to_str().unwrap(),
    ])
    .failed(4, "SCOPE_WHOLE");
    let few = ["principal", "revoke", "administrator-2"];
    one.run(few).failed(1, "ADMINISTRATORS_TOO_FEW");
    let revoked = two
        .run(["principal", "revoke", "new", "-o", "json"])
        .ended(0)
        .json();
    let position = revoked["accepted"]["receipt"]["position"].to_string();
    one.run(["principal", "confirm", &position]).ended(0);
    new.run(["policy", "list"]).failed(4, "PRINCIPAL_REVOKED");
}

#[test]
fn a_mandate_that_names_a_key_is_lost_with_no_other() {
    let ledger = Ledger::new();
    let site = SecureServer::start(&ledger.dir(), &["clerk-1"], &[]);
    site.pki.add(&["administrator", "administrator-2"]);
    let shown = site.pki.dir().join("clerk-1.crt");
    let shown = run(["cert", "show", shown.to_str().unwrap(), "-o", "json"])
        .ended(0)
        .json();
    let credential = shown["rows"][0]["credential"].as_str().unwrap().to_owned();
    let propose = |credential: &str| {
        let arguments = [
            "principal",
            "propose",
            "clerk-1",
            "--role",
            "clerk",
            "--credential",
            credential,
            "-o",
            "json",
        ];
        let proposed = site.target("administrator").run(arguments).ended(0).json();
        let position = proposed["accepted"]["receipt"]["position"].to_string();
        let confirm = ["principal", "confirm", &position];
        site.target("administrator-2").run(confirm).ended(0);
    };
    propose(&credential);
    site.target("clerk-1").run(["policy", "list"]).ended(0);
    // The old key was lost; the mandate names the new one.
    propose(&"ab".repeat(32));
    site.target("clerk-1")
        .run(["policy", "list"])
        .failed(4, "CREDENTIAL_UNKNOWN");
}

#[test]
fn without_mandates_there_is_no_tls_and_with_them_no_name_is_not_enough() {
    let ledger = Ledger::new();
    let pki = crate::support::Pki::new(&["clerk-1"]);
    let refused = ledger
        .target()
        .run(["serve", "--tls", pki.path(), "--listen", "127.0.0.1:0"]);
    refused.failed(1, "PRINCIPALS_NONE");
    let one = [
        "principal",
        "found",
        "--administrator",
        "a",
        "--administrator",
        "a",
    ];
    ledger.target().run(one).failed(1, "ADMINISTRATORS_TOO_FEW");
    let two = [
        "principal",
        "found",
        "--administrator",
        "a",
        "--administrator",
        "b",
    ];
    ledger.target().run(two).ended(0);
    ledger.target().run(two).failed(1, "PRINCIPALS_EXIST");
    let server = Server::start(&ledger.dir());
    server
        .target()
        .run(["policy", "list"])
        .failed(4, "PRINCIPAL_REQUIRED");
    let a = server.target().with(&["--principal", "a"]);
    a.run(["policy", "list"]).ended(0);
    drop(server);
    // Whoever may open the directory reads it; to act they need a mandate.
    ledger.target().run(["policy", "list"]).ended(0);
    let file = ledger.file("list.csv");
    fs::write(&file, "姓名,身份证号码,认定日期,终止日期,名册版本\n").unwrap();
    let file = Bureau::demo().files()[0].clone();
    let ran = ledger
        .target()
        .run(["import", file.to_str().unwrap(), "-o", "table"]);
    assert!(ran.code != 0 && (ran.out + &ran.err).contains("PRINCIPAL_UNKNOWN"));
}
