//! The key URI format: `otpauth://TYPE/LABEL?PARAMETERS`.
//!
//! Written down by Google Authenticator's wiki, and read here as generous as that is safe: what
//! changes codes (secret, algorithm, digits, period, counter) is read where it is clear, or refused. docs/sources.md has
//! a table of it.

mod label;
mod query;
mod text;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use self::query::Query;
pub use self::text::MAX_TEXT;
use self::text::{decode, harmless, whole_number};
use super::{Enrolment, Error, Found, Unsupported, Warning, tidy};
use crate::oath::{Algorithm, Digits, MovingFactor, Parameters};
use crate::time::Period;

/// The scheme and what follows it, compared without regard to case.
pub const SCHEME: &str = "otpauth://";

/// The longest URI taken, in bytes: ten times what the longest of its parts need.
const LONGEST: usize = 16 << 10;

/// RFC 3986's unreserved characters stay, and the `@` that AWS leaves as it is in labels.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Whether a text begins like an otpauth URI.
#[must_use]
pub fn is_uri(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|head| head.eq_ignore_ascii_case(SCHEME))
}

/// Reads one URI.
///
/// Issuer: the parameter, else what stands before the label's first colon. Where both are there and
/// differ, the parameter is taken, with a warning.
///
/// # Errors
///
/// Everything that would change codes and isn't clear: type, secret, algorithm, digits, period,
/// counter; text that isn't percent-encoded UTF-8; and accounts whose codes are no TOTP or HOTP codes.
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
    let rest = if is_uri(uri) { uri.get(SCHEME.len()..).unwrap_or_default() } else { "" };
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
        kind if kind.eq_ignore_ascii_case("totp") => false,
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
    if is_steam(issuer.as_deref(), &account) {
        return Err(Error::Unsupported(Unsupported::Steam));
    }
    let secret = query.secret()?;
    if secret.bits() < 128 {
        warnings.push(Warning::ShortSecret { bits: secret.bits() });
    }
    let factor = if counter_based {
        let next = whole_number(query.get("counter").ok_or(Error::CounterMissing)?).ok_or(Error::Counter)?;
        MovingFactor::Counter { next }
    } else {
        MovingFactor::Time { period: query.period(&mut warnings)? }
    };
    let (algorithm, digits) = (query.algorithm(&mut warnings)?, query.digits(&mut warnings)?);
    let parameters = Parameters { algorithm, digits, factor };
    query.other_parameters(&parameters, &mut warnings)?;
    let enrolment = Enrolment { issuer, account, secret, parameters, serial: None };
    Ok(Found { enrolments: vec![enrolment], warnings, lines: Vec::new() })
}

/// Steam's own exports are of type totp, with the issuer alone to tell that a code is five letters.
fn is_steam(issuer: Option<&str>, account: &str) -> bool {
    const NAMES: [&str; 4] = ["steam", "steam guard", "steamguard", "steampowered.com"];
    let is = |text: &str| NAMES.iter().any(|name| text.trim().eq_ignore_ascii_case(name));
    issuer.map_or_else(|| is(account), is)
}

/// Whose a URI is, for messages: its label, as far as that can be read.
pub(crate) fn whose(uri: &str) -> String {
    let path = uri.get(SCHEME.len()..).map_or("", |rest| query::split(rest).0);
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

/// The same without an `issuer` parameter, which repeats what the label says: the older form, that fits a
/// smaller QR code.
#[must_use]
pub fn format_short(enrolment: &Enrolment) -> Zeroizing<String> {
    write(enrolment, false)
}

fn write(enrolment: &Enrolment, issuer_parameter: bool) -> Zeroizing<String> {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let Parameters { algorithm, digits, factor } = enrolment.parameters;
    let kind = match factor {
        MovingFactor::Time { .. } => "totp",
        MovingFactor::Counter { .. } => "hotp",
    };
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
    for part in [SCHEME, kind, "/", &label, "?secret=", &secret] {
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
    if digits != Digits::SIX {
        add("digits", &digits.count().to_string());
    }
    match factor {
        MovingFactor::Time { period } if period == Period::DEFAULT => {}
        MovingFactor::Time { period } => add("period", &period.seconds().to_string()),
        MovingFactor::Counter { next } => add("counter", &next.to_string()),
    }
    uri
}
