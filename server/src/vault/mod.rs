//! The keys, outside the log: `DIR/keys/`, readable by its owner alone, and
//! wrapped under a key-encryption key that need not be on this disk.
//!
//! - `identity`: the secret from which pseudonyms are made. Whoever has it can
//!   find a known person's history; without it nobody can.
//! - `subjects`: a record for each subject's key. Of two records for one subject
//!   the later counts. Records are durable before any event that needs them.
//! - `previous`: while the key-encryption key is being changed, the one before,
//!   wrapped under the new one.
//!
//! Version 1 had the same keys in clear. Such a directory is read as it is, and
//! becomes one of version 2 when it is opened for writing.

mod copies;
mod disk;
mod file;
mod kek;
mod rotate;
#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod shared_tests;
mod subjects;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use luzhang_ledger::{
    LedgerId, SubjectId,
    identity::{Details, IdentityKey, SubjectKey, open, seal},
    log::storage::sync_dir,
};
use parking_lot::Mutex;
use thiserror::Error;
use tonic::Code;
use zeroize::Zeroizing;

pub(crate) use self::{
    copies::{Copied, Copies, Shared, WrappedKey},
    rotate::{rotate_shared, take_shared},
};
use self::{
    file::{Sealed, Title},
    kek::{Kek, Purpose},
    subjects::{Kind, Layout, Subjects},
};
pub use self::{
    kek::{KekCommand, KekError, KekId, KekSource},
    rotate::{RotateError, Rotated, rotate},
    subjects::Counts,
};

const KEYS: &str = "keys";
const IDENTITY: &str = "identity";
const SUBJECTS: &str = "subjects";
const PREVIOUS: &str = "previous";

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
    /// There is no key-encryption key, or the wrong one.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The copies for other servers.
    #[error("the keys could not be kept in the database for other servers: {detail}")]
    Copies {
        /// What went wrong.
        detail: String,
    },
    /// Another server's keys are under another key-encryption key.
    #[error(
        "the ledger's keys were wrapped anew by another server, and cannot be opened with this \
         key-encryption key ({kek}): bring the one that the writer has, stop this server, and run \
         `luzhang keys take --new-kek-file FILE`. Nothing was changed here"
    )]
    Foreign {
        /// The one at hand.
        kek: KekId,
    },
    /// A rotation was interrupted.
    #[error(
        "a change to the key-encryption key {kek} was interrupted before the other servers could \
         follow: run `luzhang keys rotate` again, which finishes it, while no other server writes"
    )]
    Rotating {
        /// The new one.
        kek: KekId,
    },
    /// The one that is to be taken is not the one that the writer has.
    #[error(
        "{given} is not the key-encryption key that the ledger's writer has{}: nothing was \
         changed. Bring that one, from where `luzhang keys rotate` was run", which_one(*.agreed)
    )]
    NotAgreed {
        /// The one that was brought.
        given: KekId,
        /// The one that is meant.
        agreed: Option<KekId>,
    },
    /// The subject's key was destroyed.
    #[error(
        "the subject's details were erased: the key to them was destroyed, and nobody can read \
         them any more"
    )]
    Erased,
    /// The subject's erasure is under way.
    #[error(
        "the subject is being erased at this moment: nothing was written. Send the same request \
         again"
    )]
    BeingErased,
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
            Self::Copies { .. } => "KEYS_NOT_SHARED",
            Self::Foreign { .. } => "KEYS_FOREIGN",
            Self::Rotating { .. } => "KEYS_ROTATING",
            Self::NotAgreed { .. } => "KEK_NOT_AGREED",
            Self::Kek(error) => error.code(),
            Self::Erased => "SUBJECT_ERASED",
            Self::BeingErased => "SUBJECT_BEING_ERASED",
        }
    }

    /// What a caller is told over the wire.
    pub(crate) fn status(&self) -> Code {
        match self {
            Self::Erased => Code::FailedPrecondition,
            Self::BeingErased => Code::Aborted,
            Self::Missing { .. }
            | Self::Damaged { .. }
            | Self::Mismatch
            | Self::Copies { .. }
            | Self::Foreign { .. }
            | Self::Rotating { .. }
            | Self::NotAgreed { .. }
            | Self::Kek(_)
            | Self::Io { .. } => Code::Internal,
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
            Self::Copies { detail } => {
                format!("密钥未能存入数据库供其他服务使用：{detail}")
            }
            Self::Foreign { kek } => {
                format!(
                    "账本的密钥已由另一台服务换用新的主密钥，现有主密钥（{kek}）打不开：请取得写入方的主密钥，\
                     停止本服务，运行 luzhang keys take --new-kek-file 文件；本机未作任何改动"
                )
            }
            Self::Rotating { kek } => format!(
                "更换主密钥（新的是 {kek}）时曾中断，其他服务还不能跟上：请在没有其他服务写入时再次运行 luzhang keys rotate，\
                 它会接着做完"
            ),
            Self::NotAgreed { given, agreed } => {
                let agreed = agreed.map_or_else(String::new, |kek| format!("（{kek}）"));
                format!(
                    "{given} 不是账本写入方的主密钥{agreed}，没有作任何改动：请取得运行过 luzhang keys rotate 的那台服务的主密钥"
                )
            }
            Self::Kek(error) => error.zh(),
            Self::Erased => "该对象的身份信息已经删除：密钥已销毁，任何人都无法再读取".to_owned(),
            Self::BeingErased => "该对象正在删除中，没有写入任何内容；请重发同一请求".to_owned(),
            Self::Io { path, error } => format!("密钥文件 {} 无法读写：{error}", path.display()),
        }
    }
}

fn which_one(agreed: Option<KekId>) -> String {
    agreed.map_or_else(String::new, |kek| format!(", which is {kek}"))
}

/// The keys of one ledger.
#[derive(Debug)]
pub struct Vault {
    dir: PathBuf,
    source: KekSource,
    ring: Option<Ring>,
    identity: IdentityKey,
    subjects: Mutex<Subjects>,
}

/// The key-encryption keys at hand.
#[derive(Clone, Debug)]
struct Ring {
    current: Arc<Kek>,
    /// The one before, if not everything is under the current one yet.
    previous: Option<Arc<Kek>>,
}

/// An erasure that was decided; its keys are destroyed when it is durable.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the keys are there until `Vault::destroy` is called"]
pub struct Retired(SubjectId);

/// What there is to say about the keys without showing any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Of the layout: 1 if the keys are still in clear.
    pub version: u32,
    /// The key-encryption key at hand.
    pub kek: Option<KekId>,
    /// The one before, if a rotation was interrupted.
    pub previous: Option<KekId>,
    /// How many records there are.
    pub counts: Counts,
}

impl Vault {
    /// Makes new keys in `dir/keys`, and the key-encryption key's file if it is
    /// to be in a file and is not there yet.
    pub fn create(dir: &Path, source: &KekSource) -> Result<Self, VaultError> {
        let keys = dir.join(KEYS);
        DirBuilder::new()
            .mode(0o700)
            .create(&keys)
            .map_err(at(&keys))?;
        let kek = source.read_or_make(dir)?;
        let path = keys.join(SUBJECTS);
        disk::write_new(&path, &file::header(kek.id())).map_err(at(&path))?;
        let path = keys.join(IDENTITY);
        let mut secret = Zeroizing::new([0; 32]);
        random(&mut *secret).map_err(at(&path))?;
        let text = sealed_identity(&kek, &secret).map_err(at(&path))?;
        disk::write_new(&path, text.as_bytes()).map_err(at(&path))?;
        sync_dir(&keys).map_err(at(&keys))?;
        Self::open(dir, source)
    }

    /// Opens the keys in `dir/keys` to look at details only, also beside a server
    /// that uses them: nothing is written or mended.
    pub fn for_reading(dir: &Path, source: &KekSource) -> Result<Self, VaultError> {
        let keys = dir.join(KEYS);
        let identity_path = keys.join(IDENTITY);
        let identity = Identity::read(&identity_path)?;
        let path = keys.join(SUBJECTS);
        let kind = subjects::kind(&path)?;
        let mut ring = LazyRing {
            dir,
            source,
            ring: None,
        };
        let layout = match kind {
            Kind::Wrapped(kek) => Layout::Wrapped(ring.find(kek)?),
            Kind::Raw => Layout::Raw,
        };
        let secret = match identity {
            Identity::Raw(secret) => secret,
            // It becomes one of version 2 after the subjects' keys did.
            Identity::Sealed(_) if kind == Kind::Raw => {
                return Err(VaultError::Damaged {
                    path,
                    detail: "its first record does not say how it was written",
                });
            }
            Identity::Sealed(sealed) => {
                let kek = ring.find(sealed.kek)?;
                let secret = kek.open(Purpose::Identity, &sealed.wrapped);
                secret.ok_or(VaultError::Damaged {
                    path: identity_path,
                    detail: "the key in it was altered",
                })?
            }
        };
        Ok(Self {
            dir: dir.to_owned(),
            source: source.clone(),
            ring: ring.ring,
            identity: IdentityKey::new(*secret),
            subjects: Mutex::new(Subjects::open(path, layout)?),
        })
    }

    /// Opens the keys in `dir/keys`. The caller holds the ledger's lock.
    pub fn open(dir: &Path, source: &KekSource) -> Result<Self, VaultError> {
        Self::for_reading(dir, source)?.for_writing()
    }

    /// The same keys, to add to them: what was interrupted is finished first, and
    /// keys in clear are wrapped. The caller holds the ledger's lock, and has made
    /// sure that these are its keys.
    pub fn for_writing(self) -> Result<Self, VaultError> {
        let Self {
            dir,
            source,
            ring,
            identity,
            subjects,
        } = self;
        // Its file is about to be replaced, perhaps.
        drop(subjects);
        let ring = rotate::settle(&dir, &source, ring, &mut |_, _| {})?;
        let path = dir.join(KEYS).join(SUBJECTS);
        let subjects = Subjects::open_to_write(path, Arc::clone(&ring.current))?;
        Ok(Self {
            dir,
            source,
            ring: Some(ring),
            identity,
            subjects: Mutex::new(subjects),
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

    /// What only this ledger's keys make of the head of a snapshot.
    pub(crate) fn mark_snapshot(&self, head: &[u8]) -> [u8; 32] {
        self.identity.mark(head)
    }

    /// What there is to say about the keys without showing any.
    pub fn survey(&self) -> Result<Survey, VaultError> {
        let ring = self.ring.as_ref();
        Ok(Survey {
            version: if ring.is_some() { 2 } else { 1 },
            kek: ring.map(|ring| ring.current.id()),
            previous: ring.and_then(|ring| ring.previous.as_ref().map(|kek| kek.id())),
            counts: self.subjects.lock().counts()?,
        })
    }

    /// Seals details under a new key of the subject's own. The key becomes
    /// durable with the next [`Vault::sync`].
    ///
    /// # Errors
    /// [`VaultError::BeingErased`] while an earlier key of the subject is to be
    /// destroyed: only when that is done can it not be mistaken for the new one.
    pub fn seal_new(&self, subject: SubjectId, details: &Details) -> Result<Vec<u8>, VaultError> {
        let mut subjects = self.subjects.lock();
        // All at once: asking the system costs more than sealing.
        let mut drawn = Zeroizing::new([0; 80]);
        random(&mut *drawn).map_err(at(subjects.path()))?;
        let (key, nonces) = drawn.split_at(32);
        let (of_key, of_details) = nonces.split_at(24);
        let key = Zeroizing::new(array(key));
        subjects.add(subject, array(of_key), &key)?;
        let key = SubjectKey::new(*key);
        Ok(seal(&key, &subject, array(of_details), details))
    }

    /// Seals changed details under the key that the subject already has.
    ///
    /// # Errors
    /// As [`Vault::open_sealed`].
    pub fn seal_again(&self, subject: SubjectId, details: &Details) -> Result<Vec<u8>, VaultError> {
        let mut subjects = self.subjects.lock();
        let key = subjects.key(subject)?;
        let mut nonce = [0; 24];
        random(&mut nonce).map_err(at(subjects.path()))?;
        Ok(seal(&key, &subject, nonce, details))
    }

    /// Opens what was sealed for a subject.
    ///
    /// # Errors
    /// [`VaultError::Erased`] if the subject was erased, [`VaultError::Damaged`]
    /// if the key is gone otherwise, or is not the one.
    pub fn open_sealed(&self, subject: SubjectId, sealed: &[u8]) -> Result<Details, VaultError> {
        let mut subjects = self.subjects.lock();
        let key = subjects.key(subject)?;
        open(&key, &subject, sealed)
            .map_err(|_| subjects.damaged("a subject's details cannot be opened with its key"))
    }

    /// Makes every key that was handed out durable.
    pub fn sync(&self) -> Result<(), VaultError> {
        self.subjects.lock().sync()
    }

    /// Hands every subject's newest key out, wrapped.
    pub(crate) fn each_key(
        &self,
        take: impl FnMut(WrappedKey) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        self.subjects.lock().each_newest(take)
    }

    /// From now on every new key is kept there too.
    pub(crate) fn share(&self, copies: Box<dyn Copies>) {
        self.subjects.lock().share(copies);
    }

    /// The key-encryption key at hand.
    pub(crate) fn kek(&self) -> Option<KekId> {
        self.ring.as_ref().map(|ring| ring.current.id())
    }

    /// An erasure is decided: from now on nothing of the subject is opened or
    /// sealed any more. Its keys stay until the erasure is durable and
    /// [`Vault::destroy`] is called; a crash before that takes nothing away.
    pub fn retire(&self, subject: SubjectId) -> Retired {
        self.subjects.lock().retire(subject);
        Retired(subject)
    }

    /// Overwrites the keys of erased subjects with zeros, durably. Called when
    /// the erasures are durable, and only with those.
    ///
    /// # Errors
    /// [`VaultError::Io`]: the keys may still be there, and the subjects stay
    /// retired; the next [`Vault::sweep`] destroys them.
    pub fn destroy(&self, retired: &[Retired]) -> Result<(), VaultError> {
        let subjects: BTreeSet<SubjectId> = retired.iter().map(|Retired(id)| *id).collect();
        self.subjects.lock().destroy(&subjects)
    }

    /// Destroys what a crash has kept [`Vault::destroy`] from destroying. Called
    /// when a ledger is opened, with every subject that is erased at its end:
    /// those that came back later are not. Reads the whole file, unless nobody
    /// is erased.
    pub fn sweep(&self, erased: impl IntoIterator<Item = SubjectId>) -> Result<(), VaultError> {
        self.subjects.lock().sweep(erased.into_iter().collect())
    }

    /// The same after keys of another server were taken in, if anybody was ever erased:
    /// of whoever came back since, the old key may still be here.
    pub(crate) fn sweep_whole(
        &self,
        erased: impl IntoIterator<Item = SubjectId>,
    ) -> Result<(), VaultError> {
        self.subjects
            .lock()
            .sweep_whole(erased.into_iter().collect())
    }
}

/// Copies the files of one `keys` directory into that of another data directory, which
/// has none yet.
pub fn copy(from: &Path, dir: &Path) -> Result<(), VaultError> {
    let keys = dir.join(KEYS);
    DirBuilder::new()
        .mode(0o700)
        .create(&keys)
        .map_err(at(&keys))?;
    for entry in fs::read_dir(from).map_err(at(from))? {
        let entry = entry.map_err(at(from))?;
        let path = entry.path();
        if entry.file_type().map_err(at(&path))?.is_file() {
            let bytes = Zeroizing::new(fs::read(&path).map_err(at(&path))?);
            disk::write_new(&keys.join(entry.file_name()), &bytes).map_err(at(&keys))?;
        }
    }
    // Or it says why these are no keys.
    let _identity = Identity::read(&keys.join(IDENTITY))?;
    sync_dir(&keys).map_err(at(&keys))
}

/// Reads the key-encryption key when something is wrapped under it.
struct LazyRing<'a> {
    dir: &'a Path,
    source: &'a KekSource,
    ring: Option<Ring>,
}

impl LazyRing<'_> {
    fn find(&mut self, wrapped: KekId) -> Result<Arc<Kek>, VaultError> {
        let ring = match self.ring.take() {
            Some(ring) => ring,
            None => Ring::read(self.dir, self.source)?,
        };
        self.ring.insert(ring).find(wrapped)
    }
}

impl Ring {
    /// Those at hand, the current one first.
    fn all(&self) -> Vec<Arc<Kek>> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .map(Arc::clone)
            .collect()
    }

    fn read(dir: &Path, source: &KekSource) -> Result<Self, VaultError> {
        let current = Arc::new(source.read(dir)?);
        let path = dir.join(KEYS).join(PREVIOUS);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    current,
                    previous: None,
                });
            }
            Err(error) => return Err(at(&path)(error)),
        };
        let damaged = || VaultError::Damaged {
            path: path.clone(),
            detail: "it holds no wrapped key",
        };
        let sealed = Sealed::parse(Title::Previous, &text).ok_or_else(damaged)?;
        let previous = if sealed.kek == current.id() {
            let previous = current.open_kek(&sealed.wrapped).ok_or_else(damaged)?;
            Some(Arc::new(previous))
        } else {
            // Either the rotation was interrupted before it changed anything, or
            // what is not under the current key will say so.
            None
        };
        Ok(Self { current, previous })
    }

    fn find(&self, wrapped: KekId) -> Result<Arc<Kek>, VaultError> {
        let mut keys = [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten();
        let given = self.current.id();
        let found = keys.find(|kek| kek.id() == wrapped).map(Arc::clone);
        found.ok_or_else(|| KekError::Mismatch { wrapped, given }.into())
    }
}

/// The file of the identity key.
enum Identity {
    /// Version 1: 32 bytes.
    Raw(Zeroizing<[u8; 32]>),
    Sealed(Sealed),
}

impl Identity {
    fn read(path: &Path) -> Result<Self, VaultError> {
        let bytes = Zeroizing::new(fs::read(path).map_err(at(path))?);
        if Title::Identity.begins(&bytes)
            && let Some(sealed) = Sealed::parse(Title::Identity, &bytes)
        {
            return Ok(Self::Sealed(sealed));
        }
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(secret) if !Title::Identity.begins(&bytes) => Ok(Self::Raw(Zeroizing::new(secret))),
            Ok(_) | Err(_) => Err(VaultError::Damaged {
                path: path.to_owned(),
                detail: "it holds no identity key",
            }),
        }
    }
}

fn sealed_identity(kek: &Kek, secret: &[u8; 32]) -> io::Result<String> {
    let mut nonce = [0; 24];
    random(&mut nonce)?;
    let sealed = Sealed {
        kek: kek.id(),
        wrapped: kek.wrap(Purpose::Identity, nonce, secret),
    };
    Ok(sealed.text(Title::Identity))
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::other)
}

/// The error that one of the operating system's is about a key file.
fn at(path: &Path) -> impl Fn(io::Error) -> VaultError {
    move |error| {
        let path = path.to_owned();
        if error.kind() == io::ErrorKind::NotFound {
            VaultError::Missing { path }
        } else {
            VaultError::Io { path, error }
        }
    }
}
