//! IAM policy documents: the grammar of the IAM JSON policy language and the evaluation logic within an account, as the
//! IAM User Guide has them ("IAM JSON policy reference", "Policy evaluation logic").
//!
//! [`Document::parse`] reads a policy, [`evaluate()`] decides about a [`Request`], and an [`Evaluation`] says why. Nothing
//! here knows users or clocks: the code that builds the request fills its [`Context`], the MFA keys by [`mfa`].
//!
//! ```
//! use vmfa::policy::{self, Context, Decision, Document, Kind, Policies, Principal, Request, Source};
//!
//! let document = Document::parse(
//!     r#"{"Version": "2012-10-17", "Statement": {"Sid": "OwnDevice", "Effect": "Allow", "Action": "iam:*MFADevice",
//!         "Resource": "arn:aws:iam::*:mfa/${aws:username}"}}"#,
//!     Kind::Identity,
//! )?;
//! let policies = Policies { identity: vec![Source { name: "own", document: &document }], ..Policies::default() };
//! let request = Request {
//!     action: "iam:CreateVirtualMFADevice".to_owned(),
//!     resources: vec!["arn:aws:iam::123456789012:mfa/alice".to_owned()],
//!     principal: Principal::User { arn: "arn:aws:iam::123456789012:user/alice".to_owned() },
//!     context: Context::from_iter([("aws:username", "alice")]),
//! };
//! let found = policy::evaluate(&policies, &request);
//! assert_eq!(found.decision(), Decision::Allowed);
//! assert_eq!(found.verdicts[0].to_string(), "allowed by statement 1 (`OwnDevice`) of the identity policy `own`");
//! # Ok::<(), policy::Error>(())
//! ```
//!
//! Left out: service control policies, resource policies other than trust policies, and the root user, to which no policy of
//! the account applies.

#![deny(clippy::arithmetic_side_effects)]

mod condition;
mod context;
mod document;
mod doubt;
mod error;
mod evaluate;
mod fields;
mod json;
mod keys;
mod language;
pub mod mfa;
mod pattern;
mod principal;
mod request;
mod statement;
mod template;
mod value;

pub use context::Context;
pub use document::Document;
pub use doubt::{Doubt, Keys};
pub use error::{Error, Place};
pub use evaluate::{Decision, Evaluation, Layer, Matched, Policies, Source, Verdict, evaluate, evaluate_in_doubt};
pub use keys::context_keys;
pub use language::{Kind, Version};
pub use principal::Principal;
pub use request::Request;
pub use statement::{Effect, Statement};

/// How large a document may be: anybody who may write policies can send one, and it is kept.
pub mod limits {
    /// Bytes of JSON text: what `PolicyDocument` may have in the IAM API.
    pub const BYTES: usize = 131_072;
    /// Levels within the document; the grammar has six.
    pub const DEPTH: usize = 8;
    /// JSON values, those within others included.
    pub const ELEMENTS: usize = 16_384;
}
