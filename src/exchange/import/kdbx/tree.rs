//! The inside of a database: the inner header, and the XML with groups and entries.

use std::collections::BTreeMap;

use chacha20::ChaCha20;
use chacha20::cipher::StreamCipher as _;
use salsa20::Salsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::otp;
use crate::exchange::bytes::Bytes;
use crate::exchange::import::groups;
use crate::exchange::kdbx::{self, STREAM_CHACHA20, inner};
use crate::exchange::xml::{self, Attributes, Visitor};
use crate::exchange::{Entries, Error, MOST_ENTRIES, encoding};

/// The UUID that says: no recycle bin.
const NO_UUID: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

/// Reads the inner header and the XML behind it.
pub(super) fn entries(content: &[u8]) -> Result<Entries, Error> {
    let cut = || Error::damaged("its inner header is cut off");
    let mut rest = Bytes::new(content);
    let [mut stream, mut key] = [None; 2];
    loop {
        let id = rest.u8().ok_or_else(cut)?;
        let data = rest.sized_le().ok_or_else(cut)?;
        match id {
            inner::END => break,
            inner::STREAM => stream = Some(data),
            inner::KEY => key = Some(data),
            _ => {}
        }
    }
    of_xml(rest.rest(), stream.unwrap_or_default(), key.unwrap_or_default(), None)
}

/// Reads the XML, whose protected values are encrypted by a stream of this kind and key. The XML may have the hash of a
/// header that has no other check.
pub(super) fn of_xml(xml: &[u8], stream: &[u8], key: &[u8], header: Option<[u8; 32]>) -> Result<Entries, Error> {
    let stream = Stream::new(stream, key)?;
    let xml = std::str::from_utf8(xml).map_err(|_| Error::damaged("its XML is not UTF-8"))?;
    let mut walker = Walker::new(stream, header);
    xml::walk(xml, &mut walker)?;
    Ok(walker.found)
}

/// The cipher over protected values: one stream, through all of them in order.
enum Stream {
    Salsa20(Box<Salsa20>),
    ChaCha20(Box<ChaCha20>),
}

impl Stream {
    fn new(id: &[u8], key: &[u8]) -> Result<Self, Error> {
        const SALSA20_NONCE: [u8; 8] = [0xe8, 0x30, 0x09, 0x4b, 0x97, 0x20, 0x5d, 0x2a];
        let invalid = || Error::damaged("its inner header is not valid");
        match id {
            [2, 0, 0, 0] => {
                let key: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(key).into());
                let cipher = Salsa20::new_from_slices(key.as_slice(), &SALSA20_NONCE).map_err(|_| invalid())?;
                Ok(Self::Salsa20(Box::new(cipher)))
            }
            id if id == STREAM_CHACHA20 => {
                kdbx::stream(key).map(|cipher| Self::ChaCha20(Box::new(cipher))).ok_or_else(invalid)
            }
            _ => Err(invalid()),
        }
    }

    /// Decrypts the next value.
    fn open(&mut self, value: &str) -> Result<Zeroizing<String>, Error> {
        let broken = || Error::damaged("a protected value is not valid");
        let mut bytes = encoding::base64(value).ok_or_else(broken)?;
        let done = match self {
            Self::Salsa20(cipher) => cipher.try_apply_keystream(&mut bytes).is_ok(),
            Self::ChaCha20(cipher) => cipher.try_apply_keystream(&mut bytes).is_ok(),
        };
        let text = std::str::from_utf8(&bytes).ok().filter(|_| done).ok_or_else(broken)?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// A group that is open.
#[derive(Default)]
struct Group {
    name: String,
    /// Whether it is the recycle bin, or in it.
    deleted: bool,
}

struct Walker {
    stream: Stream,
    header: Option<[u8; 32]>,
    groups: Vec<Group>,
    has_bin: bool,
    bin: Option<String>,
    /// How many elements of history are open.
    history: usize,
    protected: bool,
    key: String,
    strings: BTreeMap<String, Zeroizing<String>>,
    found: Entries,
}

impl Walker {
    fn new(stream: Stream, header: Option<[u8; 32]>) -> Self {
        let (groups, strings) = (Vec::new(), BTreeMap::new());
        let (bin, key, found) = (None, String::new(), Entries::default());
        Self { stream, header, groups, has_bin: true, bin, history: 0, protected: false, key, strings, found }
    }

    fn take_entry(&mut self) -> Result<(), Error> {
        let strings = std::mem::take(&mut self.strings);
        if self.groups.last().is_some_and(|group| group.deleted) {
            return Ok(());
        }
        // The outermost group is the database itself.
        let groups = groups::named(self.groups.iter().skip(1).map(|group| group.name.as_str()));
        let found = otp::entries(&strings, &groups);
        if found.is_empty() {
            self.found.without = self.found.without.saturating_add(1);
        }
        for entry in found {
            self.found.push(otp::whose(&strings), entry);
        }
        if self.found.count().saturating_add(self.found.without) > MOST_ENTRIES {
            return Err(Error::TooMany { limit: MOST_ENTRIES });
        }
        Ok(())
    }
}

impl Visitor for Walker {
    fn open(&mut self, path: &[String], attributes: &Attributes<'_>) -> Result<(), Error> {
        match path.last().map(String::as_str) {
            Some("Group") => {
                let deleted = self.groups.last().is_some_and(|group| group.deleted);
                self.groups.push(Group { name: String::new(), deleted });
            }
            Some("History") => self.history = self.history.saturating_add(1),
            Some("Value") => {
                self.protected = attributes.get("Protected").is_some_and(|value| value.eq_ignore_ascii_case("true"));
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, path: &[String], text: &str) -> Result<(), Error> {
        let mut from_last = path.iter().rev().map(String::as_str);
        match (from_last.next(), from_last.next()) {
            (Some("HeaderHash"), Some("Meta")) => {
                if let Some(hash) = self.header
                    && encoding::base64(text).is_none_or(|told| told.as_slice() != hash)
                {
                    return Err(Error::damaged("its header fails its check"));
                }
            }
            (Some("RecycleBinEnabled"), Some("Meta")) => self.has_bin = !text.trim().eq_ignore_ascii_case("false"),
            (Some("RecycleBinUUID"), Some("Meta")) => {
                self.bin = Some(text.trim().to_owned()).filter(|uuid| self.has_bin && uuid != NO_UUID);
            }
            (Some("UUID"), Some("Group")) if self.bin.as_deref() == Some(text.trim()) => {
                if let Some(group) = self.groups.last_mut() {
                    group.deleted = true;
                }
            }
            (Some("Name"), Some("Group")) => {
                if let Some(group) = self.groups.last_mut() {
                    text.trim().clone_into(&mut group.name);
                }
            }
            (Some("Key"), Some("String")) => text.clone_into(&mut self.key),
            (Some("Value"), parent) => {
                // Values of the history aren't taken, but they move the stream on.
                let value = if self.protected { self.stream.open(text)? } else { Zeroizing::new(text.to_owned()) };
                if parent == Some("String") && self.history == 0 && otp::is_of_interest(&self.key) {
                    self.strings.insert(std::mem::take(&mut self.key), value);
                }
            }
            (Some("History"), _) => self.history = self.history.saturating_sub(1),
            (Some("Entry"), Some("Group")) => self.take_entry()?,
            (Some("Group"), _) => {
                self.groups.pop();
            }
            _ => {}
        }
        Ok(())
    }
}
