//! A log that counts what is read from it, and hands it out as a test permits.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex},
};

use luzhang_ledger::{
    Position,
    block::{Head, SealedBlock},
    log::{AppendError, Blocks, Fault, Log, ReadError, Reader},
};
use tokio::sync::watch;

/// Counts the blocks that are read in order, and hands them out as a test
/// permits.
#[derive(Clone)]
pub(crate) struct Meter(Arc<Reading>);

struct Reading {
    permits: Mutex<Option<usize>>,
    changed: Condvar,
    read: watch::Sender<Read>,
}

/// How far the reading in order has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Blocks read since the meter was armed.
    pub(crate) blocks: usize,
    /// Whether the reader waits for a permit.
    pub(crate) waits: bool,
    /// Whether it has gone.
    pub(crate) gone: bool,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Meter")
            .field(&*self.0.read.borrow())
            .finish()
    }
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Reading {
            permits: Mutex::new(None),
            changed: Condvar::new(),
            read: watch::Sender::default(),
        }))
    }

    /// Puts the meter before a log's readers.
    pub(crate) fn before(&self, log: Box<dyn Log>) -> Box<dyn Log> {
        Box::new(MeteredLog {
            log,
            meter: self.clone(),
        })
    }

    /// From now on a block is read only with a permit.
    pub(crate) fn arm(&self) {
        *self.0.permits.lock().unwrap() = Some(0);
        self.0.read.send_replace(Read::default());
    }

    /// Permits more blocks and waits until they are read and the next is asked
    /// for, or the reader has gone.
    pub(crate) async fn permit(&self, blocks: usize) -> Read {
        let mut read = self.0.read.subscribe();
        // Whoever waits is told under this lock, so that an old wait is not
        // mistaken for a new one.
        {
            let mut permits = self.0.permits.lock().unwrap();
            let permits = permits.as_mut().expect("the meter is armed");
            *permits += blocks;
            self.0.read.send_modify(|read| read.waits = false);
            self.0.changed.notify_all();
        }
        *read.wait_for(|read| read.waits || read.gone).await.unwrap()
    }

    fn pass(&self) {
        let mut permits = self.0.permits.lock().unwrap();
        while *permits == Some(0) {
            self.0.read.send_modify(|read| read.waits = true);
            permits = self.0.changed.wait(permits).unwrap();
        }
        if let Some(permits) = permits.as_mut() {
            *permits -= 1;
            self.0.read.send_modify(|read| read.blocks += 1);
        }
    }
}

#[derive(Debug)]
struct MeteredLog {
    log: Box<dyn Log>,
    meter: Meter,
}

impl Log for MeteredLog {
    fn head(&self) -> Head {
        self.log.head()
    }

    fn append(&mut self, blocks: &[SealedBlock]) -> Result<(), AppendError> {
        self.log.append(blocks)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(MeteredReader {
            reader: self.log.reader(),
            meter: self.meter.clone(),
        })
    }

    fn close(self: Box<Self>) -> Result<(), Fault> {
        self.log.close()
    }
}

#[derive(Debug)]
struct MeteredReader {
    reader: Arc<dyn Reader>,
    meter: Meter,
}

impl Reader for MeteredReader {
    fn block_with(&self, position: Position) -> Result<Option<Vec<u8>>, ReadError> {
        self.reader.block_with(position)
    }

    fn blocks_from(&self, position: Position) -> Blocks<'_> {
        Box::new(Metered {
            blocks: self.reader.blocks_from(position),
            meter: self.meter.clone(),
        })
    }
}

struct Metered<'a> {
    blocks: Blocks<'a>,
    meter: Meter,
}

impl Iterator for Metered<'_> {
    type Item = Result<Vec<u8>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.meter.pass();
        self.blocks.next()
    }
}

impl Drop for Metered<'_> {
    fn drop(&mut self) {
        self.meter.0.read.send_modify(|read| read.gone = true);
    }
}
