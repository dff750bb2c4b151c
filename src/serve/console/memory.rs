//! What a console remembers.

use super::attempts::Attempts;
use super::session::Sessions;

/// What a console remembers: who is signed in, and who gave wrong passwords.
#[derive(Debug, Default)]
pub(in crate::serve) struct Console {
    pub(super) sessions: Sessions,
    pub(super) attempts: Attempts,
}
