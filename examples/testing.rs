//! A test of MFA against AWS without AWS and without waiting: stand-in, device and client in one process.
//!
//! `cargo run --example testing`
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use vmfa::testing::Aws;

fn main() -> Result<(), vmfa::testing::Error> {
    let aws = Aws::start()?;
    let alice = aws.user("alice")?;
    let device = alice.enroll()?;
    let session = alice.sign_in(&device)?;
    println!("signed in: {}", session.identity()?.arn);

    let [first, second] = [device.code()?, device.code()?];
    println!("two codes, both new: {}", first != second);

    aws.advance(12 * 60 * 60)?;
    println!("12 hours later: {}", session.identity().is_err());
    for event in aws.events().iter().filter(|event| event.action.starts_with("Get")) {
        println!("{} {:?}", event.action, event.ended);
    }
    Ok(())
}
