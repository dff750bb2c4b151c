//! What live AWS was observed to do, replayed.

mod calls;
mod mfa;
