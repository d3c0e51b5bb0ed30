//! See `luzhang_fuzz::checkpoint`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::checkpoint(bytes));
