//! See `luzhang_fuzz::proof::checkpoint`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::proof::checkpoint(bytes));
