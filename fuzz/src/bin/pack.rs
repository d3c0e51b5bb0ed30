//! See `luzhang_fuzz::log::pack`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::log::pack(bytes));
