//! The program, killed at every request: before it, between it and its answer, and as soon as the answer is there.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use vmfa::wire::sigv4::Credentials;

use super::proxy::{Act, Fate, Proxy};
use crate::serve::socket::Server;
use crate::serve::support::{ACCOUNT, ALLOW_ALL};
use crate::support::{Home, Run};

const OWN_DEVICE: &str = include_str!("../../../vectors/iam/own-mfa-device.json");

/// When the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    Between,
    After,
}

/// A stand-in with a user, and a home.
pub struct Stage {
    pub server: Server,
    pub home: Home,
    pub keys: Credentials,
}

impl Stage {
    pub fn new(policy: &str) -> Self {
        let server = Server::start(&["--time", "virtual"]);
        let administrator = server.administrator();
        let call = |action: &str, parameters: &[(&str, &str)]| {
            let reply = server.call(&administrator, action, parameters);
            assert_eq!(reply.status, 200, "{reply:?}");
            reply
        };
        call("CreateUser", &[("UserName", "mfauser")]);
        call("PutUserPolicy", &[("UserName", "mfauser"), ("PolicyName", "p"), ("PolicyDocument", policy)]);
        let key = call("CreateAccessKey", &[("UserName", "mfauser")]);
        let keys = Credentials::new(&key.text("AccessKeyId"), &key.text("SecretAccessKey"), None);
        Self { server, home: Home::new(), keys }
    }

    pub fn command(&self, endpoint: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = self.home.command();
        command
            .args(["aws"])
            .args(arguments)
            .env("HOME", self.home.path())
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", self.keys.secret_access_key.as_str());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        crate::support::run(&mut self.command(self.server.endpoint(), arguments), b"")
    }

    fn run_by(&self, proxy: &Proxy, arguments: &[&str]) -> Run {
        crate::support::run(&mut self.command(&proxy.url(), arguments), b"")
    }

    /// What IAM has, by an administrator's eyes: serial numbers with their users.
    pub fn there(&self) -> Vec<(String, Option<String>)> {
        let reply = self.server.call(&self.server.administrator(), "ListVirtualMFADevices", &[("MaxItems", "1000")]);
        let members = reply.body.split("<member>").skip(1).map(|member| member.split("</member>").next().unwrap());
        let text = |member: &str, name: &str| {
            let rest = member.split_once(&format!("<{name}>"))?.1;
            Some(rest.split_once("</")?.0.to_owned())
        };
        members.map(|member| (text(member, "SerialNumber").unwrap(), text(member, "UserName"))).collect()
    }

    /// The devices that are here.
    pub fn here(&self) -> Vec<String> {
        let list = self.home.run(&["list", "--json"]).expect(0).json();
        let devices = list["devices"].as_array().unwrap();
        devices.iter().map(|device| device["name"].as_str().unwrap().to_owned()).collect()
    }
}

pub fn serial() -> String {
    format!("arn:aws:iam::{ACCOUNT}:mfa/mfauser")
}

/// Runs a command that is killed at a request; false where it ended before. What comes later goes through the same proxy:
/// a session is for one endpoint.
fn killed_at(stage: &Stage, number: usize, when: When, arguments: &[&str]) -> (bool, Proxy) {
    let victim: Arc<OnceLock<Pid>> = Arc::default();
    let over = Arc::new(AtomicBool::new(false));
    let (target, ended) = (Arc::clone(&victim), Arc::clone(&over));
    let proxy = Proxy::start(stage.server.address, move |count, _| {
        if count != number || ended.load(Ordering::SeqCst) {
            return Act::Fate(Fate::Good);
        }
        let target = Arc::clone(&target);
        // With its last answer it may have ended by itself.
        let work = Box::new(move || {
            let _ = kill_process(*target.wait(), Signal::KILL);
        });
        match when {
            When::Before => Act::Before(work),
            When::Between => Act::Between(work),
            When::After => Act::After(work),
        }
    });
    let mut command = stage.command(&proxy.url(), arguments);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    victim.set(Pid::from_child(&child)).unwrap();
    let status = child.wait().unwrap();
    over.store(true, Ordering::SeqCst);
    let killed = status.signal() == Some(9);
    assert!(killed || status.success(), "{number} {when:?}: {status}");
    (killed, proxy)
}

#[test]
fn enable_killed_at_any_request_is_finished_by_the_next_run() {
    for when in [When::Before, When::Between, When::After] {
        for number in 0.. {
            let stage = Stage::new(ALLOW_ALL);
            let (killed, proxy) = killed_at(&stage, number, when, &["enable", "--jump"]);
            let again = stage.run_by(&proxy, &["enable", "--jump", "--json"]).expect(0).json();
            assert_eq!(again["serial_number"], Value::from(serial()), "{when:?} {number}");
            assert_eq!(stage.there(), [(serial(), Some("mfauser".to_owned()))], "{when:?} {number}");
            assert_eq!(stage.here(), ["mfauser"], "{when:?} {number}");
            let session = stage.run(&["session", "mfauser", "--fresh", "--jump", "--json"]).expect(0).json();
            assert_eq!(session["cached"], Value::from(false));
            if !killed {
                assert!(number >= 5, "it ended after {number} requests");
                break;
            }
        }
    }
}

#[test]
fn enable_killed_before_the_secret_is_here_leaves_what_only_an_administrator_deletes() {
    // Under the policy for self-managed MFA: identity, the two lists, and then the device is made.
    let stage = Stage::new(OWN_DEVICE);
    let (killed, proxy) = killed_at(&stage, 3, When::Between, &["enable", "--jump"]);
    assert!(killed && stage.here().is_empty() && stage.there() == [(serial(), None)]);
    let orphan = stage.run_by(&proxy, &["enable", "--jump", "--json"]).expect(1);
    assert_eq!(orphan.error_code(), "aws-orphan");
    let command = format!("aws iam delete-virtual-mfa-device --serial-number {}", serial());
    assert!(orphan.stderr.contains(&command), "{orphan:#?}");
    let number = serial();
    let administrator = stage.server.administrator();
    let deleted = stage.server.call(&administrator, "DeleteVirtualMFADevice", &[("SerialNumber", &number)]);
    assert_eq!(deleted.status, 200);
    stage.run_by(&proxy, &["enable", "--jump"]).expect(0);
    assert_eq!(stage.there(), [(serial(), Some("mfauser".to_owned()))]);
}

#[test]
fn disable_by_an_administrator_killed_at_any_request_is_finished_by_the_next_run() {
    for when in [When::Before, When::Between, When::After] {
        for number in 0.. {
            let mut stage = Stage::new(OWN_DEVICE);
            stage.run(&["enable", "--no-wait"]).expect(0);
            stage.keys = stage.server.administrator();
            let disable = ["disable", "mfauser", "--user", "mfauser", "--remove", "--yes", "--jump"];
            let (killed, proxy) = killed_at(&stage, number, when, &disable);
            let secret_is_here = stage.here() == ["mfauser"];
            assert!(secret_is_here || stage.there().is_empty(), "{when:?} {number}: gone here before it is gone there");
            if secret_is_here {
                stage.run_by(&proxy, &disable).expect(0);
            }
            assert!(stage.there().is_empty() && stage.here().is_empty(), "{when:?} {number}");
            if !killed {
                assert!(number >= 4, "it ended after {number} requests");
                break;
            }
        }
    }
}

#[test]
fn disable_killed_at_any_request_is_finished_by_the_next_run() {
    for when in [When::Before, When::Between, When::After] {
        for number in 0.. {
            let stage = Stage::new(OWN_DEVICE);
            stage.run(&["enable", "--no-wait"]).expect(0);
            stage.server.wait(60);
            let (killed, proxy) =
                killed_at(&stage, number, when, &["disable", "mfauser", "--remove", "--yes", "--jump"]);
            let secret_is_here = stage.here() == ["mfauser"];
            assert!(secret_is_here || stage.there().is_empty(), "{when:?} {number}: gone here before it is gone there");
            if secret_is_here {
                stage.home.run(&["uri", "mfauser", "--reveal"]).expect(0);
                stage.run_by(&proxy, &["disable", "mfauser", "--remove", "--yes", "--jump"]).expect(0);
            }
            assert!(stage.there().is_empty() && stage.here().is_empty(), "{when:?} {number}");
            if !killed {
                assert!(number >= 5, "it ended after {number} requests");
                break;
            }
        }
    }
}
