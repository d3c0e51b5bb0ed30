//! Where the measurements happen: a scratch directory and child processes, all
//! of which are gone afterwards, however the run ends.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// How long a process may take to be ready, or to end in order. Reading ten
/// million events takes a while on a slow disk.
const PATIENCE: Duration = Duration::from_mins(10);

/// Told when the run is to end early.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.is_set() {
            bail!("interrupted");
        }
        Ok(())
    }
}

/// The scratch directory and this program.
#[derive(Debug)]
pub(super) struct Site {
    scratch: TempDir,
    program: PathBuf,
    pub(super) interrupt: Interrupt,
}

impl Site {
    /// Makes a scratch directory in `parent`, or where the system puts them.
    pub(super) fn new(parent: Option<&Path>, interrupt: Interrupt) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("luzhang-bench-");
        let scratch = match parent {
            Some(parent) => builder.tempdir_in(parent),
            None => builder.tempdir(),
        };
        Ok(Self {
            scratch: scratch.context("no scratch directory; choose one with --scratch")?,
            program: env::current_exe()?,
            interrupt,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// A directory of that name, which need not exist.
    pub(super) fn dir(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// This program with other arguments, and nothing set in its environment
    /// that would change them.
    pub(super) fn program(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("LUZHANG_") {
                command.env_remove(name);
            }
        }
        // What is measured is the ledger; the tree over HTTP would only need a port.
        command.env("LUZHANG_WEB", "off");
        command.env("LUZHANG_METRICS", "off");
        command.stdin(Stdio::null());
        command
    }

    /// Makes a ledger with the built-in policy pack.
    pub(super) fn init(&self, dir: &Path) -> Result<()> {
        self.init_with(dir, &[])
    }

    /// The same with more arguments.
    pub(super) fn init_with(&self, dir: &Path, arguments: &[&str]) -> Result<()> {
        let mut command = self.program();
        command
            .arg("init")
            .arg("--data-dir")
            .arg(dir)
            .args(arguments);
        let made = command.output()?;
        if !made.status.success() {
            bail!("luzhang init: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(())
    }

    /// Serves a ledger from a process of its own.
    pub(super) fn serve(&self, dir: &Path) -> Result<Service> {
        self.serve_with(dir, &[])
    }

    /// The same with more arguments.
    pub(super) fn serve_with(&self, dir: &Path, arguments: &[&str]) -> Result<Service> {
        let mut command = self.program();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .args(arguments);
        self.listen("luzhang serve", command)
    }

    /// Starts a process that says where it listens.
    pub(super) fn listen(&self, name: &'static str, mut command: Command) -> Result<Service> {
        let complaints = tempfile::Builder::new()
            .prefix("stderr-")
            .tempfile_in(self.path())?
            .into_temp_path();
        let began = Instant::now();
        let child = command
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&complaints)?)
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let mut process = Process {
            name,
            child,
            farewell: None,
        };
        let stdout = process.child.stdout.take().context("no stdout")?;
        let Some(line) = first_line(stdout) else {
            let said = fs::read_to_string(&complaints).unwrap_or_default();
            bail!("{name} was not ready: {}", said.trim());
        };
        let ready_after = began.elapsed();
        let url = line.trim().strip_prefix("listening ");
        let url = url
            .with_context(|| format!("{name} said: {line}"))?
            .to_owned();
        Ok(Service {
            process,
            url,
            ready_after,
        })
    }
}

/// The first line that a process writes; the rest is read away, so that it
/// never waits for us.
fn first_line(stdout: ChildStdout) -> Option<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        if stdout.read_line(&mut line).is_ok_and(|length| length > 0) {
            // Whoever asked may have lost patience.
            let _late = send.send(line);
        }
        let mut rest = [0; 4096];
        while stdout.read(&mut rest).is_ok_and(|length| length > 0) {}
    });
    receive.recv_timeout(PATIENCE).ok()
}

/// A process that listens.
#[derive(Debug)]
pub(super) struct Service {
    process: Process,
    pub(super) url: String,
    /// From its start until it said that it listens.
    pub(super) ready_after: Duration,
}

impl Service {
    /// Bytes of memory that it holds.
    pub(super) fn resident_bytes(&self) -> Result<u64> {
        resident_bytes(&format!("/proc/{}/status", self.process.child.id()))
    }

    /// Its CPU time.
    pub(super) fn clock(&self) -> CpuClock {
        CpuClock(format!("/proc/{}/stat", self.process.child.id()).into())
    }

    /// Ends it without a word.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.process.child.kill()?;
        self.process.child.wait()?;
        Ok(())
    }

    /// Ends it in order.
    pub(super) fn stop(self) -> Result<()> {
        self.process.end("TERM")
    }
}

/// The CPU time of a process.
#[derive(Debug)]
pub(super) struct CpuClock(PathBuf);

impl CpuClock {
    /// So far, to a hundredth of a second.
    pub(super) fn now(&self) -> Result<Duration> {
        cpu_time_of(&self.0)
    }
}

/// A child process that does not outlive this value.
#[derive(Debug)]
pub(super) struct Process {
    name: &'static str,
    child: Child,
    /// What it is asked with to end before it is killed.
    farewell: Option<&'static str>,
}

impl Process {
    /// One that must be asked first: killed outright it would leave something
    /// behind.
    pub(super) fn with_farewell(name: &'static str, child: Child, signal: &'static str) -> Self {
        Self {
            name,
            child,
            farewell: Some(signal),
        }
    }

    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end and waits until it has.
    fn end(mut self, signal: &str) -> Result<()> {
        let status = self.ask(signal, PATIENCE)?;
        let status = status.with_context(|| format!("{} did not end", self.name))?;
        if !status.success() {
            bail!("{} ended with {status}", self.name);
        }
        Ok(())
    }

    /// Sends a signal and waits a while; `None` if it goes on.
    fn ask(&mut self, signal: &str, patience: Duration) -> Result<Option<ExitStatus>> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(Some(status));
        }
        // The shell's own `kill`: the program of that name is not everywhere.
        let kill = format!("kill -{signal} {}", self.child.id());
        Command::new("sh").arg("-c").arg(kill).status()?;
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(None)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(signal) = self.farewell {
            // What it does not do when asked is done next.
            let _asked = self.ask(signal, Duration::from_secs(10));
        }
        // It may have ended already.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// `VmRSS` of a status file of `/proc`, in bytes.
pub(super) fn resident_bytes(status: &str) -> Result<u64> {
    bytes_of(status, "VmRSS:")
}

/// The most that a process held so far, by its status file: `VmHWM`, in bytes.
pub(super) fn peak_bytes(status: &str) -> Result<u64> {
    bytes_of(status, "VmHWM:")
}

fn bytes_of(status: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(status)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kib: u64 = kib.context("no memory in /proc")?.trim().parse()?;
    Ok(kib * 1024)
}

/// CPU time that this process has used, to a hundredth of a second.
pub(super) fn cpu_time() -> Result<Duration> {
    cpu_time_of(Path::new("/proc/self/stat"))
}

fn cpu_time_of(stat: &Path) -> Result<Duration> {
    let text = fs::read_to_string(stat)?;
    // The second field is the program's name, which may hold anything; after
    // its closing bracket utime and stime are the twelfth and thirteenth.
    let (_, fields) = text.rsplit_once(')').context("no CPU time in /proc")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: Vec<u64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    // Linux counts them in hundredths, whatever the kernel's own clock does.
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}

/// Bytes of all files in a directory.
pub(super) fn bytes_on_disk(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() {
            bytes_on_disk(&entry.path())?
        } else {
            meta.len()
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_says_nothing_is_an_error_with_its_words() {
        let site = Site::new(None, Interrupt::default()).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no room >&2; exit 3"]);
        let error = site.listen("shell", command).unwrap_err().to_string();
        assert_eq!(error, "shell was not ready: no room");
    }

    #[test]
    fn a_service_ends_in_order_or_by_force() {
        let site = Site::new(None, Interrupt::default()).unwrap();
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            site.listen("shell", command).unwrap()
        };
        let wait = "while true; do sleep 0.01; done";
        let orderly = shell(&format!("trap 'exit 0' TERM; echo listening here; {wait}"));
        assert_eq!(orderly.url, "here");
        assert!(orderly.resident_bytes().unwrap() > 0);
        orderly.stop().unwrap();
        let deaf = shell(&format!("trap '' TERM; echo listening here; {wait}"));
        let status = format!("/proc/{}/status", deaf.process.child.id());
        drop(deaf);
        assert!(!Path::new(&status).exists());
    }

    #[test]
    fn cpu_time_grows_with_work() {
        let before = cpu_time().unwrap();
        let mut number = 1_u64;
        while cpu_time().unwrap() == before {
            number = std::hint::black_box(number.wrapping_mul(3));
        }
    }
}
