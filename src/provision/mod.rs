//! Provisioning: bytes that a service shows in, enrolments out.
//!
//! The content decides what it is: an image with QR codes, or a drawing of one, `otpauth://` URIs (the key URI format),
//! base32 text as people paste it, what AWS hands out (JSON, XML, `--outfile`), or base64 around any
//! of these. Untrusted input is bounded before it is worked on.

pub mod aws;
pub mod base32;
mod data_uri;
#[cfg(feature = "qr")]
pub mod draw;
mod drawing;
#[cfg(feature = "qr")]
mod embedded;
mod error;
mod foreign;
mod formats;
mod hexadecimal;
mod lines;
mod links;
mod page;
mod payloads;
#[cfg(feature = "qr")]
pub mod qr;
mod sniff;
mod tidy;
pub mod uri;
mod warning;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use error::{Error, Unsupported};
pub use foreign::Foreign;
pub use formats::Format;
#[cfg(feature = "qr")]
pub use payloads::{look_at_codes, read_pixels};
pub use sniff::{look, read};
pub use warning::Warning;

use crate::oath::Parameters;
use crate::secret::Secret;

/// What a service tells an authenticator: whose secret, how codes are made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Who gives the secret, where it says so.
    pub issuer: Option<String>,
    /// For which account; may be empty.
    pub account: String,
    /// The shared secret.
    pub secret: Secret,
    /// How codes are made.
    pub parameters: Parameters,
    /// The serial number (ARN) of an AWS device, where the source tells it.
    pub serial: Option<String>,
}

/// What a source held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// In the order in which the source has them; no two the same.
    pub enrolments: Vec<Enrolment>,
    /// What was odd but readable.
    pub warnings: Vec<Warning>,
    /// The line of each enrolment, counted from 1, where the source has several; else empty.
    pub lines: Vec<usize>,
    /// The QR codes that enrol nothing.
    pub others: Vec<Other>,
}

/// A QR code that enrols nothing. `Debug` leaves the text out: it might be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Other {
    /// What it holds, in a word.
    pub what: &'static str,
    /// Its text.
    pub text: Zeroizing<String>,
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Other").field("what", &self.what).finish_non_exhaustive()
    }
}

/// How much work a source may cause.
#[derive(Clone)]
pub struct Limits {
    /// The most pixels of an image, read from its header before anything is decoded.
    pub pixels: u64,
    /// Whether a picture is searched for more codes until time is up, however many were found.
    pub all: bool,
    /// Whether a bare secret is hexadecimal rather than base32.
    pub hex: bool,
    /// How codes of a bare secret are made.
    pub bare: Parameters,
    /// Whether a bare secret of less than [`Limits::BARE_BITS`] bits is taken: any short word would be one.
    pub allow_short: bool,
    /// Whether time is up; asked often, by the caller's thread and by the one that works. Handed in, because nothing
    /// here reads a clock. One that measures the CPU time of the process reads the same on a machine that is busy.
    pub expired: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Found {
    /// Takes in what another part of the source held. The same enrolment twice stays one.
    pub fn absorb(&mut self, other: Self) {
        let mut lines = other.lines.into_iter();
        for enrolment in other.enrolments {
            let line = lines.next();
            if !self.enrolments.contains(&enrolment) {
                self.enrolments.push(enrolment);
                self.lines.extend(line);
            }
        }
        self.warnings.extend(other.warnings);
        self.others.extend(other.others);
    }

    /// What enrols something.
    ///
    /// # Errors
    ///
    /// [`Error::NotOtpauth`] where there are codes, and none enrols.
    pub fn enrolling(self) -> Result<Self, Error> {
        match self.others.first() {
            Some(other) if self.enrolments.is_empty() => Err(Error::NotOtpauth { what: other.what }),
            _ => Ok(self),
        }
    }
}

impl Limits {
    /// The most bytes of a source: larger ones are refused unread.
    pub const BYTES: usize = 32 << 20;

    /// The fewest bits of a bare secret that is taken without being asked for. Services make 80 and more.
    pub const BARE_BITS: usize = 80;
}

impl Default for Limits {
    /// 64 megapixels, and never out of time.
    fn default() -> Self {
        Self {
            pixels: 64 << 20,
            all: false,
            hex: false,
            bare: Parameters::DEFAULT,
            allow_short: false,
            expired: Arc::new(|| false),
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("pixels", &self.pixels).finish_non_exhaustive()
    }
}
