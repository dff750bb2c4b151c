//! KeePass: databases in KDBX 4 (KeePass 2, KeePassXC, KeePassDX, Strongbox), documented at keepass.info/help/kb/kdbx.html.
//!
//! A reader of its own. The crate `keepass` derives the key before anybody can look at what that costs, unpacks without a
//! bound, brings a second Argon2, a library of dates and one of URLs, and builds the whole database to take a few strings
//! of it.

mod body;
mod header;
mod otp;
mod tree;

use zeroize::Zeroizing;

use self::header::Header;
use crate::exchange::kdbx::SIGNATURE;
use crate::exchange::{Entries, Error, Export, Importer, Input, Locked};

pub(super) const IMPORTER: Importer = Importer { id: "kdbx", title: "a KeePass database", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    input.bytes.starts_with(&SIGNATURE) || input.bytes.starts_with(&header::SIGNATURE_1)
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let (header, body) = Header::read(input.bytes)?;
    Ok(Export::Locked(Box::new(Database { header, body: body.to_vec() })))
}

/// A database whose outer header has been read.
struct Database {
    header: Header,
    /// What follows the header: its HMAC and the blocks.
    body: Vec<u8>,
}

impl Locked for Database {
    fn unlock(&self, password: &[u8]) -> Result<Entries, Error> {
        let keys = self.header.keys(password)?;
        let content: Zeroizing<Vec<u8>> = body::open(&self.header, &keys, &self.body)?;
        tree::entries(&content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that decrypts can still be hostile: its author knew the password.
    #[test]
    fn what_is_inside_cut_off_or_changed_gives_an_answer() {
        for file in ["everywhere", "groups", "aes-kdf-salsa20"] {
            let path = format!("{}/vectors/exchange/kdbx/{file}.kdbx", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            let (header, body) = Header::read(&bytes).unwrap();
            let content = body::open(&header, &header.keys(b"correct horse").unwrap(), body).unwrap();
            assert!(tree::entries(&content).unwrap().count() > 0);
            for at in (0..content.len()).step_by(17) {
                let _ = tree::entries(&content[..at]);
                let mut changed = content.to_vec();
                changed[at] ^= 0x15;
                let _ = tree::entries(&changed);
            }
        }
    }
}
