//! Requests of AWS clients: no bytes make the readers of signatures, parameters, answers and policies panic or run on.
#![no_main]

use vmfa::policy::{Document, Kind};
use vmfa::wire::query::Parameters;
use vmfa::wire::sigv4::{Presented, Request};
use vmfa::wire::xml::Failure;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Parameters::parse(bytes);
    let _ = Failure::read(bytes);
    let Ok(text) = str::from_utf8(bytes) else { return };
    for kind in [Kind::Identity, Kind::Trust] {
        let _ = Document::parse(text, kind);
    }
    // A head: method, path and query, then headers.
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (method, path, query) = (word(), word(), word());
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let request = Request { method, path, query, headers: headers.iter().map(|(name, value)| (name, value)).collect() };
    let _ = Presented::read(&request);
});
