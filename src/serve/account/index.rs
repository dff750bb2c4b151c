//! Who has what, so that nobody has to look at every user: which users, groups and roles a policy is attached to, who is
//! in a group, which devices are assigned.
//!
//! It says what the tables said when they were stored last. A request changes them after it has looked, and is stored
//! before the next one looks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::entities::{AccessKey, Device, Group, Role, User};
use super::table::Table;

/// Keys of rows.
pub(in crate::serve) type KeySet = BTreeSet<String>;

/// How often a managed policy is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::serve) struct Usage {
    /// By how many users, groups and roles as permissions.
    pub(in crate::serve) attached: usize,
    /// By how many users and roles as a boundary.
    pub(in crate::serve) bounding: usize,
}

/// The keys of those who have something, by what they have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Having(BTreeMap<String, KeySet>);

/// What is found without looking at all rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Index {
    /// The keys of users, by the ARNs of attached policies.
    pub(in crate::serve) users: Having,
    /// The keys of groups, by the ARNs of attached policies.
    pub(in crate::serve) groups: Having,
    /// The keys of roles, by the ARNs of attached policies.
    pub(in crate::serve) roles: Having,
    /// The keys of users, by the ARNs of their boundaries.
    pub(in crate::serve) bounded_users: Having,
    /// The keys of roles, by the ARNs of their boundaries.
    pub(in crate::serve) bounded_roles: Having,
    /// The keys of users, by the keys of groups.
    pub(in crate::serve) members: Having,
    /// Serial numbers of devices that are somebody's.
    pub(in crate::serve) assigned: KeySet,
    /// Serial numbers of the others.
    pub(in crate::serve) unassigned: KeySet,
    /// Ids of access keys, by the keys of users.
    pub(in crate::serve) access_keys: Having,
}

/// A row that is found by what it has.
pub(super) trait Indexed {
    /// Notes what it has, or that it has that no longer.
    fn note(&self, index: &mut Index, key: &str, there: bool);
}

impl Having {
    /// Who has it.
    pub(in crate::serve) fn get(&self, what: &str) -> Option<&KeySet> {
        self.0.get(what)
    }

    /// How many have it.
    pub(in crate::serve) fn count(&self, what: &str) -> usize {
        self.get(what).map_or(0, BTreeSet::len)
    }

    fn note(&mut self, what: &str, key: &str, there: bool) {
        if there {
            match self.0.get_mut(what) {
                Some(keys) => keys.insert(key.to_owned()),
                None => self.0.entry(what.to_owned()).or_default().insert(key.to_owned()),
            };
        } else if let Some(keys) = self.0.get_mut(what) {
            keys.remove(key);
            if keys.is_empty() {
                self.0.remove(what);
            }
        }
    }
}

impl Index {
    /// How often a managed policy is used.
    pub(in crate::serve) fn usage(&self, arn: &str) -> Usage {
        let [users, groups, roles] = [&self.users, &self.groups, &self.roles].map(|having| having.count(arn));
        let attached = users.saturating_add(groups).saturating_add(roles);
        let bounding = self.bounded_users.count(arn).saturating_add(self.bounded_roles.count(arn));
        Usage { attached, bounding }
    }

    /// Takes up what changed in a table since it was stored.
    pub(super) fn follow<V: Indexed>(&mut self, table: &Table<V>) {
        for (key, before, now) in table.changes() {
            if let Some(before) = before {
                before.note(self, key, false);
            }
            if let Some(now) = now {
                now.note(self, key, true);
            }
        }
    }

    /// Takes up all rows of a table that was read.
    pub(super) fn read<V: Indexed>(&mut self, table: &Table<V>) {
        table.iter().for_each(|(key, row)| row.note(self, key, true));
    }
}

impl Indexed for User {
    fn note(&self, index: &mut Index, key: &str, there: bool) {
        self.grants.attached.iter().for_each(|arn| index.users.note(arn, key, there));
        self.boundary.iter().for_each(|arn| index.bounded_users.note(arn, key, there));
        self.groups.iter().for_each(|group| index.members.note(group, key, there));
    }
}

impl Indexed for Group {
    fn note(&self, index: &mut Index, key: &str, there: bool) {
        self.grants.attached.iter().for_each(|arn| index.groups.note(arn, key, there));
    }
}

impl Indexed for Role {
    fn note(&self, index: &mut Index, key: &str, there: bool) {
        self.grants.attached.iter().for_each(|arn| index.roles.note(arn, key, there));
        self.boundary.iter().for_each(|arn| index.bounded_roles.note(arn, key, there));
    }
}

impl Indexed for Device {
    fn note(&self, index: &mut Index, key: &str, there: bool) {
        let keys = if self.assigned.is_some() { &mut index.assigned } else { &mut index.unassigned };
        if there {
            keys.insert(key.to_owned());
        } else {
            keys.remove(key);
        }
    }
}

impl Indexed for AccessKey {
    fn note(&self, index: &mut Index, key: &str, there: bool) {
        index.access_keys.note(&self.user, key, there);
    }
}

/// The keys from one on that are in either set, each once, in order.
pub(in crate::serve) fn in_either<'a>(
    sets: [Option<&'a KeySet>; 2],
    from: &str,
) -> impl Iterator<Item = &'a String> + use<'a> {
    let from = (Bound::Included(from), Bound::Unbounded);
    let [mut one, mut other] =
        sets.map(|keys| keys.map(|keys| keys.range::<str, _>(from)).into_iter().flatten().peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(first), Some(second)) if first == second => {
            other.next();
            one.next()
        }
        (Some(first), Some(second)) if first > second => other.next(),
        (None, _) => other.next(),
        _ => one.next(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Account, Assignment, Group, Tags, Usage, User};
    use super::*;
    use crate::secret::Secret;
    use crate::serve::account::Device;
    use crate::time::Timestamp;

    /// What happens to an account: to one of a few users, groups or devices.
    #[derive(Debug, Clone)]
    enum Change {
        Add(u8),
        Remove(u8),
        Attach(u8, u8),
        Detach(u8, u8),
        Bound(u8, Option<u8>),
        Join(u8, u8),
        Group(u8, Option<u8>),
        Device(u8, Option<u8>),
        NoDevice(u8),
        Store,
        Undo,
    }

    fn change() -> impl Strategy<Value = Change> {
        use Change::*;
        let (who, what) = (0..4_u8, 0..3_u8);
        let some = proptest::option::of(what.clone());
        prop_oneof![
            who.clone().prop_map(Add),
            who.clone().prop_map(Remove),
            (who.clone(), what.clone()).prop_map(|(who, what)| Attach(who, what)),
            (who.clone(), what.clone()).prop_map(|(who, what)| Detach(who, what)),
            (who.clone(), some.clone()).prop_map(|(who, what)| Bound(who, what)),
            (who.clone(), what).prop_map(|(who, what)| Join(who, what)),
            (who.clone(), some.clone()).prop_map(|(who, what)| Group(who, what)),
            (who.clone(), some).prop_map(|(who, what)| Device(who, what)),
            who.prop_map(NoDevice),
            Just(Store),
            Just(Undo),
        ]
    }

    fn apply(account: &mut Account, change: &Change) {
        let user = |who: &u8| format!("user-{who}");
        let policy = |what: &u8| format!("arn-{what}");
        match change {
            Change::Add(who) => account.users.insert(user(who), User::new(&user(who))),
            Change::Remove(who) => drop(account.users.remove(&user(who))),
            Change::Attach(who, what) => {
                account.users.edit(&user(who)).map(|user| user.grants.attached.insert(policy(what)));
            }
            Change::Detach(who, what) => {
                account.users.edit(&user(who)).map(|user| user.grants.attached.remove(&policy(what)));
            }
            Change::Bound(who, what) => {
                if let Some(user) = account.users.edit(&user(who)) {
                    user.boundary = what.as_ref().map(policy);
                }
            }
            Change::Join(who, what) => {
                account.users.edit(&user(who)).map(|user| user.groups.insert(format!("group-{what}")));
            }
            Change::Group(which, attached) => {
                let mut grants = super::super::Grants::default();
                grants.attached.extend(attached.iter().map(policy));
                let (name, created) = (format!("group-{which}"), Timestamp::from_unix(0));
                let group = Group { name: name.clone(), path: "/".into(), id: String::new(), created, grants };
                account.groups.insert(name, group);
            }
            Change::Device(which, of) => {
                let assigned = of.map(|of| Assignment { user: user(&of), at: Timestamp::from_unix(0) });
                let (serial, seed) = (format!("mfa-{which}"), Secret::new(vec![7; 20]).unwrap());
                let (name, tags) = (String::new(), Tags::default());
                account.devices.insert(serial.clone(), Device { serial, name, seed, tags, assigned });
            }
            Change::NoDevice(which) => drop(account.devices.remove(&format!("mfa-{which}"))),
            Change::Store => account.stored(),
            Change::Undo => account.undo(),
        }
    }

    /// What a look at every row finds.
    fn usage(account: &Account, arn: &str) -> Usage {
        let users = account.users.values().map(|user| &user.grants);
        let grants = users.chain(account.groups.values().map(|group| &group.grants));
        Usage {
            attached: grants.filter(|grants| grants.attached.contains(arn)).count(),
            bounding: account.users.values().filter(|user| user.boundary.as_deref() == Some(arn)).count(),
        }
    }

    proptest! {
        #[test]
        fn the_index_says_what_a_look_at_every_row_finds(changes in proptest::collection::vec(change(), 0..60)) {
            let mut account = Account::new("123456789012");
            for change in &changes {
                apply(&mut account, change);
                if !matches!(change, Change::Store | Change::Undo) {
                    continue;
                }
                for arn in ["arn-0", "arn-1", "arn-2"] {
                    prop_assert_eq!(account.index.usage(arn), usage(&account, arn));
                }
                for group in ["group-0", "group-1", "group-2"] {
                    let members = account.users.iter().filter(|(_, user)| user.groups.contains(group));
                    let members: KeySet = members.map(|(key, _)| key.clone()).collect();
                    prop_assert_eq!(account.index.members.get(group).cloned().unwrap_or_default(), members);
                }
                let assigned = |is: bool| account.devices.iter().filter(move |(_, it)| it.assigned.is_some() == is);
                prop_assert!(assigned(true).map(|(serial, _)| serial).eq(&account.index.assigned));
                prop_assert!(assigned(false).map(|(serial, _)| serial).eq(&account.index.unassigned));
                // What was kept is found as it was before.
                let mut read = Index::default();
                read.read(&account.users);
                read.read(&account.groups);
                read.read(&account.devices);
                prop_assert_eq!(&read, &account.index);
            }
        }

        #[test]
        fn two_sets_are_walked_as_one(
            one in proptest::collection::btree_set("[a-c]{1,2}", 0..8),
            other in proptest::collection::btree_set("[a-c]{1,2}", 0..8),
            from in "[a-c]{0,2}",
        ) {
            let both = one.union(&other).filter(|key| **key >= from);
            prop_assert!(in_either([Some(&one), Some(&other)], &from).eq(both));
            prop_assert!(in_either([None, Some(&one)], &from).eq(one.range(from.clone()..)));
            prop_assert_eq!(in_either([None, None], &from).next(), None);
        }
    }
}
