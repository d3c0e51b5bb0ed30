//! A disk that fails under a running witness, and a clock that is wrong.

use std::fs;

use luzhang_ledger::proof::{TreeHead, witness::WitnessRefusal};
use luzhang_server::witness::{NotCosigned, OriginHash, Witness, WitnessError};

use crate::{history::History, running::Office};

const NOW: u64 = 1_800_000_000;

fn add(witness: &Witness, log: &History, old: u64, new: u64) -> &'static str {
    match witness.add_checkpoint(&log.request(old, new), NOW) {
        Ok(_) => "cosigned",
        Err(NotCosigned::Fault(fault)) => fault.code(),
        Err(NotCosigned::Refused(WitnessRefusal::Stale { .. })) => "stale",
        Err(NotCosigned::Refused(_)) => "refused",
    }
}

#[test]
fn after_a_failed_write_nothing_of_that_log_is_cosigned_until_a_restart() {
    let log = History::new("log.example/one", 9);
    let fork = log.fork(4);
    let other = History::new("log.example/two", 9);
    let office = Office::watching([log.verifier(), other.verifier()]);
    let witness = office.open();
    assert_eq!(add(&witness, &log, 0, 5), "cosigned");
    // A directory where the new record is to be written.
    let hash = OriginHash::of(log.origin());
    let record = office.dir().join("logs").join(hash.to_string());
    let in_the_way = record.with_extension("new");
    fs::create_dir(&in_the_way).unwrap();
    // What is refused is not written, and does no harm.
    assert_eq!(add(&witness, &fork, 5, 6), "refused");
    assert_eq!(add(&witness, &log, 4, 6), "stale");
    assert_eq!(add(&witness, &log, 5, 6), "WITNESS_STATE_IO");
    fs::remove_dir(&in_the_way).unwrap();
    for (log, old, new) in [(&log, 5, 6), (&log, 5, 5), (&fork, 5, 6), (&log, 0, 6)] {
        assert_eq!(add(&witness, log, old, new), "WITNESS_STOPPED");
    }
    let newest = witness.newest(hash).unwrap();
    assert_eq!(newest.head(), log.head(5), "what was given out stands");
    assert_eq!(add(&witness, &other, 0, 3), "cosigned", "another log");
    drop(witness);
    let mut witness = office.open();
    assert_eq!(add(&witness, &fork, 5, 6), "refused");
    assert_eq!(add(&witness, &log, 5, 6), "cosigned");
    // The same for a key that is added.
    fs::create_dir(&in_the_way).unwrap();
    let renewed = crate::history::log_key(log.origin(), 2);
    let failed = witness.add_log(renewed.verifier().clone());
    assert_eq!(failed.unwrap_err().code(), "WITNESS_STATE_IO");
    assert_eq!(add(&witness, &log, 6, 7), "WITNESS_STOPPED");
    // Where it cannot write it does not open.
    drop(witness);
    let opened = office.try_open();
    assert!(matches!(opened, Err(WitnessError::Io { .. })), "{opened:?}");
}

#[test]
fn over_http_a_fault_is_not_the_callers() {
    let log = History::new("log.example/one", 9);
    let office = Office::watching([log.verifier()]);
    let witness = office.start();
    let hash = OriginHash::of(log.origin()).to_string();
    let in_the_way = office.dir().join("logs").join(hash).with_extension("new");
    fs::create_dir(&in_the_way).unwrap();
    for code in ["WITNESS_STATE_IO\n", "WITNESS_STOPPED\n"] {
        let reply = witness.add_checkpoint(&log.request(0, 3));
        assert_eq!((reply.status, reply.body.as_str()), (500, code));
    }
    fs::remove_dir(&in_the_way).unwrap();
    witness.kill();
    let witness = office.start();
    let reply = witness.add_checkpoint(&log.request(0, 3));
    office.cosigned(&log.checkpoint(3), &reply);
}

#[test]
fn without_a_time_nothing_is_cosigned() {
    let log = History::new("log.example/one", 9);
    let office = Office::watching([log.verifier()]);
    let witness = office.open();
    let hash = OriginHash::of(log.origin());
    for now in [0, 1 << 63, u64::MAX] {
        let failed = witness.add_checkpoint(&log.request(0, 3), now);
        let clock = matches!(failed, Err(NotCosigned::Fault(WitnessError::Clock)));
        assert!(clock, "{now}: {failed:?}");
        let newest = witness.newest(hash);
        assert_eq!(
            newest.map_or(TreeHead::EMPTY, |n| n.head()),
            TreeHead::EMPTY
        );
    }
    for (old, now) in [(0, 1), (3, NOW), (3, (1 << 63) - 1), (3, 5)] {
        let line = witness.add_checkpoint(&log.request(old, 3), now).unwrap();
        let mut checkpoint = log.checkpoint(3);
        checkpoint.add(line);
        let verified = checkpoint.verify(&[&office.key]).unwrap();
        assert_eq!(verified[0].time, Some(now));
    }
}
