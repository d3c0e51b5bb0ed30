//! sled panics on damaged bytes. A panic of its in here is an error to report,
//! not a message on the operator's terminal.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
    thread,
};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// What a panic said, in one short line.
#[derive(Debug)]
pub(super) struct Panicked(pub(super) String);

/// Runs `f` and catches its panic. The process's panic hook is wrapped once, and
/// stays silent only for a thread while it is in here.
pub(super) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Panicked> {
    if !thread::panicking() {
        HOOK.call_once(|| {
            let loud = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !QUIET.try_with(Cell::get).unwrap_or(false) {
                    loud(info);
                }
            }));
        });
    }
    let before = QUIET.replace(true);
    // sled holds its own state together with lock-free structures and locks that
    // do not poison; whoever gets the error stops using the database.
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    QUIET.set(before);
    result.map_err(|payload| Panicked(short(message(payload.as_ref()))))
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it stopped without a message")
}

/// The first line, at most 160 characters of it: sled prints whole pages.
pub(super) fn short(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or("")
        .chars()
        .take(160)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_one_short_line() {
        type Case = (fn(), Option<&'static str>);
        let long = "x".repeat(160);
        let rows: [Case; 4] = [
            (|| {}, None),
            (|| panic!("plain"), Some("plain")),
            (|| panic!("page {}\nand its content", 7), Some("page 7")),
            (|| panic::panic_any(7), Some("it stopped without a message")),
        ];
        for (run, expected) in rows {
            let said = catch(run).err().map(|Panicked(said)| said);
            assert_eq!(said.as_deref(), expected);
            assert!(!QUIET.get());
        }
        let Panicked(said) = catch(|| panic!("{}", "x".repeat(1000))).unwrap_err();
        assert_eq!(said, long);
        // One within another, as when a reader's drop closes the database.
        let inner = catch(|| catch(|| panic!("inner")).is_err());
        assert!(inner.unwrap());
        assert!(!QUIET.get());
    }
}
