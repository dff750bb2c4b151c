//! The stand-in for IAM and STS.

mod mfa;
mod sts;
mod support;
