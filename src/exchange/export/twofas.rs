//! 2FAS's backup, schema 4, in clear text.

use std::collections::HashMap;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::exchange::exporter::{Encryption, Exporter, Request, file_of, groups, moving, title, unfit};
use crate::exchange::{Entry, Error};

pub(super) const EXPORTER: Exporter =
    Exporter { id: "2fas", title: "a 2FAS backup", encryption: Encryption::Never, write };

/// The periods that 2FAS offers, in seconds.
const PERIODS: [u64; 4] = [10, 30, 60, 90];

fn write(entries: &[Entry], request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut ids = HashMap::new();
    let mut listed = Vec::new();
    for group in groups(entries) {
        let id = request.uuid()?;
        listed.push(json!({ "id": id, "name": group, "isExpanded": true }));
        ids.insert(group, id);
    }
    let services = entries.iter().enumerate().map(|(place, entry)| {
        let group = entry.groups.first().and_then(|group| ids.get(group.as_str()));
        service(place, entry, group, request)
    });
    let services = services.collect::<Result<Vec<Value>, Error>>()?;
    file_of(json!({
        "schemaVersion": 4, "appVersionCode": 5_000_000, "appVersionName": "5.0.0", "appOrigin": "android",
        "updatedAt": milliseconds(request), "groups": listed, "services": services,
    }))
}

fn service(place: usize, entry: &Entry, group: Option<&String>, request: &Request<'_>) -> Result<Value, Error> {
    let enrolment = &entry.enrolment;
    let digits = enrolment.parameters.digits.count();
    if digits > 8 {
        return Err(unfit(place, "2FAS has codes of at most 8 digits"));
    }
    let (period, counter) = moving(entry);
    if period.is_some_and(|period| !PERIODS.contains(&period)) {
        return Err(unfit(place, "2FAS has periods of 10, 30, 60 and 90 seconds only"));
    }
    let otp = json!({
        "tokenType": enrolment.parameters.kind().to_ascii_uppercase(),
        "account": enrolment.account, "label": enrolment.account, "issuer": enrolment.issuer,
        "digits": digits, "period": period.unwrap_or(30), "counter": counter.unwrap_or(0),
        "algorithm": enrolment.parameters.algorithm.as_str(), "source": "Link",
    });
    Ok(json!({
        "name": title(entry), "secret": enrolment.secret.to_base32().as_str(), "otp": otp,
        "updatedAt": milliseconds(request), "order": { "position": place }, "groupId": group,
    }))
}

const fn milliseconds(request: &Request<'_>) -> u64 {
    request.now.saturating_mul(1000)
}
