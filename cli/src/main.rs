//! luzhang
fn main() {}
