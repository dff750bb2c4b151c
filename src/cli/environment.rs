//! The one place that reads arguments and environment variables, and looks whether somebody is there.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// The arguments, the program's name first.
pub(super) fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// A variable that is set and not empty.
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The names of the variables with this prefix.
pub(super) fn names_from(prefix: &str) -> Vec<OsString> {
    let begins = |name: &OsString| name.to_string_lossy().starts_with(prefix);
    std::env::vars_os().map(|(name, _)| name).filter(begins).collect()
}

/// This program's own variables.
pub(super) fn own() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VMFA_"))
}

/// The same as text; bytes that are not Unicode are replaced.
pub(super) fn text(name: &str) -> Option<String> {
    variable(name).map(|value| value.to_string_lossy().into_owned())
}

/// The same as a path.
pub(super) fn path(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from)
}

/// The directory in which `.aws` is, as the AWS CLI finds it.
pub(super) fn home_of_aws() -> Option<PathBuf> {
    path("HOME").or_else(|| path("USERPROFILE"))
}

/// Whether somebody is there to be asked.
pub(super) fn somebody_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// The path to start this program again, on Linux even if its file was replaced meanwhile.
pub(super) fn this_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { std::env::current_exe() }
}
