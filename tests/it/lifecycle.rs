//! Interruptions: whatever the moment, a device is whole or not there, and no secret is lost or left over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vmfa::device::backup::{Backup, Fate};
use vmfa::device::{self, Devices, trash};
use vmfa::name::Name;
use vmfa::provision::{self, Enrolment, Limits};
use vmfa::registry::{self, Device, Registry, State};
use vmfa::time::{Step, Timestamp};
use vmfa::vault::{self, Id, Item, Label, Vault};
use zeroize::Zeroizing;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const LATER: Timestamp = Timestamp::from_unix(1_800_001_000);

/// Power that fails after so many operations: the one that it fails in is not done, or is done and not
/// reported.
#[derive(Debug)]
struct Power {
    left: AtomicUsize,
    failure: Failure,
}

/// What becomes of the operation in which power fails, and of those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    NotDone,
    DoneButUnreported,
    /// One failure, and everything after it works again.
    Transient,
}

#[derive(Debug)]
struct Fragile<T> {
    inner: Arc<T>,
    power: Arc<Power>,
}

impl<T> Fragile<T> {
    fn with_power<R, E>(&self, work: impl FnOnce(&T) -> Result<R, E>, dead: impl Fn() -> E) -> Result<R, E> {
        let before = self.power.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match (before, self.power.failure) {
            (Err(_), Failure::Transient) => work(&self.inner),
            (Err(_), _) => Err(dead()),
            (Ok(1), Failure::DoneButUnreported) => work(&self.inner).and_then(|_| Err(dead())),
            (Ok(1), _) => Err(dead()),
            (Ok(_), _) => work(&self.inner),
        }
    }
}

fn dead_vault() -> vault::Error {
    vault::Error::Keyring("power failed".to_owned())
}

fn dead_registry() -> registry::Error {
    registry::Error::Engine { place: "here".to_owned(), reason: "power failed".to_owned() }
}

impl Vault for Fragile<vault::memory::Memory> {
    fn kind(&self) -> vault::Kind {
        self.inner.kind()
    }
    fn put(&self, id: Id, item: &Item) -> Result<(), vault::Error> {
        self.with_power(|inner| inner.put(id, item), dead_vault)
    }
    fn get(&self, id: Id) -> Result<Zeroizing<String>, vault::Error> {
        self.with_power(|inner| inner.get(id), dead_vault)
    }
    fn delete(&self, id: Id) -> Result<(), vault::Error> {
        self.with_power(|inner| inner.delete(id), dead_vault)
    }
    fn holds(&self, id: Id) -> Result<bool, vault::Error> {
        self.with_power(|inner| inner.holds(id), dead_vault)
    }
    fn relabel(&self, id: Id, label: Label<'_>) -> Result<(), vault::Error> {
        self.with_power(|inner| inner.relabel(id, label), dead_vault)
    }
    fn own_key(&self) -> Result<Zeroizing<String>, vault::Error> {
        self.with_power(|inner| inner.own_key(), dead_vault)
    }
    fn find_own_key(&self) -> Result<Option<Zeroizing<String>>, vault::Error> {
        self.with_power(|inner| inner.find_own_key(), dead_vault)
    }
    fn probe(&self) -> Result<String, vault::Error> {
        self.with_power(Vault::probe, dead_vault)
    }
}

impl Registry for Fragile<registry::memory::Memory> {
    fn insert(&self, devices: &[Device]) -> Result<(), registry::Error> {
        self.with_power(|inner| inner.insert(devices), dead_registry)
    }
    fn find(&self, name: &Name) -> Result<Option<Device>, registry::Error> {
        self.with_power(|inner| inner.find(name), dead_registry)
    }
    fn list(&self) -> Result<Vec<Device>, registry::Error> {
        self.with_power(Registry::list, dead_registry)
    }
    fn update(&self, devices: &[Device]) -> Result<(), registry::Error> {
        self.with_power(|inner| inner.update(devices), dead_registry)
    }
    fn remove(&self, ids: &[Id]) -> Result<(), registry::Error> {
        self.with_power(|inner| inner.remove(ids), dead_registry)
    }
    fn join(&self, device: Id, fingerprint: &registry::Fingerprint) -> Result<Id, registry::Error> {
        self.with_power(|inner| inner.join(device, fingerprint), dead_registry)
    }
    fn ledger_of(&self, fingerprint: &registry::Fingerprint) -> Result<Option<Id>, registry::Error> {
        self.with_power(|inner| inner.ledger_of(fingerprint), dead_registry)
    }
    fn see_key(&self, place: &str, print: &registry::Fingerprint) -> Result<(), registry::Error> {
        self.with_power(|inner| inner.see_key(place, print), dead_registry)
    }
    fn knows_key(&self, place: &str) -> Result<bool, registry::Error> {
        self.with_power(|inner| inner.knows_key(place), dead_registry)
    }
    fn expect_no_key(&self, place: &str) -> Result<(), registry::Error> {
        self.with_power(|inner| inner.expect_no_key(place), dead_registry)
    }
    fn claimed_by(&self, ledger: Id, token: registry::Token) -> Result<Vec<Step>, registry::Error> {
        self.with_power(|inner| inner.claimed_by(ledger, token), dead_registry)
    }
    fn last_uses(&self) -> Result<BTreeMap<Id, Timestamp>, registry::Error> {
        self.with_power(Registry::last_uses, dead_registry)
    }
    fn sharers(&self, ledger: Id) -> Result<Vec<Device>, registry::Error> {
        self.with_power(|inner| inner.sharers(ledger), dead_registry)
    }
    fn claim(&self, claim: &registry::Claim<'_>) -> Result<Vec<Step>, registry::Error> {
        self.with_power(|inner| inner.claim(claim), dead_registry)
    }
    fn release(&self, ledger: Id, step: Step, token: registry::Token) -> Result<bool, registry::Error> {
        self.with_power(|inner| inner.release(ledger, step, token), dead_registry)
    }
    fn give(&self, ledger: Id, step: Step, token: registry::Token) -> Result<bool, registry::Error> {
        self.with_power(|inner| inner.give(ledger, step, token), dead_registry)
    }
    fn holder(&self, ledger: Id, step: Step) -> Result<Option<registry::Holder>, registry::Error> {
        self.with_power(|inner| inner.holder(ledger, step), dead_registry)
    }
    fn claimed(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, registry::Error> {
        self.with_power(|inner| inner.claimed(ledger, first, last), dead_registry)
    }
    fn ledger(&self, id: Id) -> Result<registry::Ledger, registry::Error> {
        self.with_power(|inner| inner.ledger(id), dead_registry)
    }
    fn update_ledger(&self, ledger: &registry::Ledger) -> Result<(), registry::Error> {
        self.with_power(|inner| inner.update_ledger(ledger), dead_registry)
    }
    fn unite(&self, ledger: Id, history: &registry::History) -> Result<(), registry::Error> {
        self.with_power(|inner| inner.unite(ledger, history), dead_registry)
    }
    fn sweep(&self, since: Timestamp) -> Result<(), registry::Error> {
        self.with_power(|inner| inner.sweep(since), dead_registry)
    }
    fn probe(&self) -> Result<String, registry::Error> {
        self.with_power(Registry::probe, dead_registry)
    }
}

fn enrolment(secret: &str) -> Enrolment {
    provision::read(secret.as_bytes(), &Limits::default()).unwrap().enrolments.remove(0)
}

fn old() -> Enrolment {
    enrolment("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
}

fn new() -> Enrolment {
    enrolment("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// Runs `story` with power failing at every operation in turn, has a later change clear up, and
/// checks what must hold then.
fn at_every_interruption(story: impl Fn(&Devices<'_>), check: impl Fn(&str, &Devices<'_>)) {
    let mut completed = 0;
    for failure in [Failure::NotDone, Failure::DoneButUnreported, Failure::Transient] {
        for operations in 1..40 {
            let vault = Arc::new(vault::memory::Memory::default());
            let registry = Arc::new(registry::memory::Memory::default());
            let whole = Devices { vault: vault.as_ref(), registry: registry.as_ref() };
            whole.add(&[(name("before"), old())], false, NOW).unwrap();

            let power = Arc::new(Power { left: AtomicUsize::new(operations), failure });
            let fragile_vault = Fragile { inner: Arc::clone(&vault), power: Arc::clone(&power) };
            let fragile_registry = Fragile { inner: Arc::clone(&registry), power: Arc::clone(&power) };
            story(&Devices { vault: &fragile_vault, registry: &fragile_registry });
            completed += usize::from(power.left.load(Ordering::SeqCst) > 0);

            let moment = format!("power failed in operation {operations}: {failure:?}");
            whole.recover(LATER).unwrap_or_else(|error| panic!("{moment}: {error}"));
            let devices = registry.list().unwrap();
            for device in &devices {
                assert!(matches!(device.state, State::Active | State::Trashed { .. }), "{moment}: {device:?}");
                whole.enrolment(device).unwrap_or_else(|error| panic!("{moment}: {error}"));
            }
            assert_eq!(
                format!("{vault:?}"),
                format!("Memory({} items)", devices.len()),
                "{moment}: a secret is left over"
            );
            check(&moment, &whole);
        }
    }
    assert!(completed > 0, "no run came to its end: there are more operations than were tried");
}

#[test]
fn an_interrupted_add_is_whole_or_undone() {
    at_every_interruption(
        |devices| {
            let _ = devices.add(&[(name("a"), new())], false, NOW);
        },
        |moment, devices| {
            // Afterwards the name can be used, or is.
            if devices.registry.find(&name("a")).unwrap().is_none() {
                devices.add(&[(name("a"), new())], false, LATER).unwrap_or_else(|error| panic!("{moment}: {error}"));
            }
        },
    );
}

#[test]
fn an_interrupted_add_of_several_is_all_or_none() {
    at_every_interruption(
        |devices| {
            let _ = devices.add(&[(name("a"), new()), (name("b"), new()), (name("c"), old())], false, NOW);
        },
        |moment, devices| {
            let there = device::active(devices.registry).unwrap().len();
            assert!(matches!(there, 1 | 4), "{moment}: {there} devices");
        },
    );
}

#[test]
fn an_interrupted_replacement_leaves_the_old_or_the_new_device() {
    at_every_interruption(
        |devices| {
            let _ = devices.add(&[(name("before"), new())], true, NOW);
        },
        |moment, devices| {
            let device =
                devices.registry.find(&name("before")).unwrap().unwrap_or_else(|| panic!("{moment}: it is gone"));
            let secret = devices.enrolment(&device).unwrap().secret;
            let trashed = trash::list(devices.registry).unwrap();
            if secret == new().secret {
                let old_one = trashed.first().unwrap_or_else(|| panic!("{moment}: the old one is not in the trash"));
                assert!(devices.enrolment(old_one).unwrap().secret == old().secret, "{moment}");
            } else {
                assert!(secret == old().secret && trashed.is_empty(), "{moment}");
            }
        },
    );
}

#[test]
fn an_interrupted_removal_leaves_the_device_or_nothing_of_it() {
    at_every_interruption(
        |devices| {
            let Ok(Some(device)) = devices.registry.find(&name("before")) else { return };
            let _ = devices.remove(&device, NOW);
        },
        |_, _| {},
    );
}

/// A backup of another home: two devices, of which one gave a step, and one in the trash.
fn backup() -> Backup {
    let (vault, registry) = (vault::memory::Memory::default(), registry::memory::Memory::default());
    let other = Devices { vault: &vault, registry: &registry };
    let added = other.add(&[(name("a"), new()), (name("b"), old()), (name("c"), new())], false, NOW).unwrap();
    let history = registry::History {
        taken: vec![TAKEN],
        runs: registry::Runs::NONE,
        last_pair: None,
        counter: None,
        relying_party: None,
        changed: NOW,
    };
    let ledger = other.ledger(&added[0], &new()).unwrap();
    registry.unite(ledger, &history).unwrap();
    other.trash(&added[2], NOW).unwrap();
    let devices = registry.list().unwrap();
    let all: Vec<&Device> = devices.iter().collect();
    let mut backup = Backup::new(None, NOW);
    other.back_up(&all, &mut backup).unwrap();
    backup.add_ledgers(&registry, &all).unwrap();
    Backup::read(&backup.text().unwrap()).unwrap()
}

/// What the other home gave.
const TAKEN: Step = Step::new(200_000_000);

#[test]
fn an_interrupted_restoration_of_a_backup_is_all_or_none_and_the_next_one_finishes_it() {
    at_every_interruption(
        |devices| {
            let backup = backup();
            let Ok(planned) = devices.plan(&backup, NOW) else { return };
            let _ = devices.bring_back(&backup, &planned, NOW);
        },
        |moment, devices| {
            let there = device::active(devices.registry).unwrap().len();
            assert!(matches!(there, 1 | 3), "{moment}: {there} devices");
            let given = |moment: &str| {
                let Some(device) = devices.registry.find(&name("a")).unwrap() else { return };
                let ledger = devices.ledger(&device, &devices.enrolment(&device).unwrap()).unwrap();
                assert!(devices.registry.holder(ledger, TAKEN).unwrap().is_some(), "{moment}: it could be given again");
            };
            given(moment);
            let backup = backup();
            let planned = devices.plan(&backup, LATER).unwrap();
            devices.bring_back(&backup, &planned, LATER).unwrap_or_else(|error| panic!("{moment}: {error}"));
            let (used, thrown) =
                (device::active(devices.registry).unwrap().len(), trash::list(devices.registry).unwrap().len());
            assert_eq!((used, thrown), (3, 1), "{moment}");
            given(moment);
            let planned = devices.plan(&backup, LATER).unwrap();
            assert!(planned.iter().all(|plan| plan.fate == Fate::Here), "{moment}: {planned:?}");
        },
    );
}

/// The one device, wherever it is.
fn only(devices: &Devices<'_>) -> Device {
    let mut all = devices.registry.list().unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn an_interrupted_move_to_the_trash_or_back_keeps_the_secret() {
    at_every_interruption(
        |devices| {
            let Ok(Some(device)) = devices.registry.find(&name("before")) else { return };
            let _ = devices.trash(&device, NOW);
        },
        |moment, devices| assert!(devices.enrolment(&only(devices)).unwrap().secret == old().secret, "{moment}"),
    );
    at_every_interruption(
        |devices| {
            let Ok(Some(device)) = devices.registry.find(&name("before")) else { return };
            let Ok(trashed) = devices.trash(&device, NOW) else { return };
            let _ = devices.restore(&trashed, &name("back"));
        },
        |moment, devices| {
            let device = only(devices);
            assert!(devices.enrolment(&device).unwrap().secret == old().secret, "{moment}");
            match device.state {
                State::Active => assert!(["before", "back"].contains(&device.name.as_str()), "{moment}"),
                _ => drop(devices.restore(&device, &name("before")).unwrap()),
            }
        },
    );
}

#[test]
fn an_interrupted_emptying_of_the_trash_leaves_the_device_there_or_nothing_of_it() {
    at_every_interruption(
        |devices| {
            let Ok(Some(device)) = devices.registry.find(&name("before")) else { return };
            let Ok(trashed) = devices.trash(&device, NOW) else { return };
            let _ = devices.remove(&trashed, NOW);
        },
        |moment, devices| {
            let all = devices.registry.list().unwrap();
            assert!(all.iter().all(|device| devices.enrolment(device).is_ok()), "{moment}: {all:?}");
        },
    );
}

#[test]
fn what_was_in_the_trash_for_thirty_days_is_deleted_by_the_next_change_whatever_interrupts_it() {
    let after = |seconds: u64| NOW.plus(trash::KEPT + seconds).unwrap();
    at_every_interruption(
        |devices| {
            let Ok(Some(device)) = devices.registry.find(&name("before")) else { return };
            let Ok(_) = devices.trash(&device, NOW) else { return };
            devices.recover(after(0)).ok();
            let _ = devices.add(&[(name("a"), new())], false, after(1));
        },
        |moment, devices| {
            // A minute after that there is still nothing to say of a device that was never removed.
            devices.recover(after(1_000)).unwrap_or_else(|error| panic!("{moment}: {error}"));
            assert!(trash::list(devices.registry).unwrap().is_empty(), "{moment}");
            let left = devices.registry.list().unwrap();
            assert!(left.iter().all(|device| devices.enrolment(device).is_ok()), "{moment}: {left:?}");
        },
    );
    let (vault, registry) = (vault::memory::Memory::default(), registry::memory::Memory::default());
    let devices = Devices { vault: &vault, registry: &registry };
    let device = devices.add(&[(name("a"), old())], false, NOW).unwrap().remove(0);
    devices.trash(&device, NOW).unwrap();
    devices.recover(after(0)).unwrap();
    assert_eq!(trash::list(&registry).unwrap().len(), 1, "thirty days are not over");
    devices.recover(after(1)).unwrap();
    assert!(registry.list().unwrap().is_empty());
}

#[test]
fn the_name_of_a_device_in_the_trash_is_free_and_stays_so() {
    let (vault, registry) = (vault::memory::Memory::default(), registry::memory::Memory::default());
    let devices = Devices { vault: &vault, registry: &registry };
    let first = devices.add(&[(name("a"), old())], false, NOW).unwrap().remove(0);
    let first = devices.trash(&first, NOW).unwrap();
    let second = devices.add(&[(name("a"), new())], false, LATER).unwrap().remove(0);
    assert!(matches!(devices.restore(&first, &name("a")), Err(device::Error::Registry(registry::Error::NameTaken(_)))));
    devices.trash(&second, LATER).unwrap();
    let found = trash::find(&registry, "a").unwrap();
    assert_eq!(found.iter().map(|device| device.id).collect::<Vec<_>>(), [second.id, first.id], "the last one first");
    assert_eq!(trash::find(&registry, &first.id.to_string()[..8]).unwrap()[0].id, first.id);
    assert!(matches!(trash::find(&registry, &first.id.to_string()[..7]), Err(device::Error::NotTrashed { .. })));
    assert!(matches!(device::find(&registry, "a"), Err(device::Error::NoSuchDevice { trashed: true, .. })));
    let (restored, _) = devices.restore(&first, &name("b")).unwrap();
    assert!(devices.enrolment(&restored).unwrap().secret == old().secret);
    assert!(matches!(devices.restore(&first, &name("c")), Err(device::Error::Registry(registry::Error::Conflict(_)))));
    // What somebody deleted in the keyring's own program can't come back.
    let second = trash::find(&registry, "a").unwrap().remove(0);
    vault.delete(second.id).unwrap();
    let gone = devices.restore(&second, &name("a"));
    assert!(matches!(gone, Err(device::Error::Vault(vault::Error::NotThere { .. }))));
}

#[test]
fn a_vault_that_certainly_stored_nothing_frees_the_name_at_once() {
    #[derive(Debug)]
    struct Refusing;
    impl Vault for Refusing {
        fn kind(&self) -> vault::Kind {
            vault::Kind::Memory
        }
        fn put(&self, _: Id, _: &Item) -> Result<(), vault::Error> {
            Err(vault::Error::Locked(vault::Provider::Unknown))
        }
        fn get(&self, _: Id) -> Result<Zeroizing<String>, vault::Error> {
            Err(vault::Error::Locked(vault::Provider::Unknown))
        }
        fn delete(&self, _: Id) -> Result<(), vault::Error> {
            Err(vault::Error::Locked(vault::Provider::Unknown))
        }
        fn holds(&self, _: Id) -> Result<bool, vault::Error> {
            Err(vault::Error::Locked(vault::Provider::Unknown))
        }
        fn relabel(&self, _: Id, _: Label<'_>) -> Result<(), vault::Error> {
            Err(vault::Error::Locked(vault::Provider::Unknown))
        }
        fn own_key(&self) -> Result<Zeroizing<String>, vault::Error> {
            Err(vault::Error::Locked(vault::Provider::Unknown))
        }
        fn find_own_key(&self) -> Result<Option<Zeroizing<String>>, vault::Error> {
            Err(vault::Error::Locked(vault::Provider::Unknown))
        }
        fn probe(&self) -> Result<String, vault::Error> {
            Err(vault::Error::Locked(vault::Provider::Unknown))
        }
    }
    let registry = registry::memory::Memory::default();
    let devices = Devices { vault: &Refusing, registry: &registry };
    assert!(devices.add(&[(name("a"), new())], false, NOW).is_err());
    assert!(registry.list().unwrap().is_empty(), "the name is free again at once");
}

#[test]
fn leftovers_that_cannot_be_cleared_up_block_no_other_name() {
    let vault = Arc::new(vault::memory::Memory::default());
    let registry = registry::memory::Memory::default();
    let whole = Devices { vault: vault.as_ref(), registry: &registry };
    // An `add` that died after its secret was stored, long ago.
    let power = Arc::new(Power { left: AtomicUsize::new(4), failure: Failure::NotDone });
    let dying = Fragile { inner: Arc::new(registry::memory::Memory::default()), power };
    assert!(Devices { vault: vault.as_ref(), registry: &dying }.add(&[(name("left"), new())], false, NOW).is_err());
    registry.insert(&dying.inner.list().unwrap()).unwrap();
    // A vault that only stores: it neither answers whether something is there nor deletes.
    let power = Arc::new(Power { left: AtomicUsize::new(1), failure: Failure::Transient });
    let failing = Fragile { inner: Arc::clone(&vault), power };
    Devices { vault: &failing, registry: &registry }.add(&[(name("other"), new())], false, LATER).unwrap();
    assert!(registry.find(&name("left")).unwrap().is_none());
    // The next change finishes it: its secret was stored.
    whole.recover(LATER).unwrap();
    assert!(registry.find(&name("left")).unwrap().is_some());
}

#[test]
fn two_adds_of_one_name_have_one_winner() {
    let vault = vault::memory::Memory::default();
    let registry = registry::memory::Memory::default();
    let devices = Devices { vault: &vault, registry: &registry };
    let winners = std::thread::scope(|scope| {
        let adds: Vec<_> =
            (0..16).map(|_| scope.spawn(|| devices.add(&[(name("a"), new())], false, NOW).is_ok())).collect();
        adds.into_iter().map(|add| add.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(winners, 1);
    assert_eq!(format!("{vault:?}"), "Memory(1 items)");
}

#[cfg(feature = "cli")]
mod processes {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::support::{Home, SEED};

    /// kill -9 at all moments of `add`: every device listed gives codes, and once the time of the killed
    /// ones is over, secrets and devices are as many.
    #[test]
    fn an_add_that_is_killed_leaves_no_half_device() {
        let home = Home::new();
        home.add("before");
        let source = home.file("source", SEED);
        for round in 0..60_u32 {
            let mut child = home
                .command()
                .args(["add".as_ref(), format!("d{round}").as_str().as_ref(), source.as_os_str()])
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            // A moment in the life of a process, not a time step: 0 to 24 ms.
            std::thread::sleep(Duration::from_micros(u64::from(round) * 400));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let listed = home.run(&["list", "--json"]).expect(0).json();
        let listed = listed["devices"].as_array().unwrap();
        for device in listed {
            home.run(&["code", device["name"].as_str().unwrap()]).expect(0);
        }

        let registry = registry::sqlite::Sqlite::open(&home.path().join("home/registry.sqlite3")).unwrap();
        let (identity, recipient) = (fs::read_to_string(home.identity()).unwrap(), Vec::new());
        let identity = vault::age::Identity::Text(Zeroizing::new(identity));
        let vault = vault::age::Age::new(home.path().join("home"), recipient, identity);
        Devices { vault: &vault, registry: &registry }.recover(Timestamp::from_unix(u64::MAX >> 2)).unwrap();
        let devices = registry.list().unwrap();
        assert!(devices.iter().all(|device| device.state == State::Active));
        assert!(devices.len() >= listed.len());
        let items = fs::read_dir(home.path().join("home/items")).unwrap();
        let items =
            items.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "age")).count();
        assert_eq!(items, devices.len() + 1, "theirs and the vault's own key");
    }
}
