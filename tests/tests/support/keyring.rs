//! The keys of a data directory, read as FORMAT.md says and not as the program
//! does.

use std::{collections::BTreeMap, fs, path::Path};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};

/// A key-encryption key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Kek(pub(crate) [u8; 32]);

/// What is in `keys/`.
pub(crate) struct Keyring {
    pub(crate) identity: [u8; 32],
    /// The keys of subjects, by subject id.
    pub(crate) subjects: BTreeMap<[u8; 16], [u8; 32]>,
    /// Their records, as they are on the disk.
    pub(crate) records: BTreeMap<[u8; 16], [u8; 96]>,
    /// How many records are zeros.
    pub(crate) destroyed: usize,
}

impl Kek {
    /// Reads its file.
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let digits = text.strip_prefix("luzhang kek 1\nkey ").unwrap();
        Self(unhex(digits.trim_end()).try_into().unwrap())
    }

    pub(crate) fn id(&self) -> String {
        hex(&blake3::derive_key("luzhang 2026 kek id v1", &self.0)[..8])
    }

    /// The bytes that would betray it: itself, as digits, and what wraps.
    pub(crate) fn traces(&self) -> [Vec<u8>; 3] {
        let wrapping = blake3::derive_key("luzhang 2026 key wrapping v1", &self.0);
        [
            self.0.to_vec(),
            hex(&self.0).into_bytes(),
            wrapping.to_vec(),
        ]
    }

    /// Unwraps 72 bytes.
    pub(crate) fn open(&self, context: &str, subject: &[u8], wrapped: &[u8]) -> Option<[u8; 32]> {
        let wrapping = blake3::derive_key("luzhang 2026 key wrapping v1", &self.0);
        let (nonce, sealed) = wrapped.split_at(24);
        let aad = [context.as_bytes(), subject].concat();
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        let nonce = XNonce::from(<[u8; 24]>::try_from(nonce).unwrap());
        let key = XChaCha20Poly1305::new(&wrapping.into()).decrypt(&nonce, payload);
        key.ok().map(|key| key.try_into().unwrap())
    }

    /// Opens a subject's record.
    pub(crate) fn open_record(&self, record: &[u8; 96]) -> Option<[u8; 32]> {
        let context = "luzhang 2026 wrapped subject key v1";
        self.open(context, &record[..16], &record[16..88])
    }
}

impl Keyring {
    /// Opens all of it.
    pub(crate) fn read(keys: &Path, kek: &Kek) -> Self {
        let text = fs::read_to_string(keys.join("identity")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let [title, of, wrapped] = lines[..] else {
            panic!("{text}")
        };
        assert_eq!(title, "luzhang identity key 2");
        assert_eq!(of, format!("kek {}", kek.id()));
        let wrapped = unhex(wrapped.strip_prefix("wrapped ").unwrap());
        let context = "luzhang 2026 wrapped identity key v1";
        let identity = kek.open(context, &[], &wrapped).unwrap();
        let bytes = fs::read(keys.join("subjects")).unwrap();
        let (records, rest) = bytes.as_chunks::<96>();
        assert_eq!(rest, b"");
        let header = format!("luzhang subject keys 2\nkek {}\n", kek.id());
        assert_eq!(records[0][..header.len()], *header.as_bytes());
        assert!(records[0][header.len()..88].iter().all(|byte| *byte == 0));
        let mut keyring = Self {
            identity,
            subjects: BTreeMap::new(),
            records: BTreeMap::new(),
            destroyed: 0,
        };
        for (place, record) in records.iter().enumerate() {
            if *record == [0; 96] {
                keyring.destroyed += 1;
                continue;
            }
            assert_eq!(record[88..], blake3::hash(&record[..88]).as_bytes()[..8]);
            if place > 0 {
                let id = record[..16].try_into().unwrap();
                let key = kek.open_record(record).unwrap();
                keyring.subjects.insert(id, key);
                keyring.records.insert(id, *record);
            }
        }
        keyring
    }

    /// Every key in clear.
    pub(crate) fn secrets(&self) -> Vec<Vec<u8>> {
        let subjects = self.subjects.values();
        let keys = subjects.chain([&self.identity]);
        keys.map(|key| key.to_vec()).collect()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "{text}");
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect()
}
