//! The keys, outside the log: `DIR/keys/`, readable by its owner alone.
//!
//! - `identity`: 32 bytes, the secret from which pseudonyms are made. Whoever
//!   has it can find a known person's history; without it nobody can.
//! - `subjects`: one 56-byte record a subject: 16 subject id, 32 key, 8 bytes of
//!   BLAKE3 of both. Of two records for one subject the later counts. Records
//!   are durable before any event that needs them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use hashbrown::HashMap;
use luzhang_ledger::{
    LedgerId, SubjectId,
    identity::{Details, IdentityKey, SubjectKey, open, seal},
};
use parking_lot::Mutex;
use thiserror::Error;
use zeroize::Zeroizing;

const RECORD: usize = 56;

/// Why the keys cannot be used.
#[derive(Debug, Error)]
pub enum VaultError {
    /// There are no keys.
    #[error(
        "the keys are missing: {path} is not there. Without it no person can be found or revealed; \
         restore the `keys` directory from its backup"
    )]
    Missing {
        /// What is missing.
        path: PathBuf,
    },
    /// A key file is not what it should be.
    #[error("{path} is damaged: {detail}. Restore the `keys` directory from its backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: &'static str,
    },
    /// The identity key belongs to another ledger.
    #[error(
        "the identity key in `keys` is not this ledger's: every person would look unknown. \
         Restore the right `keys` directory"
    )]
    Mismatch,
    /// The operating system said no.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl VaultError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "KEYS_MISSING",
            Self::Damaged { .. } | Self::Io { .. } => "KEYS_UNREADABLE",
            Self::Mismatch => "KEY_MISMATCH",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Missing { path } => {
                format!(
                    "密钥缺失：{} 不存在，请从备份恢复 keys 目录",
                    path.display()
                )
            }
            Self::Damaged { path, .. } => {
                format!("密钥文件 {} 已损坏，请从备份恢复 keys 目录", path.display())
            }
            Self::Mismatch => "keys 目录不属于本账本，请恢复正确的密钥".to_owned(),
            Self::Io { path, error } => format!("密钥文件 {} 无法读写：{error}", path.display()),
        }
    }
}

/// The keys of one ledger.
#[derive(Debug)]
pub struct Vault {
    identity: IdentityKey,
    subjects: Mutex<Subjects>,
}

#[derive(Debug)]
struct Subjects {
    path: PathBuf,
    file: File,
    /// Keys that are not durable yet, with their records.
    pending: Vec<(SubjectId, Zeroizing<[u8; RECORD]>)>,
    /// Where each subject's record is; built when a key is first looked up,
    /// which happens only when a name changes or is revealed.
    places: Option<HashMap<SubjectId, u64>>,
    records: u64,
}

impl Vault {
    /// Makes new keys in `dir/keys`.
    pub fn create(dir: &Path) -> Result<Self, VaultError> {
        let keys = dir.join("keys");
        DirBuilder::new()
            .mode(0o700)
            .create(&keys)
            .map_err(at(&keys))?;
        let path = keys.join("identity");
        let mut secret = Zeroizing::new([0; 32]);
        random(&mut *secret).map_err(at(&path))?;
        write_new(&path, &*secret).map_err(at(&path))?;
        let path = keys.join("subjects");
        write_new(&path, &[]).map_err(at(&path))?;
        File::open(&keys)
            .and_then(|dir| dir.sync_all())
            .map_err(at(&keys))?;
        Self::open(dir)
    }

    /// Opens the keys in `dir/keys` to look at details only, also beside a server
    /// that uses them: nothing is written or mended.
    pub fn for_reading(dir: &Path) -> Result<Self, VaultError> {
        Self::open_with(dir, false)
    }

    /// Opens the keys in `dir/keys`.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        Self::open_with(dir, true)
    }

    fn open_with(dir: &Path, writable: bool) -> Result<Self, VaultError> {
        let keys = dir.join("keys");
        let path = keys.join("identity");
        let secret = match fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(VaultError::Missing { path });
            }
            Err(error) => return Err(VaultError::Io { path, error }),
        };
        let Ok(secret) = <[u8; 32]>::try_from(secret.as_slice()) else {
            return Err(VaultError::Damaged {
                path,
                detail: "it does not have 32 bytes",
            });
        };
        let path = keys.join("subjects");
        let file = match OpenOptions::new().read(true).append(writable).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(VaultError::Missing { path });
            }
            Err(error) => return Err(VaultError::Io { path, error }),
        };
        let length = file.metadata().map_err(at(&path))?.len();
        let records = length / RECORD as u64;
        if writable && length % RECORD as u64 != 0 {
            // A crash may cut the last record short; no event needs it yet,
            // since records are durable before events are.
            file.set_len(records * RECORD as u64).map_err(at(&path))?;
        }
        Ok(Self {
            identity: IdentityKey::new(secret),
            subjects: Mutex::new(Subjects {
                path,
                file,
                pending: Vec::new(),
                places: None,
                records,
            }),
        })
    }

    /// The key from which pseudonyms are made.
    pub fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// What the ledger's first event holds to recognise this key.
    pub fn check_value(&self, ledger: LedgerId) -> [u8; 16] {
        self.identity.content(ledger.as_bytes())
    }

    /// Seals details under a new key of the subject's own. The key becomes
    /// durable with the next [`Vault::sync`].
    pub fn seal_new(&self, subject: SubjectId, details: &Details) -> Result<Vec<u8>, VaultError> {
        let mut subjects = self.subjects.lock();
        let mut key = Zeroizing::new([0; 32]);
        random(&mut *key).map_err(at(&subjects.path))?;
        let mut record = Zeroizing::new([0; RECORD]);
        record[..16].copy_from_slice(subject.as_bytes());
        record[16..48].copy_from_slice(&*key);
        let check = checksum(&record[..48]);
        record[48..].copy_from_slice(&check);
        subjects.pending.push((subject, record));
        sealed(&SubjectKey::new(*key), subject, details).map_err(at(&subjects.path))
    }

    /// Seals changed details under the key that the subject already has.
    pub fn seal_again(&self, subject: SubjectId, details: &Details) -> Result<Vec<u8>, VaultError> {
        let mut subjects = self.subjects.lock();
        let key = subjects.key(subject)?;
        sealed(&key, subject, details).map_err(at(&subjects.path))
    }

    /// Opens what was sealed for a subject.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if the key is gone, or is not the one.
    pub fn open_sealed(&self, subject: SubjectId, sealed: &[u8]) -> Result<Details, VaultError> {
        let mut subjects = self.subjects.lock();
        let key = subjects.key(subject)?;
        open(&key, &subject, sealed)
            .map_err(|_| subjects.damaged("a subject's details cannot be opened with its key"))
    }

    /// Makes every key that was handed out durable.
    pub fn sync(&self) -> Result<(), VaultError> {
        let mut subjects = self.subjects.lock();
        if subjects.pending.is_empty() {
            return Ok(());
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(subjects.pending.len() * RECORD));
        let first = subjects.records;
        for (_, record) in &subjects.pending {
            bytes.extend_from_slice(&**record);
        }
        let path = subjects.path.clone();
        subjects
            .file
            .write_all(&bytes)
            .and_then(|()| subjects.file.sync_data())
            .map_err(at(&path))?;
        let written: Vec<SubjectId> = subjects.pending.drain(..).map(|(id, _)| id).collect();
        subjects.records += written.len() as u64;
        if let Some(places) = &mut subjects.places {
            places.extend(written.into_iter().zip(first..));
        }
        Ok(())
    }
}

impl Subjects {
    fn key(&mut self, subject: SubjectId) -> Result<SubjectKey, VaultError> {
        let pending = self.pending.iter().rev().find(|(id, _)| *id == subject);
        if let Some((_, record)) = pending {
            return self.key_of(record);
        }
        if self.places.is_none() {
            self.places = Some(self.read_places()?);
        }
        let place = self.places.as_ref().and_then(|places| places.get(&subject));
        let Some(place) = place.copied() else {
            return Err(self.damaged("a subject of the ledger has no key in it"));
        };
        let mut record = Zeroizing::new([0; RECORD]);
        std::os::unix::fs::FileExt::read_exact_at(&self.file, &mut *record, place * RECORD as u64)
            .map_err(at(&self.path))?;
        self.key_of(&record)
    }

    fn key_of(&self, record: &[u8; RECORD]) -> Result<SubjectKey, VaultError> {
        if checksum(&record[..48]) != record[48..] {
            return Err(self.damaged("a record's checksum is wrong"));
        }
        let mut key = [0; 32];
        key.copy_from_slice(&record[16..48]);
        Ok(SubjectKey::new(key))
    }

    fn read_places(&self) -> Result<HashMap<SubjectId, u64>, VaultError> {
        let mut places = HashMap::new();
        let file = File::open(&self.path).map_err(at(&self.path))?;
        let mut input = io::BufReader::with_capacity(1 << 20, file);
        let mut record = Zeroizing::new([0; RECORD]);
        for place in 0..self.records {
            input.read_exact(&mut *record).map_err(at(&self.path))?;
            let mut id = [0; 16];
            id.copy_from_slice(&record[..16]);
            places.insert(SubjectId::from_bytes(id), place);
        }
        Ok(places)
    }

    fn damaged(&self, detail: &'static str) -> VaultError {
        VaultError::Damaged {
            path: self.path.clone(),
            detail,
        }
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    blake3::Hasher::new()
        .update(bytes)
        .finalize_xof()
        .fill(&mut check);
    check
}

fn sealed(key: &SubjectKey, subject: SubjectId, details: &Details) -> io::Result<Vec<u8>> {
    let mut nonce = [0; 24];
    random(&mut nonce)?;
    Ok(seal(key, &subject, nonce, details))
}

pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::other)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn at(path: &Path) -> impl Fn(io::Error) -> VaultError {
    move |error| VaultError::Io {
        path: path.to_owned(),
        error,
    }
}
