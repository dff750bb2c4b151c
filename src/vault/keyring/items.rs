//! What all items of this program have in common, in any keyring.

/// The name of the program.
pub(super) const PROGRAM: &str = "vmfa";
