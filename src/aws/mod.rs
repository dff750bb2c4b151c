//! AWS itself, as its users have set it up.

pub mod profile;
pub mod settings;
