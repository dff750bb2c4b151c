//! The console, page by page, without a socket. What a real browser makes of it, `tests/clients/console` tells.

mod browser;
mod devices;
mod sessions;
mod sign_in;
