//! What a watcher raises the alarm for.

use luzhang_ledger::proof::{Node, SignedCheckpoint};
use serde_json::{Value, json};

use crate::{
    lang::Lang,
    tiles::{Past, TileSource},
};

/// A checkpoint that the log has signed and that cannot be, after the one that is
/// known.
#[derive(Debug)]
pub(super) struct Finding {
    /// What kind.
    pub(super) kind: Kind,
    /// Why.
    pub(super) detail: Detail,
    /// What the larger of the two trees was at the size of the smaller one, proven
    /// by its root.
    pub(super) past: Option<Past>,
    /// The last one that was verified; none at the first look.
    pub(super) known: Option<SignedCheckpoint>,
    /// The one that was found.
    pub(super) found: SignedCheckpoint,
}

/// What kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Two trees under one name.
    Forked,
    /// Events that were there are not any more.
    Shrank,
    /// The tiles are not those of the tree that was signed.
    Tampered,
}

/// Why it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Two roots were signed for one size.
    TwoRoots {
        /// Which size.
        size: u64,
    },
    /// At the smaller size, the larger tree had another root.
    OtherPast,
    /// The smaller tree is what the larger one was.
    Earlier,
    /// Whether it is cannot be told from the tiles that are there.
    Undecided,
    /// The tiles lead to another root, or do not fit together.
    Astray {
        /// Which root, if they lead to one.
        root: Option<Node>,
    },
}

impl Kind {
    pub(super) const WORDS: [&str; 3] = ["forked", "shrank", "tampered"];

    /// Its name for programs.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Forked => "forked",
            Self::Shrank => "shrank",
            Self::Tampered => "tampered",
        }
    }

    /// The stable code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Forked => "TREE_FORKED",
            Self::Shrank => "TREE_SHRANK",
            Self::Tampered => "TILES_TAMPERED",
        }
    }
}

impl Detail {
    /// As a sentence.
    pub(super) fn text(self, lang: Lang) -> String {
        match (self, lang) {
            (Self::TwoRoots { size }, Lang::Zh) => {
                format!("同为 {size} 个事件，却签署了两个不同的根")
            }
            (Self::TwoRoots { size }, Lang::En) => {
                format!("two different roots were signed for {size} events")
            }
            (Self::OtherPast, Lang::Zh) => {
                "两个都有有效签名，但较大的树在较小者的大小时是另一个根".to_owned()
            }
            (Self::OtherPast, Lang::En) => {
                "both are validly signed, but at the size of the smaller tree the larger one had \
                 another root"
                    .to_owned()
            }
            (Self::Earlier, Lang::Zh) => "签署了同一棵树较早的状态：后面的事件不见了".to_owned(),
            (Self::Earlier, Lang::En) => {
                "an earlier state of the same tree was signed: the events after it are gone"
                    .to_owned()
            }
            (Self::Undecided, Lang::Zh) => {
                "签署了更小的树；现有的瓦片不足以判断它是较早的状态，还是另一棵树".to_owned()
            }
            (Self::Undecided, Lang::En) => {
                "a smaller tree was signed; whether it is an earlier state or another tree cannot \
                 be told from the tiles that are there"
                    .to_owned()
            }
            (Self::Astray { root: Some(root) }, Lang::Zh) => {
                format!("读了两次，瓦片都导向另一个根 {root}")
            }
            (Self::Astray { root: Some(root) }, Lang::En) => {
                format!("read twice, the tiles lead to another root: {root}")
            }
            (Self::Astray { root: None }, Lang::Zh) => {
                "读了两次，下层瓦片都与上层瓦片不符".to_owned()
            }
            (Self::Astray { root: None }, Lang::En) => {
                "read twice, tiles of the lower levels do not lead to those above them".to_owned()
            }
        }
    }
}

impl Finding {
    /// As a message for programs.
    pub(super) fn to_json(&self, source: &TileSource) -> Value {
        json!({
            "schema_version": 1,
            "finding": self.kind.word(),
            "source": source.to_string(),
            "known": self.known.as_ref().map(side),
            "found": side(&self.found),
            "detail": self.detail.text(Lang::En),
        })
    }

    /// The smaller tree's proof is about the larger one.
    pub(super) fn larger(&self) -> &SignedCheckpoint {
        match &self.known {
            Some(known) if known.head().size > self.found.head().size => known,
            Some(_) | None => &self.found,
        }
    }
}

fn side(checkpoint: &SignedCheckpoint) -> Value {
    json!({
        "size": checkpoint.head().size,
        "root": checkpoint.head().root.to_string(),
        "note": checkpoint.to_string(),
    })
}
