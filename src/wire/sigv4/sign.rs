use zeroize::Zeroizing;

use super::canonical::{Canonical, pairs, signable, string_to_sign};
use super::key::{Credentials, Scope, SigningKey};
use super::request::{Headers, Payload, Request, UNSIGNED};
use super::{ALGORITHM, Error, MAX_EXPIRES, Style, date};
use crate::time::Timestamp;
use crate::wire::percent;

/// Headers that the signer adds, and takes out before.
const OWN: &[&str] = &["x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];

/// Signs requests for a region and a service.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Whose key signs.
    pub credentials: &'a Credentials,
    /// For which region.
    pub region: &'a str,
    /// For which service.
    pub service: &'a str,
    /// How its requests are made canonical; the service's own by default.
    pub style: Style,
    /// Whether the body's hash goes along in `x-amz-content-sha256`; S3 requires it, and nobody else does.
    pub content_hash: bool,
}

impl<'a> Signer<'a> {
    /// A signer with the defaults of a service.
    #[must_use]
    pub fn new(credentials: &'a Credentials, region: &'a str, service: &'a str) -> Self {
        let style = Style::of(service);
        Self { credentials, region, service, style, content_hash: style == Style::S3 }
    }

    /// The headers that make a request a signed one: `x-amz-date`, where they apply `x-amz-content-sha256` and
    /// `x-amz-security-token`, and `authorization`. They replace headers of these names.
    ///
    /// All headers of the request are signed but those that a proxy may change.
    ///
    /// # Errors
    ///
    /// A request without `host`, past the [`limits`](crate::wire::limits), or with broken escapes.
    pub fn sign(
        &self,
        request: &Request<'_>,
        payload: Payload<'_>,
        time: Timestamp,
    ) -> Result<Vec<(&'static str, Zeroizing<String>)>, Error> {
        let payload_text = payload.text();
        let mut added = vec![("x-amz-date", Zeroizing::new(date::basic(time)))];
        if self.content_hash || payload == Payload::Unsigned {
            added.push(("x-amz-content-sha256", Zeroizing::new(payload_text.clone())));
        }
        if let Some(token) = &self.credentials.session_token {
            added.push(("x-amz-security-token", token.clone()));
        }
        let kept = without(request, &[OWN, &["authorization"]].concat());
        let headers =
            kept.iter().chain(added.iter().map(|(name, value)| (*name, value.as_bytes()))).map(refs).collect();
        let request = Request { headers, ..*request };
        let names = self.names(&request)?;
        let scope = Scope::new(time, self.region, self.service);
        let query = pairs(request.query)?;
        let canonical = Canonical::new(&request, &query, &names, &payload_text, self.style)?;
        let signature = self.key(&scope).sign(&string_to_sign(&canonical, time, &scope));
        let (id, names) = (&self.credentials.access_key_id, names.join(";"));
        let authorization =
            format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        added.push(("authorization", Zeroizing::new(authorization)));
        Ok(added)
    }

    /// The query string, the request's own parameters first, that makes a request a signed one for `expires` seconds.
    ///
    /// All headers of the request are signed, and must be sent along, but those that a proxy may change: usually there is
    /// `host` only. S3 expects [`Payload::Unsigned`], all others the body.
    ///
    /// # Errors
    ///
    /// A request without `host`, past the [`limits`](crate::wire::limits), or with broken escapes; a time of no seconds or
    /// more than [`MAX_EXPIRES`].
    pub fn presign(
        &self,
        request: &Request<'_>,
        payload: Payload<'_>,
        time: Timestamp,
        expires: u64,
    ) -> Result<Zeroizing<String>, Error> {
        if !(1..=MAX_EXPIRES).contains(&expires) {
            return Err(Error::Expires { value: expires.to_string() });
        }
        let kept = without(request, &["x-amz-date", "x-amz-security-token", "authorization"]);
        let request = Request { headers: kept, ..*request };
        let names = self.names(&request)?;
        let scope = Scope::new(time, self.region, self.service);
        let token = self.credentials.session_token.as_ref();
        let mut query = Zeroizing::new(request.query.trim_end_matches('&').to_owned());
        let mut add = |name: &str, value: &str| {
            let separator = if query.is_empty() { "" } else { "&" };
            query.extend([separator, name, "=", &Zeroizing::new(percent::encode(value.as_bytes()))]);
        };
        add("X-Amz-Algorithm", ALGORITHM);
        add("X-Amz-Credential", &format!("{}/{scope}", self.credentials.access_key_id));
        add("X-Amz-Date", &date::basic(time));
        add("X-Amz-Expires", &expires.to_string());
        if self.style == Style::Standard && payload == Payload::Unsigned {
            add("X-Amz-Content-Sha256", UNSIGNED);
        }
        if let Some(token) = token {
            add("X-Amz-Security-Token", token);
        }
        add("X-Amz-SignedHeaders", &names.join(";"));
        let (pairs, payload) = (pairs(&query)?, payload.text());
        let canonical = Canonical::new(&request, &pairs, &names, &payload, self.style)?;
        let signature = self.key(&scope).sign(&string_to_sign(&canonical, time, &scope));
        query.extend(["&X-Amz-Signature=", &signature]);
        Ok(query)
    }

    fn key(&self, scope: &Scope) -> SigningKey {
        SigningKey::derive(&self.credentials.secret_access_key, scope)
    }

    fn names(&self, request: &Request<'_>) -> Result<Vec<String>, Error> {
        request.check()?;
        let names = signable(request);
        if names.iter().any(|name| name == "host") { Ok(names) } else { Err(Error::HostNotSigned) }
    }
}

fn without<'a>(request: &Request<'a>, names: &[&str]) -> Headers<'a> {
    let kept = |name: &str| !names.iter().any(|other| other.eq_ignore_ascii_case(name));
    request.headers.iter().filter(|(name, _)| kept(name)).map(refs).collect()
}

/// A pair as [`Headers`] are collected from.
fn refs<'a>((name, value): (&'a str, &'a [u8])) -> (&'a str, &'a [u8]) {
    (name, value)
}
