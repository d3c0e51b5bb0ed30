//! One look at a published tree, compared with the last one.

use std::{cmp::Ordering, thread, time::Duration};

use luzhang_ledger::proof::{Policy, SignedCheckpoint, TreeHead, policy::Distrust};

use super::finding::{Detail, Finding, Kind};
use crate::{
    failure::{Failure, exit},
    tiles::{Discontinuity, Past, TileSource, TilesError},
    trust,
};

/// How long after tiles that do not fit they are read once more: a copy that was
/// under way has then ended.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// What a look has shown.
#[derive(Debug)]
pub(super) enum Seen {
    /// A checkpoint that may be believed.
    Verified(Box<Looked>),
    /// The log has signed what cannot be.
    Finding(Box<Finding>),
}

/// A checkpoint that may be believed.
#[derive(Debug)]
pub(super) struct Looked {
    /// Which.
    pub(super) checkpoint: SignedCheckpoint,
    /// Compared with the last one.
    pub(super) change: Change,
}

/// How a verified checkpoint compares with the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// There was no last one: it is trusted because it is the first.
    First,
    /// The same head.
    Unchanged,
    /// A larger tree that continues it.
    Grew {
        /// By so many events.
        by: u64,
    },
}

impl Change {
    pub(super) const WORDS: [&str; 3] = ["first", "unchanged", "grew"];

    /// Its name for programs.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Unchanged => "unchanged",
            Self::Grew { .. } => "grew",
        }
    }

    /// Whether a watch that goes on says it.
    pub(super) fn is_news(self) -> bool {
        self != Self::Unchanged
    }
}

/// Why a look has shown nothing, good or bad.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The tree cannot be read.
    Tiles(TilesError),
    /// The checkpoint is not to be believed.
    Distrust(Distrust),
    /// It is another tree than that of the state file, though a trusted one.
    OtherTree {
        /// What the state file keeps.
        known: String,
        /// What is published.
        found: String,
    },
}

impl Trouble {
    pub(super) const WORDS: [&str; 4] = ["unreachable", "unreadable", "untrusted", "other-tree"];

    /// Its name for programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Tiles(
                TilesError::Missing { .. } | TilesError::Http(_) | TilesError::Io { .. },
            ) => "unreachable",
            Self::Tiles(TilesError::Length { .. } | TilesError::Checkpoint { .. }) => "unreadable",
            Self::Distrust(_) => "untrusted",
            Self::OtherTree { .. } => "other-tree",
        }
    }
}

impl From<TilesError> for Trouble {
    fn from(error: TilesError) -> Self {
        Self::Tiles(error)
    }
}

impl From<Distrust> for Trouble {
    fn from(distrust: Distrust) -> Self {
        Self::Distrust(distrust)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Tiles(error) => error.into(),
            Trouble::Distrust(distrust) => trust::distrusted(&distrust),
            Trouble::OtherTree { known, found } => Self {
                exit: exit::UNVERIFIED,
                ..Self::new(
                    "WATCH_OTHER_TREE",
                    format!("状态文件记的是 {known}，此处发布的是 {found}"),
                    format!("the state file keeps {known}, and {found} is published here"),
                )
            },
        }
    }
}

/// Looks once. Nothing is changed anywhere.
pub(super) fn look(
    source: &TileSource,
    policy: &Policy,
    known: Option<&SignedCheckpoint>,
) -> Result<Seen, Trouble> {
    let found = source.checkpoint()?;
    policy.check(&found)?;
    let Some(known) = known else {
        return first(source, found);
    };
    let origins = (&known.checkpoint().origin, &found.checkpoint().origin);
    if origins.0 != origins.1 {
        return Err(Trouble::OtherTree {
            known: origins.0.clone(),
            found: origins.1.clone(),
        });
    }
    let (old, new) = (known.head(), found.head());
    match new.size.cmp(&old.size) {
        Ordering::Equal if new.root == old.root => Ok(verified(found, Change::Unchanged)),
        Ordering::Equal => Ok(finding(Finding {
            kind: Kind::Forked,
            detail: Detail::TwoRoots { size: new.size },
            past: None,
            known: Some(known.clone()),
            found,
        })),
        Ordering::Greater => grew(source, known, found),
        Ordering::Less => Ok(shrank(source, known, found)),
    }
}

fn verified(checkpoint: SignedCheckpoint, change: Change) -> Seen {
    Seen::Verified(Box::new(Looked { checkpoint, change }))
}

fn finding(finding: Finding) -> Seen {
    Seen::Finding(Box::new(finding))
}

/// There is nothing to compare with, but the tiles must be those of the tree.
fn first(source: &TileSource, found: SignedCheckpoint) -> Result<Seen, Trouble> {
    compare(source, None, found, &TreeHead::EMPTY, Change::First)
}

fn grew(
    source: &TileSource,
    known: &SignedCheckpoint,
    found: SignedCheckpoint,
) -> Result<Seen, Trouble> {
    let old = known.head();
    let by = found.head().size.saturating_sub(old.size);
    compare(source, Some(known), found, &old, Change::Grew { by })
}

fn compare(
    source: &TileSource,
    known: Option<&SignedCheckpoint>,
    found: SignedCheckpoint,
    old: &TreeHead,
    change: Change,
) -> Result<Seen, Trouble> {
    let new = found.head();
    let mut continued = source.consistency(old, &new);
    if matches!(continued, Err(Discontinuity::Astray { .. })) {
        thread::sleep(SECOND_LOOK);
        continued = source.consistency(old, &new);
    }
    let (kind, detail, past) = match continued {
        Ok(_) => return Ok(verified(found, change)),
        Err(Discontinuity::Tiles(error)) => return Err(error.into()),
        Err(Discontinuity::Astray { root, .. }) => (Kind::Tampered, Detail::Astray { root }, None),
        Err(Discontinuity::Forked { past }) => (Kind::Forked, Detail::OtherPast, Some(past)),
        // Only a larger tree is compared in this way.
        Err(Discontinuity::Shrunk { .. }) => (Kind::Shrank, Detail::Undecided, None),
    };
    Ok(finding(Finding {
        kind,
        detail,
        past,
        known: known.cloned(),
        found,
    }))
}

/// A tree that has become smaller is a finding in any case. Where the tiles of
/// the larger one are still there, they show which: an earlier state of the same
/// tree, or another tree.
fn shrank(source: &TileSource, known: &SignedCheckpoint, found: SignedCheckpoint) -> Seen {
    let (kind, detail, past) = match source.consistency(&found.head(), &known.head()) {
        Ok(proof) => {
            let past = Past {
                head: found.head(),
                proof,
            };
            (Kind::Shrank, Detail::Earlier, Some(past))
        }
        Err(Discontinuity::Forked { past }) => (Kind::Forked, Detail::OtherPast, Some(past)),
        Err(
            Discontinuity::Tiles(_) | Discontinuity::Astray { .. } | Discontinuity::Shrunk { .. },
        ) => (Kind::Shrank, Detail::Undecided, None),
    };
    finding(Finding {
        kind,
        detail,
        past,
        known: Some(known.clone()),
        found,
    })
}
