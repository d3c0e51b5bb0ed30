//! Receipts: what they prove, and that no change of one proves anything else.

use luzhang_ledger::{
    Position,
    hash::ChainHasher,
    proof::{
        Node, Policy, Receipt, SignedCheckpoint, SigningKey,
        checkpoint::CheckpointError,
        note::{NoteError, Purpose},
        policy::{Cosigner, Distrust},
        receipt::{MAX_PATH, Proven, ReceiptError, ReceiptForm, Subject},
        tree::{self, ProofError},
    },
};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::{Kept, event, flip, key};

const SIZE: u64 = 21;
const POSITION: u64 = 14;

fn log() -> SigningKey {
    key("luzhang/a-ledger", Purpose::Author, 1)
}

fn witness(number: u8) -> SigningKey {
    key(&format!("w{number}.example"), Purpose::Witness, number)
}

fn policy(quorum: &str) -> Policy {
    let text = format!(
        "log {}\nwitness a {}\nwitness b {}\ngroup one any a b\ngroup two 2 a b\nquorum {quorum}\n",
        log().verifier(),
        witness(11).verifier(),
        witness(12).verifier(),
    );
    // `one` has taken both names; two groups of two policies.
    let without = if quorum == "two" {
        "group one any a b\n"
    } else {
        "group two 2 a b\n"
    };
    text.replace(without, "").parse().unwrap()
}

fn position(number: u64) -> Position {
    Position::new(number).unwrap()
}

/// Stored bytes that state this position, and something else.
fn stored(position: u8) -> Vec<u8> {
    vec![0x08, position, 0x12, 0x03, b'a', b'b', b'c']
}

fn content() -> Subject {
    Subject::Content {
        previous: event(POSITION - 2),
        stored: stored(u8::try_from(POSITION).unwrap()),
    }
}

/// A receipt of an event that is in a tree of [`SIZE`] leaves at [`POSITION`],
/// cosigned by the two witnesses of [`policy`] and one that nobody knows.
fn receipt(subject: Subject) -> Receipt {
    let index = POSITION - 1;
    let mut leaves: Vec<Node> = (0..SIZE).map(|n| Node::of_event(event(n))).collect();
    leaves[usize::try_from(index).unwrap()] = Node::of_event(subject.event_hash());
    let kept = Kept::of(leaves);
    let mut checkpoint = SignedCheckpoint::sign(kept.head(SIZE), &[&log()]).unwrap();
    for number in 11..14 {
        let line = checkpoint.cosign(&witness(number), 1_700_000_000 + u64::from(number));
        checkpoint.add(line);
    }
    let Ok(path) = tree::inclusion(&mut &kept, index, SIZE);
    Receipt {
        subject,
        position: position(POSITION),
        path,
        checkpoint,
    }
}

#[test]
fn a_receipt_proves_something_else_than_it_says() {
    for subject in [Subject::Hash(event(0)), content()] {
        let receipt = receipt(subject.clone());
        let text = receipt.to_string();
        let read = Receipt::parse(text.as_bytes()).unwrap();
        assert_eq!(read, receipt);
        assert_eq!(read.to_string(), text);
        let proven = read.verify(&policy("two")).unwrap();
        assert_eq!(proven.position, position(POSITION));
        assert_eq!(proven.event_hash, subject.event_hash());
        assert_eq!(proven.checkpoint.head, receipt.checkpoint.head());
        assert_eq!(proven.checkpoint.cosigners.len(), 2);
    }
    let Subject::Content { previous, stored } = content() else {
        unreachable!("made above")
    };
    let chained = ChainHasher::default().event(previous, &stored);
    assert_eq!(content().event_hash(), chained);
}

/// The same claim, by no more witnesses.
fn is_no_more(changed: &Proven, sound: &Proven) -> bool {
    let known = |one: &Cosigner| sound.checkpoint.cosigners.contains(one);
    changed.position == sound.position
        && changed.event_hash == sound.event_hash
        && changed.checkpoint.origin == sound.checkpoint.origin
        && changed.checkpoint.head == sound.checkpoint.head
        && changed.checkpoint.log == sound.checkpoint.log
        && changed.checkpoint.cosigners.iter().all(known)
}

/// Every bit of the text, under policies that are harder and harder to meet. What
/// still verifies has changed in the signature of somebody who does not count, or
/// now does not: its meaning is the same.
#[test]
fn a_receipt_proves_another_thing_with_one_bit_flipped() {
    let of_key = Policy::of_key(log().verifier().clone());
    for subject in [Subject::Hash(event(0)), content()] {
        let text = receipt(subject).to_string();
        let lines_before =
            |bit: usize| text.as_bytes()[..bit / 8].split(|b| *b == b'\n').count() - 1;
        let first_witness = text.lines().position(|line| line.contains("w11.")).unwrap();
        for (policy, untrusted) in [
            (&of_key, first_witness),
            (&policy("one"), first_witness),
            (&policy("two"), first_witness + 2),
        ] {
            let sound = Receipt::parse(text.as_bytes())
                .unwrap()
                .verify(policy)
                .unwrap();
            (0..text.len() * 8).into_par_iter().for_each(|bit| {
                let changed = flip(text.as_bytes(), bit);
                let Ok(receipt) = Receipt::parse(&changed) else {
                    return;
                };
                assert_eq!(receipt.to_string().as_bytes(), changed);
                if let Ok(proven) = receipt.verify(policy) {
                    assert!(is_no_more(&proven, &sound), "bit {bit}: {proven:?}");
                    assert!(lines_before(bit) >= untrusted, "bit {bit}");
                }
            });
        }
    }
}

/// All that is cut off is, at the end, a signature that is not needed.
#[test]
fn a_receipt_that_was_cut_short_proves_another_thing() {
    let text = receipt(content()).to_string();
    let sound = receipt(content()).verify(&policy("one")).unwrap();
    let mut verified = Vec::new();
    for cut in 0..text.len() {
        let Ok(receipt) = Receipt::parse(&text.as_bytes()[..cut]) else {
            continue;
        };
        assert_eq!(receipt.to_string().as_bytes(), &text.as_bytes()[..cut]);
        if let Ok(proven) = receipt.verify(&policy("one")) {
            assert!(is_no_more(&proven, &sound));
            verified.push(proven.checkpoint.cosigners.len());
        }
    }
    // One for each line that may be left off: the strangers, the second's.
    assert_eq!(verified, [1, 2]);
    for from in 1..text.len() {
        assert!(
            Receipt::parse(&text.as_bytes()[from..]).is_err(),
            "from {from}"
        );
    }
}

#[test]
fn a_receipt_has_two_spellings() {
    use ReceiptForm::{Extra, Index, Path, Text, Title};
    let sound = receipt(Subject::Hash(event(0))).to_string();
    let (proof, checkpoint) = sound.split_once("\n\n").unwrap();
    let lines: Vec<&str> = proof.lines().collect();
    let [title, extra, index, path @ ..] = lines.as_slice() else {
        unreachable!("made above")
    };
    let node = path[0];
    let nodes = |count: usize| vec![node; count].join("\n");
    let with = |title: &str, extra: &str, index: &str, path: &str| {
        let path = if path.is_empty() {
            String::new()
        } else {
            format!("{path}\n")
        };
        format!("{title}\n{extra}\n{index}\n{path}\n{checkpoint}")
    };
    // `01` and 32 bytes, `02` and no less.
    let hash = |form: u8, more: &[u8]| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let bytes = [&[form], event(0).as_bytes().as_slice(), more].concat();
        format!("extra {}", STANDARD.encode(bytes))
    };
    for (text, expected) in [
        (with(title, extra, index, node), Ok(1)),
        (with(title, extra, index, ""), Ok(0)),
        (with(title, extra, "index 0", ""), Ok(0)),
        (with(title, extra, "index 18446744073709551614", ""), Ok(0)),
        (with(title, extra, index, &nodes(MAX_PATH)), Ok(MAX_PATH)),
        (with(title, extra, index, &nodes(MAX_PATH + 1)), Err(Path)),
        (with(title, &hash(2, b""), index, node), Ok(1)),
        (with(title, &hash(2, b"x"), index, node), Ok(1)),
        (with(title, &hash(1, b"x"), index, node), Err(Extra)),
        (with(title, &hash(0, b""), index, node), Err(Extra)),
        (with(title, &hash(3, b""), index, node), Err(Extra)),
        (with(title, "extra ", index, node), Err(Extra)),
        (with(title, "extra AQ==", index, node), Err(Extra)),
        (
            with(title, &extra.replace("extra", "Extra"), index, node),
            Err(Extra),
        ),
        (
            with(title, &extra.replace("extra ", "extra  "), index, node),
            Err(Extra),
        ),
        (with(title, &format!("{extra} "), index, node), Err(Extra)),
        (with(title, &format!("{extra}="), index, node), Err(Extra)),
        (with(title, index, extra, node), Err(Extra)),
        (
            with("c2sp.org/tlog-proof@v2", extra, index, node),
            Err(Title),
        ),
        (
            with("C2SP.org/tlog-proof@v1", extra, index, node),
            Err(Title),
        ),
        (
            with(" c2sp.org/tlog-proof@v1", extra, index, node),
            Err(Title),
        ),
        (
            with("c2sp.org/tlog-proof@v1\r", extra, index, node),
            Err(Title),
        ),
        (with(title, extra, "index", node), Err(Index)),
        (with(title, extra, "index ", node), Err(Index)),
        (with(title, extra, "index 013", node), Err(Index)),
        (with(title, extra, "index +13", node), Err(Index)),
        (with(title, extra, "index -0", node), Err(Index)),
        (with(title, extra, "index 00", node), Err(Index)),
        (with(title, extra, "index 13 ", node), Err(Index)),
        (with(title, extra, "Index 13", node), Err(Index)),
        // Its position would be 2^64.
        (
            with(title, extra, "index 18446744073709551615", node),
            Err(Index),
        ),
        (with(title, extra, index, &node[..43]), Err(Path)),
        (with(title, extra, index, &format!("{node} ")), Err(Path)),
        (with(title, extra, index, "AAAA"), Err(Path)),
        (String::new(), Err(Path)),
        (format!("{proof}\n"), Err(Path)),
        (format!("\n{sound}"), Err(Title)),
        (format!("{title}\n\n{checkpoint}"), Err(Extra)),
        (format!("{title}\n{extra}\n\n{checkpoint}"), Err(Index)),
    ] {
        let read = Receipt::parse(text.as_bytes());
        if let Ok(read) = &read {
            assert_eq!(read.to_string(), text);
        }
        let expected = expected.map_err(ReceiptError::Form);
        assert_eq!(read.map(|read| read.path.len()), expected, "{text}");
    }
    assert_eq!(Receipt::parse(b"\xff\n\n"), Err(ReceiptError::Form(Text)));
    let no_checkpoint = Receipt::parse(format!("{proof}\n\n").as_bytes());
    let form = CheckpointError::Note(NoteError::Form);
    assert_eq!(no_checkpoint, Err(ReceiptError::Checkpoint(form)));
    let empty_line = Receipt::parse(sound.replacen("\n\n", "\n\n\n", 1).as_bytes());
    assert_eq!(
        empty_line,
        Err(ReceiptError::Checkpoint(CheckpointError::Form))
    );
}

#[test]
fn an_event_is_proven_at_a_place_that_is_not_its_own() {
    let sound = receipt(content());
    let policy = policy("two");
    let elsewhere = Receipt {
        position: position(POSITION + 1),
        ..sound.clone()
    };
    assert_eq!(elsewhere.verify(&policy), Err(ReceiptError::Elsewhere));
    // By its hash alone an event does not say where it stands; the path does.
    let by_hash = Receipt {
        subject: Subject::Hash(content().event_hash()),
        ..elsewhere
    };
    assert_eq!(by_hash.verify(&policy), Err(ProofError::Root.into()));
    let outside = Receipt {
        position: position(SIZE + 1),
        ..by_hash
    };
    let out_of_tree = ProofError::OutOfTree {
        index: SIZE,
        size: SIZE,
    };
    assert_eq!(outside.verify(&policy), Err(out_of_tree.into()));
    // Stored bytes that state another position than the one in the tree, or none.
    for wrong in [
        stored(13),
        stored(0x80),
        Vec::new(),
        vec![0x08],
        vec![0x08, 0x8e, 0x00],
    ] {
        let subject = Subject::Content {
            previous: event(0),
            stored: wrong,
        };
        let lying = receipt(subject);
        assert_eq!(lying.verify(&policy), Err(ReceiptError::Elsewhere));
    }
}

#[test]
fn a_receipt_holds_without_its_witnesses() {
    let mut receipt = receipt(content());
    let head = receipt.checkpoint.head();
    let mut checkpoint = SignedCheckpoint::sign(head, &[&log()]).unwrap();
    let first = checkpoint.cosign(&witness(11), 1);
    checkpoint.add(first);
    receipt.checkpoint = checkpoint;
    assert!(receipt.verify(&policy("one")).is_ok());
    let too_few = Distrust::Quorum { found: 1 };
    assert_eq!(receipt.verify(&policy("two")), Err(too_few.into()));
}
