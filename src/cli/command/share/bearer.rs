//! The text of access tokens (RFC 6750).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::cli::error::{Error, Kind, Result};

/// What all begin with, so that scanners for leaked secrets know them.
const PREFIX: &str = "vmfa_";

/// The longest that is looked at.
const LONGEST: usize = 256;

/// A new one: 256 random bits.
pub(super) fn new() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    let filled = getrandom::fill(&mut *bytes);
    filled
        .map_err(|error| Error::new(Kind::Storage, "random", format!("the system has no random numbers: {error}")))?;
    let mut text = Zeroizing::new(String::with_capacity(64));
    text.push_str(PREFIX);
    BASE64_URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
    Ok(text)
}

/// What is kept of one. It has so many random bits that a slow hash adds nothing.
pub(super) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The token of an `Authorization` header; none where it has another form.
pub(super) fn of_header(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    let is_token = token.starts_with(PREFIX) && token.len() <= LONGEST;
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then_some(token)
}
