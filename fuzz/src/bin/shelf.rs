//! See `luzhang_fuzz::log::shelf`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| luzhang_fuzz::log::shelf(bytes));
