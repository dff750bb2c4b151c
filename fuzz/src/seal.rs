//! Encrypted exports with any content in them, as somebody hostile would make them who hands out the password too.
//!
//! Encryption and checks are the formats' own. Only the keys cost nothing: where a format has a fixed cost, `exchange/kdf.rs` spends
//! the least under a fuzzer, and so do [`pbkdf2`] and [`argon2`] here.

use std::io::Write as _;

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::rand_core::{self, CryptoRng, RngCore};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::aes::Aes128;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use crypto_secretstream::{Key, PushStream, Tag};
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use hkdf::Hkdf;
use hmac::{EagerHash, Hmac, Mac as _};
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// What opens all of them.
pub const PASSWORD: &[u8] = b"correct horse";

/// Salts, nonces and keys that may be anything.
const FIXED: [u8; 64] = *b"Nothing here is random, so that a finding is the same every time";

/// An encrypted export of the format of this importer; `None` where it has no encryption.
pub fn file(importer: &str, content: &[u8]) -> Option<Vec<u8>> {
    Some(match importer {
        "2fas" => two_fas(content),
        "aegis" => aegis(content),
        "andotp" => andotp(content),
        "bitwarden" => bitwarden(content),
        "cotp" => cotp(content),
        "ente" => ente(content),
        "freeotp" => freeotp(content),
        "kdbx" => kdbx(content),
        "otp-auth" => otp_auth(content),
        "proton" => proton(content),
        "pskc" => pskc(content),
        "raivo" => raivo(content),
        "stratum" => stratum(content),
        "vmfa" => vmfa(content),
        _ => return None,
    })
}

/// One round, as many bytes as are asked.
fn pbkdf2<H: EagerHash, const N: usize>(salt: &[u8]) -> [u8; N] {
    ::pbkdf2::pbkdf2_hmac_array::<H, N>(PASSWORD, salt, 1)
}

/// Argon2id in 8 KiB.
fn argon2(secret: &[u8], salt: &[u8]) -> [u8; 32] {
    let params = ::argon2::Params::new(8, 1, 1, None).unwrap();
    let mut key = [0; 32];
    let argon2 = ::argon2::Argon2::new(::argon2::Algorithm::Argon2id, ::argon2::Version::V0x13, params);
    argon2.hash_password_into(secret, salt, &mut key).unwrap();
    key
}

fn scrypt(salt: &[u8], r: u32) -> [u8; 32] {
    let params = ::scrypt::Params::new(1, r, 1, 32).unwrap();
    let mut key = [0; 32];
    ::scrypt::scrypt(PASSWORD, salt, &params, &mut key).unwrap();
    key
}

fn gcm(key: &[u8], aad: &[u8], msg: &[u8]) -> Vec<u8> {
    let cipher = Aes256Gcm::new_from_slice(key).unwrap();
    cipher.encrypt(FIXED[..12].into(), Payload { msg, aad }).unwrap()
}

fn cbc(key: &[u8], vector: &[u8], content: &[u8]) -> Vec<u8> {
    ::cbc::Encryptor::<Aes256>::new_from_slices(key, vector).unwrap().encrypt_padded_vec::<Pkcs7>(content)
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn two_fas(content: &[u8]) -> Vec<u8> {
    let salt = &FIXED[..16];
    let sealed = gcm(&pbkdf2::<Sha256, 32>(salt), b"", content);
    let services = [b64(&sealed), b64(salt), b64(&FIXED[..12])].join(":");
    let groups = json!([{ "id": "g", "name": "Work" }]);
    json!({ "schemaVersion": 4, "groups": groups, "servicesEncrypted": services }).to_string().into_bytes()
}

fn aegis(content: &[u8]) -> Vec<u8> {
    let (salt, master) = (&FIXED[..32], &FIXED[32..]);
    let parts = |sealed: &[u8]| {
        let (text, tag) = sealed.split_last_chunk::<16>().unwrap();
        (text.to_vec(), json!({ "nonce": hex(&FIXED[..12]), "tag": hex(tag) }))
    };
    let (slot, slot_params) = parts(&gcm(&scrypt(salt, 1), b"", master));
    let (database, params) = parts(&gcm(master, b"", content));
    let slot =
        json!({ "type": 1, "key": hex(&slot), "key_params": slot_params, "n": 2, "r": 1, "p": 1, "salt": hex(salt) });
    let header = json!({ "slots": [slot], "params": params });
    json!({ "version": 1, "header": header, "db": b64(&database) }).to_string().into_bytes()
}

/// The new encryption, and the old one.
fn andotp(content: &[u8]) -> Vec<u8> {
    let (salt, nonce) = (&FIXED[..12], &FIXED[..12]);
    if content.len().is_multiple_of(2) {
        [&1000_u32.to_be_bytes(), salt, nonce, &gcm(&pbkdf2::<Sha1, 32>(salt), b"", content)].concat()
    } else {
        [nonce, &gcm(&Sha256::digest(PASSWORD), b"", content)].concat()
    }
}

fn bitwarden(content: &[u8]) -> Vec<u8> {
    let (salt, vector) = ("salt", &FIXED[..16]);
    let keys = Hkdf::<Sha256>::from_prk(&pbkdf2::<Sha256, 32>(salt.as_bytes())).unwrap();
    let [mut encryption, mut authentication] = [[0; 32]; 2];
    keys.expand(b"enc", &mut encryption).unwrap();
    keys.expand(b"mac", &mut authentication).unwrap();
    let sealed = |content: &[u8]| {
        let text = cbc(&encryption, vector, content);
        let code = hmac_sha256(&authentication, &[vector, &text]);
        format!("2.{}|{}|{}", b64(vector), b64(&text), b64(&code))
    };
    json!({
        "encrypted": true, "passwordProtected": true, "salt": salt, "kdfType": 0, "kdfIterations": 1,
        "encKeyValidation_DO_NOT_EDIT": sealed(b"known"), "data": sealed(content),
    })
    .to_string()
    .into_bytes()
}

fn cotp(content: &[u8]) -> Vec<u8> {
    let (salt, nonce) = (&FIXED[..16], &FIXED[..24]);
    let cipher = XChaCha20Poly1305::new_from_slice(&argon2(PASSWORD, salt)).unwrap();
    let sealed = cipher.encrypt(nonce.into(), content).unwrap();
    json!({ "version": 1, "nonce": b64(nonce), "salt": b64(salt), "cipher": b64(&sealed) }).to_string().into_bytes()
}

fn ente(content: &[u8]) -> Vec<u8> {
    let salt = &FIXED[..16];
    let key = Key::try_from(argon2(PASSWORD, salt).as_slice()).unwrap();
    let (header, mut stream) = PushStream::init(Fixed, &key);
    let mut sealed = content.to_vec();
    stream.push(&mut sealed, b"", Tag::Final).unwrap();
    let params = json!({ "memLimit": 8 << 10, "opsLimit": 1, "salt": b64(salt) });
    json!({
        "version": 1, "kdfParams": params, "encryptedData": b64(&sealed), "encryptionNonce": b64(header.as_ref()),
    })
    .to_string()
    .into_bytes()
}

/// A generator of numbers that are no random ones.
struct Fixed;

impl CryptoRng for Fixed {}

impl RngCore for Fixed {
    fn next_u32(&mut self) -> u32 {
        0
    }

    fn next_u64(&mut self) -> u64 {
        0
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

/// The content is a token's JSON, and its first bytes the secret. The map has texts alone.
fn freeotp(content: &[u8]) -> Vec<u8> {
    let token = String::from_utf8_lossy(content);
    let (salt, master) = (&FIXED[..32], &FIXED[32..]);
    let sealed = |key: &[u8], purpose: &str, content: &[u8]| {
        let parameters = [&[0x30, 17, 4, 12], &FIXED[..12], &[2, 1, 16]].concat();
        let text: Vec<i8> = gcm(key, purpose.as_bytes(), content).iter().map(|byte| byte.cast_signed()).collect();
        json!({ "mCipher": "AES/GCM/NoPadding", "mCipherText": text, "mParameters": parameters, "mToken": purpose })
    };
    let key = json!({
        "mAlgorithm": "PBKDF2withHmacSHA512", "mSalt": salt, "mIterations": 1,
        "mEncryptedKey": sealed(&pbkdf2::<Sha512, 32>(salt), "AES", master),
    });
    let secret = sealed(master, "HmacSHA1", &content[..content.len().min(20)]).to_string();
    let (key, secret) = (key.to_string(), json!({ "key": secret }).to_string());
    let texts = [b"masterKey", key.as_bytes(), b"1", secret.as_bytes(), b"1-token", token.as_bytes()];
    let mut file = b"\xac\xed\0\x05\x73\x72\0\x11java.util.HashMap\0\0\0\0\0\0\0\0\x03\0\x02".to_vec();
    file.extend(b"F\0\x0aloadFactorI\0\x09threshold\x78\x70\0\0\0\0\0\0\0\0\x77\x08\0\0\0\x10\0\0\0\x03");
    for text in texts {
        file.push(0x7c);
        file.extend((text.len() as u64).to_be_bytes());
        file.extend(text);
    }
    file.push(0x78);
    file
}

/// The content as it is, compressed, or for what is compressed.
fn kdbx(content: &[u8]) -> Vec<u8> {
    const AES: u128 = 0x31c1_f2e6_bf71_4350_be58_0521_6afc_5aff;
    const ARGON2ID: u128 = 0x9e29_8b19_56db_4773_b23d_fc3e_c6f0_a1e6;
    let (seed, vector, salt) = (&FIXED[..32], &FIXED[..16], &FIXED[..32]);
    let variant = |kind: u8, name: &str, value: &[u8]| {
        let length = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
        [&[kind], &length(name.as_bytes())[..], name.as_bytes(), &length(value), value].concat()
    };
    let parameters = [
        vec![0, 1],
        variant(0x42, "$UUID", &ARGON2ID.to_be_bytes()),
        variant(0x42, "S", salt),
        variant(0x04, "P", &1_u32.to_le_bytes()),
        variant(0x05, "M", &(8_u64 << 10).to_le_bytes()),
        variant(0x05, "I", &1_u64.to_le_bytes()),
        variant(0x04, "V", &0x13_u32.to_le_bytes()),
        vec![0],
    ]
    .concat();
    let (compressed, content) = match content.len() % 3 {
        0 => (0_u32, content.to_vec()),
        1 => (1, gzip(content)),
        _ => (1, content.to_vec()),
    };
    let mut header = b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\0\0\x04\0".to_vec();
    for (id, data) in [
        (2, AES.to_be_bytes().as_slice()),
        (3, &compressed.to_le_bytes()),
        (4, seed),
        (7, vector),
        (11, &parameters),
        (0, b"\r\n\r\n"),
    ] {
        header.push(id);
        header.extend((data.len() as u32).to_le_bytes());
        header.extend(data);
    }
    let key = argon2(&Sha256::digest(Sha256::digest(PASSWORD)), salt);
    let base = Sha512::new().chain_update(seed).chain_update(key).chain_update([1]).finalize();
    let mac = |number: u64, parts: &[&[u8]]| {
        let key = Sha512::new().chain_update(number.to_le_bytes()).chain_update(base).finalize();
        hmac_sha256(&key, parts)
    };
    let sealed = cbc(&Sha256::new().chain_update(seed).chain_update(key).finalize(), vector, &content);
    let mut file = [&header[..], &Sha256::digest(&header), &mac(u64::MAX, &[&header])].concat();
    for (number, data) in [&sealed[..], &[]].into_iter().enumerate() {
        let (number, length) = (number as u64, (data.len() as u32).to_le_bytes());
        file.extend(mac(number, &[&number.to_le_bytes(), &length, data]));
        file.extend(length);
        file.extend(data);
    }
    file
}

/// RNCryptor in a keyed archive.
fn otp_auth(content: &[u8]) -> Vec<u8> {
    let (salts, vector) = ([&FIXED[..8], &FIXED[8..16]], &FIXED[..16]);
    let keys = salts.map(pbkdf2::<Sha1, 32>);
    let mut sealed = [&[3, 1], salts[0], salts[1], vector, &cbc(&keys[0], vector, content)].concat();
    sealed.extend(hmac_sha256(&keys[1], &[&sealed]));
    let text = |text: &str| match u8::try_from(text.len()) {
        Ok(length @ 0..15) => [&[0x50 | length], text.as_bytes()].concat(),
        Ok(length) => [&[0x5f, 0x10, length], text.as_bytes()].concat(),
        Err(_) => unreachable!("no name is that long"),
    };
    // Each object by its place, and UIDs by their place in the list that is the fourth.
    let objects = [
        vec![0xd2, 1, 2, 3, 4],
        text("$top"),
        text("$objects"),
        vec![0xd1, 5, 6],
        vec![0xa6, 7, 8, 9, 10, 11, 12],
        text("root"),
        vec![0x80, 1],
        text("$null"),
        vec![0xd2, 13, 14, 15, 16],
        text("Version"),
        text("WrappedData"),
        [&[0x23][..], &1.1_f64.to_be_bytes()].concat(),
        [&[0x4f, 0x12], &(sealed.len() as u32).to_be_bytes()[..], &sealed].concat(),
        text("NS.keys"),
        text("NS.objects"),
        vec![0xa2, 17, 18],
        vec![0xa2, 19, 20],
        vec![0x80, 2],
        vec![0x80, 3],
        vec![0x80, 4],
        vec![0x80, 5],
    ];
    let mut archive = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for object in &objects {
        offsets.extend((archive.len() as u32).to_be_bytes());
        archive.extend(object);
    }
    let table = archive.len() as u64;
    archive.extend(offsets);
    archive.extend([0, 0, 0, 0, 0, 0, 4, 1]);
    for number in [objects.len() as u64, 0, table] {
        archive.extend(number.to_be_bytes());
    }
    cbc(&Sha256::digest("Authenticator"), &[0; 16], &archive)
}

fn proton(content: &[u8]) -> Vec<u8> {
    let salt = &FIXED[..16];
    let sealed = gcm(&argon2(PASSWORD, salt), b"proton.authenticator.export.v1", content);
    let content = [&FIXED[..12], &sealed].concat();
    json!({ "version": 1, "salt": b64(salt), "content": b64(&content) }).to_string().into_bytes()
}

/// The content is the secret of a key.
fn pskc(content: &[u8]) -> Vec<u8> {
    let (salt, vector) = (&FIXED[..16], &FIXED[..16]);
    let key = pbkdf2::<Sha1, 32>(salt);
    let sealed = [vector, &cbc(&key, vector, content)].concat();
    let code = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&key).unwrap().chain_update(&sealed).finalize();
    let (salt, sealed, code) = (b64(salt), b64(&sealed), b64(&code.into_bytes()));
    format!(
        r##"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"><EncryptionKey><DerivedKey>
<KeyDerivationMethod Algorithm="#pbkdf2"><PBKDF2-params><Salt><Specified>{salt}</Specified></Salt>
<IterationCount>1</IterationCount><KeyLength>32</KeyLength></PBKDF2-params></KeyDerivationMethod></DerivedKey></EncryptionKey>
<MACMethod Algorithm="#hmac-sha256"/><KeyPackage><Key Id="1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp"><Data><Secret>
<EncryptedValue><EncryptionMethod Algorithm="#aes256-cbc"/><CipherData><CipherValue>{sealed}</CipherValue></CipherData>
</EncryptedValue><ValueMAC>{code}</ValueMAC></Secret></Data></Key></KeyPackage></KeyContainer>"##
    )
    .into_bytes()
}

/// A member under WinZip's encryption: stored, deflated, or for what is deflated.
fn raivo(content: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"raivo-otp-export.json";
    let (method, packed, size) = match content.len() % 3 {
        0 => (0_u16, content.to_vec(), content.len()),
        1 => (8, deflated(content), content.len()),
        _ => (8, content.to_vec(), 1 << 16),
    };
    let salt = &FIXED[..8];
    let keys = pbkdf2::<Sha1, 34>(salt);
    let mut text = packed;
    let first = 1_u128.to_le_bytes();
    ctr::Ctr128LE::<Aes128>::new_from_slices(&keys[..16], &first).unwrap().apply_keystream(&mut text);
    let code = <Hmac<Sha1> as hmac::KeyInit>::new_from_slice(&keys[16..32]).unwrap().chain_update(&text).finalize();
    let sealed = [salt, &keys[32..], &text, &code.into_bytes()[..10]].concat();
    let u16 = |number: usize| (number as u16).to_le_bytes();
    let u32 = |number: usize| (number as u32).to_le_bytes();
    let extra = [&[0x01, 0x99, 7, 0, 2, 0, b'A', b'E', 1], &method.to_le_bytes()[..]].concat();
    // The version that unpacks it, the flags, the method, time and date, and no checksum.
    let common =
        [&[51, 0, 1, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0], &u32(sealed.len())[..], &u32(size), &u16(NAME.len())].concat();
    let local = [b"PK\x03\x04", &common[..], &u16(0), NAME, &sealed].concat();
    let central = [b"PK\x01\x02\x33\0", &common[..], &u16(extra.len()), &[0; 14], NAME, &extra].concat();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &u32(central.len())[..], &u32(local.len()), &[0, 0]].concat();
    [local, central, end].concat()
}

/// The present encryption, and the older one.
fn stratum(content: &[u8]) -> Vec<u8> {
    if content.len().is_multiple_of(2) {
        let salt = &FIXED[..16];
        [b"AUTHENTICATORPRO", salt, &FIXED[..12], &gcm(&argon2(PASSWORD, salt), b"", content)].concat()
    } else {
        let (salt, vector) = (&FIXED[..20], &FIXED[..16]);
        [b"AuthenticatorPro", salt, vector, &cbc(&pbkdf2::<Sha1, 32>(salt), vector, content)].concat()
    }
}

/// An age file of one chunk, under a passphrase.
fn vmfa(content: &[u8]) -> Vec<u8> {
    let (salt, file_key, nonce) = (&FIXED[..16], &FIXED[16..32], &FIXED[32..48]);
    let seal = |key: &[u8], nonce: [u8; 12], content: &[u8]| {
        ChaCha20Poly1305::new_from_slice(key).unwrap().encrypt(&nonce.into(), content).unwrap()
    };
    let key_of = |salt: Option<&[u8]>, purpose: &[u8]| {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(salt, file_key).expand(purpose, &mut key).unwrap();
        key
    };
    let wrapped = seal(&scrypt(&[b"age-encryption.org/v1/scrypt", salt].concat(), 8), [0; 12], file_key);
    let base64 = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    let header = format!("age-encryption.org/v1\n-> scrypt {} 1\n{}\n---", base64(salt), base64(&wrapped));
    let code = base64(&hmac_sha256(&key_of(None, b"header"), &[header.as_bytes()]));
    let last = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let content = &content[..content.len().min(64 << 10)];
    [format!("{header} {code}\n").as_bytes(), nonce, &seal(&key_of(Some(nonce), b"payload"), last, content)].concat()
}
