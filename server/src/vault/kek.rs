//! The key-encryption key: what wraps every other key, and where it comes from.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{AeadInOut as _, KeyInit as _},
};
use luzhang_ledger::log::storage;
use secrecy::{ExposeSecret as _, SecretBox};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{disk, random};

const TITLE: &str = "luzhang kek 1";
const ID_CONTEXT: &str = "luzhang 2026 kek id v1";
const WRAP_CONTEXT: &str = "luzhang 2026 key wrapping v1";

/// The file of its own that a data directory has.
pub(super) const OWN: &str = "kek";

/// The most bytes of a key file.
const MOST: usize = 4096;

/// How long a command may take to print the key. A person may have to touch a
/// token.
const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes of a key that is wrapped: nonce, ciphertext, tag.
pub(super) const WRAPPED: usize = NONCE + KEY + TAG;
pub(super) const NONCE: usize = 24;
const KEY: usize = 32;
const TAG: usize = 16;

/// Which key-encryption key: 8 bytes that say nothing of it. Printed as 16
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KekId([u8; 8]);

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KekId({self})")
    }
}

impl KekId {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut id = [0; 8];
        unhex(text, &mut id).then_some(Self(id))
    }
}

/// What a wrapped key is for. It cannot be unwrapped as anything else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Identity,
    /// The key of the subject of these 16 bytes.
    Subject([u8; 16]),
    /// The key-encryption key before this one.
    Previous,
}

impl Purpose {
    fn bytes(self) -> ([u8; 64], usize) {
        let (context, subject) = match self {
            Self::Identity => ("luzhang 2026 wrapped identity key v1", None),
            Self::Subject(subject) => ("luzhang 2026 wrapped subject key v1", Some(subject)),
            Self::Previous => ("luzhang 2026 wrapped kek v1", None),
        };
        let mut bytes = [0; 64];
        let mut length = context.len();
        bytes[..length].copy_from_slice(context.as_bytes());
        if let Some(subject) = subject {
            bytes[length..length + 16].copy_from_slice(&subject);
            length += 16;
        }
        (bytes, length)
    }
}

/// A key-encryption key.
pub(super) struct Kek {
    id: KekId,
    secret: SecretBox<[u8; KEY]>,
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek({}, ***)", self.id)
    }
}

impl Kek {
    fn new(secret: SecretBox<[u8; KEY]>) -> Self {
        let mut id = [0; 8];
        blake3::Hasher::new_derive_key(ID_CONTEXT)
            .update(secret.expose_secret())
            .finalize_xof()
            .fill(&mut id);
        let key = Zeroizing::new(blake3::derive_key(WRAP_CONTEXT, secret.expose_secret()));
        Self {
            id: KekId(id),
            cipher: XChaCha20Poly1305::new((&*key).into()),
            secret,
        }
    }

    /// A new one, drawn at random.
    pub(super) fn draw() -> io::Result<Self> {
        let mut drawn = Ok(());
        let secret = SecretBox::init_with_mut(|secret: &mut [u8; KEY]| drawn = random(secret));
        drawn.map(|()| Self::new(secret))
    }

    pub(super) fn id(&self) -> KekId {
        self.id
    }

    /// Wraps a key under a nonce that is used this once.
    #[expect(
        clippy::expect_used,
        reason = "the cipher refuses only 2^38 bytes and more"
    )]
    pub(super) fn wrap(&self, purpose: Purpose, nonce: [u8; NONCE], key: &[u8; KEY]) -> Wrapped {
        let mut wrapped = [0; WRAPPED];
        wrapped[..NONCE].copy_from_slice(&nonce);
        let (aad, length) = purpose.bytes();
        let body = &mut wrapped[NONCE..NONCE + KEY];
        body.copy_from_slice(key);
        let tag = self
            .cipher
            .encrypt_inout_detached(&XNonce::from(nonce), &aad[..length], body.into())
            .expect("32 bytes are not too many");
        wrapped[NONCE + KEY..].copy_from_slice(&tag);
        wrapped
    }

    /// The key, if this one wrapped it for this purpose.
    pub(super) fn open(&self, purpose: Purpose, wrapped: &Wrapped) -> Option<Zeroizing<[u8; KEY]>> {
        let (nonce, rest) = wrapped.split_first_chunk::<NONCE>()?;
        let (body, tag) = rest.split_first_chunk::<KEY>()?;
        let tag = <[u8; TAG]>::try_from(tag).ok()?;
        let (aad, length) = purpose.bytes();
        let mut key = Zeroizing::new(*body);
        self.cipher
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                &aad[..length],
                (&mut key[..]).into(),
                &tag.into(),
            )
            .ok()?;
        Some(key)
    }

    /// Another one, wrapped under this one.
    pub(super) fn wrap_kek(&self, other: &Self) -> io::Result<Wrapped> {
        let mut nonce = [0; NONCE];
        random(&mut nonce)?;
        Ok(self.wrap(Purpose::Previous, nonce, other.secret.expose_secret()))
    }

    /// The other one again.
    pub(super) fn open_kek(&self, wrapped: &Wrapped) -> Option<Self> {
        let key = self.open(Purpose::Previous, wrapped)?;
        Some(Self::new(SecretBox::init_with_mut(
            |secret: &mut [u8; KEY]| secret.copy_from_slice(&*key),
        )))
    }

    /// The text of its file.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(TITLE.len() + 2 * KEY + 6));
        text.push_str(TITLE);
        text.push_str("\nkey ");
        push_hex(&mut text, self.secret.expose_secret());
        text.push('\n');
        text
    }

    /// Reads the text of a file. What is wrong with it is said without any of it.
    fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let text = text.trim_ascii_end();
        let mut lines = text.split(|byte| *byte == b'\n');
        if lines.next() != Some(TITLE.as_bytes()) {
            return Err("its first line is not `luzhang kek 1`");
        }
        let line = lines.next().and_then(|line| line.strip_prefix(b"key "));
        let digits = line.ok_or("its second line does not begin with `key `")?;
        if lines.next().is_some() {
            return Err("it has more than two lines");
        }
        let mut well_formed = true;
        let secret = SecretBox::init_with_mut(|secret: &mut [u8; KEY]| {
            well_formed = unhex(digits, secret);
        });
        if well_formed {
            Ok(Self::new(secret))
        } else {
            Err("its key is not 64 hexadecimal digits")
        }
    }
}

/// A wrapped key: nonce, ciphertext, tag.
pub(super) type Wrapped = [u8; WRAPPED];

/// Where the key-encryption key comes from. The key itself is never an argument
/// nor an environment variable: others can see those.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KekSource {
    /// The file `kek` in the data directory.
    #[default]
    Own,
    /// A file, of the owner's alone.
    File(PathBuf),
    /// What a command prints, run by `sh`.
    Command(KekCommand),
}

/// A shell command. It may hold what others should not see, and shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct KekCommand(String);

impl From<String> for KekCommand {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for KekCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KekCommand(***)")
    }
}

impl fmt::Display for KekSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str(OWN),
            Self::File(path) => path.display().fmt(f),
            Self::Command(_) => f.write_str("--kek-command"),
        }
    }
}

impl KekSource {
    /// Reads the key.
    pub(super) fn read(&self, dir: &Path) -> Result<Kek, KekError> {
        match self {
            Self::Own => read_file(&dir.join(OWN)),
            Self::File(path) => read_file(path),
            Self::Command(command) => run(command, PATIENCE),
        }
    }

    /// Reads the key, or draws one and writes its file if there is none yet.
    pub(super) fn read_or_make(&self, dir: &Path) -> Result<Kek, KekError> {
        let read = self.read(dir);
        let Err(KekError::Missing { path }) = &read else {
            return read;
        };
        let kek = Kek::draw().and_then(|kek| {
            if *self == Self::Own {
                write_own(dir, &kek)?;
            } else {
                write_new(path, &kek)?;
            }
            Ok(kek)
        });
        kek.map_err(|error| KekError::Io {
            path: path.clone(),
            error,
        })
    }
}

/// Writes the data directory's own key file, in the place of another or not.
pub(super) fn write_own(dir: &Path, kek: &Kek) -> io::Result<()> {
    disk::replace(dir, OWN, kek.text().as_bytes())
}

/// Writes a key file that is not there. Nothing beside it is touched: it is not
/// our directory.
fn write_new(path: &Path, kek: &Kek) -> io::Result<()> {
    disk::write_new(path, kek.text().as_bytes())?;
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    storage::sync_dir(parent.unwrap_or(Path::new(".")))
}

fn read_file(path: &Path) -> Result<Kek, KekError> {
    let failed = |error: io::Error| {
        let path = path.to_owned();
        if error.kind() == io::ErrorKind::NotFound {
            KekError::Missing { path }
        } else {
            KekError::Io { path, error }
        }
    };
    let mut file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let us = rustix::process::geteuid().as_raw();
    if meta.mode() & 0o077 != 0 || (meta.uid() != us && meta.uid() != 0) {
        return Err(KekError::Exposed {
            path: path.to_owned(),
            mode: meta.mode() & 0o7777,
            owner: meta.uid(),
        });
    }
    let mut text = Zeroizing::new([0; MOST + 1]);
    let length = read_up_to(&mut file, &mut *text).map_err(failed)?;
    parsed(&text[..length], &path.display())
}

fn parsed(text: &[u8], whence: &dyn fmt::Display) -> Result<Kek, KekError> {
    let parsed = if text.len() > MOST {
        Err("it is too long")
    } else {
        Kek::parse(text)
    };
    parsed.map_err(|detail| KekError::Unreadable {
        whence: whence.to_string(),
        detail,
    })
}

/// Reads to the end, or as much as there is room for. No growing buffer: that
/// would leave copies behind.
fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

pub(super) fn run(command: &KekCommand, patience: Duration) -> Result<Kek, KekError> {
    let failed = |detail| KekError::Unreadable {
        whence: KekSource::Command(command.clone()).to_string(),
        detail,
    };
    let spawned = Command::new("sh")
        .args(["-c", &command.0])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What it says to people is for them.
        .stderr(Stdio::inherit())
        .spawn();
    let mut child = Running(spawned.map_err(|_| failed("`sh` cannot be started"))?);
    let mut stdout = child
        .0
        .stdout
        .take()
        .ok_or_else(|| failed("it has no output"))?;
    let (send, receive) = mpsc::sync_channel(1);
    let reader = thread::Builder::new().spawn(move || {
        let mut text = Zeroizing::new([0; MOST + 1]);
        let read = read_up_to(&mut stdout, &mut *text);
        // Nobody waits any more when time is over.
        let _late = send.send(read.map(|length| (text, length)));
    });
    reader.map_err(|_| failed("its output cannot be read"))?;
    let end = Instant::now() + patience;
    let said = receive.recv_timeout(patience);
    let said = said.map_err(|_| failed("it took longer than a minute"))?;
    let (text, length) = said.map_err(|_| failed("its output cannot be read"))?;
    if length <= MOST {
        let status = child.ended_by(end);
        match status.map_err(|_| failed("it cannot be waited for"))? {
            Some(0) => {}
            Some(_) => return Err(failed("it ended with an error")),
            None => return Err(failed("it took longer than a minute")),
        }
    }
    parsed(&text[..length], &KekSource::Command(command.clone()))
}

/// A command that does not outlive us.
struct Running(Child);

impl Running {
    /// Its exit code if it ends in time.
    fn ended_by(&mut self, end: Instant) -> io::Result<Option<i32>> {
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status.code().unwrap_or(-1)));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or has to.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Two digits at a time: no copy is left behind.
pub(super) fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// Whether the text was as many hexadecimal digits as there is room for.
pub(super) fn unhex(text: &[u8], bytes: &mut [u8]) -> bool {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != bytes.len() {
        return false;
    }
    let digit = |digit: u8| {
        let value = char::from(digit).to_digit(16);
        value.and_then(|value| u8::try_from(value).ok())
    };
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
            return false;
        };
        *byte = high << 4 | low;
    }
    true
}

/// Why there is no key-encryption key.
#[derive(Debug, Error)]
pub enum KekError {
    /// There is no such file.
    #[error(
        "the key-encryption key is missing: {path} is not there, and without it no key can be \
         used. Restore it from where it is kept, or name it with --kek-file or --kek-command"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others could read it.
    #[error(
        "the key-encryption key is exposed: {path} has mode {mode:04o} and belongs to user {owner}; \
         it must have mode 0600 or 0400 and belong to the user who runs this, or to root. If others \
         could have read it, change it with `luzhang keys rotate` when that is done"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// Whose it is.
        owner: u32,
    },
    /// What was read is no key.
    #[error(
        "the key-encryption key cannot be read from {whence}: {detail}. It is two lines, \
         `luzhang kek 1` and `key` with 64 hexadecimal digits"
    )]
    Unreadable {
        /// From where.
        whence: String,
        /// What is wrong.
        detail: &'static str,
    },
    /// The operating system said no.
    #[error("the key-encryption key cannot be read or written: {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// It is another one than wrapped the keys.
    #[error(
        "the keys are wrapped under the key-encryption key {wrapped}, and the one given is {given}. \
         Name the right one with --kek-file or --kek-command, or restore the `keys` that belong to \
         it; a backup of `keys` that is older than the last `luzhang keys rotate` cannot be opened \
         any more"
    )]
    Mismatch {
        /// The one that is needed.
        wrapped: KekId,
        /// The one that is there.
        given: KekId,
    },
    /// A rotation would change nothing.
    #[error(
        "the new key-encryption key is {id}, the one that is in use: nothing was changed. Name a \
         file that is not there yet, or a command that prints another key"
    )]
    Unchanged {
        /// Which.
        id: KekId,
    },
    /// A rotation must know where the new one goes.
    #[error(
        "the key-encryption key is not the data directory's own, and other ledgers may use it: \
         say where the new one is, with --new-kek-file or --new-kek-command. Nothing was changed"
    )]
    NoPlace,
}

impl KekError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "KEK_MISSING",
            Self::Exposed { .. } => "KEK_EXPOSED",
            Self::Unreadable { .. } | Self::Io { .. } => "KEK_UNREADABLE",
            Self::Mismatch { .. } => "KEK_MISMATCH",
            Self::Unchanged { .. } => "KEK_UNCHANGED",
            Self::NoPlace => "KEK_NO_PLACE",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Missing { path } => format!(
                "主密钥缺失：{} 不存在，没有它任何密钥都无法使用；请从保管处恢复，或用 --kek-file、--kek-command 指明",
                path.display()
            ),
            Self::Exposed { path, mode, owner } => format!(
                "主密钥文件 {} 可被他人读取（权限 {mode:04o}，属主 {owner}）：权限应为 0600 或 0400，属主应为运行本程序的用户或 root；如可能已被他人读取，改正后请运行 luzhang keys rotate 更换",
                path.display()
            ),
            Self::Unreadable { whence, .. } => format!(
                "无法从 {whence} 读出主密钥：应为两行，“luzhang kek 1”和“key ”加64个十六进制数字"
            ),
            Self::Io { path, error } => {
                format!("主密钥文件 {} 无法读写：{error}", path.display())
            }
            Self::Mismatch { wrapped, given } => format!(
                "密钥由主密钥 {wrapped} 加密，所给的主密钥是 {given}；请用 --kek-file 或 --kek-command 指明正确的主密钥，或恢复与它相配的 keys 目录。上次 luzhang keys rotate 之前的 keys 备份已不能打开"
            ),
            Self::Unchanged { id } => format!(
                "新的主密钥 {id} 就是正在使用的那一把，没有作任何改动；请指明一个尚不存在的文件，或会输出另一把密钥的命令"
            ),
            Self::NoPlace => "主密钥不是数据目录自己的，可能还有别的账本使用；请用 --new-kek-file 或 --new-kek-command 指明新的主密钥，没有作任何改动".to_owned(),
        }
    }
}
