//! What exporters write, importers read as what it was.

use zeroize::Zeroizing;

use super::EXPORTERS;
use crate::exchange::{Encryption, Entries, Entry, Error, Export, Request, read};
use crate::provision::uri;

const PASSWORD: &[u8] = b"correct horse";

/// Entries by their URIs and groups.
fn entries(all: &[(&str, &[&str])]) -> Vec<Entry> {
    let one = |(text, groups): &(&str, &[&str])| {
        let enrolment = uri::parse(text).unwrap().enrolments.remove(0);
        Entry { enrolment, groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    };
    all.iter().map(one).collect()
}

const ALICE: &str = "otpauth://totp/Example:alice%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example";
const LONG: &str = "otpauth://totp/Git%20%26%20Co:b%C3%B6b%3C?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA512&digits=8&period=60&issuer=Git%20%26%20Co";
const NAMELESS: &str = "otpauth://totp/carol?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK";
const STEAM: &str = "otpauth://steam/Steam:frank?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LM&issuer=Steam";
const COUNTER: &str = "otpauth://hotp/Bank:dave?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR&issuer=Bank&counter=7";
const COUNTER_ALONE: &str = "otpauth://hotp/erin?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJS&counter=0";

fn written(format: &str, entries: &[Entry], password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let exporter = EXPORTERS.iter().find(|exporter| exporter.id == format).unwrap();
    let random = |bytes: &mut [u8]| {
        bytes.chunks_mut(16).for_each(|part| {
            let length = part.len();
            part.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[..length]);
        });
        Ok(())
    };
    (exporter.write)(entries, &Request { password, random: &random, now: 1_700_000_000 })
}

fn opened(format: &str, bytes: &[u8], password: &[u8]) -> Result<Entries, Error> {
    let (importer, export) = read(bytes)?;
    assert_eq!(importer.id, format);
    match export {
        Export::Plain(entries) => Ok(entries),
        Export::Locked(locked) => locked.unlock(password),
    }
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| (entry.groups.clone(), uri::format(&entry.enrolment).as_str().to_owned()));
    entries
}

#[test]
fn a_keepass_database_comes_back_as_it_went() {
    let all = entries(&[
        (ALICE, &["Work"]),
        (NAMELESS, &[]),
        (LONG, &["Work", "Ops & <more>"]),
        (STEAM, &["Games"]),
        (COUNTER, &["Work"]),
        (COUNTER_ALONE, &[]),
    ]);
    let file = written("kdbx", &all, Some(PASSWORD)).unwrap();
    let back = opened("kdbx", &file, PASSWORD).unwrap();
    assert!(back.failures.is_empty() && back.without == 0, "{back:?}");
    assert_eq!(sorted(back.entries), sorted(all));
    assert_eq!(opened("kdbx", &file, b"wrong"), Err(Error::WrongPassword));
}

#[test]
fn a_keepass_database_is_never_clear_text_and_holds_no_counters_that_keepass_cannot_make() {
    assert!(matches!(written("kdbx", &entries(&[(ALICE, &[])]), None), Err(Error::Unsupported { .. })));
    for uri in
        [format!("{COUNTER}&digits=8"), format!("{COUNTER}&algorithm=SHA256"), format!("{NAMELESS}&period=86401")]
    {
        let unfit = written("kdbx", &entries(&[(ALICE, &[]), (&uri, &[])]), Some(PASSWORD));
        assert!(matches!(unfit, Err(Error::Unfit { entry: 1, .. })), "{unfit:?}");
    }
}

#[test]
fn a_database_of_several_blocks_comes_back() {
    let many: Vec<String> = (0..2500).map(|number| format!("{NAMELESS}&issuer={number}")).collect();
    let many: Vec<(&str, &[&str])> = many.iter().map(|uri| (uri.as_str(), &[][..])).collect();
    let all = entries(&many);
    let file = written("kdbx", &all, Some(PASSWORD)).unwrap();
    assert!(file.len() > 1 << 20);
    assert_eq!(opened("kdbx", &file, PASSWORD).unwrap().entries, all);
}

#[test]
fn an_export_of_vmfa_comes_back_as_it_went() {
    let all = entries(&[
        (ALICE, &["Work"]),
        (LONG, &["Work", "Ops & <more>"]),
        (STEAM, &["Games"]),
        (COUNTER, &["Work"]),
        (COUNTER_ALONE, &[]),
    ]);
    let clear = written("vmfa", &all, None).unwrap();
    assert_eq!(opened("vmfa", &clear, b"").unwrap().entries, all);
    let sealed = written("vmfa", &all, Some(PASSWORD)).unwrap();
    assert_eq!(opened("vmfa", &sealed, PASSWORD).unwrap().entries, all);
    assert_eq!(opened("vmfa", &sealed, b"wrong"), Err(Error::WrongPassword));
}

#[test]
fn a_format_says_whether_it_takes_a_password() {
    for exporter in EXPORTERS {
        let encrypted = !matches!(exporter.encryption, Encryption::Never);
        assert_eq!(encrypted, ["aegis", "kdbx", "vmfa"].contains(&exporter.id), "{}", exporter.id);
    }
}
