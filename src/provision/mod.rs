//! Provisioning: bytes that a service shows in, enrolments out.
//!
//! The content decides what it is: an image with QR codes, `otpauth://` URIs (the key URI format),
//! base32 text as people paste it, what AWS hands out (JSON, XML, `--outfile`), or base64 around any
//! of these. Untrusted input is bounded before it is worked on.

pub mod aws;
pub mod base32;
#[cfg(feature = "qr")]
pub mod draw;
mod error;
mod formats;
#[cfg(feature = "qr")]
pub mod qr;
mod sniff;
pub mod uri;

use std::fmt;
use std::sync::Arc;

pub use error::Error;
pub use formats::Format;
pub use sniff::read;
#[cfg(feature = "qr")]
pub use sniff::read_pixels;

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
}

/// Something odd that a person should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// RFC 4226, section 4, R6: at least 128 bits are required.
    ShortSecret {
        /// How many there are.
        bits: usize,
    },
    /// The label's issuer isn't the parameter's; the parameter is taken, as Google Authenticator does.
    IssuersDisagree {
        /// In front of the label's colon.
        label: String,
        /// The `issuer` parameter.
        parameter: String,
    },
    /// A parameter that the key URI format doesn't have; it is passed over.
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// A parameter for the other type: `counter` of a TOTP, `period` of an HOTP URI.
    PointlessParameter {
        /// Its name.
        name: String,
    },
    /// A parameter twice with two values; the first is taken.
    RepeatedParameter {
        /// Its name.
        name: String,
    },
    /// Other QR codes of the same image that are no enrolments.
    OtherCodes {
        /// How many.
        count: usize,
    },
}

/// How much work a source may cause.
#[derive(Clone)]
pub struct Limits {
    /// The most pixels of an image, read from its header before anything is decoded.
    pub pixels: u64,
    /// Whether time is up; asked often, by the caller's thread and by the one that works. Handed in, because nothing
    /// here reads a clock. One that measures the CPU time of the process reads the same on a machine that is busy.
    pub expired: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Found {
    /// Takes in what another part of the source held. The same enrolment twice stays one.
    pub fn absorb(&mut self, other: Self) {
        for enrolment in other.enrolments {
            if !self.enrolments.contains(&enrolment) {
                self.enrolments.push(enrolment);
            }
        }
        self.warnings.extend(other.warnings);
    }
}

impl Limits {
    /// The most bytes of a source: larger ones are refused unread.
    pub const BYTES: usize = 32 << 20;
}

impl Default for Limits {
    /// 64 megapixels, and never out of time.
    fn default() -> Self {
        Self { pixels: 64 << 20, expired: Arc::new(|| false) }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("pixels", &self.pixels).finish_non_exhaustive()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortSecret { bits } => {
                write!(f, "the secret has {bits} bits; RFC 4226 requires at least 128")
            }
            Self::IssuersDisagree { label, parameter } => {
                write!(f, "the label says issuer `{label}`, the parameter `{parameter}`: the parameter is taken")
            }
            Self::UnknownParameter { name } => write!(f, "the URI has an unknown parameter `{name}`"),
            Self::PointlessParameter { name } => {
                write!(f, "the URI's parameter `{name}` has no meaning for its type")
            }
            Self::RepeatedParameter { name } => {
                write!(f, "the URI has `{name}` twice with two values: the first is taken")
            }
            Self::OtherCodes { count } => write!(f, "the image has {count} more QR code(s) that enrol nothing"),
        }
    }
}
