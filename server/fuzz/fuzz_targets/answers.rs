#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::foreign::answers::check(data));
