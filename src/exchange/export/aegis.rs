//! Aegis's vault: `import/aegis.rs` says how it is made. Encrypted, it has one slot, for the password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::exchange::cipher;
use crate::exchange::exporter::{Encryption, Exporter, Request, file_of, moving};
use crate::exchange::kdf::Kdf;
use crate::exchange::{Entry, Error};

pub(super) const EXPORTER: Exporter =
    Exporter { id: "aegis", title: "an Aegis export", encryption: Encryption::Optional, write };

/// The cost that Aegis itself sets: scrypt's N, r and p.
const COST: (u64, u64, u64) = (1 << 15, 8, 1);

fn write(entries: &[Entry], request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let entries = entries.iter().map(|entry| item(entry, request)).collect::<Result<Vec<_>, _>>()?;
    let database = json!({ "version": 2, "entries": entries });
    let Some(password) = request.password else {
        return file_of(json!({ "version": 1, "header": { "slots": null, "params": null }, "db": database }));
    };
    let salt: [u8; 32] = request.bytes()?;
    let (n, r, p) = COST;
    let key = Kdf::scrypt(&salt, n, r, p)?.derive(password, 32)?;
    let master = Zeroizing::new(request.bytes::<32>()?);
    let (slot, slot_parameters) = sealed(&key, &*master, request)?;
    let (database, parameters) = sealed(&*master, &file_of(database)?, request)?;
    let slot = json!({
        "type": 1, "uuid": request.uuid()?, "key": hex(&slot), "key_params": slot_parameters,
        "n": n, "r": r, "p": p, "salt": hex(&salt), "repaired": true, "is_backup": false,
    });
    let header = json!({ "slots": [slot], "params": parameters });
    file_of(json!({ "version": 1, "header": header, "db": STANDARD.encode(database) }))
}

fn item(entry: &Entry, request: &Request<'_>) -> Result<Value, Error> {
    let enrolment = &entry.enrolment;
    let (period, counter) = moving(entry);
    let secret = enrolment.secret.to_base32();
    let (algorithm, digits) = (enrolment.parameters.algorithm.as_str(), enrolment.parameters.digits.count());
    let info = match (period, counter) {
        (_, Some(counter)) => {
            json!({ "secret": secret.as_str(), "algo": algorithm, "digits": digits, "period": 30, "counter": counter })
        }
        (period, None) => {
            json!({ "secret": secret.as_str(), "algo": algorithm, "digits": digits, "period": period })
        }
    };
    Ok(json!({
        "type": enrolment.parameters.kind(),
        "uuid": request.uuid()?,
        "name": enrolment.account,
        "issuer": enrolment.issuer.as_deref().unwrap_or_default(),
        "group": entry.groups.first(),
        "note": "", "favorite": false, "icon": null,
        "info": info,
    }))
}

/// AES-256-GCM, and the parameters that Aegis writes beside it.
fn sealed(key: &[u8], plaintext: &[u8], request: &Request<'_>) -> Result<(Vec<u8>, Value), Error> {
    let nonce: [u8; 12] = request.bytes()?;
    let (ciphertext, tag) =
        cipher::seal_gcm(key, &nonce, b"", plaintext).ok_or_else(|| Error::damaged("it can't be encrypted"))?;
    Ok((ciphertext, json!({ "nonce": hex(&nonce), "tag": hex(&tag) })))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
