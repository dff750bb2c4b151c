//! Where programs that tests start lie in memory.
#![allow(clippy::disallowed_methods, reason = "cargo speaks to it by the environment")]

use std::env::var;

/// At a fixed address, an unoptimized program needn't be relocated each time it starts, and has a third fewer page faults; tests
/// start it very often. Programs that are handed out keep what makes their addresses random.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // packaging/flags names it to the linker; published crates don't have it.
    let placed_first = "packaging/first.ld";
    if std::path::Path::new(placed_first).exists() {
        println!("cargo::rerun-if-changed={placed_first}");
    }
    let is = |name, value| var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "debug") && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
