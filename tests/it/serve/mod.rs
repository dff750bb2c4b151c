//! The stand-in for IAM and STS.

mod console;
mod mfa;
mod support;
