//! `luzhang serve` as a process of its own.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{BufRead as _, BufReader, Read, Seek as _},
    path::Path,
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::program::{Target, luzhang, signal};

/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server on a free loopback port. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stderr: File,
    url: String,
}

/// A server that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    /// All that it said on standard error.
    pub(crate) err: String,
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::with(dir, [] as [&str; 0], "warn")
    }

    /// With more arguments, and this as `LUZHANG_LOG`.
    pub(crate) fn with<I: IntoIterator<Item: AsRef<OsStr>>>(
        dir: &Path,
        arguments: I,
        log: &str,
    ) -> Self {
        Self::spawn(dir, arguments, log, "off").0
    }

    /// With the tree published over HTTP, and where that is.
    pub(crate) fn publishing<I: IntoIterator<Item: AsRef<OsStr>>>(
        dir: &Path,
        arguments: I,
    ) -> (Self, String) {
        let (server, rest) = Self::spawn(dir, arguments, "warn", "127.0.0.1:0");
        let mut line = String::new();
        BufReader::new(rest).read_line(&mut line).unwrap();
        let tiles = line.trim().strip_prefix("tiles ").map(str::to_owned);
        (
            server,
            tiles.unwrap_or_else(|| panic!("no tiles: {line:?}")),
        )
    }

    /// And the rest of what it prints.
    fn spawn<I: IntoIterator<Item: AsRef<OsStr>>>(
        dir: &Path,
        arguments: I,
        log: &str,
        web: &str,
    ) -> (Self, impl Read) {
        let stderr = tempfile::tempfile().unwrap();
        let arguments = arguments.into_iter().map(|a| a.as_ref().to_owned());
        let arguments: Vec<OsString> = arguments.collect();
        let says_where = arguments.iter().any(|argument| argument == "--listen");
        let somewhere = ["--listen", "127.0.0.1:0"];
        let mut child = luzhang()
            .arg("serve")
            .arg("--data-dir")
            .arg(dir)
            .args(somewhere.iter().filter(|_| !says_where))
            .args(arguments)
            .env("LUZHANG_LOG", log)
            .env("LUZHANG_WEB", web)
            .env("LUZHANG_METRICS", "off")
            .stdout(Stdio::piped())
            .stderr(stderr.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let mut server = Self {
            child,
            stderr,
            url: String::new(),
        };
        match line.trim().strip_prefix("listening ") {
            Some(url) => url.clone_into(&mut server.url),
            None => panic!("the server does not run: {line:?} {}", server.said()),
        }
        (server, stdout)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn target(&self) -> Target {
        Target::server(&self.url)
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it said on standard error so far.
    pub(crate) fn said(&mut self) -> String {
        let mut said = String::new();
        self.stderr.rewind().unwrap();
        self.stderr.read_to_string(&mut said).unwrap();
        said
    }

    /// Ends it as a power switch does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn terminate(self) -> Ended {
        signal("TERM", self.process());
        self.wait()
    }

    fn wait(mut self) -> Ended {
        let (process, (send, ended)) = (self.process(), mpsc::channel());
        thread::scope(|scope| {
            scope.spawn(|| send.send(self.child.wait()));
            if let Ok(status) = ended.recv_timeout(PATIENCE) {
                let code = status.unwrap().code().unwrap_or(-1);
                return Ok(code);
            }
            signal("KILL", process);
            Err(())
        })
        .map(|code| Ended {
            code,
            err: self.said(),
        })
        .unwrap_or_else(|()| panic!("the server did not end: {}", self.said()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
