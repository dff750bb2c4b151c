//! For test suites in Rust: a stand-in for IAM and STS in your process, on virtual time, with a device and a client.
//!
//! Start an [`Aws`], point the program that you test at its [`endpoint`](Aws::endpoint), and move its time instead of
//! waiting. Needs the feature `testing`:
//!
//! ```toml
//! [dev-dependencies]
//! vmfa = { version = "0.1", default-features = false, features = ["testing"] }
//! ```
//!
//! ```
//! use vmfa::testing::Aws;
//!
//! let aws = Aws::start()?;
//! let alice = aws.user("alice")?;
//! let device = alice.enroll()?;
//! let session = alice.sign_in(&device)?;
//! assert_eq!(session.identity()?.arn, "arn:aws:iam::123456789012:user/alice");
//! aws.advance(12 * 60 * 60)?;
//! assert!(session.identity().is_err(), "the session expired");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All devices of one [`Aws`] share its clock, and each gives a code once: if the current code was given, the time moves
//! on to the next step. Nothing sleeps, and nothing is stored: when the [`Aws`] is dropped, the server ends and all is
//! gone.

mod aws;
mod bench;
mod client;
mod device;

use std::io;

use crate::serve::{self, time};

pub use self::aws::{Aws, Options};
pub use self::client::Client;
pub use self::device::Device;
pub use crate::aws::answer::Element;
pub use crate::aws::settings::Service;
pub use crate::aws::sts::Identity;
pub use crate::oath::Code;
pub use crate::serve::scenario::Scenario;
pub use crate::serve::time::Clock;
pub use crate::serve::{Ended, Event};

/// Why a part of the test bed can't do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stand-in doesn't start.
    #[error(transparent)]
    Serve(#[from] serve::Error),
    /// No port, thread or temporary directory is to be had.
    #[error("the stand-in can't run: {0}")]
    Io(#[from] io::Error),
    /// The client can't be made.
    #[error("the client can't be made: {0}")]
    Client(String),
    /// IAM or STS refused, or can't be reached.
    #[error(transparent)]
    Aws(#[from] crate::aws::Error),
    /// The clock isn't moved.
    #[error(transparent)]
    Time(#[from] time::Error),
    /// The device gives no code.
    #[error(transparent)]
    Device(#[from] crate::device::Error),
    /// The source of a device can't be read.
    #[error(transparent)]
    Source(#[from] crate::provision::Error),
    /// A source that holds several accounts.
    #[error("the source holds {0} accounts, and a device has one")]
    SeveralAccounts(usize),
    /// An answer without what it should hold.
    #[error("the answer to {0} can't be read")]
    Unreadable(&'static str),
    /// Only users have devices here.
    #[error("only a user made by `Aws::user` is enrolled")]
    NoUser,
    /// Other threads take the codes, or move the clock, faster than this one can follow.
    #[error("others move the clock faster than a code of `{0}` can be used")]
    TooBusy(String),
}
