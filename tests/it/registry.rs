//! One suite over all registries: what holds for one back-end holds for each.

use vmfa::oath::{MovingFactor, Parameters, relying_party};
use vmfa::registry::{Claim, Device, Error, Forget, LastPair, Ledger, Registry, Returnable, State, memory::Memory};
use vmfa::time::{Drift, Period, Step, Timestamp};
use vmfa::vault::{Id, Kind};

const UNTIL: Timestamp = Timestamp::from_unix(1_900_000_000);

fn device(name: &str) -> Device {
    Device {
        id: Id::random(),
        name: name.parse().unwrap(),
        issuer: Some("Example".to_owned()),
        account: "alice".to_owned(),
        parameters: Parameters::DEFAULT,
        serial: None,
        vault: Kind::Age,
        created: Timestamp::from_unix(1_800_000_000),
        state: State::Active,
        drift: Drift::default(),
        ledger: None,
        revision: 0,
    }
}

fn pending(name: &str, replaces: Option<Id>) -> Device {
    Device { state: State::Pending { batch: Id::random(), replaces, until: UNTIL }, ..device(name) }
}

fn names(registry: &dyn Registry) -> Vec<String> {
    registry.list().unwrap().into_iter().map(|device| device.name.to_string()).collect()
}

/// Runs on every back-end that this build has.
fn on_all(suite: impl Fn(&dyn Registry)) {
    suite(&Memory::default());
    #[cfg(feature = "sqlite")]
    {
        let home = tempfile::tempdir().unwrap();
        suite(&vmfa::registry::sqlite::Sqlite::open(&home.path().join("a/b/registry.sqlite3")).unwrap());
    }
}

#[test]
fn every_field_comes_back_as_it_went_in() {
    let odd = Device {
        issuer: None,
        account: "🔐 \u{202e}'; DROP TABLE device; --".to_owned(),
        parameters: Parameters {
            algorithm: "SHA512".parse().unwrap(),
            digits: "10".parse().unwrap(),
            factor: MovingFactor::Counter { next: u64::MAX },
        },
        serial: Some("arn:aws:iam::123456789012:mfa/x".to_owned()),
        vault: Kind::Keyring,
        created: Timestamp::from_unix(u64::MAX),
        state: State::Retired { until: Timestamp::from_unix(u64::MAX - 1) },
        drift: Drift { seconds: i64::MIN, ppm: -7, since: u64::MAX },
        ..device("日本 /'\"")
    };
    let long = Device {
        parameters: Parameters {
            factor: MovingFactor::Time { period: Period::new(u64::MAX).unwrap() },
            ..Parameters::DEFAULT
        },
        ..device("b")
    };
    let replaced = device("a");
    let all = [replaced.clone(), long, pending("a", Some(replaced.id)), odd];
    on_all(|registry| {
        registry.insert(&all).unwrap();
        let mut listed = registry.list().unwrap();
        let mut expected = all.to_vec();
        listed.sort_by_key(|device| device.id);
        expected.sort_by_key(|device| device.id);
        assert_eq!(listed, expected);
    });
}

#[test]
fn only_active_devices_are_found_and_by_their_very_name() {
    on_all(|registry| {
        let retired = Device { state: State::Retired { until: UNTIL }, ..device("gone") };
        registry.insert(&[device("x"), pending("coming", None), retired]).unwrap();
        let found = |name: &str| registry.find(&name.parse().unwrap()).unwrap().is_some();
        assert!(found("x") && !found("X") && !found("coming") && !found("gone") && !found("y"));
        assert_eq!(names(registry), ["coming", "gone", "x"]);
    });
}

#[test]
fn a_name_belongs_to_one_active_and_one_pending_device_at_most() {
    on_all(|registry| {
        let old = device("x");
        registry.insert(std::slice::from_ref(&old)).unwrap();
        let taken = |result: Result<(), Error>| matches!(result, Err(Error::NameTaken(name)) if name.as_str() == "x");
        assert!(taken(registry.insert(&[device("x")])));
        assert!(taken(registry.insert(&[pending("x", None)])));
        assert!(taken(registry.insert(&[pending("x", Some(Id::random()))])));
        registry.insert(&[pending("x", Some(old.id))]).unwrap();
        let busy = registry.insert(&[pending("x", Some(old.id))]);
        assert!(matches!(busy, Err(Error::Busy { until, .. }) if until == UNTIL), "{busy:?}");
        // Neither can a device move to a name that is taken or reserved.
        let mut other = device("y");
        registry.insert(&[other.clone(), pending("z", None)]).unwrap();
        for name in ["x", "z"] {
            other.name = name.parse().unwrap();
            assert!(matches!(registry.update(&[other.clone()]), Err(Error::NameTaken(_) | Error::Busy { .. })));
        }
        assert_eq!(names(registry), ["x", "x", "y", "z"]);
    });
}

#[test]
fn a_replacement_is_one_step() {
    on_all(|registry| {
        let mut old = device("x");
        let mut new = pending("x", Some(old.id));
        registry.insert(&[old.clone(), new.clone()]).unwrap();
        old.state = State::Retired { until: UNTIL };
        new.state = State::Active;
        registry.update(&[old, new.clone()]).unwrap();
        assert_eq!(registry.find(&new.name).unwrap().unwrap().id, new.id);
        // The name of a retired device is free.
        assert!(matches!(registry.insert(&[device("x")]), Err(Error::NameTaken(_))));
    });
}

#[test]
fn what_is_done_to_several_is_done_to_all_or_none() {
    on_all(|registry| {
        registry.insert(&[device("b")]).unwrap();
        registry.insert(&[device("a"), device("b")]).unwrap_err();
        registry.insert(&[device("c"), device("c")]).unwrap_err();
        assert_eq!(names(registry), ["b"]);

        let (one, two) = (device("one"), device("two"));
        registry.insert(&[one.clone(), two.clone()]).unwrap();
        let moved = |device: &Device, name: &str| Device { name: name.parse().unwrap(), ..device.clone() };
        let stale = Device { revision: 7, ..moved(&two, "four") };
        assert!(matches!(registry.update(&[moved(&one, "three"), stale]), Err(Error::Conflict(_))));
        assert_eq!(names(registry), ["b", "one", "two"]);
        registry.remove(&[one.id, Id::random(), two.id]).unwrap();
        assert_eq!(names(registry), ["b"]);
    });
}

#[test]
fn a_writer_that_read_an_older_revision_is_told() {
    on_all(|registry| {
        let read = device("x");
        registry.insert(std::slice::from_ref(&read)).unwrap();
        registry.update(std::slice::from_ref(&read)).unwrap();
        assert!(matches!(registry.update(std::slice::from_ref(&read)), Err(Error::Conflict(_))));
        assert_eq!(registry.find(&read.name).unwrap().unwrap().revision, 1);
        registry.update(&[Device { revision: 1, ..read.clone() }]).unwrap();
        registry.remove(&[read.id]).unwrap();
        assert!(matches!(registry.update(&[Device { revision: 2, ..read.clone() }]), Err(Error::Conflict(_))));
    });
}

fn claim(registry: &dyn Registry, ledger: Id, candidates: &[u64], most: usize, now: u64) -> Vec<u64> {
    let candidates: Vec<Step> = candidates.iter().copied().map(Step::new).collect();
    let forget = Forget { below: Step::new(100), before: Timestamp::from_unix(1_000) };
    let claim = Claim { ledger, candidates: &candidates, most, now: Timestamp::from_unix(now), again: false, forget };
    registry.claim(&claim).unwrap().into_iter().map(Step::value).collect()
}

fn claimed(registry: &dyn Registry, ledger: Id) -> Vec<u64> {
    let steps = registry.claimed(ledger, Step::new(0), Step::new(i64::MAX.unsigned_abs())).unwrap();
    steps.into_iter().map(Step::value).collect()
}

#[test]
fn devices_of_one_fingerprint_have_one_ledger() {
    on_all(|registry| {
        let devices = [device("a"), device("b"), device("c")];
        registry.insert(&devices).unwrap();
        let [a, b, c] = devices.each_ref().map(|device| device.id);
        let ledger = registry.join(a, &[1; 32]).unwrap();
        assert_eq!(registry.join(b, &[1; 32]).unwrap(), ledger);
        assert_ne!(registry.join(c, &[2; 32]).unwrap(), ledger);
        assert_eq!(registry.join(a, &[2; 32]).unwrap(), ledger, "a device keeps its ledger");
        let sharers: Vec<String> =
            registry.sharers(ledger).unwrap().into_iter().map(|device| device.name.to_string()).collect();
        assert_eq!(sharers, ["a", "b"]);
        assert!(matches!(registry.join(Id::random(), &[1; 32]), Err(Error::Gone)));
        // A writer that read the device before doesn't take the ledger away.
        registry.update(std::slice::from_ref(&devices[0])).unwrap();
        assert_eq!(registry.find(&devices[0].name).unwrap().unwrap().ledger, Some(ledger));
        // Whoever enrols the same secret later finds what was handed out.
        claim(registry, ledger, &[7], 1, 2_000);
        registry.remove(&[a, b]).unwrap();
        let again = device("a");
        registry.insert(std::slice::from_ref(&again)).unwrap();
        assert_eq!(registry.join(again.id, &[1; 32]).unwrap(), ledger);
        assert_eq!(claimed(registry, ledger), [7]);
    });
}

#[test]
fn the_first_candidates_that_were_never_claimed_are_given() {
    on_all(|registry| {
        let device = device("a");
        registry.insert(std::slice::from_ref(&device)).unwrap();
        let ledger = registry.join(device.id, &[1; 32]).unwrap();
        assert_eq!(claim(registry, ledger, &[500, 499, 501], 1, 2_000), [500]);
        assert_eq!(claim(registry, ledger, &[500, 499, 501], 1, 2_000), [499]);
        assert_eq!(claim(registry, ledger, &[500, 499, 501, 502], 2, 2_000), [501, 502]);
        assert_eq!(claim(registry, ledger, &[500, 499], 2, 2_000), [0_u64; 0]);
        assert_eq!(claim(registry, ledger, &[503, 503], 2, 2_000), [503], "named twice, taken once");
        assert!(registry.release(ledger, Step::new(500), false).unwrap());
        assert!(!registry.release(ledger, Step::new(500), false).unwrap());
        assert_eq!(claimed(registry, ledger), [499, 501, 502, 503]);
        let some = registry.claimed(ledger, Step::new(501), Step::new(502)).unwrap();
        assert_eq!(some, [Step::new(501), Step::new(502)]);
        assert_eq!(claim(registry, ledger, &[500, u64::MAX], 2, 2_000), [500, u64::MAX]);
        assert_eq!(claim(registry, ledger, &[u64::MAX], 1, 2_000), [0_u64; 0]);
    });
}

/// A device in the registry, and its ledger.
fn with_ledger(registry: &dyn Registry, name: &str, fingerprint: u8) -> (Device, Id) {
    let device = device(name);
    registry.insert(std::slice::from_ref(&device)).unwrap();
    let ledger = registry.join(device.id, &[fingerprint; 32]).unwrap();
    (device, ledger)
}

#[test]
fn a_step_is_forgotten_when_it_is_old_and_was_handed_out_long_ago_and_never_given_again() {
    on_all(|registry| {
        let (_, ledger) = with_ledger(registry, "a", 1);
        claim(registry, ledger, &[40, 50, 150], 3, 900);
        claim(registry, ledger, &[60], 1, 1_100);
        assert_eq!(claimed(registry, ledger), [60, 150], "40 and 50 are below 100 and from before 1,000");
        assert_eq!(claim(registry, ledger, &[60, 150], 2, 5_000), [0_u64; 0]);
        // Whatever the clock said when it was forgotten: what lies before counts as handed out.
        assert_eq!(claim(registry, ledger, &[40, 45, 50, 151], 4, 900), [151]);
        assert_eq!(registry.ledger(ledger).unwrap().forgotten, Some(Step::new(50)));
        let other = with_ledger(registry, "b", 2).1;
        assert_eq!(claim(registry, other, &[40], 1, 2_000), [40], "another ledger");
        assert!(matches!(
            registry.claim(&Claim {
                ledger: Id::random(),
                candidates: &[Step::new(1)],
                most: 1,
                now: UNTIL,
                again: false,
                forget: Forget { below: Step::new(0), before: UNTIL },
            }),
            Err(Error::Gone)
        ));
    });
}

#[test]
fn what_was_handed_out_again_is_not_given_back_by_whoever_waits_for_it() {
    on_all(|registry| {
        let (_, ledger) = with_ledger(registry, "a", 1);
        assert_eq!(claim(registry, ledger, &[500, 501], 2, 2_000), [500, 501]);
        let forget = Forget { below: Step::new(0), before: Timestamp::from_unix(0) };
        let candidates = [500, 502].map(Step::new);
        let again = Claim { ledger, candidates: &candidates, most: 2, now: UNTIL, again: true, forget };
        assert_eq!(registry.claim(&again).unwrap(), [Step::new(502)]);
        let back = |step| registry.release(ledger, Step::new(step), true).unwrap();
        assert_eq!([500, 501, 502].map(back), [false, true, true]);
        assert_eq!(claimed(registry, ledger), [500]);
        assert!(registry.release(ledger, Step::new(500), false).unwrap(), "whoever knows better can");
    });
}

#[test]
fn a_ledger_is_changed_by_one_writer_at_a_time() {
    on_all(|registry| {
        let device = device("a");
        registry.insert(std::slice::from_ref(&device)).unwrap();
        let id = registry.join(device.id, &[1; 32]).unwrap();
        let read = registry.ledger(id).unwrap();
        assert_eq!(read, Ledger::new(id));
        let (state, _) = relying_party::accept(
            &relying_party::Rules::AWS,
            &vmfa::secret::Secret::new(vec![1]).unwrap(),
            &Parameters::DEFAULT,
            &relying_party::State::default(),
            UNTIL,
            &["000000".parse().unwrap()],
        );
        let changed = Ledger {
            last_pair: Some(LastPair {
                second: Step::new(u64::MAX),
                returnable: Some(Returnable { claimed: true, before: Some(Step::new(3)) }),
            }),
            counter: Some(u64::MAX),
            relying_party: Some(state),
            changed: UNTIL,
            ..read.clone()
        };
        registry.update_ledger(&changed).unwrap();
        assert!(matches!(registry.update_ledger(&read), Err(Error::LedgerConflict)));
        assert_eq!(registry.ledger(id).unwrap(), Ledger { revision: 1, ..changed.clone() });
        let final_pair = Some(LastPair { second: Step::new(3), returnable: None });
        registry.update_ledger(&Ledger { revision: 1, last_pair: final_pair, ..changed.clone() }).unwrap();
        assert_eq!(registry.ledger(id).unwrap().last_pair, final_pair);
        let nobodys = Id::random();
        assert!(matches!(registry.update_ledger(&Ledger::new(nobodys)), Err(Error::LedgerConflict)));
        assert!(matches!(registry.ledger(nobodys), Err(Error::Gone)));
    });
}

#[test]
fn only_ledgers_that_nobody_needs_are_swept() {
    on_all(|registry| {
        let (day, slow) = (86_400, Period::new(86_400).unwrap());
        let mut devices = ["kept", "gone", "recent", "slow", "counter"].map(device);
        devices[3].parameters.factor = MovingFactor::Time { period: slow };
        devices[4].parameters.factor = MovingFactor::Counter { next: 0 };
        registry.insert(&devices).unwrap();
        let mut fingerprint = 0;
        let ledgers = devices.each_ref().map(|device| {
            fingerprint += 1;
            registry.join(device.id, &[fingerprint; 32]).unwrap()
        });
        let now = 100 * day;
        for (ledger, days_ago) in ledgers.into_iter().zip([5, 5, 1, 5, 50]) {
            claim(registry, ledger, &[70_000], 1, now - days_ago * day);
        }
        let counter = registry.ledger(ledgers[4]).unwrap();
        registry.update_ledger(&Ledger { counter: Some(1), ..counter }).unwrap();
        registry.remove(&devices[1..].iter().map(|device| device.id).collect::<Vec<_>>()).unwrap();
        registry.sweep(Timestamp::from_unix(now)).unwrap();
        // A step of a day is remembered for 4,000 days, and a counter for ever.
        assert_eq!(ledgers.map(|ledger| registry.ledger(ledger).is_ok()), [true, false, true, true, true]);
        assert_eq!(ledgers.map(|ledger| claimed(registry, ledger).len()), [1, 0, 1, 1, 1]);
        let again = device("gone");
        registry.insert(std::slice::from_ref(&again)).unwrap();
        assert_ne!(registry.join(again.id, &[2; 32]).unwrap(), ledgers[1]);
    });
}

/// What the first version wrote is read, and goes on with a ledger.
#[cfg(feature = "sqlite")]
#[test]
fn a_registry_of_the_first_version_is_brought_up_to_date() {
    use vmfa::registry::sqlite::Sqlite;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("registry.sqlite3");
    let first = "
        CREATE TABLE device (
            id TEXT PRIMARY KEY, name TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
            batch TEXT, replaces TEXT, until INTEGER, issuer TEXT, account TEXT NOT NULL, algorithm TEXT NOT NULL,
            digits INTEGER NOT NULL, period INTEGER, counter INTEGER, serial TEXT, vault TEXT NOT NULL,
            created INTEGER NOT NULL, revision INTEGER NOT NULL, CHECK ((period IS NULL) <> (counter IS NULL))
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX device_name ON device (name);
        CREATE UNIQUE INDEX device_active ON device (name) WHERE state = 'active';
        CREATE UNIQUE INDEX device_pending ON device (name) WHERE state = 'pending';
        INSERT INTO device VALUES ('a646cd03-20cb-4e76-b9a6-4c1ea05df316', 'x', 'active', NULL, NULL, NULL, NULL, 'alice',
            'SHA1', 6, 30, NULL, NULL, 'age', 1800000000, 4);
        PRAGMA user_version = 1;
        PRAGMA journal_mode = WAL;";
    rusqlite::Connection::open(&file).unwrap().execute_batch(first).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let registry = Sqlite::open(&file).unwrap();
                let device = registry.find(&"x".parse().unwrap()).unwrap().unwrap();
                assert_eq!((device.drift, device.revision), (Drift::default(), 4));
                registry.join(device.id, &[1; 32]).unwrap();
            });
        }
    });
    let registry = Sqlite::open(&file).unwrap();
    let ledger = registry.find(&"x".parse().unwrap()).unwrap().unwrap().ledger.unwrap();
    assert_eq!(claim(&registry, ledger, &[1], 1, 5), [1]);
}

/// Eight writers, each with a connection of its own, claim the same steps; and one secret's devices join at once.
#[cfg(feature = "sqlite")]
#[test]
fn no_step_is_claimed_by_two_of_many_writers() {
    use vmfa::registry::sqlite::Sqlite;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("registry.sqlite3");
    let devices: Vec<Device> = (0..8).map(|number| device(&format!("d{number}"))).collect();
    Sqlite::open(&file).unwrap().insert(&devices).unwrap();
    let steps: Vec<u64> = (1_000..1_200).collect();
    let mut all: Vec<u64> = std::thread::scope(|scope| {
        let (file, steps) = (&file, &steps);
        let writers: Vec<_> = devices
            .iter()
            .map(|device| {
                scope.spawn(move || {
                    let registry = Sqlite::open(file).unwrap();
                    let ledger = registry.join(device.id, &[9; 32]).unwrap();
                    let ask = || claim(&registry, ledger, steps, 1, 5).pop();
                    std::iter::from_fn(ask).collect::<Vec<u64>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    all.sort_unstable();
    assert_eq!(all, steps);
}

/// Eight writers, each with a connection of its own, move one counter 50 times each.
#[cfg(feature = "sqlite")]
#[test]
fn no_update_of_many_writers_is_lost() {
    use vmfa::registry::sqlite::Sqlite;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("registry.sqlite3");
    let mut counter = device("x");
    counter.parameters.factor = MovingFactor::Counter { next: 0 };
    // All of them also race to make the file.
    std::thread::scope(|scope| {
        let (file, counter) = (&file, &counter);
        for writer in 0..8 {
            scope.spawn(move || {
                let registry = Sqlite::open(file).unwrap();
                if writer == 0 {
                    registry.insert(std::slice::from_ref(counter)).unwrap();
                }
                let mut done = 0;
                while done < 50 {
                    let Some(mut read) = registry.find(&counter.name).unwrap() else { continue };
                    let MovingFactor::Counter { next } = read.parameters.factor else { panic!("no counter") };
                    read.parameters.factor = MovingFactor::Counter { next: next + 1 };
                    match registry.update(&[read]) {
                        Ok(()) => done += 1,
                        Err(Error::Conflict(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    let last = Sqlite::open(&file).unwrap().find(&counter.name).unwrap().unwrap();
    assert_eq!(last.parameters.factor, MovingFactor::Counter { next: 400 });
    assert_eq!(last.revision, 400);
}
