//! Certificates to trust in place of the web's own: a PEM file that somebody named.

use std::io::Read as _;
use std::path::Path;

use super::error::{Error, Kind, Result};

/// A file of certificates; a system's own has some 200 KiB.
pub(super) fn read_roots(path: &Path) -> Result<Vec<u8>> {
    const LARGEST: u64 = 8 << 20;
    let failed =
        |reason: String| Error::new(Kind::Usage, "ca-bundle", format!("the CA bundle {}: {reason}", path.display()));
    let mut bytes = Vec::new();
    let file = crate::file::open(path, crate::file::Streams::Taken).map_err(|error| failed(error.to_string()))?;
    file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(failed(format!("is larger than {LARGEST} bytes")));
    }
    Ok(bytes)
}
