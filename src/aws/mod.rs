//! AWS itself, as its users have set it up.

pub mod credentials;
pub mod profile;
pub mod settings;
