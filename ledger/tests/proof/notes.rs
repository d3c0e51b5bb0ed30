//! Notes and keys: what is read, what is refused, and what verifies.

use ed25519_dalek::Signer as _;
use luzhang_ledger::proof::{
    Note, VerifierKey,
    note::{
        KeyName, KeyNameError, MAX_NOTE, MAX_SIGNATURES, NoteError, Purpose, SignatureLine,
        VerifierKeyError,
    },
};
use sha2::{Digest as _, Sha256};

use crate::{key, vkey};

/// A signature line of nobody.
const LINE: &str = "\u{2014} a AAAAAAA=\n";

#[track_caller]
fn check(note: impl AsRef<[u8]>, expected: &Result<&str, NoteError>) {
    let read = Note::parse(note.as_ref());
    if let Ok(read) = &read {
        assert_eq!(read.to_string().as_bytes(), note.as_ref());
    }
    let text = read.as_ref().map(Note::text).map_err(Clone::clone);
    assert_eq!(text, *expected);
}

#[test]
fn a_note_is_read_that_others_do_not_read() {
    for (note, expected) in [
        (format!("text\n\n{LINE}"), Ok("text\n")),
        (format!("\n\n{LINE}"), Ok("\n")),
        (format!("a\n\nb\n\n{LINE}"), Ok("a\n\nb\n")),
        (format!("a\n\n\n{LINE}"), Ok("a\n\n")),
        (format!("a\n\n{LINE}{LINE}"), Ok("a\n")),
        (
            format!("a\n\n{LINE}\n{LINE}"),
            Ok("a\n\n\u{2014} a AAAAAAA=\n"),
        ),
        (
            format!("\u{7f}\u{80}\u{2028}\u{feff}\n\n{LINE}"),
            Ok("\u{7f}\u{80}\u{2028}\u{feff}\n"),
        ),
        (String::new(), Err(NoteError::Form)),
        ("text\n".to_owned(), Err(NoteError::Form)),
        ("text\n\n".to_owned(), Err(NoteError::Form)),
        (format!("text\n{LINE}"), Err(NoteError::Form)),
        (LINE.to_owned(), Err(NoteError::Form)),
        (format!("\n{LINE}"), Err(NoteError::Form)),
        (format!("text\n\n{}", LINE.trim_end()), Err(NoteError::Form)),
        (format!("text\n\n{LINE}x"), Err(NoteError::Form)),
        (format!("text\n\n{LINE}x\n"), Err(NoteError::Signature)),
        (format!("text\n\n{LINE}\n"), Err(NoteError::Form)),
        (format!("text\n\n{LINE}\n\n"), Err(NoteError::Form)),
        (format!("text\n\n {LINE}"), Err(NoteError::Signature)),
        (format!("a\tb\n\n{LINE}"), Err(NoteError::Characters)),
        (format!("a\r\n\n{LINE}"), Err(NoteError::Characters)),
        (format!("a\0\n\n{LINE}"), Err(NoteError::Characters)),
        (format!("a\u{1f}\n\n{LINE}"), Err(NoteError::Characters)),
        (
            format!("a\n\n{}\r\n", LINE.trim_end()),
            Err(NoteError::Characters),
        ),
    ] {
        check(note, &expected);
    }
    let not_utf8 = [b"\xff\n\n", LINE.as_bytes()].concat();
    check(not_utf8, &Err(NoteError::Characters));
}

#[test]
fn a_signature_line_has_two_spellings() {
    for (line, sound) in [
        ("\u{2014} a AAAAAAA=", true),
        ("\u{2014} example.com/\u{7532} AAAAAAA=", true),
        // Four bytes are a key's id, and no signature.
        ("\u{2014} a AAAAAA==", false),
        ("\u{2014} a AAAA", false),
        ("\u{2014} a ", false),
        ("\u{2014} a", false),
        ("\u{2014} ", false),
        ("\u{2014}", false),
        ("- a AAAAAAA=", false),
        ("\u{2013} a AAAAAAA=", false),
        ("\u{2014}a AAAAAAA=", false),
        ("\u{2014}  a AAAAAAA=", false),
        ("\u{2014} a  AAAAAAA=", false),
        ("\u{2014} a AAAAAAA= ", false),
        ("\u{2014} a b AAAAAAA=", false),
        ("\u{2014} a+b AAAAAAA=", false),
        ("\u{2014} a\u{a0}b AAAAAAA=", false),
        ("\u{2014} a\u{3000}b AAAAAAA=", false),
        ("\u{2014}  AAAAAAA=", false),
        // Base64 without its padding, with too much, with bits that count for
        // nothing, of the other alphabet, and with a line feed.
        ("\u{2014} a AAAAAAA", false),
        ("\u{2014} a AAAAAAA==", false),
        ("\u{2014} a AAAAAAB=", false),
        ("\u{2014} a AAAAAA-_", false),
        ("\u{2014} a AAAA\nAAA=", false),
        ("\u{2014} a AAAA AAA=", false),
    ] {
        let read: Result<SignatureLine, _> = line.parse();
        assert_eq!(read.is_ok(), sound, "{line:?}");
        if let Ok(read) = read {
            assert_eq!(read.to_string(), line);
        }
    }
}

#[test]
fn a_note_is_larger_than_any_that_is_read() {
    let line = LINE.repeat(MAX_SIGNATURES);
    check(format!("a\n\n{line}"), &Ok("a\n"));
    check(format!("a\n\n{line}{LINE}"), &Err(NoteError::TooLarge));
    let end = format!("\n\n{LINE}");
    let most = "x".repeat(MAX_NOTE - end.len());
    check(format!("{most}{end}"), &Ok(&format!("{most}\n")));
    check(format!("x{most}{end}"), &Err(NoteError::TooLarge));
}

#[test]
fn a_note_without_an_end_is_made() {
    assert_eq!(Note::new("a\n".to_owned()).unwrap().text(), "a\n");
    for (text, error) in [
        ("", NoteError::Form),
        ("a", NoteError::Form),
        ("a\r\n", NoteError::Characters),
        ("\t\n", NoteError::Characters),
    ] {
        assert_eq!(Note::new(text.to_owned()), Err(error), "{text:?}");
    }
}

#[test]
fn a_key_has_a_name_that_ends_elsewhere_than_it_seems() {
    for (name, sound) in [
        ("a", true),
        ("example.com/log", true),
        ("\u{6cf8}\u{5dde}", true),
        ("a-b_c~d=e", true),
        ("", false),
        (" ", false),
        ("a b", false),
        ("a+b", false),
        ("a\nb", false),
        ("a\tb", false),
        ("a\u{0}", false),
        ("a\u{7f}", false),
        ("a\u{85}", false),
        ("a\u{a0}", false),
        ("\u{2003}a", false),
        ("a\u{2028}", false),
        ("a\u{3000}", false),
    ] {
        let made = KeyName::new(name);
        assert_eq!(made.is_ok(), sound, "{name:?}");
        assert_eq!(made.err(), (!sound).then_some(KeyNameError));
    }
}

/// `name+id+key` for these bytes, with the id that follows from them.
fn key_text(name: &str, kind: u8, bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let material = [&[kind], bytes].concat();
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update("\n")
        .chain_update(&material)
        .finalize();
    let id = crate::hexadecimal(&digest[..4]);
    format!("{name}+{id}+{}", STANDARD.encode(material))
}

#[test]
fn a_key_is_believed_that_was_mistyped_or_proves_nothing() {
    let sound = *key("a", Purpose::Author, 1).verifier().key_bytes();
    let weak = |first: u8, last: u8| {
        let mut bytes = [if first == 0xff { 0xff } else { 0 }; 32];
        bytes[0] = first;
        bytes[31] = last;
        bytes
    };
    let author = key_text("a", 1, &sound);
    let (form, kind, bad, id) = (
        VerifierKeyError::Form,
        VerifierKeyError::Kind,
        VerifierKeyError::Key,
        VerifierKeyError::Id,
    );
    let name = VerifierKeyError::Name(KeyNameError);
    for (text, expected) in [
        (author.clone(), Ok(Purpose::Author)),
        (key_text("a", 4, &sound), Ok(Purpose::Witness)),
        (key_text("a", 0, &sound), Err(kind)),
        (key_text("a", 2, &sound), Err(kind)),
        (key_text("a", 6, &sound), Err(kind)),
        (key_text("a", 0xff, &sound), Err(kind)),
        (key_text("a", 1, &sound[..31]), Err(bad)),
        (key_text("a", 1, &[&sound[..], &[0]].concat()), Err(bad)),
        (key_text("a", 1, &[]), Err(bad)),
        // Not on the curve.
        (key_text("a", 1, &weak(2, 0)), Err(bad)),
        // Points of small order: whoever chose them can sign anything.
        (key_text("a", 1, &weak(0, 0)), Err(bad)),
        (key_text("a", 1, &weak(1, 0)), Err(bad)),
        (key_text("a", 4, &weak(1, 0)), Err(bad)),
        (key_text("a", 1, &weak(1, 0x80)), Err(bad)),
        (key_text("a", 1, &weak(0, 0x80)), Err(bad)),
        // The same ones in another spelling: p - 1, p and p + 1.
        (key_text("a", 1, &p_plus(-1)), Err(bad)),
        (key_text("a", 1, &p_plus(0)), Err(bad)),
        (key_text("a", 1, &p_plus(1)), Err(bad)),
        (key_text("", 1, &sound), Err(name)),
        (key_text("a b", 1, &sound), Err(name)),
        (String::new(), Err(form)),
        ("a".to_owned(), Err(form)),
        ("a+00000000".to_owned(), Err(form)),
        ("a+00000000+".to_owned(), Err(form)),
        (author.replace("a+", "b+"), Err(id)),
        (author.replace("a+", "a++"), Err(form)),
        (author.to_uppercase().replace("A+", "a+"), Err(form)),
        (format!("{author} "), Err(form)),
        (format!(" {author}"), Err(name)),
        (format!("{author}\n"), Err(form)),
        (author[..author.len() - 1].to_owned(), Err(form)),
    ] {
        let read = text.parse::<VerifierKey>();
        let purpose = read.as_ref().map(VerifierKey::purpose);
        if text == author.to_uppercase().replace("A+", "a+") {
            // Another key, or none; not this one.
            assert!(read.is_err(), "{text}");
            continue;
        }
        assert_eq!(purpose.map_err(|error| *error), expected, "{text}");
        if let Ok(read) = read {
            assert_eq!(read.to_string(), text);
        }
    }
    let (start, rest) = author.split_at(2);
    let upper = format!("{start}{}{}", rest[..8].to_uppercase(), &rest[8..]);
    assert_ne!(upper, author, "an id with a letter in it");
    assert_eq!(upper.parse::<VerifierKey>(), Err(id));
    assert_eq!(
        author.replacen('+', "+0", 1).parse::<VerifierKey>(),
        Err(id)
    );
}

/// 2^255 - 19 and a little, in 32 bytes from the lowest one.
fn p_plus(more: i8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed_u8.wrapping_add_signed(more);
    bytes[31] = 0x7f;
    bytes
}

fn signed(text: &str, lines: &[String]) -> Note {
    Note::parse(format!("{text}\n{}\n", lines.join("\n")).as_bytes()).unwrap()
}

/// A signature of a text by a key that follows from a number, made without our
/// code.
fn line(name: &str, number: u8, kind: u8, text: &str, time: Option<u64>) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let secret = ed25519_dalek::SigningKey::from_bytes(&[number; 32]);
    let message = match time {
        None => text.to_owned(),
        Some(time) => format!("cosignature/v1\ntime {time}\n{text}"),
    };
    let vkey = key_text(name, kind, secret.verifying_key().as_bytes());
    let id = crate::hex(vkey.split('+').nth(1).unwrap());
    let time = time.map(u64::to_be_bytes);
    let time = time.as_ref().map_or(&[][..], |time| time.as_slice());
    let signature = secret.sign(message.as_bytes()).to_bytes();
    let bytes = [&id, time, &signature].concat();
    format!("\u{2014} {name} {}", STANDARD.encode(bytes))
}

#[test]
fn a_note_is_believed_that_nobody_trusted_has_signed() {
    let text = "some text\n";
    let (a, b) = (key("a", Purpose::Author, 1), key("b", Purpose::Author, 2));
    let (a, b) = (a.verifier(), b.verifier());
    let by_a = line("a", 1, 1, text, None);
    let by_b = line("b", 2, 1, text, None);
    let over_other = line("a", 1, 1, "another text\n", None);
    let forged = |name: &str| NoteError::Forged(KeyName::new(name).unwrap());
    let of_a = by_a.clone();
    for (lines, keys, expected) in [
        (vec![&by_a], vec![a], Ok(vec![a])),
        (vec![&by_a, &by_b], vec![a, b], Ok(vec![a, b])),
        (vec![&by_b, &by_a], vec![a], Ok(vec![a])),
        (vec![&by_b], vec![a], Err(NoteError::Unsigned)),
        (vec![&by_a], vec![], Err(NoteError::Unsigned)),
        // A key that signed twice counts once.
        (vec![&by_a, &of_a], vec![a], Ok(vec![a])),
        (vec![&by_a], vec![a, a], Ok(vec![a])),
        // One that does not hold spoils the note, wherever it stands.
        (vec![&over_other], vec![a], Err(forged("a"))),
        (vec![&over_other, &by_a], vec![a], Err(forged("a"))),
        (vec![&by_a, &over_other], vec![a], Err(forged("a"))),
        (vec![&by_b, &over_other], vec![b], Ok(vec![b])),
    ] {
        let lines: Vec<String> = lines.into_iter().cloned().collect();
        let verified = signed(text, &lines).verify(&keys);
        let found = verified
            .as_ref()
            .map(|all| all.iter().map(|one| &one.key).collect::<Vec<_>>());
        assert_eq!(found.map_err(Clone::clone), expected);
    }
}

#[test]
fn a_signature_serves_another_name_or_another_purpose() {
    let text = "some text\n";
    let author = vkey(&key_text(
        "a",
        1,
        key("a", Purpose::Author, 1).verifier().key_bytes(),
    ));
    let witness = vkey(&key_text("a", 4, author.key_bytes()));
    let renamed = vkey(&key_text("b", 1, author.key_bytes()));
    assert_ne!(author.id(), witness.id());
    assert_ne!(author.id(), renamed.id());
    let note = signed(text, &[line("a", 1, 1, text, None)]);
    assert!(note.verify(&[&author]).is_ok());
    assert_eq!(note.verify(&[&witness, &renamed]), Err(NoteError::Unsigned));

    // The name and the id are a key together, not one of them.
    let sound = line("a", 1, 1, text, None);
    for other in ["b", "aa", "A"] {
        let line = sound.replacen(" a ", &format!(" {other} "), 1);
        let note = signed(text, &[line]);
        assert_eq!(note.verify(&[&author]), Err(NoteError::Unsigned));
    }

    let note = signed(text, &[line("a", 1, 4, text, Some(7))]);
    let verified = note.verify(&[&witness]).unwrap();
    assert_eq!(verified[0].time, Some(7));
    assert_eq!(note.verify(&[&author]), Err(NoteError::Unsigned));
}

#[test]
fn a_cosignature_holds_for_another_time_or_none() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = "some text\n";
    let key = key("w", Purpose::Witness, 3);
    let keys = [key.verifier()];
    let forged = Err(NoteError::Forged(key.verifier().name().clone()));
    let most = i64::MAX.cast_unsigned();
    for (time, sound) in [
        (0, false),
        (1, true),
        (1_679_315_147, true),
        (most, true),
        (most + 1, false),
        (u64::MAX, false),
    ] {
        let note = signed(text, &[line("w", 3, 4, text, Some(time))]);
        let verified = note.verify(&keys);
        if sound {
            assert_eq!(verified.unwrap()[0].time, Some(time));
        } else {
            assert_eq!(verified, forged, "{time}");
        }
    }
    // Every bit of id, time and signature.
    let sound = line("w", 3, 4, text, Some(1_700_000_000));
    let (start, base64) = sound.rsplit_once(' ').unwrap();
    let bytes = STANDARD.decode(base64).unwrap();
    assert_eq!(bytes.len(), 4 + 8 + 64);
    for bit in 0..bytes.len() * 8 {
        let changed = STANDARD.encode(crate::flip(&bytes, bit));
        let verified = signed(text, &[format!("{start} {changed}")]).verify(&keys);
        if bit < 32 {
            assert_eq!(verified, Err(NoteError::Unsigned));
        } else {
            assert_eq!(verified, forged, "bit {bit}");
        }
    }
    for cut in 5..bytes.len() {
        let changed = STANDARD.encode(&bytes[..cut]);
        let verified = signed(text, &[format!("{start} {changed}")]).verify(&keys);
        assert_eq!(verified, forged, "{cut} bytes");
    }
}

/// `S + L` signs as well as `S` does where this is not looked at.
#[test]
fn a_signature_has_a_second_form() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    // The order of the group, from the lowest byte.
    let order = crate::hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let text = "some text\n";
    let sound = line("a", 1, 1, text, None);
    let (start, base64) = sound.rsplit_once(' ').unwrap();
    let mut bytes = STANDARD.decode(base64).unwrap();
    let mut carry = 0_u16;
    for (byte, more) in bytes[4 + 32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    let note = signed(text, &[format!("{start} {}", STANDARD.encode(bytes))]);
    let key = key("a", Purpose::Author, 1);
    let forged = NoteError::Forged(key.verifier().name().clone());
    assert_eq!(note.verify(&[key.verifier()]), Err(forged));
}

#[test]
fn a_secret_key_is_printed() {
    let key = key("a", Purpose::Author, 1);
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey({})", key.verifier())
    );
}
