//! Requests over HTTP, and TLS with the web's own roots or those that somebody named.

use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Timeout};
use zeroize::Zeroizing;

use super::client::{Incoming, Lost, Transport};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The largest answer: a thousand devices have some 500 KiB.
const LARGEST: u64 = 16 << 20;

/// Connections, kept open while there is something to ask.
#[derive(Debug)]
pub struct Https {
    agent: Agent,
    /// Clear text goes straight to where it is meant to go, past any proxy.
    direct: Agent,
}

impl Https {
    /// Trusts the roots of a PEM file, where one is named, else the web's. A call takes `limit` at most.
    ///
    /// # Errors
    ///
    /// What is wrong with the file's content, in words.
    pub fn new(roots: Option<&[u8]>, limit: Duration) -> Result<Self, String> {
        let base = || {
            Agent::config_builder()
                .timeout_connect(Some(CONNECT.min(limit)))
                .timeout_global(Some(limit))
                .max_redirects(0)
                .max_redirects_will_error(false)
                .http_status_as_error(false)
                // A connection that the server closed meanwhile would look like a lost answer.
                .max_idle_age(Duration::from_secs(5))
                .user_agent(concat!("vmfa/", env!("CARGO_PKG_VERSION")))
        };
        let agent = match roots {
            Some(pem) => base().tls_config(TlsConfig::builder().root_certs(certificates(pem)?).build()).build(),
            None => base().build(),
        };
        Ok(Self { agent: agent.into(), direct: base().proxy(None).build().into() })
    }
}

/// The certificates of a PEM file.
fn certificates(pem: &[u8]) -> Result<RootCerts, String> {
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    if certificates.is_empty() {
        return Err("has no certificate".to_owned());
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

impl Transport for Https {
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Incoming, Lost> {
        let agent = if url.starts_with("https://") { &self.agent } else { &self.direct };
        let request = headers.iter().fold(agent.post(url), |request, (name, value)| request.header(*name, *value));
        let mut answer = request.send(body).map_err(|error| lost(&error))?;
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec();
        // What came that far may have been done, whatever became of the rest of the answer.
        let body = body.map_err(|error| Lost { reason: error.to_string(), perhaps_arrived: true })?;
        Ok(Incoming { status, date, body: Zeroizing::new(body) })
    }
}

fn lost(error: &ureq::Error) -> Lost {
    use std::io::ErrorKind;
    let perhaps_arrived = match error {
        ureq::Error::BadUri(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => false,
        // A handshake that failed: nothing was asked yet.
        ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => false,
        ureq::Error::Io(error) if error.to_string().contains("lookup address") => false,
        ureq::Error::Io(error) => !matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::NotFound
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
        ),
        _ => true,
    };
    Lost { reason: error.to_string(), perhaps_arrived }
}
