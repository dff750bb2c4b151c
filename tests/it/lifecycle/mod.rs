//! Interruptions: whatever the moment, a device is whole or not there, and no secret is lost or left over.

mod devices;
mod power;
mod restoration;
mod trash;

use vmfa::name::Name;
use vmfa::provision::{self, Enrolment, Limits};
use vmfa::time::Timestamp;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const LATER: Timestamp = Timestamp::from_unix(1_800_001_000);

fn enrolment(secret: &str) -> Enrolment {
    provision::read(secret.as_bytes(), &Limits::default()).unwrap().enrolments.remove(0)
}

fn old() -> Enrolment {
    enrolment("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
}

fn new() -> Enrolment {
    enrolment("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}
