//! The key URI format: `otpauth://TYPE/LABEL?PARAMETERS`.
//!
//! Written down by Google Authenticator's wiki, and read here as generous as that is safe: what
//! changes codes (secret, algorithm, digits, period, counter) is read where it is clear, or refused. docs/sources.md has
//! a table of it.

mod label;
mod query;
mod steam;
mod text;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use self::query::Query;
#[cfg(feature = "exchange")]
pub(crate) use self::steam::is_issuer as is_steam;
pub use self::text::MAX_TEXT;
use self::text::{decode, harmless, whole_number};
use super::{Enrolment, Error, Found, Warning, tidy};
use crate::oath::{Algorithm, Digits, MovingFactor, Parameters};
use crate::secret::Secret;
use crate::time::Period;

/// The scheme and what follows it, compared without regard to case.
pub const SCHEME: &str = "otpauth://";

/// Bitwarden's form of a Steam account: the secret follows, and nothing else.
const STEAM_SCHEME: &str = "steam://";

/// The longest URI taken, in bytes: ten times what the longest of its parts need.
const LONGEST: usize = 16 << 10;

/// RFC 3986's unreserved characters stay, and the `@` that AWS leaves as it is in labels.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Whether a text begins like an otpauth URI, or like a Steam account's (`steam://`).
#[must_use]
pub fn is_uri(text: &str) -> bool {
    [SCHEME, STEAM_SCHEME].into_iter().any(|scheme| after(scheme, text).is_some())
}

/// What follows a scheme.
fn after<'a>(scheme: &str, text: &'a str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Reads one URI.
///
/// Issuer: the parameter, else what stands before the label's first colon. Where both are there and
/// differ, the parameter is taken, with a warning.
///
/// # Errors
///
/// Everything that would change codes and isn't clear: type, secret, algorithm, digits, period,
/// counter; text that isn't percent-encoded UTF-8; and accounts whose codes are no codes of TOTP, HOTP or Steam Guard.
pub fn parse(uri: &str) -> Result<Found, Error> {
    if uri.len() > LONGEST {
        return Err(Error::TextTooLong { place: "URI", limit: LONGEST });
    }
    let mut warnings = Vec::new();
    let visible = tidy::visible(uri);
    if visible.is_some() {
        warnings.push(Warning::Invisible);
    }
    let uri = visible.as_ref().map_or(uri, |visible| visible.as_str()).trim();
    let unescaped = tidy::unescaped(uri);
    if unescaped.is_some() {
        warnings.push(Warning::HtmlEscapes);
    }
    let uri = unescaped.as_ref().map_or(uri, |unescaped| unescaped.as_str()).trim();
    if let Some(secret) = after(STEAM_SCHEME, uri) {
        let enrolment = steam::account(secret)?;
        warn_of_short(&enrolment.secret, &mut warnings);
        return Ok(Found { enrolments: vec![enrolment], warnings, ..Found::default() });
    }
    let rest = after(SCHEME, uri).unwrap_or_default();
    if rest.is_empty() {
        return Err(Error::UriLine { line: 1 });
    }
    // A raw `#` in a label is a label's; behind the parameters it begins a fragment.
    let (path, query) = query::split(rest);
    if path.contains('?') {
        warnings.push(Warning::QuestionMark);
    }
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    if let Some(name) = query::inside(label) {
        return Err(Error::Misplaced { name, place: "label".to_owned() });
    }
    let query = Query::parse(query, &mut warnings)?;
    query.refuse_unsupported(kind)?;
    let counter_based = match kind {
        kind if ["totp", "steam"].into_iter().any(|time_based| kind.eq_ignore_ascii_case(time_based)) => false,
        kind if kind.eq_ignore_ascii_case("hotp") => true,
        kind => return Err(Error::UriType { kind: harmless(kind) }),
    };
    for (name, pointless) in [("counter", !counter_based), ("period", counter_based)] {
        if pointless && query.has(name) {
            warnings.push(Warning::PointlessParameter { name: name.to_owned() });
        }
    }

    let issuer = query.issuer(&mut warnings);
    let (issuer, account) = label::read(label, issuer, &mut warnings)?;
    let by_issuer = !query.is_steam(kind) && steam::is_issuer(issuer.as_deref(), &account);
    let steam = by_issuer || query.is_steam(kind);
    if steam && counter_based {
        return Err(Error::NotSteam { name: "type" });
    }
    if by_issuer {
        warnings.push(Warning::Steam);
    }
    let secret = query.secret()?;
    warn_of_short(&secret, &mut warnings);
    let factor = if counter_based {
        let next = whole_number(query.get("counter").ok_or(Error::CounterMissing)?).ok_or(Error::Counter)?;
        MovingFactor::Counter { next }
    } else {
        MovingFactor::Time { period: query.period(&mut warnings)? }
    };
    let digits = if steam { query.steam_digits()? } else { query.digits(&mut warnings)? };
    let algorithm = query.algorithm(&mut warnings)?;
    let parameters = Parameters { algorithm, digits, factor };
    query.other_parameters(&parameters, &mut warnings)?;
    let enrolment = Enrolment { issuer, account, secret, parameters, serial: None };
    Ok(Found { enrolments: vec![enrolment], warnings, ..Found::default() })
}

fn warn_of_short(secret: &Secret, warnings: &mut Vec<Warning>) {
    if secret.bits() < 128 {
        warnings.push(Warning::ShortSecret { bits: secret.bits() });
    }
}

/// Whose a URI is, for messages: its label, as far as that can be read.
pub(crate) fn whose(uri: &str) -> String {
    let path = after(SCHEME, uri).map_or("", |rest| query::split(rest).0);
    let label = path.split_once('/').map_or("", |(_, label)| label);
    let label = decode(label).map_or_else(|| label.to_owned(), |label| label.into_owned());
    harmless(label.trim())
}

/// Writes an enrolment as a URI: ASCII, read back as the same enrolment (but for the serial number,
/// which URIs don't have). Parameters at their defaults are left out, as AWS does.
#[must_use]
pub fn format(enrolment: &Enrolment) -> Zeroizing<String> {
    write(enrolment, true)
}

/// That an enrolment is read back, from the URI that it is written as, with the codes that it has.
///
/// # Errors
///
/// [`Error::NotSteam`] where issuer or account are Steam's, whose codes have five characters, and others that [`parse`] gives.
pub fn reads_back(enrolment: &Enrolment) -> Result<(), Error> {
    let again = parse(&format(enrolment))?;
    let same = again.enrolments.iter().all(|read| read.parameters == enrolment.parameters);
    if same { Ok(()) } else { Err(Error::NotSteam { name: "digits" }) }
}

/// The same without an `issuer` parameter, which repeats what the label says: the older form, that fits a
/// smaller QR code.
#[must_use]
pub fn format_short(enrolment: &Enrolment) -> Zeroizing<String> {
    write(enrolment, false)
}

fn write(enrolment: &Enrolment, issuer_parameter: bool) -> Zeroizing<String> {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let Parameters { algorithm, digits, factor } = enrolment.parameters;
    let label = match &enrolment.issuer {
        Some(issuer) => format!("{}:{}", encode(issuer), encode(&enrolment.account)),
        // An empty issuer keeps a colon of the account from being read as the separator.
        None if enrolment.account.contains(':') => format!(":{}", encode(&enrolment.account)),
        None => encode(&enrolment.account),
    };
    // Room for the whole from the start: a growing string leaves copies of the secret behind.
    let secret = enrolment.secret.to_base32();
    let mut uri = Zeroizing::new(String::with_capacity(
        secret.len().saturating_add(label.len().saturating_mul(2)).saturating_add(256),
    ));
    for part in [SCHEME, enrolment.parameters.kind(), "/", &label, "?secret=", &secret] {
        uri.push_str(part);
    }
    let mut add = |name: &str, value: &str| {
        for part in ["&", name, "=", value] {
            uri.push_str(part);
        }
    };
    if let Some(issuer) = enrolment.issuer.as_ref().filter(|_| issuer_parameter) {
        add("issuer", &encode(issuer));
    }
    if algorithm != Algorithm::Sha1 {
        add("algorithm", algorithm.as_str());
    }
    if digits != Digits::SIX && !digits.is_steam() {
        add("digits", &digits.count().to_string());
    }
    match factor {
        MovingFactor::Time { period } if period == Period::DEFAULT => {}
        MovingFactor::Time { period } => add("period", &period.seconds().to_string()),
        MovingFactor::Counter { next } => add("counter", &next.to_string()),
    }
    uri
}
