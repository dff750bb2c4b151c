//! AWS Signature Version 4, one implementation for clients and servers: IAM User Guide, "Create a signed
//! AWS API request", and for S3 its API reference, "Authenticating Requests (AWS Signature Version 4)".
//!
//! A [`Signer`] gives the headers or the query string that make a [`Request`] a signed one. On the other side
//! [`Presented::read`] takes the signature from it, the holder of the keys derives a [`SigningKey`], and
//! [`Presented::verify`] compares. An [`Error`] says what AWS says, and by [`Error::why`] what the matter is.
//!
//! ```
//! use vmfa::time::Timestamp;
//! use vmfa::wire::sigv4::{Accept, Credentials, Headers, Payload, Presented, Request, Signer, SigningKey};
//!
//! let now = Timestamp::from_unix(1_440_938_160);
//! let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None);
//! let mut headers = vec![("host".to_owned(), "iam.amazonaws.com".to_owned())];
//! let body = b"Action=ListUsers&Version=2010-05-08";
//!
//! let request = Request { method: "POST", path: "/", query: "", headers: headers.iter().map(|(n, v)| (n, v)).collect() };
//! let signed = Signer::new(&credentials, "us-east-1", "iam").sign(&request, Payload::Bytes(body), now)?;
//! headers.extend(signed.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())));
//!
//! let request = Request { method: "POST", path: "/", query: "", headers: headers.iter().map(|(n, v)| (n, v)).collect() };
//! let presented = Presented::read(&request)?;
//! assert_eq!(presented.access_key_id(), "AKIDEXAMPLE");
//! let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", presented.scope());
//! presented.verify(&key, &request, Payload::Bytes(body), &Accept::new("iam", now))?;
//! # Ok::<(), vmfa::wire::sigv4::Error>(())
//! ```
//!
//! Left out: Signature Version 4A, and bodies that are signed in chunks (`STREAMING-…`), which get their own error.

mod canonical;
mod date;
mod error;
mod key;
mod present;
mod request;
mod sign;
mod verify;

pub use error::{Error, Mismatch, ScopeFault};
pub use key::{Credentials, Scope, SigningKey};
pub use present::Presented;
pub use request::{Headers, Payload, Request};
pub use sign::Signer;
pub use verify::Accept;

pub use super::percent::Malformed;

/// The one algorithm.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What a scope ends with.
pub const TERMINATOR: &str = "aws4_request";
/// How far the date of a request may be from now, in seconds: as measured at STS ("- 15 min."), and taken for IAM, of
/// which no such answer is on record. Other services' answers have five minutes.
pub const SKEW: u64 = 900;
/// The longest time for which a request may be presigned, in seconds: a week.
pub const MAX_EXPIRES: u64 = 604_800;

/// How a service makes a request canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Style {
    /// All services but one: the path is normalized and encoded once more than it was sent; a presigned request's body
    /// is signed; its `X-Amz-Expires` is passed over, as measured at STS, where [`SKEW`] alone counts.
    Standard,
    /// S3: the path is taken as it is, encoded once; a presigned request's body isn't signed; every `x-amz-*` header must
    /// be; and `X-Amz-Expires` counts.
    S3,
}

impl Style {
    /// The style of a service, by its name in the scope.
    #[must_use]
    pub fn of(service: &str) -> Self {
        if service == "s3" { Self::S3 } else { Self::Standard }
    }
}
