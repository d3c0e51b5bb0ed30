//! Appends blocks of every size until it is killed, and says on stdout what was
//! acknowledged: a line `POSITION CHAIN` for each append.
//!
//! `power-cut-writer DIR log` goes through the adapter of the ledger;
//! `power-cut-writer DIR flush` writes the same blocks to the same database, but
//! takes sled's `flush` for the acknowledgement, to show what that is worth.

use std::{env, error::Error, io::Write as _, path::Path, process::ExitCode};

use luzhang_ledger::{
    LedgerId, Position,
    block::{self, BlockView, Head, SealedBlock},
    log::{
        Log as _,
        conformance::{Chain, LARGEST},
        sled::{OpenError, SledLog},
    },
};
use uuid::Uuid;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [dir, mode] if mode == "log" => through_the_log(Path::new(dir)),
        [dir, mode] if mode == "flush" => with_flush_alone(Path::new(dir)),
        _ => Err("usage: power-cut-writer DIR log|flush".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("power-cut-writer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn ledger() -> LedgerId {
    LedgerId::new(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0004))
}

fn open(dir: &Path) -> Result<SledLog, OpenError> {
    match SledLog::open(dir) {
        Err(OpenError::NotFound) => SledLog::create(dir, ledger()),
        opened => opened,
    }
}

fn through_the_log(dir: &Path) -> Result<(), Box<dyn Error>> {
    let mut log = open(dir)?;
    let mut chain = Chain::continuing(ledger(), log.head(), log.next_epoch());
    acknowledge(&log.head())?;
    loop {
        log.append(&next(&mut chain)?)?;
        acknowledge(&log.head())?;
    }
}

fn with_flush_alone(dir: &Path) -> Result<(), Box<dyn Error>> {
    Box::new(open(dir)?).close()?;
    // What the adapter configures, so that only the `fdatasync` is missing.
    let db = sled::Config::default()
        .path(dir.join("db"))
        .segment_size(16 << 20)
        .cache_capacity(64 << 20)
        .flush_every_ms(None)
        .open()?;
    let head = match db.last()? {
        None => Head::genesis(ledger()),
        Some((_, stored)) => BlockView::parse(&block::from_stored(&stored)?)?.head(),
    };
    let mut chain = Chain::continuing(ledger(), head, head.epoch.saturating_add(1));
    acknowledge(&head)?;
    loop {
        let mut batch = sled::Batch::default();
        for block in next(&mut chain)? {
            let key = block.first.number().to_be_bytes();
            batch.insert(&key, block::to_stored(&block.bytes));
        }
        db.apply_batch(batch)?;
        db.flush()?;
        acknowledge(&chain.head())?;
    }
}

/// One event, a page of events, the largest block there is, and several blocks
/// at once, mixed by where the chain stands.
fn next(chain: &mut Chain) -> Result<Vec<SealedBlock>, Box<dyn Error>> {
    let [choice, ..] = *chain.head().chain.as_bytes();
    let lens: &[&[usize]] = match choice % 8 {
        0..=2 => &[&[200]],
        3 | 4 => &[&[300; 40]],
        5 => &[&[LARGEST]],
        6 => &[&[200], &[9_000; 12], &[200; 3]],
        _ => &[&[LARGEST] as &[usize]; 12],
    };
    lens.iter().map(|lens| chain.block(lens)).collect()
}

fn acknowledge(head: &Head) -> Result<(), Box<dyn Error>> {
    let position = head.position.map_or(0, Position::number);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{position} {}", head.chain)?;
    Ok(out.flush()?)
}
