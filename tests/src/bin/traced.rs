//! The program with the feature `otel`, for `tests/traces.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    luzhang::main()
}
