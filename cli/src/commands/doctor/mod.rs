//! `luzhang doctor`: looks at a data directory, also beside the server that uses it,
//! and at a server, as its keeper should, and says of each thing whether it is well,
//! what was seen and what to do.
//!
//! Nothing is changed: one scratch file without a name is written, to measure how long
//! a flush takes.

mod certificates;
mod clock;
mod database;
mod disk;
mod finding;
mod history;
mod keys;
mod ledger;
mod limits;
mod server;

use std::{future::Future, path::PathBuf, pin::Pin, time::Duration};

use jiff::Timestamp;
use luzhang_ledger::{
    log::sled::{Outside, Witness},
    proof::Policy,
};
use luzhang_server::{
    engine::{DatabaseOptions, witnessed},
    tls::Files,
    vault::KekSource,
};
use serde_json::{Map, json};

use self::finding::{Finding, State};
use crate::{
    args::{Global, doctor::DoctorArgs, servers::ServerList},
    failure::{Failure, exit},
    output::{self, Format},
    servers::Named,
    trust::read_policy,
};

/// What is looked at, and with what.
#[derive(Debug)]
pub(crate) struct Patient {
    /// A data directory, and what it says of itself.
    pub(crate) dir: Option<Dir>,
    /// Servers, each to be looked at, and who asks them.
    pub(crate) servers: Vec<Named>,
    pub(crate) principal: Option<String>,
    /// Certificates that a server has.
    pub(crate) tls: Option<Files>,
    /// How its log is found, if that is in a database.
    pub(crate) database: DatabaseOptions,
    /// Who should have cosigned.
    pub(crate) witnesses: Option<Policy>,
    pub(crate) now: Timestamp,
}

/// A data directory.
#[derive(Debug)]
pub(crate) struct Dir {
    pub(crate) path: PathBuf,
    pub(crate) kek: KekSource,
    /// `None` if it is no ledger, which is a finding.
    pub(crate) outside: Option<Outside>,
    /// How far it had come, as far as is known without opening it.
    pub(crate) witness: Option<Witness>,
}

pub(crate) type Looking<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + Send + 'a>>;

/// Looks at one thing. What it is not asked to look at it finds nothing about.
type Check = for<'a> fn(&'a Patient) -> Looking<'a>;

/// All of them, in the order in which they are told. Another one is a line here and
/// its paragraph in the catalogue of codes.
const CHECKS: &[Check] = &[
    |patient| at_once(ledger::look(patient)),
    |patient| at_once(disk::room(patient)),
    |patient| at_once(disk::flush(patient)),
    |patient| Box::pin(clock::look(patient)),
    |patient| at_once(keys::permissions(patient)),
    |patient| at_once(keys::kek(patient)),
    |patient| Box::pin(certificates::look(patient)),
    |patient| at_once(limits::files(patient)),
    |patient| at_once(database::look(patient)),
    |patient| at_once(history::checkpoint(patient)),
    |patient| at_once(history::witnesses(patient)),
    |patient| at_once(history::snapshot(patient)),
    |patient| at_once(history::verified(patient)),
    |patient| at_once(history::backed_up(patient)),
    |patient| Box::pin(server::look(patient)),
];

fn at_once<'a>(findings: Vec<Finding>) -> Looking<'a> {
    Box::pin(std::future::ready(findings))
}

pub(crate) async fn run(global: &Global, args: &DoctorArgs) -> Result<u8, Failure> {
    let patient = patient(global, args)?;
    let mut findings = Vec::new();
    for check in CHECKS {
        findings.extend(check(&patient).await);
    }
    let worst = findings.iter().map(|finding| finding.state).max();
    print(global, args, &findings)?;
    Ok(match worst {
        Some(State::Fail) => exit::ERROR,
        Some(State::Warn) => exit::WARNED,
        Some(State::Ok) | None => exit::OK,
    })
}

fn patient(global: &Global, args: &DoctorArgs) -> Result<Patient, Failure> {
    let dir = global.data_dir.clone().map(|path| {
        let outside = luzhang_ledger::log::sled::look(&path).ok();
        let known = outside.as_ref();
        let witness = known.and_then(|known| witnessed(&path, &known.format).ok());
        global.kek().map(|kek| Dir {
            path,
            kek,
            outside,
            witness,
        })
    });
    let dir = dir.transpose()?;
    let servers = global.server.iter().flat_map(ServerList::iter);
    let servers = servers.map(|url| Named {
        // How it is now is what is asked.
        patience: Duration::ZERO,
        ..global.servers(&ServerList::one(url))
    });
    let servers: Vec<Named> = servers.collect();
    let tls = args.tls.files()?;
    if dir.is_none() && servers.is_empty() && tls.is_none() {
        return Err(Failure::usage(
            "请用 --data-dir DIR、--server URL 或 --tls DIR 指明要检查什么，可以同时给出",
            "say what to look at: --data-dir DIR, --server URL or --tls DIR, or more of them",
        ));
    }
    Ok(Patient {
        dir,
        servers,
        principal: global.principal.clone(),
        tls,
        database: global.database(),
        witnesses: args.witnesses.as_deref().map(read_policy).transpose()?,
        now: Timestamp::now(),
    })
}

fn print(global: &Global, args: &DoctorArgs, findings: &[Finding]) -> Result<(), Failure> {
    let lang = global.lang();
    let format = if args.json {
        Format::Json
    } else {
        global.output
    };
    if format == Format::Table {
        for finding in findings {
            let state = finding.state.shown(lang);
            let seen = finding.seen.pick(lang);
            output::line(&format!("{state}  {}  {seen}", finding.code))?;
            if let Some(remedy) = &finding.remedy {
                output::line(&format!("      → {}", remedy.pick(lang)))?;
            }
        }
        return Ok(());
    }
    let row = |finding: &Finding| {
        let remedy = finding.remedy.clone().unwrap_or_default();
        let seen = &finding.seen;
        [
            finding.code,
            finding.state.name(),
            &seen.zh,
            &seen.en,
            &remedy.zh,
            &remedy.en,
        ]
        .map(str::to_owned)
        .into()
    };
    let columns = [
        "code",
        "state",
        "seen_zh",
        "seen_en",
        "remedy_zh",
        "remedy_en",
    ];
    let rows = findings.iter().map(row).collect();
    let worst = findings.iter().map(|finding| finding.state).max();
    let worst = worst.unwrap_or(State::Ok).name();
    let extra = Map::from_iter([("state".to_owned(), json!(worst))]);
    output::sheet(&columns, &[], rows).print(format, extra)
}
