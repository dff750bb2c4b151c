//! What to do where there are no devices.

#[cfg(any(feature = "postgres", feature = "dynamodb"))]
use std::sync::OnceLock;

use super::environment;
use super::hints;
use super::home::Home;

/// The database where this process looks for devices, if it does.
#[cfg(any(feature = "postgres", feature = "dynamodb"))]
static DATABASE: OnceLock<String> = OnceLock::new();

/// Remembers which database devices are looked for in: a URL without a password.
#[cfg(any(feature = "postgres", feature = "dynamodb"))]
pub(super) fn looks_in_database(url: String) {
    let _ = DATABASE.set(url);
}

/// Where devices were looked for, since `VMFA_HOME` may be missing in a new shell; `None` if that is unknown.
pub(super) fn looked_in() -> Option<String> {
    #[cfg(any(feature = "postgres", feature = "dynamodb"))]
    if let Some(url) = DATABASE.get() {
        return Some(hints::devices::looked_in_database(url));
    }
    let home = Home::find().ok()?;
    if let Some(named) = environment::path("VMFA_HOME").filter(|named| !named.exists()) {
        return Some(hints::devices::no_home(&named.display().to_string()));
    }
    Some(hints::devices::looked_in(&home.registry.display().to_string()))
}
