//! What is asked of a witness, and what it answers.

use luzhang_ledger::proof::{
    Node, SignedCheckpoint, SigningKey,
    checkpoint::CheckpointError,
    note::{NoteError, Purpose},
    tree::{self, ProofError, TreeHead},
    witness::{Extension, ExtensionError, MAX_PROOF, MAX_REQUEST, WitnessRefusal, judge},
};

use crate::{Kept, key};

fn log() -> SigningKey {
    key("log", Purpose::Author, 1)
}

/// The request from one size to another of the same tree.
fn request(old: u64, new: u64) -> Extension {
    let kept = Kept::events(300);
    let Ok(proof) = tree::consistency(&mut &kept, old, new);
    Extension {
        old,
        proof,
        checkpoint: SignedCheckpoint::sign(kept.head(new), &[&log()]).unwrap(),
    }
}

#[test]
fn a_request_is_read_as_another() {
    use ExtensionError::{Form, Old, Proof};
    for (old, new) in [
        (0, 0),
        (0, 1),
        (1, 1),
        (1, 300),
        (7, 8),
        (255, 256),
        (100, 299),
    ] {
        let request = request(old, new);
        let text = request.to_string();
        let read = Extension::parse(text.as_bytes()).unwrap();
        assert_eq!(read, request);
        assert_eq!(read.to_string(), text);
        assert_eq!(read.continues(&Kept::events(300).head(old)), Ok(()));
    }
    let checkpoint = request(3, 5).checkpoint.to_string();
    let node = Node::EMPTY.to_string();
    let nodes = |count: usize| format!("{node}\n").repeat(count);
    for (text, expected) in [
        (format!("old 3\n\n{checkpoint}"), Ok(0)),
        (format!("old 3\n{node}\n\n{checkpoint}"), Ok(1)),
        (
            format!("old 3\n{}\n{checkpoint}", nodes(MAX_PROOF)),
            Ok(MAX_PROOF),
        ),
        (
            format!("old 3\n{}\n{checkpoint}", nodes(MAX_PROOF + 1)),
            Err(Proof),
        ),
        (format!("old 3\n{}\n{checkpoint}", nodes(65)), Err(Proof)),
        (String::new(), Err(Form)),
        ("old 3\n".to_owned(), Err(Form)),
        (format!("old 3\n{checkpoint}"), Err(Proof)),
        (format!("\n\n{checkpoint}"), Err(Old)),
        (format!("{checkpoint}\n\n"), Err(Old)),
        (format!("old \n\n{checkpoint}"), Err(Old)),
        (format!("old\n\n{checkpoint}"), Err(Old)),
        (format!("old  3\n\n{checkpoint}"), Err(Old)),
        (format!(" old 3\n\n{checkpoint}"), Err(Old)),
        (format!("Old 3\n\n{checkpoint}"), Err(Old)),
        (format!("old 03\n\n{checkpoint}"), Err(Old)),
        (format!("old +3\n\n{checkpoint}"), Err(Old)),
        (format!("old -3\n\n{checkpoint}"), Err(Old)),
        (format!("old 3 \n\n{checkpoint}"), Err(Old)),
        (format!("old 3\r\n\n{checkpoint}"), Err(Old)),
        (
            format!("old 18446744073709551616\n\n{checkpoint}"),
            Err(Old),
        ),
        (
            format!("old 3\n{}\n\n{checkpoint}", &node[..43]),
            Err(Proof),
        ),
        (format!("old 3\n{node} \n\n{checkpoint}"), Err(Proof)),
        (
            format!("old 3\n{}V=\n\n{checkpoint}", &node[..42]),
            Err(Proof),
        ),
        (
            format!("old 3\n\n\n{checkpoint}"),
            Err(CheckpointError::Form.into()),
        ),
        (
            "old 3\n\n".to_owned(),
            Err(CheckpointError::Note(NoteError::Form).into()),
        ),
    ] {
        let read = Extension::parse(text.as_bytes());
        if let Ok(read) = &read {
            assert_eq!(read.to_string(), text);
        }
        assert_eq!(read.map(|read| read.proof.len()), expected, "{text:?}");
    }
    assert_eq!(Extension::parse(b"old 3\n\n\xff"), Err(Form));
    let larger = format!("old 3\n\n{}", "x".repeat(MAX_REQUEST));
    assert_eq!(Extension::parse(larger.as_bytes()), Err(Form));
}

#[test]
fn a_proof_for_one_head_is_taken_for_another() {
    let kept = Kept::events(300);
    let asked = request(100, 299);
    assert_eq!(asked.continues(&kept.head(100)), Ok(()));
    assert_eq!(asked.continues(&kept.head(101)), Err(ProofError::Length));
    let other = TreeHead {
        root: Node::leaf(b"another"),
        ..kept.head(100)
    };
    assert_eq!(asked.continues(&other), Err(ProofError::Root));
}

/// A row: where the witness stands, what it is asked, and what it answers: the
/// size that it now stands at, or a status.
#[track_caller]
fn check(seen: TreeHead, request: &Extension, expected: Result<u64, u16>) {
    let log = log();
    let text = request.to_string();
    let read = Extension::parse(text.as_bytes()).map_err(WitnessRefusal::Malformed);
    let judged = read.and_then(|request| judge(&seen, &[log.verifier()], &request));
    let answer = judged.as_ref().map(|head| head.size);
    assert_eq!(
        answer.map_err(WitnessRefusal::status),
        expected,
        "{judged:?}"
    );
    if let Ok(head) = judged {
        assert_eq!(head, request.checkpoint.head());
    }
}

#[test]
fn a_witness_cosigns_what_does_not_continue_what_it_saw() {
    let kept = Kept::events(300);
    let head = |size| kept.head(size);
    for (seen, old, new, expected) in [
        (0, 0, 0, Ok(0)),
        (0, 0, 1, Ok(1)),
        (0, 0, 300, Ok(300)),
        (5, 5, 5, Ok(5)),
        (5, 5, 6, Ok(6)),
        (8, 8, 9, Ok(9)),
        (255, 255, 300, Ok(300)),
        // It stands elsewhere: what was asked from is too old, or not seen here.
        (5, 4, 6, Err(409)),
        (5, 0, 6, Err(409)),
        (5, 6, 7, Err(409)),
        (0, 1, 5, Err(409)),
        (5, 4, 5, Err(409)),
        (5, 4, 4, Err(409)),
        (5, 0, 0, Err(409)),
        // The old size is the larger one: that comes first.
        (5, 6, 5, Err(400)),
        (6, 6, 5, Err(400)),
        (0, 1, 0, Err(400)),
    ] {
        check(head(seen), &request(old, new), expected);
    }
    let forked = TreeHead {
        root: Node::leaf(b"another"),
        ..head(5)
    };
    check(forked, &request(5, 9), Err(422));
    check(forked, &request(5, 5), Err(422));
    let mut long = request(0, 9);
    long.proof.push(Node::EMPTY);
    check(head(0), &long, Err(422));
    let mut long = request(5, 5);
    long.proof.push(Node::EMPTY);
    check(head(5), &long, Err(422));
    let mut short = request(5, 9);
    short.proof.pop();
    check(head(5), &short, Err(422));
    let mut swapped = request(5, 9);
    swapped.proof.swap(0, 1);
    check(head(5), &swapped, Err(422));
    // The empty tree has one root.
    let empty = TreeHead {
        size: 0,
        root: Node::leaf(b"another"),
    };
    let mut empty_root = request(0, 0);
    empty_root.checkpoint = SignedCheckpoint::sign(empty, &[&log()]).unwrap();
    check(head(0), &empty_root, Err(422));
}

#[test]
fn a_witness_cosigns_what_the_log_has_not_signed() {
    let kept = Kept::events(9);
    let (log, stranger) = (log(), key("log", Purpose::Author, 2));
    let asked = |keys: &[&SigningKey]| {
        let checkpoint = SignedCheckpoint::sign(kept.head(9), keys).unwrap();
        Extension {
            checkpoint,
            ..request(5, 9)
        }
    };
    check(kept.head(5), &asked(&[&log]), Ok(9));
    check(kept.head(5), &asked(&[&stranger, &log]), Ok(9));
    check(kept.head(5), &asked(&[&stranger]), Err(403));
    // Before anything else is said of it.
    check(kept.head(6), &asked(&[&stranger]), Err(403));
    // A signature of the log's over another checkpoint.
    let other = SignedCheckpoint::sign(kept.head(8), &[&log]).unwrap();
    let mut forged = asked(&[&stranger]);
    forged.checkpoint.add(other.note().signatures()[0].clone());
    check(kept.head(5), &forged, Err(403));
    let mut spoilt = asked(&[&log]);
    spoilt.checkpoint.add(other.note().signatures()[0].clone());
    check(kept.head(5), &spoilt, Err(403));
    let refused = judge(&kept.head(5), &[], &asked(&[&log]));
    assert_eq!(refused, Err(WitnessRefusal::Unsigned(NoteError::Unsigned)));
    assert_eq!(refused.unwrap_err().status(), 403);
}

#[test]
fn a_refusal_has_another_status_than_the_protocol_says() {
    let origin = "o".to_owned();
    for (refusal, status) in [
        (WitnessRefusal::Malformed(ExtensionError::Form), 400),
        (WitnessRefusal::Malformed(CheckpointError::Size.into()), 400),
        (
            WitnessRefusal::Malformed(CheckpointError::EmptyRoot.into()),
            422,
        ),
        (WitnessRefusal::OldIsLarger { old: 2, new: 1 }, 400),
        (WitnessRefusal::Unsigned(NoteError::Unsigned), 403),
        (WitnessRefusal::UnknownLog { origin }, 404),
        (WitnessRefusal::Stale { seen: 1 }, 409),
        (WitnessRefusal::Inconsistent(ProofError::Root), 422),
    ] {
        assert_eq!(refusal.status(), status, "{refusal}");
    }
}
