//! Adding, replacing and removing.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use vmfa::device::{self, Devices, trash};
use vmfa::registry::{self, Registry as _};
use vmfa::vault::{self, Id, Item, Label, Vault};
use zeroize::Zeroizing;

use super::power::{Failure, Fragile, Power, at_every_interruption};
use super::{LATER, NOW, name, new, old};

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

    use vmfa::device::Devices;
    use vmfa::registry::{self, Registry as _, State};
    use vmfa::time::Timestamp;
    use vmfa::vault;
    use zeroize::Zeroizing;

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
