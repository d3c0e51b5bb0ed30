//! See `luzhang_fuzz::results`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::results(bytes));
