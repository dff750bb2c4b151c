//! Which system calls a command changes files by, and its end at each of them, by Debian's strace.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::{Home, tool};

/// What changes files, or has a change reach the disk. Of opening, only what creates or empties a file counts.
const CALLS: &str = "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,ftruncate,truncate,\
                     fallocate,fsync,fdatasync,syncfs,sync_file_range,rename,renameat,renameat2,link,linkat,symlink,symlinkat,\
                     unlink,unlinkat,rmdir,mkdir,mkdirat,chmod,fchmod,fchmodat";

/// As many calls are tried of each command, unless all are.
const SPREAD: usize = 12;

/// A call: its name, and how often the thread made it before, counted from 1.
type Call = (String, usize);

/// A home and a command that is killed in it.
struct Stage<'a> {
    home: &'a Home,
    /// What was in the home's directory before.
    before: TempDir,
    arguments: &'a [&'a str],
}

/// Kills a command at each of its calls in turn, in a home as it is now, and has each outcome checked. Then the command
/// runs to its end, which is checked too.
pub fn killed_at_every_call(home: &Home, arguments: &[&str], check: impl Fn(&str)) {
    let before = tempfile::tempdir().unwrap();
    copy(home.path(), before.path());
    let stage = Stage { home, before, arguments };
    let calls = stage.calls();
    check("it wasn't killed");
    let all = std::env::var_os("VMFA_EVERY_CALL").is_some();
    let tried: Vec<&Call> = if all {
        calls.iter().collect()
    } else {
        let last = calls.len() - 1;
        (0..SPREAD).map(|number| &calls[number * last / (SPREAD - 1)]).collect()
    };
    let mut killed = 0;
    for (name, number) in &tried {
        stage.reset();
        if stage.killed_at(name, *number) {
            killed += 1;
        }
        check(&format!("{} killed at {name} {number}", arguments[0]));
    }
    println!("{}: killed at {killed} of {} calls, of {} in all", arguments.join(" "), tried.len(), calls.len());
    // Threads don't make the same calls in the same order each time.
    assert!(killed * 10 >= tried.len() * 9, "only {killed} of {} runs were killed", tried.len());
}

/// Kills a command when it makes a call for the first time, and leaves the home as it was then.
pub fn killed_at_first(home: &Home, arguments: &[&str], call: &str) {
    let stage = Stage { home, before: tempfile::tempdir().unwrap(), arguments };
    assert!(stage.killed_at(call, 1), "{arguments:?} never calls {call}");
}

impl Stage<'_> {
    /// The program under strace, which does as it is told with the calls that it stops at.
    fn strace(&self, orders: &[&str]) -> Command {
        tool("strace", "strace");
        let mut command = self.home.other("strace");
        command.args(["-f", "-qq", "-e", "signal=none"]).args(orders);
        command.arg(env!("CARGO_BIN_EXE_vmfa")).args(self.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The calls of an undisturbed run that change files, in order.
    fn calls(&self) -> Vec<Call> {
        let directory = tempfile::tempdir().unwrap();
        let trace = directory.path().join("trace");
        let done =
            self.strace(&["-y", "-e", &format!("trace={CALLS}"), "-o", trace.to_str().unwrap()]).status().unwrap();
        assert!(done.success(), "{:?}: {done}", self.arguments);
        let here = fs::canonicalize(self.home.path()).unwrap();
        let mut made: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut calls: Vec<Call> = Vec::new();
        for line in fs::read_to_string(trace).unwrap().lines() {
            let (thread, call) = line.split_once(' ').unwrap();
            // What goes on with a call that another thread interrupted begins with `<...`.
            let Some((name, rest)) = call.trim_start().split_once('(').filter(|(name, _)| !name.starts_with('<'))
            else {
                continue;
            };
            let number = made.entry((thread.to_owned(), name.to_owned())).or_default();
            *number += 1;
            let found = (name.to_owned(), *number);
            let creates = !name.starts_with("open") || rest.contains("O_CREAT") || rest.contains("O_TRUNC");
            if creates && rest.contains(here.to_str().unwrap()) && !calls.contains(&found) {
                calls.push(found);
            }
        }
        assert!(calls.len() >= SPREAD, "{:?} changes files by {} calls alone: {calls:?}", self.arguments, calls.len());
        calls
    }

    /// Whether the command was killed: it may have ended before.
    fn killed_at(&self, name: &str, number: usize) -> bool {
        let (trace, inject) = (format!("trace={name}"), format!("inject={name}:signal=KILL:when={number}"));
        let status = self.strace(&["-e", &trace, "-e", &inject, "-o", "/dev/null"]).status().unwrap();
        assert!(status.success() || status.signal() == Some(9), "{:?}: {status}", self.arguments);
        !status.success()
    }

    /// The home as it was before: in the same place, which a vault's key is known by.
    fn reset(&self) {
        for entry in fs::read_dir(self.home.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        copy(self.before.path(), self.home.path());
    }
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(done.success());
}
