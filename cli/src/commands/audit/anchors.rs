//! What a chain is verified against: a head that was written down, a receipt, a
//! signed checkpoint, a published tree.

use std::{fs, ops::ControlFlow, path::Path};

use luzhang_ledger::{
    Body, Hash, Position,
    event::KeyAdoption,
    proof::{
        Policy, Receipt, SignedCheckpoint, TreeHead,
        note::NoteError,
        policy::{Distrust, Trusted},
        rotation,
    },
    verify::{Anchor, ExpectedTree, Known, Verifier},
};
use luzhang_proto::wire;
use serde_json::Value;

use crate::{
    args::{Global, VerifyArgs},
    commands::proof::{read_checkpoint, refuted},
    failure::Failure,
    message,
    source::Source,
    tiles::TileSource,
    trust::distrusted,
};

/// What is known from elsewhere.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    event: Option<Anchor>,
    tree: Option<TreeHead>,
    /// Where the tree is published, to find out where another one differs.
    pub(super) tiles: Option<TileSource>,
}

impl Anchors {
    pub(super) fn of_event(event: Option<Anchor>) -> Self {
        Self {
            event,
            ..Self::default()
        }
    }

    /// The published head, if there is one.
    pub(super) fn published(&self) -> Option<(&TileSource, TreeHead)> {
        self.tiles.as_ref().zip(self.tree)
    }

    /// A verifier that looks for them, and for heads that lie beside the chain.
    pub(super) fn verifier(&self, beside: &[TreeHead]) -> Verifier {
        let expected = |head: &TreeHead, known| ExpectedTree { head: *head, known };
        let signed = self.tree.iter().map(|head| expected(head, Known::Signed));
        let beside = beside.iter().map(|head| expected(head, Known::Beside));
        let trees: Vec<ExpectedTree> = signed.chain(beside).collect();
        let verifier = Verifier::new(self.event);
        if trees.is_empty() {
            verifier
        } else {
            verifier.with_tree(trees)
        }
    }
}

/// The anchors that the options name; signatures are checked here.
pub(super) async fn gather(global: &Global, args: &VerifyArgs) -> Result<Anchors, Failure> {
    if let Some(path) = &args.receipt {
        return of_receipt(global, args, path).await;
    }
    if let Some(path) = &args.checkpoint {
        let checkpoint = read_checkpoint(path)?;
        return of_checkpoint(global, args, &checkpoint).await;
    }
    if let Some(tiles) = &args.tiles {
        let source = TileSource::parse(tiles, global.believed()?)?;
        let asked = source.clone();
        let checkpoint = tokio::task::spawn_blocking(move || asked.checkpoint()).await;
        let checkpoint = checkpoint.map_err(anyhow::Error::from)??;
        let anchors = of_checkpoint(global, args, &checkpoint).await?;
        return Ok(Anchors {
            tiles: Some(source),
            ..anchors
        });
    }
    args.head.as_deref().map_or(Ok(Anchors::default()), of_head)
}

async fn of_checkpoint(
    global: &Global,
    args: &VerifyArgs,
    checkpoint: &SignedCheckpoint,
) -> Result<Anchors, Failure> {
    let policy = args.trust.policy()?;
    let checked = policy.check(checkpoint);
    let trusted = followed(global, args, &policy, checked, |p| p.check(checkpoint)).await?;
    let trusted = trusted.map_err(|error| distrusted(&error))?;
    Ok(Anchors {
        tree: Some(trusted.head),
        ..Anchors::default()
    })
}

/// A result under a policy; if only the keys were too old for it, the result under
/// the keys that the log says came after them.
async fn followed(
    global: &Global,
    args: &VerifyArgs,
    policy: &Policy,
    checked: Result<Trusted, Distrust>,
    check: impl Fn(&Policy) -> Result<Trusted, Distrust>,
) -> Result<Result<Trusted, Distrust>, Failure> {
    if checked != Err(Distrust::Note(NoteError::Unsigned)) {
        return Ok(checked);
    }
    let source = Source::of(global, args.file.as_deref())?;
    let what = ("查找签名密钥", "looking for keys");
    let walked = source.walk(global, what, Vec::new(), |adoptions, event| {
        if let Body::CheckpointKeyAdopted(adoption) = &event.body {
            adoptions.push((**adoption).clone());
        }
        ControlFlow::Continue(())
    });
    // A log that cannot be walked is for the verification to judge.
    let adoptions: Vec<KeyAdoption> = walked.await.unwrap_or_default();
    let trusted: Vec<_> = policy.logs().iter().map(|log| log.key.clone()).collect();
    let keys = rotation::follow(&trusted, &adoptions);
    Ok(check(&policy.clone().for_logs(keys)))
}

async fn of_receipt(global: &Global, args: &VerifyArgs, path: &Path) -> Result<Anchors, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    if !text.starts_with("c2sp.org/tlog-proof") {
        return of_json(&text).map(|anchor| Anchors::of_event(Some(anchor)));
    }
    let receipt = Receipt::parse(text.as_bytes()).map_err(|error| refuted(&error))?;
    let event = Some(Anchor {
        hash: receipt.subject.event_hash(),
        position: Some(receipt.position),
    });
    if !args.trust.is_given() {
        // As good as a head that was written down.
        return Ok(Anchors::of_event(event));
    }
    let anchors = of_checkpoint(global, args, &receipt.checkpoint).await?;
    let proven = receipt.prove(anchors.tree.unwrap_or(TreeHead::EMPTY));
    proven.map_err(|error| refuted(&error))?;
    Ok(Anchors { event, ..anchors })
}

fn of_head(text: &str) -> Result<Anchors, Failure> {
    let (position, hash) = match text.split_once(':') {
        Some((position, hash)) => (position.parse().ok().and_then(Position::new), hash),
        None => (None, text),
    };
    match hash.parse() {
        Ok(hash) if position.is_some() || !text.contains(':') => {
            Ok(Anchors::of_event(Some(Anchor { hash, position })))
        }
        Ok(_) | Err(_) => Err(Failure::usage(
            "--head 应为 64 位十六进制哈希，可在前面加“位置:”",
            "--head is a hash of 64 hexadecimal digits, optionally after `POSITION:`",
        )),
    }
}

/// The anchor in what `luzhang submit -o json` printed, or in the receipt in it.
fn of_json(text: &str) -> Result<Anchor, Failure> {
    let unreadable = || {
        Failure::usage(
            "回执应为 tlog-proof 文本，或含 position 与 event_hash 的 JSON",
            "a receipt is a tlog-proof, or JSON with `position` and `event_hash`",
        )
    };
    let document: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
    let receipt = ["/accepted/receipt", "/refused/receipt", "/receipt", ""]
        .into_iter()
        .filter_map(|place| document.pointer(place))
        .find(|found| found.get("event_hash").is_some())
        .ok_or_else(unreadable)?;
    let receipt: wire::Receipt =
        message::from_json("luzhang.v1.Receipt", &receipt.to_string()).map_err(|_| unreadable())?;
    let hash: [u8; 32] = receipt.event_hash.try_into().map_err(|_| unreadable())?;
    Ok(Anchor {
        hash: Hash::from_bytes(hash),
        position: Position::new(receipt.position),
    })
}
