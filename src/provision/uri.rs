//! The key URI format: `otpauth://TYPE/LABEL?PARAMETERS`.
//!
//! Written down by Google Authenticator's wiki, and read here as generous as that is safe: what
//! changes codes (secret, algorithm, digits, period, counter) is read exactly or refused.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use super::{Enrolment, Error, Found, Warning, base32};
use crate::oath::{Algorithm, Digits, MovingFactor, Parameters};
use crate::time::Period;

/// The scheme and what follows it, compared without regard to case.
pub const SCHEME: &str = "otpauth://";

/// The longest issuer or account taken, in characters.
pub const MAX_TEXT: usize = 256;

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
/// counter; and text that isn't percent-encoded UTF-8.
pub fn parse(uri: &str) -> Result<Found, Error> {
    let uri = uri.trim();
    let rest = if is_uri(uri) { uri.get(SCHEME.len()..).unwrap_or_default() } else { "" };
    if rest.is_empty() {
        return Err(Error::UriLine { line: 1 });
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A raw `#` in a label is a label's; behind the parameters it begins a fragment.
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    let counter_based = match kind {
        kind if kind.eq_ignore_ascii_case("totp") => false,
        kind if kind.eq_ignore_ascii_case("hotp") => true,
        _ => return Err(Error::UriType),
    };

    let mut warnings = Vec::new();
    let (label_issuer, account) = read_label(label)?;
    let query = Query::parse(query, &mut warnings)?;
    for (name, pointless) in [("counter", !counter_based), ("period", counter_based)] {
        if pointless && query.has(name) {
            warnings.push(Warning::PointlessParameter { name: name.to_owned() });
        }
    }

    let secret = base32::parse(query.get("secret").ok_or(Error::SecretMissing)?)?;
    if secret.bits() < 128 {
        warnings.push(Warning::ShortSecret { bits: secret.bits() });
    }
    let factor = if counter_based {
        let next = whole_number(query.get("counter").ok_or(Error::CounterMissing)?).ok_or(Error::Counter)?;
        MovingFactor::Counter { next }
    } else {
        let period = query.get("period").map(|text| whole_number(text).and_then(Period::new).ok_or(Error::Period));
        MovingFactor::Time { period: period.transpose()?.unwrap_or(Period::DEFAULT) }
    };
    let parameters = Parameters {
        algorithm: query.get("algorithm").map_or(Ok(Algorithm::Sha1), str::parse)?,
        digits: query.get("digits").map_or(Ok(Digits::SIX), str::parse)?,
        factor,
    };
    let issuer = settle_issuer(label_issuer, query.get("issuer"), &mut warnings)?;
    let enrolment = Enrolment { issuer, account, secret, parameters, serial: None };
    Ok(Found { enrolments: vec![enrolment], warnings })
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

/// Issuer and account of a label. A colon as it stands separates before an encoded one does, so that
/// an issuer can have one.
fn read_label(label: &str) -> Result<(Option<String>, String), Error> {
    let encoded_colon = || label.to_ascii_lowercase().find("%3a");
    let (issuer, account) = match label.find(':').map(|at| (at, 1)).or_else(|| encoded_colon().map(|at| (at, 3))) {
        Some((at, length)) => {
            (label.get(..at).unwrap_or_default(), label.get(at.saturating_add(length)..).unwrap_or_default())
        }
        None => ("", label),
    };
    let decoded = |part: &str| -> Result<String, Error> {
        let text = decode(part).ok_or_else(|| Error::PercentEncoding { place: "label".to_owned() })?;
        short_text(text.trim(), "label")
    };
    let issuer = decoded(issuer)?;
    Ok((Some(issuer).filter(|issuer| !issuer.is_empty()), decoded(account)?))
}

/// The parameters of a URI: names in lower case, values decoded.
struct Query(Vec<(&'static str, Zeroizing<String>)>);

impl Query {
    const NAMES: [&str; 6] = ["secret", "issuer", "algorithm", "digits", "period", "counter"];

    fn parse(query: &str, warnings: &mut Vec<Warning>) -> Result<Self, Error> {
        let mut taken = Self(Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // `&amp;` from a page's source.
            let pair = pair.strip_prefix("amp;").unwrap_or(pair);
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(known) = Self::NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name)) else {
                warnings.push(Warning::UnknownParameter { name: harmless(name) });
                continue;
            };
            let value = match decode(value) {
                Some(value) => Zeroizing::new(value.into_owned()),
                None => return Err(Error::PercentEncoding { place: known.to_owned() }),
            };
            match taken.get(known) {
                None => taken.0.push((known, value)),
                Some(first) if first == value.as_str() => {}
                Some(_) if known == "issuer" => warnings.push(Warning::RepeatedParameter { name: known.to_owned() }),
                Some(_) => return Err(Error::RepeatedParameter { name: known }),
            }
        }
        Ok(taken)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

fn settle_issuer(
    label: Option<String>,
    parameter: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<String>, Error> {
    let Some(parameter) = parameter.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(label);
    };
    let parameter = short_text(parameter, "issuer")?;
    match label {
        // RFC 3986 leaves `+` a plus; forms write spaces so. The label tells which it was.
        Some(label) if parameter.replace('+', " ") == label => Ok(Some(label)),
        Some(label) if label != parameter => {
            warnings.push(Warning::IssuersDisagree { label, parameter: parameter.clone() });
            Ok(Some(parameter))
        }
        _ => Ok(Some(parameter)),
    }
}

fn short_text(text: &str, place: &'static str) -> Result<String, Error> {
    if text.chars().count() > MAX_TEXT {
        return Err(Error::TextTooLong { place, limit: MAX_TEXT });
    }
    // Control characters of a label could steer the terminal that shows it.
    if text.chars().any(char::is_control) {
        return Err(Error::ControlCharacter { place });
    }
    Ok(text.to_owned())
}

/// Percent-decoded UTF-8; a `%` without two hexadecimal digits is `None`, not a literal `%`.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    let whole = text.split('%').skip(1).all(|after| {
        after.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    whole.then(|| percent_decode_str(text).decode_utf8().ok()).flatten()
}

fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A parameter's name for a warning: short, and nothing that a terminal would act on.
fn harmless(name: &str) -> String {
    // A secret in the wrong place is not repeated.
    if name.len() >= 16 && base32::parse(name).is_ok() {
        return "…".to_owned();
    }
    name.chars().take(32).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
