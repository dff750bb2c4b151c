//! The request that is passed on, rewritten: only what was read is in it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::input::{Objection, pairs};
use super::read::Rewrite;
use crate::serve::host;
use crate::serve::message::Request;
use crate::wire::sigv4::Presented;

/// Bytes of a body once it is unpacked.
const BODY: u64 = 33_554_432;

/// RFC 3986's unreserved characters stay as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Those of a key, whose slashes stay.
const KEY: &AsciiSet = &ENCODED.remove(b'/');

/// Headers that mean something to a service. All others may mean something to the server behind, and stay here.
const PASSED: &[&str] = &[
    "accept",
    "accept-encoding",
    "allow-revert",
    "application-id",
    "authentication",
    "cache-control",
    "client-token",
    "configuration-profile-id",
    "configuration-version",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-range",
    "content-type",
    "description",
    "domain-id",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "instance-id",
    "latest-version-number",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "range",
    "responsecontenttype",
    "smithy-protocol",
    "staging",
    "traceparent",
    "tracestate",
    "user-agent",
    "version-label",
    "versionlabel",
];

/// Beginnings of such headers.
const PASSED_BELOW: &[&str] = &["x-amz-", "x-amzn-", "amz-"];

/// Undoes the packing of a body whose parameters are to be read.
///
/// # Errors
///
/// One that isn't packed as it says, or too large.
pub(super) fn unpack(service: &str, request: &mut Request) -> Result<(), Objection> {
    let Some(encoding) = request.header("content-encoding").filter(|_| service != "s3") else { return Ok(()) };
    if !encoding.eq_ignore_ascii_case("gzip") {
        return Err(Objection("the content encoding isn't gzip"));
    }
    let mut body = Zeroizing::new(Vec::new());
    let read = GzDecoder::new(&request.body[..]).take(BODY.saturating_add(1)).read_to_end(&mut body);
    if read.is_err() || u64::try_from(body.len()).map_or(true, |length| length > BODY) {
        return Err(Objection("the body can't be unpacked"));
    }
    request.body = body;
    request.headers.retain(|(name, _)| name != "content-encoding");
    Ok(())
}

/// Who signed for where: what servers tell service, region and account from.
pub(super) fn authorization(presented: &Presented) -> String {
    let scope = presented.scope();
    let signature = "0".repeat(64);
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}",
        presented.access_key_id(),
        scope.date,
        scope.region,
        scope.service
    )
}

pub(super) fn write(rewrite: &Rewrite, authorization: &str, mut request: Request) -> Request {
    request.headers.retain(|(name, value)| {
        let passed = PASSED.contains(&name.as_str()) || PASSED_BELOW.iter().any(|start| name.starts_with(start));
        // moto takes the region from there before it looks at the signature.
        passed && !(name == "user-agent" && value.windows(7).any(|part| part == b"region/"))
    });
    straighten_host(&mut request);
    request.headers.push(("authorization".to_owned(), authorization.as_bytes().to_vec()));
    match rewrite {
        Rewrite::AsItCame => {}
        Rewrite::Json => {
            // An ampersand is only ever within a text, where it may be written so: then nobody takes the body for a form.
            if request.body.contains(&b'&') {
                let parts: Vec<&[u8]> = request.body.split(|byte| *byte == b'&').collect();
                request.body = Zeroizing::new(parts.join(&b"\\u0026"[..]));
            }
            if request.body.is_empty() {
                request.body = Zeroizing::new(b"{}".to_vec());
            }
        }
        Rewrite::Form(parameters) => {
            let form = encoded(parameters);
            if request.query.is_empty() {
                request.body = Zeroizing::new(form.into_bytes());
            } else {
                request.query = form;
            }
            return request;
        }
        Rewrite::S3(path) => {
            path.clone_into(&mut request.path);
        }
    }
    // What was signed is signed no more; the rest is what was read.
    let query = pairs(request.query.as_bytes()).unwrap_or_default();
    let query: Vec<_> = query.into_iter().filter(|(name, _)| !name.starts_with("X-Amz-")).collect();
    request.query = encoded(&query);
    request
}

fn encoded(parameters: &[(String, String)]) -> String {
    let parts = parameters.iter().map(|(name, value)| {
        let (name, value) = (utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED));
        format!("{name}={value}")
    });
    parts.collect::<Vec<_>>().join("&")
}

/// The path of a bucket or an object.
pub(super) fn path(bucket: Option<&str>, key: Option<&str>) -> String {
    let Some(bucket) = bucket else { return "/".to_owned() };
    let bucket = utf8_percent_encode(bucket, ENCODED);
    match key {
        Some(key) => format!("/{bucket}/{}", utf8_percent_encode(key, KEY)),
        None => format!("/{bucket}"),
    }
}

/// Takes what stands in front of the host's name: a bucket stands in the path now, and a service in the signature.
fn straighten_host(request: &mut Request) {
    let host = request.header("host").unwrap_or_default();
    if let Some((_, port)) = host::in_front(host) {
        let straight = if port.is_empty() { "localhost".to_owned() } else { format!("localhost:{port}") };
        if let Some((_, value)) = request.headers.iter_mut().find(|(name, _)| name == "host") {
            *value = straight.into_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str, headers: &[(&str, &str)], body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
            peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        }
    }

    #[test]
    fn only_headers_of_services_are_passed_on() {
        let headers = [
            ("x-amz-date", "d"),
            ("x-moto-account-id", "1"),
            ("action", "DeleteTable"),
            ("cookie", "c"),
            ("user-agent", "x region/eu-west-1"),
            ("authorization", "raw"),
            ("if-match", "e"),
        ];
        let passed = write(&Rewrite::AsItCame, "made", request("", &headers, "b"));
        let names: Vec<&str> = passed.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-amz-date", "if-match", "authorization"]);
        assert_eq!(passed.header("authorization"), Some("made"));
    }

    #[test]
    fn bodies_and_queries_are_written_as_they_were_read() {
        let json = write(&Rewrite::Json, "", request("", &[], r#"{"a":"x&Action=y\\&"}"#));
        assert_eq!(&json.body[..], br#"{"a":"x\u0026Action=y\\\u0026"}"#);
        let form = vec![("Action".to_owned(), "A b".to_owned()), ("N;".to_owned(), "=&".to_owned())];
        let in_body = write(&Rewrite::Form(form.clone()), "", request("", &[], "%41ction=A+b&N;=%3D%26"));
        assert_eq!(&in_body.body[..], b"Action=A%20b&N%3B=%3D%26");
        let in_query = write(&Rewrite::Form(form), "", request("x", &[], ""));
        assert_eq!((in_query.query.as_str(), in_query.body.len()), ("Action=A%20b&N%3B=%3D%26", 0));
        let s3 = write(
            &Rewrite::S3(path(Some("b"), Some("a b/c"))),
            "",
            request("acl&X-Amz-Signature=s&x=+", &[("host", "b.s3.localhost:80")], ""),
        );
        assert_eq!((s3.path.as_str(), s3.query.as_str()), ("/b/a%20b/c", "acl=&x=%20"));
        assert_eq!(s3.header("host"), Some("localhost:80"));
    }

    #[test]
    fn packed_bodies_are_unpacked_within_bounds() {
        let mut plain = request("", &[("content-encoding", "br")], "x");
        assert!(unpack("sqs", &mut plain).is_err());
        assert!(unpack("s3", &mut plain).is_ok());
        let mut broken = request("", &[("content-encoding", "gzip")], "x");
        assert!(unpack("monitoring", &mut broken).is_err());
    }
}
