//! See `luzhang_fuzz::proof::request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::proof::request(bytes));
