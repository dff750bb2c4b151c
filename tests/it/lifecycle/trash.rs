//! Into the trash, out of it, and what is deleted there.

use vmfa::device::{self, Devices, trash};
use vmfa::registry::{self, Device, Registry as _, State};
use vmfa::vault::{self, Vault as _};

use super::power::at_every_interruption;
use super::{LATER, NOW, name, new, old};

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
