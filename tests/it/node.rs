//! The npm package in `integrations/node`, by its own tests: `TypeScript`, Node and Playwright from npm, Debian's
//! Chromium, the program under test.

use std::path::{Path, PathBuf};
use std::process::Command;

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/node")
}

fn node(arguments: &[&str]) {
    let done = Command::new("node")
        .args(arguments)
        .current_dir(package())
        .env("VMFA_BINARY", env!("CARGO_BIN_EXE_vmfa"))
        .env_remove("VMFA_HOME")
        .env_remove("VMFA_UPDATE")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{arguments:?}: {}\n{out}\n{err}", done.status);
}

/// One test, since all of them need what the compiler writes.
#[test]
fn the_package_by_its_own_tests() {
    assert!(package().join("node_modules/typescript").exists(), "its node_modules are missing: tests/run makes them");
    node(&["node_modules/typescript/bin/tsc", "-p", "."]);
    let names = std::fs::read_dir(package().join("tests")).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> =
        names.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".test.mjs")).collect();
    assert!(!names.is_empty());
    let paths: Vec<_> = names.iter().map(|name| format!("tests/{name}")).collect();
    node(&[&["--test"], &*paths.iter().map(String::as_str).collect::<Vec<_>>()].concat());
}
