//! Reading blocks, beside the writer or without one.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use luzhang_ledger::{
    LedgerId, Position,
    block::Head,
    log::{
        Blocks, ReadError, Reader,
        keyed::{KeyedReader, Shelf},
    },
};
use parking_lot::Mutex;
use tokio_postgres::Row;

use super::{
    Database, PostgresError,
    head::{head_of, number, signed, unsigned},
    log::{ANSWER, whole},
    session::{Purpose, Session, failed},
};

const BEFORE: &str = "SELECT first_position, body FROM luzhang_block \
    WHERE log = $1 AND first_position <= $2 ORDER BY first_position DESC LIMIT 1";
/// At most 8 MiB: a block has at most 120 KiB.
const AFTER: &str = "SELECT first_position, body FROM luzhang_block \
    WHERE log = $1 AND first_position >= $2 AND first_position <= $3 \
    ORDER BY first_position LIMIT 64";
/// Connections that are kept open.
const IDLE: usize = 4;

/// Reads the blocks of one ledger.
#[derive(Debug)]
pub struct PostgresReader {
    inner: KeyedReader<Rows>,
}

impl PostgresReader {
    /// Reads up to a position that somebody else keeps.
    pub(super) fn up_to(database: Database, ledger: LedgerId, end: Arc<AtomicU64>) -> Self {
        Self {
            inner: KeyedReader(Arc::new(Rows {
                database,
                ledger,
                end,
                idle: Mutex::default(),
            })),
        }
    }

    /// Opens a ledger for reading, up to where it is now.
    pub fn open(database: &Database, ledger: LedgerId) -> Result<(Self, Head), PostgresError> {
        let session = database.connect(Purpose::Read, ANSWER)?;
        whole(&session, ledger)?;
        let (_, head) = head_of(&session, ledger)?.ok_or(PostgresError::NoLedger { ledger })?;
        let end = Arc::new(AtomicU64::new(number(&head)));
        Ok((Self::up_to(database.clone(), ledger, end), head))
    }
}

impl Reader for PostgresReader {
    fn block_with(&self, position: Position) -> Result<Option<Vec<u8>>, ReadError> {
        self.inner.block_with(position)
    }

    fn blocks_from(&self, position: Position) -> Blocks<'_> {
        self.inner.blocks_from(position)
    }
}

/// The table of blocks as an ordered map.
#[derive(Debug)]
struct Rows {
    database: Database,
    ledger: LedgerId,
    end: Arc<AtomicU64>,
    idle: Mutex<Vec<Session>>,
}

impl Rows {
    /// Asks over a connection that nobody uses, and once more over a new one if that
    /// had broken.
    fn ask(
        &self,
        statement: &'static str,
        key: u64,
        end: Option<u64>,
    ) -> Result<Vec<Row>, PostgresError> {
        let kept = self.idle.lock().pop();
        if let Some(session) = kept
            && let Ok(rows) = self.ask_over(session, statement, key, end)
        {
            return Ok(rows);
        }
        let session = self.database.connect(Purpose::Read, ANSWER)?;
        self.ask_over(session, statement, key, end)
    }

    fn ask_over(
        &self,
        session: Session,
        statement: &'static str,
        key: u64,
        end: Option<u64>,
    ) -> Result<Vec<Row>, PostgresError> {
        let mut arguments: Vec<super::session::Argument> =
            vec![Box::new(self.ledger.to_string()), Box::new(signed(key))];
        if let Some(end) = end {
            arguments.push(Box::new(signed(end)));
        }
        let rows = session.query(ANSWER, statement, arguments)?;
        let mut idle = self.idle.lock();
        if idle.len() < IDLE {
            idle.push(session);
        }
        Ok(rows)
    }
}

fn entry(row: &Row) -> Result<(u64, Vec<u8>), PostgresError> {
    let first: i64 = row.try_get(0).map_err(|e| failed(&e))?;
    let body: Vec<u8> = row.try_get(1).map_err(|e| failed(&e))?;
    Ok((unsigned(first)?, body))
}

fn unread(error: PostgresError) -> ReadError {
    error.into_fault().into()
}

impl Shelf for Rows {
    type Value = Vec<u8>;

    fn at_or_before(&self, key: u64) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        let rows = self.ask(BEFORE, key, None).map_err(unread)?;
        rows.first().map(entry).transpose().map_err(unread)
    }

    fn at_or_after(&self, key: u64) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        Ok(self.some_from(key)?.into_iter().next())
    }

    fn some_from(&self, key: u64) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
        let rows = self.ask(AFTER, key, Some(self.end())).map_err(unread)?;
        rows.iter()
            .map(entry)
            .collect::<Result<_, _>>()
            .map_err(unread)
    }

    fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }
}
