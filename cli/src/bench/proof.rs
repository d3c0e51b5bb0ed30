//! What proofs cost: the tree beside the log, and a receipt in a large one.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use luzhang_ledger::{
    Hash, Position,
    log::tiles::{TileFiles, TileReader},
    proof::{
        Node, Policy, Receipt, SignedCheckpoint, SigningKey, TreeHead,
        note::{KeyName, Purpose},
        receipt::Subject,
        tile::TiledTree,
        tree,
    },
};
use serde_json::{Map, json};

use super::{
    Item, Plan,
    bureau::{self, MESSAGE},
    row::{Better, Row, Runs, Thousandths, Yardstick, grouped, nanos_each, per_second},
    site::Service,
    stream::Importer,
    tell,
};

/// Receipts that are made and checked for each run.
const RECEIPTS: u64 = 500;

/// The rows of proofs that are asked for, besides the one of single requests.
pub(super) async fn rows(plan: &Plan<'_>) -> Result<Vec<(Item, Row)>> {
    let mut rows = Vec::new();
    if plan.wants(&[Item::Tree]) {
        rows.push((Item::Tree, batches(plan).await?));
    }
    if plan.wants(&[Item::Receipt]) {
        let dir = plan.site.dir("tree");
        let mut files = TileFiles::open(&dir)?;
        for size in plan.scale.trees.iter().copied() {
            tell(&format!("receipts among {} events", grouped(size)));
            grow(&mut files, size)?;
            rows.push((Item::Receipt, receipts(plan, &files)?));
        }
        drop(files);
        std::fs::remove_dir_all(dir)?;
    }
    Ok(rows)
}

/// A ledger that takes batches, with or without its tree.
struct Taker {
    _service: Service,
    importer: Importer,
    rates: Runs,
}

impl Taker {
    async fn new(plan: &Plan<'_>, name: &str, arguments: &[&str]) -> Result<Self> {
        let dir = plan.site.dir(name);
        plan.site.init(&dir)?;
        let service = plan.site.serve_with(&dir, arguments)?;
        let importer = Importer::connect(&service.url).await?;
        Ok(Self {
            _service: service,
            importer,
            rates: Runs::default(),
        })
    }
}

/// Streamed batches with the tree kept, against the same without it.
async fn batches(plan: &Plan<'_>) -> Result<Row> {
    tell("batches with and without the tree");
    let mut takers = [
        Taker::new(plan, "with-tree", &[]).await?,
        Taker::new(plan, "without-tree", &["--tree", "off"]).await?,
    ];
    // The first turn warms up.
    let turns = plan.scale.runs.max(3) * 4 + 1;
    for turn in 0..turns {
        let first = u64::from(u32::try_from(turn)?) * plan.scale.turn;
        for taker in &mut takers {
            let messages = (first..first + plan.scale.turn).map(|message| {
                let persons = message * MESSAGE..(message + 1) * MESSAGE;
                persons.map(bureau::status).collect()
            });
            let sent = taker.importer.send(messages, &plan.site.interrupt).await?;
            if turn > 0 {
                taker.rates.push(per_second(sent.commands, sent.time));
            }
        }
        // Whoever was first is last the next time.
        takers.reverse();
    }
    let [one, two] = takers;
    // An odd number of turns: they stand the other way round.
    let (with, without) = if turns % 2 == 1 {
        (two, one)
    } else {
        (one, two)
    };
    Ok(Row {
        id: "tree-batch",
        work: format!(
            "streamed batches of {} with the tree kept",
            grouped(MESSAGE)
        ),
        unit: "events/s",
        against: "the same without a tree".to_owned(),
        figure: with.rates,
        yardstick: Yardstick::Measured(without.rates),
        better: Better::More,
        reach: Thousandths(900),
        extra: Map::new(),
    })
}

/// What stands for the hash of the event at this index.
fn event(index: u64) -> Hash {
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    }
    Hash::from_bytes(bytes)
}

fn grow(files: &mut TileFiles, size: u64) -> Result<()> {
    while files.size() < size {
        let end = (files.size() + 65_536).min(size);
        let leaves: Vec<Node> = (files.size()..end).map(event).map(Node::of_event).collect();
        files.append(&leaves)?;
    }
    Ok(())
}

/// A tree and who signs for it.
struct Signed {
    tiles: TileReader,
    head: TreeHead,
    checkpoint: SignedCheckpoint,
    policy: Policy,
}

impl Signed {
    fn receipt(&self, index: u64) -> Result<Receipt> {
        let mut nodes = TiledTree::new(&self.tiles, self.head.size);
        Ok(Receipt {
            subject: Subject::Hash(event(index)),
            position: Position::new(index + 1).context("a position")?,
            path: tree::inclusion(&mut nodes, index, self.head.size)?,
            checkpoint: self.checkpoint.clone(),
        })
    }
}

fn receipts(plan: &Plan<'_>, files: &TileFiles) -> Result<Row> {
    let key = SigningKey::from_seed(KeyName::new("luzhang/bench")?, Purpose::Author, &[7; 32]);
    let head = files.head();
    let signed = Signed {
        tiles: files.reader(),
        head,
        checkpoint: SignedCheckpoint::sign(head, &[&key])?,
        policy: Policy::of_key(key.verifier().clone()),
    };
    let (mut made, mut checked, mut yardstick) =
        (Runs::default(), Runs::default(), Runs::default());
    let (mut both, mut bytes) = (Runs::default(), 0);
    for run in 0..plan.scale.runs.max(3) {
        plan.site.interrupt.check()?;
        let run = u64::try_from(run)?;
        // All over the tree, and others in each run.
        let indices = (0..RECEIPTS).map(|n| (n * 0x9e37_79b9 + run * 7_919) % head.size);
        let began = Instant::now();
        let texts = indices
            .map(|index| signed.receipt(index).map(|receipt| receipt.to_string()))
            .collect::<Result<Vec<String>>>()?;
        let making = began.elapsed();
        let began = Instant::now();
        for text in &texts {
            black_box(Receipt::parse(text.as_bytes())?.verify(&signed.policy)?);
        }
        let checking = began.elapsed();
        bytes = texts.iter().map(String::len).max().unwrap_or(0);
        made.push(nanos_each(RECEIPTS, making));
        checked.push(nanos_each(RECEIPTS, checking));
        both.push(nanos_each(RECEIPTS, making + checking));
        yardstick.push(signature(&signed)?);
    }
    let extra = [
        ("events", json!(head.size)),
        ("receipt_bytes", json!(bytes)),
        ("made_ns", json!(made.median())),
        ("checked_ns", json!(checked.median())),
    ];
    Ok(Row {
        // The larger trees are of the full run alone.
        id: if head.size > 1_000_000 {
            "receipt-large"
        } else {
            "receipt"
        },
        work: format!(
            "a receipt among {} events ({bytes} bytes), made from tiles and checked",
            grouped(head.size)
        ),
        unit: "ns",
        against: "checking two Ed25519 signatures".to_owned(),
        figure: both,
        yardstick: Yardstick::Measured(yardstick),
        better: Better::Less,
        reach: Thousandths(250),
        extra: extra
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
    })
}

/// Nanoseconds of two checks of the checkpoint's signature.
fn signature(signed: &Signed) -> Result<u64> {
    let began = Instant::now();
    for _ in 0..RECEIPTS {
        black_box(signed.policy.check(&signed.checkpoint)?);
        black_box(signed.policy.check(&signed.checkpoint)?);
    }
    let time: Duration = began.elapsed();
    Ok(nanos_each(RECEIPTS, time))
}
