//! The log's side: what is sent, and what of an answer counts.

use std::{
    cell::RefCell,
    convert::Infallible,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use luzhang_ledger::proof::{
    Node, SigningKey, VerifierKey,
    note::{KeyName, NoteError, Purpose},
};
use luzhang_server::{
    http::{Client, HttpError},
    witness::client::{AskError, Cosigned, Question, Unwitnessed, ask},
};

use crate::{history::History, running::Office};

type Asked = Result<Cosigned, AskError<Infallible>>;

fn client() -> Client {
    Client::new(Duration::from_secs(10))
}

/// Asks, and says which proofs were needed.
fn asked(url: &str, key: &VerifierKey, log: &History, old: u64, size: u64) -> (Asked, Vec<u64>) {
    let proofs = RefCell::new(Vec::new());
    let proof = |old| -> Result<Vec<Node>, Infallible> {
        proofs.borrow_mut().push(old);
        Ok(log.proof(old, size))
    };
    let question = Question {
        url,
        key,
        checkpoint: &log.checkpoint(size),
        old,
    };
    let answer = ask(&client(), &question, &proof);
    (answer, proofs.into_inner())
}

fn unwitnessed(asked: Asked) -> Unwitnessed {
    match asked {
        Err(AskError::Witness(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn from_where_the_witness_stands_whatever_was_thought() {
    let log = History::new("log.example/one", 30);
    let office = Office::watching([log.verifier()]);
    let witness = office.start();
    // Thought, asked for, and the proofs that it took.
    for (old, size, needed) in [
        (0, 5, &[][..]),
        (5, 5, &[]),
        (5, 9, &[5]),
        (0, 12, &[9]),
        (7, 20, &[7, 12]),
        (29, 21, &[20]),
        (22, 21, &[]),
        (0, 21, &[]),
    ] {
        let url = format!("{}/", witness.url);
        let (answer, proofs) = asked(&url, &office.key, &log, old, size);
        let cosigned = answer.unwrap();
        office.holds(&log.checkpoint(size), &cosigned.line);
        assert!(cosigned.time > 1_700_000_000);
        assert_eq!(proofs, needed, "{old} {size}");
    }
    // An old checkpoint, a fork, a log that is not watched, one that is not its own.
    let (answer, _) = asked(&witness.url, &office.key, &log, 0, 20);
    let problem = unwitnessed(answer);
    assert!(
        matches!(
            problem,
            Unwitnessed::Ahead {
                seen: 21,
                size: 20,
                ..
            }
        ),
        "{problem:?}"
    );
    assert_eq!(problem.code(), "WITNESS_AHEAD");
    let unknown = History::new("log.example/unknown", 30);
    let stranger = log.under_key(2);
    for (log, expected) in [(&log.fork(2), 422), (&unknown, 404), (&stranger, 403)] {
        let (answer, _) = asked(&witness.url, &office.key, log, 0, 30);
        let problem = unwitnessed(answer);
        assert_eq!(problem.code(), "WITNESS_REFUSED");
        match problem {
            Unwitnessed::Refused { status, reason, .. } => {
                assert_eq!(status, expected);
                assert!(!reason.is_empty());
            }
            other => panic!("{other:?}"),
        }
    }
    // Another key than the one that cosigns.
    let other = Office::watching([]).key;
    let (answer, _) = asked(&witness.url, &other, &log, 21, 30);
    let problem = unwitnessed(answer);
    assert_eq!(problem.code(), "WITNESS_ANSWER");
    assert!(matches!(
        problem,
        Unwitnessed::NotByKey {
            problem: NoteError::Unsigned,
            ..
        }
    ));
}

#[test]
fn a_proof_that_cannot_be_made_is_the_callers_error() {
    let log = History::new("log.example/one", 30);
    let office = Office::watching([log.verifier()]);
    let witness = office.start();
    asked(&witness.url, &office.key, &log, 0, 5).0.unwrap();
    let question = Question {
        url: &witness.url,
        key: &office.key,
        checkpoint: &log.checkpoint(9),
        old: 0,
    };
    let answer = ask(&client(), &question, &|old| {
        Err(format!("no tiles for {old}"))
    });
    assert_eq!(answer, Err(AskError::Proof("no tiles for 5".to_owned())));
}

/// Answers each connection with the next of these, and says what it was sent.
fn canned(answers: Vec<Vec<u8>>) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                stream.write_all(&answer).unwrap();
                request
            })
            .collect()
    });
    (url, serving)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let read = stream.read(&mut some).unwrap();
        assert!(read > 0, "{text}");
        bytes.extend_from_slice(&some[..read]);
    }
}

fn answer(status: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn of_an_answer_only_the_expected_cosignature_counts() {
    let log = History::new("log.example/one", 30);
    let key = |name: &str, seed: u8| {
        let name = KeyName::new(name).unwrap();
        SigningKey::from_seed(name, Purpose::Witness, &[seed; 32])
    };
    let own = key("audit.example/w1", 1);
    let same_name = key("audit.example/w1", 2);
    let other = key("other.example/w2", 3);
    let line = |key: &SigningKey, size, time| log.checkpoint(size).cosign(key, time);
    let good = line(&own, 9, 77);
    let stale = line(&own, 8, 77);
    // As post-quantum ones are.
    let long = format!("\u{2014} audit.example/w1 {}", "AAAA".repeat(1200));
    for (name, body, expected) in [
        ("one", format!("{good}\n"), Ok(77)),
        (
            "others before",
            format!("{other}\n{good}\n", other = line(&other, 9, 1)),
            Ok(77),
        ),
        (
            "others of its name",
            format!("{}\n{good}\n", line(&same_name, 9, 1)),
            Ok(77),
        ),
        ("a longer one", format!("{long}\n{good}\n"), Ok(77)),
        ("another size's first", format!("{stale}\n{good}\n"), Ok(77)),
        ("another size's", format!("{stale}\n"), Err("forged")),
        (
            "without a time",
            format!("{}\n", line(&own, 9, 0)),
            Err("forged"),
        ),
        (
            "others only",
            format!("{}\n", line(&other, 9, 1)),
            Err("unsigned"),
        ),
        ("nothing", String::new(), Err("protocol")),
        ("an empty line", "\n".to_owned(), Err("protocol")),
        ("no line feed", good.to_string(), Err("protocol")),
        ("a page", "<html></html>\n".to_owned(), Err("protocol")),
        (
            "a whole note",
            log.checkpoint(9).to_string(),
            Err("protocol"),
        ),
    ] {
        let (url, serving) = canned(vec![answer("200 OK", body)]);
        let (asked, _) = asked(&url, own.verifier(), &log, 5, 9);
        let found = match asked {
            Ok(cosigned) => Ok(cosigned.time),
            Err(AskError::Witness(Unwitnessed::NotByKey { problem, .. })) => match problem {
                NoteError::Unsigned => Err("unsigned"),
                _ => Err("forged"),
            },
            Err(AskError::Witness(Unwitnessed::Protocol { .. })) => Err("protocol"),
            Err(other) => panic!("{name}: {other:?}"),
        };
        assert_eq!(found, expected, "{name}");
        let sent = serving.join().unwrap();
        assert!(sent[0].starts_with("POST /add-checkpoint HTTP/1.1\r\n"));
        let body = String::from_utf8(log.request(5, 9)).unwrap();
        assert!(sent[0].ends_with(&format!("\r\n\r\n{body}")), "{sent:?}");
    }
}

#[test]
fn answers_that_are_out_of_order() {
    let log = History::new("log.example/one", 30);
    let office = Office::watching([]);
    let size = |text: &str| answer("409 Conflict", text);
    for (name, answers, expected) in [
        ("no size", vec![size("")], "WITNESS_ANSWER"),
        ("no line feed", vec![size("7")], "WITNESS_ANSWER"),
        ("a leading zero", vec![size("07\n")], "WITNESS_ANSWER"),
        ("a sign", vec![size("+7\n")], "WITNESS_ANSWER"),
        ("two", vec![size("7\n8\n")], "WITNESS_ANSWER"),
        ("more than there is", vec![size("10\n")], "WITNESS_AHEAD"),
        (
            "a lot more",
            vec![size("18446744073709551615\n")],
            "WITNESS_AHEAD",
        ),
        (
            "once more",
            vec![size("7\n"), size("8\n")],
            "WITNESS_OVERTAKEN",
        ),
        (
            "then no size",
            vec![size("7\n"), size("?\n")],
            "WITNESS_ANSWER",
        ),
        (
            "then a failure",
            vec![size("7\n"), answer("500 No", "x")],
            "WITNESS_REFUSED",
        ),
        (
            "not HTTP",
            vec![b"220 mail\r\n".to_vec()],
            "WITNESS_UNREACHABLE",
        ),
        (
            "cut short",
            vec![b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx".to_vec()],
            "WITNESS_UNREACHABLE",
        ),
        (
            "endless",
            vec![answer("200 OK", vec![b'x'; 300 * 1024])],
            "WITNESS_UNREACHABLE",
        ),
    ] {
        let (url, serving) = canned(answers);
        let (asked, _) = asked(&url, &office.key, &log, 5, 9);
        let problem = unwitnessed(asked);
        assert_eq!(problem.code(), expected, "{name}: {problem}");
        assert!(problem.zh().contains("见证方"), "{name}: {}", problem.zh());
        serving.join().unwrap();
    }
    // What a witness says is shown in a line, without anything that a terminal obeys.
    let said = format!("no\u{1b}[2J{}\nmore", "x".repeat(1000));
    let (url, _serving) = canned(vec![answer("400 Bad Request", said)]);
    match unwitnessed(asked(&url, &office.key, &log, 5, 9).0) {
        Unwitnessed::Refused { status, reason, .. } => {
            assert_eq!(status, 400);
            assert!(reason.starts_with("no[2Jx"), "{reason:?}");
            assert_eq!(reason.chars().count(), 200);
        }
        other => panic!("{other:?}"),
    }
    // Nobody at all: the port was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let problem = unwitnessed(asked(&url, &office.key, &log, 5, 9).0);
    let nobody = matches!(
        problem,
        Unwitnessed::Unreachable(HttpError::Unreachable { .. })
    );
    assert!(nobody, "{problem:?}");
}
