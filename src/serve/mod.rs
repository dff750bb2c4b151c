//! A stand-in for AWS IAM and STS that really checks codes, signatures and policies.
//!
//! What it does is what AWS was measured to do, and where nothing was measured what its documentation says. A [`Stand`] is
//! one account without a socket: requests in, answers out, time and random numbers handed in.

mod account;
mod actions;
mod asked;
mod authenticate;
mod authorize;
mod call;
mod caller;
mod console;
mod contract;
mod control;
mod events;
mod fault;
mod foreign;
mod host;
pub mod http;
mod iam;
mod message;
mod open;
mod pass_role;
pub mod random;
pub mod scenario;
mod stand;
pub mod store;
mod sts;
pub mod time;
pub mod upstream;

pub use events::{Ended, Event};
pub use message::{Request, Response};
pub use open::{Administrator, Begun, Error, Options};
pub use stand::{Outcome, Stand};
