//! Checkpoints: their three lines, and who signed them.

use luzhang_ledger::proof::{
    Checkpoint, Node, SignedCheckpoint,
    checkpoint::CheckpointError,
    note::{NoteError, Purpose},
    tree::TreeHead,
};

use crate::{Kept, key};

const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

#[test]
fn a_checkpoint_is_read_that_says_two_things() {
    use CheckpointError::{EmptyRoot, Form, Root, Size};
    for (text, expected) in [
        (format!("o\n1\n{ROOT}\n"), Ok((1, 0))),
        (format!("o\n0\n{EMPTY}\n"), Ok((0, 0))),
        (format!("o\n1\n{EMPTY}\n"), Ok((1, 0))),
        (
            format!("o\n18446744073709551615\n{ROOT}\n"),
            Ok((u64::MAX, 0)),
        ),
        (format!("any+origin with spaces\n1\n{ROOT}\n"), Ok((1, 0))),
        (format!("o\n1\n{ROOT}\next\n"), Ok((1, 1))),
        (format!("o\n1\n{ROOT}\next\n1\n \n"), Ok((1, 3))),
        (String::new(), Err(Form)),
        ("\n".to_owned(), Err(Form)),
        ("o\n".to_owned(), Err(Form)),
        ("o\n1\n".to_owned(), Err(Form)),
        ("o\n1\n\n".to_owned(), Err(Form)),
        (format!("o\n1\n{ROOT}"), Err(Form)),
        (format!("o\n1\n{ROOT}\n\n"), Err(Form)),
        (format!("o\n1\n{ROOT}\n\next\n"), Err(Form)),
        (format!("o\n1\n{ROOT}\next\n\n"), Err(Form)),
        (format!("\no\n1\n{ROOT}\n"), Err(Form)),
        (format!("\n1\n{ROOT}\n"), Err(Form)),
        (format!("o\n\n{ROOT}\n"), Err(Form)),
        (format!("o\n01\n{ROOT}\n"), Err(Size)),
        (format!("o\n00\n{EMPTY}\n"), Err(Size)),
        (format!("o\n+1\n{ROOT}\n"), Err(Size)),
        (format!("o\n-1\n{ROOT}\n"), Err(Size)),
        (format!("o\n 1\n{ROOT}\n"), Err(Size)),
        (format!("o\n1 \n{ROOT}\n"), Err(Size)),
        (format!("o\n1_0\n{ROOT}\n"), Err(Size)),
        (format!("o\n0x1\n{ROOT}\n"), Err(Size)),
        (format!("o\n\u{ff11}\n{ROOT}\n"), Err(Size)),
        (format!("o\n18446744073709551616\n{ROOT}\n"), Err(Size)),
        (format!("o\n1\n{}\n", &ROOT[..43]), Err(Root)),
        (format!("o\n1\n{ROOT}=\n"), Err(Root)),
        (format!("o\n1\n {ROOT}\n"), Err(Root)),
        (format!("o\n1\n{ROOT} \n"), Err(Root)),
        // The two bits at the end that count for nothing.
        (format!("o\n1\n{}J=\n", &ROOT[..42]), Err(Root)),
        (format!("o\n1\n{}\n", ROOT.replace('/', "_")), Err(Root)),
        ("o\n1\nAAAA\n".to_owned(), Err(Root)),
        (format!("o\n1\nAAAA{ROOT}\n"), Err(Root)),
        ("o\n1\n=\n".to_owned(), Err(Root)),
        (format!("o\n0\n{ROOT}\n"), Err(EmptyRoot)),
    ] {
        let read = Checkpoint::parse(&text);
        if let Ok(read) = &read {
            assert_eq!(read.to_string(), text);
        }
        let found = read.map(|read| (read.head.size, read.extensions.len()));
        assert_eq!(found, expected, "{text:?}");
    }
    let root = Checkpoint::parse(&format!("o\n0\n{EMPTY}\n"))
        .unwrap()
        .head
        .root;
    assert_eq!(root, Node::EMPTY);
}

#[test]
fn what_was_signed_is_not_what_is_read() {
    let (old, new) = (
        key("log", Purpose::Author, 1),
        key("log", Purpose::Author, 2),
    );
    let stranger = key("log", Purpose::Author, 3);
    let head = Kept::events(5).head(5);
    let signed = SignedCheckpoint::sign(head, &[&old, &new]).unwrap();
    assert_eq!(signed.checkpoint().origin, "log");
    assert_eq!(signed.head(), head);
    let text = signed.to_string();
    assert_eq!(text.lines().count(), 6);
    let read = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!(read, signed);
    assert_eq!(read.to_string(), text);
    for keys in [
        &[old.verifier()][..],
        &[new.verifier()],
        &[old.verifier(), new.verifier()],
    ] {
        assert_eq!(read.verify(keys).unwrap().len(), keys.len());
    }
    let unsigned = Err(NoteError::Unsigned);
    assert_eq!(read.verify(&[stranger.verifier()]), unsigned);
    let none = Err(CheckpointError::Note(NoteError::Unsigned));
    assert_eq!(SignedCheckpoint::sign(TreeHead::EMPTY, &[]), none);
}

#[test]
fn a_cosignature_is_lost_or_counted_twice() {
    let log = key("log", Purpose::Author, 1);
    let witness = key("w", Purpose::Witness, 4);
    let head = Kept::events(3).head(3);
    let mut signed = SignedCheckpoint::sign(head, &[&log]).unwrap();
    let line = signed.cosign(&witness, 1_700_000_000);
    signed.add(line.clone());
    signed.add(line);
    assert_eq!(signed.note().signatures().len(), 2);
    let read = SignedCheckpoint::parse(signed.to_string().as_bytes()).unwrap();
    assert_eq!(read, signed);
    let verified = read.verify(&[witness.verifier(), log.verifier()]).unwrap();
    let times: Vec<Option<u64>> = verified.iter().map(|one| one.time).collect();
    assert_eq!(times, [None, Some(1_700_000_000)]);
    // A later one of the same witness.
    signed.add(signed.cosign(&witness, 1_700_000_001));
    let verified = signed.verify(&[witness.verifier()]).unwrap();
    assert_eq!(verified.len(), 1);
}

/// The text of a checkpoint of ours and of its extension lines is covered.
#[test]
fn an_extension_line_is_added_to_what_was_signed() {
    let log = key("log", Purpose::Author, 1);
    let signed = SignedCheckpoint::sign(Kept::events(3).head(3), &[&log]).unwrap();
    let text = signed.to_string();
    let changed = text.replacen("\n\n", "\nmore\n\n", 1);
    let read = SignedCheckpoint::parse(changed.as_bytes()).unwrap();
    assert_eq!(read.checkpoint().extensions, ["more"]);
    let forged = NoteError::Forged(log.verifier().name().clone());
    assert_eq!(read.verify(&[log.verifier()]), Err(forged));
}
