//! Tasks 1 and 2 of the signing process: the canonical request, and the string to sign.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::request::Request;
use super::{ALGORITHM, Error, Scope, Style, TERMINATOR, date, key};
use crate::time::Timestamp;
use crate::wire::{limits, percent};

/// Headers that may be added or changed on the way, and are not signed.
const NEVER_SIGNED: &[&str] = &[
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Parameters of a query string, decoded, in the order in which they were sent.
pub(super) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// What a canonical request is made of.
pub(super) struct Canonical<'a> {
    request: &'a Request<'a>,
    query: &'a Pairs,
    /// The signed headers; those that aren't there are empty.
    names: &'a [String],
    /// Its last line.
    payload: &'a str,
    path: Cow<'a, str>,
}

pub(super) fn pairs(query: &str) -> Result<Pairs, Error> {
    if query.split('&').count() > limits::PARAMETERS {
        return Err(Error::TooLong { what: "number of query parameters", limit: limits::PARAMETERS });
    }
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((percent::decode_form(name)?, percent::decode_form(value)?))
        })
        .collect()
}

/// The names that a signer signs: all that are there but those that proxies change, in order, each once.
pub(super) fn signable(request: &Request<'_>) -> Vec<String> {
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.retain(|name| !NEVER_SIGNED.contains(&name.as_str()));
    names.sort_unstable();
    names.dedup();
    names
}

impl<'a> Canonical<'a> {
    pub(super) fn new(
        request: &'a Request<'a>,
        query: &'a Pairs,
        names: &'a [String],
        payload: &'a str,
        style: Style,
    ) -> Result<Self, Error> {
        Ok(Self { request, query, names, payload, path: path(request.path, style)? })
    }

    /// What is hashed.
    pub(super) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let headers = self.request.headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        let room = headers.chain([self.path.len(), self.request.query.len(), 256]).fold(0, usize::saturating_add);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        self.write(&mut bytes, false);
        bytes
    }

    /// The same as text, session tokens left out.
    pub(super) fn shown(&self) -> String {
        let mut bytes = Vec::new();
        self.write(&mut bytes, true);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn write(&self, out: &mut Vec<u8>, shown: bool) {
        for part in [self.request.method, &self.path, &query_text(self.query, shown)] {
            out.extend_from_slice(part.as_bytes());
            out.push(b'\n');
        }
        for name in self.names {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            if shown && is_token(name.as_bytes()) {
                out.extend_from_slice("…".as_bytes());
            } else {
                write_value(out, self.request, name);
            }
            out.push(b'\n');
        }
        out.push(b'\n');
        for (index, name) in self.names.iter().enumerate() {
            if index > 0 {
                out.push(b';');
            }
            out.extend_from_slice(name.as_bytes());
        }
        out.push(b'\n');
        out.extend_from_slice(self.payload.as_bytes());
    }
}

pub(super) fn string_to_sign(canonical: &Canonical<'_>, time: Timestamp, scope: &Scope) -> String {
    let hash = key::hex(&Sha256::digest(&*canonical.bytes()).into());
    [
        [ALGORITHM, &date::basic(time)].join("\n"),
        [&scope.date, &scope.region, &scope.service, TERMINATOR].join("/"),
        hash,
    ]
    .join("\n")
}

/// Encoded, then sorted by name and value.
fn query_text(pairs: &Pairs, shown: bool) -> String {
    let mut parts: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| {
            let hidden = shown && is_hidden(name);
            (percent::encode(name), if hidden { "…".to_owned() } else { percent::encode(value) })
        })
        .collect();
    parts.sort_unstable();
    let parts: Vec<String> = parts.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join("&")
}

/// Whether a parameter's value isn't shown: codes, passwords and tokens, by their names.
fn is_hidden(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    ["password", "code", "token", "secret", "seed"].iter().any(|word| name.contains(word))
}

/// A session token, as header or parameter, in upper or lower case.
fn is_token(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"x-amz-security-token")
}

/// Writes all values of a header, joined by commas, each trimmed, with runs of white space as one space.
fn write_value(out: &mut Vec<u8>, request: &Request<'_>, name: &str) {
    for (index, value) in request.headers.all(name).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
}

fn path(path: &str, style: Style) -> Result<Cow<'_, str>, Error> {
    if matches!(path, "" | "/") {
        return Ok("/".into());
    }
    let text = match style {
        Style::Standard => percent::encode_path(normalized(path).as_bytes()),
        Style::S3 => percent::encode_path(&percent::decode(path).map_err(Error::PathEscape)?),
    };
    Ok(if text.is_empty() { "/".into() } else { text.into() })
}

/// RFC 3986, section 5.2.4, and no empty segments but a last one.
fn normalized(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_normalized_and_encoded_once_more_except_for_s3() {
        for (sent, standard, s3) in [
            ("", "/", "/"),
            ("/", "/", "/"),
            ("//a/./b/../c//", "/a/c/", "//a/./b/../c//"),
            ("/../../a", "/a", "/../../a"),
            ("/a/..", "/", "/a/.."),
            ("/a%20b", "/a%2520b", "/a%20b"),
            ("/a b:ሴ", "/a%20b%3A%E1%88%B4", "/a%20b%3A%E1%88%B4"),
            ("/%7ea+b", "/%257ea%2Bb", "/~a%2Bb"),
        ] {
            assert_eq!(path(sent, Style::Standard).unwrap(), standard, "{sent}");
            assert_eq!(path(sent, Style::S3).unwrap(), s3, "{sent}");
        }
        assert!(matches!(path("/%", Style::S3), Err(Error::PathEscape(_))));
        assert_eq!(path("/%", Style::Standard).unwrap(), "/%25");
    }

    #[test]
    fn a_query_is_sorted_by_encoded_name_and_value() {
        let pairs = pairs("b=2&b=1&a-=x&a=%3d&ሴ&&c+d=%2B").unwrap();
        assert_eq!(query_text(&pairs, false), "%E1%88%B4=&a=%3D&a-=x&b=1&b=2&c%20d=%2B");
        assert!(matches!(super::pairs("a=%g0"), Err(Error::Escape(_))));
    }
}
