//! Where a ledger's log is: in its data directory, or in a database whose address is
//! kept there. Opening it to write, to read, to audit, and as one that is copied to.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc};

use luzhang_ledger::{
    LedgerId,
    log::{
        Log,
        sled::{self, AuditLog, Elsewhere, Format, Held, Place, ReadLog, SledLog, Witness},
        storage::sync_dir,
    },
};

use super::{DatabaseOptions, EngineError};
use crate::{
    postgres::{self, Database, PostgresError, PostgresLog, PostgresReader, Writer, witness},
    vault,
};

/// The file with the address of the database, beside `FORMAT`.
const ADDRESS: &str = "database";

/// A log, and what it needs beside it.
pub(super) struct Opened {
    pub(super) log: Box<dyn Log>,
    pub(super) epoch: u64,
    pub(super) held: Option<Held>,
    /// Where it is, if that is elsewhere.
    pub(super) database: Option<Database>,
    /// What others are told of its writer.
    pub(super) name: String,
}

/// Makes a data directory for another server of a ledger whose log is in a database,
/// with a copy of its keys. Returns which ledger: the database's only one, unless it is
/// named. The key-encryption key is not among the keys, and not copied.
pub fn join(
    dir: &Path,
    keys: &Path,
    ledger: Option<LedgerId>,
    address: &str,
) -> Result<LedgerId, EngineError> {
    let database = Database::parse(address)?;
    let ledger = postgres::find(&database, ledger)?;
    let making = Elsewhere::begin(dir, ledger)?;
    keep_address(dir, &database)?;
    vault::copy(keys, dir)?;
    making.finish()?;
    Ok(ledger)
}

/// Opens the log of a data directory for writing, wherever it is.
pub(super) fn open_log(
    dir: &Path,
    options: &DatabaseOptions,
) -> Result<(Opened, LedgerId), EngineError> {
    let format = sled::format(dir)?;
    let opened = match format.place {
        Place::Here => {
            let log = SledLog::open(dir)?;
            Opened {
                epoch: log.next_epoch(),
                log: Box::new(log),
                held: None,
                database: None,
                name: String::new(),
            }
        }
        Place::Database => {
            let held = sled::hold(dir)?;
            let database = database(dir, options)?;
            let log = PostgresLog::open(&database, dir, format.ledger, writer(options))?;
            Opened {
                epoch: log.epoch(),
                log: Box::new(log),
                held: Some(held),
                database: Some(database),
                name: options.name.clone(),
            }
        }
    };
    Ok((opened, format.ledger))
}

/// Opens a log for an audit, wherever it is: one in the data directory is copied into
/// `scratch` first, one in a database is read as it is.
///
/// # Errors
/// As [`sled::open_for_audit`], and what the database says.
pub fn open_for_audit(
    dir: &Path,
    scratch: &Path,
    options: &DatabaseOptions,
) -> Result<AuditLog, EngineError> {
    let format = sled::format(dir)?;
    if format.place == Place::Here {
        return Ok(sled::open_for_audit(dir, scratch)?);
    }
    let database = database(dir, options)?;
    let (reader, _) = PostgresReader::open(&database, format.ledger)?;
    Ok(AuditLog {
        format,
        witness: Ok(witness(dir, format.ledger)?),
        reader: Arc::new(reader),
    })
}

/// How far a log had come when that was last written down in its data directory,
/// wherever it is.
pub fn witnessed(dir: &Path, format: &Format) -> Result<Witness, EngineError> {
    Ok(match format.place {
        Place::Here => sled::witness(dir)?,
        Place::Database => witness(dir, format.ledger)?,
    })
}

/// Opens a log to be read through, wherever it is. One in the data directory is kept from
/// its writer meanwhile; one in a database goes on.
///
/// # Errors
/// As [`ReadLog::open`], and what the database says.
pub fn open_to_read(dir: &Path, options: &DatabaseOptions) -> Result<ReadLog, EngineError> {
    let format = sled::format(dir)?;
    if format.place == Place::Here {
        return Ok(ReadLog::open(dir)?);
    }
    let database = database(dir, options)?;
    let (reader, head) = PostgresReader::open(&database, format.ledger)?;
    Ok(ReadLog::elsewhere(format.ledger, head, Arc::new(reader)))
}

/// Opens a log in a database to be read through, without a data directory: the one of
/// this ledger, or the only one there is.
///
/// # Errors
/// What the database says.
pub fn open_database(address: &str, ledger: Option<LedgerId>) -> Result<ReadLog, EngineError> {
    let database = Database::parse(address)?;
    let ledger = postgres::find(&database, ledger)?;
    let (reader, head) = PostgresReader::open(&database, ledger)?;
    Ok(ReadLog::elsewhere(ledger, head, Arc::new(reader)))
}

/// A log in a database that another one is copied to, without a data directory.
#[derive(Debug)]
pub struct BareCopy {
    /// The log.
    pub log: PostgresLog,
    making: bool,
}

impl BareCopy {
    /// Makes a log in a database, or goes on with one that was begun, or with one that is
    /// there and that no server writes. One that was made is none before
    /// [`BareCopy::finish`]. `scratch` is a place for what is of use meanwhile only.
    ///
    /// # Errors
    /// What the database says.
    pub fn open(
        address: &str,
        scratch: &Path,
        ledger: LedgerId,
        options: &DatabaseOptions,
    ) -> Result<Self, EngineError> {
        let database = Database::parse(address)?;
        let copying = PostgresLog::copying(&database, scratch, ledger, writer(options));
        let (log, making) = copying?;
        Ok(Self { log, making })
    }

    /// Whether it is none yet.
    pub fn is_made(&self) -> bool {
        self.making
    }

    /// Ends writing; from now on it is one.
    ///
    /// # Errors
    /// What the database says.
    pub fn finish(mut self) -> Result<(), EngineError> {
        if self.making {
            self.log.copied()?;
        }
        // Each append was durable; there is nothing left that could fail.
        let _closed = Box::new(self.log).close();
        Ok(())
    }
}

/// A log in a database that another one is copied to.
#[derive(Debug)]
pub struct DatabaseCopy {
    /// The log.
    pub log: Box<dyn Log>,
    /// The directory beside it, if that is none yet.
    making: Option<Elsewhere>,
    _held: Option<Held>,
}

impl DatabaseCopy {
    /// Opens the log of a data directory for writing.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open(dir: &Path, options: &DatabaseOptions) -> Result<Self, EngineError> {
        let (opened, _) = open_log(dir, options)?;
        Ok(Self {
            log: opened.log,
            making: None,
            _held: opened.held,
        })
    }

    /// Makes a log in the database that the options name, and a data directory for it,
    /// or goes on with what was begun. The directory is none before
    /// [`DatabaseCopy::finish`].
    ///
    /// # Errors
    /// As [`Engine::create`]. A log that the directory did not begin is not touched.
    pub fn begin(
        dir: &Path,
        ledger: LedgerId,
        options: &DatabaseOptions,
    ) -> Result<Self, EngineError> {
        let begun = sled::copying(dir)?.is_some() && dir.join(ADDRESS).exists();
        let given = options.address.as_deref().filter(|_| !begun);
        // Before anything is made.
        let given = given.map(Database::parse).transpose()?;
        let making = Elsewhere::copying(dir, ledger)?;
        if let Some(database) = &given {
            keep_address(dir, database)?;
        }
        let database = database(dir, options)?;
        let create = || PostgresLog::create(&database, dir, ledger, writer(options));
        let log = if begun {
            match PostgresLog::open(&database, dir, ledger, writer(options)) {
                Err(PostgresError::NoTables | PostgresError::NoLedger { .. }) => create(),
                opened => opened,
            }
        } else {
            create().inspect_err(|error| {
                if matches!(error, PostgresError::Exists { .. }) {
                    // It was not begun here, and the next run must not go on with it.
                    let _kept = fs::remove_file(dir.join(ADDRESS));
                }
            })
        }?;
        Ok(Self {
            log: Box::new(log),
            making: Some(making),
            _held: None,
        })
    }

    /// Whether the directory is none yet.
    pub fn is_made(&self) -> bool {
        self.making.is_some()
    }

    /// Ends writing; from now on the directory is one.
    ///
    /// # Errors
    /// What closing says.
    pub fn finish(self) -> Result<(), EngineError> {
        // Each append was durable; there is nothing left that could fail.
        let _closed = self.log.close();
        if let Some(making) = self.making {
            making.finish()?;
        }
        Ok(())
    }
}

/// The files that the connections to the database of a data directory are encrypted with,
/// if its log is in one and they are.
///
/// # Errors
/// What the address says.
pub fn database_files(
    dir: &Path,
    options: &DatabaseOptions,
) -> Result<Option<postgres::Files>, PostgresError> {
    Ok(database(dir, options)?.files().cloned())
}

/// The database of a data directory's log.
pub(crate) fn database(dir: &Path, options: &DatabaseOptions) -> Result<Database, PostgresError> {
    if let Some(address) = &options.address {
        return Database::parse(address);
    }
    let failed = |error| PostgresError::Io {
        file: ADDRESS,
        error,
    };
    let address = fs::read_to_string(dir.join(ADDRESS)).map_err(failed)?;
    // Whoever writes it by hand may name files beside it.
    Database::parse_in(address.trim(), dir)
}

/// It may have a password in it. The file is there as a whole or not at all.
pub(super) fn keep_address(dir: &Path, database: &Database) -> Result<(), PostgresError> {
    let fresh = dir.join(format!("{ADDRESS}.new"));
    let kept = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| {
            writeln!(file, "{}", database.address())?;
            file.sync_all()?;
            fs::rename(&fresh, dir.join(ADDRESS))?;
            sync_dir(dir)
        });
    kept.map_err(|error| PostgresError::Io {
        file: ADDRESS,
        error,
    })
}

pub(super) fn writer(options: &DatabaseOptions) -> Writer {
    Writer {
        durable: options.durable,
        name: options.name.clone(),
    }
}
