//! `luzhang`: the one binary.

use std::process::ExitCode;

/// A command is made on one thread and dropped on another, thousands of times a second:
/// what the usual allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    luzhang::main()
}
