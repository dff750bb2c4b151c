//! What the targets of importers share. Each is a binary of two lines, `src/bin/import-ID.rs`.

mod seal;

use std::sync::LazyLock;
use std::{env, fs, path::PathBuf};

use vmfa::exchange::{self, Entries, Error, Export, Importer, Input, import::IMPORTERS};
use vmfa::provision::uri;

/// The target of the importer that the binary is named after.
#[macro_export]
macro_rules! importer {
    () => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::import(env!("CARGO_BIN_NAME"), bytes));
    };
}

/// Keys that open fixtures without a derivation: those of `vectors/exchange/pskc`.
const KEYS: [&[u8]; 4] = [
    b"12345678901234567890123456789012",
    b"8dd4bde10b456925ec00110b19a13d6f",
    b"7ae4dd3a75d2342ada690e24744c78d23f49fc5ab36792fd",
    b"c41785a3360263240e9eebf3215ba2ffc4ad2a650d08dea67ad47275e3890c2c",
];

/// Where encrypted files are written to, for `fuzz/run`: what is around their content is then fuzzed too.
static SEALED: LazyLock<Option<PathBuf>> = LazyLock::new(|| env::var_os("VMFA_FUZZ_SEALED").map(PathBuf::from));

/// No bytes make an importer panic, run on or take more memory than it may: as a file of its format whatever they look like, as the
/// content of an encrypted one, and as a file whose format is to be told.
///
/// # Panics
///
/// Where they do, and where an encrypted file isn't opened or an entry isn't the same after it was written as a URI.
pub fn import(target: &str, bytes: &[u8]) {
    let importer = IMPORTERS.iter().find(|importer| target.strip_prefix("import-") == Some(importer.id));
    let importer = importer.expect("the target is named after an importer");
    let input = Input::new(bytes);
    for other in IMPORTERS {
        let _ = (other.recognizes)(&input);
    }
    let _ = exchange::read(bytes);
    match (importer.read)(input) {
        Ok(Export::Plain(entries)) => check(&entries),
        Ok(Export::Locked(locked)) => {
            let keys: &[&[u8]] = if importer.id == "pskc" { &KEYS } else { &[] };
            for password in [seal::PASSWORD].iter().chain(keys) {
                locked.unlock(password).iter().for_each(check);
            }
        }
        Err(_) => {}
    }
    if let Some(file) = seal::file(importer.id, bytes) {
        unlock(importer, &file, bytes);
    }
}

fn unlock(importer: &Importer, file: &[u8], content: &[u8]) {
    let input = Input::new(file);
    // Those of andOTP look like random bytes, if they are long enough.
    assert!((importer.recognizes)(&input) || importer.id == "andotp", "what is sealed isn't recognized");
    let Ok(Export::Locked(locked)) = (importer.read)(input) else { panic!("what is sealed isn't locked") };
    match locked.unlock(seal::PASSWORD) {
        Ok(entries) => check(&entries),
        Err(Error::WrongPasswordOrDamaged) if importer.id == "stratum" => {}
        Err(error @ (Error::WrongPassword | Error::WrongPasswordOrDamaged)) => {
            panic!("what is sealed isn't opened: {error}")
        }
        Err(_) => {}
    }
    if let Some(folder) = &*SEALED {
        let name = content.iter().fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        fs::write(folder.join(format!("sealed-{name:016x}")), file).expect("the folder can be written to");
    }
}

/// What was read can be shown, and an entry is the same after it was written as a URI, as it is in the vault.
fn check(entries: &Entries) {
    for failure in &entries.failures {
        assert!(!failure.to_string().contains(char::is_control), "a control character in a message");
    }
    for entry in &entries.entries {
        let written = uri::format(&entry.enrolment);
        let again = uri::parse(&written).map(|found| found.enrolments);
        assert_eq!(again, Ok(vec![entry.enrolment.clone()]));
    }
}
