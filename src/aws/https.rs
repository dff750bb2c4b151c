//! Requests over HTTP, and TLS with the web's own roots or those that somebody named.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Timeout};
use zeroize::Zeroizing;

use super::client::{Incoming, Lost, Transport};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The longest application ID: what the SDKs recommend.
const LONGEST_APP: usize = 50;

/// The largest answer: a thousand devices have some 500 KiB.
const LARGEST: u64 = 16 << 20;

/// Connections, kept open while there is something to ask.
#[derive(Debug)]
pub struct Https {
    agent: Agent,
    /// Clear text goes straight to where it is meant to go, past any proxy.
    direct: Agent,
}

/// Where requests in clear text may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearText {
    /// To this machine only, even if the resolver says otherwise: few follow RFC 6761, section 6.3.
    Here,
    /// Anywhere.
    Anywhere,
}

impl ClearText {
    /// Connections that go nowhere else.
    #[must_use]
    pub fn agent(self, config: Config) -> Agent {
        Agent::with_parts(config, DefaultConnector::new(), Finder { clear_text: self })
    }
}

/// Finds addresses, and no other than this machine's where clear text is to stay here.
#[derive(Debug)]
struct Finder {
    clear_text: ClearText,
}

impl Https {
    /// Trusts the roots of a PEM file, where one is named, else the web's. A call takes `limit` at most. `app` is the
    /// application ID that requests are marked with.
    ///
    /// # Errors
    ///
    /// What is wrong with the file's content, in words.
    pub fn new(
        roots: Option<&[u8]>,
        limit: Duration,
        clear_text: ClearText,
        app: Option<&str>,
    ) -> Result<Self, String> {
        let name = concat!("vmfa/", env!("CARGO_PKG_VERSION"));
        let named = match app.filter(|app| is_app(app)) {
            Some(app) => format!("{name} app/{app}"),
            None => name.to_owned(),
        };
        let base = || {
            Agent::config_builder()
                .timeout_connect(Some(CONNECT.min(limit)))
                .timeout_global(Some(limit))
                .max_redirects(0)
                .max_redirects_will_error(false)
                .http_status_as_error(false)
                // A connection that the server closed meanwhile would look like a lost answer.
                .max_idle_age(Duration::from_secs(5))
                .user_agent(&named)
        };
        let agent = match roots {
            Some(pem) => base().tls_config(TlsConfig::builder().root_certs(certificates(pem)?).build()).build(),
            None => base().build(),
        };
        Ok(Self { agent: agent.into(), direct: clear_text.agent(base().proxy(None).build()) })
    }
}

/// Whether this can stand in a header, as the SDKs take it.
fn is_app(id: &str) -> bool {
    id.len() <= LONGEST_APP
        && !id.is_empty()
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"!$%&'*+-.^_`|~".contains(&b))
}

impl Resolver for Finder {
    fn resolve(&self, uri: &Uri, config: &Config, time: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = DefaultResolver::default().resolve(uri, config, time)?;
        match elsewhere(&addresses).filter(|_| self.clear_text == ClearText::Here) {
            Some(address) => Err(ureq::Error::Io(std::io::Error::new(
                ErrorKind::AddrNotAvailable,
                format!(
                    "{} is {address}, which isn't this machine: secrets and sessions would cross the network in clear text",
                    uri.host().unwrap_or_default()
                ),
            ))),
            None => Ok(addresses),
        }
    }
}

/// An address that isn't this machine's.
fn elsewhere(addresses: &[SocketAddr]) -> Option<IpAddr> {
    addresses.iter().map(|address| address.ip().to_canonical()).find(|address| !address.is_loopback())
}

/// The certificates of a PEM file.
///
/// # Errors
///
/// What is wrong with it, in words.
pub fn certificates(pem: &[u8]) -> Result<RootCerts, String> {
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
        // A request that came that far may have been carried out, even if the rest of the answer is lost.
        let body = body.map_err(|error| Lost { reason: error.to_string(), perhaps_arrived: true })?;
        Ok(Incoming { status, date, body: Zeroizing::new(body) })
    }
}

fn lost(error: &ureq::Error) -> Lost {
    let reason = error.to_string();
    let reason = reason.strip_prefix("io: ").unwrap_or(&reason).to_owned();
    Lost { reason, perhaps_arrived: may_have_arrived(error) }
}

/// Whether a request that got no answer may have been read, and done.
pub(crate) fn may_have_arrived(error: &ureq::Error) -> bool {
    match error {
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
                | ErrorKind::AddrNotAvailable
                | ErrorKind::NotFound
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
        ),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_elsewhere_is_one_too_many() {
        let first = |addresses: &[&str]| {
            let addresses: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            elsewhere(&addresses).map(|address| address.to_string())
        };
        assert_eq!(first(&["127.0.0.1:80", "127.8.0.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"]), None);
        assert_eq!(first(&["127.0.0.1:80", "192.0.2.7:80"]), Some("192.0.2.7".to_owned()));
        assert_eq!(first(&["[::1]:80", "[::ffff:192.0.2.7]:80"]), Some("192.0.2.7".to_owned()));
        assert_eq!(first(&["0.0.0.0:80"]), Some("0.0.0.0".to_owned()));
    }

    /// Not an address of this machine, but the resolver says so without a network.
    #[test]
    fn clear_text_goes_to_no_address_elsewhere_and_the_request_never_left() {
        let https = Https::new(None, Duration::from_secs(5), ClearText::Here, None).unwrap();
        let lost = https.post("http://192.0.2.7:9/", &[], "Action=x").err().unwrap();
        assert!(lost.reason.contains("192.0.2.7, which isn't this machine") && !lost.perhaps_arrived, "{lost:?}");
    }
}
