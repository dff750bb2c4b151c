//! Another stand-in, to which calls of other services go that the policies allow.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::message::Request;

/// How long it may take over the head of its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the other server is.
#[derive(Debug, Clone)]
pub struct Upstream {
    host: String,
    port: u16,
}

/// Why a call isn't passed on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not `http://HOST[:PORT]`.
    #[error("`{url}` is no upstream: http://HOST:PORT, without a path")]
    Url {
        /// What was given.
        url: String,
    },
    /// There is nobody, or somebody else.
    #[error("the upstream server at {host}:{port} doesn't answer: {reason}")]
    Unreachable {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// What happened.
        reason: String,
    },
}

impl Upstream {
    /// Reads `http://HOST[:PORT]`.
    ///
    /// # Errors
    ///
    /// Anything else: TLS isn't spoken to another stand-in.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let error = || Error::Url { url: url.to_owned() };
        let uri: hyper::Uri = url.parse().map_err(|_| error())?;
        let plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/") && uri.query().is_none();
        let host = uri.host().filter(|_| plain).ok_or_else(error)?;
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port: uri.port_u16().unwrap_or(80) })
    }

    /// Sends a request as it came, and gives the answer as it comes.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub(super) async fn pass(&self, request: Request) -> Result<hyper::Response<Incoming>, Error> {
        let unreachable = |reason: String| Error::Unreachable { host: self.host.clone(), port: self.port, reason };
        let sent = tokio::time::timeout(PATIENCE, async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|e| e.to_string())?;
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
            tokio::spawn(async move {
                let _ = connection.await;
            });
            let outgoing = outgoing(request)?;
            sender.send_request(outgoing).await.map_err(|error| error.to_string())
        });
        let mut response = match sent.await {
            Ok(answered) => answered.map_err(unreachable)?,
            Err(_) => return Err(unreachable(format!("no answer in {} s", PATIENCE.as_secs()))),
        };
        // These belong to the connection, RFC 9110, section 7.6.1.
        response.headers_mut().remove(CONNECTION);
        response.headers_mut().remove(TRANSFER_ENCODING);
        Ok(response)
    }
}

fn outgoing(request: Request) -> Result<hyper::Request<Full<Bytes>>, String> {
    let target = if request.query.is_empty() { request.path } else { format!("{}?{}", request.path, request.query) };
    let mut outgoing = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(target)
        .body(Full::new(Bytes::from_owner(request.body)))
        .map_err(|error| error.to_string())?;
    for (name, value) in &request.headers {
        if matches!(name.as_str(), "connection" | "transfer-encoding" | "content-length" | "expect") {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        let value = HeaderValue::from_bytes(value).map_err(|error| error.to_string())?;
        outgoing.headers_mut().append(name, value);
    }
    Ok(outgoing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_host_and_a_port() {
        let read = |url| Upstream::parse(url).map(|upstream| (upstream.host, upstream.port)).ok();
        assert_eq!(read("http://127.0.0.1:5000"), Some(("127.0.0.1".to_owned(), 5000)));
        assert_eq!(read("http://[::1]:5000/"), Some(("::1".to_owned(), 5000)));
        assert_eq!(read("http://moto"), Some(("moto".to_owned(), 80)));
        for odd in ["", "moto:5000", "https://moto", "http://moto/path", "http://", "http://moto?x"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
