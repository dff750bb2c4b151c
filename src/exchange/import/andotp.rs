//! andOTP (Android, no longer kept): its backup, in clear text or under a password, in the new encryption and the old one. cotp and
//! others write the plain form too.
//!
//! An encrypted file has no mark of any kind. New: rounds (4 bytes, big-endian), salt (12), then nonce (12) and AES-256-GCM under
//! a key by PBKDF2-SHA-1. Old: nonce and AES-256-GCM under SHA-256 of the password. OpenPGP files are neither.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::entry::{Fields, whose};
use crate::exchange::bytes::Bytes;
use crate::exchange::cipher::{NONCE, open_gcm};
use crate::exchange::json::{Json, items, number_if_any, text, text_if_any};
use crate::exchange::kdf::{Kdf, Prf};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};

pub(super) const IMPORTER: Importer = Importer { id: "andotp", title: "an andOTP backup", recognizes, read };

/// What stands before the nonce in the new encryption, in bytes: the rounds and the salt.
const ROUNDS: usize = 4;
const SALT: usize = 12;

/// The tag of AES-GCM, in bytes.
const TAG: usize = 16;

/// The rounds that the new encryption may have; the app draws 140,000 to 160,000. A file that begins with another number is in the
/// old one.
const USUAL_ROUNDS: std::ops::RangeInclusive<u64> = 1_000..=1_000_000;

/// What other binary files begin with. A backup's first bytes are random in the old encryption, so it is what is left.
const OTHERS: [&[u8]; 23] = [
    b"PK",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"BM",
    b"RIFF",
    b"II*\0",
    b"MM\0*",
    b"SQLite format",
    b"bplist",
    b"\xac\xed\0\x05",
    b"\x03\xd9\xa2\x9a",
    b"\x7fELF",
    b"age-encryption",
    b"AUTHENTICATORPRO",
    b"AuthenticatorPro",
];

/// The most that Pearson's chi-squared statistic of the bytes may be. Random bytes have 255, give or take 23.
const MOST_DEVIATION: u64 = 420;

fn recognizes(input: &Input<'_>) -> bool {
    match &input.json {
        Some(json) => json.value().as_array().is_some_and(|entries| {
            entries.iter().any(|entry| ["secret", "label", "type"].iter().all(|key| entry.get(key).is_some()))
        }),
        None => input.text.is_none() && may_be_encrypted(input.bytes),
    }
}

fn may_be_encrypted(bytes: &[u8]) -> bool {
    // The two bytes of `[]` at least.
    let least = NONCE.saturating_add(TAG).saturating_add(2);
    let media = bytes.get(4..8) == Some(b"ftyp");
    let other = media || OTHERS.iter().any(|other| bytes.starts_with(other));
    bytes.len() >= least && !other && looks_random(bytes)
}

/// Whether all bytes are about as frequent, as in a ciphertext and hardly anything else.
fn looks_random(bytes: &[u8]) -> bool {
    let mut counts = [0_u64; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let squares = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(count.saturating_mul(*count)));
    let length = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    // The sum of (count - expected)^2 / expected, where that many are expected of each: length / 256.
    squares.saturating_mul(256) <= length.saturating_mul(length.saturating_add(MOST_DEVIATION))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    match &input.json {
        Some(json) => Ok(Export::Plain(entries(json.value())?)),
        None => locked(input.bytes.to_vec()),
    }
}

fn locked(bytes: Vec<u8>) -> Result<Export, Error> {
    let new = new_encryption(&bytes);
    Export::locked(move |password| {
        let mut opened = match &new {
            Some(kdf) => open(&kdf.derive(password, 32)?, bytes.get(ROUNDS.saturating_add(SALT)..)),
            None => None,
        };
        if opened.is_none() {
            let key: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(password).into());
            opened = open(&*key, Some(&bytes));
        }
        let opened = opened.ok_or(Error::WrongPasswordOrDamaged)?;
        let json = Json::of_bytes(&opened).ok_or_else(|| Error::damaged("its decrypted content is not JSON"))?;
        entries(json.value())
    })
}

/// The key derivation that the file's beginning asks for, if it is in the new encryption.
fn new_encryption(bytes: &[u8]) -> Option<Kdf> {
    let mut bytes = Bytes::new(bytes);
    let rounds = u64::from(bytes.u32_be()?);
    let kdf = Kdf::pbkdf2(Prf::Sha1, bytes.take(SALT)?, rounds).ok()?;
    USUAL_ROUNDS.contains(&rounds).then_some(kdf)
}

fn open(key: &[u8], sealed: Option<&[u8]>) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed?.split_at_checked(NONCE)?;
    open_gcm(key, nonce, b"", sealed)
}

fn entries(json: &Value) -> Result<Entries, Error> {
    let mut found = Entries::default();
    for entry in items(Some(json), "entries")? {
        let (issuer, account) = names(entry);
        found.push(whose(issuer, account), read_entry(entry));
    }
    Ok(found)
}

/// Issuer and account; older versions have both in the label, with a dash between them.
fn names(entry: &Value) -> (Option<&str>, Option<&str>) {
    let label = text(entry, "label");
    match (entry.get("issuer"), label.and_then(|label| label.split_once(" - "))) {
        (None, Some((issuer, account))) => (Some(issuer), Some(account)),
        _ => (text(entry, "issuer"), label),
    }
}

fn read_entry(entry: &Value) -> Result<Entry, Flaw> {
    let (issuer, account) = names(entry);
    let tags = entry.get("tags").and_then(Value::as_array).into_iter().flatten();
    let fields = Fields {
        issuer,
        account,
        kind: Some(text(entry, "type").ok_or(Flaw::Missing("type"))?),
        algorithm: text_if_any(entry, "algorithm", "algorithm")?,
        digits: number_if_any(entry, "digits", "number of digits")?,
        period: number_if_any(entry, "period", "period")?,
        counter: number_if_any(entry, "counter", "counter")?,
        groups: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    fields.with_base32(text_if_any(entry, "secret", "secret")?)
}
