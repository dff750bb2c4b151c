//! The pages in a real browser.

use std::path::Path;

use crate::support::Home;

#[test]
fn the_browsers_half_of_the_tutorial_in_chromium() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/console");
    assert!(folder.join("../node_modules/puppeteer-core").exists(), "puppeteer-core is missing: tests/run installs it");
    let home = Home::new();
    let done = home
        .other("node")
        .arg(folder.join("run.mjs"))
        .env("VMFA_BIN", env!("CARGO_BIN_EXE_vmfa"))
        .env("HOME", home.path())
        .env("NODE_NO_WARNINGS", "1")
        .output()
        .unwrap_or_else(|error| panic!("node: {error} (Debian package `nodejs`)"));
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.lines().any(|line| line.starts_with("1..")),
        "{}\n{said}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
}
