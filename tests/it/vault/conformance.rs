//! What every back-end has to do.

use vmfa::vault::memory::Memory;
use vmfa::vault::{Error, Id, Label, Vault};

use super::{item, uri_of};

/// The whole suite over one vault, which may hold other things.
pub fn check(vault: &dyn Vault) {
    what_was_put_is_got(vault);
    a_secret_is_written_once(vault);
    what_is_not_there_is_not_there(vault);
    what_was_deleted_is_gone(vault);
    a_new_label_keeps_the_secret(vault);
    many_items_are_kept_apart(vault);
    its_own_key_is_the_same_for_all_who_ask_at_once(vault);
    a_probe_finds_a_usable_vault_and_changes_nothing(vault);
    assert!(!format!("{vault:?}").contains("secret="));
}

fn what_was_put_is_got(vault: &dyn Vault) {
    let uris = [
        "otpauth://totp/AWS:mfauser?secret=JBSWY3DPEHPK3PXP&issuer=AWS".to_owned(),
        // The longest secret: 128 bytes.
        format!("otpauth://totp/x?secret={}", "A".repeat(205)),
        // Labels of 128 characters, every byte of them percent-encoded.
        format!("otpauth://totp/{}?secret=MY&issuer={}", "%F0%9F%91%A9".repeat(64), "%E6%97%A5".repeat(128)),
        "otpauth://totp/?secret=MY".to_owned(),
    ];
    for uri in uris {
        let id = Id::random();
        vault.put(id, &item("round trip", &uri)).unwrap();
        assert_eq!(*vault.get(id).unwrap(), uri);
        assert_eq!(*vault.get(id).unwrap(), uri);
        vault.delete(id).unwrap();
    }
}

fn a_secret_is_written_once(vault: &dyn Vault) {
    let id = Id::random();
    vault.put(id, &item("first", "otpauth://totp/a?secret=MY")).unwrap();
    let second = vault.put(id, &item("second", "otpauth://totp/b?secret=MZ"));
    assert!(matches!(second, Err(Error::Exists { id: named, .. }) if named == id), "{second:?}");
    assert_eq!(*vault.get(id).unwrap(), "otpauth://totp/a?secret=MY");
    vault.delete(id).unwrap();
}

fn what_is_not_there_is_not_there(vault: &dyn Vault) {
    let id = Id::random();
    let not_there =
        |error: Error| matches!(error, Error::NotThere { id: named, kind } if named == id && kind == vault.kind());
    assert!(not_there(vault.get(id).unwrap_err()));
    assert!(not_there(vault.delete(id).unwrap_err()));
    assert!(not_there(vault.relabel(id, Label::Device(&"any".parse().unwrap())).unwrap_err()));
}

fn its_own_key_is_the_same_for_all_who_ask_at_once(vault: &dyn Vault) {
    let keys: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| vault.own_key().unwrap())).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0] && key.len() > 64));
    assert_eq!(vault.own_key().unwrap(), keys[0]);
}

fn what_was_deleted_is_gone(vault: &dyn Vault) {
    let (id, other) = (Id::random(), Id::random());
    for id in [id, other] {
        vault.put(id, &item("deleted", &uri_of(id))).unwrap();
    }
    vault.delete(id).unwrap();
    assert!(matches!(vault.get(id), Err(Error::NotThere { .. })));
    assert!(matches!(vault.delete(id), Err(Error::NotThere { .. })));
    assert_eq!(*vault.get(other).unwrap(), uri_of(other));
    vault.delete(other).unwrap();
}

fn a_new_label_keeps_the_secret(vault: &dyn Vault) {
    let id = Id::random();
    vault.put(id, &item("before", &uri_of(id))).unwrap();
    let name = "after 日本語".parse().unwrap();
    for label in [Label::Device(&name), Label::Trashed(&name)] {
        vault.relabel(id, label).unwrap();
    }
    assert_eq!(*vault.get(id).unwrap(), uri_of(id));
    vault.delete(id).unwrap();
}

fn many_items_are_kept_apart(vault: &dyn Vault) {
    let ids: Vec<Id> = (0..40).map(|_| Id::random()).collect();
    for id in &ids {
        // One name for all: names are not what items are found by.
        vault.put(*id, &item("many", &uri_of(*id))).unwrap();
    }
    for id in &ids {
        assert_eq!(*vault.get(*id).unwrap(), uri_of(*id));
    }
    for id in &ids {
        vault.delete(*id).unwrap();
    }
}

fn a_probe_finds_a_usable_vault_and_changes_nothing(vault: &dyn Vault) {
    assert!(!vault.probe().unwrap().is_empty());
    assert_eq!(vault.probe().unwrap(), vault.probe().unwrap());
}

#[test]
fn memory_conforms() {
    check(&Memory::default());
}
