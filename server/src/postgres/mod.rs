//! The log in PostgreSQL, for ledgers on more than one machine.
//!
//! Five tables, restricted to SQL that PostgreSQL's relatives share:
//!
//! ```text
//! luzhang_head     log PK, epoch, position, hash, writer, settled
//! luzhang_block    log, first_position PK, body
//! luzhang_key      log, place PK, subject, kek, record
//! luzhang_kek      log PK, kek
//! luzhang_standby  log, name PK, position, heard
//! ```
//!
//! - **One statement an append.** It moves the head only from the epoch, position
//!   and hash that the writer expects, and stores the blocks. No row moved means
//!   that another writer was first, or has taken over.
//! - **Fencing.** Whoever opens the log for writing raises the epoch. From then on
//!   nothing of a writer before is stored any more, whatever it believes.
//! - **Acknowledged means replicated.** A commit whose wait for a standby is
//!   cancelled succeeds, with a warning. So anything but a success without a warning
//!   is *unknown*: the head is read again in a transaction that waits for the one
//!   before, and only when that commits without a warning is the append done.
//! - **A mark outside.** What was acknowledged is written to the file `mark` in the
//!   data directory first; a database that ends before it is refused.
//! - **A lease.** An advisory lock of a connection of its own says who may open the
//!   log for writing. It keeps two from fighting; what keeps the log whole is the
//!   epoch.

mod address;
mod error;
mod followed;
mod head;
mod keys;
mod lease;
mod log;
mod mark;
mod reader;
mod session;
mod settings;
mod standbys;
mod survey;
mod tls;
mod watch;

pub(crate) use self::keys::{KeyCopies, KeyTail, KeysError, SharedKeys, agreed, reconcile, share};
pub use self::{
    address::Files,
    error::{Distrust, PostgresError},
    followed::{Followed, Seen},
    lease::{Lease, LeaseSource},
    log::{PostgresLog, Writer},
    reader::PostgresReader,
    session::{Database, Protection},
    settings::Durable,
    survey::{Replica, Survey, survey},
    tls::Secured,
};
pub(crate) use self::{
    lease::Seeker,
    log::find,
    mark::witness,
    standbys::{Announcer, Voice},
    watch::{Watched, watch},
};
