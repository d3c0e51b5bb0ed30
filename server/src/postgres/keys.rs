//! The subjects' keys beside the log in the database, for whoever takes over: as they
//! are in `keys/subjects`, wrapped. The key that unwraps them is not in the database.

use std::{collections::BTreeSet, fmt::Debug, thread, time::Instant};

use hashbrown::HashSet;
use luzhang_ledger::{LedgerId, SubjectId};
use tokio_postgres::{Row, error::SqlState};

use super::{
    Database, PostgresError,
    log::{AGAIN, ANSWER, SETTLING, signed},
    session::{Argument, Purpose, Session, failed},
};
use crate::vault::{Copies, KekId, Vault, VaultError, WrappedKey};

/// Flushed here, not awaited on a standby: the append that comes after is, and takes
/// what came before it along.
const LIGHTLY: &str = "SET synchronous_commit = local";

/// A writer that was fenced stores nothing more.
const PUT: &str = "INSERT INTO luzhang_key (log, place, subject, kek, record) \
    SELECT $1, $3::bigint + i, ($4::bytea[])[i], $5, ($6::bytea[])[i] \
    FROM luzhang_head AS head, generate_series(1, $7::int) AS i \
    WHERE head.log = $1 AND head.epoch = $2 \
    RETURNING place";

const REMOVE: &str = "DELETE FROM luzhang_key WHERE log = $1 AND subject = ANY($2)";

const AFTER: &str = "SELECT place, record FROM luzhang_key \
    WHERE log = $1 AND place > $2 ORDER BY place LIMIT 10000";

const OF: &str = "SELECT place, record FROM luzhang_key \
    WHERE log = $1 AND subject = ANY($2) ORDER BY place";

/// Records in one statement.
const TOGETHER: usize = 10_000;

/// The copies of one ledger's keys, as they are read.
#[derive(Debug)]
pub(crate) struct KeyTail {
    database: Database,
    ledger: LedgerId,
    session: Option<Session>,
    /// The place of the newest that was read.
    place: i64,
}

impl KeyTail {
    pub(crate) fn new(database: Database, ledger: LedgerId) -> Self {
        Self {
            database,
            ledger,
            session: None,
            place: 0,
        }
    }

    /// Some of what is new; nothing if there is no more.
    pub(crate) fn next(&mut self) -> Result<Vec<WrappedKey>, PostgresError> {
        let after = self.place;
        let found = self.ask(AFTER, Box::new(after))?;
        if let Some((place, _)) = found.last() {
            self.place = *place;
        }
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    /// What there is of these subjects.
    pub(crate) fn of(
        &mut self,
        subjects: &BTreeSet<SubjectId>,
    ) -> Result<Vec<WrappedKey>, PostgresError> {
        let found = self.ask(OF, Box::new(ids(subjects)))?;
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    fn ask(
        &mut self,
        statement: &'static str,
        what: Argument,
    ) -> Result<Vec<(i64, WrappedKey)>, PostgresError> {
        let open = self.session.take().filter(|session| !session.is_closed());
        let session = open.map_or_else(|| self.database.connect(Purpose::Write, ANSWER), Ok)?;
        let rows = session.query(
            ANSWER,
            statement,
            vec![Box::new(self.ledger.to_string()), what],
        )?;
        self.session = Some(session);
        rows.iter().map(entry).collect()
    }
}

fn entry(row: &Row) -> Result<(i64, WrappedKey), PostgresError> {
    let place: i64 = row.try_get(0).map_err(|e| failed(&e))?;
    let record: Vec<u8> = row.try_get(1).map_err(|e| failed(&e))?;
    let key = WrappedKey::parse(&record).ok_or_else(|| PostgresError::Damaged {
        detail: format!("the key at place {place} has another length"),
    })?;
    Ok((place, key))
}

fn ids(subjects: &BTreeSet<SubjectId>) -> Vec<Vec<u8>> {
    subjects.iter().map(|id| id.as_bytes().to_vec()).collect()
}

/// The copies of one ledger's keys, as its writer keeps them.
#[derive(Debug)]
pub(crate) struct KeyCopies {
    database: Database,
    ledger: LedgerId,
    epoch: u64,
    session: Option<Session>,
    place: i64,
}

impl KeyCopies {
    /// Goes on after what was read.
    pub(crate) fn after(tail: &KeyTail, epoch: u64) -> Self {
        Self {
            database: tail.database.clone(),
            ledger: tail.ledger,
            epoch,
            session: None,
            place: tail.place,
        }
    }

    fn session(&mut self) -> Result<&Session, PostgresError> {
        let open = self.session.take().filter(|session| !session.is_closed());
        let session = open.map_or_else(
            || {
                let session = self.database.connect(Purpose::Write, ANSWER)?;
                session.run(ANSWER, LIGHTLY)?;
                Ok::<_, PostgresError>(session)
            },
            Ok,
        )?;
        Ok(self.session.insert(session))
    }

    /// Stores some, and tries again while the database cannot be reached, as long as an
    /// append would.
    fn store(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<(), PostgresError> {
        let until = Instant::now() + SETTLING;
        let mut tried = false;
        let count = loop {
            match self.try_store(kek, keys) {
                Ok(count) => break count,
                // Nobody else of this epoch could have: they came with an earlier try.
                Err(PostgresError::Refused { code, .. })
                    if tried && code == SqlState::UNIQUE_VIOLATION =>
                {
                    break keys.len();
                }
                Err(error) if !error.passes() || Instant::now() >= until => return Err(error),
                Err(error) => {
                    if !tried {
                        tracing::warn!(%error, "keys were not confirmed; they are sent again");
                    }
                    self.session = None;
                    tried = true;
                    thread::sleep(AGAIN);
                }
            }
        };
        if count != keys.len() {
            return Err(PostgresError::Replaced);
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.place = self.place.saturating_add(count);
        Ok(())
    }

    fn try_store(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<usize, PostgresError> {
        let count = i32::try_from(keys.len()).unwrap_or(i32::MAX);
        let subjects = keys.iter().map(|key| key.subject.as_bytes().to_vec());
        let subjects: Vec<Vec<u8>> = subjects.collect();
        let records: Vec<Vec<u8>> = keys.iter().map(|key| key.bytes().to_vec()).collect();
        let (ledger, epoch, place) = (self.ledger.to_string(), self.epoch, self.place);
        let stored = self.session()?.query(
            ANSWER,
            PUT,
            vec![
                Box::new(ledger),
                Box::new(signed(epoch)),
                Box::new(place),
                Box::new(subjects),
                Box::new(kek.to_string()),
                Box::new(records),
                Box::new(count),
            ],
        )?;
        Ok(stored.len())
    }
}

impl Copies for KeyCopies {
    fn put(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<(), String> {
        let mut chunks = keys.chunks(TOGETHER);
        let stored = chunks.try_for_each(|keys| self.store(kek, keys));
        match stored {
            // The append that comes next is refused too, and says who has taken over.
            Ok(()) | Err(PostgresError::Replaced) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn remove(&mut self, subjects: &BTreeSet<SubjectId>) -> Result<(), String> {
        let (ledger, ids) = (self.ledger.to_string(), ids(subjects));
        let removed = self.session().and_then(|session| {
            session.query(ANSWER, REMOVE, vec![Box::new(ledger), Box::new(ids)])
        });
        removed.map(drop).map_err(|error| error.to_string())
    }
}

/// Why keys are not the same here and in the database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error(transparent)]
    Database(#[from] PostgresError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Makes a new writer's keys and their copies the same, and has them kept so: what
/// another server has made is taken in, what is only here is stored, what belongs to
/// somebody who was erased goes.
pub(crate) fn reconcile(
    database: &Database,
    (ledger, epoch): (LedgerId, u64),
    vault: &Vault,
    erased: &BTreeSet<SubjectId>,
) -> Result<(), KeysError> {
    let mut tail = KeyTail::new(database.clone(), ledger);
    let mut there = HashSet::new();
    loop {
        let mut keys = tail.next()?;
        if keys.is_empty() {
            break;
        }
        keys.retain(|key| !erased.contains(&key.subject));
        there.extend(keys.iter().map(|key| *key.subject.as_bytes()));
        vault.take_in(&keys)?;
    }
    let mut copies = KeyCopies::after(&tail, epoch);
    let broken = |detail| VaultError::Copies { detail };
    if !erased.is_empty() {
        copies.remove(erased).map_err(broken)?;
    }
    let mut missing = Vec::new();
    vault.each_key(|key| {
        if !there.contains(key.subject.as_bytes()) {
            missing.push(key);
        }
        Ok(())
    })?;
    if let Some(kek) = vault.kek()
        && !missing.is_empty()
    {
        copies.put(kek, &missing).map_err(broken)?;
    }
    vault.share(Box::new(copies));
    Ok(())
}
