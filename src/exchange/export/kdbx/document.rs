//! The XML of a database: a group in a group for each of an entry's groups, and entries with their one-time password.
//!
//! `otp` has an otpauth URI, as KeePassXC writes it and others read it. Counters are KeePass's own (`HmacOtp-…`): the
//! others have none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20::ChaCha20;
use chacha20::cipher::StreamCipher as _;
use zeroize::Zeroizing;

use crate::exchange::exporter::{Request, moving, title, unfit};
use crate::exchange::{Entry, Error};
use crate::oath::{Algorithm, Digits};
use crate::provision::uri;

/// The seconds from the year 1, when the format's times begin, to the Unix epoch.
const YEAR_1: u64 = 62_135_596_800;

/// The longest period of KeePassXC, a day.
const LONGEST: u64 = 86_400;

/// What an entry has around its names and its secret, in bytes, at most.
const AROUND: usize = 1024;

/// The document, its protected values encrypted by `stream` in their order.
pub(super) fn of(entries: &[Entry], request: &Request<'_>, stream: ChaCha20) -> Result<Zeroizing<String>, Error> {
    let sizes = entries.iter().map(|entry| {
        let names: usize = entry.groups.iter().map(|group| group.len().saturating_add(AROUND)).sum();
        // Its names as they are, and as the URI has them; base64.
        names.saturating_add(uri::format(&entry.enrolment).len().saturating_mul(4)).saturating_add(AROUND)
    });
    let room = sizes.fold(AROUND, usize::saturating_add);
    let modified = STANDARD.encode(request.now.saturating_add(YEAR_1).to_le_bytes());
    let mut document = Document { text: Zeroizing::new(String::with_capacity(room)), request, stream, modified };
    document.text.push_str("<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n");
    document.within("KeePassFile", |document| {
        document.within("Meta", |document| {
            document.leaf("Generator", "vmfa");
            document.leaf("DatabaseName", "vmfa");
            document.leaf("RecycleBinEnabled", "False");
            Ok(())
        })?;
        document.within("Root", |document| {
            let all: Vec<(usize, &Entry)> = entries.iter().enumerate().collect();
            document.group("vmfa", &all, 0)
        })
    })?;
    Ok(document.text)
}

struct Document<'a> {
    text: Zeroizing<String>,
    request: &'a Request<'a>,
    stream: ChaCha20,
    /// When all of it was made.
    modified: String,
}

impl Document<'_> {
    /// A group at a depth, with these entries: those that belong in it, and a group for each further group of the
    /// others.
    fn group(&mut self, name: &str, entries: &[(usize, &Entry)], depth: usize) -> Result<(), Error> {
        self.within("Group", |document| {
            document.head()?;
            document.leaf("Name", name);
            document.times()?;
            let next = |entry: &Entry| entry.groups.get(depth).cloned();
            let mut names = Vec::new();
            for (place, entry) in entries {
                match next(entry) {
                    None => document.entry(*place, entry)?,
                    Some(name) if !names.contains(&name) => names.push(name),
                    Some(_) => {}
                }
            }
            for name in names {
                let within = entries.iter().copied().filter(|(_, entry)| next(entry).as_ref() == Some(&name));
                document.group(&name, &within.collect::<Vec<_>>(), depth.saturating_add(1))?;
            }
            Ok(())
        })
    }

    fn entry(&mut self, place: usize, entry: &Entry) -> Result<(), Error> {
        self.within("Entry", |document| {
            document.head()?;
            document.times()?;
            document.string("Title", title(entry))?;
            document.string("UserName", &entry.enrolment.account)?;
            match moving(entry) {
                (_, Some(counter)) => document.counter(place, entry, counter),
                (Some(period), None) if period > LONGEST => Err(unfit(place, "KeePassXC has periods of at most a day")),
                _ => document.protected("otp", &otp(entry)),
            }
        })
    }

    fn counter(&mut self, place: usize, entry: &Entry, counter: u64) -> Result<(), Error> {
        let parameters = entry.enrolment.parameters;
        if parameters.digits != Digits::SIX || parameters.algorithm != Algorithm::Sha1 {
            return Err(unfit(place, "KeePass has counter-based codes (HOTP) of 6 digits by SHA-1 only"));
        }
        self.protected("HmacOtp-Secret-Base32", &entry.enrolment.secret.to_base32())?;
        self.string("HmacOtp-Counter", &counter.to_string())
    }

    fn head(&mut self) -> Result<(), Error> {
        let id = STANDARD.encode(self.request.bytes::<16>()?);
        self.leaf("UUID", &id);
        Ok(())
    }

    fn times(&mut self) -> Result<(), Error> {
        self.within("Times", |document| {
            let modified = document.modified.clone();
            for name in ["CreationTime", "LastModificationTime", "LastAccessTime", "LocationChanged", "ExpiryTime"] {
                document.leaf(name, &modified);
            }
            document.leaf("Expires", "False");
            document.leaf("UsageCount", "0");
            Ok(())
        })
    }

    fn string(&mut self, key: &str, value: &str) -> Result<(), Error> {
        self.within("String", |document| {
            document.leaf("Key", key);
            document.leaf("Value", value);
            Ok(())
        })
    }

    /// A string whose value is encrypted once more.
    fn protected(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let mut bytes = Zeroizing::new(value.as_bytes().to_vec());
        self.stream.try_apply_keystream(&mut bytes).map_err(|_| Error::damaged("it can't be encrypted"))?;
        self.within("String", |document| {
            document.leaf("Key", key);
            document.text.push_str("<Value Protected=\"True\">");
            document.text.push_str(&STANDARD.encode(&*bytes));
            document.text.push_str("</Value>");
            Ok(())
        })
    }

    fn within(&mut self, name: &str, fill: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        ["<", name, ">"].iter().for_each(|part| self.text.push_str(part));
        fill(self)?;
        ["</", name, ">"].iter().for_each(|part| self.text.push_str(part));
        Ok(())
    }

    fn leaf(&mut self, name: &str, value: &str) {
        ["<", name, ">"].iter().for_each(|part| self.text.push_str(part));
        for character in value.chars() {
            match character {
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '&' => self.text.push_str("&amp;"),
                // XML 1.0, section 2.2, has neither, not even escaped.
                '\u{fffe}' | '\u{ffff}' => self.text.push('\u{fffd}'),
                control if control.is_control() => self.text.push('\u{fffd}'),
                other => self.text.push(other),
            }
        }
        ["</", name, ">"].iter().for_each(|part| self.text.push_str(part));
    }
}

/// The URI as KeePassXC has it: it knows Steam Guard by the encoder alone.
fn otp(entry: &Entry) -> Zeroizing<String> {
    const STEAM: &str = "otpauth://steam/";
    let uri = uri::format(&entry.enrolment);
    let Some(rest) = uri.strip_prefix(STEAM) else { return uri };
    let mut by_encoder = Zeroizing::new(String::with_capacity(uri.len().saturating_add(64)));
    ["otpauth://totp/", rest, "&period=30&digits=5&encoder=steam"].iter().for_each(|part| by_encoder.push_str(part));
    by_encoder
}
