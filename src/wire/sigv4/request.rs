use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Error, key};
use crate::wire::limits;

/// The payload of a request whose body isn't signed.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// What the payload of a request begins with whose body is signed in chunks.
const STREAMING: &str = "STREAMING-";

/// A request as it is on the wire, borrowed.
#[derive(Clone)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The path as it was sent, escapes and all.
    pub path: &'a str,
    /// The query string as it was sent, without the question mark.
    pub query: &'a str,
    /// The headers in the order in which they were sent; with HTTP/2 `:authority` goes in as `host`.
    pub headers: Headers<'a>,
}

/// Headers: names in any case, values as bytes, the same name as often as it was sent.
///
/// Collected from pairs of references, which the header maps of HTTP crates and lists of strings alike give.
#[derive(Clone, Default)]
pub struct Headers<'a>(Vec<(&'a str, &'a [u8])>);

/// The body of a request, as far as a signature is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// The body itself.
    Bytes(&'a [u8]),
    /// Its SHA-256 hash.
    Hash([u8; 32]),
    /// The signature doesn't cover it.
    Unsigned,
}

impl<'a, N: AsRef<str> + ?Sized, V: AsRef<[u8]> + ?Sized> FromIterator<(&'a N, &'a V)> for Headers<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a N, &'a V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect())
    }
}

impl<'a> Headers<'a> {
    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.0.iter().copied()
    }

    /// The values of a name, in the order in which they were sent.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'_, 'a, 'n> {
        self.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The first value of a name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }
}

impl Request<'_> {
    /// Whether the request stays within the [`limits`], which everything else relies on.
    pub(super) fn check(&self) -> Result<(), Error> {
        let bytes = self
            .headers
            .iter()
            .fold(0_usize, |sum, (name, value)| sum.saturating_add(name.len()).saturating_add(value.len()));
        for (what, length, limit) in [
            ("method", self.method.len(), limits::METHOD),
            ("path", self.path.len(), limits::PATH),
            ("query string", self.query.len(), limits::BYTES),
            ("number of headers", self.headers.0.len(), limits::HEADERS),
            ("headers", bytes, limits::HEADER_BYTES),
        ] {
            if length > limit {
                return Err(Error::TooLong { what, limit });
            }
        }
        Ok(())
    }
}

impl Payload<'_> {
    /// The last line of a canonical request.
    pub(super) fn text(self) -> String {
        match self {
            Self::Bytes(body) => key::hex(&Sha256::digest(body).into()),
            Self::Hash(hash) => key::hex(&hash),
            Self::Unsigned => UNSIGNED.to_owned(),
        }
    }
}

/// Whether the value of an `x-amz-content-sha256` says that the body is signed in chunks.
pub(super) fn is_streaming(value: &[u8]) -> bool {
    value.starts_with(STREAMING.as_bytes())
}

impl fmt::Debug for Request<'_> {
    /// Without query and header values, which may hold session tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Headers<'_> {
    /// The names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl fmt::Debug for Payload<'_> {
    /// Without the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(body) => write!(f, "Bytes({})", body.len()),
            Self::Hash(hash) => write!(f, "Hash({})", key::hex(hash)),
            Self::Unsigned => f.write_str("Unsigned"),
        }
    }
}
