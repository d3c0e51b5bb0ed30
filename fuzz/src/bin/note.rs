//! See `luzhang_fuzz::note`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::note(bytes));
