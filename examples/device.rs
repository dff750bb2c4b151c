//! A device that outlives the process: its secret in an age vault, the record of what it gave in SQLite.
//!
//! `cargo run --example device DIRECTORY` adds it once and prints a code that no run printed before. Run it twice:
//! the second run gets the code of the next step, and says when that can be used.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::path::PathBuf;

use vmfa::device::issue::{Moment, Terms};
use vmfa::device::{Devices, find};
use vmfa::oath::resync::Window;
use vmfa::provision::{self, Limits};
use vmfa::registry::sqlite::Sqlite;
use vmfa::time::Timestamp;
use vmfa::vault::age::{Age, Identity, generate, read_identity, write_new_file};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: device DIRECTORY")?);
    let identity = home.join("identity.txt");
    if !identity.exists() {
        write_new_file(&identity, generate().0.as_bytes())?;
    }
    let text = String::from_utf8(read_identity(&identity)?.to_vec())?.into();
    let vault = Age::new(home.join("age"), Vec::new(), Identity::Text(text));
    let registry = Sqlite::open(&home.join("registry.sqlite"))?;
    let devices = Devices { vault: &vault, registry: &registry };

    let now = Timestamp::from_unix(1_800_000_000); // a program asks its clock
    if find(&registry, "example").is_err() {
        let found = provision::read(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", &Limits::default())?;
        let enrolment = found.enrolments.into_iter().next().ok_or("no secret key")?;
        devices.add(&[("example".parse()?, enrolment)], false, now)?;
    }
    let device = find(&registry, "example")?;
    let enrolment = devices.enrolment(&device)?;
    let terms = Terms { window: Window { behind: 0, ahead: 0 }, validity: 0, rounding: 0, patience: 300 };
    let leased = devices.lease(&device, &enrolment, Moment { time: now, now }, &terms)?;
    println!("{} from {} on", leased.issued.code, leased.ready);
    Ok(())
}
