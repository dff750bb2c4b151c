//! Any bytes: no source makes the reader panic or run on.
#![no_main]

mod quiet;

use vmfa::provision::{self, Limits};

libfuzzer_sys::fuzz_target!(init: quiet::workers(), |bytes: &[u8]| {
    let _ = provision::read(bytes, &Limits { pixels: 1 << 16, ..Limits::default() });
});
