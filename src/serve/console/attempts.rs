//! Wrong passwords, counted: a password can't be guessed by trying.
//!
//! They are counted for an address and a user name together, whether or not there is such a user: somebody who guesses at
//! somebody else's name locks out nobody at another address, and learns nothing about which names there are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::time::Timestamp;

/// How many wrong passwords are looked at in a [window](WINDOW).
const MOST: u32 = 10;

/// Seconds from the first wrong password until they are forgotten.
const WINDOW: u64 = 300;

/// How many pairs of address and name are remembered. Past that, those with the fewest wrong passwords make room.
const REMEMBERED: usize = 16_384;

/// The wrong passwords of late.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Key, Count>>);

/// The hash of an address and a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 16]);

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Timestamp,
    wrong: u32,
}

/// There were too many: the next one is accepted after this many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) u64);

impl Key {
    /// Names are those of [`key`](crate::serve::account::key).
    pub(super) fn of(address: IpAddr, name: &str) -> Self {
        let mut hash = Sha256::new();
        match address.to_canonical() {
            IpAddr::V4(address) => hash.update(address.octets()),
            // With one address of a /64 network you have all of them.
            IpAddr::V6(address) => hash.update(address.octets().get(..8).unwrap_or_default()),
        }
        hash.update([0]);
        hash.update(name);
        let mut key = [0; 16];
        key.iter_mut().zip(hash.finalize()).for_each(|(byte, of)| *byte = of);
        Self(key)
    }
}

impl Count {
    /// If time goes backwards, counting starts over too.
    fn is_over(&self, now: Timestamp) -> bool {
        now.as_unix().checked_sub(self.since.as_unix()).is_none_or(|age| age >= WINDOW)
    }
}

impl Attempts {
    /// Counts a password as wrong before it is looked at: of many at once, no more are looked at than of many in a row.
    ///
    /// # Errors
    ///
    /// Where there were too many.
    pub(super) fn begin(&self, key: Key, now: Timestamp) -> Result<(), TooMany> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(&key) {
            all.retain(|_, count| !count.is_over(now));
        }
        if all.len() >= REMEMBERED && !all.contains_key(&key) {
            let least = all.iter().min_by_key(|(_, count)| (count.wrong, count.since)).map(|(key, _)| *key);
            least.and_then(|key| all.remove(&key));
        }
        let count = all.entry(key).or_insert(Count { since: now, wrong: 0 });
        if count.is_over(now) {
            *count = Count { since: now, wrong: 0 };
        }
        if count.wrong >= MOST {
            let end = count.since.as_unix().saturating_add(WINDOW);
            return Err(TooMany(end.saturating_sub(now.as_unix())));
        }
        count.wrong = count.wrong.saturating_add(1);
        Ok(())
    }

    /// Takes back what [`begin`](Self::begin) counted: the password was right.
    pub(super) fn was_right(&self, key: Key) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&key) {
            count.wrong = count.wrong.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ten_are_looked_at_in_five_minutes_and_right_ones_do_not_count() {
        let (attempts, key) = (Attempts::default(), Key::of(address("10.0.0.1"), "alice"));
        for round in 0..3 {
            let begun = 1_000 + round * WINDOW;
            for second in 0..9 {
                assert_eq!(attempts.begin(key, at(begun + second)), Ok(()));
                attempts.begin(key, at(begun + second)).unwrap();
                attempts.was_right(key);
            }
            assert_eq!(attempts.begin(key, at(begun + 100)), Ok(()));
            assert_eq!(attempts.begin(key, at(begun + 100)), Err(TooMany(200)));
            assert_eq!(attempts.begin(key, at(begun + 299)), Err(TooMany(1)));
        }
        assert_eq!(attempts.begin(key, at(5)), Ok(()), "time went backwards");
    }

    #[test]
    fn other_names_and_other_addresses_are_counted_apart() {
        let attempts = Attempts::default();
        let key = Key::of(address("2001:db8::1"), "alice");
        (0..10).for_each(|_| attempts.begin(key, at(0)).unwrap());
        for (from, name, same) in [
            ("2001:db8::1", "alice", true),
            ("2001:db8::2", "alice", true),
            ("2001:db8:0:1::1", "alice", false),
            ("2001:db8::1", "bob", false),
            ("10.0.0.1", "alice", false),
        ] {
            assert_eq!(attempts.begin(Key::of(address(from), name), at(1)).is_err(), same, "{from} {name}");
        }
        assert_eq!(Key::of(address("::ffff:10.0.0.1"), "alice"), Key::of(address("10.0.0.1"), "alice"));
    }

    #[test]
    fn many_names_push_out_nobody_who_is_kept_out() {
        let (attempts, key) = (Attempts::default(), Key::of(address("10.0.0.1"), "alice"));
        (0..10).for_each(|_| attempts.begin(key, at(0)).unwrap());
        for name in 0..REMEMBERED + 100 {
            attempts.begin(Key::of(address("10.0.0.1"), &name.to_string()), at(1)).unwrap();
        }
        assert!(attempts.begin(key, at(2)).is_err());
        assert_eq!(attempts.0.lock().unwrap().len(), REMEMBERED);
    }
}
