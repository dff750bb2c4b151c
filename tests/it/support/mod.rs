//! What several subjects need.

#[cfg(all(feature = "cli", target_os = "linux"))]
pub mod again;
#[cfg(all(feature = "cli", target_os = "linux"))]
pub mod asking;
#[cfg(all(feature = "cli", target_os = "linux"))]
pub mod desktop;
#[cfg(all(feature = "dynamodb", feature = "cli", target_os = "linux"))]
pub mod dynamodb;
#[cfg(all(feature = "cli", target_os = "linux"))]
pub mod keyrings;
#[cfg(all(feature = "postgres", target_os = "linux"))]
pub mod postgres;
#[cfg(feature = "cli")]
mod program;
#[cfg(all(feature = "dynamodb", feature = "cli", target_os = "linux"))]
pub mod recorder;
#[cfg(all(feature = "cli", target_os = "linux"))]
pub mod terminal;
#[cfg(feature = "cli")]
pub mod web;

use std::path::{Path, PathBuf};
#[cfg(feature = "cli")]
use std::process::{Child, Command};

#[cfg(feature = "cli")]
pub use program::{Home, Run, SEED, run, tool};
#[cfg(all(feature = "cli", target_os = "linux"))]
pub use program::{at_clock, set_clock};

/// A file below `vectors/`.
pub fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

/// A program from where tests/run installs the clients of AWS; its absence is a failure.
#[cfg(feature = "cli")]
pub fn installed(program: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients/bin").join(program);
    assert!(path.exists(), "{program} is missing: tests/run installs it");
    path
}

/// Starts a program; one that isn't installed is an error that says what to install.
#[cfg(feature = "cli")]
pub fn start(command: &mut Command, debian_package: &str) -> Child {
    command.spawn().unwrap_or_else(|error| {
        panic!("{}: {error} (Debian package `{debian_package}`)", command.get_program().display())
    })
}

/// Runs a program to its end and gives its standard output.
#[cfg(feature = "cli")]
pub fn output(command: &mut Command, debian_package: &str) -> String {
    command.stdout(std::process::Stdio::piped());
    let output = start(command, debian_package).wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The names of a JSON object, in order.
#[cfg(feature = "cli")]
pub fn keys(value: &serde_json::Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A URI a line, for each account.
#[cfg(feature = "cli")]
pub fn uris(accounts: &[&str]) -> String {
    accounts.iter().map(|account| format!("otpauth://totp/{account}?secret={SEED}\n")).collect()
}
