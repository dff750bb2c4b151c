//! Key files, as keepass.info/help/base/keys.html has them: XML of version 1 and 2, 32 bytes, 64 hexadecimal digits, or any
//! file, by its hash.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::exchange::element::{self, Element};
use crate::exchange::{Error, encoding};

/// The key that a file holds.
///
/// # Errors
///
/// [`Error::Damaged`] for an XML file without its key, or whose key fails its check.
pub(super) fn key(file: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
    if let Some(text) = std::str::from_utf8(file).ok().filter(|text| is_xml(text)) {
        return of_xml(text);
    }
    if let Ok(key) = file.try_into() {
        return Ok(Zeroizing::new(key));
    }
    let digits = std::str::from_utf8(file).ok().filter(|text| text.len() == 64).and_then(encoding::hex);
    if let Some(key) = digits.and_then(|key| key.as_slice().try_into().ok()) {
        return Ok(Zeroizing::new(key));
    }
    Ok(Zeroizing::new(Sha256::digest(file).into()))
}

/// Whether a file is one that KeePass writes as XML, and not some file that happens to be XML.
fn is_xml(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<') && text.contains("<KeyFile")
}

fn of_xml(text: &str) -> Result<Zeroizing<[u8; 32]>, Error> {
    let damaged = || Error::damaged("the key file is not valid");
    let file = element::each(text.trim_start_matches('\u{feff}'), "", |_| Ok(()))?;
    let data: &Element = file.find(&["Key", "Data"]).ok_or_else(damaged)?;
    let written = data.text().ok_or_else(damaged)?;
    let version = file.text_at(&["Meta", "Version"]).unwrap_or_default();
    let key = if version.starts_with("2.") { encoding::hex(written) } else { encoding::base64(written) };
    let key: [u8; 32] = key.and_then(|key| key.as_slice().try_into().ok()).ok_or_else(damaged)?;
    let key = Zeroizing::new(key);
    // Version 2 has the first four bytes of the key's hash beside it.
    if let Some(told) = data.attribute("Hash") {
        let hash = Sha256::digest(key.as_slice());
        if encoding::hex(told).is_none_or(|told| !hash.starts_with(&told)) {
            return Err(Error::damaged("the key file fails its check"));
        }
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_key_file_gives_its_key() {
        let key = [0x5a_u8; 32];
        let hex = "5a".repeat(32);
        let xml = |version: &str, data: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<KeyFile><Meta><Version>{version}</Version></Meta><Key>{data}</Key></KeyFile>"
            )
        };
        let old = xml("1.00", "<Data>WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=</Data>");
        let hash = Sha256::digest(key)[..4].iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"));
        let new = xml("2.0", &format!("<Data Hash=\"{hash}\">\n  {} {}\n</Data>", &hex[..32], &hex[32..]));
        for file in [&key[..], hex.as_bytes(), old.as_bytes(), new.as_bytes()] {
            assert_eq!(*super::key(file).unwrap(), key, "{}", String::from_utf8_lossy(file));
        }
        let other = b"any file";
        assert_eq!(super::key(other).unwrap().as_slice(), Sha256::digest(other).as_slice());
        for bad in [new.replace(&hash, "00000000"), xml("2.0", "<Data>5a5a</Data>"), xml("1.00", "")] {
            assert!(matches!(super::key(bad.as_bytes()), Err(Error::Damaged { .. })), "{bad}");
        }
    }
}
