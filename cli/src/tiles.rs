//! A published tree: a directory, or the URL of one.
//!
//! Nothing that is read here is believed. A checkpoint is checked by a
//! [`Policy`](luzhang_ledger::proof::Policy), tiles by leading to its root.
//! Reading blocks; the time and the bytes that it may take are bounded.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use luzhang_ledger::proof::{
    Node, SignedCheckpoint, TreeHead,
    checkpoint::CheckpointError,
    note::MAX_NOTE,
    tile::{self, NODE_LEN, Resource, Tile, TiledTree, Tiles},
    tree,
};
use luzhang_server::http::{Believed, Client, HttpError};
use thiserror::Error;

use crate::failure::{Failure, exit};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where a tree is published.
#[derive(Clone, Debug)]
pub(crate) struct TileSource {
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Dir(PathBuf),
    /// Without a slash at its end.
    Url {
        prefix: String,
        client: Client,
    },
}

/// Why something of a published tree cannot be had.
#[derive(Debug, Error)]
pub(crate) enum TilesError {
    /// It is not there.
    #[error("{place} is not there")]
    Missing {
        /// What.
        place: String,
    },
    /// The server does not answer, or says no.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The directory does not give it.
    #[error("{place} cannot be read: {error}")]
    Io {
        /// What.
        place: String,
        /// Why.
        error: io::Error,
    },
    /// A tile is not as long as it is wide.
    #[error("{place} does not have the {expected} bytes of its width")]
    Length {
        /// What.
        place: String,
        /// How long it should be.
        expected: usize,
    },
    /// What is published as the checkpoint is none.
    #[error("{place} is no checkpoint: {error}")]
    Checkpoint {
        /// What.
        place: String,
        /// Why.
        error: CheckpointError,
    },
}

/// What a tree was when it was smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    /// Its head then.
    pub(crate) head: TreeHead,
    /// That the tree of today continues it.
    pub(crate) proof: Vec<Node>,
}

/// Why the tiles do not show that one head continues another.
#[derive(Debug, Error)]
pub(crate) enum Discontinuity {
    /// They cannot be had, so nothing is known.
    #[error(transparent)]
    Tiles(#[from] TilesError),
    /// They do not lead to the root of the newer head, so they are not its tiles,
    /// and say nothing about it. The root that they lead to, if it is another.
    #[error("the tiles do not lead to the root of the checkpoint of {} events", head.size)]
    Astray {
        /// The newer head.
        head: TreeHead,
        /// Where they lead.
        root: Option<Node>,
    },
    /// The newer tree was another one when it was as large as the older. That is
    /// proven by the newer root, whoever gave the tiles.
    #[error("the tree had another root when it had {} events", past.head.size)]
    Forked {
        /// What it was.
        past: Past,
    },
    /// The newer tree is the smaller one.
    #[error("the newer tree has {new} events, the older {old}")]
    Shrunk {
        /// Of the older head.
        old: u64,
        /// Of the newer head.
        new: u64,
    },
}

impl TileSource {
    /// A URL if it begins with `http://` or `https://`, else a directory.
    pub(crate) fn parse(text: &str, believed: Believed) -> Result<Self, Failure> {
        let lower = text.to_ascii_lowercase();
        let place = if lower.starts_with("http://") || lower.starts_with("https://") {
            if text.contains(['?', '#']) {
                return Err(Failure::usage(
                    format!("网址前缀不能含有 ? 或 #：{text}"),
                    format!("the prefix of a URL has no `?` and no `#`: {text}"),
                ));
            }
            Place::Url {
                prefix: text.trim_end_matches('/').to_owned(),
                client: Client::believing(PATIENCE, believed),
            }
        } else if text.is_empty() || text.contains("://") {
            return Err(Failure::usage(
                format!("应为目录，或者以 http:// 或 https:// 开头的网址：{text}"),
                format!("neither a directory nor a URL of http:// or https://: {text}"),
            ));
        } else {
            Place::Dir(PathBuf::from(text))
        };
        Ok(Self { place })
    }

    /// The newest checkpoint. No signature is checked.
    pub(crate) fn checkpoint(&self) -> Result<SignedCheckpoint, TilesError> {
        let place = self.place_of(Resource::Checkpoint);
        // One byte more than a note may have is enough to find it too large.
        match self.read(Resource::Checkpoint, MAX_NOTE)? {
            Some(bytes) => SignedCheckpoint::parse(&bytes)
                .map_err(|error| TilesError::Checkpoint { place, error }),
            None => Err(TilesError::Missing { place }),
        }
    }

    /// What the tree under `head` was when it had `size` events, with the proof,
    /// which has been checked. That the tiles lead to the root of `head` has been
    /// checked as well, even where the proof has no need of them.
    pub(crate) fn past(&self, size: u64, head: &TreeHead) -> Result<Past, Discontinuity> {
        let mut tree = TiledTree::new(self, head.size);
        let root = tree::root(&mut tree, head.size)?;
        let astray = |root| Discontinuity::Astray { head: *head, root };
        if root != head.root {
            return Err(astray(Some(root)));
        }
        let past = Past {
            head: TreeHead {
                size,
                root: tree::root(&mut tree, size)?,
            },
            proof: tree::consistency(&mut tree, size, head.size)?,
        };
        // Nodes left of the right edge are not under the root until this holds.
        tree::verify_consistency(&past.head, head, &past.proof).map_err(|_| astray(None))?;
        Ok(past)
    }

    /// The proof that the tree under `new` continues the one under `old`. It has
    /// been checked.
    pub(crate) fn consistency(
        &self,
        old: &TreeHead,
        new: &TreeHead,
    ) -> Result<Vec<Node>, Discontinuity> {
        if old.size > new.size {
            return Err(Discontinuity::Shrunk {
                old: old.size,
                new: new.size,
            });
        }
        // The root of the newer tree at the older size is computed, not taken from
        // the older head: if the two differ, the proof still leads to the newer
        // root, and is evidence of the fork.
        let past = self.past(old.size, new)?;
        if past.head.root == old.root {
            Ok(past.proof)
        } else {
            Err(Discontinuity::Forked { past })
        }
    }

    /// The bytes of a tile. A partial one may be gone once the full one is there,
    /// which begins with it.
    fn bytes_of(&self, tile: Tile) -> Result<Vec<u8>, TilesError> {
        for candidate in [tile, tile.full()] {
            let expected = len_of(candidate);
            let Some(mut bytes) = self.read(Resource::Tile(candidate), expected)? else {
                continue;
            };
            if bytes.len() != expected {
                return Err(self.of_other_length(candidate));
            }
            bytes.truncate(len_of(tile));
            return Ok(bytes);
        }
        Err(TilesError::Missing {
            place: self.place_of(Resource::Tile(tile)),
        })
    }

    fn of_other_length(&self, tile: Tile) -> TilesError {
        TilesError::Length {
            place: self.place_of(Resource::Tile(tile)),
            expected: len_of(tile),
        }
    }

    /// What is there, of a file at most one byte more than `most`.
    fn read(&self, resource: Resource, most: usize) -> Result<Option<Vec<u8>>, TilesError> {
        match &self.place {
            Place::Dir(dir) => {
                // A resource's path is made of numbers, so it stays in the directory.
                let path = dir.join(resource.path());
                let read = read_file(&path, most);
                read.map_err(|error| TilesError::Io {
                    place: path.display().to_string(),
                    error,
                })
            }
            Place::Url { client, .. } => Ok(client.get(&self.place_of(resource))?),
        }
    }

    fn place_of(&self, resource: Resource) -> String {
        format!("{self}/{}", resource.path())
    }
}

fn len_of(tile: Tile) -> usize {
    usize::from(tile.width()).saturating_mul(NODE_LEN)
}

fn read_file(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let is_absent = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        )
    };
    match fs::metadata(path) {
        // A pipe would be waited for.
        Ok(found) if !found.is_file() => return Err(io::Error::other("not a regular file")),
        Ok(_) => {}
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

impl Tiles for TileSource {
    type Error = TilesError;

    fn tile(&self, tile: Tile) -> Result<Vec<Node>, TilesError> {
        let bytes = self.bytes_of(tile)?;
        tile::nodes_of(tile, &bytes).ok_or_else(|| self.of_other_length(tile))
    }
}

/// The directory, or the URL without a slash at its end.
impl fmt::Display for TileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Dir(dir) => fmt::Display::fmt(&dir.display(), f),
            Place::Url { prefix, .. } => f.write_str(prefix),
        }
    }
}

impl TilesError {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "TILES_MISSING",
            Self::Http(HttpError::Untrusted { .. }) => "SERVER_UNTRUSTED",
            Self::Http(_) | Self::Io { .. } => "TILES_UNREACHABLE",
            Self::Length { .. } => "TILES_UNREADABLE",
            Self::Checkpoint { .. } => "CHECKPOINT_UNREADABLE",
        }
    }

    /// The sentence in Chinese.
    pub(crate) fn zh(&self) -> String {
        match self {
            Self::Missing { place } => format!("{place} 不存在"),
            Self::Http(HttpError::Unreachable { url, detail }) => {
                format!("无法连接 {url}：{detail}")
            }
            Self::Http(HttpError::Untrusted { url, detail }) => {
                format!("{url} 的证书不可信：{detail}；签发它的 CA 证书用 --ca 指定")
            }
            Self::Http(HttpError::Status { url, status }) => {
                format!("{url} 返回状态 {status}")
            }
            Self::Io { place, error } => format!("无法读取 {place}：{error}"),
            Self::Length { place, expected } => {
                format!("{place} 的长度与其宽度不符，应为 {expected} 字节")
            }
            Self::Checkpoint { place, error } => format!("{place} 不是检查点：{error}"),
        }
    }
}

impl From<TilesError> for Failure {
    fn from(error: TilesError) -> Self {
        Self {
            exit: exit::UNVERIFIED,
            ..Self::new(error.code(), error.zh(), error.to_string())
        }
    }
}
