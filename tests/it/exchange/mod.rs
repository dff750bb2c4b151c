//! Other programs read what we export, and we import what they write.

mod age;
mod google;
mod keepass;
mod pskc;
mod sheets;

use std::path::{Path, PathBuf};

use crate::support::{Home, installed, run, tool};

const PASSWORD: &str = "correct horse";

/// A script of `tests/clients/`, by the Python that has the other programs' packages.
fn script(home: &Home, name: &str, arguments: &[&str], stdin: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name);
    let mut python = home.other(installed("python3"));
    run(python.arg(path).args(arguments), stdin.as_bytes()).expect(0).stdout
}

/// The texts of a picture's QR codes, by Debian's zbarimg.
fn scanned(picture: &Path) -> Vec<String> {
    let read = tool("zbarimg", "zbar-tools").args(["--raw", "-q"]).arg(picture).output().unwrap();
    String::from_utf8(read.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What a page looks like in Chromium.
fn pictured(home: &Home, page: &Path) -> PathBuf {
    let picture = page.with_extension("shown.png");
    tool("chromium", "chromium");
    let mut browser = home.other("chromium");
    // Root has no sandbox of its own.
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]);
    browser.args(["--force-device-scale-factor=2", "--window-size=1000,2400"]).env("HOME", home.path());
    run(browser.arg(format!("--screenshot={}", picture.display())).arg(page), b"").expect(0);
    assert!(picture.exists(), "Chromium made no picture of {}", page.display());
    picture
}

/// The code of a secret, by Debian's oathtool.
fn oathtool(arguments: &[&str]) -> String {
    run(tool("oathtool", "oathtool").args(arguments), b"").expect(0).stdout.trim().to_owned()
}
