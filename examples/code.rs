//! A code from a secret key, as RFC 6238 computes it: no vault, no registry, no clock.
//!
//! `cargo run --example code GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ 59` prints `287082`, the last six digits of the first
//! test vector in RFC 6238, appendix B. Don't pass a real secret like this: other processes can read arguments.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use vmfa::oath::hotp;
use vmfa::provision::{self, Limits};
use vmfa::time::Timestamp;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(source), Some(time)) = (arguments.next(), arguments.next()) else {
        return Err("usage: code SECRET UNIX-TIME".into());
    };
    let found = provision::read(source.as_bytes(), &Limits::default())?;
    let enrolment = found.enrolments.first().ok_or("no secret key")?;
    let step = enrolment.parameters.step_at(Timestamp::from_unix(time.parse()?))?;
    println!("{}", hotp::code(&enrolment.secret, step.value(), &enrolment.parameters));
    Ok(())
}
