//! The program under test, in a home of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A secret that is no secret: the key of RFC 6238's examples.
pub const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A directory with an age vault of its own; no keyring, no display, no other variables.
pub struct Home(TempDir);

/// What a run of the program gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let (identity, _) = vmfa::vault::age::generate();
        vmfa::vault::age::write_new_file(&home.identity(), identity.as_bytes()).unwrap();
        home
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn identity(&self) -> PathBuf {
        self.path().join("identity.txt")
    }

    /// A file in the home.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The program with this home's variables and nothing else of this process's environment.
    pub fn command(&self) -> Command {
        self.other(env!("CARGO_BIN_EXE_vmfa"))
    }

    /// Another program with the same variables, which may call this one.
    pub fn other(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("VMFA_HOME", self.path().join("home"))
            .env("VMFA_VAULT", "age")
            .env("VMFA_IDENTITY_FILE", self.identity())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.path());
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Run {
        run(self.command().args(arguments), b"")
    }

    pub fn run_with<S: AsRef<OsStr>>(&self, arguments: &[S], stdin: &[u8]) -> Run {
        run(self.command().args(arguments), stdin)
    }

    /// Adds a device of the well-known secret.
    pub fn add(&self, name: &str) {
        self.add_from(name, &format!("otpauth://totp/Example:{name}?secret={SEED}&issuer=Example"));
    }

    pub fn add_from(&self, name: &str, source: &str) {
        self.run_with(&["add", name, "-"], source.as_bytes()).expect(0);
    }
}

impl Run {
    /// The same, after making sure of the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The error of a run with `--json`.
    pub fn error_code(&self) -> String {
        let error: serde_json::Value =
            serde_json::from_str(self.stderr.lines().last().unwrap_or_default()).unwrap_or_default();
        error["error"]["code"].as_str().unwrap_or("no JSON error").to_owned()
    }
}

pub fn run(command: &mut Command, stdin: &[u8]) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may end without having read all of it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The program by a system clock that is so many seconds ahead, or behind.
#[cfg(target_os = "linux")]
pub fn at_clock(home: &Home, ahead: i64) -> Command {
    let mut command = home.command();
    set_clock(&mut command, ahead);
    command
}

/// The same for any command. The library is loaded by itself, since the program `faketime` starts another one, which a
/// signal doesn't reach.
#[cfg(target_os = "linux")]
pub fn set_clock(command: &mut Command, ahead: i64) {
    let libraries = fs::read_dir("/usr/lib").unwrap().flatten();
    let library = libraries
        .map(|directory| directory.path().join("faketime/libfaketime.so.1"))
        .find(|path| path.exists())
        .expect("libfaketime is missing: install Debian's faketime (tests/run does)");
    command.env("LD_PRELOAD", library).env("FAKETIME", format!("{ahead:+}s")).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

/// A program that the tests need: its absence is a failure that names the package.
pub fn tool(program: &str, package: &str) -> Command {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).exists()));
    assert!(found, "{program} is missing: install Debian's {package} (tests/run does)");
    Command::new(program)
}
