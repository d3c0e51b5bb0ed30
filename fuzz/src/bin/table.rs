//! See `luzhang_fuzz::table`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::table(bytes));
