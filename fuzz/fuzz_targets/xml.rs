//! Answers of AWS as XML: no input makes the reader panic or run on.
#![no_main]

mod quiet;

use vmfa::provision::{self, Limits};

libfuzzer_sys::fuzz_target!(init: quiet::workers(), |text: &str| {
    let _ = provision::read(format!("<{text}").as_bytes(), &Limits { pixels: 1 << 16, ..Limits::default() });
});
