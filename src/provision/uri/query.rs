//! The parameters of a URI: told apart, decoded, and read where it is clear what they say.

use zeroize::Zeroizing;

use super::text::{decode, harmless, whole_number};
use crate::name;
use crate::oath::{self, Algorithm, Digits};
use crate::provision::warning::warn_once;
use crate::provision::{Error, Unsupported, Warning, base32, tidy};
use crate::secret::Secret;
use crate::time::Period;

/// The parameters of the key URI format.
const NAMES: [&str; 6] = ["secret", "issuer", "algorithm", "digits", "period", "counter"];

/// What programs call them; and what the key URI format doesn't have: T0 of RFC 6238, and a clock that is off on purpose. No
/// app is known to write that, and it would change every code. A server's tolerance (`skew`, `window`) changes none.
const OTHER_NAMES: [(&str, &str); 19] = [
    ("algo", "algorithm"),
    ("alg", "algorithm"),
    ("hash", "algorithm"),
    ("digest", "algorithm"),
    ("digit", "digits"),
    ("length", "digits"),
    ("len", "digits"),
    ("interval", "period"),
    ("step", "period"),
    ("timestep", "period"),
    ("time_step", "period"),
    ("timer", "period"),
    ("t0", "T0"),
    ("epoch", "T0"),
    ("offset", "a time offset"),
    ("timeoffset", "a time offset"),
    ("time_offset", "a time offset"),
    ("drift", "a time offset"),
    ("timecorrection", "a time offset"),
];

/// What programs write where they have nothing to say.
const NOTHING: [&str; 6] = ["", "null", "undefined", "none", "nil", "nan"];

/// Steam Guard as a type, an encoder, an algorithm, a flag.
const STEAM: &str = "steam";

/// The parameters of a URI, names in lower case, values decoded.
pub(super) struct Query {
    known: Vec<(&'static str, Zeroizing<String>)>,
    others: Vec<(String, Zeroizing<String>)>,
}

/// Where the parameters begin: at the first `?` before the name of one, since labels have question marks too.
pub(super) fn split(rest: &str) -> (&str, &str) {
    let begins = |at: usize| rest.get(at.saturating_add(1)..).is_some_and(begins_with_name);
    let first = rest.find('?');
    let start = rest.match_indices('?').map(|(at, _)| at).find(|at| begins(*at)).or(first);
    match start.and_then(|at| rest.split_at_checked(at)) {
        Some((path, query)) => (path, query.get(1..).unwrap_or_default()),
        None => (rest, ""),
    }
}

/// A parameter that changes codes inside a text that is something else, which no issuer, account or secret has.
pub(super) fn inside(text: &str) -> Option<&'static str> {
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let has = |name: &&str| {
        lower
            .match_indices(name)
            .any(|(at, name)| lower.get(at.saturating_add(name.len())..).is_some_and(|rest| rest.starts_with('=')))
    };
    ["secret", "algorithm", "digits", "period", "counter"].into_iter().find(|name| has(name))
}

/// Whether a text begins with `NAME=` of the key URI format.
fn begins_with_name(text: &str) -> bool {
    // A name is short: without a limit, each character of the text would start a search through all of it.
    let head = text.char_indices().nth(32).map_or(text, |(end, _)| text.get(..end).unwrap_or_default());
    let name = head.trim_start_matches('&').trim_start().split_once('=').map_or("", |(name, _)| name.trim_end());
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Query {
    /// # Errors
    ///
    /// A parameter of the format twice with two values, behind a `#`, or not percent-encoded.
    pub(super) fn parse(query: &str, warnings: &mut Vec<Warning>) -> Result<Self, Error> {
        let mut taken = Self { known: Vec::new(), others: Vec::new() };
        for pair in parameters(query, warnings)? {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = name_of(name);
            let Some(known) = NAMES.into_iter().find(|known| *known == name) else {
                if let Some(inside) = inside(value) {
                    return Err(Error::Misplaced { name: inside, place: harmless(&name) });
                }
                let value = decode(value).map_or_else(|| value.to_owned(), |value| value.into_owned());
                let value = Zeroizing::new(value);
                taken.others.push((name, value));
                continue;
            };
            let value = plain_value(known, value, warnings)?;
            if let Some(inside) = inside(&value) {
                return Err(Error::Misplaced { name: inside, place: known.to_owned() });
            }
            match taken.get(known) {
                None => taken.known.push((known, value)),
                Some(first) if first == value.as_str() => {}
                Some(_) if known == "issuer" => warnings.push(Warning::RepeatedParameter { name: known.to_owned() }),
                Some(_) => return Err(Error::RepeatedParameter { name: known }),
            }
        }
        Ok(taken)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.known.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn issuer(&self, warnings: &mut Vec<Warning>) -> Option<&str> {
        let issuer = self.get("issuer")?;
        if issuer.eq_ignore_ascii_case("null") || issuer.eq_ignore_ascii_case("undefined") {
            let value = issuer.to_ascii_lowercase();
            warnings.push(Warning::DefaultTaken { name: "issuer", value, default: "none" });
            return None;
        }
        Some(issuer)
    }

    pub(super) fn secret(&self) -> Result<Secret, Error> {
        let text = self.get("secret").ok_or(Error::SecretMissing)?;
        // Each of these words is base32.
        let nothing = !text.is_empty() && NOTHING.iter().any(|word| word.eq_ignore_ascii_case(text));
        if nothing { Err(Error::SecretMissing) } else { base32::parse(text) }
    }

    /// A value that says something, else none and a warning of what is taken instead.
    fn said(&self, name: &'static str, default: &'static str, warnings: &mut Vec<Warning>) -> Option<&str> {
        let value = self.get(name)?;
        let Some(word) = NOTHING.into_iter().find(|word| word.eq_ignore_ascii_case(value)) else {
            return Some(value);
        };
        warnings.push(Warning::DefaultTaken { name, value: word.to_owned(), default });
        None
    }

    pub(super) fn algorithm(&self, warnings: &mut Vec<Warning>) -> Result<Algorithm, Error> {
        let Some(text) = self.said("algorithm", "SHA1", warnings) else {
            return Ok(Algorithm::Sha1);
        };
        // Steam Guard is no algorithm; the one under it is SHA-1.
        if text.eq_ignore_ascii_case(STEAM) {
            return Ok(Algorithm::Sha1);
        }
        let error = match text.parse() {
            Ok(algorithm) => return Ok(algorithm),
            Err(error) => error,
        };
        // `Algorithm.sha1` is how Dart writes an enumeration's value.
        let last = text.rsplit('.').next().and_then(|last| last.parse().ok());
        let algorithm = last.ok_or::<oath::Error>(error)?;
        warn_once(warnings, Warning::OddValue { name: "algorithm" });
        Ok(algorithm)
    }

    pub(super) fn digits(&self, warnings: &mut Vec<Warning>) -> Result<Digits, Error> {
        match self.said("digits", "6", warnings) {
            Some(text) => Ok(whole(text, "digits", warnings).parse()?),
            None => Ok(Digits::SIX),
        }
    }

    /// The digits of a Steam account, which it need not name.
    ///
    /// # Errors
    ///
    /// Another number than five.
    pub(super) fn steam_digits(&self) -> Result<Digits, Error> {
        match self.get("digits") {
            Some(text) if text != "5" && !NOTHING.iter().any(|word| word.eq_ignore_ascii_case(text)) => {
                Err(Error::NotSteam { name: "digits" })
            }
            _ => Ok(Digits::STEAM),
        }
    }

    pub(super) fn period(&self, warnings: &mut Vec<Warning>) -> Result<Period, Error> {
        let Some(text) = self.said("period", "30 s", warnings) else {
            return Ok(Period::DEFAULT);
        };
        let seconds = whole_number(whole(text, "period", warnings)).ok_or(Error::Period)?;
        // No clock has steps of 0 s. Google Authenticator passes the parameter over, and so its codes are the service's.
        if seconds == 0 {
            warnings.push(Warning::DefaultTaken { name: "period", value: "0".to_owned(), default: "30 s" });
            return Ok(Period::DEFAULT);
        }
        if (10_000..=600_000).contains(&seconds) && seconds.is_multiple_of(1_000) {
            warnings.push(Warning::LongPeriod { seconds });
        }
        Period::new(seconds).ok_or(Error::Period)
    }

    /// Whether a URI of that type says by itself that its codes are Steam Guard's: by type, encoder, algorithm or flag.
    pub(super) fn is_steam(&self, kind: &str) -> bool {
        let is = |value: Option<&str>| value.is_some_and(|value| value.trim().eq_ignore_ascii_case(STEAM));
        let flag = self.other(STEAM).map(str::to_ascii_lowercase);
        let set = flag.is_some_and(|value| value.is_empty() || !says_no(&value));
        is(Some(kind)) || is(self.other("encoder")) || is(self.get("algorithm")) || set
    }

    fn other(&self, name: &str) -> Option<&str> {
        self.others.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// What says that no code made here can be right.
    ///
    /// # Errors
    ///
    /// The kind of account that it is instead.
    pub(super) fn refuse_unsupported(&self, kind: &str) -> Result<(), Error> {
        let kind = kind.to_ascii_lowercase();
        let yes = |value: &str| matches!(value, "1" | "true" | "yes");
        let encoder = self.other("encoder").unwrap_or_default().trim().to_ascii_lowercase();
        let algorithm = self.get("algorithm").unwrap_or_default().to_ascii_lowercase();
        let is = |word: &str| kind == word || encoder == word || algorithm == word;
        let pin = self.other("pin").unwrap_or_default().to_ascii_lowercase();
        let unsupported =
            if is("yaotp") || is("yandex") || self.other("yandexpin").is_some() || self.other("pin_length").is_some() {
                Unsupported::Yandex
            } else if is("motp") {
                Unsupported::Motp
            } else if kind == "pipush" {
                Unsupported::Push
            } else if is("ocra") {
                Unsupported::Ocra
            } else if self.others.iter().any(|(name, _)| name.starts_with("2step")) {
                Unsupported::TwoStep
            } else if !says_no(&pin) && !yes(&pin) {
                // privacyIDEA's `pin=True` locks its app, and changes no code.
                Unsupported::Pin
            } else if !matches!(
                encoder.as_str(),
                "" | STEAM | "totp" | "hotp" | "otp" | "default" | "base32" | "decimal" | "numeric"
            ) {
                Unsupported::Encoder(harmless(&encoder))
            } else {
                return Ok(());
            };
        Err(Error::Unsupported(unsupported))
    }

    /// Warns of parameters that the format doesn't have.
    ///
    /// # Errors
    ///
    /// One that reads like a parameter of the format, and says something else than what was read.
    pub(super) fn other_parameters(
        &self,
        parameters: &oath::Parameters,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), Error> {
        for (name, value) in &self.others {
            if name == STEAM || (name == "encoder" && value.trim().eq_ignore_ascii_case(STEAM)) {
                continue;
            }
            if let Some(known) = meant(name)
                && !agrees(known, value, parameters)
            {
                return Err(Error::UnclearParameter { name: harmless(name), known });
            }
            warnings.push(Warning::UnknownParameter { name: harmless(name) });
        }
        Ok(())
    }
}

/// Whether a flag, in lower case, is off or says nothing.
fn says_no(value: &str) -> bool {
    NOTHING.contains(&value) || matches!(value, "0" | "false" | "no")
}

/// The single parameters of a query, without its fragment.
fn parameters<'a>(query: &'a str, warnings: &mut Vec<Warning>) -> Result<Vec<&'a str>, Error> {
    let (query, fragment) = query.split_once('#').map_or((query, None), |(query, fragment)| (query, Some(fragment)));
    if let Some(fragment) = fragment {
        let lower = Zeroizing::new(fragment.to_ascii_lowercase());
        if let Some(name) = NAMES.into_iter().find(|name| lower.contains(&format!("{name}="))) {
            return Err(Error::BehindFragment { name });
        }
        if !fragment.is_empty() {
            warnings.push(Warning::Fragment);
        }
    }
    let mut pairs = Vec::new();
    for part in query.split('&') {
        let mut start = 0;
        // A URL that isn't encoded has its own query.
        let url = part.split_once('=').is_some_and(|(_, value)| value.contains("://"));
        for (at, _) in part.match_indices('?').filter(|_| !url) {
            let after = at.saturating_add(1);
            if part.get(after..).is_some_and(begins_with_name) {
                pairs.extend(part.get(start..at));
                start = after;
                warn_once(warnings, Warning::QuestionMark);
            }
        }
        pairs.extend(part.get(start..));
    }
    pairs.retain(|pair| !pair.trim().is_empty());
    Ok(pairs)
}

/// A value, decoded; without blanks and quotation marks around it, and what takes no room.
fn plain_value(name: &'static str, value: &str, warnings: &mut Vec<Warning>) -> Result<Zeroizing<String>, Error> {
    // Forms write spaces as `+`, which no secret and no number has.
    let spaced = (name != "issuer" && value.contains('+')).then(|| Zeroizing::new(value.replace('+', " ")));
    if name == "secret" && spaced.is_some() {
        warnings.push(Warning::PlusInSecret);
    }
    let value = spaced.as_ref().map_or(value, |spaced| spaced.as_str());
    let decoded = decode(value).ok_or_else(|| Error::PercentEncoding { place: name.to_owned() })?;
    let mut value = Zeroizing::new(decoded.into_owned());
    if let Some(visible) = tidy::visible(&value) {
        warn_once(warnings, Warning::Invisible);
        value = visible;
    }
    let plain = value.trim();
    let plain = if name == "issuer" { plain } else { tidy::unquoted(plain).unwrap_or(plain) };
    if plain.len() != value.len() && !matches!(name, "issuer" | "secret") {
        warnings.push(Warning::OddValue { name });
    }
    Ok(Zeroizing::new(plain.to_owned()))
}

/// A parameter's name: decoded, in lower case, without blanks.
fn name_of(text: &str) -> String {
    let decoded = decode(text).map_or_else(|| text.to_owned(), |name| name.into_owned());
    let visible: String = decoded.chars().filter(|character| !tidy::is_invisible(*character)).collect();
    visible.trim_matches(|c: char| c.is_whitespace() || c == '+').to_ascii_lowercase()
}

/// Which parameter of the format somebody may have meant by another name.
fn meant(name: &str) -> Option<&'static str> {
    if let Some((_, known)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
        return Some(known);
    }
    let code_changing = ["algorithm", "digits", "period"];
    // `ampdigits`, `;digits`, `digits[]`: what an odd escape leaves of a separator.
    let inside = code_changing.iter().find(|known| name.contains(*known)).copied();
    inside.or_else(|| {
        name::nearest(name, code_changing).and_then(|near| code_changing.into_iter().find(|known| *known == near))
    })
}

/// Whether a value says what was read anyway.
fn agrees(known: &str, value: &str, parameters: &oath::Parameters) -> bool {
    let value = value.trim();
    match known {
        "algorithm" => value.parse() == Ok(parameters.algorithm),
        "digits" => value.parse() == Ok(parameters.digits),
        "period" => whole_number(value).and_then(Period::new) == parameters.period().ok(),
        _ => value.trim_start_matches(['+', '-']) == "0" || NOTHING.contains(&value.to_ascii_lowercase().as_str()),
    }
}

/// A number without the fraction that some languages write behind whole ones: `30.0`.
fn whole<'a>(text: &'a str, name: &'static str, warnings: &mut Vec<Warning>) -> &'a str {
    match text.split_once('.') {
        Some((number, zeros)) if !number.is_empty() && !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            warn_once(warnings, Warning::OddValue { name });
            number
        }
        _ => text,
    }
}
