//! How long one who behaves waits, alone and in bad company.
//!
//! Quiet and hostile take turns, so that a slow machine is slow for both. A machine
//! that others use may disturb any turn: the crowd has failed to do harm if it fails
//! in one of them, and has done harm only if it does so in all.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::{
    clerk::Clerk,
    crowd::{Answers, Batches, Crowd, Harm, Kind},
    support::{Ledger, Server},
};

/// Requests that are timed in a turn, at least.
const SAMPLES: usize = 300;
/// How long a crowd may take to do enough.
const PATIENCE: Duration = Duration::from_mins(1);
/// Turns at most.
const TURNS: usize = 4;
/// How many times as long as in quiet a request may take.
const TIMES: u32 = 3;
/// What nobody would notice is not asked about. Unoptimised, one message of 5,000
/// commands is read and written in a time that would be noticed otherwise, and the
/// processors may be shared with others.
const UNNOTICED: Duration = Duration::from_millis(if cfg!(debug_assertions) { 50 } else { 10 });
/// What the server may hold in memory, whatever comes.
const MEMORY: u64 = 400 * 1024 * 1024;
/// And for each event that it recorded.
const EACH: u64 = 1_024;

const CROWDS: [(&str, Harm); 6] = [
    ("stalled connections", Harm::Stall { connections: 1_000 }),
    ("garbage", Harm::Garbage),
    ("valid batches", streams(Kind::Valid, Answers::Read)),
    (
        "valid batches, answers unread",
        streams(Kind::Valid, Answers::Unread),
    ),
    ("invalid batches", streams(Kind::Invalid, Answers::Read)),
    (
        "invalid batches, answers unread",
        streams(Kind::Invalid, Answers::Unread),
    ),
];

const fn streams(kind: Kind, answers: Answers) -> Harm {
    Harm::Stream(Batches { kind, answers })
}

#[test]
fn who_behaves_waits_no_longer_because_of_those_who_do_not() {
    let files = more_files();
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut clerk = runtime.block_on(Clerk::new(server.url()));
    let mut harmed = Vec::new();
    for (name, harm) in CROWDS {
        let harm = match harm {
            // Both ends are files, and one is ours.
            Harm::Stall { connections } => Harm::Stall {
                connections: connections.min(files.saturating_sub(100)),
            },
            harm => harm,
        };
        let mut unharmed = false;
        for turn in 1..=TURNS {
            // What an earlier crowd has left behind is not quiet.
            p99(&runtime, &mut clerk);
            let quiet = p99(&runtime, &mut clerk);
            let crowd = Crowd::gather(server.url(), harm);
            let (before, began) = (crowd.done(), Instant::now());
            let mut times = Vec::new();
            while times.len() < SAMPLES || crowd.done() - before < crowd.enough() {
                times.extend(runtime.block_on(clerk.work(20)));
                assert!(began.elapsed() < PATIENCE, "{name}: the crowd does nothing");
            }
            let hostile = share(times);
            let done = crowd.done() - before;
            drop(crowd);
            unharmed = hostile <= (quiet * TIMES).max(UNNOTICED);
            println!(
                "{name}, turn {turn}: p99 {quiet:.1?} in quiet, {hostile:.1?} beside {done} more, \
                 {} MiB",
                memory(&server, "VmRSS:") >> 20,
            );
            if unharmed {
                break;
            }
        }
        if !unharmed {
            harmed.push(name);
        }
        let peak = memory(&server, "VmHWM:");
        let most = MEMORY + clerk.newest() * EACH;
        assert!(peak < most, "{name}: {} MiB", peak >> 20);
    }
    assert!(harmed.is_empty(), "p99 suffered from {harmed:?}");
    runtime.block_on(clerk.check());
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    ledger.target().run(["audit", "verify"]).ended(0);
}

fn p99(runtime: &Runtime, clerk: &mut Clerk) -> Duration {
    share(runtime.block_on(clerk.work(SAMPLES)))
}

/// What 99 of a hundred stay below.
fn share(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

/// A line of the server's own account of its memory, in bytes.
///
/// Source: proc(5), `/proc/pid/status`.
fn memory(server: &Server, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix(line)).unwrap();
    let kib: u64 = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    kib * 1024
}

/// Lets this process and its children have as many files as they may: how many.
fn more_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum.or(Some(1 << 20)),
        maximum: limit.maximum,
    };
    // What is not allowed is done with less.
    let raised = setrlimit(Resource::Nofile, raised).map_or(limit.current, |()| raised.current);
    usize::try_from(raised.unwrap_or(1 << 20)).unwrap_or(usize::MAX)
}
