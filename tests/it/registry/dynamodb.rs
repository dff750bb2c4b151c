//! The registry in DynamoDB: many writers, an engine that ends, answers that are lost, other people's tables, and versions.

mod answers;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use vmfa::registry::dynamodb::{Address, Answer, DynamoDb, Lost, Transport, Way};
use vmfa::registry::{Claim, Forget, History, Holder, Kept as _, Token};

use super::ledgers::claim;
use super::*;
use crate::support::dynamodb::{ENGINES, Engine, Server, way, way_to};

fn address(url: &str) -> Address {
    Address::parse(url).unwrap()
}

fn opened(url: &str) -> DynamoDb {
    let address = address(url);
    DynamoDb::open(&address, way_to(&address))
}

/// A registry in a new table.
pub fn made(url: &str) -> DynamoDb {
    let address = address(url);
    DynamoDb::prepare(&address, way_to(&address)).unwrap();
    DynamoDb::open(&address, way_to(&address))
}

/// A registry with one device, and that one's ledger.
fn with_ledger(url: &str) -> (DynamoDb, Id) {
    let registry = made(url);
    let a = device("a");
    registry.insert(std::slice::from_ref(&a)).unwrap();
    let ledger = registry.join(a.id, &[1; 32]).unwrap();
    (registry, ledger)
}

/// Eight writers, each with connections of its own, claim the same steps; and one secret's devices join at once.
#[test]
fn no_step_is_claimed_by_two_of_many_connections() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let url = server.url();
        let devices: Vec<Device> = (0..8).map(|number| device(&format!("d{number}"))).collect();
        made(&url).insert(&devices).unwrap();
        let steps: Vec<u64> = (1_000..1_080).collect();
        let mut all: Vec<u64> = thread::scope(|scope| {
            let (url, steps) = (&url, &steps);
            let writers: Vec<_> = devices
                .iter()
                .enumerate()
                .map(|(index, device)| {
                    scope.spawn(move || {
                        let registry = opened(url);
                        let ledger = registry.join(device.id, &[9; 32]).unwrap();
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
        assert_eq!(all, steps, "{engine:?}");
    }
}

/// While some make runs of what is old, others claim by clocks that are set far back: a step is free or in a run, and never
/// neither.
#[test]
fn what_becomes_a_run_is_not_free_for_a_moment() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let url = server.url();
        let (registry, ledger) = with_ledger(&url);
        let all: Vec<u64> = thread::scope(|scope| {
            let url = &url;
            let workers: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(move || {
                        let registry = opened(url);
                        let mut had = Vec::new();
                        for turn in 0..40_u64 {
                            // Handed out long ago and below what is remembered: each claim makes runs of those before.
                            had.extend(claim(
                                &registry,
                                ledger,
                                &(turn / 2..turn / 2 + 40).collect::<Vec<_>>(),
                                1,
                                900,
                            ));
                        }
                        had
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        let distinct: BTreeSet<u64> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len(), "{engine:?}: {all:?}");
        assert!(!registry.ledger(ledger).unwrap().forgotten.is_empty());
    }
}

#[test]
fn a_registry_goes_on_where_its_engine_is_killed_and_started_again() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let url = server.url();
        let (registry, ledger) = with_ledger(&url);
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
        match opened(&url).with_patience(Duration::from_millis(100)).list() {
            Err(Error::Unreachable { place, reason }) => {
                assert!(place.contains("dynamodb://vmfa") && !reason.is_empty())
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Loses the answers to an operation that was carried out.
#[derive(Debug)]
struct Losing {
    inner: Box<dyn Transport>,
    operation: &'static str,
    left: Arc<AtomicUsize>,
}

impl Transport for Losing {
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, Lost> {
        let answer = self.inner.post(url, headers, body);
        let is_it = headers.iter().any(|(_, value)| value.ends_with(&format!(".{}", self.operation)));
        let lose =
            is_it && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if lose { Err(Lost { reason: "cut".to_owned(), perhaps_arrived: true }) } else { answer }
    }
}

fn losing(url: &str, operation: &'static str) -> (DynamoDb, Arc<AtomicUsize>) {
    let address = address(url);
    let (way, left) = (way_to(&address), Arc::new(AtomicUsize::new(0)));
    let transport = Box::new(Losing { inner: way.transport, operation, left: Arc::clone(&left) });
    (DynamoDb::open(&address, Way { transport, ..way }), left)
}

#[test]
fn a_step_whose_answer_was_lost_counts_as_used_and_another_is_taken() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let url = server.url();
        let (_, ledger) = with_ledger(&url);
        let (registry, left) = losing(&url, "UpdateItem");
        left.store(1, Ordering::Relaxed);
        assert_eq!(claim(&registry, ledger, &[500, 501, 502], 1, 2_000), [501]);
        assert_eq!(claim(&registry, ledger, &[500, 501, 502], 2, 2_000), [502]);
    }
}

/// The service knows a transaction by its token; where it never answers, nobody knows.
#[test]
fn a_change_whose_answer_was_lost_is_made_once() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let url = server.url();
        made(&url);
        let (registry, left) = losing(&url, "TransactWriteItems");
        let mut a = device("a");
        left.store(2, Ordering::Relaxed);
        registry.insert(std::slice::from_ref(&a)).unwrap();
        left.store(1, Ordering::Relaxed);
        a.note = Some("changed".to_owned());
        registry.update(std::slice::from_ref(&a)).unwrap();
        assert_eq!(registry.list().unwrap()[0].revision, 1);
        left.store(1, Ordering::Relaxed);
        registry.join(a.id, &[1; 32]).unwrap();
        left.store(usize::MAX, Ordering::Relaxed);
        let hasty = registry.with_patience(Duration::ZERO);
        assert!(matches!(hasty.insert(&[device("b")]), Err(Error::Unknown { .. })), "{engine:?}");
    }
}

#[test]
fn a_table_is_made_ready_once_and_says_what_is_missing() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let url = server.url();
        let list = |url: &str| opened(url).list().map(drop);
        assert!(matches!(list(&url), Err(Error::NoRegistry { .. })));
        let prepare = |url: &str| DynamoDb::prepare(&address(url), way_to(&address(url)));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| prepare(&url).unwrap());
            }
        });
        list(&url).unwrap();
        let id = opened(&url).id().unwrap();
        prepare(&url).unwrap();
        assert_eq!(opened(&url).id().unwrap(), id);
        let table = address(&url).table().to_owned();
        let set = |version: u32| {
            server.ask(
                "UpdateItem",
                &json!({
                    "TableName": table,
                    "Key": { "pk": { "S": "registry" }, "sk": { "S": "registry" } },
                    "UpdateExpression": "SET version = :v",
                    "ExpressionAttributeValues": { ":v": { "N": version.to_string() } },
                }),
            )
        };
        set(2);
        for result in [list(&url), prepare(&url)] {
            assert!(matches!(result, Err(Error::TooNew { found: 2, known: 1, .. })), "{result:?}");
        }
        set(0);
        assert!(matches!(list(&url), Err(Error::Outdated { found: 0, known: 1, .. })));
        // Other people's tables: with other keys, and with other items.
        let make = |name: &str, sort: &str| {
            server.ask(
                "CreateTable",
                &json!({
                    "TableName": name,
                    "AttributeDefinitions": [
                        { "AttributeName": "pk", "AttributeType": "S" },
                        { "AttributeName": sort, "AttributeType": "S" },
                    ],
                    "KeySchema": [
                        { "AttributeName": "pk", "KeyType": "HASH" },
                        { "AttributeName": sort, "KeyType": "RANGE" },
                    ],
                    "BillingMode": "PAY_PER_REQUEST",
                }),
            );
            url.replace(&table, name)
        };
        let refused = |result: Result<(), Error>| match result {
            Err(Error::Refused { reason, .. }) => reason,
            other => panic!("{engine:?}: {other:?}"),
        };
        assert!(refused(prepare(&make("other-keys", "other"))).contains("keys"));
        let used = make("others", "sk");
        server.ask("PutItem", &json!({ "TableName": "others", "Item": { "pk": { "S": "a" }, "sk": { "S": "b" } } }));
        assert!(refused(prepare(&used)).contains("no registry"));
        assert!(matches!(list(&used), Err(Error::NoRegistry { .. })));
        prepare(&make("empty-one", "sk")).unwrap();
    }
}

/// More devices than fit into one transaction, and than fit on one page.
#[test]
fn many_devices_are_added_all_or_none_and_listed_each_once() {
    for (engine, count) in [(Engine::Dynoxide, 1_200_usize), (Engine::Dynalite, 71)] {
        let server = Server::start(engine);
        let url = server.url();
        let registry = made(&url);
        let long = "x".repeat(900);
        let named =
            |number: usize| Device { note: Some(long.clone()), ..device(&format!("d{:04}", number * 7 % count)) };
        let devices: Vec<Device> = (0..count).map(named).collect();
        registry.insert(&devices).unwrap();
        assert_eq!(names(&registry), (0..count).map(|number| format!("d{number:04}")).collect::<Vec<_>>());
        // One that is there already, behind those of the first parts.
        let mut others: Vec<Device> = (0..70).map(|number| device(&format!("e{number}"))).collect();
        others.push(device("d0000"));
        assert!(matches!(registry.insert(&others), Err(Error::NameTaken(_))));
        assert_eq!(registry.list().unwrap().len(), count);
        let changed: Vec<Device> =
            devices.iter().take(70).map(|device| Device { note: None, ..device.clone() }).collect();
        registry.update(&changed).unwrap();
        registry.remove(&devices.iter().map(|device| device.id).collect::<Vec<_>>()).unwrap();
        assert!(registry.list().unwrap().is_empty());
    }
}

/// What fails in a later part undoes those before it.
#[test]
fn a_change_in_several_parts_is_undone_when_one_fails() {
    let server = Server::start(Engine::Dynoxide);
    let url = server.url();
    let registry = made(&url);
    let devices: Vec<Device> = (0..70).map(|number| device(&format!("d{number:02}"))).collect();
    registry.insert(&devices).unwrap();
    // Somebody changes a device of the last part while the first one is written.
    let address = address(&url);
    let meddling = {
        let (way, last) = (way_to(&address), devices[69].clone());
        let transport =
            Box::new(Meddling { inner: way.transport, url: url.clone(), device: last, done: AtomicUsize::new(0) });
        DynamoDb::open(&address, Way { transport, ..way })
    };
    let changed: Vec<Device> =
        devices.iter().map(|device| Device { note: Some("new".to_owned()), ..device.clone() }).collect();
    assert!(matches!(meddling.update(&changed), Err(Error::Conflict(name)) if name.as_str() == "d69"));
    let listed = registry.list().unwrap();
    assert!(listed.iter().all(|device| device.note.as_deref() != Some("new")), "{listed:#?}");
}

/// Changes a device behind the back of whoever makes the first transaction.
#[derive(Debug)]
struct Meddling {
    inner: Box<dyn Transport>,
    url: String,
    device: Device,
    done: AtomicUsize,
}

impl Transport for Meddling {
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, Lost> {
        let is_transaction = headers.iter().any(|(_, value)| value.ends_with(".TransactWriteItems"));
        if is_transaction && self.done.fetch_add(1, Ordering::Relaxed) == 0 {
            opened(&self.url).update(std::slice::from_ref(&self.device)).unwrap();
        }
        self.inner.post(url, headers, body)
    }
}

/// What another table says is accepted only by somebody; from then on all codes up to that moment count.
#[test]
fn a_restored_table_hands_out_nothing_that_may_have_been() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let (registry, ledger) = with_ledger(&server.url());
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
}

#[test]
fn another_key_is_accepted_and_devices_keep_their_ledgers() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let registry = made(&server.url());
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
        assert_eq!(registry.ledger_of(&[1; 32]).unwrap(), None);
        registry.probe().unwrap();
    }
}

/// What another registry handed out isn't free here, and can't be given back.
#[test]
fn a_ledger_learns_what_another_registry_knows() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let (registry, ledger) = with_ledger(&server.url());
        assert_eq!(claim(&registry, ledger, &[500, 501], 2, 2_000), [500, 501]);
        let token = Token::from_value(7);
        assert!(registry.release(ledger, Step::new(501), token).unwrap());
        let history = History {
            taken: (500..640).map(Step::new).collect(),
            runs: "10-20".parse().unwrap(),
            last_pair: Some(Step::new(70)),
            counter: Some(3),
            relying_party: None,
            changed: Timestamp::from_unix(3_000),
        };
        for _ in 0..2 {
            registry.unite(ledger, &history).unwrap();
            let claimed = registry.claimed(ledger, Step::new(0), Step::new(10_000)).unwrap();
            assert_eq!(claimed, history.taken);
            let holder = |step| registry.holder(ledger, Step::new(step)).unwrap();
            assert_eq!(holder(500), Some(Holder { token, again: true, given: true }));
            for step in [501, 600] {
                assert_eq!(holder(step), Some(Holder { token: Token::NONE, again: true, given: true }));
            }
            let read = registry.ledger(ledger).unwrap();
            assert_eq!((read.counter, read.forgotten.to_string().as_str(), read.revision), (Some(3), "10-20", 1));
        }
        assert_eq!(registry.last_uses().unwrap().get(&ledger), Some(&Timestamp::from_unix(3_000)));
    }
}

/// A use counts unless it was given back; and who watches hears of every change.
#[test]
fn uses_and_changes_are_told() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let (registry, ledger) = with_ledger(&server.url());
        let used = || registry.last_uses().unwrap().get(&ledger).map(|time| time.as_unix());
        let mut before = registry.changes().unwrap();
        let mut is_told = || {
            let now = registry.changes().unwrap();
            std::mem::replace(&mut before, now) != now
        };
        assert_eq!((used(), is_told()), (None, false));
        claim(&registry, ledger, &[500], 1, 2_000);
        assert_eq!((used(), is_told()), (Some(2_000), true));
        claim(&registry, ledger, &[501], 1, 2_500);
        assert_eq!((used(), is_told()), (Some(2_500), true));
        assert!(registry.release(ledger, Step::new(501), Token::from_value(7)).unwrap());
        assert_eq!((used(), is_told()), (Some(2_000), true));
        registry.insert(&[device("b")]).unwrap();
        assert!(is_told() && !is_told());
    }
}

/// The conditions of a claim at their border: what is shown again before the last that is needed, and not after it.
#[test]
fn only_what_is_needed_is_shown_again() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let (registry, ledger) = with_ledger(&server.url());
        assert_eq!(claim(&registry, ledger, &[500, 502], 2, 2_000), [500, 502]);
        let candidates = [500, 501, 502].map(Step::new);
        let forget = Forget { below: Step::new(0), before: Timestamp::from_unix(0) };
        let (token, ready) = (Token::from_value(8), Step::new(600));
        let again = Claim { ledger, token, candidates: &candidates, most: 1, ready, now: UNTIL, again: true, forget };
        assert_eq!(registry.claim(&again).unwrap(), [Step::new(501)]);
        let shown = |step| registry.holder(ledger, Step::new(step)).unwrap().unwrap().again;
        assert_eq!([500, 501, 502].map(shown), [true, false, false]);
    }
}
