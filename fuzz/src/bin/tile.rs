//! See `luzhang_fuzz::tile`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::tile(bytes));
