//! The strings of an entry in which KeePass and its relatives keep one-time passwords.
//!
//! - `otp`: an otpauth URI (KeePassXC, KeeWeb, Strongbox), or `key=…&step=…&size=…` (KeeOtp, KeeOtp2)
//! - `TimeOtp-Secret-*` and `HmacOtp-Secret-*`: KeePass itself, since 2.47
//! - `TOTP Seed` and `TOTP Settings`: KeeTrayTOTP, and KeePassXC before 2.6

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::exchange::encoding;
use crate::exchange::import::entry::Fields;
use crate::exchange::import::login::Login;
use crate::exchange::{Entry, Flaw};
use crate::provision::uri;

/// The strings of an entry that [`is_of_interest`] names.
type Strings = BTreeMap<String, Zeroizing<String>>;

/// Whether a string is one that is looked at.
pub(super) fn is_of_interest(key: &str) -> bool {
    matches!(key, "Title" | "UserName" | "otp" | "TOTP Seed" | "TOTP Settings")
        || key.starts_with("TimeOtp-")
        || key.starts_with("HmacOtp-")
}

/// Whose an entry is, for a failure.
pub(super) fn whose(strings: &Strings) -> String {
    login(strings, &[]).whose(get(strings, "otp").unwrap_or_default())
}

/// The one-time passwords of an entry: mostly none or one; two where KeePass has one by time and one by counter.
pub(super) fn entries(strings: &Strings, groups: &[String]) -> Vec<Result<Entry, Flaw>> {
    let by_time = if let Some(text) = get(strings, "otp") {
        Some(of_otp(strings, groups, text))
    } else if has_secret(strings, "TimeOtp-Secret") {
        Some(of_keepass(strings, groups))
    } else {
        get(strings, "TOTP Seed").map(|seed| of_tray(strings, groups, seed))
    };
    let by_counter = has_secret(strings, "HmacOtp-Secret").then(|| of_counter(strings, groups));
    by_time.into_iter().chain(by_counter).collect()
}

/// A string that isn't empty.
fn get<'a>(strings: &'a Strings, key: &str) -> Option<&'a str> {
    strings.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn login<'a>(strings: &'a Strings, groups: &[String]) -> Login<'a> {
    Login { title: get(strings, "Title"), user: get(strings, "UserName"), groups: groups.to_vec() }
}

fn of_otp(strings: &Strings, groups: &[String], text: &str) -> Result<Entry, Flaw> {
    let login = login(strings, groups);
    if text.contains("key=") && !uri::is_uri(text) {
        return of_query(login.fields(), text);
    }
    login.entry(text)
}

/// `key=…&type=…&step=…&size=…&counter=…&otpHashMode=…&encoding=…`, percent-encoded.
fn of_query(fields: Fields<'_>, text: &str) -> Result<Entry, Flaw> {
    let mut values = BTreeMap::new();
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8().map_err(|_| Flaw::Invalid("otp"))?;
        values.insert(name.trim().to_ascii_lowercase(), Zeroizing::new(value.into_owned()));
    }
    let get = |name: &str| values.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let mut fields: Fields<'_> = fields;
    fields.kind = get("type").or_else(|| get("encoder").filter(|encoder| encoder.eq_ignore_ascii_case("steam")));
    fields.algorithm = get("otphashmode");
    fields.digits = number(get("size"), "number of digits")?;
    fields.period = number(get("step"), "period")?;
    fields.counter = number(get("counter"), "counter")?;
    let key = get("key").ok_or(Flaw::Missing("secret"))?;
    match get("encoding").unwrap_or("base32").to_ascii_lowercase().as_str() {
        "base32" => fields.with_base32(Some(key)),
        "hex" => with_encoded(fields, encoding::hex(key)),
        "base64" => with_encoded(fields, encoding::base64(key)),
        "utf8" => fields.with_bytes(key.as_bytes().to_vec()),
        _ => Err(Flaw::Invalid("encoding")),
    }
}

/// `PERIOD;DIGITS`, and `S` instead of digits for Steam.
fn of_tray(strings: &Strings, groups: &[String], seed: &str) -> Result<Entry, Flaw> {
    let mut fields = login(strings, groups).fields();
    let mut settings = get(strings, "TOTP Settings").unwrap_or("30;6").split(';').map(str::trim);
    fields.period = number(settings.next().filter(|period| !period.is_empty()), "period")?;
    match settings.next() {
        Some("S") => fields.kind = Some("steam"),
        digits => fields.digits = number(digits, "number of digits")?,
    }
    fields.with_base32(Some(seed))
}

fn of_keepass(strings: &Strings, groups: &[String]) -> Result<Entry, Flaw> {
    let mut fields = login(strings, groups).fields();
    fields.digits = number(get(strings, "TimeOtp-Length"), "number of digits")?;
    fields.period = number(get(strings, "TimeOtp-Period"), "period")?;
    fields.algorithm = get(strings, "TimeOtp-Algorithm");
    with_secret(fields, strings, "TimeOtp-Secret")
}

fn of_counter(strings: &Strings, groups: &[String]) -> Result<Entry, Flaw> {
    let mut fields = login(strings, groups).fields();
    fields.kind = Some("hotp");
    fields.counter = Some(number(get(strings, "HmacOtp-Counter"), "counter")?.unwrap_or(0));
    with_secret(fields, strings, "HmacOtp-Secret")
}

/// The encodings of a secret, by what follows its string's name. None is UTF-8.
const ENCODINGS: [&str; 4] = ["", "-Hex", "-Base32", "-Base64"];

fn has_secret(strings: &Strings, name: &str) -> bool {
    ENCODINGS.iter().any(|encoding| get(strings, &format!("{name}{encoding}")).is_some())
}

fn with_secret(fields: Fields<'_>, strings: &Strings, name: &str) -> Result<Entry, Flaw> {
    let secret = |encoding: &str| get(strings, &format!("{name}{encoding}"));
    if let Some(text) = secret("-Base32") {
        fields.with_base32(Some(text))
    } else if let Some(text) = secret("-Hex") {
        with_encoded(fields, encoding::hex(text))
    } else if let Some(text) = secret("-Base64") {
        with_encoded(fields, encoding::base64(text))
    } else {
        fields.with_bytes(secret("").unwrap_or_default().as_bytes().to_vec())
    }
}

fn with_encoded(fields: Fields<'_>, secret: Option<Zeroizing<Vec<u8>>>) -> Result<Entry, Flaw> {
    fields.with_bytes(secret.ok_or(Flaw::Invalid("secret"))?.to_vec())
}

fn number(text: Option<&str>, what: &'static str) -> Result<Option<u64>, Flaw> {
    text.map(|text| text.parse().map_err(|_| Flaw::Invalid(what))).transpose()
}
