//! KDBX 3.1: what `keepassxc-cli` makes, and KeePass 2 before it had another key derivation than AES-KDF.
//!
//! Nothing tells a wrong password from a damaged file: the header has no check of its own, and what is encrypted begins with
//! bytes that the header repeats. A hash of the header may stand inside.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::body;
use super::header::{self, Cipher};
use super::tree;
use crate::exchange::bytes::Bytes;
use crate::exchange::kdbx::{SIGNATURE, field};
use crate::exchange::{Entries, Error, inflate};

/// The fields of the header that version 4 doesn't have.
const TRANSFORM_SEED: u8 = 5;
const ROUNDS: u8 = 6;
const STREAM_KEY: u8 = 8;
const START: u8 = 9;
const STREAM: u8 = 10;

/// A database whose header has been read.
pub(super) struct Database {
    /// The hash of all of the header.
    hash: [u8; 32],
    cipher: Cipher,
    vector: Vec<u8>,
    compressed: bool,
    seed: [u8; 32],
    transform_seed: [u8; 32],
    rounds: u64,
    stream: Vec<u8>,
    stream_key: Vec<u8>,
    /// What the plaintext begins with.
    start: [u8; 32],
    body: Vec<u8>,
}

impl Database {
    /// Reads a header whose version was looked at, and bounds its key derivation.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let cut = || Error::damaged("its header is cut off");
        let invalid = || Error::damaged("its header is not valid");
        let mut rest = Bytes::new(bytes);
        rest.take(SIGNATURE.len().saturating_add(4)).ok_or_else(cut)?;
        let mut fields = [None; 11];
        loop {
            let id = rest.u8().ok_or_else(cut)?;
            let length = rest.u16_le().ok_or_else(cut)?;
            let data = rest.take(usize::from(length)).ok_or_else(cut)?;
            if id == field::END {
                break;
            }
            if let Some(slot) = fields.get_mut(usize::from(id)) {
                *slot = Some(data);
            }
        }
        let get = |id: u8| fields.get(usize::from(id)).copied().flatten().ok_or_else(invalid);
        let array = |id: u8| get(id).and_then(|data| data.try_into().map_err(|_| invalid()));
        let rounds = get(ROUNDS)?.try_into().map(u64::from_le_bytes).map_err(|_| invalid())?;
        let body = rest.rest();
        let (head, _) = bytes.split_at_checked(bytes.len().saturating_sub(body.len())).ok_or_else(cut)?;
        Ok(Self {
            hash: Sha256::digest(head).into(),
            cipher: header::cipher_of(get(field::CIPHER)?)?,
            vector: get(field::VECTOR)?.to_vec(),
            compressed: header::is_compressed(get(field::COMPRESSION)?)?,
            seed: array(field::SEED)?,
            transform_seed: array(TRANSFORM_SEED)?,
            rounds: header::affordable(rounds)?,
            stream: get(STREAM)?.to_vec(),
            stream_key: get(STREAM_KEY)?.to_vec(),
            start: array(START)?,
            body: body.to_vec(),
        })
    }

    /// Decrypts and checks what stands behind the header: the XML.
    pub(super) fn open(&self, composite: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let transformed = header::transformed(composite, &self.transform_seed, self.rounds);
        let key = Sha256::new().chain_update(self.seed).chain_update(transformed.as_slice()).finalize();
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(key.into());
        let mut sealed = Zeroizing::new(self.body.clone());
        let length = body::decrypt(self.cipher, &key, &self.vector, &mut sealed);
        sealed.truncate(length.ok_or(Error::WrongPasswordOrDamaged)?);
        let blocks = sealed.strip_prefix(&self.start).ok_or(Error::WrongPasswordOrDamaged)?;
        let content = joined(blocks)?;
        if self.compressed { inflate::gzip(&content) } else { Ok(content) }
    }

    pub(super) fn entries(&self, content: &[u8]) -> Result<Entries, Error> {
        tree::of_xml(content, &self.stream, &self.stream_key, Some(self.hash))
    }
}

/// The blocks, each of which stands behind its hash.
fn joined(blocks: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let cut = || Error::damaged("it is cut off");
    let mut rest = Bytes::new(blocks);
    let mut content = Zeroizing::new(Vec::with_capacity(blocks.len()));
    for number in 0_u32.. {
        let index = rest.u32_le().ok_or_else(cut)?;
        let hash = rest.take(32).ok_or_else(cut)?;
        let length = rest.u32_le().and_then(|length| usize::try_from(length).ok()).ok_or_else(cut)?;
        let data = rest.take(length).ok_or_else(cut)?;
        if index != number {
            return Err(Error::damaged("its blocks are out of order"));
        }
        if data.is_empty() {
            break;
        }
        if Sha256::digest(data).as_slice() != hash {
            return Err(Error::damaged("a block of it fails its check"));
        }
        content.extend_from_slice(data);
    }
    Ok(content)
}
