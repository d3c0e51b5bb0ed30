//! Building the binary once, and running it.

use std::{
    env,
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// The binary, built like this test: another package's binary is not built for
/// us, and `CARGO_BIN_EXE_` knows this package's only.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // target/PROFILE/deps/this-test
        let test = env::current_exe().unwrap();
        let built = test.ancestors().nth(2).unwrap();
        let profile = match built.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // The lock on the target directory is free: cargo gives it back before
        // it runs tests.
        let mut build = Command::new(cargo);
        // What cargo says of this test's package is not so of others: a library whose
        // build looks at it would be built anew, and everything upon it.
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if of_package.iter().any(|begin| name.starts_with(begin)) {
                build.env_remove(&*name);
            }
        }
        let output = build
            .args(["build", "--quiet", "--package", "luzhang"])
            .args(["--bin", "luzhang", "--profile", profile])
            .arg("--target-dir")
            .arg(built.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "luzhang was not built:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        built.join(format!("luzhang{}", env::consts::EXE_SUFFIX))
    })
}

/// The binary, in an environment that says nothing about ledgers or languages.
pub(crate) fn luzhang() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("LUZHANG_") {
            command.env_remove(name);
        }
    }
    // Whoever wants the tree over HTTP says where.
    command.env("LUZHANG_WEB", "off");
    command.env("LUZHANG_METRICS", "off");
    // Whoever wants checkpoints says when: they add events.
    command.env("LUZHANG_CHECKPOINT_EVERY", "1h");
    // Whoever wants a server to be waited for says how long.
    command.env("LUZHANG_PATIENCE", "0");
    command.env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Runs `luzhang ARGUMENTS` to its end.
pub(crate) fn run<I: IntoIterator<Item: AsRef<OsStr>>>(arguments: I) -> Ran {
    let output = luzhang().args(arguments).output().unwrap();
    output.into()
}

/// Runs `luzhang ARGUMENTS` with this on its standard input.
pub(crate) fn run_with_input<I: IntoIterator<Item: AsRef<OsStr>>>(
    arguments: I,
    input: &str,
) -> Ran {
    let mut child = luzhang()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who ends without reading has a reason that the caller looks at.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

/// Sends a signal by its name, such as `TERM`.
pub(crate) fn signal(name: &str, process: u32) {
    // The shell's own `kill` is on every machine; the program of that name is not.
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .status();
    assert!(sent.unwrap().success(), "kill -{name} {process}");
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The same, if it ended with this exit code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.out);
        parsed.unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }

    /// Standard output as one JSON document a line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parsed: Result<_, _> = self.out.lines().map(serde_json::from_str).collect();
        parsed.unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }

    /// Whether it failed with this code on standard error, and nothing on
    /// standard output.
    #[track_caller]
    pub(crate) fn failed(&self, exit: i32, code: &str) {
        let said = self
            .err
            .lines()
            .any(|line| line.starts_with(&format!("{code}: ")));
        assert!(
            self.code == exit && said && self.out.is_empty(),
            "expected exit {exit}, {code}: {self:#?}"
        );
    }
}

/// A ledger to which a command is given: a server or a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    own: [String; 2],
    /// Who asks, and what else every command needs.
    more: Vec<String>,
}

impl Target {
    pub(crate) fn server(url: &str) -> Self {
        Self::of(["--server", url])
    }

    pub(crate) fn data_dir(dir: &Path) -> Self {
        Self::of(["--data-dir", dir.to_str().unwrap()])
    }

    fn of(own: [&str; 2]) -> Self {
        Self {
            own: own.map(str::to_owned),
            more: Vec::new(),
        }
    }

    /// With more options for every command.
    pub(crate) fn with(mut self, options: &[&str]) -> Self {
        self.more.extend(options.iter().map(ToString::to_string));
        self
    }

    /// Shows this certificate: PREFIX.crt, with its key in PREFIX.key.
    pub(crate) fn identified(self, prefix: &Path) -> Self {
        self.with(&["--identity", prefix.to_str().unwrap()])
    }

    /// Runs a command about this ledger.
    pub(crate) fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Ran {
        luzhang()
            .args(&self.own)
            .args(&self.more)
            .args(arguments)
            .output()
            .unwrap()
            .into()
    }

    pub(crate) fn run_with_input<const N: usize>(&self, arguments: [&str; N], input: &str) -> Ran {
        let own = self.own.iter().chain(&self.more).map(String::as_str);
        run_with_input(own.chain(arguments), input)
    }

    /// The options that name it.
    pub(crate) fn options(&self) -> &[String; 2] {
        &self.own
    }

    /// The durable end of its chain, as `POSITION:HASH`.
    #[track_caller]
    pub(crate) fn head(&self) -> String {
        self.run(["audit", "head"]).ended(0).out.trim().to_owned()
    }
}

/// A new ledger in a directory of its own.
#[derive(Debug)]
pub(crate) struct Ledger {
    scratch: TempDir,
}

impl Ledger {
    /// With the built-in policy pack.
    pub(crate) fn new() -> Self {
        let ledger = Self {
            scratch: tempfile::tempdir().unwrap(),
        };
        ledger.target().run(["init"]).ended(0);
        ledger
    }

    /// The data directory.
    pub(crate) fn dir(&self) -> PathBuf {
        self.scratch.path().join("ledger")
    }

    /// A place for files beside the data directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub(crate) fn target(&self) -> Target {
        Target::data_dir(&self.dir())
    }
}
