//! `luzhang completion` and `luzhang man`.

use std::{fs, io, path::Path};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    args::Cli,
    failure::{Failure, exit},
};

pub(crate) fn completion(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "luzhang", &mut script);
    match io::Write::write_all(&mut io::stdout().lock(), &script) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit::OK),
        written => written.map(|()| exit::OK).map_err(Failure::from),
    }
}

pub(crate) fn man(dir: &Path) -> Result<u8, Failure> {
    fs::create_dir_all(dir).map_err(|error| Failure::file(dir, &error))?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(|error| Failure::file(dir, &error))?;
    Ok(exit::OK)
}
