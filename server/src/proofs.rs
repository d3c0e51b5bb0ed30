//! Receipts and consistency proofs, made from the tiles. Each is checked before it
//! is given out, so that what the tiles say is never taken on trust.

use std::sync::Arc;

use luzhang_ledger::{
    Position,
    log::tiles::TileReader,
    proof::{
        Node, Receipt, SignedCheckpoint, TreeHead,
        receipt::Subject,
        tile::TiledTree,
        tree::{self, Leaf},
    },
};
use tonic::Code;

use crate::{engine::Engine, rejected::Rejected, replay, service::proof::tree_damaged};

/// What a receipt holds of its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Its hash.
    Hash,
    /// The event itself, and the hash before it.
    Content,
}

/// The receipt of an event, under the newest checkpoint that covers it.
pub async fn receipt(engine: &Engine, at: Position, form: Form) -> Result<Receipt, Rejected> {
    if engine.head().position < Some(at) {
        return Err(Rejected::event_not_found(at.number()));
    }
    let checkpoint = engine.checkpoint(at).await?;
    let unreadable = |error: &dyn std::fmt::Display| Rejected::unreadable(&error.to_string());
    let logged = replay::event_at(&**engine.reader(), at).map_err(|e| unreadable(&e))?;
    let logged = logged.ok_or_else(|| Rejected::event_not_found(at.number()))?;
    let head = checkpoint.head();
    let leaf = Leaf {
        index: tree::index_of(at),
        node: Node::of_event(logged.hash),
    };
    let mut nodes = TiledTree::new(&engine.tree()?.tiles, head.size);
    let path = tree::inclusion(&mut nodes, leaf.index, head.size);
    let proven = path
        .ok()
        .filter(|path| tree::verify_inclusion(leaf, path, &head).is_ok());
    let Some(path) = proven else {
        engine.rebuild_tree().await?;
        return Err(tree_damaged());
    };
    let subject = match form {
        Form::Hash => Subject::Hash(logged.hash),
        Form::Content => Subject::Content {
            previous: logged.previous,
            stored: logged.stored,
        },
    };
    Ok(Receipt {
        subject,
        position: at,
        path,
        checkpoint: (*checkpoint).clone(),
    })
}

/// Two trees of one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Leaves of the older one.
    pub old: u64,
    /// Leaves of the newer one; `None` for that of the newest checkpoint.
    pub new: Option<u64>,
}

/// That one tree continues another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// The nodes.
    pub proof: Vec<Node>,
    /// The newest checkpoint, which covers both.
    pub newest: Arc<SignedCheckpoint>,
}

/// The proof that one tree continues another.
pub async fn consistency(engine: &Engine, sizes: Sizes) -> Result<Consistency, Rejected> {
    let tree = engine.tree()?;
    let published = tree.published().map_or(0, |signed| signed.head().size);
    let asked = sizes.old.max(sizes.new.unwrap_or(0)).max(published);
    let over = Position::new(asked).unwrap_or(Position::FIRST);
    if engine.head().position < Some(over) || sizes.new.is_some_and(|new| new < sizes.old) {
        return Err(Rejected::new(
            Code::OutOfRange,
            "TREE_TOO_SHORT",
            "所给的较早检查点比较新的还大，或者比账本还大",
            "the older checkpoint is larger than the newer one, or than the ledger",
        ));
    }
    let newest = engine.checkpoint(over).await?;
    let new = sizes.new.unwrap_or(newest.head().size);
    let Some(proof) = checked(&tree.tiles, &newest.head(), sizes.old, new) else {
        engine.rebuild_tree().await?;
        return Err(tree_damaged());
    };
    Ok(Consistency { proof, newest })
}

/// The proof, if the tiles lead from both trees to the signed head.
fn checked(tiles: &TileReader, signed: &TreeHead, old: u64, new: u64) -> Option<Vec<Node>> {
    let mut nodes = TiledTree::new(tiles, signed.size);
    let mut head_at = |size| {
        let root = tree::root(&mut nodes, size).ok()?;
        let head = TreeHead { size, root };
        let proof = tree::consistency(&mut nodes, size, signed.size).ok()?;
        tree::verify_consistency(&head, signed, &proof).ok()?;
        Some(head)
    };
    let (old, new) = (head_at(old)?, head_at(new)?);
    let mut nodes = TiledTree::new(tiles, new.size);
    let proof = tree::consistency(&mut nodes, old.size, new.size).ok()?;
    tree::verify_consistency(&old, &new, &proof).ok()?;
    Some(proof)
}
