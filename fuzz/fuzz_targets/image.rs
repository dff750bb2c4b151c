//! Images: no bytes make the decoders panic, run on, or take more memory than the limits allow.
#![no_main]

mod quiet;

use vmfa::provision::{Limits, qr};

libfuzzer_sys::fuzz_target!(init: quiet::workers(), |bytes: &[u8]| {
    let _ = qr::payloads(bytes, &Limits { pixels: 1 << 16, ..Limits::default() });
});
