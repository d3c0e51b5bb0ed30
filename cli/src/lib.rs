//! `luzhang`: all of the one binary but the call of [`main`], so that what reads
//! files from outside can be fuzzed (`fuzz/`).

mod args;
mod bench;
mod blocks;
mod client;
mod commands;
mod dev;
mod failure;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod import;
mod lang;
mod logging;
mod message;
mod output;
mod payment;
mod place;
mod process;
mod report;
mod servers;
mod source;
mod tiles;
mod transport;
mod trust;

use std::process::ExitCode;

use crate::{
    args::{Cli, Command},
    failure::{Failure, exit},
};

/// Reads the command line, runs its command, and says how it ended.
pub fn main() -> ExitCode {
    process::keep_to_itself();
    let cli = Cli::parse_arguments();
    let lang = cli.global.lang();
    match run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            crate::output::note!("{}", failure.text(lang));
            ExitCode::from(failure.exit)
        }
    }
}

fn run(cli: Cli) -> Result<u8, Failure> {
    let global = cli.global;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let traces = {
        // What goes to a collector goes through it.
        let _within = runtime.enter();
        logging::begin(global.log_format)?
    };
    // What a server does on behalf of a command belongs to it. A server itself goes on.
    let is_server = matches!(cli.command, Command::Serve(_) | Command::Witness(_));
    let command = logging::command(&cli.name);
    let within = (!is_server).then(|| command.enter());
    let ended = match cli.command {
        Command::Init(args) => commands::init::run(&global, &args),
        Command::Join(args) => commands::join::run(&global, &args),
        Command::Serve(args) => runtime.block_on(commands::serve::run(&global, &args)),
        Command::Cert(command) => runtime.block_on(commands::cert::run(&global, &command)),
        Command::Submit(args) => runtime.block_on(commands::submit::run(&global, &args)),
        Command::Import(args) => runtime.block_on(commands::import::run(&global, &args)),
        Command::Event(command) => runtime.block_on(commands::event::run(&global, &command)),
        Command::Subject(command) => runtime.block_on(commands::subject::run(&global, &command)),
        Command::Explain(args) => runtime.block_on(commands::explain::run(&global, &args)),
        Command::Principal(command) => {
            runtime.block_on(commands::principal::run(&global, &command))
        }
        Command::Policy(command) => runtime.block_on(commands::policy::run(&global, &command)),
        Command::Audit(command) => runtime.block_on(commands::audit::run(&global, &command)),
        Command::Checkpoint(command) => {
            runtime.block_on(commands::checkpoint::run(&global, &command))
        }
        Command::Proof(command) => runtime.block_on(commands::proof::run(&global, &command)),
        Command::Tiles(command) => runtime.block_on(commands::tiles::run(&global, &command)),
        Command::Witness(command) => runtime.block_on(commands::witness::run(&global, &command)),
        Command::Log(command) => commands::log::run(&global, &command),
        Command::Backup(args) => runtime.block_on(commands::backup::run(&global, &args)),
        Command::Restore(args) => commands::backup::restore::run(&global, &args),
        Command::Simulate(args) => runtime.block_on(commands::simulate::run(&global, &args)),
        Command::Rebuild { file } => {
            runtime.block_on(commands::rebuild::run(&global, file.as_deref()))
        }
        Command::Projection(command) => {
            runtime.block_on(commands::projection::run(&global, &command))
        }
        Command::Report(command) => runtime.block_on(commands::report::run(&global, &command)),
        Command::Case(command) => runtime.block_on(commands::case::run(&global, &command)),
        Command::Notice(command) => runtime.block_on(commands::notice::run(&global, &command)),
        Command::Payment(command) => runtime.block_on(commands::payment::run(&global, &command)),
        Command::Conflict(command) => {
            runtime.block_on(commands::case::conflicts(&global, &command))
        }
        Command::Recovery(command) => runtime.block_on(commands::recovery::run(&global, &command)),
        Command::Keys(command) => commands::keys::run(&global, &command),
        Command::Doctor(args) => runtime.block_on(commands::doctor::run(&global, &args)),
        Command::Bench(args) => bench::run(&args, global.output)
            .map(|()| exit::OK)
            .map_err(Failure::from),
        Command::Demo(args) => runtime.block_on(commands::demo::run(&global, &args)),
        Command::Completion { shell } => commands::shell::completion(shell),
        Command::Man { dir } => commands::shell::man(&dir),
    };
    // A follower of a remote stream may still wait; the answer is complete.
    drop(within);
    drop(command);
    traces.end();
    runtime.shutdown_background();
    ended
}
