//! The Python package in `integrations/python`, by its own tests: pytest, mypy and ruff from PyPI, the program under test.

use std::path::{Path, PathBuf};
use std::process::Command;

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/python")
}

/// Runs a module of the environment that tests/run makes.
fn python(arguments: &[&str]) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    assert!(python.exists(), "target/python is missing: tests/run makes it");
    let done = Command::new(python)
        .args(arguments)
        .current_dir(package())
        .env("PYTHONPATH", package().join("src"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("VMFA_BINARY", env!("CARGO_BIN_EXE_vmfa"))
        .env_remove("VMFA_HOME")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{arguments:?}: {}\n{out}\n{err}", done.status);
}

fn tests(files: &[&str]) {
    python(&[&["-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"], files].concat());
}

#[test]
fn the_package_is_typed_and_tidy() {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().to_str().unwrap();
    python(&["-m", "mypy", "--strict", "--cache-dir", cache, "src", "tests"]);
    python(&["-m", "ruff", "check", "--no-cache", "."]);
    python(&["-m", "ruff", "format", "--no-cache", "--check", "."]);
    // The simulation has the same rules.
    python(&["-m", "mypy", "--strict", "--cache-dir", cache, "../../benches/farm"]);
    python(&["-m", "ruff", "check", "--no-cache", "--config", "pyproject.toml", "../../benches/farm"]);
    python(&["-m", "ruff", "format", "--no-cache", "--check", "--config", "pyproject.toml", "../../benches/farm"]);
}

#[test]
fn homes_devices_and_codes() {
    tests(&["tests/test_home.py", "tests/test_api.py"]);
}

#[test]
fn the_stand_in_and_what_is_left_of_it() {
    tests(&["tests/test_server.py"]);
}

#[test]
fn a_client_of_a_server_that_hands_out_codes() {
    tests(&["tests/test_share.py"]);
}

#[test]
fn the_pytest_plugin() {
    tests(&["tests/test_plugin.py"]);
}

#[test]
fn the_robot_library_and_the_readme() {
    tests(&["tests/test_robot.py", "tests/test_readme.py"]);
}
