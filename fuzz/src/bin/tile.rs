//! See `luzhang_fuzz::proof::tile`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::proof::tile(bytes));
