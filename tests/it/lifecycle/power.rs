//! Power that fails in each operation of vault and registry in turn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vmfa::device::Devices;
use vmfa::name::Name;
use vmfa::registry::{self, Device, Registry, State};
use vmfa::time::{Step, Timestamp};
use vmfa::vault::{self, Id, Item, Label, Vault};
use zeroize::Zeroizing;

use super::{LATER, NOW, name, old};

/// Power that fails after so many operations: the one that it fails in is not done, or is done and not
/// reported.
#[derive(Debug)]
pub struct Power {
    pub left: AtomicUsize,
    pub failure: Failure,
}

/// What becomes of the operation in which power fails, and of those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    NotDone,
    DoneButUnreported,
    /// One failure, and everything after it works again.
    Transient,
}

#[derive(Debug)]
pub struct Fragile<T> {
    pub inner: Arc<T>,
    pub power: Arc<Power>,
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

/// Runs `story` with power failing at every operation in turn, has a later change clear up, and
/// checks what must hold then.
pub fn at_every_interruption(story: impl Fn(&Devices<'_>), check: impl Fn(&str, &Devices<'_>)) {
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
