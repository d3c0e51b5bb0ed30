//! `luzhang report journal`: all money, in plain-text accounting.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::Path,
};

use luzhang_projections::{
    State,
    journal::{Entry, Format, Journal},
};

use crate::{
    args::{Global, life::JournalFormat},
    failure::{Failure, exit},
    source::Source,
};

/// A journal under way.
struct Fold {
    state: State,
    journal: Journal,
    out: BufWriter<Out>,
    failed: Option<io::Error>,
}

enum Out {
    Stdout(io::Stdout),
    File(File),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

impl Fold {
    fn write(&mut self, text: &str) -> ControlFlow<()> {
        match self.out.write_all(text.as_bytes()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

pub(super) async fn write(
    global: &Global,
    format: JournalFormat,
    file: Option<&Path>,
    out: Option<&Path>,
) -> Result<u8, Failure> {
    let source = Source::of(global, file)?;
    let written = match out {
        None => Out::Stdout(io::stdout()),
        Some(path) => {
            let file = OpenOptions::new().write(true).create_new(true).open(path);
            Out::File(file.map_err(|error| Failure::file(path, &error))?)
        }
    };
    let journal = Journal::new(match format {
        JournalFormat::Hledger => Format::Hledger,
        JournalFormat::Beancount => Format::Beancount,
    });
    let mut fold = Fold {
        state: State::default(),
        out: BufWriter::new(written),
        journal,
        failed: None,
    };
    let _begun = fold.write(fold.journal.head());
    let what = ("编制分录", "writing the journal");
    let walked = source.walk(global, what, fold, |fold, event| {
        let entry = Entry::of(&fold.state, event);
        fold.state.apply(event);
        match entry {
            Some(entry) => {
                let text = fold.journal.entry(&entry);
                fold.write(&text)
            }
            None => ControlFlow::Continue(()),
        }
    });
    let ended = walked.await.and_then(|mut fold| {
        let failed = match fold.failed.take() {
            Some(error) => Err(error),
            None => fold.out.flush(),
        };
        match failed {
            // A reader that has gone away (`| head`) is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            ended => Ok(ended?),
        }
    });
    if let (Err(_), Some(path)) = (&ended, out) {
        // Half a journal balances too, and is worse than none.
        let _kept = std::fs::remove_file(path);
    }
    ended.map(|()| exit::OK)
}
