//! FreeOTP+ (Android): its JSON export. Secrets are lists of signed bytes, as Java has them.

use serde_json::Value;
use zeroize::Zeroizing;

use super::entry::{Fields, whose};
use crate::exchange::json::{items, number_if_any, text, text_if_any};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};
use crate::secret::Secret;

pub(super) const IMPORTER: Importer = Importer { id: "freeotp-plus", title: "a FreeOTP+ export", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    let json = input.json.as_ref().map(|json| json.value());
    json.is_some_and(|json| json.get("tokens").is_some() && json.get("tokenOrder").is_some())
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let mut found = Entries::default();
    for token in items(json.value().get("tokens"), "tokens")? {
        found.push(whose(issuer(token), label(token)), read_token(token));
    }
    Ok(Export::Plain(found))
}

/// What the user made of it, else the URI's parameter, else its label.
fn issuer(token: &Value) -> Option<&str> {
    first(token, &["issuerAlt", "issuerInt", "issuerExt"])
}

fn label(token: &Value) -> Option<&str> {
    first(token, &["labelAlt", "label"])
}

fn first<'a>(token: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().filter_map(|key| text(token, key)).find(|text| !text.trim().is_empty())
}

fn read_token(token: &Value) -> Result<Entry, Flaw> {
    // The app goes by this name alone.
    let steam = [Some("Steam")].contains(&text(token, "issuerExt"));
    let fields = Fields {
        issuer: issuer(token),
        account: label(token),
        kind: if steam { Some("steam") } else { text_if_any(token, "type", "type")? },
        algorithm: text_if_any(token, "algo", "algorithm")?,
        digits: number_if_any(token, "digits", "number of digits")?,
        period: number_if_any(token, "period", "period")?,
        counter: counter(token)?,
        groups: Vec::new(),
    };
    fields.with_bytes(std::mem::take(&mut *secret(token)?))
}

/// The counter of the next code. The app keeps one less than a URI says, and shows the code of that number first; so -1 stands for
/// a URI's 0.
fn counter(token: &Value) -> Result<Option<u64>, Flaw> {
    match token.get("counter").and_then(Value::as_i64) {
        Some(-1) => Ok(Some(0)),
        _ => number_if_any(token, "counter", "counter"),
    }
}

fn secret(token: &Value) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    let bytes = token.get("secret").ok_or(Flaw::Missing("secret"))?.as_array().ok_or(Flaw::Invalid("secret"))?;
    if bytes.len() > Secret::MAX_BYTES {
        return Err(Flaw::Invalid("secret"));
    }
    // Room from the start: a growing list leaves copies of the secret behind.
    let mut secret = Zeroizing::new(Vec::with_capacity(bytes.len()));
    for byte in bytes {
        let byte = byte.as_i64().and_then(|byte| i8::try_from(byte).ok()).ok_or(Flaw::Invalid("secret"))?;
        secret.push(byte.cast_unsigned());
    }
    Ok(secret)
}
