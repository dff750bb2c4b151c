//! The proxy that the environment names for `https://` URLs.

use super::environment;
use super::error::{Error, Result};

/// The variables that name it, in the order in which ureq takes the first that can be used.
const VARIABLES: [&str; 6] = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/// Refuses a proxy setting that would be ignored silently: requests would go past it.
///
/// # Errors
///
/// The first variable that is set, where it isn't the URL of an HTTP proxy.
pub(super) fn expect_usable() -> Result<()> {
    let first = VARIABLES.into_iter().find_map(|name| Some((name, environment::text(name)?)));
    let Some((name, url)) = first else { return Ok(()) };
    match ureq::Proxy::new(&url).map(|proxy| proxy.protocol()) {
        Ok(ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https) => Ok(()),
        _ => Err(Error::usage(format!("{name} isn't the URL of an HTTP proxy, such as http://proxy:3128"))),
    }
}
