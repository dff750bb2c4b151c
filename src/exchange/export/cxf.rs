//! FIDO's Credential Exchange Format 1.0: one account of the exporter, an item a device, a `totp` credential in each.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::exchange::exporter::{Encryption, Exporter, Request, file_of, groups, moving, title, unfit};
use crate::exchange::{Entry, Error};
use crate::oath::Digits;

pub(super) const EXPORTER: Exporter =
    Exporter { id: "cxf", title: "a FIDO credential exchange file", encryption: Encryption::Never, write };

fn write(entries: &[Entry], request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut items = Vec::new();
    let mut ids = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let id = URL_SAFE_NO_PAD.encode(request.bytes::<16>()?);
        items.push(json!({
            "id": id, "creationAt": request.now, "modifiedAt": request.now,
            "title": title(entry), "credentials": [credential(place, entry)?],
        }));
        ids.push(id);
    }
    let mut collections = Vec::new();
    for group in groups(entries) {
        let within = entries.iter().zip(&ids).filter(|(entry, _)| entry.groups.iter().any(|own| own == group));
        let linked: Vec<Value> = within.map(|(_, id)| json!({ "item": id })).collect();
        let id = URL_SAFE_NO_PAD.encode(request.bytes::<16>()?);
        collections.push(json!({ "id": id, "title": group, "items": linked }));
    }
    let account = json!({
        "id": URL_SAFE_NO_PAD.encode(request.bytes::<16>()?), "username": "", "email": "",
        "collections": collections, "items": items,
    });
    file_of(json!({
        "version": { "major": 1, "minor": 0 }, "exporterRpId": "vmfa", "exporterDisplayName": "vmfa",
        "timestamp": request.now, "accounts": [account],
    }))
}

fn credential(place: usize, entry: &Entry) -> Result<Value, Error> {
    let enrolment = &entry.enrolment;
    let Some(period) = moving(entry).0 else {
        return Err(unfit(place, "the format has no counter-based codes (HOTP)"));
    };
    if enrolment.parameters.digits == Digits::STEAM {
        return Err(unfit(place, "the format has no Steam Guard codes"));
    }
    if period > u64::from(u8::MAX) {
        return Err(unfit(place, "the format has periods of at most 255 seconds"));
    }
    let fields = [
        ("type", json!("totp")),
        ("secret", json!(enrolment.secret.to_base32().as_str())),
        ("period", json!(period)),
        ("digits", json!(enrolment.parameters.digits.count())),
        ("algorithm", json!(enrolment.parameters.algorithm.as_str().to_ascii_lowercase())),
        ("username", json!(enrolment.account)),
    ];
    let issuer = enrolment.issuer.as_ref().map(|issuer| ("issuer", json!(issuer)));
    Ok(fields.into_iter().chain(issuer).map(|(name, value)| (name.to_owned(), value)).collect())
}
