//! The stand-in for IAM and STS.

mod mfa;
mod support;
