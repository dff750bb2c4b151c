//! 2FAS (Android, iOS): its backup, `.2fas`, in schemas 1 to 4, in clear text or under a password.
//!
//! Encrypted, `servicesEncrypted` is three base64 texts with colons between them: AES-256-GCM of the services as JSON, the salt of
//! PBKDF2-SHA-256 (10,000 rounds), the nonce. `reference` is a text that is always the same, encrypted in the same way: it tells a
//! wrong password from a damaged file.

use serde_json::Value;
use zeroize::Zeroizing;

use super::entry::{Fields, whose};
use super::groups::Groups;
use crate::exchange::cipher::open_gcm;
use crate::exchange::encoding::base64;
use crate::exchange::json::{Json, items, number, number_if_any, text, text_if_any, version};
use crate::exchange::kdf::{Kdf, Prf};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};

pub(super) const IMPORTER: Importer = Importer { id: "2fas", title: "a 2FAS backup", recognizes, read };

const ROUNDS: u64 = 10_000;

/// The newest schema.
const NEWEST: u64 = 4;

struct Sealed {
    data: Zeroizing<Vec<u8>>,
    kdf: Kdf,
    nonce: Zeroizing<Vec<u8>>,
}

fn recognizes(input: &Input<'_>) -> bool {
    let json = input.json.as_ref().map(|json| json.value());
    json.is_some_and(|json| {
        json.get("schemaVersion").is_some()
            && (json.get("services").is_some() || json.get("servicesEncrypted").is_some())
    })
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let json = json.value();
    if number(json, "schemaVersion").is_none_or(|schema| !(1..=NEWEST).contains(&schema)) {
        return Err(Error::Version { version: version(json.get("schemaVersion")), known: "1 to 4" });
    }
    let groups = Groups::of(json.get("groups"), ["id", "name"], "groups")?;
    match text(json, "servicesEncrypted").filter(|encrypted| !encrypted.is_empty()) {
        Some(encrypted) => locked(encrypted, text(json, "reference"), groups),
        None => Ok(Export::Plain(entries(items(json.get("services"), "services")?, &groups))),
    }
}

fn locked(services: &str, reference: Option<&str>, groups: Groups) -> Result<Export, Error> {
    let services = sealed(services)?;
    // Without it, or with one that is damaged, the services themselves are all there is to try a password on.
    let reference = reference.and_then(|reference| sealed(reference).ok());
    Export::locked(move |password| {
        let Some(opened) = open(&services, password)? else {
            return Err(match &reference {
                Some(reference) if open(reference, password)?.is_some() => {
                    Error::damaged("its services fail their check")
                }
                Some(_) => Error::WrongPassword,
                None => Error::WrongPasswordOrDamaged,
            });
        };
        let services = Json::of_bytes(&opened).ok_or_else(|| Error::damaged("its decrypted content is not JSON"))?;
        Ok(entries(items(Some(services.value()), "services")?, &groups))
    })
}

fn sealed(text: &str) -> Result<Sealed, Error> {
    let mut parts = text.split(':').map(base64);
    match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten(), parts.next()) {
        (Some(data), Some(salt), Some(nonce), None) => {
            Ok(Sealed { data, kdf: Kdf::pbkdf2(Prf::Sha256, &salt, ROUNDS)?, nonce })
        }
        _ => Err(Error::damaged("its encrypted part is not three texts in base64")),
    }
}

fn open(sealed: &Sealed, password: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let key = sealed.kdf.derive(password, 32)?;
    Ok(open_gcm(&key, &sealed.nonce, b"", &sealed.data))
}

fn entries(services: &[Value], groups: &Groups) -> Entries {
    let mut found = Entries::default();
    for service in services {
        found.push(whose(issuer(service), account(service)), read_service(service, groups));
    }
    found
}

fn otp<'a>(service: &'a Value, key: &str) -> Option<&'a str> {
    service.get("otp").and_then(|otp| text(otp, key)).filter(|text| !text.trim().is_empty())
}

/// What the service said; else the name that the app shows, which people edit.
fn issuer(service: &Value) -> Option<&str> {
    // A service without an issuer is named after its account.
    otp(service, "issuer").or_else(|| text(service, "name").filter(|name| account(service) != Some(name)))
}

/// Older schemas have the whole label alone.
fn account(service: &Value) -> Option<&str> {
    otp(service, "account").or_else(|| {
        let label = otp(service, "label")?;
        Some(label.split_once(':').map_or(label, |(_, account)| account))
    })
}

fn read_service(service: &Value, groups: &Groups) -> Result<Entry, Flaw> {
    let otp = service.get("otp").unwrap_or(&Value::Null);
    let fields = Fields {
        issuer: issuer(service),
        account: account(service),
        // Schema 1 knows TOTP only.
        kind: text_if_any(otp, "tokenType", "type")?,
        algorithm: text_if_any(otp, "algorithm", "algorithm")?,
        digits: number_if_any(otp, "digits", "number of digits")?,
        period: number_if_any(otp, "period", "period")?,
        counter: number_if_any(otp, "counter", "counter")?,
        groups: groups.name(service.get("groupId")).into_iter().collect(),
    };
    fields.with_base32(text_if_any(service, "secret", "secret")?)
}
