//! luzhang
mod import;

fn main() {}
