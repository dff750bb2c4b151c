//! The shared vault: age items in PostgreSQL, held to the suite of all vaults; recipients that change; a server that fails.

use std::sync::Arc;

use vmfa::registry::postgres::{Address, Postgres};
use vmfa::vault::age::{Age, Identity, generate};
use vmfa::vault::{Error, Id, Vault as _};

use super::{conformance, item, uri_of};
use crate::registry::postgres::of_worker;
use crate::support::postgres::Server;

/// The vault in a database, for somebody with the rights of a worker.
fn vault(server: &Server, database: &str, recipients: &[&str], identity: &str) -> Age {
    let recipients = recipients.iter().map(|&recipient| recipient.to_owned()).collect();
    let identity = Identity::Text(identity.to_owned().into());
    Age::on(Arc::new(of_worker(server, database)), recipients, identity)
}

#[test]
fn items_in_a_database_conform() {
    let server = Server::start("");
    let (identity, recipient) = generate();
    conformance::check(&vault(&server, &server.database(), &[&recipient], &identity));
}

#[test]
fn those_who_share_it_open_what_is_encrypted_to_them_and_have_one_key() {
    let server = Server::start("");
    let database = server.database();
    opened_by_recipients(&|recipients, identity| vault(&server, &database, recipients, identity));
}

/// What holds for a vault that is opened with some recipients and an identity, over one shelf.
pub fn opened_by_recipients(vault: &dyn Fn(&[&str], &str) -> Age) {
    let ((first, to_first), (second, to_second)) = (generate(), generate());
    let admin = vault(&[&to_first], &first);
    let ids: Vec<Id> = (0..130).map(|_| Id::random()).collect();
    let items: Vec<_> = ids.iter().map(|id| (*id, item("x", &uri_of(*id)))).collect();
    admin.put_all(&items).unwrap();
    let key = admin.own_key().unwrap();
    // A worker who names no recipient but its own.
    let worker = vault(&[&to_second], &second);
    assert!(worker.get(ids[0]).unwrap_err().to_string().contains("another identity"));
    let both = admin.with_recipients(vec![to_first.clone(), to_second]);
    both.take_over_key(&key).unwrap();
    let outcome = both.rewrap(|_, _| {}).unwrap();
    // The vault's key is an item too.
    assert_eq!((outcome.items, outcome.left.len()), (131, 0));
    assert!(!both.is_changing().unwrap());
    for id in &ids {
        assert_eq!(*worker.get(*id).unwrap(), uri_of(*id));
    }
    assert_eq!(worker.own_key().unwrap(), key);
    // What is there isn't replaced by another secret, nor is one added twice.
    assert!(matches!(worker.put(ids[1], &item("x", "otpauth://totp/other")), Err(Error::Exists { .. })));
    let again = [(Id::random(), item("x", "otpauth://totp/new")), (ids[1], item("x", "otpauth://totp/other"))];
    assert!(matches!(worker.put_all(&again), Err((1, Error::Exists { .. }))));
    assert_eq!(*worker.get(ids[1]).unwrap(), uri_of(ids[1]));
    // Those who are removed open nothing.
    assert_eq!(admin.rewrap(|_, _| {}).unwrap().items, 131);
    assert!(worker.get(ids[0]).is_err() && worker.own_key().is_err());
    assert_eq!(*admin.get(ids[129]).unwrap(), uri_of(ids[129]));
}

/// Items that were exchanged, cut or replaced in the database are found out.
#[test]
fn what_the_database_changes_is_found_out() {
    let server = Server::start("");
    let database = server.database();
    let (identity, recipient) = generate();
    let vault = vault(&server, &database, &[&recipient], &identity);
    let (one, two) = (Id::random(), Id::random());
    for id in [one, two] {
        vault.put(id, &item("x", &uri_of(id))).unwrap();
    }
    server.sql(&database, &format!("UPDATE vmfa.item SET item = (SELECT item FROM vmfa.item WHERE key = '{two}')"));
    let exchanged = vault.get(one).unwrap_err().to_string();
    assert!(exchanged.contains("another device") && exchanged.contains(&one.to_string()), "{exchanged}");
    server.sql(&database, "UPDATE vmfa.item SET item = substr(item, 1, length(item) - 1)");
    assert!(vault.get(two).unwrap_err().to_string().contains("damaged"));
    server.sql(&database, "UPDATE vmfa.item SET item = decode(repeat('00', 100000), 'hex')");
    assert!(vault.get(two).unwrap_err().to_string().contains("larger than"));
    let outcome = vault.rewrap(|_, _| {}).unwrap();
    assert_eq!((outcome.items, outcome.left.len()), (0, 2));
    assert!(vault.is_changing().unwrap());
}

#[test]
fn a_server_that_is_gone_is_an_error_that_names_it() {
    let server = Server::start("");
    let database = server.database();
    let (identity, recipient) = generate();
    drop(vault(&server, &database, &[&recipient], &identity));
    let registry = Postgres::open(Address::parse(&server.url(&database)).unwrap()).unwrap();
    let shelf = Arc::new(registry.with_patience(std::time::Duration::ZERO));
    let vault = Age::on(shelf, vec![recipient], Identity::Text(identity));
    let id = Id::random();
    vault.put(id, &item("x", &uri_of(id))).unwrap();
    server.kill();
    let gone = vault.get(id).unwrap_err();
    assert!(!gone.changed_nothing() && gone.to_string().contains("can't be reached"), "{gone}");
    server.go_on();
    assert_eq!(*vault.get(id).unwrap(), uri_of(id));
}
