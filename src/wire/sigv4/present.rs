use std::fmt;

use zeroize::Zeroizing;

use super::canonical::{Pairs, pairs};
use super::key::Scope;
use super::request::Request;
use super::{ALGORITHM, Error, MAX_EXPIRES, date};
use crate::time::Timestamp;
use crate::wire::limits;

/// The signature that came with a request, read and not yet verified.
#[derive(Clone)]
pub struct Presented {
    pub(super) access_key_id: String,
    pub(super) scope: Scope,
    pub(super) terminator: String,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    pub(super) date: Timestamp,
    pub(super) session_token: Option<Zeroizing<String>>,
    /// Of a presigned request: for how many seconds; the outer `Some` says that it is one.
    pub(super) presigned: Option<Option<u64>>,
    /// The query's parameters, without the signature.
    pub(super) query: Pairs,
}

impl Presented {
    /// Reads the signature of a request, from its `Authorization` header or the `X-Amz-*` parameters of its query.
    ///
    /// Of several headers or parameters the first counts, within the header the last, as measured.
    ///
    /// # Errors
    ///
    /// None, or both; parts that are missing or unreadable; a request past the [`limits`].
    pub fn read(request: &Request<'_>) -> Result<Self, Error> {
        request.check()?;
        let query = pairs(request.query)?;
        match (request.headers.first("authorization"), first(&query, "X-Amz-Algorithm")) {
            (Some(_), Some(_)) => Err(Error::Both),
            (Some(header), None) => Self::from_header(request, header, query),
            (None, Some(algorithm)) if algorithm == ALGORITHM.as_bytes() => Self::from_query(query),
            (None, None) if first(&query, "AWSAccessKeyId").is_some() => Err(Error::Version2),
            (None, _) => Err(Error::Unsigned),
        }
    }

    fn from_header(request: &Request<'_>, header: &[u8], query: Pairs) -> Result<Self, Error> {
        bounded("Authorization header", header, limits::AUTHORIZATION)?;
        let header = String::from_utf8_lossy(header);
        let header = header.trim();
        let (algorithm, rest) = header.split_once(char::is_whitespace).unwrap_or((header, ""));
        if algorithm != ALGORITHM {
            return Err(Error::Algorithm { algorithm: algorithm.to_owned() });
        }
        let (mut credential, mut signature, mut signed_headers) = (None, None, None);
        // White space separates as the comma does, as measured: it can't be within a part.
        for part in rest.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(Error::NotAPair { part: part.to_owned(), header: header.to_owned() });
            };
            match name {
                "Credential" => credential = Some(value),
                "Signature" => signature = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                _ => {}
            }
        }
        let given = request.headers.first("x-amz-date").or_else(|| request.headers.first("date"));
        let (Some(credential), Some(signature), Some(signed_headers), Some(given)) =
            (credential, signature, signed_headers, given)
        else {
            let missing = absent([
                ("Credential", credential.is_some()),
                ("Signature", signature.is_some()),
                ("SignedHeaders", signed_headers.is_some()),
                ("Date", given.is_some()),
            ]);
            return Err(Error::HeaderIncomplete { missing, header: header.to_owned() });
        };
        let token = request.headers.first("x-amz-security-token");
        Self::of(credential, signature, signed_headers, given, token, None, query)
    }

    fn from_query(mut query: Pairs) -> Result<Self, Error> {
        let taken = |name| first(&query, name).map(<[u8]>::to_vec);
        let (credential, signature) = (taken("X-Amz-Credential"), taken("X-Amz-Signature"));
        let (signed_headers, given) = (taken("X-Amz-SignedHeaders"), taken("X-Amz-Date"));
        let (token, expires) = (taken("X-Amz-Security-Token").map(Zeroizing::new), taken("X-Amz-Expires"));
        let (Some(credential), Some(signature), Some(signed_headers), Some(given)) =
            (&credential, &signature, &signed_headers, &given)
        else {
            let missing = absent([
                ("X-Amz-Credential", credential.is_some()),
                ("X-Amz-Signature", signature.is_some()),
                ("X-Amz-SignedHeaders", signed_headers.is_some()),
                ("X-Amz-Date", given.is_some()),
            ]);
            return Err(Error::QueryIncomplete { missing });
        };
        for (what, value) in
            [("X-Amz-Credential", credential), ("X-Amz-Signature", signature), ("X-Amz-SignedHeaders", signed_headers)]
        {
            bounded(what, value, limits::AUTHORIZATION)?;
        }
        let expires = expires.map(|value| seconds(&value)).transpose()?;
        query.retain(|(name, _)| name != b"X-Amz-Signature");
        let text = String::from_utf8_lossy;
        let token = token.as_ref().map(|token| token.as_slice());
        Self::of(&text(credential), &text(signature), &text(signed_headers), given, token, Some(expires), query)
    }

    fn of(
        credential: &str,
        signature: &str,
        signed_headers: &str,
        given: &[u8],
        token: Option<&[u8]>,
        presigned: Option<Option<u64>>,
        query: Pairs,
    ) -> Result<Self, Error> {
        bounded("date", given, limits::AUTHORIZATION)?;
        bounded("session token", token.unwrap_or_default(), limits::TOKEN)?;
        if signed_headers.split(';').count() > limits::SIGNED_HEADERS {
            return Err(Error::TooLong { what: "number of signed headers", limit: limits::SIGNED_HEADERS });
        }
        let given = String::from_utf8_lossy(given);
        let date = date::parse(&given).ok_or_else(|| Error::Date { date: given.clone().into_owned() })?;
        let mut parts = credential.split('/');
        let parts = [(); 6].map(|()| parts.next());
        let [Some(access_key_id), Some(day), Some(region), Some(service), Some(terminator), None] = parts else {
            return Err(Error::Credential { credential: credential.to_owned() });
        };
        let mut signed_headers: Vec<String> = signed_headers.split(';').map(str::to_owned).collect();
        signed_headers.sort_unstable();
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            scope: Scope { date: day.to_owned(), region: region.to_owned(), service: service.to_owned() },
            terminator: terminator.to_owned(),
            signed_headers,
            signature: signature.to_owned(),
            date,
            session_token: token.map(|token| Zeroizing::new(String::from_utf8_lossy(token).into_owned())),
            presigned,
            query,
        })
    }

    /// Whose key it was signed with, as the request says.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The scope to derive the [`SigningKey`](super::SigningKey) for.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The names of the signed headers, in order.
    #[must_use]
    pub fn signed_headers(&self) -> &[String] {
        &self.signed_headers
    }

    /// When it was signed, as the request says.
    #[must_use]
    pub fn date(&self) -> Timestamp {
        self.date
    }

    /// The session token that came along. A token may be there and not be signed, as AWS allows.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }

    /// Whether the signature is in the query string.
    #[must_use]
    pub fn is_presigned(&self) -> bool {
        self.presigned.is_some()
    }

    /// For how many seconds it was presigned, where it says so.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        self.presigned.flatten()
    }
}

impl fmt::Debug for Presented {
    /// Without session token and query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .field("signed_headers", &self.signed_headers)
            .field("date", &self.date)
            .field("presigned", &self.presigned)
            .finish_non_exhaustive()
    }
}

/// The first value of a parameter.
pub(super) fn first<'a>(query: &'a Pairs, name: &str) -> Option<&'a [u8]> {
    query.iter().find(|(other, _)| other == name.as_bytes()).map(|(_, value)| value.as_slice())
}

fn bounded(what: &'static str, value: &[u8], limit: usize) -> Result<(), Error> {
    if value.len() > limit { Err(Error::TooLong { what, limit }) } else { Ok(()) }
}

fn absent<const N: usize>(parts: [(&'static str, bool); N]) -> Vec<&'static str> {
    parts.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect()
}

fn seconds(value: &[u8]) -> Result<u64, Error> {
    let text = String::from_utf8_lossy(value);
    let number = text.parse().ok().filter(|seconds| (1..=MAX_EXPIRES).contains(seconds));
    number.ok_or_else(|| Error::Expires { value: text.chars().take(32).collect() })
}
