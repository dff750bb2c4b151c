//! IAM and STS as a client: enrolling virtual MFA devices, resynchronizing and disabling them, and sessions with MFA.
//!
//! The flows look before they act: what an interruption, by kill -9 or a lost answer, left is found by asking IAM and
//! the registry, and the next run goes on from there. Nothing here reads a clock or the environment, or opens a
//! connection by itself: a [`World`] and a [`Transport`](client::Transport) are handed in.

pub mod answer;
mod cache;
mod cause;
pub mod client;
mod contact;
pub mod credentials;
pub mod denied;
pub mod disable;
pub mod enroll;
mod error;
pub mod explain;
pub mod flow;
mod holder;
pub mod https;
pub mod iam;
mod lock;
pub mod profile;
mod refusal;
pub mod resync;
pub mod session;
pub mod settings;
pub mod status;
pub mod sts;
mod world;

pub use contact::Boot;
pub use error::{Error, Interrupted};
pub use holder::Holder;
pub use lock::{Alone, LIMIT as LOCK_LIMIT, Locks, Pause};
pub use refusal::Refusal;
pub use world::World;
