//! A virtual MFA device that can be scripted.
//!
//! `vmfa` reads what a service shows when it enrols an authenticator, keeps the secret in a
//! vault, and generates the one-time passwords of RFC 4226 and RFC 6238. This crate is both the
//! program and the library under it:
//!
//! - [`oath`]: the one-time passwords themselves;
//! - [`provision`]: bytes in, [`Enrolment`](provision::Enrolment)s out;
//! - [`policy`]: IAM policy documents, and what they decide about a request;
//! - [`wire`]: what IAM and STS speak: AWS Query, its XML, and Signature Version 4;
//! - [`vault`] and [`registry`]: where secrets live, and where everything else lives;
//! - `exchange`, with the feature of that name: exports of other authenticators;
//! - [`device`]: the lifecycle over one of each;
//! - `aws`, with the feature of that name: IAM and STS as a client;
//! - `testing`, with the feature of that name: a stand-in for both in your tests, on virtual time.
//!
//! `default-features = false` leaves the pure core: no command line, keyring, network or image
//! crates. Nothing in it reads a clock: a time is an argument.
//!
//! ```
//! use vmfa::{oath, provision, time::Timestamp};
//!
//! let found = provision::read(b"JBSW Y3DP EHPK 3PXP", &provision::Limits::default())?;
//! let enrolment = found.enrolments.first().expect("one secret, one enrolment");
//! let step = enrolment.parameters.step_at(Timestamp::from_unix(1_111_111_109))?;
//! let code = oath::hotp::code(&enrolment.secret, step.value(), &enrolment.parameters);
//! assert_eq!(code.to_string(), "071271");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// With the feature, `oath::lanes` alone has some.
#![cfg_attr(not(feature = "lanes"), forbid(unsafe_code))]

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(all(target_os = "linux", any(feature = "keyring", feature = "desktop")))]
mod bus;
#[cfg(feature = "cli")]
pub mod cli;
pub mod device;
#[cfg(feature = "exchange")]
pub mod exchange;
#[cfg(any(feature = "age", feature = "sqlite", feature = "aws", feature = "serve", feature = "cli"))]
mod file;
pub mod name;
pub mod oath;
pub mod policy;
pub mod provision;
pub mod registry;
pub mod secret;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;
pub mod time;
pub mod vault;
pub mod wire;
