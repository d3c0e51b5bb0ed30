//! Receipts and consistency proofs, made from the tiles. Each is checked before it
//! is given out, so that what the tiles say is never taken on trust.

use luzhang_ledger::{
    Position,
    proof::{
        Node, Receipt,
        receipt::Subject,
        tile::TiledTree,
        tree::{self, Leaf},
        witness::Extension,
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

/// The proof that the newest checkpoint continues the tree of the first `old`
/// leaves.
pub async fn consistency(engine: &Engine, old: u64) -> Result<Extension, Rejected> {
    let newest = engine
        .tree()?
        .published()
        .map_or(0, |signed| signed.head().size);
    let over = Position::new(old.max(newest)).unwrap_or(Position::FIRST);
    if engine.head().position < Some(over) {
        return Err(Rejected::new(
            Code::OutOfRange,
            "TREE_TOO_SHORT",
            format!("账本只有 {newest} 个事件被检查点覆盖，少于所给的 {old} 个"),
            format!("the ledger has fewer events than the {old} of the older checkpoint"),
        ));
    }
    let checkpoint = engine.checkpoint(over).await?;
    let head = checkpoint.head();
    let mut nodes = TiledTree::new(&engine.tree()?.tiles, head.size);
    let proof = tree::consistency(&mut nodes, old, head.size);
    let old_root = tree::root(&mut nodes, old);
    let (Ok(proof), Ok(root)) = (proof, old_root) else {
        engine.rebuild_tree().await?;
        return Err(tree_damaged());
    };
    let old_head = luzhang_ledger::proof::TreeHead { size: old, root };
    if tree::verify_consistency(&old_head, &head, &proof).is_err() {
        engine.rebuild_tree().await?;
        return Err(tree_damaged());
    }
    Ok(Extension {
        old,
        proof,
        checkpoint: (*checkpoint).clone(),
    })
}
