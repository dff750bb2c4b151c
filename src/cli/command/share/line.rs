//! The devices of a pool, in the order in which their next codes come; those that have one now, by when they were used last.
//!
//! It is what this server believes: others hand out, too. Where a device turns out to have no code then, it goes to where it
//! belongs.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::member::Member;
use crate::registry::{Device, Token};
use crate::time::Timestamp;

/// By how many seconds readings of one clock, by several threads, may be out of order.
const SLACK: u64 = 2;

/// A pool.
#[derive(Debug)]
pub(super) struct Line {
    members: Vec<Arc<Member>>,
    order: Mutex<Order>,
    /// Whether a code may be of a step around the current one: then a device has several at once.
    several: bool,
    /// When, in Unix seconds, all were last looked at in the registry.
    looked: AtomicU64,
    /// Until when, in Unix seconds, some are left out.
    aside: AtomicU64,
}

#[derive(Debug, Default)]
struct Order {
    /// From when on, in Unix seconds, a device has a code; then whose turn it is.
    by_time: BTreeSet<(u64, u64, usize)>,
    /// The same by the device's place.
    times: Vec<(u64, u64)>,
    turn: u64,
    /// The latest time, in Unix seconds, at which anybody asked.
    latest: u64,
}

/// The device whose turn it is.
pub(super) struct Next<'a> {
    pub(super) member: &'a Arc<Member>,
    /// From when on it has a code, as far as is known.
    pub(super) at: Timestamp,
    place: usize,
}

impl Line {
    /// Of the time-based devices among these. Several servers begin at different ones.
    pub(super) fn of(members: impl Iterator<Item = Arc<Member>>, several: bool) -> Self {
        let members: Vec<_> = members.filter(|member| member.period().is_some()).collect();
        let mut order = Order::default();
        let turns = members.iter().map(|_| Token::random().value() >> 32);
        order.times = turns.map(|turn| (0, turn)).collect();
        order.by_time = order.times.iter().enumerate().map(|(place, (time, turn))| (*time, *turn, place)).collect();
        order.turn = u64::from(u32::MAX);
        Self { members, order: Mutex::new(order), several, looked: AtomicU64::new(0), aside: AtomicU64::new(0) }
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn devices(&self) -> Vec<Device> {
        self.members.iter().map(|member| member.device()).collect()
    }

    /// The device that has a code soonest, if that is in time; the next one gets its next code, or another device.
    pub(super) fn next(&self, now: Timestamp, patience: u64) -> Option<Next<'_>> {
        let mut order = self.order();
        order.expect_clock(now.as_unix());
        let (at, _, place) = *order.by_time.first()?;
        if at > now.as_unix().saturating_add(patience) {
            return None;
        }
        let member = self.members.get(place)?;
        let period = member.period().unwrap_or(1).max(1);
        // Of a code that is there now, until its step ends.
        let begun = at.max(now.as_unix());
        let end = begun.saturating_sub(begun.checked_rem(period).unwrap_or(0)).saturating_add(period);
        order.moved(place, if self.several { at } else { end });
        Some(Next { member, at: Timestamp::from_unix(at), place })
    }

    /// It has none before this.
    pub(super) fn is_later(&self, next: &Next<'_>, at: Timestamp) {
        self.order().moved(next.place, at.as_unix());
    }

    /// Its secret can't be read: it is left out until then.
    pub(super) fn is_aside(&self, next: &Next<'_>, until: Timestamp) {
        self.aside.fetch_max(until.as_unix(), Ordering::Relaxed);
        self.is_later(next, until);
    }

    /// A device may have a code now: one was given back.
    pub(super) fn is_free(&self, name: &str) {
        if let Some(place) = self.members.iter().position(|member| member.name() == name) {
            self.order().moved(place, 0);
        }
    }

    /// Whether nobody has looked at all of them in this second: what was given back elsewhere isn't known here. Nor is what
    /// those have that were left out.
    pub(super) fn is_to_be_looked_at(&self, now: Timestamp) -> bool {
        now.as_unix() < self.aside.load(Ordering::Relaxed)
            || self.looked.swap(now.as_unix(), Ordering::Relaxed) != now.as_unix()
    }

    /// From when on the first one has a code, as far as is known.
    pub(super) fn first(&self) -> Timestamp {
        Timestamp::from_unix(self.order().by_time.first().map_or(0, |(at, ..)| *at))
    }
}

impl Order {
    /// A clock that was set back leaves times that mean nothing: each device may have a code now.
    fn expect_clock(&mut self, now: u64) {
        if now.saturating_add(SLACK) < self.latest {
            (0..self.times.len()).for_each(|place| self.moved(place, 0));
            self.latest = now;
        }
        self.latest = self.latest.max(now);
    }

    fn moved(&mut self, place: usize, at: u64) {
        self.turn = self.turn.saturating_add(1);
        let turn = self.turn;
        if let Some(time) = self.times.get_mut(place) {
            self.by_time.remove(&(time.0, time.1, place));
            *time = (at, turn);
            self.by_time.insert((at, turn, place));
        }
    }
}
