//! KeePass: databases in KDBX 4 (KeePass 2, KeePassXC, KeePassDX, Strongbox), documented at keepass.info/help/kb/kdbx.html.
//!
//! A reader of its own. The crate `keepass` derives the key before anybody can look at what that costs, unpacks without a
//! bound, brings a third generation of the ciphers that are here already, and builds a tree of the whole database to
//! take a few strings of it.

mod body;
mod header;
mod otp;
mod tree;

use zeroize::Zeroizing;

use self::header::Header;
use crate::exchange::{Entries, Error, Export, Importer, Input, Locked};

pub(super) const IMPORTER: Importer = Importer { id: "kdbx", title: "a KeePass database", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    input.bytes.starts_with(&header::SIGNATURE) || input.bytes.starts_with(&header::SIGNATURE_1)
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
