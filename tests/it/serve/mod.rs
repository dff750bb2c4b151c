//! The stand-in for IAM and STS.

mod account;
mod authorization;
mod contract;
mod groups;
mod login;
mod mfa;
mod policies;
mod roles;
mod self_management;
mod simulate;
mod support;
mod tags;
mod users;
