#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::foreign::sign_ins::check(data));
