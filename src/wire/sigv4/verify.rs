use subtle::ConstantTimeEq as _;

use super::canonical::{Canonical, string_to_sign};
use super::error::{Error, Mismatch, ScopeFault};
use super::key::SigningKey;
use super::present::{Presented, first};
use super::request::{Payload, Request, UNSIGNED, is_streaming};
use super::{SKEW, Style, TERMINATOR, date};
use crate::time::Timestamp;

/// What a verifier takes.
#[derive(Debug, Clone, Copy)]
pub struct Accept<'a> {
    /// The service that was called.
    pub service: &'a str,
    /// The one region that is right; `None` takes all, as clients of a custom endpoint sign for their own.
    pub region: Option<&'a str>,
    /// The service's time.
    pub now: Timestamp,
    /// How requests are made canonical; the service's own by default.
    pub style: Style,
}

impl<'a> Accept<'a> {
    /// Signatures for a service, in any region.
    #[must_use]
    pub fn new(service: &'a str, now: Timestamp) -> Self {
        Self { service, region: None, now, style: Style::of(service) }
    }
}

impl Presented {
    /// Checks all that can be checked without a key, in the order in which AWS was measured to: signed headers, date,
    /// scope. [`Presented::verify`] does it too; before a key is looked up, it gives errors their right order.
    ///
    /// # Errors
    ///
    /// `host` not signed, and for S3 any `x-amz-*` header that is there; a date too far from now; another scope.
    pub fn check(&self, request: &Request<'_>, accept: &Accept<'_>) -> Result<(), Error> {
        let signed = |name: &str| self.signed_headers.iter().any(|other| other == name);
        if !signed("host") {
            return Err(Error::HostNotSigned);
        }
        if accept.style == Style::S3 {
            let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
            names.retain(|name| name.starts_with("x-amz-") && !signed(name));
            if !names.is_empty() {
                return Err(Error::HeadersNotSigned { names });
            }
        }
        self.check_date(accept)?;
        self.check_scope(accept)
    }

    fn check_date(&self, accept: &Accept<'_>) -> Result<(), Error> {
        let unix = accept.now.as_unix();
        let now = || date::basic(accept.now);
        let earliest = Timestamp::from_unix(unix.saturating_sub(SKEW));
        let latest = Timestamp::from_unix(unix.saturating_add(SKEW));
        let given = || date::basic(self.date);
        if self.date > latest {
            return Err(Error::NotYetCurrent { date: given(), latest: date::basic(latest), now: now() });
        }
        let expires = self.expires().filter(|_| accept.style == Style::S3);
        if let Some(expires) = expires {
            if self.date.plus(expires).is_some_and(|end| end < accept.now) {
                return Err(Error::PresignedExpired { date: given(), expires, now: now() });
            }
        } else if self.date < earliest {
            return Err(Error::Expired { date: given(), earliest: date::basic(earliest), now: now() });
        }
        Ok(())
    }

    fn check_scope(&self, accept: &Accept<'_>) -> Result<(), Error> {
        let mut faults = Vec::new();
        if accept.region.is_some_and(|region| region != self.scope.region) {
            faults.push(ScopeFault::Region { region: self.scope.region.clone() });
        }
        if accept.service != self.scope.service {
            faults.push(ScopeFault::Service { service: accept.service.to_owned() });
        }
        if self.terminator != TERMINATOR {
            faults.push(ScopeFault::Terminator { terminator: self.terminator.clone() });
        }
        let day = date::day(self.date);
        if self.scope.date != day {
            faults.push(ScopeFault::Date { scope: self.scope.date.clone(), day, date: date::basic(self.date) });
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Scope(faults)) }
    }

    /// Verifies the signature: that the request it was read from, with this body, was signed with this key.
    ///
    /// The comparison takes the same time wherever two signatures differ.
    ///
    /// # Errors
    ///
    /// All of [`Presented::check`]; a body signed in chunks, or of another hash than the request says; another signature.
    pub fn verify(
        &self,
        key: &SigningKey,
        request: &Request<'_>,
        payload: Payload<'_>,
        accept: &Accept<'_>,
    ) -> Result<(), Error> {
        request.check()?;
        self.check(request, accept)?;
        let (payload, note) = self.payload(request, payload, accept.style)?;
        let canonical = Canonical::new(request, &self.query, &self.signed_headers, &payload, accept.style)?;
        let string_to_sign = string_to_sign(&canonical, self.date, &self.scope);
        let absent = self.signed_headers.iter().find(|name| request.headers.first(name).is_none());
        let note = note.or_else(|| absent.map(|name| format!("`{name}` is signed and not there")));
        let same: bool = key.sign(&string_to_sign).as_bytes().ct_eq(self.signature.as_bytes()).into();
        if same && note.is_none() {
            return Ok(());
        }
        Err(Error::Mismatch(Box::new(Mismatch { note, canonical_request: canonical.shown(), string_to_sign })))
    }

    /// The canonical request's last line, and what is wrong with the hash that came along.
    fn payload(
        &self,
        request: &Request<'_>,
        payload: Payload<'_>,
        style: Style,
    ) -> Result<(String, Option<String>), Error> {
        let stated = request
            .headers
            .first("x-amz-content-sha256")
            .or_else(|| first(&self.query, "X-Amz-Content-Sha256").filter(|_| self.is_presigned()));
        let Some(stated) = stated else {
            let unsigned = style == Style::S3 && self.is_presigned();
            return Ok((if unsigned { UNSIGNED.to_owned() } else { payload.text() }, None));
        };
        if is_streaming(stated) {
            return Err(Error::Streaming);
        }
        // Elsewhere a body that anybody may replace isn't taken.
        if stated == UNSIGNED.as_bytes() && style == Style::S3 {
            return Ok((UNSIGNED.to_owned(), None));
        }
        let computed = payload.text();
        if stated == computed.as_bytes() {
            return Ok((computed, None));
        }
        let stated = String::from_utf8_lossy(stated).into_owned();
        let error = Error::ContentHash { stated, computed: computed.clone() };
        match style {
            Style::S3 => Err(error),
            Style::Standard => Ok((computed, Some(error.why()))),
        }
    }
}
