//! Data URIs (RFC 2397).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use super::foreign::starts_with;
use super::{Error, formats, payloads, tidy};

/// What a data URI begins with.
pub(super) const SCHEME: &str = "data:";

/// The bytes of a data URI, base64 with or without its padding; `None` where the text is no such thing.
pub(super) fn read(text: &str) -> Option<Result<Zeroizing<Vec<u8>>, Error>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    if !starts_with(text, SCHEME) {
        return None;
    }
    let unreadable = |what| Some(Err(Error::WrongKind { what }));
    let Some((kind, data)) = text.split_once(',') else { return unreadable("a data URI without data") };
    let bytes = Zeroizing::new(percent_decode(data.as_bytes()).collect::<Vec<u8>>());
    let kind = kind.to_ascii_lowercase();
    if kind.trim_end().ends_with(";base64") {
        return match LENIENT.decode(tidy::dense(&bytes).as_slice()) {
            Ok(bytes) => Some(Ok(Zeroizing::new(bytes))),
            Err(_) => unreadable("a data URI without readable base64"),
        };
    }
    if kind.starts_with("data:image/") && !payloads::is_image(&bytes) && formats::kind(&bytes).is_none() {
        return unreadable("a data URI whose data is not an image");
    }
    Some(Ok(bytes))
}
