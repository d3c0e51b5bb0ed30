//! The subjects' keys beside the log in the database, for whoever takes over: as they
//! are in `keys/subjects`, wrapped. The key that unwraps them is not in the database.

use std::{collections::BTreeSet, fmt::Debug, thread, time::Instant};

use hashbrown::HashSet;
use luzhang_ledger::{LedgerId, SubjectId};
use tokio_postgres::{Row, error::SqlState};

use super::{
    Database, PostgresError,
    head::{signed, unsigned},
    log::{AGAIN, ANSWER, SETTLING},
    session::{Argument, Purpose, Session, failed},
};
use crate::vault::{Copied, Copies, KekId, Shared, Vault, VaultError, WrappedKey};

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

const AFTER: &str = "SELECT place, record, kek FROM luzhang_key \
    WHERE log = $1 AND place > $2 ORDER BY place LIMIT 10000";

const OF: &str = "SELECT place, record, kek FROM luzhang_key \
    WHERE log = $1 AND subject = ANY($2) ORDER BY place";

/// Made by the first writer that has keys, or that finds no such table yet.
const TABLE: &str = "
CREATE TABLE IF NOT EXISTS luzhang_kek (
    log text NOT NULL PRIMARY KEY,
    kek text NOT NULL
);
";

const AGREED: &str = "SELECT kek FROM luzhang_kek WHERE log = $1";

/// Whoever raises the epoch waits for this, or this for them: it holds the head's row.
const AGREE: &str = "WITH held AS ( \
        UPDATE luzhang_head SET settled = settled + 1 \
        WHERE log = $1 AND epoch = $2 RETURNING log) \
    UPDATE luzhang_kek SET kek = $3 FROM held WHERE luzhang_kek.log = held.log \
    RETURNING luzhang_kek.log";
const AGREE_FIRST: &str = "WITH held AS ( \
        UPDATE luzhang_head SET settled = settled + 1 \
        WHERE log = $1 AND epoch = $2 RETURNING log) \
    INSERT INTO luzhang_kek (log, kek) SELECT held.log, $3 FROM held \
    RETURNING log";

/// Of a subject that has two, both are of the key that counts.
const REPLACE: &str = "UPDATE luzhang_key SET kek = $3, record = fresh.record \
    FROM luzhang_head AS head, ( \
        SELECT ($4::bytea[])[i] AS subject, ($5::bytea[])[i] AS record \
        FROM generate_series(1, $6::int) AS i) AS fresh \
    WHERE head.log = $1 AND head.epoch = $2 AND luzhang_key.log = head.log \
    AND luzhang_key.subject = fresh.subject AND luzhang_key.kek <> $3";

const OTHERS: &str = "SELECT count(*) FROM luzhang_key WHERE log = $1 AND kek <> $2";

/// Records in one statement.
const TOGETHER: usize = 10_000;

/// The copies of one ledger's keys, as they are read.
#[derive(Debug)]
pub(crate) struct KeyTail {
    database: Database,
    ledger: LedgerId,
    session: Option<Session>,
    /// The place of the newest that was taken.
    place: i64,
    /// The place of the newest that was read.
    read: i64,
}

impl KeyTail {
    pub(crate) fn new(database: Database, ledger: LedgerId) -> Self {
        Self {
            database,
            ledger,
            session: None,
            place: 0,
            read: 0,
        }
    }

    /// Some of what is new; nothing if there is no more. The same again until
    /// [`KeyTail::taken`] is called: what could not be taken is not passed over.
    pub(crate) fn next(&mut self) -> Result<Vec<Copied>, PostgresError> {
        let after = self.place;
        let found = self.ask(AFTER, Box::new(after))?;
        if let Some((place, _)) = found.last() {
            self.read = *place;
        }
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    /// What was read last is here now.
    pub(crate) fn taken(&mut self) {
        self.place = self.read;
    }

    /// What there is of these subjects.
    pub(crate) fn of(
        &mut self,
        subjects: &BTreeSet<SubjectId>,
    ) -> Result<Vec<Copied>, PostgresError> {
        let found = self.ask(OF, Box::new(ids(subjects)))?;
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    /// The key-encryption key that all servers are to have; `None` if that was never
    /// said.
    pub(crate) fn agreed(&mut self) -> Result<Option<KekId>, PostgresError> {
        let rows = match self.rows(AGREED, Vec::new()) {
            Err(PostgresError::NoTables) => return Ok(None),
            rows => rows?,
        };
        let text = rows.first().map(|row| row.try_get::<_, String>(0));
        let text = text.transpose().map_err(|e| failed(&e))?;
        text.map(|text| kek(&text)).transpose()
    }

    fn ask(
        &mut self,
        statement: &'static str,
        what: Argument,
    ) -> Result<Vec<(i64, Copied)>, PostgresError> {
        let rows = self.rows(statement, vec![what])?;
        rows.iter().map(entry).collect()
    }

    fn rows(
        &mut self,
        statement: &'static str,
        more: Vec<Argument>,
    ) -> Result<Vec<Row>, PostgresError> {
        let open = self.session.take().filter(|session| !session.is_closed());
        let session = open.map_or_else(|| self.database.connect(Purpose::Write, ANSWER), Ok)?;
        let mut arguments: Vec<Argument> = vec![Box::new(self.ledger.to_string())];
        arguments.extend(more);
        let rows = session.query(ANSWER, statement, arguments)?;
        self.session = Some(session);
        Ok(rows)
    }
}

fn entry(row: &Row) -> Result<(i64, Copied), PostgresError> {
    let place: i64 = row.try_get(0).map_err(|e| failed(&e))?;
    let record: Vec<u8> = row.try_get(1).map_err(|e| failed(&e))?;
    let under: String = row.try_get(2).map_err(|e| failed(&e))?;
    let key = WrappedKey::parse(&record).ok_or_else(|| PostgresError::Damaged {
        detail: format!("the key at place {place} has another length"),
    })?;
    let kek = kek(&under)?;
    Ok((place, Copied { kek, key }))
}

fn kek(text: &str) -> Result<KekId, PostgresError> {
    KekId::parse(text.as_bytes()).ok_or_else(|| PostgresError::Damaged {
        detail: "it names a key-encryption key by something else than an id".to_owned(),
    })
}

fn ids(subjects: &BTreeSet<SubjectId>) -> Vec<Vec<u8>> {
    subjects.iter().map(|id| id.as_bytes().to_vec()).collect()
}

/// The key-encryption key that all servers of a ledger are to have; `None` if that was
/// never said.
pub(crate) fn agreed(
    database: &Database,
    ledger: LedgerId,
) -> Result<Option<KekId>, PostgresError> {
    KeyTail::new(database.clone(), ledger).agreed()
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

    /// Has the servers agree on a key-encryption key. What this writer has stored or
    /// replaced before is durable when this is.
    fn agree(&self, kek: KekId) -> Result<(), PostgresError> {
        let until = Instant::now() + SETTLING;
        loop {
            match self.try_agree(kek) {
                Err(error) if error.passes() && Instant::now() < until => thread::sleep(AGAIN),
                agreed => return agreed,
            }
        }
    }

    fn try_agree(&self, kek: KekId) -> Result<(), PostgresError> {
        // Of its own: it waits for a standby, if commits do.
        let session = self.database.connect(Purpose::Write, ANSWER)?;
        let arguments = || -> Vec<Argument> {
            vec![
                Box::new(self.ledger.to_string()),
                Box::new(signed(self.epoch)),
                Box::new(kek.to_string()),
            ]
        };
        let agreed = match session.query(ANSWER, AGREE, arguments()) {
            Err(PostgresError::NoTables) => {
                session.run(ANSWER, TABLE)?;
                Vec::new()
            }
            agreed => agreed?,
        };
        if !agreed.is_empty() {
            return Ok(());
        }
        // There is no row yet, or it is another's epoch.
        if session.query(ANSWER, AGREE_FIRST, arguments())?.is_empty() {
            return Err(PostgresError::Replaced);
        }
        Ok(())
    }

    fn try_replace(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<(), PostgresError> {
        let count = i32::try_from(keys.len()).unwrap_or(i32::MAX);
        let subjects = keys.iter().map(|key| key.subject.as_bytes().to_vec());
        let subjects: Vec<Vec<u8>> = subjects.collect();
        let records: Vec<Vec<u8>> = keys.iter().map(|key| key.bytes().to_vec()).collect();
        let (ledger, epoch) = (self.ledger.to_string(), self.epoch);
        let replaced = self.session()?.query(
            ANSWER,
            REPLACE,
            vec![
                Box::new(ledger),
                Box::new(signed(epoch)),
                Box::new(kek.to_string()),
                Box::new(subjects),
                Box::new(records),
                Box::new(count),
            ],
        );
        replaced.map(drop)
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
    let mut stale = BTreeSet::new();
    // In this epoch nobody else changes it.
    let agreed = tail.agreed()?;
    vault.require(agreed)?;
    loop {
        let mut keys = tail.next()?;
        if keys.is_empty() {
            break;
        }
        keys.retain(|copied| !erased.contains(&copied.key.subject));
        there.extend(keys.iter().map(|copied| *copied.key.subject.as_bytes()));
        stale.append(&mut vault.take_in(&keys, agreed)?);
        tail.taken();
    }
    let mut copies = KeyCopies::after(&tail, epoch);
    share(vault, agreed, &stale, &mut copies)?;
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

/// What is left to do before a writer's keys are shared: its key-encryption key is the
/// ledger's, and nothing is under an earlier one.
pub(crate) fn share(
    vault: &Vault,
    agreed: Option<KekId>,
    stale: &BTreeSet<SubjectId>,
    copies: &mut KeyCopies,
) -> Result<(), KeysError> {
    if agreed.is_none()
        && let Some(kek) = vault.kek()
        && let Err(error) = copies.agree(kek)
    {
        if error.passes() || matches!(error, PostgresError::Replaced) {
            return Err(error.into());
        }
        // Only changing it needs that.
        tracing::warn!(%error, "the servers of this ledger cannot agree on a key-encryption key");
    }
    if stale.is_empty() {
        return Ok(());
    }
    let mut rest = SharedKeys::of(copies);
    vault.replace(stale, &mut rest)?;
    tracing::info!(
        count = stale.len(),
        "a change of the key-encryption key was finished in the database"
    );
    Ok(())
}

/// All copies of one ledger's keys, for whoever wraps them anew.
#[derive(Debug)]
pub(crate) struct SharedKeys {
    tail: KeyTail,
    copies: KeyCopies,
}

impl SharedKeys {
    /// Of the log's writer in this epoch.
    pub(crate) fn new(database: &Database, ledger: LedgerId, epoch: u64) -> Self {
        let tail = KeyTail::new(database.clone(), ledger);
        let copies = KeyCopies::after(&tail, epoch);
        Self { tail, copies }
    }

    fn of(copies: &KeyCopies) -> Self {
        Self::new(&copies.database, copies.ledger, copies.epoch)
    }
}

fn unshared(error: &PostgresError) -> VaultError {
    VaultError::Copies {
        detail: error.to_string(),
    }
}

impl Shared for SharedKeys {
    fn agreed(&mut self) -> Result<Option<KekId>, VaultError> {
        self.tail.agreed().map_err(|e| unshared(&e))
    }

    fn agree(&mut self, kek: KekId) -> Result<(), VaultError> {
        self.copies.agree(kek).map_err(|e| unshared(&e))
    }

    fn next(&mut self) -> Result<Vec<Copied>, VaultError> {
        let next = self.tail.next().map_err(|e| unshared(&e));
        self.tail.taken();
        next
    }

    fn replace(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<(), VaultError> {
        self.copies.try_replace(kek, keys).map_err(|e| unshared(&e))
    }

    fn others(&mut self, kek: KekId) -> Result<u64, VaultError> {
        let counted = self.tail.rows(OTHERS, vec![Box::new(kek.to_string())]);
        let rows = counted.map_err(|e| unshared(&e))?;
        let count = rows.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0));
        let count = count.map_err(|e| unshared(&failed(&e)))?;
        unsigned(count).map_err(|e| unshared(&e))
    }
}
