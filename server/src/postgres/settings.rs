//! What the database has to be set to before anything is acknowledged.

use tokio_postgres::Row;

use super::{
    PostgresError,
    log::ANSWER,
    session::{Session, failed},
};

/// When an append counts as durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durable {
    /// On the disk of the one database.
    Local,
    /// On the disk of a standby as well.
    #[default]
    Standby,
}

impl Durable {
    /// Whether settings promise as much.
    pub(super) fn check(self, commit: &str, standbys: &str) -> Result<(), PostgresError> {
        let (levels, wanted): (&[&str], _) = match self {
            // All of them flush here; `remote_write` waits for a standby's memory too.
            Self::Local => (
                &["local", "remote_write", "on", "remote_apply"],
                "`local` or more",
            ),
            Self::Standby => (&["on", "remote_apply"], "`on` or more"),
        };
        if !levels.contains(&commit) {
            return Err(PostgresError::NotDurable {
                setting: "synchronous_commit",
                found: commit.to_owned(),
                wanted,
            });
        }
        if self == Self::Standby && standbys.trim().is_empty() {
            return Err(PostgresError::NotDurable {
                setting: "synchronous_standby_names",
                found: standbys.to_owned(),
                wanted: "the names of standbys",
            });
        }
        Ok(())
    }

    /// The same of a row that ends with both settings.
    pub(super) fn check_row(self, row: &Row) -> Result<(), PostgresError> {
        let last = row.len();
        let text = |column: usize| row.try_get::<_, String>(column).map_err(|e| failed(&e));
        let commit = text(last.saturating_sub(2))?;
        let standbys = text(last.saturating_sub(1))?;
        self.check(&commit, &standbys)
    }
}

const ASK: &str = "SELECT current_setting('fsync'), current_setting('full_page_writes'), \
    current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";

/// Refuses a database that is set to lose what it acknowledges.
pub(super) fn require(session: &Session, durable: Durable) -> Result<(), PostgresError> {
    let rows = session.query(ANSWER, ASK, Vec::new())?;
    let row = rows.first().ok_or(PostgresError::Damaged {
        detail: "it does not say how it is set".to_owned(),
    })?;
    for (column, setting) in [(0, "fsync"), (1, "full_page_writes")] {
        let found: String = row.try_get(column).map_err(|e| failed(&e))?;
        if found != "on" {
            return Err(PostgresError::NotDurable {
                setting,
                found,
                wanted: "`on`",
            });
        }
    }
    durable.check_row(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_below_what_is_asked_for_is_taken() {
        let names = "ANY 1 (s1, s2)";
        for (commit, standbys, local, standby) in [
            ("off", names, false, false),
            ("local", names, true, false),
            ("remote_write", names, true, false),
            ("on", names, true, true),
            ("remote_apply", names, true, true),
            ("on", "", true, false),
            ("on", "  ", true, false),
            ("something new", names, false, false),
        ] {
            let holds = |durable: Durable| durable.check(commit, standbys).is_ok();
            assert_eq!(holds(Durable::Local), local, "{commit} {standbys:?}");
            assert_eq!(holds(Durable::Standby), standby, "{commit} {standbys:?}");
        }
    }
}
