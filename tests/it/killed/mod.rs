//! kill -9 at every system call that changes a file: nothing is lost, no code comes twice, and the same command, given
//! again, finishes the work.
//!
//! A spread of the calls is tried; with `VMFA_EVERY_CALL=1`, all of them.

mod backups;
mod calls;
mod devices;
mod exports;
mod recipients;

use std::collections::BTreeMap;
use std::fs;

use vmfa::device::Devices;
use vmfa::provision::uri;
use vmfa::registry::sqlite::Sqlite;
use vmfa::registry::{Registry as _, State};
use vmfa::vault::age::{Age, Identity};
use zeroize::Zeroizing;

use crate::support::{Home, Run, at_clock, run};

/// A step that no clock reaches while this runs.
const LATER: &str = "4000000000";

/// After the time of the one that was killed.
const NEXT: i64 = 300;

/// What a home has: the secrets of active devices by name, and those in the trash.
#[derive(Debug, PartialEq, Eq)]
pub struct There {
    pub active: BTreeMap<String, String>,
    pub trashed: BTreeMap<String, String>,
}

impl There {
    /// All that is there, each secret read. Devices that somebody is about to add or to delete don't count.
    pub fn of(home: &Home) -> Self {
        let mut there = Self { active: BTreeMap::new(), trashed: BTreeMap::new() };
        let place = home.path().join("home");
        if !place.join("registry.sqlite3").exists() {
            return there;
        }
        let registry = Sqlite::open(&place.join("registry.sqlite3")).unwrap();
        let identity = Identity::Text(Zeroizing::new(fs::read_to_string(home.identity()).unwrap()));
        let vault = Age::new(place, Vec::new(), identity);
        let devices = Devices { vault: &vault, registry: &registry };
        for device in registry.list().unwrap() {
            let side = match device.state {
                State::Active => &mut there.active,
                State::Trashed { .. } => &mut there.trashed,
                State::Pending { .. } | State::Retired { .. } => continue,
            };
            let enrolment = devices.enrolment(&device).unwrap_or_else(|error| panic!("{}: {error}", device.name));
            let mut name = device.name.to_string();
            while side.contains_key(&name) {
                name.push_str(" too");
            }
            side.insert(name, uri::format(&enrolment).to_string());
        }
        there
    }

    fn names(&self) -> (Vec<&str>, Vec<&str>) {
        (self.active.keys().map(String::as_str).collect(), self.trashed.keys().map(String::as_str).collect())
    }
}

/// The files of secrets, without the vault's own key, and what writers left behind.
fn items(home: &Home) -> (usize, Vec<String>) {
    let all = fs::read_dir(home.path().join("home/items")).into_iter().flatten().flatten();
    let names: Vec<String> = all.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let (items, others): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| name.ends_with(".age"));
    let left = others.into_iter().filter(|name| name != ".lock").collect();
    (items.iter().filter(|name| !name.starts_with("vault-key")).count(), left)
}

/// The same command once more, when the time of the killed one is over.
fn again(home: &Home, arguments: &[&str]) -> Run {
    run(at_clock(home, NEXT).args(arguments), b"")
}

/// What must hold once the next change has cleared up: a secret for each device, and no other.
fn tidy(home: &Home, moment: &str) {
    again(home, &["doctor"]).expect(0);
    let there = There::of(home);
    assert_eq!(items(home).0, there.active.len() + there.trashed.len(), "{moment}: {there:?}");
}

/// A code that was handed out before isn't handed out again.
#[track_caller]
fn stays_used(home: &Home, name: &str, moment: &str) {
    let run = home.run(&["code", name, "--fresh", "--at", LATER, "--timeout", "0s", "--json"]);
    assert_eq!((run.code, run.error_code().as_str()), (1, "no-free-step"), "{moment}: {run:#?}");
}
