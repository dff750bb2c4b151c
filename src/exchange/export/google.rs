//! A page of QR codes that Google Authenticator imports ("Transfer accounts"), and so do many other apps.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use prost::Message as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::page::{self, Figure, escaped};
use crate::exchange::exporter::{Encryption, Exporter, Request, unfit};
use crate::exchange::migration::{Account, Payload, SCHEME};
use crate::exchange::{Entry, Error};
use crate::oath::{Algorithm, MovingFactor};
use crate::provision::draw::Drawing;
use crate::time::Period;

pub(super) const EXPORTER: Exporter = Exporter {
    id: "google",
    title: "a page of QR codes for Google Authenticator",
    encryption: Encryption::Never,
    write,
};

/// The version that every reader takes.
const VERSION: i32 = 1;

/// The most accounts of a QR code, as the app has it, and the most bytes: a code of more modules is hard to scan.
const MOST_ACCOUNTS: usize = 10;
const MOST_BYTES: usize = 600;

/// One QR code: its text, and the places of its entries.
struct Code {
    text: Zeroizing<String>,
    places: Vec<usize>,
}

fn write(entries: &[Entry], request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let codes = codes(entries, request)?;
    let figure = |(number, code): (usize, &Code)| {
        let first = code.places.first().copied().unwrap_or_default();
        let drawing = Drawing::new(&code.text).map_err(|_| unfit(first, "it is too long for a QR code"))?;
        let named = code.places.iter().filter_map(|place| entries.get(*place)).map(named);
        let heading = format!("{number} of {}", codes.len());
        Ok(Figure { drawing: drawing.to_svg(), heading, lines: named.collect() })
    };
    let figures = (1..).zip(&codes).map(figure).collect::<Result<Vec<_>, Error>>()?;
    let note = "In Google Authenticator: Transfer accounts, Import accounts. Scan all codes, the first one first. \
                Anybody who scans them has the secrets. Delete this page when it has served.";
    Ok(page::html(&figures, note, 2, 440))
}

fn named(entry: &Entry) -> String {
    let account = escaped(&entry.enrolment.account);
    entry
        .enrolment
        .issuer
        .as_deref()
        .map_or_else(|| account.clone(), |issuer| format!("{}: {account}", escaped(issuer)))
}

fn codes(entries: &[Entry], request: &Request<'_>) -> Result<Vec<Code>, Error> {
    let mut batches: Vec<(Vec<usize>, Payload)> = Vec::new();
    let mut bytes = 0_usize;
    for (place, entry) in entries.iter().enumerate() {
        let account = account(place, entry)?;
        bytes = bytes.saturating_add(account.len());
        match batches.last_mut().filter(|(places, _)| places.len() < MOST_ACCOUNTS && bytes <= MOST_BYTES) {
            Some((places, payload)) => {
                places.push(place);
                payload.accounts.push(account);
            }
            None => {
                bytes = account.len();
                let mut payload = Payload::default();
                payload.accounts.push(account);
                batches.push((vec![place], payload));
            }
        }
    }
    let batch_size = i32::try_from(batches.len()).unwrap_or(i32::MAX);
    // One that no other export has; readers expect it to be positive.
    let batch_id = i32::from_le_bytes(request.bytes()?) & i32::MAX;
    let code = |(batch_index, (places, mut payload)): (i32, (Vec<usize>, Payload))| {
        payload.version = VERSION;
        payload.batch_size = batch_size;
        payload.batch_index = batch_index;
        payload.batch_id = batch_id;
        Code { text: text(&payload), places }
    };
    Ok((0..).zip(batches).map(code).collect())
}

fn text(payload: &Payload) -> Zeroizing<String> {
    let bytes = Zeroizing::new(payload.encode_to_vec());
    let data = Zeroizing::new(STANDARD.encode(&*bytes));
    // Each byte becomes three at most.
    let mut text = Zeroizing::new(String::with_capacity(data.len().saturating_mul(3).saturating_add(64)));
    [SCHEME, "//offline?data="].iter().for_each(|part| text.push_str(part));
    text.extend(utf8_percent_encode(&data, NON_ALPHANUMERIC));
    text
}

/// An account as its message, encoded.
fn account(place: usize, entry: &Entry) -> Result<Vec<u8>, Error> {
    let enrolment = &entry.enrolment;
    let parameters = enrolment.parameters;
    if parameters.digits.is_steam() {
        return Err(unfit(place, "Google Authenticator has no Steam Guard codes"));
    }
    let digits = match parameters.digits.count() {
        6 => 1,
        8 => 2,
        _ => return Err(unfit(place, "Google Authenticator has codes of 6 and 8 digits only")),
    };
    let (kind, counter) = match parameters.factor {
        MovingFactor::Time { period } if period == Period::DEFAULT => (2, 0),
        MovingFactor::Time { .. } => return Err(unfit(place, "Google Authenticator has periods of 30 seconds only")),
        MovingFactor::Counter { next } => {
            (1, i64::try_from(next).map_err(|_| unfit(place, "its counter is too high for Google Authenticator"))?)
        }
    };
    let issuer = enrolment.issuer.clone().unwrap_or_default();
    // Readers take an issuer off the name that stands before a colon. Another one keeps it on.
    let repeats =
        !issuer.is_empty() && enrolment.account.strip_prefix(&issuer).is_some_and(|rest| rest.starts_with(':'));
    let name = if repeats { format!("{issuer}:{}", enrolment.account) } else { enrolment.account.clone() };
    let algorithm = match parameters.algorithm {
        Algorithm::Sha1 => 1,
        Algorithm::Sha256 => 2,
        Algorithm::Sha512 => 3,
    };
    let secret = enrolment.secret.expose().to_vec();
    let mut account = Account { secret, name, issuer, algorithm, digits, kind, counter };
    let bytes = account.encode_to_vec();
    account.secret.zeroize();
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Export, read};
    use crate::provision::{Limits, qr, uri};

    fn entries(uris: &[&str]) -> Vec<Entry> {
        uris.iter().map(|text| Entry::from(uri::parse(text).unwrap().enrolments.remove(0))).collect()
    }

    fn request() -> Request<'static> {
        let random = |bytes: &mut [u8]| {
            bytes.fill(0xa5);
            Ok(())
        };
        Request { password: None, random: Box::leak(Box::new(random)), now: 0 }
    }

    /// As a phone would: from the drawings.
    fn scanned(codes: &[Code]) -> String {
        let mut lines = String::new();
        for code in codes {
            let png = Drawing::new(&code.text).unwrap().to_png(4).unwrap();
            let read = qr::payloads(&png, &Limits::default()).unwrap();
            assert_eq!(read.len(), 1);
            lines.push_str(&read[0]);
            lines.push('\n');
        }
        lines
    }

    #[test]
    fn the_codes_come_back_as_they_went() {
        let mut uris = vec![
            "otpauth://totp/Example:alice%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example"
                .to_owned(),
            "otpauth://totp/carol?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK&algorithm=SHA256&digits=8".to_owned(),
            "otpauth://totp/A:A%3Ab?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK&issuer=A".to_owned(),
            "otpauth://hotp/Bank:dave?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR&issuer=Bank&counter=7&algorithm=SHA512"
                .to_owned(),
        ];
        uris.extend((0..8).map(|number| format!("otpauth://totp/u{number}?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK")));
        let all = entries(&uris.iter().map(String::as_str).collect::<Vec<_>>());
        let codes = codes(&all, &request()).unwrap();
        assert_eq!(codes.iter().map(|code| code.places.len()).collect::<Vec<_>>(), [10, 2]);
        let (importer, export) = read(scanned(&codes).as_bytes()).unwrap();
        let Export::Plain(back) = export else { panic!("locked") };
        assert_eq!((importer.id, back.entries), ("google", all.clone()));
        let page = String::from_utf8(write(&all, &request()).unwrap().to_vec()).unwrap();
        assert!(page.contains("<b>2 of 2</b>") && page.contains("Example: alice@example.com"), "{page}");
        assert!(!page.contains("otpauth") && !page.contains("MFRGGZ"), "{page}");
    }

    #[test]
    fn long_names_make_more_codes() {
        let long: Vec<String> = (0..10)
            .map(|number| format!("otpauth://totp/{}{number}?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK", "n".repeat(200)))
            .collect();
        let all = entries(&long.iter().map(String::as_str).collect::<Vec<_>>());
        let codes = codes(&all, &request()).unwrap();
        assert_eq!(codes.len(), 5);
        let (_, export) = read(scanned(&codes).as_bytes()).unwrap();
        assert!(matches!(export, Export::Plain(back) if back.entries == all));
    }

    #[test]
    fn what_the_app_does_not_have_is_refused() {
        for more in ["&digits=7", "&period=60", "&digits=10"] {
            let uri = format!("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK{more}");
            let told = write(&entries(&[&uri]), &request());
            assert!(matches!(told, Err(Error::Unfit { entry: 0, .. })), "{more}: {told:?}");
        }
        let steam = entries(&["otpauth://steam/Steam:frank?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LM&issuer=Steam"]);
        assert!(matches!(write(&steam, &request()), Err(Error::Unfit { .. })));
    }
}
