//! ZIP (PKWARE's APPNOTE 6.3.10), as far as exports use it: stored and deflated members, and WinZip's AES encryption
//! (its specification of AE-1 and AE-2).
//!
//! Only the central directory counts, and only members that are asked for are unpacked, to a bounded size. The crate
//! `zip` also writes, streams, and reads ZIP64 and times: code that this program has no room for.

use aes_gcm::aes::{Aes128, Aes192, Aes256};
use ctr::Ctr128LE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use flate2::Crc;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::bytes::Bytes;
use super::kdf::{Kdf, Prf};
use super::{Error, MOST_BYTES, inflate};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

/// The end record without its comment, and the longest comment.
const END_BYTES: usize = 22;
const LONGEST_COMMENT: usize = 0xffff;

/// The most members: an export with attachments has some thousands.
const MOST_MEMBERS: u16 = 20_000;

/// The method that says: encrypted by AES, and the real method is in the extra field.
const METHOD_AES: u16 = 99;

/// An archive whose central directory has been read.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    members: Vec<Member<'a>>,
}

/// One file of an archive.
pub(super) struct Member<'a> {
    name: &'a [u8],
    encrypted: bool,
    method: u16,
    crc: u32,
    packed: usize,
    size: usize,
    offset: usize,
    aes: Option<Aes>,
}

#[derive(Clone, Copy)]
struct Aes {
    /// AE-2 leaves the CRC out.
    checks_crc: bool,
    strength: Strength,
    method: u16,
}

#[derive(Clone, Copy)]
enum Strength {
    Aes128,
    Aes192,
    Aes256,
}

impl Strength {
    const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Aes128),
            2 => Some(Self::Aes192),
            3 => Some(Self::Aes256),
            _ => None,
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// Half a key.
    const fn salt_bytes(self) -> usize {
        self.key_bytes() >> 1
    }
}

/// Whether a file begins as an archive does.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(LOCAL) || bytes.starts_with(END)
}

impl<'a> Archive<'a> {
    /// Reads the central directory.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        let (count, offset) = end_record(bytes).ok_or_else(|| Error::damaged("the archive has no end record"))?;
        if count == u16::MAX {
            return Err(Error::Unsupported { what: "an archive in ZIP64, which is for files of over 4 GB" });
        }
        if count > MOST_MEMBERS {
            return Err(Error::TooMany { limit: usize::from(MOST_MEMBERS) });
        }
        let broken = || Error::damaged("the archive's directory is broken");
        let mut directory = Bytes::at(bytes, offset).ok_or_else(broken)?;
        let members = (0..count).map(|_| member(&mut directory)).collect::<Option<_>>().ok_or_else(broken)?;
        Ok(Self { bytes, members })
    }

    /// The members' names, where they are UTF-8.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.members.iter().filter_map(|member| std::str::from_utf8(member.name).ok())
    }

    /// The member of this name.
    pub(super) fn find(&self, name: &str) -> Option<&Member<'a>> {
        self.members.iter().find(|member| member.name == name.as_bytes())
    }

    /// Unpacks a member, decrypted with the password where it is encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::WrongPassword`] by the archive's own check, which lets one wrong password in 65,536 through: that is
    /// [`Error::Damaged`].
    pub(super) fn read(&self, member: &Member<'a>, password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, Error> {
        if member.size > MOST_BYTES {
            return Err(Error::TooLarge { limit: MOST_BYTES });
        }
        let packed = self.packed(member).ok_or_else(|| Error::damaged("a member of the archive is cut off"))?;
        let (bytes, checks_crc) = match (member.encrypted, member.aes, password) {
            (false, ..) => (unpack(packed, member.method, member.size)?, true),
            (true, Some(aes), Some(password)) => {
                (unpack(&decrypted(packed, aes.strength, password)?, aes.method, member.size)?, aes.checks_crc)
            }
            (true, Some(_), None) => return Err(Error::WrongPassword),
            (true, None, _) => {
                return Err(Error::Unsupported { what: "an archive under ZIP's old encryption, which is broken" });
            }
        };
        let mut crc = Crc::new();
        crc.update(&bytes);
        if bytes.len() != member.size || (checks_crc && crc.sum() != member.crc) {
            return Err(Error::damaged("a member of the archive fails its check"));
        }
        Ok(bytes)
    }

    /// The bytes of a member as they are in the file, behind its local header.
    fn packed(&self, member: &Member<'a>) -> Option<&'a [u8]> {
        let mut local = Bytes::at(self.bytes, member.offset)?;
        if local.take(4)? != LOCAL {
            return None;
        }
        local.take(22)?;
        let (name, extra) = (local.u16_le()?, local.u16_le()?);
        local.take(usize::from(name))?;
        local.take(usize::from(extra))?;
        local.take(member.packed)
    }
}

impl Member<'_> {
    /// Whether it takes a password.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

/// How many members there are, and where their directory begins.
fn end_record(bytes: &[u8]) -> Option<(u16, usize)> {
    let from = bytes.len().saturating_sub(END_BYTES.saturating_add(LONGEST_COMMENT));
    let tail = bytes.get(from..)?;
    let at = tail.windows(END.len()).rposition(|window| window == END)?;
    let mut record = Bytes::at(tail, at)?;
    record.take(4)?;
    let (disk, directory_disk, here, count) = (record.u16_le()?, record.u16_le()?, record.u16_le()?, record.u16_le()?);
    if disk != 0 || directory_disk != 0 || here != count {
        return None;
    }
    record.take(4)?;
    Some((count, usize::try_from(record.u32_le()?).ok()?))
}

fn member<'a>(directory: &mut Bytes<'a>) -> Option<Member<'a>> {
    if directory.take(4)? != CENTRAL {
        return None;
    }
    directory.take(4)?;
    let (flags, method) = (directory.u16_le()?, directory.u16_le()?);
    directory.take(4)?;
    let crc = directory.u32_le()?;
    let (packed, size) = (directory.u32_le()?, directory.u32_le()?);
    let (name, extra, comment) = (directory.u16_le()?, directory.u16_le()?, directory.u16_le()?);
    directory.take(8)?;
    let offset = directory.u32_le()?;
    let name = directory.take(usize::from(name))?;
    let extra = directory.take(usize::from(extra))?;
    directory.take(usize::from(comment))?;
    Some(Member {
        name,
        encrypted: flags & 1 != 0,
        method,
        crc,
        packed: usize::try_from(packed).ok()?,
        size: usize::try_from(size).ok()?,
        offset: usize::try_from(offset).ok()?,
        aes: if method == METHOD_AES { aes_field(extra) } else { None },
    })
}

/// The extra field 0x9901.
fn aes_field(extra: &[u8]) -> Option<Aes> {
    let mut fields = Bytes::new(extra);
    loop {
        let (id, length) = (fields.u16_le()?, fields.u16_le()?);
        let mut field = Bytes::new(fields.take(usize::from(length))?);
        if id != 0x9901 {
            continue;
        }
        let (version, _vendor) = (field.u16_le()?, field.u16_le()?);
        let strength = Strength::of(field.u8()?)?;
        return Some(Aes { checks_crc: version == 1, strength, method: field.u16_le()? });
    }
}

fn unpack(packed: &[u8], method: u16, size: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    match method {
        0 => Ok(Zeroizing::new(packed.to_vec())),
        8 => inflate::deflate(packed, size),
        _ => Err(Error::Unsupported { what: "an archive compressed by another method than DEFLATE" }),
    }
}

/// Salt, two bytes that check the password, the ciphertext, and ten bytes of its HMAC.
fn decrypted(sealed: &[u8], strength: Strength, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    const ROUNDS: u64 = 1000;
    const MAC_BYTES: usize = 10;
    let cut = || Error::damaged("a member of the archive is cut off");
    let mut sealed = Bytes::new(sealed);
    let salt = sealed.take(strength.salt_bytes()).ok_or_else(cut)?;
    let check = sealed.take(2).ok_or_else(cut)?;
    let (text, mac) = sealed.rest().split_last_chunk::<MAC_BYTES>().ok_or_else(cut)?;
    let length = strength.key_bytes();
    let keys =
        Kdf::pbkdf2(Prf::Sha1, salt, ROUNDS)?.derive(password, length.saturating_mul(2).saturating_add(check.len()))?;
    let mut keys = Bytes::new(&keys);
    let (Some(key), Some(mac_key)) = (keys.take(length), keys.take(length)) else {
        return Err(cut());
    };
    if !bool::from(keys.rest().ct_eq(check)) {
        return Err(Error::WrongPassword);
    }
    let failed = || Error::damaged("a member of the archive fails its check");
    let authentic = Hmac::<Sha1>::new_from_slice(mac_key).map_err(|_| failed())?.chain_update(text);
    authentic.verify_truncated_left(mac).map_err(|_| failed())?;
    let mut text = Zeroizing::new(text.to_vec());
    let first: [u8; 16] = 1_u128.to_le_bytes();
    let done = match strength {
        Strength::Aes128 => Ctr128LE::<Aes128>::new_from_slices(key, &first).map(|mut c| c.apply_keystream(&mut text)),
        Strength::Aes192 => Ctr128LE::<Aes192>::new_from_slices(key, &first).map(|mut c| c.apply_keystream(&mut text)),
        Strength::Aes256 => Ctr128LE::<Aes256>::new_from_slices(key, &first).map(|mut c| c.apply_keystream(&mut text)),
    };
    done.map_err(|_| failed())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by PyPI's pyzipper 0.3.6: WZ_AES, 256 bits, deflated; password `test`.
    const ENCRYPTED: &str = include_str!("../../vectors/exchange/zip/aes.zip.b64");
    /// Written by Python's zipfile: `a.txt` stored, `b.txt` deflated.
    const PLAIN: &str = include_str!("../../vectors/exchange/zip/plain.zip.b64");

    fn of_base64(text: &str) -> Vec<u8> {
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text.replace('\n', "")).unwrap()
    }

    #[test]
    fn members_are_unpacked() {
        let bytes = of_base64(PLAIN);
        let archive = Archive::open(&bytes).unwrap();
        assert_eq!(archive.names().collect::<Vec<_>>(), ["a.txt", "b.txt"]);
        for (name, text) in [("a.txt", b"stored ".to_vec()), ("b.txt", b"deflated ".repeat(100))] {
            assert_eq!(*archive.read(archive.find(name).unwrap(), None).unwrap(), text);
        }
    }

    #[test]
    fn a_member_is_decrypted_by_its_password_alone() {
        let bytes = of_base64(ENCRYPTED);
        let archive = Archive::open(&bytes).unwrap();
        let member = archive.find("a.txt").unwrap();
        assert!(member.is_encrypted());
        assert_eq!(*archive.read(member, Some(b"test")).unwrap(), b"encrypted ".repeat(20));
        assert_eq!(archive.read(member, Some(b"wrong")), Err(Error::WrongPassword));
        let mut changed = bytes.clone();
        changed[70] ^= 1;
        let archive = Archive::open(&changed).unwrap();
        assert!(matches!(archive.read(archive.find("a.txt").unwrap(), Some(b"test")), Err(Error::Damaged { .. })));
    }

    #[test]
    fn archives_cut_off_or_changed_give_an_answer() {
        for bytes in [of_base64(PLAIN), of_base64(ENCRYPTED)] {
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 0x55;
                for bytes in [&bytes[..at], &changed] {
                    let Ok(archive) = Archive::open(bytes) else { continue };
                    for member in &archive.members {
                        let _ = archive.read(member, Some(b"test"));
                    }
                }
            }
        }
    }
}
