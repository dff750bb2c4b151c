//! The stand-in for IAM and STS.

#[cfg(all(feature = "cli", target_os = "linux"))]
mod abuse;
mod account;
mod arrival;
mod authorization;
#[cfg(feature = "cli")]
pub mod clients;
mod console;
mod contract;
mod devices;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod durable;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod elsewhere;
mod groups;
mod kept;
mod kept_keys;
mod login;
mod mfa;
mod observed;
mod policies;
mod roles;
mod scenario;
mod self_management;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod server;
mod simulate;
#[cfg(all(feature = "cli", target_os = "linux"))]
pub mod socket;
mod sts;
pub mod support;
mod tags;
mod users;
