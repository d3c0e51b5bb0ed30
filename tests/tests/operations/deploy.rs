//! `deploy/compose.yaml` and the units of systemd: valid, complete, and in words that the
//! program understands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use serde_json::Value;

use crate::{
    metrics::{metrics_of, until},
    monitoring::{root, text},
    scrape::Scrape,
    support::{
        Server, Target,
        database::{Cluster, url},
        luzhang, run,
    },
};

const COMPOSE: &str = "deploy/compose.yaml";

fn python(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("python3")
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    (output.status.success(), format!("{said}{err}"))
}

/// The file as compose understands it.
fn compose() -> Value {
    let (read, json) = python(&["tests/compose.py", COMPOSE]);
    assert!(read, "{json}");
    serde_json::from_str(&json).unwrap()
}

fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().unwrap().iter()
}

fn texts(value: &Value) -> Vec<&str> {
    let list = value.as_array().map_or(&[][..], |list| list);
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

/// A service's environment.
fn environment(service: &Value) -> BTreeMap<&str, &str> {
    let pairs = service["environment"].as_object().unwrap().iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect()
}

#[test]
fn the_compose_file_is_one_by_the_compose_specification() {
    let schema = [
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
    ];
    let (valid, said) = python(&[&schema[..], &[COMPOSE]].concat());
    assert!(valid, "{said}");
    // The check itself works.
    let scratch = tempfile::tempdir().unwrap();
    let broken = scratch.path().join("compose.yaml");
    let wrong = text(COMPOSE).replacen("    command: ", "    comand: ", 1);
    fs::write(&broken, wrong).unwrap();
    let (valid, said) = python(&[&schema[..], &[broken.to_str().unwrap()]].concat());
    assert!(!valid && said.contains("comand"), "{said}");
}

#[test]
fn everything_that_the_compose_file_names_is_there() {
    let compose = compose();
    let names: BTreeSet<&String> = services(&compose).map(|(name, _)| name).collect();
    for wanted in [
        "luzhang-1",
        "luzhang-2",
        "db-1",
        "db-2",
        "db-3",
        "etcd-1",
        "etcd-2",
        "etcd-3",
    ] {
        assert!(names.contains(&wanted.to_owned()), "{names:?}");
    }
    let mut mounted = BTreeSet::new();
    let mut published = BTreeSet::new();
    for (name, service) in services(&compose) {
        // What it is built from.
        let build = &service["build"];
        let context = build.as_str().or(build["context"].as_str()).unwrap();
        let context = root().join("deploy").join(context);
        let dockerfile = context.join(build["dockerfile"].as_str().unwrap_or("Dockerfile"));
        let words = fs::read_to_string(&dockerfile).unwrap();
        for line in words.lines().filter_map(|line| line.strip_prefix("COPY ")) {
            let mut files: Vec<&str> = line.split(' ').collect();
            files.pop();
            if !files[0].starts_with("--from=") {
                assert!(
                    files.iter().all(|file| context.join(file).exists()),
                    "{line}"
                );
            }
        }
        // Whom it waits for.
        let waits: Vec<(&str, &str)> = match &service["depends_on"] {
            Value::Object(waits) => waits
                .iter()
                .map(|(on, how)| (on.as_str(), how["condition"].as_str().unwrap()))
                .collect(),
            list => texts(list).into_iter().map(|on| (on, "")).collect(),
        };
        for (on, condition) in waits {
            assert!(names.contains(&on.to_owned()), "{name} waits for {on}");
            let on = &compose["services"][on];
            match condition {
                "service_healthy" => assert!(on["healthcheck"]["test"].is_array(), "{name}"),
                "service_completed_successfully" => assert_eq!(on["restart"], "no"),
                other => assert_eq!(other, "", "{name}"),
            }
        }
        for volume in texts(&service["volumes"]) {
            let source = volume.split(':').next().unwrap();
            if source.starts_with(['.', '/']) {
                assert!(root().join("deploy").join(source).exists(), "{volume}");
            } else {
                mounted.insert(source.to_owned());
            }
        }
        for port in texts(&service["ports"]) {
            let parts: Vec<&str> = port.split(':').collect();
            let [address, outside, inside] = parts[..] else {
                panic!("{port}");
            };
            assert_eq!(address, "127.0.0.1", "{name}: {port}");
            assert!(published.insert(outside.to_owned()), "{outside} twice");
            // Where the program listens by default, as the documentation says.
            assert!(["7380", "7381"].contains(&inside), "{port}");
        }
    }
    let declared = compose["volumes"].as_object().unwrap().keys();
    assert_eq!(mounted, declared.cloned().collect());
    // One for each, but for what both servers need.
    for shared in ["ledger-1", "ledger-2"] {
        let users = services(&compose).filter(|(name, service)| {
            let volumes = texts(&service["volumes"]);
            let place = format!("{shared}:/var/lib/luzhang");
            *name != "prepare" && volumes.contains(&place.as_str())
        });
        assert_eq!(users.count(), 1, "{shared}");
    }
}

/// What the options of `luzhang serve` and those of every command are called in the
/// environment.
fn known_environment() -> BTreeSet<String> {
    let mut known = BTreeSet::from(["LUZHANG_LOG".to_owned()]);
    for command in [&["serve", "--help"][..], &["doctor", "--help"]] {
        let help = run(command).ended(0).out;
        let names = help.split("[env: ").skip(1);
        known.extend(names.map(|rest| {
            let end = rest.find(['=', ']']).unwrap();
            rest[..end].to_owned()
        }));
    }
    assert!(known.contains("LUZHANG_DATA_DIR"), "{known:?}");
    known
}

/// A command line is understood: it ends for want of a ledger, and not of sense.
#[track_caller]
fn is_understood<'a>(
    arguments: &[&str],
    environment: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    let environment: BTreeMap<&str, &str> = environment.into_iter().collect();
    let mut command = luzhang();
    if !environment.contains_key("LUZHANG_SERVER") {
        command.env("LUZHANG_DATA_DIR", "/nowhere/at/all");
    }
    let output = command.args(arguments).envs(environment).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert_ne!(output.status.code(), Some(2), "{arguments:?}: {said}");
}

#[test]
fn the_program_understands_what_the_compose_file_tells_it() {
    let compose = compose();
    let known = known_environment();
    let mut servers = 0;
    for (name, service) in services(&compose) {
        let environment = environment(service);
        if name.starts_with("luzhang-") {
            servers += 1;
            let command = texts(&service["command"]);
            assert_eq!(command.contains(&"--standby"), name == "luzhang-2");
            assert_eq!(environment["LUZHANG_TLS"], "/etc/luzhang/tls");
            let filled = environment
                .iter()
                .map(|(name, value)| (*name, filled(value)));
            let filled: Vec<(&str, String)> = filled.collect();
            is_understood(
                &command,
                filled.iter().map(|(name, value)| (*name, value.as_str())),
            );
            let words = texts(&service["healthcheck"]["test"]);
            assert_eq!(words[..2], ["CMD", "luzhang"]);
            is_understood(&words[2..], []);
        }
        for variable in environment
            .keys()
            .filter(|name| name.starts_with("LUZHANG_"))
        {
            // Which is the database's own.
            let is_known = known.contains(*variable) || *variable == "LUZHANG_DB_PASSWORD";
            assert!(is_known, "{name}: the program knows no {variable}");
        }
    }
    assert_eq!(servers, 2);
    // The check itself works.
    let wrong = std::panic::catch_unwind(|| is_understood(&["serve", "--stand-by"], []));
    assert!(wrong.is_err());
    // So do the words of the scripts.
    for script in ["deploy/prepare", "deploy/patroni/make-database"] {
        let checked = Command::new("sh")
            .arg("-n")
            .arg(root().join(script))
            .status();
        assert!(checked.unwrap().success(), "{script}");
    }
    let words = text("deploy/prepare");
    for line in words
        .lines()
        .filter_map(|line| line.strip_prefix("luzhang "))
    {
        let filled = |word: &str| {
            word.strip_prefix('"')
                .map_or(word.to_owned(), |_| "x".to_owned())
        };
        let words = line
            .split_whitespace()
            .map(filled)
            .chain(["--help".to_owned()]);
        run(words).ended(0);
    }
}

/// Of an environment's value, the variables of the file as one would set them.
fn filled(value: &str) -> String {
    let mut filled = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        filled.push_str("secret");
        rest = after.split_once('}').unwrap().1;
    }
    filled + rest
}

/// Makes what new volumes have, runs `deploy/prepare` on them without containers, and
/// starts the two servers as the file does.
#[test]
fn what_is_prepared_is_a_writer_and_a_standby_of_one_ledger() {
    let cluster = Cluster::new();
    let database = cluster.primary("db", &[]);
    let url = url(&[&database]);
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    for name in ["kek", "tls"] {
        fs::create_dir(at(name)).unwrap();
    }
    let words = text("deploy/prepare");
    let words = words.replace("/var/lib/luzhang-standby", at("standby").to_str().unwrap());
    let script = at("prepare");
    fs::write(&script, words).unwrap();
    let binary = luzhang();
    let binary = Path::new(binary.get_program()).parent().unwrap().to_owned();
    let kek = at("kek").join("kek");
    let prepare = || {
        Command::new("sh")
            .arg(&script)
            .env("PATH", format!("{}:/usr/bin:/bin", binary.display()))
            .env("LUZHANG_DATA_DIR", at("ledger"))
            .env("LUZHANG_KEK_FILE", &kek)
            .env("LUZHANG_TLS", at("tls"))
            .env("LUZHANG_DATABASE", &url)
            .output()
            .unwrap()
    };
    let first = prepare();
    assert!(first.status.success(), "{first:?}");
    // Interrupted before the standby's directory was there, it goes on.
    fs::remove_dir_all(at("standby")).unwrap();
    let again = prepare();
    assert!(again.status.success(), "{again:?}");
    let third = prepare();
    assert!(String::from_utf8_lossy(&third.stdout).contains("is there"));

    let tls = at("tls");
    // Here the database has no standby of its own.
    let common = ["--tls", tls.to_str().unwrap(), "--durable", "local"];
    let common = [&common[..], &["--kek-file", kek.to_str().unwrap()]].concat();
    let writer = Server::with(&at("ledger"), &common, "off");
    let more = ["--standby", "--metrics", "127.0.0.1:0"];
    let mut standby = Server::with(&at("standby"), common.iter().chain(&more), "off");
    let identity = tls.join("auditor");
    let secure = |server: &Server| {
        let url = server.url().replace("127.0.0.1", "localhost");
        Target::server(&url).identified(&identity)
    };
    let (writer, behind) = (secure(&writer), secure(&standby));
    let head = writer.head();
    until(|| (behind.head() == head).then_some(()));
    let now = Scrape::of(&metrics_of(&mut standby));
    assert_eq!(now.of_key("luzhang_standby"), 1);
    let position: u64 = head.split(':').next().unwrap().parse().unwrap();
    assert_eq!(now.of_key("luzhang_position"), position);
    // A data directory without a log is looked at as well as one with.
    let dir = at("standby");
    let doctor = ["doctor", "--json", "--data-dir", dir.to_str().unwrap()];
    let looked = run(doctor.iter().chain(&["--kek-file", kek.to_str().unwrap()]));
    let rows = looked.json()["rows"].clone();
    let of = |code: &str| {
        let row = rows
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["code"] == code);
        row.unwrap_or_else(|| panic!("no {code}: {rows:#}"))["state"].clone()
    };
    for code in [
        "DOCTOR_LEDGER",
        "DOCTOR_KEK",
        "DOCTOR_PERMISSIONS",
        "DOCTOR_CLOCK",
    ] {
        assert_ne!(of(code), "fail", "{code}: {rows:#}");
    }
}

/// Directives of a unit, in their order.
fn directives(unit: &str) -> Vec<(String, String)> {
    let words = text(unit);
    let lines = words.lines().filter(|line| !line.starts_with(['#', '[']));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

const UNITS: [&str; 4] = [
    "luzhang.service",
    "luzhang-standby.service",
    "luzhang-backup.service",
    "luzhang-verify.service",
];

const TIMERS: [&str; 2] = ["luzhang-backup.timer", "luzhang-verify.timer"];

#[test]
fn the_units_are_what_systemd_understands_and_let_the_program_do_little() {
    let scratch = tempfile::tempdir().unwrap();
    let binary = luzhang();
    let binary = binary.get_program().to_str().unwrap();
    for entry in fs::read_dir(root().join("deploy/systemd")).unwrap() {
        let path = entry.unwrap().path();
        let words = fs::read_to_string(&path).unwrap();
        // The one that is there, in the place of the one that will be.
        let words = words.replace("/usr/bin/luzhang", binary);
        fs::write(scratch.path().join(path.file_name().unwrap()), words).unwrap();
    }
    let mut seen = 0;
    for entry in fs::read_dir(scratch.path()).unwrap() {
        let path = entry.unwrap().path();
        let verify = Command::new("systemd-analyze")
            .args(["verify", "--recursive-errors=no", "--man=no"])
            .arg(&path)
            .output()
            .expect("systemd-analyze; scripts/test installs systemd");
        let said = String::from_utf8_lossy(&verify.stderr);
        assert!(
            verify.status.success() && said.trim().is_empty(),
            "{path:?}: {said}"
        );
        seen += 1;
    }
    assert_eq!(seen, UNITS.len() + TIMERS.len());
    for unit in UNITS {
        // Of ten, where ten is a service that may do everything.
        let security = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--threshold=15", "--no-pager"])
            .arg(scratch.path().join(unit))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&security.stdout);
        assert!(security.status.success(), "{unit}: {said}");
    }
}

#[test]
fn the_units_start_what_there_is_with_settings_that_there_are() {
    let known = known_environment();
    let identity = BTreeSet::from(["LUZHANG_SERVER", "LUZHANG_IDENTITY", "LUZHANG_CA"]);
    for unit in UNITS {
        let all = directives(&format!("deploy/systemd/{unit}"));
        let of = |name: &str| -> Vec<&str> {
            let values = all.iter().filter(|(key, _)| key == name);
            values.map(|(_, value)| value.as_str()).collect()
        };
        let [start] = of("ExecStart")[..] else {
            panic!("{unit}");
        };
        let mut words = start.split(' ');
        assert_eq!(words.next(), Some("/usr/bin/luzhang"), "{unit}");
        let words: Vec<&str> = words.collect();
        // Without a server there is nothing to serve, to back up or to verify.
        let server = ("LUZHANG_SERVER", "http://127.0.0.1:1");
        let is_server = words[0] == "serve";
        is_understood(&words, Some(server).filter(|_| !is_server));
        for setting in of("Environment")
            .into_iter()
            .flat_map(|line| line.split(' '))
        {
            let name = setting.split('=').next().unwrap();
            assert!(
                known.contains(name) || identity.contains(name),
                "{unit}: {name}"
            );
        }
        assert_eq!(of("User"), ["luzhang"]);
        assert_eq!(of("UMask"), ["0077"]);
        if words[0] == "serve" {
            let files: u64 = of("LimitNOFILE")[0].parse().unwrap();
            assert!(files >= 4_096 + 256, "fewer than `luzhang doctor` wants");
            assert_eq!(of("StateDirectoryMode"), ["0700"]);
            assert_eq!(
                words.contains(&"--standby"),
                unit == "luzhang-standby.service"
            );
        }
    }
    for timer in TIMERS {
        let all = directives(&format!("deploy/systemd/{timer}"));
        assert!(all.iter().any(|(name, _)| name == "OnCalendar"));
        assert!(
            root()
                .join("deploy/systemd")
                .join(timer.replace("timer", "service"))
                .is_file()
        );
    }
}
