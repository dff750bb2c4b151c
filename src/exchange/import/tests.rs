//! Every fixture below `vectors/exchange/` gives what its `cases.json` says. `vectors/exchange/README.md` describes both.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::exchange::{Entries, Error, Export, read};
use crate::provision::uri;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/exchange")
}

/// The cases of a format; `None` where it has none.
fn cases(id: &str) -> Option<Vec<Value>> {
    let cases = fs::read(folder().join(id).join("cases.json")).ok()?;
    Some(serde_json::from_slice(&cases).unwrap())
}

fn open(bytes: &[u8], password: Option<&str>) -> Result<(&'static str, Entries), Error> {
    let (importer, export) = read(bytes)?;
    let entries = match (export, password) {
        (Export::Plain(entries), None) => entries,
        (Export::Locked(locked), Some(password)) => locked.unlock(password.as_bytes())?,
        // Neither is what the case says: an error that no case has.
        (Export::Plain(_), Some(_)) => return Err(Error::Random("not locked, though a password is given".to_owned())),
        (Export::Locked(_), None) => {
            return Err(Error::Random(format!("taken for locked {}, though no password is given", importer.title)));
        }
    };
    Ok((importer.id, entries))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What is wrong with a case; empty where nothing is.
fn check(id: &str, path: &Path, case: &Value) -> Option<String> {
    let outcome = open(&fs::read(path).unwrap(), case["password"].as_str());
    let (found_id, entries) = match (outcome, case["fails"].as_str()) {
        (Err(error), Some(code)) if error.code() == code => return None,
        (Err(error), wanted) => return Some(format!("fails with {} ({error}), not {wanted:?}", error.code())),
        (Ok(_), Some(code)) => return Some(format!("is read, and should fail with {code}")),
        (Ok(found), None) => found,
    };
    if found_id != id {
        return Some(format!("is taken for {found_id}"));
    }
    let found: Vec<String> =
        entries.entries.iter().map(|entry| uri::format(&entry.enrolment).as_str().to_owned()).collect();
    let wanted = texts(&case["entries"]);
    if found != wanted {
        return Some(format!("has {found:#?}, not {wanted:#?}"));
    }
    if let Some(groups) = case["groups"].as_array() {
        let found: Vec<&Vec<String>> = entries.entries.iter().map(|entry| &entry.groups).collect();
        let wanted: Vec<Vec<String>> = groups.iter().map(texts).collect();
        if found != wanted.iter().collect::<Vec<_>>() {
            return Some(format!("has the groups {found:?}, not {wanted:?}"));
        }
    }
    let found: Vec<Value> =
        entries.failures.iter().map(|failure| serde_json::json!([failure.entry, failure.flaw.code()])).collect();
    let none = Vec::new();
    let wanted = case["errors"].as_array().unwrap_or(&none);
    (&found != wanted).then(|| format!("has the failures {:?}, not {wanted:?}", entries.failures))
}

#[test]
fn every_fixture_gives_what_is_written_beside_it() {
    let mut faults = Vec::new();
    for importer in super::IMPORTERS {
        let folder = folder().join(importer.id);
        let Some(cases) = cases(importer.id) else {
            faults.push(format!("{}: no fixtures", importer.id));
            continue;
        };
        let (mut good, mut bad) = (0, 0);
        let mut named = BTreeSet::from(["cases.json".to_owned()]);
        for case in &cases {
            let file = case["file"].as_str().unwrap();
            named.insert(file.to_owned());
            let is_good = case["fails"].is_null() && case["errors"].as_array().is_none_or(Vec::is_empty);
            if is_good {
                good += 1
            } else {
                bad += 1
            }
            if let Some(fault) = check(importer.id, &folder.join(file), case) {
                faults.push(format!("{}/{file} {fault}", importer.id));
            }
        }
        let there: BTreeSet<String> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(there, named, "{}: files and cases", importer.id);
        if good < 5 || bad < 10 {
            faults.push(format!("{}: {good} good cases and {bad} bad ones; 5 and 10 are asked", importer.id));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_importer_has_a_fuzz_target() {
    for importer in super::IMPORTERS {
        let target = format!("{}/fuzz/src/bin/import-{}.rs", env!("CARGO_MANIFEST_DIR"), importer.id);
        assert!(Path::new(&target).exists(), "{target}");
    }
}

#[test]
fn no_fixture_is_taken_for_another_format() {
    // The last two take what nobody else knows: lines with URIs among them, and random bytes. Their place is what is held.
    let (marked, last) = super::IMPORTERS.split_at(super::IMPORTERS.len() - 2);
    assert_eq!(last.iter().map(|importer| importer.id).collect::<Vec<_>>(), ["uris", "andotp"]);
    for other in super::IMPORTERS {
        let folder = folder().join(other.id);
        for case in cases(other.id).unwrap_or_default().iter().filter(|case| case["fails"].is_null()) {
            let bytes = fs::read(folder.join(case["file"].as_str().unwrap())).unwrap();
            let input = crate::exchange::Input::new(&bytes);
            for importer in marked.iter().filter(|importer| importer.id != other.id) {
                assert!(!(importer.recognizes)(&input), "{}/{} as {}", other.id, case["file"], importer.id);
            }
            assert_eq!(super::recognize(&input).unwrap().id, other.id, "{}", case["file"]);
        }
    }
}

/// The vault keeps URIs: an entry that reads otherwise as one would be a device that nobody can use.
#[test]
fn an_entry_is_what_its_uri_says() {
    let entry = |issuer: &str, label: &str, more: Value| {
        let mut entry =
            serde_json::json!({ "secret": "JBSWY3DPEHPK3PXP", "type": "TOTP", "issuer": issuer, "label": label });
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    };
    let none = serde_json::json!({});
    let list = serde_json::json!([
        entry("Steam", "u", none.clone()),
        entry("", "steam", none.clone()),
        entry("null", "u", none.clone()),
        entry(":", "a:b", none.clone()),
        entry("Acme\u{200b}", "\u{feff}u", none.clone()),
        entry("Steam", "u", serde_json::json!({ "digits": 6 })),
        entry("Steam", "u", serde_json::json!({ "type": "HOTP", "counter": 1 })),
        entry("Acme", "u\u{7}", none.clone()),
    ]);
    let (_, Export::Plain(found)) = read(list.to_string().as_bytes()).unwrap() else { panic!("it is locked") };
    for entry in &found.entries {
        let again = uri::parse(&uri::format(&entry.enrolment)).unwrap().enrolments;
        assert_eq!(again, std::slice::from_ref(&entry.enrolment));
    }
    let failed: Vec<(usize, String)> =
        found.failures.iter().map(|failure| (failure.entry, failure.flaw.to_string())).collect();
    let not_steam =
        |what: &str| format!("this is a Steam account, whose codes have 5 characters, but its {what} says otherwise");
    assert_eq!(
        failed,
        [(6, not_steam("number of digits")), (7, not_steam("type")), (8, "its name is not valid".to_owned())]
    );
    let login = b"name,login_totp\nSteam,JBSWY3DPEHPK3PXP\nSteam,otpauth://hotp/?secret=JBSWY3DPEHPK3PXP&counter=1\n";
    let (_, Export::Plain(found)) = read(login).unwrap() else { panic!("it is locked") };
    assert!(found.entries[0].enrolment.parameters.digits.is_steam());
    assert_eq!(found.failures[0].flaw.to_string(), not_steam("type"));
}

/// A file can't ask for far more memory than it has bytes.
#[test]
fn folders_are_no_deeper_than_groups_may_be() {
    let deep = "a/".repeat(60);
    let folders: Vec<Value> = (0..20).map(|id| serde_json::json!({ "id": id, "name": deep })).collect();
    let ids: Vec<u32> = (0..20).collect();
    let item = serde_json::json!({ "name": "x", "login": { "totp": "JBSWY3DPEHPK3PXP" }, "folderId": 1, "collectionIds": ids });
    let json = serde_json::json!({ "encrypted": false, "folders": folders, "items": [item] }).to_string();
    let table = format!("folder,name,login_totp\n{deep},x,JBSWY3DPEHPK3PXP\n");
    for text in [json, table] {
        let (_, Export::Plain(found)) = read(text.as_bytes()).unwrap() else { panic!("it is locked") };
        assert_eq!(found.entries[0].groups, ["a"; 16], "{text}");
    }
}

/// Nothing that is cut off or changed makes an importer panic; a step of some bytes keeps it quick. Bombs and files
/// of very many entries are left out: each change of theirs would be as much work as the file.
#[test]
fn fixtures_cut_off_or_changed_give_an_answer() {
    for importer in super::IMPORTERS {
        let folder = folder().join(importer.id);
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if ["bomb", "many"].iter().any(|large| name.contains(large)) {
                continue;
            }
            let bytes = fs::read(entry.path()).unwrap();
            let step = (bytes.len() / 60).max(1);
            for at in (0..bytes.len()).step_by(step) {
                let _ = read(&bytes[..at]);
                let mut changed = bytes.clone();
                changed[at] ^= 0x15;
                let _ = read(&changed);
            }
        }
    }
}
