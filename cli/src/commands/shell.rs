//! `luzhang completion` and `luzhang man`.

use std::{fs, path::Path};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    args::Cli,
    failure::{Failure, exit},
    output,
};

pub(crate) fn completion(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "luzhang", &mut script);
    output::bytes(&script)?;
    Ok(exit::OK)
}

pub(crate) fn man(dir: &Path) -> Result<u8, Failure> {
    fs::create_dir_all(dir).map_err(|error| Failure::file(dir, &error))?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(|error| Failure::file(dir, &error))?;
    Ok(exit::OK)
}
