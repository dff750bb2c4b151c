//! The console, page by page, without a socket. What a real browser makes of it, `tests/clients/console` tells.

mod browser;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod chromium;
mod devices;
mod sessions;
mod sign_in;
