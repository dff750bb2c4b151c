//! Steps that are handed out: each is taken by one conditional write of its item.
//!
//! **No step is handed out twice.** A step's item is written only where there is none, or one that was given back. Such a
//! write is atomic, so of many workers that want a step one gets it. What could break this is forgetting: a step of long ago
//! becomes part of a run in its ledger's item, and its own item is deleted; then that write would succeed once more. So a claim
//! looks at the ledger twice, before its writes and *after* them, and gives up what is in a run then:
//!
//! 1. Who forgets writes the runs first, and deletes items only after the service has answered. Runs never lose a step.
//! 2. Who takes a step whose item was deleted did so after the deletion, hence after the runs were written. Reads are
//!    consistent, so the look that follows sees them.
//!
//! The argument needs no clock and no lock, and holds however long a worker sleeps between two of its requests, for a
//! request that arrives late or twice, and for runs that come by [`unite`](super::united) or by a restored registry.
//! Two alternatives were left: a transaction with a check of the ledger costs four times the capacity, and claims of one secret
//! refuse each other (`TransactionConflict`); items that are never deleted grow without bound.
//!
//! **An answer that was lost** makes a step a used one: the write is repeated, finds the item of the first time, and takes
//! it for somebody else's. The same token doesn't tell: one claim may ask for a step twice.
//!
//! **Cost** of a claim, in capacity units of on-demand tables: 1 write for the step and 1 to note the use; 2 reads for
//! the registry's and the ledger's item before and after (4 in all; more where the ledger's has more than 4 KB), 1 for the steps
//! around, and half a unit to look for what can be forgotten. Each forgotten step costs 2 writes more, once. A step that
//! somebody else takes first costs 1 write.

use std::collections::{BTreeMap, BTreeSet};

use super::DynamoDb;
use super::action::{Look, Write};
use super::book::{LEDGER, partition, with_restored};
use super::step::{Claimed, between, key, number_of, sort_key};
use super::value::{flag, number, text};
use crate::registry::{Claim, Error, Holder, Taken, Token};
use crate::threads;
use crate::time::Step;
use crate::vault::Id;

/// Steps that are so near each other are looked at in one request, before any of them is taken.
const NEAR: u64 = 1_000;

/// How many ledgers are looked at at once.
const MOST_THREADS: usize = 8;

/// How often a step is tried again that others take and give back meanwhile.
const ATTEMPTS: u8 = 4;

/// How many steps a claim forgets on the way.
const FORGOTTEN: u32 = 25;

/// Takes a step nobody has. What was given back is remembered: giving it back twice doesn't free what another process took.
const TAKE: &str = "SET #since = :since, #token = :token, #given = :given, #again = :false, \
    #retaken = if_not_exists(#released, :false), #released = :false";
const IS_FREE: &str = "attribute_not_exists(#pk) OR #released = :true";

const SHOW: &str = "SET #again = :true";
const IS_HELD: &str = "#released = :false";

const RELEASE: &str = "SET #released = :true";
const IS_OWN_ALONE: &str = "#token = :token AND #again = :false AND #released = :false";

const GIVE: &str = "SET #given = :true";
const IS_OWN: &str = "#token = :token AND #released = :false";

/// What became of a candidate.
enum Outcome {
    Taken,
    Shown,
    Held,
}

impl DynamoDb {
    /// A claim whose answer was lost counts: its steps are taken by nobody, and others are asked for.
    pub(super) fn claim_steps(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        let mut seen = BTreeSet::new();
        let candidates: Vec<Step> = claim.candidates.iter().copied().filter(|step| seen.insert(*step)).collect();
        let mut book = self.book(claim.ledger)?;
        let around = self.around(claim.ledger, &seen)?;
        let (mut taken, mut changed) = (Vec::new(), false);
        let mut next = candidates.iter().copied();
        loop {
            let mut new = Vec::new();
            while taken.len().saturating_add(new.len()) < claim.most {
                let Some(step) = next.by_ref().find(|step| !book.has(*step)) else { break };
                match self.take(claim, step, around.get(&step))? {
                    Outcome::Taken => new.push(step),
                    Outcome::Shown => changed = true,
                    Outcome::Held => {}
                }
            }
            if new.is_empty() {
                break;
            }
            // What was forgotten meanwhile is not free: see above.
            book = self.book(claim.ledger)?;
            taken.extend(new.into_iter().filter(|step| !book.has(*step)));
        }
        if changed || !taken.is_empty() {
            self.note_use(claim.ledger, claim.now);
            // The claim stands, whatever becomes of this.
            let _ = self.forget(&book, claim.forget, FORGOTTEN);
        }
        Ok(taken)
    }

    /// What is known of the steps around candidates: none of those that nobody has, as far as this look sees. It saves
    /// writes, and decides nothing.
    fn around(&self, ledger: Id, candidates: &BTreeSet<Step>) -> Result<BTreeMap<Step, Claimed>, Error> {
        match (candidates.first(), candidates.last()) {
            (Some(first), Some(last)) if last.value().saturating_sub(first.value()) <= NEAR => {
                let steps = self.steps(&between(ledger, *first, *last))?;
                Ok(steps.into_iter().map(|claimed| (claimed.step, claimed)).collect())
            }
            _ => Ok(BTreeMap::new()),
        }
    }

    /// Takes a step; one that somebody has is shown again, where that is asked for.
    fn take(&self, claim: &Claim<'_>, step: Step, known: Option<&Claimed>) -> Result<Outcome, Error> {
        let mut is_held = known.is_some_and(|known| !known.released);
        if claim.again && known.is_some_and(|known| known.again && !known.released) {
            return Ok(Outcome::Held);
        }
        for _ in 0..ATTEMPTS {
            if !is_held {
                let values = vec![
                    (":since", number(claim.now.as_unix())),
                    (":token", text(claim.token)),
                    (":given", flag(step <= claim.ready)),
                    (":false", flag(false)),
                ];
                let write = Write::update(key(claim.ledger, step), TAKE, values);
                if self.client.write(&write.only_if(IS_FREE, vec![(":true", flag(true))]))? {
                    return Ok(Outcome::Taken);
                }
            }
            if !claim.again {
                break;
            }
            let write = Write::update(key(claim.ledger, step), SHOW, vec![(":true", flag(true))]);
            if self.client.write(&write.only_if(IS_HELD, vec![(":false", flag(false))]))? {
                return Ok(Outcome::Shown);
            }
            // Given back since, or forgotten.
            is_held = false;
        }
        Ok(Outcome::Held)
    }

    pub(super) fn release_step(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        self.ready()?;
        let values = vec![(":token", text(token)), (":false", flag(false))];
        let write = Write::update(key(ledger, step), RELEASE, vec![(":true", flag(true))]);
        let released = self.client.write(&write.only_if(IS_OWN_ALONE, values))?;
        if released {
            self.note_release(ledger);
        }
        Ok(released)
    }

    pub(super) fn give_step(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        self.ready()?;
        let values = vec![(":token", text(token)), (":false", flag(false))];
        let write = Write::update(key(ledger, step), GIVE, vec![(":true", flag(true))]);
        self.client.write(&write.only_if(IS_OWN, values))
    }

    pub(super) fn holder_of(&self, ledger: Id, step: Step) -> Result<Option<Holder>, Error> {
        self.ready()?;
        let Some(item) = self.client.get(&key(ledger, step))? else { return Ok(None) };
        let claimed = self.claimed_in(&item)?;
        let again = claimed.again || claimed.retaken;
        Ok((!claimed.released).then_some(Holder { token: claimed.token, again, given: claimed.given }))
    }

    pub(super) fn claimed_steps(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error> {
        self.ready()?;
        if first > last {
            return Ok(Vec::new());
        }
        let steps = self.steps(&between(ledger, first, last))?.into_iter();
        Ok(steps.filter(|claimed| !claimed.released).map(|claimed| claimed.step).collect())
    }

    /// One look at each: a ledger's item comes behind those of its steps.
    pub(super) fn taken_of_several(&self, from: &[(Id, Step)]) -> Result<Vec<Taken>, Error> {
        let accepted = self.registry()?.accepted;
        let taken = |(ledger, first): &(Id, Step)| {
            let look = Look::between(partition(*ledger), sort_key(*first), LEDGER);
            let items = self.client.look(&look)?;
            let (steps, rest): (Vec<_>, Vec<_>) = items.iter().partition(|item| number_of(item).is_some());
            let book = self.book_in(*ledger, rest.first().ok_or(Error::Gone)?, accepted)?;
            if book.is_closed {
                return Err(Error::Gone);
            }
            let steps = steps.into_iter().map(|item| self.claimed_in(item)).collect::<Result<Vec<_>, _>>()?;
            let steps = steps.into_iter().filter(|claimed| !claimed.released).map(|claimed| claimed.step).collect();
            let forgotten = with_restored(book.ledger.forgotten, book.restored);
            Ok(Taken { steps, forgotten, restored: book.restored })
        };
        threads::at_once(from, MOST_THREADS, taken).into_iter().collect()
    }

    pub(super) fn steps_of_claim(&self, ledger: Id, token: Token) -> Result<Vec<Step>, Error> {
        self.ready()?;
        let mut look = between(ledger, Step::new(0), Step::new(u64::MAX));
        look.filter = Some((IS_OWN, vec![(":token", text(token)), (":false", flag(false))]));
        Ok(self.steps(&look)?.into_iter().map(|claimed| claimed.step).collect())
    }
}
