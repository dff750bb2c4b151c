//! The stand-in for IAM and STS.

#[cfg(feature = "cli")]
mod clients;
mod mfa;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod server;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod socket;
mod sts;
mod support;
