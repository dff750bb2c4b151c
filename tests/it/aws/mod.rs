//! AWS's settings and credentials.

#[cfg(feature = "cli")]
mod botocore;
mod credentials;
mod process;
mod profiles;
mod scenario;
mod settings;
