//! Every answer of the protocol, over a real connection.

use luzhang_ledger::proof::{
    Checkpoint, Node, Note, Policy, SignedCheckpoint,
    witness::{Extension, MAX_PROOF, MAX_REQUEST},
};
use luzhang_server::witness::OriginHash;

use crate::{
    history::{History, log_key, signed},
    running::Office,
    wire::Wire,
};

const TEXT: &str = "text/plain; charset=utf-8";
const SIZE: &str = "text/x.tlog.size";

fn newest_path(origin: &str) -> String {
    format!("/{}/checkpoint", OriginHash::of(origin))
}

/// An extension with something changed.
fn with(mut extension: Extension, change: impl FnOnce(&mut Extension)) -> Vec<u8> {
    change(&mut extension);
    extension.to_string().into_bytes()
}

fn replaced(request: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = str::from_utf8(request).unwrap();
    assert!(text.contains(from), "{from}: {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// A checkpoint of this text, with the signature of another one.
fn forged(history: &History, size: u64, other: u64) -> SignedCheckpoint {
    let text = history.checkpoint(size).note().text().to_owned();
    let mut note = Note::new(text).unwrap();
    note.add(history.checkpoint(other).note().signatures()[0].clone());
    SignedCheckpoint::parse(note.to_string().as_bytes()).unwrap()
}

#[test]
fn what_is_not_cosigned_and_what_is_said() {
    let log = History::new("log.example/one", 20);
    let fresh = History::new("log.example/fresh", 20);
    let unknown = History::new("log.example/unknown", 20);
    let stranger = log.under_key(9);
    let fork = log.fork(3);
    let office = Office::watching([log.verifier(), fresh.verifier()]);
    let witness = office.start();
    let first = witness.add_checkpoint(&log.request(0, 5));
    office.cosigned(&log.checkpoint(5), &first);
    let standing = witness.ask("GET", &newest_path(log.origin()));

    let sound = log.request(5, 8);
    let empty_root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let many = |count| vec![Node::EMPTY; count];
    let rows: Vec<(&str, Vec<u8>, u16)> = vec![
        ("nothing", vec![], 400),
        ("no text", vec![0xff; 300], 400),
        ("other text", b"{\"old\": 5}".to_vec(), 400),
        ("no old size", replaced(&sound, "old 5\n", "\n"), 400),
        ("no number", replaced(&sound, "old 5", "old five"), 400),
        ("a sign", replaced(&sound, "old 5", "old +5"), 400),
        ("a leading zero", replaced(&sound, "old 5", "old 05"), 400),
        ("two zeros", replaced(&sound, "old 5", "old 00"), 400),
        (
            "beyond 64 bits",
            replaced(&sound, "old 5", "old 18446744073709551616"),
            400,
        ),
        ("a space more", replaced(&sound, "old 5", "old 5 "), 400),
        ("CR LF", replaced(&sound, "old 5\n", "old 5\r\n"), 400),
        ("a short node", replaced(&sound, "=\n", "\n"), 400),
        (
            "a node of other length",
            replaced(&sound, "old 5\n", "old 5\nAAAA\n"),
            400,
        ),
        (
            "too many nodes",
            with(log.extension(5, 8), |e| e.proof = many(MAX_PROOF + 1)),
            400,
        ),
        ("no checkpoint", b"old 5\n\n".to_vec(), 400),
        (
            "no signature",
            replaced(&sound, "\n\u{2014} ", "\n\u{2013} "),
            400,
        ),
        ("no last line feed", sound[..sound.len() - 1].to_vec(), 400),
        (
            "no size in the checkpoint",
            replaced(&sound, "\n8\n", "\n08\n"),
            400,
        ),
        // The old size is compared with the checkpoint before it is with ours.
        (
            "old is larger",
            with(log.extension(5, 8), |e| e.old = 9),
            400,
        ),
        ("an unknown log", unknown.request(5, 8), 404),
        ("an unknown log, stale", unknown.request(1, 8), 404),
        (
            "an unknown log, its size wrong",
            with(unknown.extension(5, 8), |e| e.old = 9),
            404,
        ),
        ("another key of this name", stranger.request(5, 8), 403),
        ("another key, stale", stranger.request(1, 8), 403),
        (
            "a signature of something else",
            with(log.extension(5, 8), |e| e.checkpoint = forged(&log, 8, 7)),
            403,
        ),
        (
            "one that holds and one that does not",
            with(log.extension(5, 8), |e| {
                let wrong = log.checkpoint(7).note().signatures()[0].clone();
                e.checkpoint.add(wrong);
            }),
            403,
        ),
        ("behind", log.request(4, 8), 409),
        ("ahead", log.request(6, 8), 409),
        ("from nothing", log.request(0, 8), 409),
        ("an older checkpoint", log.request(2, 3), 409),
        (
            "behind, and the proof wrong",
            with(log.extension(4, 8), |e| e.proof.clear()),
            409,
        ),
        (
            "no proof",
            with(log.extension(5, 8), |e| e.proof.clear()),
            422,
        ),
        (
            "a node more",
            with(log.extension(5, 8), |e| e.proof.push(Node::EMPTY)),
            422,
        ),
        (
            "as many nodes as may be",
            with(log.extension(5, 8), |e| e.proof = many(MAX_PROOF)),
            422,
        ),
        (
            "the proof of another size",
            with(log.extension(5, 8), |e| e.proof = log.proof(5, 9)),
            422,
        ),
        ("a fork", fork.request(5, 8), 422),
        ("a fork of the same size", fork.request(5, 5), 422),
        (
            "the same, and a proof",
            with(log.extension(5, 5), |e| e.proof = many(1)),
            422,
        ),
        (
            "a proof from nothing",
            with(fresh.extension(0, 8), |e| e.proof = many(1)),
            422,
        ),
        (
            "an empty tree with leaves",
            replaced(
                &fresh.request(0, 0),
                empty_root,
                &Node::leaf(b"").to_string(),
            ),
            422,
        ),
    ];
    for (name, body, status) in rows {
        let reply = witness.add_checkpoint(&body);
        assert_eq!(reply.status, status, "{name}: {reply:?}");
        if status == 409 {
            let said = (reply.content_type.as_str(), reply.body.as_str());
            assert_eq!(said, (SIZE, "5\n"), "{name}");
        } else {
            assert_eq!(reply.content_type, TEXT, "{name}");
            assert!(!reply.body.contains('\u{2014}'), "{name}: {reply:?}");
        }
    }
    let after = witness.ask("GET", &newest_path(log.origin()));
    assert_eq!(after.body, standing.body, "a refusal changes nothing");
    let reply = witness.add_checkpoint(&sound);
    office.cosigned(&log.checkpoint(8), &reply);
}

#[test]
fn what_is_cosigned() {
    let log = History::new("log.example/one", 300);
    let office = Office::watching([log.verifier()]);
    let witness = office.start();
    // From the empty tree on; every size again, as whoever lost the answer does.
    let mut old = 0;
    for new in [0, 0, 1, 1, 2, 3, 4, 7, 8, 255, 256, 257, 300, 300] {
        let reply = witness.add_checkpoint(&log.request(old, new));
        assert_eq!(reply.content_type, TEXT);
        office.cosigned(&log.checkpoint(new), &reply);
        old = new;
    }
    // Extension lines are the log's business, and are part of what is cosigned.
    let text = Checkpoint {
        origin: log.origin().to_owned(),
        head: log.head(300),
        extensions: vec!["a line more".to_owned()],
    };
    let checkpoint = signed(&text, &log.key);
    let extension = Extension {
        old: 300,
        proof: Vec::new(),
        checkpoint: checkpoint.clone(),
    };
    let reply = witness.add_checkpoint(extension.to_string().as_bytes());
    office.cosigned(&checkpoint, &reply);
    let newest = witness.ask("GET", &newest_path(log.origin()));
    assert!(newest.body.contains("a line more\n"), "{newest:?}");
}

#[test]
fn signatures_of_others_do_no_harm_and_are_not_passed_on() {
    let log = History::new("log.example/one", 9);
    let office = Office::watching([log.verifier()]);
    let witness = office.start();
    let mut extension = log.extension(0, 9);
    // Of a key that nobody knows, and one that says it is the log's.
    for other in [log_key("stranger.example", 1), log_key(log.origin(), 2)] {
        let text = extension.checkpoint.checkpoint().clone();
        let line = signed(&text, &other);
        extension
            .checkpoint
            .add(line.note().signatures()[0].clone());
    }
    let reply = witness.add_checkpoint(extension.to_string().as_bytes());
    let line = office.cosigned(&log.checkpoint(9), &reply);
    let mut expected = log.checkpoint(9);
    expected.add(line);
    let newest = witness.ask("GET", &newest_path(log.origin()));
    assert_eq!(newest.body, expected.to_string());
}

#[test]
fn the_newest_checkpoint_is_published_as_it_was_cosigned() {
    let log = History::new("log.example/one", 9);
    let fresh = History::new("log.example/fresh", 1);
    let office = Office::watching([log.verifier(), fresh.verifier()]);
    let witness = office.start();
    let mut old = 0;
    for size in [3, 9] {
        let reply = witness.add_checkpoint(&log.request(old, size));
        let line = office.cosigned(&log.checkpoint(size), &reply);
        let newest = witness.ask("GET", &newest_path(log.origin()));
        assert_eq!((newest.status, newest.content_type.as_str()), (200, TEXT));
        let newest = SignedCheckpoint::parse(newest.body.as_bytes()).unwrap();
        assert!(newest.note().signatures().contains(&line));
        let policy = format!(
            "log {}\nwitness w {}\nquorum w\n",
            log.verifier(),
            office.key
        );
        let trusted = policy.parse::<Policy>().unwrap().check(&newest).unwrap();
        assert_eq!(trusted.head, log.head(size));
        old = size;
    }
    let known = newest_path(log.origin());
    for path in [
        newest_path(fresh.origin()),
        newest_path("log.example/unknown"),
        known.to_uppercase().replace("CHECKPOINT", "checkpoint"),
        known.replacen('/', "/0", 1),
        known.replacen(&known[1..3], "", 1),
        "/log.example/checkpoint".to_owned(),
        "/%ff/checkpoint".to_owned(),
        "/../checkpoint".to_owned(),
    ] {
        let reply = witness.ask("GET", &path);
        assert!(matches!(reply.status, 400 | 404), "{path}: {reply:?}");
        assert_eq!(reply.status == 400, path.contains('%'), "{path}: {reply:?}");
    }
}

#[test]
fn other_methods_paths_and_bodies() {
    let log = History::new("log.example/one", 9);
    let office = Office::watching([log.verifier()]);
    let witness = office.start();
    let newest = newest_path(log.origin());
    for (method, path, status, allow) in [
        ("GET", "/add-checkpoint", 405, "POST"),
        ("PUT", "/add-checkpoint", 405, "POST"),
        ("POST", newest.as_str(), 405, "GET,HEAD"),
        ("DELETE", newest.as_str(), 405, "GET,HEAD"),
        ("GET", "/", 404, ""),
        ("POST", "/", 404, ""),
        ("POST", "/add-checkpoint/", 404, ""),
        ("POST", "/sign-subtree", 404, ""),
    ] {
        let reply = witness.ask(method, path);
        let said = (reply.status, reply.allow.as_str());
        assert_eq!(said, (status, allow), "{method} {path}");
    }
    // As large as may be, and a byte more; then in chunks, without a length.
    let most = vec![b'x'; MAX_REQUEST];
    assert_eq!(witness.add_checkpoint(&most).status, 400);
    let more = vec![b'x'; MAX_REQUEST + 1];
    assert_eq!(witness.add_checkpoint(&more).status, 413);
    let mut wire = Wire::connect(&witness.url).unwrap();
    wire.send(b"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ntransfer-encoding: chunked\r\n\r\n")
        .unwrap();
    wire.send(format!("{:x}\r\n", more.len()).as_bytes())
        .unwrap();
    wire.send(&more).unwrap();
    assert_eq!(wire.receive().unwrap().status, 413);
    // Ten times too much: it is told so, or the connection is cut.
    let huge = more.repeat(100);
    if let Ok(reply) = crate::wire::add_checkpoint(&witness.url, &huge) {
        assert_eq!(reply.status, 413);
    }
    // What is no HTTP at all ends its own connection only.
    let mut wire = Wire::connect(&witness.url).unwrap();
    wire.send(&[0x16, 3, 1, 2, 0, b'\n', b'\n']).unwrap();
    assert!(!wire.receive().is_ok_and(|reply| reply.status == 200));
    // One connection takes many requests.
    let mut wire = Wire::connect(&witness.url).unwrap();
    for old in 0..9 {
        let body = log.request(old, old + 1);
        let reply = wire.ask("POST", "/add-checkpoint", &body).unwrap();
        office.cosigned(&log.checkpoint(old + 1), &reply);
    }
}

#[test]
fn a_log_may_exchange_its_key() {
    let log = History::new("log.example/one", 9);
    let renewed = log.under_key(2);
    let office = Office::watching([log.verifier()]);
    let witness = office.start();
    let reply = witness.add_checkpoint(&log.request(0, 4));
    office.cosigned(&log.checkpoint(4), &reply);
    assert_eq!(witness.add_checkpoint(&renewed.request(4, 5)).status, 403);
    witness.terminate();
    office.open().add_log(renewed.verifier()).unwrap();
    let witness = office.start();
    // Where it stands does not depend on who signs.
    assert_eq!(witness.add_checkpoint(&renewed.request(0, 5)).status, 409);
    let reply = witness.add_checkpoint(&renewed.request(4, 5));
    office.cosigned(&renewed.checkpoint(5), &reply);
    // Both keys, as while they are exchanged.
    let keys = [&log.key, &renewed.key];
    let both = SignedCheckpoint::sign(log.head(6), &keys).unwrap();
    let extension = Extension {
        checkpoint: both.clone(),
        ..log.extension(5, 6)
    };
    let reply = witness.add_checkpoint(extension.to_string().as_bytes());
    office.cosigned(&both, &reply);
    let newest = witness.ask("GET", &newest_path(log.origin()));
    let newest = SignedCheckpoint::parse(newest.body.as_bytes()).unwrap();
    let (old, new) = (log.verifier(), renewed.verifier());
    assert_eq!(newest.verify(&[&old, &new]).unwrap().len(), 2);
}

#[test]
fn numbers_for_who_watches_it() {
    let quoted = History::new("log.example/\"quoted\"\\", 9);
    let fresh = History::new("log.example/fresh", 9);
    let office = Office::watching([quoted.verifier(), fresh.verifier()]);
    let witness = office.start();
    for (old, new) in [(0, 4), (3, 4), (3, 4), (4, 7)] {
        witness.add_checkpoint(&quoted.request(old, new));
    }
    witness.ask("GET", "/nowhere");
    let reply = witness.ask("GET", "/metrics");
    assert_eq!(reply.status, 200);
    assert!(
        reply
            .content_type
            .starts_with("application/openmetrics-text")
    );
    for line in [
        "luzhang_witness_requests_total{status=\"200\"} 2",
        "luzhang_witness_requests_total{status=\"409\"} 2",
        "luzhang_witness_requests_total{status=\"404\"} 1",
        r#"luzhang_witness_size{origin="log.example/\"quoted\"\\"} 7"#,
        "luzhang_witness_size{origin=\"log.example/fresh\"} 0",
        "# EOF",
    ] {
        assert!(
            reply.body.lines().any(|l| l == line),
            "{line}\n{}",
            reply.body
        );
    }
    let times: Vec<&str> = reply
        .body
        .lines()
        .filter(|line| line.starts_with("luzhang_witness_cosigned_timestamp_seconds{"))
        .collect();
    let [time] = times.as_slice() else {
        panic!("of the one that was cosigned: {times:?}");
    };
    let seconds: u64 = time.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(seconds > 1_700_000_000, "{time}");
}
