//! `vmfa unlock` and `vmfa lock`: the passphrase is asked for once, and nobody else gets what it opens.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::support::{Home, Run, run};

const PASSPHRASE: &[u8] = b"correct horse";

/// A home whose identity needs a passphrase.
pub struct Protected(Home);

impl Protected {
    pub fn new() -> Self {
        let home = Home::new();
        let identity = Zeroizing::new(fs::read_to_string(home.identity()).unwrap());
        let passphrase = Zeroizing::new(String::from_utf8(PASSPHRASE.to_vec()).unwrap());
        let protected = vmfa::vault::age::encrypt_identity(&identity, &passphrase, Some(10)).unwrap();
        vmfa::vault::age::write_new_file(&home.path().join("id.age"), &protected).unwrap();
        home.add("x");
        Self(home)
    }

    fn command(&self) -> Command {
        let mut command = self.0.command();
        command.env("VMFA_IDENTITY_FILE", self.0.path().join("id.age"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        run(self.command().args(arguments), b"")
    }

    pub fn unlock(&self, arguments: &[&str]) -> Run {
        run(self.command().args(["unlock", "--passphrase-fd", "0", "--json"]).args(arguments), PASSPHRASE)
    }

    fn socket(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.0.path().join("home/locks/agent")).ok()?;
        entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "sock"))
    }

    fn is_locked(&self) -> bool {
        let run = self.run(&["code", "x", "--at", "59", "--json"]);
        assert!(run.code == 0 || run.error_code() == "age-identity", "{run:#?}");
        run.code != 0
    }

    fn agent(&self) -> u32 {
        let home = self.0.path().as_os_str().as_encoded_bytes();
        let is_ours = |process: &Path| {
            fs::read(process.join("cmdline")).is_ok_and(|line| {
                line.windows(home.len()).any(|window| window == home) && line.windows(8).any(|w| w == b"hold-the")
            })
        };
        let mut processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let found = processes.find(|process| is_ours(process)).unwrap();
        found.file_name().unwrap().to_str().unwrap().parse().unwrap()
    }

    /// Waits for what takes the agent a look.
    fn expect_end(&self) {
        for _ in 0..100 {
            if self.socket().is_none() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the agent still has its socket");
    }
}

impl Drop for Protected {
    fn drop(&mut self) {
        self.run(&["lock"]);
    }
}

#[test]
fn commands_ask_for_no_passphrase_until_it_is_locked() {
    let home = Protected::new();
    assert!(home.is_locked());
    let unlocked = home.unlock(&[]).expect(0).json();
    assert!(unlocked["identity"].as_str().unwrap().ends_with("id.age") && unlocked["until"].is_string(), "{unlocked}");
    for arguments in [&["code", "x", "--at", "59"][..], &["code", "x", "--fresh"], &["list", "--codes"], &["doctor"]] {
        home.run(arguments).expect(0);
    }
    // Once more is for longer, and needs no passphrase.
    home.run(&["unlock", "--for", "1h"]).expect(0);
    assert!(!home.is_locked());
    assert_eq!(home.run(&["lock", "--json"]).expect(0).json()["was_unlocked"], true);
    assert!(home.is_locked());
    assert_eq!(home.run(&["lock", "--json"]).expect(0).json()["was_unlocked"], false);
    let wrong = run(home.command().args(["unlock", "--passphrase-fd", "0", "--json"]), b"wrong");
    assert_eq!(wrong.expect(3).error_code(), "age-identity");
    assert!(home.is_locked());
}

#[test]
fn it_ends_by_its_time_and_with_its_directory() {
    let home = Protected::new();
    home.unlock(&["--for", "1s"]).expect(0);
    home.expect_end();
    assert!(home.is_locked());
    home.unlock(&[]).expect(0);
    // As at logout.
    fs::remove_dir_all(home.0.path().join("home/locks/agent")).unwrap();
    let agent = PathBuf::from(format!("/proc/{}", home.agent()));
    for _ in 0..100 {
        if !agent.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    // A child of nobody's may stay as a zombie where nobody waits.
    let state = fs::read_to_string(agent.join("status")).unwrap_or_default();
    assert!(state.is_empty() || state.contains("State:\tZ"), "{state}");
    assert!(home.is_locked());
    // What a killed one leaves is in nobody's way.
    home.unlock(&[]).expect(0);
    run(Command::new("kill").args(["-9", &home.agent().to_string()]), b"").expect(0);
    assert!(home.is_locked());
    home.unlock(&[]).expect(0);
    assert!(!home.is_locked());
}

#[test]
fn nobody_else_gets_it_from_the_socket_the_memory_or_the_disk() {
    let home = Protected::new();
    let unlocked = home.unlock(&[]).expect(0).json();
    let socket = home.socket().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    let agent = home.agent();
    let status = fs::read_to_string(format!("/proc/{agent}/status")).unwrap();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap().trim();
    let locked: u64 = locked.trim_end_matches(" kB").parse().unwrap();
    assert_eq!(locked >= 512, unlocked["never_swapped"] == true, "{status}");
    // What can't be dumped belongs to root.
    assert_eq!(fs::metadata(format!("/proc/{agent}/mem")).unwrap().uid(), 0);
    let identity = fs::read_to_string(home.0.identity()).unwrap();
    for file in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{agent}/{file}")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains(identity.trim()), "{file}");
    }
    // Another user's connection is closed without an answer.
    if rustix::process::getuid().is_root() {
        fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
        // A client refuses a directory that others can use.
        assert!(home.is_locked());
        let ask = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); \
                   s.sendall(b'vmfa agent 1 get\\n'); sys.stdout.write(repr(s.recv(100)))";
        for above in socket.ancestors().skip(1).take_while(|above| above.starts_with(home.0.path())) {
            fs::set_permissions(above, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut other = Command::new("setpriv");
        other.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "python3", "-c", ask]).arg(&socket);
        let said = run(&mut other, b"");
        // Closed before or after the question: it is a race, and no answer comes of it.
        let closed = ["Connection reset", "Broken pipe"].iter().any(|words| said.stderr.contains(words));
        assert!(said.stdout == "b''" || (closed && said.stdout.is_empty()), "{said:#?}");
        fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    }
    // A client that says nothing, or nonsense, keeps nobody waiting for long.
    let silent = UnixStream::connect(&socket).unwrap();
    let mut nonsense = UnixStream::connect(&socket).unwrap();
    nonsense.write_all(&[b'x'; 100_000]).ok();
    let mut answer = Vec::new();
    nonsense.read_to_end(&mut answer).ok();
    assert!(answer.is_empty());
    assert!(!home.is_locked());
    drop(silent);
}

#[test]
fn what_needs_no_passphrase_is_not_unlocked() {
    let home = Home::new();
    for command in ["unlock", "lock"] {
        assert_eq!(home.run(&[command, "--json"]).expect(1).error_code(), "not-protected");
    }
    for time in ["0s", "8d", "soon"] {
        assert_eq!(home.run(&["unlock", "--for", time]).code, 2, "{time}");
    }
    // Another identity under the same path is another's agent.
    let home = Protected::new();
    home.unlock(&[]).expect(0);
    let (other, _) = vmfa::vault::age::generate();
    let passphrase = Zeroizing::new("another".to_owned());
    let protected = vmfa::vault::age::encrypt_identity(&other, &passphrase, Some(10)).unwrap();
    fs::write(home.0.path().join("id.age"), protected).unwrap();
    assert!(home.is_locked());
}
