//! Tasks 1 and 2 of the signing process: the canonical request, and the string to sign.

use sha2::{Digest as _, Sha256};

use super::request::Request;
use super::{ALGORITHM, Error, Scope, Style, date, key};
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

/// A canonical request, and what of it may be shown.
pub(super) struct Canonical {
    /// What is hashed.
    pub(super) bytes: Vec<u8>,
    /// The same as text, session tokens left out.
    pub(super) shown: String,
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

/// The canonical request; `names` are the signed headers, `payload` its last line. Headers that aren't there are empty.
pub(super) fn canonical(
    request: &Request<'_>,
    query: &Pairs,
    names: &[String],
    payload: &str,
    style: Style,
) -> Result<Canonical, Error> {
    let path = path(request.path, style)?;
    let mut headers = Vec::new();
    let mut shown_headers = String::new();
    for name in names {
        let value = header_value(request, name);
        headers.extend_from_slice(name.as_bytes());
        headers.push(b':');
        headers.extend_from_slice(&value);
        headers.push(b'\n');
        let shown = if is_token(name.as_bytes()) { "…".into() } else { String::from_utf8_lossy(&value) };
        shown_headers.extend([name.as_str(), ":", &shown, "\n"]);
    }
    let method = request.method;
    let names = names.join(";");
    let before = |query: &str| format!("{method}\n{path}\n{query}\n");
    let after = format!("\n{names}\n{payload}");
    let bytes = [before(&query_text(query, false)).as_bytes(), &headers, after.as_bytes()].concat();
    let shown = [before(&query_text(query, true)), shown_headers, after].concat();
    Ok(Canonical { bytes, shown })
}

pub(super) fn string_to_sign(canonical: &Canonical, time: Timestamp, scope: &Scope) -> String {
    let hash = key::hex(&Sha256::digest(&canonical.bytes));
    format!("{ALGORITHM}\n{}\n{scope}\n{hash}", date::basic(time))
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

/// All values of a header, joined by commas, each trimmed, with runs of white space as one space.
fn header_value(request: &Request<'_>, name: &str) -> Vec<u8> {
    let values: Vec<Vec<u8>> = request
        .headers
        .all(name)
        .map(|value| {
            let words: Vec<&[u8]> = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
            words.join(&b' ')
        })
        .collect();
    values.join(&b',')
}

fn path(path: &str, style: Style) -> Result<String, Error> {
    let text = match style {
        Style::Standard => percent::encode_path(normalized(path).as_bytes()),
        Style::S3 => percent::encode_path(&percent::decode(path).map_err(Error::PathEscape)?),
    };
    Ok(if text.is_empty() { "/".to_owned() } else { text })
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
