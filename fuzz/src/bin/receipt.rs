//! See `luzhang_fuzz::receipt`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::receipt(bytes));
