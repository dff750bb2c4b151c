//! AWS's settings and credentials.

mod credentials;
mod process;
mod profiles;
mod scenario;
mod settings;
