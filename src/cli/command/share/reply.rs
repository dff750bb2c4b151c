//! Answers over HTTP (RFC 9110): JSON, and for each error its status.

use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::error::{Error, Kind};
use crate::cli::json;

/// A whole answer. Its bytes are wiped once they are sent.
pub(super) type Reply = Response<http_body_util::Full<Bytes>>;

/// Room for an answer: what grows leaves copies of codes behind.
const ROOM: usize = 2 << 10;

/// An answer as `--json` has it.
pub(super) fn json(status: StatusCode, answer: &(impl Serialize + ?Sized)) -> Reply {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    // What can't be written isn't JSON: nothing here has such keys.
    let _ = json::write(&mut *bytes, answer);
    bytes.push(b'\n');
    let mut reply = of_bytes(status, "application/json", Bytes::from_owner(Wiped(bytes)));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// An answer of another type, which has no codes in it.
pub(super) fn text(content_type: &'static str, text: impl Into<Bytes>) -> Reply {
    of_bytes(StatusCode::OK, content_type, text.into())
}

/// An error: what `--json` writes of it, with the status that belongs to it.
pub(super) fn error(error: &Error) -> Reply {
    #[derive(Serialize)]
    struct Written<T> {
        error: T,
    }
    let mut reply = json(status_of(error), &Written { error: error.fields() });
    if let Some(seconds) = retry_after(error) {
        with(&mut reply, RETRY_AFTER, &seconds.to_string());
    }
    if reply.status() == StatusCode::UNAUTHORIZED {
        with(&mut reply, WWW_AUTHENTICATE, "Bearer realm=\"vmfa\"");
    }
    reply
}

/// The same for a method that a path doesn't have.
pub(super) fn wrong_method(failure: &Error, allowed: &'static str) -> Reply {
    let mut reply = error(failure);
    with(&mut reply, ALLOW, allowed);
    reply
}

fn of_bytes(status: StatusCode, content_type: &'static str, bytes: Bytes) -> Reply {
    let mut reply = Response::new(http_body_util::Full::new(bytes));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

fn with(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// The status of an error.
fn status_of(error: &Error) -> StatusCode {
    match (error.code(), error.kind()) {
        ("unauthorized", _) => StatusCode::UNAUTHORIZED,
        ("no-such-device" | "no-such-path", _) => StatusCode::NOT_FOUND,
        ("method", _) => StatusCode::METHOD_NOT_ALLOWED,
        ("too-large", _) => StatusCode::PAYLOAD_TOO_LARGE,
        ("too-slow", _) => StatusCode::REQUEST_TIMEOUT,
        ("content-type", _) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ("rate-limit", _) => StatusCode::TOO_MANY_REQUESTS,
        ("usage", _) | (_, Kind::Input) => StatusCode::BAD_REQUEST,
        // What is asked for is as it should be, and this device hasn't got it.
        (_, Kind::No | Kind::Usage) => StatusCode::CONFLICT,
        (_, Kind::Storage | Kind::Remote | Kind::Interrupted(_) | Kind::Command(_)) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// In how many seconds it is worth another try.
fn retry_after(error: &Error) -> Option<u64> {
    match error.code() {
        "rate-limit" | "busy" | "server-ends" | "conflict" => Some(1),
        _ => error.wait_seconds(),
    }
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
