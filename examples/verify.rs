//! The other end: a server that accepts each code once, as RFC 6238, section 5.2, asks.
//!
//! `cargo run --example verify` shows three sign-ins. Store the state before you let anybody in: a match that isn't
//! stored can be replayed.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use vmfa::oath::relying_party::{Rules, State, Verdict, accept};
use vmfa::provision::{self, Limits};
use vmfa::time::Timestamp;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let found = provision::read(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", &Limits::default())?;
    let enrolment = found.enrolments.first().ok_or("no secret key")?;
    // A database keeps it, one for each user; it implements serde's traits.
    let mut state = State::default();
    let now = Timestamp::from_unix(59); // a server asks its clock
    for typed in ["287 082", "287082", "123456"] {
        let codes = [typed.parse()?];
        let (next, verdict) = accept(&Rules::RFC_6238, &enrolment.secret, &enrolment.parameters, &state, now, &codes);
        state = next;
        match verdict {
            Verdict::Accepted(found) => println!("{typed}: accepted, step {}", found.moving_factor),
            Verdict::Refused(refusal) => println!("{typed}: {refusal}"),
        }
    }
    Ok(())
}
