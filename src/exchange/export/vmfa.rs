//! vmfa's own JSON (docs/schema/vmfa-export.json), encrypted as an age file that `age -d` opens, too.

use zeroize::Zeroizing;

use crate::exchange::exporter::{Encryption, Exporter, Request, file_of};
use crate::exchange::native::Document;
use crate::exchange::{Entry, Error};
use crate::vault::age::{Openers, Plugins, seal_file};

pub(super) const EXPORTER: Exporter =
    Exporter { id: "vmfa", title: "an export of vmfa", encryption: Encryption::Optional, write };

fn write(entries: &[Entry], request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let document = serde_json::to_value(Document::of(entries));
    let json = file_of(document.map_err(|_| Error::damaged("it can't be written as JSON"))?)?;
    let Some(password) = request.password else { return Ok(json) };
    let failed = || Error::damaged("it can't be encrypted");
    // age's passphrases are text.
    let passphrase = std::str::from_utf8(password).map_err(|_| failed())?;
    let openers = Openers::Passphrase(Zeroizing::new(passphrase.to_owned()));
    seal_file(&json, &openers, &Plugins::default()).map(Zeroizing::new).map_err(|_| failed())
}
