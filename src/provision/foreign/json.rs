//! JSON of other programs, told by the keys that each has and no other.

use serde_json::Value;

use super::Foreign;
use crate::provision::uri;

/// Which program's JSON this is; anything unknown is other JSON.
pub(in crate::provision) fn of_json(value: &Value) -> Foreign {
    let has = |key: &str| value.get(key).is_some();
    let is_array = |key: &str| value.get(key).is_some_and(Value::is_array);
    // A backup may be a list of accounts, each with its own keys.
    let first = value.as_array().and_then(|items| items.first()).unwrap_or(&Value::Null);
    let each_has = |keys: &[&str]| keys.iter().all(|key| first.get(key).is_some());
    if has("db") && has("header") {
        return if value.get("db").is_some_and(Value::is_string) { Foreign::AegisEncrypted } else { Foreign::Aegis };
    }
    if has("servicesEncrypted") || (is_array("services") && has("schemaVersion")) {
        return Foreign::TwoFas;
    }
    if has("encrypted") && (has("encKeyValidation_DO_NOT_EDIT") || has("kdfIterations") || has("data")) {
        return Foreign::BitwardenEncrypted;
    }
    if has("encrypted") && is_array("items") {
        return Foreign::Bitwarden;
    }
    if has("encrypted") && has("vaults") {
        return Foreign::ProtonPass;
    }
    let of_proton =
        |entry: &Value| entry.pointer("/content/entry_type").is_some() || entry.pointer("/content/uri").is_some();
    let entries = value.get("entries").and_then(Value::as_array);
    if entries.is_some_and(|entries| entries.first().is_none_or(of_proton)) || (has("salt") && has("content")) {
        return Foreign::ProtonAuthenticator;
    }
    if has("kdfParams") && has("encryptedData") {
        return Foreign::EnteEncrypted;
    }
    if is_array("Authenticators") {
        return Foreign::Stratum;
    }
    if is_array("tokens") && has("tokenOrder") {
        return Foreign::FreeOtpPlus;
    }
    if has("localDeviceId") || (is_array("accounts") && has("deviceId")) {
        return Foreign::LastPass;
    }
    if is_array("authenticator_tokens") {
        return Foreign::Authy;
    }
    if has("exporterRpId") || (is_array("accounts") && value.pointer("/version/major").is_some()) {
        return Foreign::CredentialExchange;
    }
    if each_has(&["otpGenerator"]) {
        return Foreign::Duo;
    }
    if each_has(&["secret", "kind", "timer"]) {
        return Foreign::Raivo;
    }
    if each_has(&["secret", "label", "type"]) {
        return Foreign::AndOtp;
    }
    let of_extension = |entry: &Value| ["secret", "hash", "index"].iter().all(|key| entry.get(key).is_some());
    if value.as_object().is_some_and(|entries| entries.values().any(of_extension)) {
        return Foreign::BrowserExtension;
    }
    Foreign::OtherJson { has_uri: has_uri(value, 0) }
}

fn has_uri(value: &Value, depth: u8) -> bool {
    const DEEPEST: u8 = 8;
    let deeper = |value: &Value| depth < DEEPEST && has_uri(value, depth.saturating_add(1));
    match value {
        Value::String(text) => uri::is_uri(text),
        Value::Array(items) => items.iter().any(deeper),
        Value::Object(object) => object.values().any(deeper),
        _ => false,
    }
}
