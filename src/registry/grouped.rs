//! One registry for many threads: what they claim at the same time is written down together, and so are the ledgers that they
//! begin.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Accepted, AccessToken, Claim, Device, Error, Fingerprint, Forget, History, Holder, Kept, Ledger, Registry, Taken,
    Token,
};
use crate::name::Name;
use crate::threads::Together;
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// The most claims in one change: the first of them waits for all.
const MOST: usize = 128;

/// A registry whose claims and new ledgers are grouped; everything else goes straight to it.
#[derive(Debug)]
pub struct Grouped {
    registry: Arc<dyn Kept>,
    claims: Together<Wanted, Result<Vec<Step>, Error>>,
    joins: Together<(Id, Fingerprint), Result<Id, Error>>,
}

/// A [`Claim`] that outlives its caller's frame.
#[derive(Debug)]
struct Wanted {
    ledger: Id,
    token: Token,
    candidates: Vec<Step>,
    most: usize,
    ready: Step,
    now: Timestamp,
    forget: Forget,
}

impl Wanted {
    fn of(claim: &Claim<'_>) -> Self {
        let Claim { ledger, token, candidates, most, ready, now, forget, again: _ } = *claim;
        Self { ledger, token, candidates: candidates.to_vec(), most, ready, now, forget }
    }

    fn claim(&self) -> Claim<'_> {
        let Self { ledger, token, ref candidates, most, ready, now, forget } = *self;
        Claim { ledger, token, candidates, most, ready, now, forget, again: false }
    }
}

impl Grouped {
    /// Groups what is asked of this registry.
    #[must_use]
    pub fn new(registry: Arc<dyn Kept>) -> Self {
        Self { registry, claims: Together::default(), joins: Together::default() }
    }

    /// In the order of their ledgers, so that no two groups, of two services, wait for each other.
    fn claim_in_order(&self, wanted: &[Wanted]) -> Vec<Result<Vec<Step>, Error>> {
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by_key(|place| wanted.get(*place).map(|wanted| wanted.ledger));
        let claims: Vec<Claim<'_>> = order.iter().filter_map(|place| wanted.get(*place)).map(Wanted::claim).collect();
        let mut done: Vec<_> = order.into_iter().zip(self.registry.claim_all(&claims)).collect();
        done.sort_by_key(|(place, _)| *place);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

impl Registry for Grouped {
    fn insert(&self, devices: &[Device]) -> Result<(), Error> {
        self.registry.insert(devices)
    }

    fn find(&self, name: &Name) -> Result<Option<Device>, Error> {
        self.registry.find(name)
    }

    fn list(&self) -> Result<Vec<Device>, Error> {
        self.registry.list()
    }

    fn update(&self, devices: &[Device]) -> Result<(), Error> {
        self.registry.update(devices)
    }

    fn join(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        let done = self.joins.join((device, *fingerprint), MOST, |joins| self.registry.join_all(&joins));
        // Another thread panicked over it.
        done.unwrap_or(Err(Error::LedgerConflict))
    }

    fn join_all(&self, joins: &[(Id, Fingerprint)]) -> Vec<Result<Id, Error>> {
        self.registry.join_all(joins)
    }

    fn ledger_of(&self, fingerprint: &Fingerprint) -> Result<Option<Id>, Error> {
        self.registry.ledger_of(fingerprint)
    }

    fn see_key(&self, place: &str, print: &Fingerprint) -> Result<(), Error> {
        self.registry.see_key(place, print)
    }

    fn knows_key(&self, place: &str) -> Result<bool, Error> {
        self.registry.knows_key(place)
    }

    fn expect_no_key(&self, place: &str) -> Result<(), Error> {
        self.registry.expect_no_key(place)
    }

    fn sharers(&self, ledger: Id) -> Result<Vec<Device>, Error> {
        self.registry.sharers(ledger)
    }

    fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        if claim.again {
            return self.registry.claim(claim);
        }
        let done = self.claims.join(Wanted::of(claim), MOST, |wanted| self.claim_in_order(&wanted));
        // Another thread panicked over it: what it took stays taken.
        done.unwrap_or(Err(Error::LedgerConflict))
    }

    fn claim_all(&self, claims: &[Claim<'_>]) -> Vec<Result<Vec<Step>, Error>> {
        self.registry.claim_all(claims)
    }

    fn release(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        self.registry.release(ledger, step, token)
    }

    fn give(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        self.registry.give(ledger, step, token)
    }

    fn holder(&self, ledger: Id, step: Step) -> Result<Option<Holder>, Error> {
        self.registry.holder(ledger, step)
    }

    fn claimed(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error> {
        self.registry.claimed(ledger, first, last)
    }

    fn taken(&self, from: &[(Id, Step)]) -> Result<Vec<Taken>, Error> {
        self.registry.taken(from)
    }

    fn claimed_by(&self, ledger: Id, token: Token) -> Result<Vec<Step>, Error> {
        self.registry.claimed_by(ledger, token)
    }

    fn last_uses(&self) -> Result<BTreeMap<Id, Timestamp>, Error> {
        self.registry.last_uses()
    }

    fn ledger(&self, id: Id) -> Result<Ledger, Error> {
        self.registry.ledger(id)
    }

    fn update_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        self.registry.update_ledger(ledger)
    }

    fn unite(&self, ledger: Id, history: &History) -> Result<(), Error> {
        self.registry.unite(ledger, history)
    }

    fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.registry.sweep(now)
    }

    fn remove(&self, ids: &[Id]) -> Result<(), Error> {
        self.registry.remove(ids)
    }

    fn probe(&self) -> Result<String, Error> {
        self.registry.probe()
    }
}

impl Kept for Grouped {
    fn id(&self) -> Result<String, Error> {
        self.registry.id()
    }

    fn changes(&self) -> Result<u64, Error> {
        self.registry.changes()
    }

    fn fingerprint(&self, ledger: Id) -> Result<Fingerprint, Error> {
        self.registry.fingerprint(ledger)
    }

    fn known_keys(&self) -> Result<Vec<(String, Fingerprint)>, Error> {
        self.registry.known_keys()
    }

    fn clock(&self) -> Result<Option<i64>, Error> {
        self.registry.clock()
    }

    fn expect_writable(&self) -> Result<(), Error> {
        self.registry.expect_writable()
    }

    fn accept_restored(&self, now: Timestamp) -> Result<Accepted, Error> {
        self.registry.accept_restored(now)
    }

    fn access_tokens(&self) -> Result<Vec<AccessToken>, Error> {
        self.registry.access_tokens()
    }

    fn add_access_token(&self, token: &AccessToken) -> Result<(), Error> {
        self.registry.add_access_token(token)
    }

    fn remove_access_token(&self, name: &Name) -> Result<bool, Error> {
        self.registry.remove_access_token(name)
    }
}
