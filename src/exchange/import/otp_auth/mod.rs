//! OTP Auth (iOS): its backup, `.otpauthdb`, version 1.1, as decrypt-otpauth-files of the app's author and decrypt-otpauth-ts
//! read it.
//!
//! The outside is AES-256-CBC under a key that everybody has, around a keyed archive with the version and `WrappedData`.
//! That is RNCryptor (version 3 of its format: PBKDF2, AES-256-CBC, HMAC) around a keyed archive of folders of accounts.

mod archive;
mod plist;

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use self::archive::{Archive, Node};
use super::entry::Fields;
use super::groups;
use crate::exchange::bytes::Bytes;
use crate::exchange::cipher;
use crate::exchange::kdf::{Kdf, Prf};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input, Locked, MOST_ENTRIES};
use crate::secret::Secret;

pub(super) const IMPORTER: Importer = Importer { id: "otp-auth", title: "an OTP Auth backup", recognizes, read };

/// What the outer key of a backup is made of, and of a file with one account.
const BACKUP: &str = "Authenticator";
const ACCOUNT: &str = "OTPAuth";

const BLOCK: usize = 16;

fn recognizes(input: &Input<'_>) -> bool {
    [BACKUP, ACCOUNT].iter().any(|name| begins_as(input.bytes, name))
}

/// Whether the first block is the beginning of a property list under this key.
fn begins_as(bytes: &[u8], name: &str) -> bool {
    let whole = bytes.len().is_multiple_of(BLOCK);
    let Some(first) = bytes.get(..BLOCK).filter(|_| whole) else { return false };
    let mut first = first.to_vec();
    // The vector is zero, so the first block alone is AES itself; the padding is at the end only.
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(&Sha256::digest(name), &[0; BLOCK]).ok();
    cipher.is_some_and(|cipher| cipher.decrypt_padded::<NoPadding>(&mut first).is_ok_and(plist::is_plist))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    if begins_as(input.bytes, ACCOUNT) {
        return Err(Error::Unsupported { what: "one account of OTP Auth; create a backup of all in its settings" });
    }
    let broken = || Error::damaged("its outer archive is broken");
    let plain = cipher::open_cbc(&Sha256::digest(BACKUP), &[0; BLOCK], input.bytes).ok_or_else(broken)?;
    let archive = Archive::open(&plain).ok_or_else(broken)?;
    let root = archive.root().ok_or_else(broken)?;
    let version = archive.entry(&root, "Version").and_then(|version| version.tenths());
    if version != Some(11) {
        let version = version.map_or("?".to_owned(), |tenths| format!("{}.{}", tenths / 10, tenths % 10));
        return Err(Error::Version { version, known: "1.1" });
    }
    let wrapped = archive.entry(&root, "WrappedData").and_then(|data| archive.data(&data)).ok_or_else(broken)?;
    Sealed::read(wrapped).map(|sealed| Export::Locked(Box::new(sealed)))
}

/// RNCryptor's format: a version, options, two salts, a vector, the ciphertext, and the HMAC of all that.
struct Sealed {
    encryption: Kdf,
    authentication: Kdf,
    bytes: Vec<u8>,
    mac: [u8; 32],
}

/// Version, options, two salts of eight bytes, and the vector.
const HEAD: usize = 34;

impl Sealed {
    fn read(wrapped: &[u8]) -> Result<Self, Error> {
        const ROUNDS: u64 = 10_000;
        const PASSWORD: u8 = 1;
        let cut = || Error::damaged("its encrypted part is cut off");
        let (bytes, mac) = wrapped.split_last_chunk::<32>().ok_or_else(cut)?;
        let mut rest = Bytes::new(bytes);
        let (version, options) = (rest.u8().ok_or_else(cut)?, rest.u8().ok_or_else(cut)?);
        if version != 3 || options != PASSWORD {
            return Err(Error::Unsupported { what: "encrypted in a format of RNCryptor other than 3" });
        }
        let mut kdf = || Kdf::pbkdf2(Prf::Sha1, rest.take(8).ok_or_else(cut)?, ROUNDS);
        Ok(Self { encryption: kdf()?, authentication: kdf()?, bytes: bytes.to_vec(), mac: *mac })
    }

    /// Checks and decrypts: the inner archive.
    fn open(&self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mac_key = self.authentication.derive(password, 32)?;
        if !cipher::authentic(&mac_key, &[&self.bytes], &self.mac) {
            return Err(Error::WrongPasswordOrDamaged);
        }
        let broken = || Error::damaged("its encryption is not valid");
        let key = self.encryption.derive(password, 32)?;
        let (head, text) = self.bytes.split_at_checked(HEAD).ok_or_else(broken)?;
        let vector = head.last_chunk::<BLOCK>().ok_or_else(broken)?;
        cipher::open_cbc(&key, vector, text).ok_or_else(broken)
    }
}

impl Locked for Sealed {
    fn unlock(&self, password: &[u8]) -> Result<Entries, Error> {
        let broken = || Error::damaged("its inner archive is broken");
        let plain = self.open(password)?;
        let archive = Archive::open(&plain).ok_or_else(broken)?;
        let root = archive.root().ok_or_else(broken)?;
        accounts(&archive, &root)
    }
}

fn accounts(archive: &Archive<'_>, root: &Node<'_>) -> Result<Entries, Error> {
    let broken = |what: &str| Error::damaged(format!("it has no list of {what}"));
    let folders = archive.entry(root, "Folders").and_then(|folders| archive.list(&folders));
    let folders = folders.ok_or_else(|| broken("folders"))?;
    let too_many = Error::TooMany { limit: MOST_ENTRIES };
    if folders.len() > MOST_ENTRIES {
        return Err(too_many);
    }
    let mut found = Entries::default();
    for folder in folders {
        let folder = archive.node(folder).ok_or_else(|| broken("folders"))?;
        let name = archive.field(&folder, "name").and_then(|name| archive.text(&name));
        let accounts = archive.field(&folder, "accounts").and_then(|accounts| archive.list(&accounts));
        let accounts = accounts.ok_or_else(|| broken("accounts"))?;
        if found.count().saturating_add(accounts.len()) > MOST_ENTRIES {
            return Err(too_many);
        }
        for account in accounts {
            let groups = groups::named(name.as_deref().map(String::as_str));
            let account = archive.node(account);
            let account = account.as_ref().map(|account| Account { archive, node: account });
            let whose = account.as_ref().map_or_else(String::new, Account::whose);
            found.push(whose, account.ok_or(Flaw::Missing("fields")).and_then(|account| account.entry(groups)));
        }
    }
    Ok(found)
}

struct Account<'a> {
    archive: &'a Archive<'a>,
    node: &'a Node<'a>,
}

impl Account<'_> {
    fn text(&self, name: &str) -> Option<Zeroizing<String>> {
        self.archive.field(self.node, name).and_then(|text| self.archive.text(&text))
    }

    fn number(&self, name: &'static str) -> Result<u64, Flaw> {
        let number = self.archive.field(self.node, name).ok_or(Flaw::Missing(name))?;
        number.integer().and_then(|number| u64::try_from(number).ok()).ok_or(Flaw::Invalid(name))
    }

    fn whose(&self) -> String {
        let (issuer, label) = (self.text("issuer"), self.text("label"));
        super::entry::whose(issuer.as_deref().map(String::as_str), label.as_deref().map(String::as_str))
    }

    fn entry(&self, groups: Vec<String>) -> Result<Entry, Flaw> {
        let (issuer, label) = (self.text("issuer"), self.text("label"));
        let secret = self.archive.field(self.node, "secret").ok_or(Flaw::Missing("secret"))?;
        let secret = self.archive.data(&secret).filter(|secret| secret.len() <= Secret::MAX_BYTES);
        let secret = secret.ok_or(Flaw::Invalid("secret"))?.to_vec();
        let mut fields = Fields {
            issuer: issuer.as_deref().map(String::as_str),
            account: label.as_deref().map(String::as_str),
            algorithm: match self.number("algorithm")? {
                // Unknown to the app, which takes SHA-1.
                0 | 1 => Some("SHA1"),
                2 => Some("SHA256"),
                3 => Some("SHA512"),
                _ => return Err(Flaw::Invalid("algorithm")),
            },
            digits: Some(self.number("digits")?),
            groups,
            ..Fields::default()
        };
        match self.number("type")? {
            1 => (fields.kind, fields.counter) = (Some("hotp"), Some(self.number("counter")?)),
            2 => (fields.kind, fields.period) = (Some("totp"), Some(self.number("period")?)),
            other => return Err(Flaw::Type(other.to_string())),
        }
        fields.with_bytes(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8]) -> Option<Result<Entries, Error>> {
        let archive = Archive::open(bytes)?;
        let root = archive.root()?;
        Some(accounts(&archive, &root))
    }

    /// A file that decrypts can still be hostile: its author knew the password.
    #[test]
    fn what_is_inside_cut_off_or_changed_gives_an_answer() {
        let path = format!("{}/vectors/exchange/otp-auth/folders.otpauthdb", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        let plain = cipher::open_cbc(&Sha256::digest(BACKUP), &[0; BLOCK], &bytes).unwrap();
        let archive = Archive::open(&plain).unwrap();
        let wrapped = archive.entry(&archive.root().unwrap(), "WrappedData").unwrap();
        let sealed = Sealed::read(archive.data(&wrapped).unwrap()).unwrap();
        let inner = sealed.open(b"abc123").unwrap();
        assert_eq!(read_all(&inner).unwrap().unwrap().count(), 2);
        for at in 0..inner.len() {
            let _ = read_all(&inner[..at]);
            for change in [0x01, 0x15, 0x80, 0xff] {
                let mut changed = inner.to_vec();
                changed[at] ^= change;
                let _ = read_all(&changed);
            }
        }
    }
}
