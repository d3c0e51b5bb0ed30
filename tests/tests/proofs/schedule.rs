//! Checkpoints come by themselves, say what the state was, and leave a quiet ledger
//! alone.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use luzhang_ledger::{Body, Hash};
use serde_json::{Value, json};

use crate::{
    http,
    ledgers::{
        bureau, event, events, export, fund, grow, key, keys, parse, size, stays, text, trusted,
        until, write_export,
    },
    support::{Ledger, Server, Target, run},
};

/// The size of the checkpoint that is published; 0 if there is none.
fn published(tiles: &str) -> u64 {
    let answer = http::get(tiles, "checkpoint", &[]);
    if answer.status == 404 {
        return 0;
    }
    parse(&String::from_utf8(answer.body).unwrap()).head().size
}

#[test]
fn everything_is_under_a_checkpoint_soon_and_then_it_is_quiet() {
    let ledger = bureau();
    let before = size(&ledger.target());
    let (server, tiles) = Server::publishing(&ledger.dir(), ["--checkpoint-every", "200ms"]);
    let target = server.target();
    until("a checkpoint", || {
        (published(&tiles) > before).then_some(())
    });
    // A key and the state were recorded for it; of that alone no more comes.
    let quiet = stays(Duration::from_millis(1_500), || size(&target));
    assert_eq!(quiet, before + 2);
    assert_eq!(published(&tiles), quiet);
    assert_eq!(
        event(&target, before + 1)["event"]["checkpoint_key_adopted"]["key"],
        key(&target)
    );
    assert!(event(&target, quiet)["event"]["state_attested"].is_object());

    fund(&target, "文1").ended(0);
    until("the next checkpoint", || {
        (published(&tiles) > quiet).then_some(())
    });
    let quiet = stays(Duration::from_millis(1_500), || size(&target));
    assert_eq!(published(&tiles), quiet);
    let shown = target.run(["checkpoint", "show"]).ended(0);
    assert!(shown.err.is_empty(), "{}", shown.err);
    assert_eq!(trusted(&parse(&shown.out), &key(&target)).head.size, quiet);
    // Whoever asks gets no new one where nothing is new.
    let covering = quiet.to_string();
    let covering = target.run(["checkpoint", "show", "--covering", &covering]);
    assert_eq!(covering.ended(0).out, shown.out);

    // What is left over is signed at the end, and nothing at the next beginning.
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    let shown = ledger.target().run(["checkpoint", "show"]).ended(0).out;
    assert_eq!(parse(&shown).head().size, size(&ledger.target()));
    let end = ledger.target().head();
    let (server, tiles) = Server::publishing(&ledger.dir(), ["--checkpoint-every", "200ms"]);
    stays(Duration::from_secs(1), || server.target().head());
    assert_eq!(server.target().head(), end);
    assert_eq!(published(&tiles), size(&server.target()));
    server.kill();
}

#[test]
fn blocks_are_counted_too() {
    let ledger = Ledger::new();
    let every = ["--checkpoint-every", "1h", "--checkpoint-blocks", "1"];
    let (server, tiles) = Server::publishing(&ledger.dir(), every);
    for document in ["文1", "文2", "文3"] {
        fund(&server.target(), document).ended(0);
        let over = size(&server.target());
        until("a checkpoint", || (published(&tiles) >= over).then_some(()));
    }
    server.terminate();
    // Nothing was signed for a clock that was not due.
    let ledger = Ledger::new();
    let every = ["--checkpoint-every", "1h", "--checkpoint-blocks", "1000"];
    let (server, tiles) = Server::publishing(&ledger.dir(), every);
    fund(&server.target(), "文1").ended(0);
    let nothing = stays(Duration::from_secs(1), || published(&tiles));
    assert_eq!(nothing, 0);
    let head = server.target().head();
    server.terminate();
    assert_eq!(ledger.target().head(), head);

    // Where no tree is kept, that is said.
    let server = Server::with(&ledger.dir(), ["--tree", "off"], "warn");
    fund(&server.target(), "文2").ended(0);
    for asked in [
        &["proof", "get", "1"][..],
        &["checkpoint", "show"],
        &["checkpoint", "sign"],
        &["checkpoint", "rotate"],
    ] {
        server.target().run(asked).failed(1, "TREE_OFF");
    }
    server.terminate();

    for wrong in [
        &["--checkpoint-every", "0s"][..],
        &["--checkpoint-every", "-1s"],
        &["--checkpoint-every", "soon"],
        &["--web", "0.0.0.0:0"],
    ] {
        let serve = ["serve", "--listen", "127.0.0.1:0"];
        let ran = ledger.target().run(serve.iter().chain(wrong));
        assert!(matches!(ran.code, 1 | 2), "{wrong:?}: {ran:?}");
    }
}

/// Name, version and digest of every projection.
fn digests(rows: &Value, digest: impl Fn(&str) -> String) -> Vec<(String, u64, String)> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| {
        (
            row["name"].as_str().unwrap().to_owned(),
            row["version"].as_u64().unwrap(),
            digest(row["digest"].as_str().unwrap()),
        )
    })
    .collect()
}

#[test]
fn what_is_attested_is_what_the_log_folds_to() {
    let ledger = bureau();
    let check_all = |target: &Target| {
        let said = target.run(["checkpoint", "sign", "-o", "json"]).ended(0);
        let said = said.json();
        let attested = said["attested"].as_u64().unwrap();
        assert_eq!(attested, size(target));
        let checkpoint = parse(said["checkpoint"].as_str().unwrap());
        assert_eq!(trusted(&checkpoint, &key(target)).head.size, attested);
        assert_eq!(said["size"], attested);
        assert_eq!(said["root"], checkpoint.head().root.to_string());
        assert_eq!(said["origin"], checkpoint.checkpoint().origin);

        let event = event(target, attested);
        assert_eq!(event["event"]["principal"], "luzhang");
        let recorded = &event["event"]["state_attested"]["projections"];
        let recorded = digests(recorded, |base64| {
            let bytes = STANDARD.decode(base64).unwrap();
            Hash::from_bytes(bytes.try_into().unwrap()).to_string()
        });
        let as_of = (attested - 1).to_string();
        let status = ["projection", "status", "--as-of", &as_of, "-o", "json"];
        let status = target.run(status).ended(0).json();
        let computed = digests(&status["rows"], str::to_owned);
        assert!(computed.len() > 5, "{status}");
        assert_eq!(recorded, computed);
    };
    check_all(&ledger.target());
    fund(&ledger.target(), "文1").ended(0);
    check_all(&Server::start(&ledger.dir()).target());
    let redecided = ledger.target().run(["audit", "redecide", "-o", "json"]);
    assert_eq!(redecided.ended(0).json()["agrees"], true);
    assert_eq!(keys(&ledger.target()).len(), 1);
}

#[test]
fn a_state_that_the_log_does_not_fold_to_is_found() {
    let ledger = bureau();
    ledger.target().run(["checkpoint", "sign"]).ended(0);
    let sound = events(&export(&ledger, "sound.luzhang"));
    let file = ledger.file("forged.luzhang");
    let at = sound.len() - 1;
    let Body::StateAttested(attested) = &sound[at].body else {
        panic!("{:?}", sound[at])
    };
    let forged = |change: &dyn Fn(usize) -> Body, place: usize| {
        let mut events = sound.clone();
        events[at].body = change(place);
        write_export(&file, &events);
        let verify = ["audit", "verify", text(&file), "-o", "json"];
        assert_eq!(run(verify).ended(0).json()["verdict"], "self_consistent");
        run(["audit", "redecide", text(&file), "-o", "json"])
    };
    let unchanged = forged(&|_| Body::StateAttested(attested.clone()), 0);
    unchanged.ended(0);
    for place in 0..attested.len() {
        let digest = |place: usize| {
            let mut attested = attested.clone();
            attested[place].digest = Hash::from_bytes([7; 32]);
            Body::StateAttested(attested)
        };
        let found = forged(&digest, place).ended(10).json();
        let found = found["differences"].as_array().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["position"], at + 1);
        assert_eq!(found[0]["recorded"]["outcome"], "attested");
        let name = attested[place].projection.as_str();
        let said = found[0]["recorded"]["reasons"].as_array().unwrap();
        let named = said
            .iter()
            .any(|said| said.as_str().unwrap().contains(name));
        assert!(named, "{name}: {found:?}");
        assert_ne!(found[0]["recorded"], found[0]["recomputed"]);
    }
    // Nor is one that was true earlier true later.
    grow(&ledger.target(), "文", size(&ledger.target()) + 60);
    ledger.target().run(["checkpoint", "sign"]).ended(0);
    let mut events = events(&export(&ledger, "grown.luzhang"));
    let last = events.len() - 1;
    assert!(matches!(events[last].body, Body::StateAttested(_)));
    events[last].body = events[at].body.clone();
    write_export(&file, &events);
    let found = run(["audit", "redecide", text(&file), "-o", "json"]).ended(10);
    let found = found.json();
    let found = found["differences"].as_array().unwrap();
    assert_eq!((found.len(), &found[0]["position"]), (1, &json!(last + 1)));
}
