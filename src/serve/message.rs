//! Requests and answers, without a socket.

use std::fmt;
use std::net::IpAddr;

use zeroize::Zeroizing;

use super::actions::Service;
use super::fault::Fault;
use crate::wire::query::Parameters;
use crate::wire::sigv4;

/// A request, read whole.
pub struct Request {
    /// As sent.
    pub method: String,
    /// As sent, before the question mark.
    pub path: String,
    /// As sent, after it.
    pub query: String,
    /// Names in small letters, in the order in which they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// All of it.
    pub body: Zeroizing<Vec<u8>>,
    /// Who is at the other end.
    pub peer: IpAddr,
}

/// An answer.
pub struct Response {
    /// Of HTTP.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// All of it; it may hold secrets.
    pub body: Zeroizing<Vec<u8>>,
}

impl Request {
    /// Of a header that is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.iter().find(|(header, _)| header == name);
        value.and_then(|(_, value)| str::from_utf8(value).ok())
    }

    pub(super) fn signed(&self) -> sigv4::Request<'_> {
        sigv4::Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: self.headers.iter().map(|(name, value)| (name, value)).collect(),
        }
    }

    /// Whether somebody signed it, or tried to.
    pub(super) fn is_signed(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "authorization") || self.query.contains("X-Amz-")
    }

    /// Of the query string and, for a form, the body.
    pub(super) fn parameters(&self) -> Result<Parameters, Fault> {
        if self.body.is_empty() {
            return Parameters::parse(self.query.as_bytes()).map_err(Fault::from);
        }
        Parameters::parse(&self.body).map_err(Fault::from)
    }

    /// Which service an unsigned request means: the versions of their APIs tell them apart.
    pub(super) fn service_by_version(&self) -> Service {
        let sts = self.parameters().is_ok_and(|input| input.get("Version") == Some(Service::Sts.version()));
        if sts { Service::Sts } else { Service::Iam }
    }
}

impl Response {
    /// Plain text.
    pub(super) fn text(status: u16, text: &str) -> Self {
        let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: Zeroizing::new(text.as_bytes().to_vec()) }
    }

    /// JSON, a line of it.
    pub(super) fn json(status: u16, value: &impl serde::Serialize) -> Self {
        // Room for most answers: what grows leaves copies of secrets behind.
        let mut body = Zeroizing::new(Vec::with_capacity(16_384));
        let _ = serde_json::to_writer(&mut *body, value);
        body.push(b'\n');
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body }
    }

    /// An error of this server's own, as JSON.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": { "code": code, "message": message } }))
    }

    /// To another path of this server.
    pub(super) fn redirect(path: &str) -> Self {
        Self { status: 303, headers: vec![("location", path.to_owned())], body: Zeroizing::default() }
    }

    pub(super) fn xml(status: u16, request_id: &str, mut body: Zeroizing<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/xml".to_owned()), ("x-amzn-requestid", request_id.to_owned())],
            body: Zeroizing::new(std::mem::take(&mut *body).into_bytes()),
        }
    }
}

// Paths, headers and bodies may hold secrets: only their sizes are shown.

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({}, {} headers, {} bytes)", self.method, self.headers.len(), self.body.len())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} headers, {} bytes)", self.status, self.headers.len(), self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_what_was_sent() {
        let request = Request {
            method: "POST".to_owned(),
            path: "/secret".to_owned(),
            query: "Password=secret".to_owned(),
            headers: vec![("cookie".to_owned(), b"secret".to_vec())],
            body: Zeroizing::new(b"secret".to_vec()),
            peer: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        };
        assert_eq!(format!("{request:?}"), "Request(POST, 1 headers, 6 bytes)");
        assert_eq!(format!("{:?}", Response::text(200, "secret")), "Response(200, 1 headers, 6 bytes)");
    }
}
