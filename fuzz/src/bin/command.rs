//! See `luzhang_fuzz::command`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::command(bytes));
