//! `luzhang`: the one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    luzhang::main()
}
