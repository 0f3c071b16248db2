#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| fuzz::foreign::clusters::check(data));

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    // the other half by libFuzzer, which knows what is compared with what
    let text = std::str::from_utf8(&data[..size]).ok().filter(|_| seed % 2 == 0);
    match text.and_then(|text| fuzz::json::changed(text, seed)) {
        Some(text) if text.len() <= most => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => fuzzer_mutate(data, size, most),
    }
});
