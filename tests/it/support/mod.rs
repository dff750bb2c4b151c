//! What tests of several subjects need.

pub mod again;
pub mod desktop;

use std::process::{Child, Command};

/// Starts a program; one that isn't installed is an error that says what to install.
pub fn start(command: &mut Command, debian_package: &str) -> Child {
    command.spawn().unwrap_or_else(|error| {
        panic!("{}: {error} (Debian package `{debian_package}`)", command.get_program().display())
    })
}

/// Runs a program to its end and gives its standard output.
pub fn output(command: &mut Command, debian_package: &str) -> String {
    command.stdout(std::process::Stdio::piped());
    let output = start(command, debian_package).wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
