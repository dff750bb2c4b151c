//! The proxy that the environment names for `https://` URLs.

use super::environment;
use super::error::{Error, Result};

/// Refuses a proxy that would be passed by without a word.
///
/// # Errors
///
/// The variable that names it.
pub(super) fn expect_usable() -> Result<()> {
    const VARIABLES: [&str; 4] = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"];
    match VARIABLES.into_iter().find(|name| environment::text(name).is_some()) {
        Some(name) if ureq::Proxy::try_from_env().is_none() => {
            let message = format!("{name} names no proxy that can be used: it has to be an http:// or https:// URL");
            Err(Error::usage(message))
        }
        _ => Ok(()),
    }
}
