//! The head of a log in a database: its row, the block that it stands for, and what was
//! seen of it before.

use luzhang_ledger::{
    Hash, LedgerId, Position,
    block::{self, BlockView, Head},
};
use tokio_postgres::Row;

use super::{
    PostgresError,
    log::ANSWER,
    mark::Mark,
    session::{Session, failed},
};

pub(super) const HEAD: &str =
    "SELECT position, hash, epoch, writer FROM luzhang_head WHERE log = $1";

/// A row of `luzhang_head`.
#[derive(Clone, Debug)]
pub(super) struct HeadRow {
    pub(super) position: u64,
    pub(super) hash: Hash,
}

impl HeadRow {
    pub(super) fn of(row: &Row) -> Result<Self, PostgresError> {
        let position: i64 = row.try_get(0).map_err(|e| failed(&e))?;
        let hash: Vec<u8> = row.try_get(1).map_err(|e| failed(&e))?;
        Ok(Self {
            position: unsigned(position)?,
            hash: hash_of(&hash)?,
        })
    }

    pub(super) fn is(&self, head: &Head) -> bool {
        self.position == number(head) && self.hash == head.block
    }
}

/// The name of a ledger's writer, as the database has it.
pub(super) fn writer_of(session: &Session, ledger: LedgerId) -> Result<String, PostgresError> {
    let rows = session.query(ANSWER, HEAD, vec![Box::new(ledger.to_string())])?;
    let row = rows.first().ok_or(PostgresError::NoLedger { ledger })?;
    row.try_get(3).map_err(|e| failed(&e))
}

/// A ledger's row, and the head that it stands for; `None` if there is none.
pub(super) fn head_of(
    session: &Session,
    ledger: LedgerId,
) -> Result<Option<(HeadRow, Head)>, PostgresError> {
    let rows = session.query(ANSWER, HEAD, vec![Box::new(ledger.to_string())])?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let row = HeadRow::of(row)?;
    let head = verified_head(session, ledger, &row)?;
    Ok(Some((row, head)))
}

const LAST: &str = "SELECT first_position, body FROM luzhang_block \
    WHERE log = $1 AND first_position <= $2 ORDER BY first_position DESC LIMIT 1";

/// The head that a row stands for, by the block that ends there.
pub(super) fn verified_head(
    session: &Session,
    ledger: LedgerId,
    row: &HeadRow,
) -> Result<Head, PostgresError> {
    let genesis = Head::genesis(ledger);
    if row.position == 0 {
        if row.is(&genesis) {
            return Ok(genesis);
        }
        return Err(damaged("its head begins with another hash"));
    }
    let head = head_at(session, ledger, row.position)?
        .ok_or_else(|| damaged("the block at its head is not there"))?;
    if row.is(&head) {
        Ok(head)
    } else {
        Err(damaged("its head is not that of its last block"))
    }
}

/// The head after the block that ends at a position; `None` if none does.
fn head_at(
    session: &Session,
    ledger: LedgerId,
    position: u64,
) -> Result<Option<Head>, PostgresError> {
    let rows = session.query(
        ANSWER,
        LAST,
        vec![Box::new(ledger.to_string()), Box::new(signed(position))],
    )?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let stored: Vec<u8> = row.try_get(1).map_err(|e| failed(&e))?;
    let unreadable = |error: &dyn std::fmt::Display| damaged(&error.to_string());
    let bytes = block::from_stored(&stored).map_err(|error| unreadable(&error))?;
    let view = BlockView::parse(&bytes).map_err(|error| unreadable(&error))?;
    if view.computed_hash() != view.block {
        return Err(damaged(
            "the hash of its last block does not match its bytes",
        ));
    }
    let head = view.head();
    Ok((number(&head) == position).then_some(head))
}

/// Refuses a database that has less than what was seen, or something else.
pub(super) fn against_mark(
    session: &Session,
    ledger: LedgerId,
    head: &Head,
    mark: Option<Mark>,
) -> Result<(), PostgresError> {
    let Some(mark) = mark else { return Ok(()) };
    let Some(position) = Position::new(mark.position) else {
        return Ok(());
    };
    let forked = PostgresError::Forked { position };
    if mark.ledger != ledger {
        return Err(forked);
    }
    if number(head) < mark.position {
        return Err(PostgresError::Behind {
            mark: position,
            found: number(head),
        });
    }
    let there = head_at(session, ledger, mark.position)?;
    if there.is_some_and(|there| there.block == mark.block && there.chain == mark.chain) {
        Ok(())
    } else {
        Err(forked)
    }
}

pub(super) fn damaged(detail: &str) -> PostgresError {
    PostgresError::Damaged {
        detail: detail.to_owned(),
    }
}

pub(super) fn number(head: &Head) -> u64 {
    head.position.map_or(0, Position::number)
}

pub(super) fn signed(number: u64) -> i64 {
    // No log is so long.
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> Result<u64, PostgresError> {
    u64::try_from(number).map_err(|_| damaged("a position is below zero"))
}

fn hash_of(bytes: &[u8]) -> Result<Hash, PostgresError> {
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| damaged("a hash has another length"))?;
    Ok(Hash::from_bytes(bytes))
}
