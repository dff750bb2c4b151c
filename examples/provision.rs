//! What a picture of a QR code holds, without its secret.
//!
//! `cargo run --example provision vectors/qr/aws-mfauser.png`. The same call reads otpauth URIs, Google Authenticator's
//! exports, secret keys in base32, and what `aws iam create-virtual-mfa-device` writes.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use vmfa::provision::{self, Limits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: provision FILE")?;
    let found = provision::read(&std::fs::read(path)?, &Limits::default())?;
    for enrolment in &found.enrolments {
        let issuer = enrolment.issuer.as_deref().unwrap_or("-");
        let digits = enrolment.parameters.digits.count();
        println!("{issuer}: {}, {digits} digits, {} bits", enrolment.account, enrolment.secret.bits());
    }
    for warning in &found.warnings {
        println!("warning: {warning}");
    }
    Ok(())
}
