//! One otpauth URI a line, as the key URI format has them: what most authenticators read.

use zeroize::Zeroizing;

use crate::exchange::exporter::{Encryption, Exporter, Request};
use crate::exchange::{Entry, Error};
use crate::provision::uri;

pub(super) const EXPORTER: Exporter =
    Exporter { id: "uris", title: "a list of otpauth URIs", encryption: Encryption::Never, write };

fn write(entries: &[Entry], _request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let lines: Vec<Zeroizing<String>> = entries.iter().map(|entry| uri::format(&entry.enrolment)).collect();
    let room = lines.iter().map(|line| line.len().saturating_add(1)).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    for line in &lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
    }
    Ok(bytes)
}
