//! Both adapters keep the contract.

use std::{error::Error, path::PathBuf};

use luzhang_ledger::{
    LedgerId,
    log::{
        AppendError, Log,
        conformance::{self, Chain, Subject},
        memory::{Failure, MemoryStore},
        sled::SledLog,
    },
};
use tempfile::TempDir;

use crate::{count, ledger};

struct Memory(Option<MemoryStore>);

impl Subject for Memory {
    fn create(&mut self, ledger: LedgerId) -> Result<Box<dyn Log>, Box<dyn Error>> {
        let store = self.0.insert(MemoryStore::new(ledger));
        Ok(Box::new(store.open()?))
    }

    fn open(&mut self) -> Result<Box<dyn Log>, Box<dyn Error>> {
        Ok(Box::new(self.0.as_ref().ok_or("nothing was made")?.open()?))
    }
}

struct Sled {
    scratch: TempDir,
    made: u32,
}

impl Sled {
    fn dir(&self) -> PathBuf {
        self.scratch.path().join(self.made.to_string())
    }
}

impl Subject for Sled {
    fn create(&mut self, ledger: LedgerId) -> Result<Box<dyn Log>, Box<dyn Error>> {
        self.made += 1;
        Ok(Box::new(SledLog::create(&self.dir(), ledger)?))
    }

    fn open(&mut self) -> Result<Box<dyn Log>, Box<dyn Error>> {
        Ok(Box::new(SledLog::open(&self.dir())?))
    }
}

#[test]
fn memory_keeps_the_contract() {
    conformance::check(&mut Memory(None)).unwrap();
}

#[test]
fn sled_keeps_the_contract() {
    let scratch = tempfile::tempdir().unwrap();
    conformance::check(&mut Sled { scratch, made: 0 }).unwrap();
}

#[test]
fn a_fault_is_final_and_the_store_knows_the_truth() {
    for (failure, stored) in [(Failure::BeforeStored, 1), (Failure::AfterStored, 3)] {
        let store = MemoryStore::new(ledger());
        let mut chain = Chain::new(ledger());
        let mut log = store.open().unwrap();
        log.append(&[chain.block(&[1]).unwrap()]).unwrap();
        let acknowledged = log.head();
        let reader = log.reader();
        store.fail_next(failure);
        let lost = [chain.block(&[1]).unwrap(), chain.block(&[1]).unwrap()];
        for expected in ["asked for", "stopped after"] {
            let error = log.append(&lost).unwrap_err();
            assert!(matches!(error, AppendError::Fault(_)), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert_eq!(log.head(), acknowledged);
        assert_eq!(count(&*reader).0, 1);
        drop(log);
        let log = store.open().unwrap();
        assert_eq!(log.head().height, stored);
        assert_eq!(count(&*log.reader()).0, stored);
    }
}
