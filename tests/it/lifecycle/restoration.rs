//! A backup that comes back.

use vmfa::device::backup::{Backup, Fate};
use vmfa::device::{self, Devices, trash};
use vmfa::registry::{self, Device, Registry as _};
use vmfa::time::Step;
use vmfa::vault;

use super::power::at_every_interruption;
use super::{LATER, NOW, name, new, old};

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
