//! One suite over all registries: what holds for one back-end holds for each.

#[cfg(all(feature = "dynamodb", feature = "cli", target_os = "linux"))]
pub mod dynamodb;
#[cfg(feature = "sqlite")]
mod files;
mod ledgers;
#[cfg(all(feature = "postgres", target_os = "linux"))]
pub mod postgres;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod read_only;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod restored;

use vmfa::oath::{MovingFactor, Parameters, relying_party};
use vmfa::registry::{Device, Error, Registry, State, memory::Memory};
use vmfa::time::{Drift, Period, Step, Timestamp};
use vmfa::vault::{Id, Kind};

const UNTIL: Timestamp = Timestamp::from_unix(1_900_000_000);

/// A device of that name, as one that was just added.
pub fn device(name: &str) -> Device {
    Device {
        id: Id::random(),
        name: name.parse().unwrap(),
        issuer: Some("Example".to_owned()),
        account: "alice".to_owned(),
        parameters: Parameters::DEFAULT,
        serial: None,
        note: None,
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
    #[cfg(all(feature = "postgres", target_os = "linux"))]
    {
        let server = crate::support::postgres::Server::start("");
        suite(&postgres::of_worker(&server, &server.database()));
    }
    #[cfg(all(feature = "dynamodb", feature = "cli", target_os = "linux"))]
    for engine in crate::support::dynamodb::ENGINES {
        let server = crate::support::dynamodb::Server::start(engine);
        suite(&dynamodb::made(&server.url()));
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
        note: Some("\u{1f510} on the shelf".to_owned()),
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
    let trashed = Device { state: State::Trashed { since: Timestamp::from_unix(u64::MAX - 2) }, ..device("a") };
    let all = [replaced.clone(), long, pending("a", Some(replaced.id)), odd, trashed];
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
        let trashed = Device { state: State::Trashed { since: UNTIL }, ..device("thrown") };
        registry.insert(&[device("x"), pending("coming", None), retired, trashed]).unwrap();
        let found = |name: &str| registry.find(&name.parse().unwrap()).unwrap().is_some();
        assert!(found("x") && !found("X") && !found("coming") && !found("gone") && !found("thrown") && !found("y"));
        assert_eq!(names(registry), ["coming", "gone", "thrown", "x"]);
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
