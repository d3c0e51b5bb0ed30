//! Both adapters keep the contract.

use std::{error::Error, path::PathBuf};

use luzhang_ledger::{
    LedgerId,
    log::{
        Log,
        conformance::{self, Subject},
        memory::MemoryStore,
        sled::SledLog,
    },
};
use tempfile::TempDir;

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
