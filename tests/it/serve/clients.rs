//! The tutorial of the IAM User Guide, run by the clients that people have: boto3, the AWS CLI, the AWS SDK for JavaScript,
//! with moto for the services behind.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Home, installed};

/// A program that ends with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// moto on a free port.
pub fn moto() -> (Running, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(installed("moto_server"))
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let patience = Instant::now() + Duration::from_secs(60);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < patience, "moto doesn't listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    (running, format!("http://127.0.0.1:{port}"))
}

/// A stand-in with moto behind it, as its line of JSON tells it; both end with what is returned.
fn stand_in(more: &[&str]) -> (Value, String, [Running; 2]) {
    let (moto, behind) = moto();
    let mut child = Command::new(env!("CARGO_BIN_EXE_vmfa"))
        .args(["serve", "--json", "--upstream", &behind])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let running = [Running(child), moto];
    (serde_json::from_str(&line).unwrap(), behind, running)
}

/// What clients take from their environment to reach it.
fn signing_in<'a>(command: &'a mut Command, ready: &Value) -> &'a mut Command {
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    command
        .env("AWS_ENDPOINT_URL", text("endpoint"))
        .env("AWS_ACCESS_KEY_ID", text("access_key_id"))
        .env("AWS_SECRET_ACCESS_KEY", text("secret_access_key"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

/// The tutorial by one client.
fn tutorial(program: &Path, script: &str) {
    let (ready, _, _running) = stand_in(&["--time", "virtual"]);
    let home = Home::new();
    let scratch = home.path().join("scratch");
    fs::create_dir_all(&scratch).unwrap();
    let path = format!("{}:{}", root().join("target/clients/bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut command = home.other(program);
    command
        .arg(root().join("tests/clients").join(script))
        .env("PATH", path)
        .env("HOME", &scratch)
        .env("SCRATCH", &scratch)
        .env("VMFA_BIN", env!("CARGO_BIN_EXE_vmfa"))
        .env("FORCE_MFA", root().join("vectors/iam/own-mfa-device.json"));
    let done = signing_in(&mut command, &ready).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.contains("the tutorial ends well"),
        "{script}: {}\n{said}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn the_tutorial_with_boto3() {
    tutorial(&installed("python3"), "tutorial.py");
}

#[test]
fn the_tutorial_with_the_aws_cli() {
    installed("aws");
    tutorial(Path::new("bash"), "tutorial.sh");
}

#[test]
fn the_tutorial_with_the_aws_sdk_for_javascript() {
    assert!(root().join("tests/clients/node_modules/@aws-sdk").exists(), "the SDK is missing: tests/run installs it");
    tutorial(Path::new("node"), "tutorial.mjs");
}

/// Terraform is not among these clients: neither PyPI nor npm has it with its provider for AWS.
#[test]
fn a_playbook_with_ansible() {
    installed("ansible-playbook");
    assert!(root().join("target/ansible/ansible_collections/amazon").exists(), "tests/run installs the modules");
    tutorial(Path::new("bash"), "ansible.sh");
}

/// A script of ours against a stand-in with moto behind it; what it says.
fn through(script: &str, arguments: &[&str]) -> String {
    let (ready, behind, _running) = stand_in(&[]);
    let home = Home::new();
    let mut command = home.other(installed("python3"));
    command.arg(root().join("tests/clients").join(script)).args(arguments);
    command.env("HOME", home.path()).env("BEHIND", &behind);
    let done = signing_in(&mut command, &ready).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{script}: {}\n{said}\n{}", done.status, String::from_utf8_lossy(&done.stderr));
    said
}

#[test]
fn whatever_may_be_done_behind_the_stand_in_is_done() {
    let said = through("upstream_honest.py", &[]);
    let mut numbers = said.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
    let (calls, services) = (numbers.next().unwrap(), numbers.next().unwrap());
    assert!(calls >= 300 && services >= 30, "{said}");
}

/// 20,000 requests take about a minute: `VMFA_RANDOM_REQUESTS=20000`.
#[test]
fn nobody_talks_their_way_around_the_stand_in() {
    let count = std::env::var("VMFA_RANDOM_REQUESTS").unwrap_or_else(|_| "3000".to_owned());
    let seed = std::env::var("VMFA_RANDOM_SEED").unwrap_or_else(|_| "1".to_owned());
    let said = through("upstream_fuzz.py", &[&count, &seed]);
    assert!(said.contains(", 0 that should not"), "{said}");
}
