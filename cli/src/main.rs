//! `luzhang`: the one binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Commands and their outcomes are made on one thread and dropped on another, which the
/// system's allocator makes dear: a tenth of what a streamed claim takes.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    luzhang::main()
}
