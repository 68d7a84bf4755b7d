#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gb_fuzz::archive(input));
