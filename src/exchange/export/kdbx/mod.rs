//! A KeePass database, KDBX 4.1 (keepass.info/help/kb/kdbx.html): what KeePass 2, KeePassXC, KeePassDX and Strongbox open.
//!
//! The cost of the key is set here, and not left to the program that opens it. Nothing is compressed: a compressor keeps
//! copies of what goes through it, and here that is the key of the protected values.

mod document;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use hmac::Mac as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::exchange::exporter::{Encryption, Exporter, Request};
use crate::exchange::kdbx::{
    self, ARGON2_VERSION, CIPHER_CHACHA20, HEADER, KDF_ARGON2ID, Keys, SIGNATURE, STREAM_CHACHA20, field, inner,
    variant,
};
use crate::exchange::kdf::Kdf;
use crate::exchange::{Entry, Error};

pub(super) const EXPORTER: Exporter =
    Exporter { id: "kdbx", title: "a KeePass database", encryption: Encryption::Always, write };

/// Minor and major version.
const VERSION: [u16; 2] = [1, 4];

/// The cost of the key, about half a second: memory in KiB and lanes as KeePassXC sets them, passes.
const KIB: u32 = 64 << 10;
const LANES: u32 = 2;
const PASSES: u64 = 8;

/// The size of an authenticated block, in bytes: KeePass's own.
const BLOCK: usize = 1 << 20;

fn write(entries: &[Entry], request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = || Error::damaged("it can't be encrypted");
    let password = request.password.ok_or(Error::Unsupported { what: "always encrypted, and no password is given" })?;
    let (seed, salt, vector): ([u8; 32], [u8; 32], [u8; 12]) = (request.bytes()?, request.bytes()?, request.bytes()?);
    let kdf = Kdf::argon2(argon2::Algorithm::Argon2id, &salt, KIB.into(), PASSES, LANES.into())?;
    let derived = kdf.derive(kdbx::composite(Some(password), None).as_slice(), 32)?;
    let keys = Keys::new(&seed, &derived);

    let mut content = content(entries, request)?;
    let mut cipher = ChaCha20::new_from_slices(keys.cipher.as_slice(), &vector).map_err(|_| failed())?;
    cipher.try_apply_keystream(&mut content).map_err(|_| failed())?;

    let mut file = Zeroizing::new(header(&seed, &salt, &vector));
    let hash = Sha256::digest(&file);
    let mac = keys.block(HEADER).ok_or_else(failed)?.chain_update(&file).finalize();
    file.extend_from_slice(&hash);
    file.extend_from_slice(&mac.into_bytes());
    // The last one is empty.
    for (number, block) in (0_u64..).zip(content.chunks(BLOCK).chain([&[][..]])) {
        let length = length(block);
        let mac = keys.block(number).ok_or_else(failed)?;
        let mac = mac.chain_update(number.to_le_bytes()).chain_update(length).chain_update(block).finalize();
        [mac.into_bytes().as_slice(), &length, block].iter().for_each(|part| file.extend_from_slice(part));
    }
    Ok(file)
}

/// The inner header, and the document with its secrets encrypted once more.
fn content(entries: &[Entry], request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = Zeroizing::new(request.bytes::<64>()?);
    let stream = kdbx::stream(key.as_slice()).ok_or_else(|| Error::damaged("it can't be encrypted"))?;
    let document = document::of(entries, request, stream)?;
    let mut content = Zeroizing::new(Vec::with_capacity(document.len().saturating_add(128)));
    put(&mut content, inner::STREAM, &STREAM_CHACHA20);
    put(&mut content, inner::KEY, key.as_slice());
    put(&mut content, inner::END, &[]);
    content.extend_from_slice(document.as_bytes());
    Ok(content)
}

fn header(seed: &[u8], salt: &[u8], vector: &[u8]) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    VERSION.iter().for_each(|number| header.extend_from_slice(&number.to_le_bytes()));
    put(&mut header, field::CIPHER, &CIPHER_CHACHA20);
    put(&mut header, field::COMPRESSION, &0_u32.to_le_bytes());
    put(&mut header, field::SEED, seed);
    put(&mut header, field::VECTOR, vector);
    put(&mut header, field::DERIVATION, &derivation(salt));
    put(&mut header, field::END, b"\r\n\r\n");
    header
}

/// The variant dictionary of the key derivation.
fn derivation(salt: &[u8]) -> Vec<u8> {
    let mut dictionary = 0x0100_u16.to_le_bytes().to_vec();
    let bytes = (u64::from(KIB) << 10).to_le_bytes();
    let values: [(u8, &str, &[u8]); 6] = [
        (variant::BYTES, "$UUID", &KDF_ARGON2ID),
        (variant::U32, "V", &ARGON2_VERSION.to_le_bytes()),
        (variant::BYTES, "S", salt),
        (variant::U64, "I", &PASSES.to_le_bytes()),
        (variant::U64, "M", &bytes),
        (variant::U32, "P", &LANES.to_le_bytes()),
    ];
    for (kind, name, value) in values {
        put(&mut dictionary, kind, name.as_bytes());
        dictionary.extend_from_slice(&length(value));
        dictionary.extend_from_slice(value);
    }
    dictionary.push(variant::END);
    dictionary
}

/// A field: what it is, its length, its data.
fn put(to: &mut Vec<u8>, id: u8, data: &[u8]) {
    to.push(id);
    to.extend_from_slice(&length(data));
    to.extend_from_slice(data);
}

/// A length as the format has it. Blocks are the longest there is.
fn length(data: &[u8]) -> [u8; 4] {
    u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes()
}
