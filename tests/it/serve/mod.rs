//! The stand-in for IAM and STS.

#[cfg(feature = "cli")]
mod clients;
mod console;
mod mfa;
mod sts;
mod support;
