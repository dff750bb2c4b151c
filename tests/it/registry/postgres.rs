//! The registry in PostgreSQL: many writers, a server that ends, connections that are cut, roles, and versions.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use vmfa::registry::postgres::{Address, Postgres};
use vmfa::registry::{Claim, Forget, Kept as _, Registry as _, Token};

use super::ledgers::claim;
use super::*;
use crate::support::postgres::{PASSWORD, Server};

fn address(url: &str) -> Address {
    Address::parse(url).unwrap()
}

/// A registry in a database, opened as its owner.
fn of_owner(server: &Server, database: &str) -> Postgres {
    Postgres::prepare(address(&server.url(database))).unwrap();
    Postgres::open(address(&server.url(database))).unwrap()
}

/// The same, opened as somebody who has the rights that docs/postgres.md gives to workers, and no others.
pub fn of_worker(server: &Server, database: &str) -> Postgres {
    Postgres::prepare(address(&server.url(database))).unwrap();
    Postgres::open(address(&worker(server, database))).unwrap()
}

fn worker(server: &Server, database: &str) -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/postgres.md")).unwrap();
    let grants = text.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the grants");
    if server.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'worker'") == "0" {
        server.sql("postgres", &format!("CREATE ROLE worker LOGIN PASSWORD '{PASSWORD}'"));
    }
    server.sql(database, grants);
    server.url(database).replacen("postgres:", "worker:", 2).replacen("worker:", "postgres:", 1)
}

/// Eight writers, each with a connection of its own, claim the same steps; and one secret's devices join at once.
#[test]
fn no_step_is_claimed_by_two_of_many_connections() {
    let server = Server::start("");
    let database = server.database();
    let devices: Vec<Device> = (0..8).map(|number| device(&format!("d{number}"))).collect();
    of_owner(&server, &database).insert(&devices).unwrap();
    let steps: Vec<u64> = (1_000..1_200).collect();
    let mut all: Vec<u64> = thread::scope(|scope| {
        let (url, steps) = (server.url(&database), &steps);
        let writers: Vec<_> = devices
            .iter()
            .enumerate()
            .map(|(index, device)| {
                let url = url.clone();
                scope.spawn(move || {
                    let registry = Postgres::open(address(&url)).unwrap();
                    let ledger = registry.join(device.id, &[9; 32]).unwrap();
                    // Some count down, so that they would wait for each other in a circle if claims did.
                    let mut wanted = steps.clone();
                    if index % 2 == 1 {
                        wanted.reverse();
                    }
                    let mut had = Vec::new();
                    loop {
                        let taken = claim(&registry, ledger, &wanted, 3, 2_000);
                        if taken.is_empty() {
                            return had;
                        }
                        had.extend(taken);
                    }
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    all.sort_unstable();
    assert_eq!(all, steps);
}

/// While one makes runs of what is old, others claim by clocks that are set far back: a step is free or in a run, and
/// never neither.
#[test]
fn what_becomes_a_run_is_not_free_for_a_moment() {
    let server = Server::start("");
    let database = server.database();
    let registry = of_owner(&server, &database);
    registry.insert(&[device("a")]).unwrap();
    let ledger = registry.join(registry.find(&"a".parse().unwrap()).unwrap().unwrap().id, &[1; 32]).unwrap();
    let all: Vec<u64> = thread::scope(|scope| {
        let url = server.url(&database);
        let workers: Vec<_> = (0..6)
            .map(|_| {
                let url = url.clone();
                scope.spawn(move || {
                    let registry = Postgres::open(address(&url)).unwrap();
                    let mut had = Vec::new();
                    for turn in 0..60_u64 {
                        // Handed out long ago and below what is remembered: each claim makes runs of those before.
                        had.extend(claim(&registry, ledger, &(turn / 2..turn / 2 + 40).collect::<Vec<_>>(), 1, 900));
                    }
                    had
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let distinct: BTreeSet<u64> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len(), "{all:?}");
    assert!(!registry.ledger(ledger).unwrap().forgotten.is_empty());
}

#[test]
fn a_registry_goes_on_where_its_server_is_killed_and_started_again() {
    let server = Server::start("");
    let database = server.database();
    let registry = of_owner(&server, &database);
    registry.insert(&[device("a")]).unwrap();
    let ledger = registry.join(registry.list().unwrap()[0].id, &[1; 32]).unwrap();
    assert_eq!(claim(&registry, ledger, &[500], 1, 2_000), [500]);
    server.kill();
    let waited = thread::scope(|scope| {
        let waiting = scope.spawn(|| claim(&registry, ledger, &[500, 501], 1, 2_000));
        thread::sleep(Duration::from_millis(300));
        assert!(!waiting.is_finished());
        server.go_on();
        waiting.join().unwrap()
    });
    assert_eq!(waited, [501], "what was claimed before is on the disk");
    server.kill();
    let hasty = Postgres::open(address(&server.url(&database))).unwrap().with_patience(Duration::from_millis(100));
    match hasty.list() {
        Err(Error::Unreachable { place, reason }) => assert!(place.contains("127.0.0.1") && !reason.is_empty()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_is_made_ready_once_by_its_owner_and_says_what_is_missing() {
    let server = Server::start("");
    let database = server.database();
    let open = |url: &str| Postgres::open(address(url)).unwrap().list().map(|_| ());
    let url = server.url(&database);
    assert!(matches!(open(&url), Err(Error::NoRegistry { .. })));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Postgres::prepare(address(&url)).unwrap());
        }
    });
    open(&url).unwrap();
    let wrong = url.replace(PASSWORD, "wrong");
    match open(&wrong) {
        Err(Error::Refused { reason, .. }) => assert!(reason.contains("password") && !reason.contains("wrong")),
        other => panic!("{other:?}"),
    }
    let worker = worker(&server, &database);
    open(&worker).unwrap();
    Postgres::prepare(address(&worker)).unwrap();
    server.sql(&database, "UPDATE vmfa.registry SET version = version - 1");
    assert!(matches!(open(&worker), Err(Error::Outdated { found: 2, known: 3, .. })));
    assert!(matches!(Postgres::prepare(address(&worker)), Err(Error::Refused { .. })), "not the owner");
    server.sql(&database, "UPDATE vmfa.registry SET version = version + 2");
    for result in [open(&url), Postgres::prepare(address(&url))] {
        assert!(matches!(result, Err(Error::TooNew { found: 4, known: 3, .. })));
    }
    let server_not_there = Postgres::open(address("postgres://nobody@db.invalid/x?sslmode=disable")).unwrap();
    assert!(matches!(server_not_there.list(), Err(Error::ClearText { .. })));
    let read_only = server.database();
    let registry = of_owner(&server, &read_only).with_patience(Duration::from_millis(100));
    server.sql(&read_only, &format!("ALTER DATABASE {read_only} SET default_transaction_read_only = on"));
    let registry_read_only = Postgres::open(address(&server.url(&read_only))).unwrap();
    drop(registry);
    let refused = registry_read_only.with_patience(Duration::from_millis(100)).insert(&[device("x")]);
    assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
}

#[test]
fn a_list_of_several_pages_has_every_device_once() {
    let server = Server::start("");
    let registry = of_owner(&server, &server.database());
    let devices: Vec<Device> = (0..2_500).map(|number| device(&format!("d{:04}", number * 7 % 2_500))).collect();
    registry.insert(&devices).unwrap();
    let names = names(&registry);
    assert_eq!(names, (0..2_500).map(|number| format!("d{number:04}")).collect::<Vec<_>>());
}

/// What another database says is accepted only by its owner; from then on all codes up to that moment count.
#[test]
fn a_restored_database_hands_out_nothing_that_may_have_been() {
    let server = Server::start("");
    let registry = of_owner(&server, &server.database());
    registry.insert(&[device("a")]).unwrap();
    let ledger = registry.join(registry.list().unwrap()[0].id, &[1; 32]).unwrap();
    let now = Timestamp::from_unix(30 * 1_000);
    let accepted = registry.accept_restored(now).unwrap();
    assert_eq!((accepted.until, accepted.before, accepted.new_key), (now, None, false));
    assert_eq!(claim(&registry, ledger, &[1_000, 1_010, 1_011], 2, 2_000), [1_011]);
    let read = registry.ledger(ledger).unwrap();
    assert_eq!((read.restored, read.forgotten.to_string().as_str()), (Some(Step::new(1_010)), "0-1010"));
    // The pair that stands for all before isn't written: another moment can be accepted.
    registry.update_ledger(&read).unwrap();
    assert_eq!(registry.accept_restored(Timestamp::from_unix(30)).unwrap().before, Some(now));
    assert_eq!(registry.ledger(ledger).unwrap().last_pair.unwrap().second, Step::new(11));
    assert_eq!(claim(&registry, ledger, &[1_000], 1, 2_000), [1_000]);
}

/// A key that was refused is accepted with the database, and devices find their ledgers by the new one.
#[test]
fn another_key_is_accepted_and_devices_keep_their_ledgers() {
    let server = Server::start("");
    let registry = of_owner(&server, &server.database());
    registry.insert(&[device("a")]).unwrap();
    let id = registry.list().unwrap()[0].id;
    registry.see_key("age one", &[1; 32]).unwrap();
    let ledger = registry.join(id, &[1; 32]).unwrap();
    assert!(matches!(registry.see_key("age one", &[2; 32]), Err(Error::OtherKey { gone: false, .. })));
    assert!(matches!(registry.probe(), Err(Error::OtherKey { .. })));
    assert!(registry.accept_restored(Timestamp::from_unix(5)).unwrap().new_key);
    registry.see_key("age one", &[2; 32]).unwrap();
    assert_eq!(registry.list().unwrap()[0].ledger, None);
    assert_eq!(registry.join(id, &[2; 32]).unwrap(), ledger);
    assert_eq!(registry.ledger_of(&[2; 32]).unwrap(), Some(ledger));
    registry.probe().unwrap();
}

/// The conditions of a claim at their border: what is shown again before the last that is needed, and not after it.
#[test]
fn only_what_is_needed_is_shown_again() {
    let server = Server::start("");
    let registry = of_owner(&server, &server.database());
    registry.insert(&[device("a")]).unwrap();
    let ledger = registry.join(registry.list().unwrap()[0].id, &[1; 32]).unwrap();
    assert_eq!(claim(&registry, ledger, &[500, 502], 2, 2_000), [500, 502]);
    let candidates = [500, 501, 502].map(Step::new);
    let forget = Forget { below: Step::new(0), before: Timestamp::from_unix(0) };
    let token = Token::from_value(8);
    let again = Claim {
        ledger,
        token,
        candidates: &candidates,
        most: 1,
        ready: Step::new(600),
        now: UNTIL,
        again: true,
        forget,
    };
    assert_eq!(registry.claim(&again).unwrap(), [Step::new(501)]);
    let shown = |step| registry.holder(ledger, Step::new(step)).unwrap().unwrap().again;
    assert_eq!([500, 501, 502].map(shown), [true, false, false]);
}

/// A server that lets in and then sends without end.
#[test]
fn an_answer_without_end_ends_the_call() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, mut startup) = (socket.unwrap(), [0; 512]);
            let _ = std::io::Read::read(&mut socket, &mut startup);
            // It asks for no password, is ready, and begins to describe rows, of two gigabytes.
            let welcome = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05IT\x7f\xff\xff\xff";
            let _ = std::io::Write::write_all(&mut socket, welcome);
            while std::io::Write::write_all(&mut socket, &[0; 1 << 16]).is_ok() {}
        }
    });
    let registry = Postgres::open(address(&format!("postgres://x@127.0.0.1:{port}/x"))).unwrap();
    match registry.with_patience(Duration::ZERO).list() {
        Err(Error::Engine { reason, .. }) => assert!(reason.contains("too large"), "{reason}"),
        other => panic!("{other:?}"),
    }
}
