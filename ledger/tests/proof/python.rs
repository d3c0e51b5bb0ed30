//! Two packages of Python, by others: `tests/merkle_peer.py` says which.

use std::{fmt::Write as _, fs, process::Command};

use luzhang_ledger::proof::{
    Node, Policy, Receipt, SignedCheckpoint,
    note::Purpose,
    receipt::Subject,
    tree::{self, index_of},
};

use crate::{Kept, event, hexadecimal, key, vkey};

const SIZE: u64 = 40;
/// Those above the size of all paths.
const LARGER: [u64; 4] = [127, 128, 129, 257];

fn line(out: &mut String, what: &str, path: &[Node]) {
    out.push_str(what);
    for node in path {
        write!(out, " {}", hexadecimal(node.as_bytes())).unwrap();
    }
    out.push('\n');
}

/// All that is asked of the script about one tree, and how much it is.
fn tree_lines(kept: &Kept) -> (String, String) {
    let (mut out, mut inclusion, mut consistency, mut roots) = (String::new(), 0, 0, 0);
    let most = LARGER[LARGER.len() - 1];
    for number in 0..most {
        let data = hexadecimal(event(number).as_bytes());
        writeln!(out, "leaf {data}").unwrap();
    }
    for size in (0..=SIZE).chain(LARGER) {
        line(&mut out, &format!("root {size}"), &[kept.head(size).root]);
        roots += 1;
        let places = (0..size).filter(|place| size <= SIZE || place % 16 == 0 || place + 1 == size);
        for place in places {
            let Ok(path) = tree::inclusion(&mut &*kept, place, size);
            line(&mut out, &format!("inclusion {place} {size}"), &path);
            inclusion += 1;
            // Both roots are known by then: all smaller sizes, and some of the large ones.
            let old = place + 1;
            if old <= SIZE || LARGER.contains(&old) {
                let Ok(path) = tree::consistency(&mut &*kept, old, size);
                line(&mut out, &format!("consistency {old} {size}"), &path);
                consistency += 1;
            }
        }
    }
    let counts =
        format!("{consistency} consistency, {inclusion} inclusion, {most} leaf, {roots} root\n");
    (out, counts)
}

#[test]
fn a_program_in_another_language_checks_otherwise() {
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str| scratch.path().join(name);
    let kept = Kept::events(LARGER[LARGER.len() - 1]);
    let (tree_lines, counts) = tree_lines(&kept);
    fs::write(file("tree"), tree_lines).unwrap();

    let log = key("luzhang/a-ledger", Purpose::Author, 1);
    let witnesses = [11, 12].map(|n| key(&format!("w{n}.example"), Purpose::Witness, n));
    let (size, place) = (23, 17);
    let mut checkpoint = SignedCheckpoint::sign(kept.head(size), &[&log]).unwrap();
    for witness in &witnesses {
        let cosignature = checkpoint.cosign(witness, 1_700_000_000);
        checkpoint.add(cosignature);
    }
    let Ok(path) = tree::inclusion(&mut &kept, place, size);
    let receipt = Receipt {
        subject: Subject::Hash(event(place)),
        position: luzhang_ledger::Position::new(place + 1).unwrap(),
        path,
        checkpoint: checkpoint.clone(),
    };
    assert_eq!(index_of(receipt.position), place);
    fs::write(file("log"), log.verifier().to_string()).unwrap();
    let vkeys = witnesses.map(|witness| witness.verifier().to_string());
    fs::write(file("witnesses"), vkeys.join("\n")).unwrap();
    fs::write(file("checkpoint"), checkpoint.to_string()).unwrap();
    fs::write(file("receipt"), receipt.to_string()).unwrap();
    fs::write(file("leaf"), event(place).as_bytes()).unwrap();

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/merkle_peer.py");
    let ran = Command::new("python3")
        .arg(script)
        .arg(scratch.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    let needs = "scripts/test installs what this needs";
    assert!(ran.status.success(), "{needs}\n{said}");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), counts);

    let read = |name: &str| fs::read_to_string(file(name)).unwrap();
    let (log, witness) = (read("their-log"), read("their-witness"));
    assert_eq!(
        vkey(&log),
        *key("example.com/python", Purpose::Author, 41).verifier()
    );
    assert_eq!(
        vkey(&witness),
        *key("example.com/w", Purpose::Witness, 42).verifier()
    );
    let policy: Policy = format!("log {log}\nwitness w {witness}\nquorum w\n")
        .parse()
        .unwrap();
    let signed = SignedCheckpoint::parse(read("their-checkpoint").as_bytes()).unwrap();
    assert_eq!(signed.to_string(), read("their-checkpoint"));
    let trusted = policy.check(&signed).unwrap();
    assert_eq!(trusted.origin, "example.com/python");
    assert_eq!(trusted.cosigners[0].time, 1_700_000_000);
    let three = [b"a", b"b", b"c"].map(|data| Node::leaf(data));
    assert_eq!(trusted.head, Kept::of(three.to_vec()).head(3));
}
