//! Bitwarden's JSON export, in clear text: a login a device, with the otpauth URI as its authenticator key.

use std::collections::HashMap;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::exchange::exporter::{Encryption, Exporter, Request, file_of, groups, moving, title, unfit};
use crate::exchange::{Entry, Error};
use crate::oath::Digits;
use crate::provision::uri;

pub(super) const EXPORTER: Exporter =
    Exporter { id: "bitwarden", title: "a Bitwarden export", encryption: Encryption::Never, write };

fn write(entries: &[Entry], request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut ids = HashMap::new();
    let mut folders = Vec::new();
    for group in groups(entries) {
        let id = request.uuid()?;
        folders.push(json!({ "id": id, "name": group }));
        ids.insert(group, id);
    }
    let items = entries.iter().enumerate().map(|(place, entry)| {
        let folder = entry.groups.first().and_then(|group| ids.get(group.as_str()));
        item(place, entry, folder, request)
    });
    let items = items.collect::<Result<Vec<Value>, Error>>()?;
    file_of(json!({ "encrypted": false, "folders": folders, "items": items }))
}

fn item(place: usize, entry: &Entry, folder: Option<&String>, request: &Request<'_>) -> Result<Value, Error> {
    if moving(entry).1.is_some() {
        return Err(unfit(place, "Bitwarden has no counter-based codes (HOTP)"));
    }
    let enrolment = &entry.enrolment;
    // Bitwarden's own form for Steam Guard.
    let key = match enrolment.parameters.digits {
        Digits::STEAM => Zeroizing::new(format!("steam://{}", enrolment.secret.to_base32().as_str())),
        _ => uri::format(enrolment),
    };
    let login = json!({ "uris": [], "username": enrolment.account, "password": null, "totp": key.as_str() });
    Ok(json!({
        "id": request.uuid()?, "organizationId": null, "folderId": folder, "collectionIds": null,
        "type": 1, "name": title(entry), "notes": null, "favorite": false, "fields": [], "login": login,
    }))
}
