//! Other authenticators' exports: no input makes an importer panic or run on.
#![no_main]

use vmfa::exchange;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = exchange::read(bytes);
});
