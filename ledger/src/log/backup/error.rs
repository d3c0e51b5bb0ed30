//! What can be wrong with a shelf, and what to do about it.

use std::io;

use thiserror::Error;

use crate::{
    log::storage::is_full,
    position::{LedgerId, Position},
    verify::Verdict,
};

/// What is wrong with a shelf. Files are named relative to it.
#[derive(Debug, Error)]
pub enum ShelfFault {
    /// Nothing here.
    #[error("there is no backup here: check the path")]
    NotFound,
    /// Something else is here.
    #[error(
        "the directory is not empty, and what is in it ({found}) is no backup: choose a directory \
         that is new or empty"
    )]
    Occupied {
        /// A name that is there.
        found: String,
    },
    /// Runs without a manifest.
    #[error(
        "manifest.json is missing beside the files of a backup: fetch it from another copy of this \
         backup; nothing was changed"
    )]
    ManifestMissing,
    /// The manifest is not as it was written.
    #[error(
        "manifest.json is damaged ({detail}): fetch it from another copy of this backup; nothing \
         was changed"
    )]
    ManifestDamaged {
        /// What is wrong.
        detail: String,
    },
    /// Made by a later version.
    #[error("the backup has version {found}; this program reads version 1: use a later one")]
    Version {
        /// What it says.
        found: String,
    },
    /// The manifest is as it was written, but says what is not so.
    #[error(
        "manifest.json says what is not so ({what}): it was not written by this program, or was \
         put beside other files; fetch the whole backup from another copy"
    )]
    Untrue {
        /// What.
        what: String,
    },
    /// A file is gone.
    #[error(
        "{file} is missing, with events {first} to {last}: fetch it from another copy of this backup"
    )]
    Missing {
        /// The file.
        file: String,
        /// Its first event.
        first: Position,
        /// Its last event.
        last: Position,
    },
    /// A file lost its end.
    #[error(
        "{file} was cut to {bytes} of {stated} bytes, from event {position} on: fetch it from \
         another copy of this backup"
    )]
    Short {
        /// The file.
        file: String,
        /// Its length.
        bytes: u64,
        /// Its length by the manifest.
        stated: u64,
        /// The first event that is missing.
        position: Position,
    },
    /// A file has other bytes than were written.
    #[error(
        "{file} was changed at byte {offset}, at event {position} ({detail}): fetch it from another \
         copy of this backup"
    )]
    Changed {
        /// The file.
        file: String,
        /// The first byte that is not what it was, or the entry that it is in.
        offset: u64,
        /// The event there, or the next one.
        position: Position,
        /// What does not fit.
        detail: String,
    },
    /// Blocks that are as they were written, but no chain.
    #[error(
        "{file} does not continue the chain at byte {offset}, event {position} ({detail}): somebody \
         wrote it anew; fetch it from another copy of this backup, and find out who could write here"
    )]
    Chain {
        /// The file.
        file: String,
        /// Where the block's entry is.
        offset: u64,
        /// The event at fault.
        position: Position,
        /// What does not fit.
        detail: String,
    },
    /// A file that the manifest does not name.
    #[error("{file} is no part of the backup: remove it, or find out where it comes from")]
    Extra {
        /// The file.
        file: String,
    },
    /// The chain is not the one that was signed.
    #[error(
        "the checkpoint in the manifest was signed over another history ({detail}): keep this copy \
         as it is, and compare with another one"
    )]
    Differs {
        /// Where the tree has another root.
        position: Position,
        /// What was found.
        detail: String,
    },
    /// Another process writes here.
    #[error("another process writes to this backup: wait until it has ended")]
    Locked,
    /// Of another ledger.
    #[error(
        "the backup is of ledger {expected}, not of ledger {found}: each ledger needs a directory \
         of its own"
    )]
    OtherLedger {
        /// The ledger that was to be backed up.
        found: LedgerId,
        /// The one that is here.
        expected: LedgerId,
    },
    /// No room.
    #[error("{file}: the disk is full: free some space and run it again; what was written is kept")]
    Full {
        /// The file.
        file: String,
    },
    /// The operating system said no.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What it said.
        source: io::Error,
    },
}

impl ShelfFault {
    pub(super) fn io(file: &str, source: io::Error) -> Self {
        let file = file.to_owned();
        if is_full(&source) {
            Self::Full { file }
        } else {
            Self::Io { file, source }
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "SHELF_NOT_FOUND",
            Self::Occupied { .. } => "SHELF_NOT_EMPTY",
            Self::ManifestMissing => "SHELF_MANIFEST_MISSING",
            Self::ManifestDamaged { .. } => "SHELF_MANIFEST_DAMAGED",
            Self::Version { .. } => "SHELF_VERSION",
            Self::Untrue { .. } => "SHELF_MANIFEST_UNTRUE",
            Self::Missing { .. } => "SHELF_FILE_MISSING",
            Self::Short { .. } => "SHELF_FILE_SHORT",
            Self::Changed { .. } => "SHELF_FILE_CHANGED",
            Self::Chain { .. } => "SHELF_CHAIN_BROKEN",
            Self::Extra { .. } => "SHELF_FILE_EXTRA",
            Self::Differs { .. } => "SHELF_CHECKPOINT_DIFFERS",
            Self::Locked => "SHELF_LOCKED",
            Self::OtherLedger { .. } => "SHELF_OTHER_LEDGER",
            Self::Full { .. } => "DISK_FULL",
            Self::Io { .. } => "SHELF_IO",
        }
    }

    /// What a shelf is with this fault, in one word.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::ManifestDamaged { .. }
            | Self::Untrue { .. }
            | Self::Changed { .. }
            | Self::Chain { .. }
            | Self::Extra { .. } => Verdict::Tampered,
            Self::Missing { .. } | Self::Short { .. } => Verdict::Truncated,
            Self::Differs { .. } => Verdict::Forked,
            Self::NotFound
            | Self::Occupied { .. }
            | Self::ManifestMissing
            | Self::Version { .. }
            | Self::Locked
            | Self::OtherLedger { .. }
            | Self::Full { .. }
            | Self::Io { .. } => Verdict::Unreadable,
        }
    }

    /// The file that it is about.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::ManifestMissing | Self::ManifestDamaged { .. } | Self::Untrue { .. } => {
                Some(super::MANIFEST)
            }
            Self::Missing { file, .. }
            | Self::Short { file, .. }
            | Self::Changed { file, .. }
            | Self::Chain { file, .. }
            | Self::Extra { file }
            | Self::Full { file }
            | Self::Io { file, .. } => Some(file),
            Self::NotFound
            | Self::Occupied { .. }
            | Self::Version { .. }
            | Self::Differs { .. }
            | Self::Locked
            | Self::OtherLedger { .. } => None,
        }
    }

    /// The byte of that file.
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Changed { offset, .. } | Self::Chain { offset, .. } => Some(*offset),
            Self::Short { bytes, .. } => Some(*bytes),
            Self::NotFound
            | Self::Occupied { .. }
            | Self::ManifestMissing
            | Self::ManifestDamaged { .. }
            | Self::Version { .. }
            | Self::Untrue { .. }
            | Self::Missing { .. }
            | Self::Extra { .. }
            | Self::Differs { .. }
            | Self::Locked
            | Self::OtherLedger { .. }
            | Self::Full { .. }
            | Self::Io { .. } => None,
        }
    }

    /// The event that it is about.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Missing {
                first: position, ..
            }
            | Self::Short { position, .. }
            | Self::Changed { position, .. }
            | Self::Chain { position, .. }
            | Self::Differs { position, .. } => Some(*position),
            Self::NotFound
            | Self::Occupied { .. }
            | Self::ManifestMissing
            | Self::ManifestDamaged { .. }
            | Self::Version { .. }
            | Self::Untrue { .. }
            | Self::Extra { .. }
            | Self::Locked
            | Self::OtherLedger { .. }
            | Self::Full { .. }
            | Self::Io { .. } => None,
        }
    }

    /// The fault in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotFound => "此处没有备份：请核对路径".to_owned(),
            Self::Occupied { found } => {
                format!("目录不为空，且其中的 {found} 不属于备份：请选用新目录或空目录")
            }
            Self::ManifestMissing => {
                "备份的文件都在，但缺少 manifest.json：请从本备份的另一份副本取回，未作任何改动"
                    .to_owned()
            }
            Self::ManifestDamaged { detail } => format!(
                "manifest.json 已损坏（{detail}）：请从本备份的另一份副本取回，未作任何改动"
            ),
            Self::Version { found } => {
                format!("备份的版本是 {found}，本程序只读版本 1：请改用更新的程序")
            }
            Self::Untrue { what } => format!(
                "manifest.json 所述不实（{what}）：它不是本程序写的，或被放到了别的文件旁边；\
                 请从另一份副本取回整个备份"
            ),
            Self::Missing { file, first, last } => {
                format!("缺少 {file}（事件 {first} 至 {last}）：请从本备份的另一份副本取回")
            }
            Self::Short {
                file,
                bytes,
                stated,
                position,
            } => format!(
                "{file} 被截短：应有 {stated} 字节，只剩 {bytes} 字节，缺少事件 {position} 及其后的内容；\
                 请从本备份的另一份副本取回"
            ),
            Self::Changed {
                file,
                offset,
                position,
                detail,
            } => format!(
                "{file} 在第 {offset} 字节、事件 {position} 处被改动（{detail}）：\
                 请从本备份的另一份副本取回"
            ),
            Self::Chain {
                file,
                offset,
                position,
                detail,
            } => format!(
                "{file} 在第 {offset} 字节、事件 {position} 处接不上链（{detail}）：有人重写过该文件；\
                 请从本备份的另一份副本取回，并查明谁能写入此处"
            ),
            Self::Extra { file } => {
                format!("{file} 不属于备份：请移走，或查明其来源")
            }
            Self::Differs { detail, .. } => format!(
                "清单中的检查点签署的是另一段历史（{detail}）：请原样保存这份副本，再与另一份比对"
            ),
            Self::Locked => "另一进程正在写这份备份：请等它结束".to_owned(),
            Self::OtherLedger { found, expected } => {
                format!("此备份属于账本 {expected}，不属于账本 {found}：每个账本须有自己的备份目录")
            }
            Self::Full { file } => {
                format!("{file}：磁盘已满，请腾出空间后重新运行，已写入的内容仍在")
            }
            Self::Io { file, source } => format!("{file}：{source}"),
        }
    }
}
