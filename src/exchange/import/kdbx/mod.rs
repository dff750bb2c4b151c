//! KeePass: databases in KDBX 3.1 and 4 (KeePass 2, KeePassXC, KeePassDX, Strongbox), documented at
//! keepass.info/help/kb/kdbx.html.
//!
//! A reader of its own. The crate `keepass` derives the key before anybody can look at what that costs, unpacks without a
//! bound, brings a second Argon2, a library of dates and one of URLs, and builds the whole database to take a few strings
//! of it.

mod body;
mod header;
mod key_file;
mod old;
mod otp;
mod tree;

use zeroize::Zeroizing;

use self::header::Header;
use crate::exchange::kdbx::{SIGNATURE, composite};
use crate::exchange::{Entries, Error, Export, Importer, Input, Locked};

pub(super) const IMPORTER: Importer = Importer { id: "kdbx", title: "a KeePass database", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    input.bytes.starts_with(&SIGNATURE) || input.bytes.starts_with(&header::SIGNATURE_1)
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    Ok(Export::Locked(Box::new(database(input.bytes)?)))
}

/// Reads what stands before the encryption.
fn database(bytes: &[u8]) -> Result<Database, Error> {
    if header::version(bytes)? == 3 {
        return Ok(Database::Old(Box::new(old::Database::read(bytes)?)));
    }
    let (header, body) = Header::read(bytes)?;
    Ok(Database::New { header: Box::new(header), body: body.to_vec() })
}

/// A database whose outer header has been read.
enum Database {
    /// KDBX 4.
    New {
        header: Box<Header>,
        /// What follows the header: its HMAC and the blocks.
        body: Vec<u8>,
    },
    /// KDBX 3.1.
    Old(Box<old::Database>),
}

impl Database {
    /// What is encrypted.
    fn content(&self, composite: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self {
            Self::New { header, body } => body::open(header, &header.keys(composite)?, body),
            Self::Old(database) => database.open(composite),
        }
    }

    fn entries(&self, content: &[u8]) -> Result<Entries, Error> {
        match self {
            Self::New { .. } => tree::entries(content),
            Self::Old(database) => database.entries(content),
        }
    }
}

impl Locked for Database {
    fn unlock(&self, password: &[u8]) -> Result<Entries, Error> {
        self.entries(&self.content(&composite(Some(password), None))?)
    }

    fn unlock_with_key(&self, password: Option<&[u8]>, key_file: &[u8]) -> Result<Entries, Error> {
        let key = key_file::key(key_file)?;
        self.entries(&self.content(&composite(password, Some(&key)))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that decrypts can still be hostile: its author knew the password.
    #[test]
    fn what_is_inside_cut_off_or_changed_gives_an_answer() {
        for file in ["everywhere", "groups", "aes-kdf-salsa20", "old-groups"] {
            let path = format!("{}/vectors/exchange/kdbx/{file}.kdbx", env!("CARGO_MANIFEST_DIR"));
            let database = database(&std::fs::read(path).unwrap()).unwrap();
            let content = database.content(&composite(Some(b"correct horse"), None)).unwrap();
            assert!(database.entries(&content).unwrap().count() > 0);
            for at in (0..content.len()).step_by(17) {
                let _ = database.entries(&content[..at]);
                let mut changed = content.to_vec();
                changed[at] ^= 0x15;
                let _ = database.entries(&changed);
            }
        }
    }
}
