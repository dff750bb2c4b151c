//! Secrets stay in the process.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Command, Stdio};

use crate::support::{Home, SEED, tool};

/// A run of the program that waits for its stdin, as an ordinary user even where the tests are root's.
fn waiting(home: &Home) -> Child {
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = home.path().join("vmfa");
    fs::copy(env!("CARGO_BIN_EXE_vmfa"), &program).unwrap();
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = if root {
        let mut command = tool("setpriv", "util-linux");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        command
    } else {
        Command::new(&program)
    };
    command.env_clear().args(["code", "--from", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(SEED.as_bytes()).unwrap();
    child
}

/// Until it sleeps in its read: hardening comes first in main.
fn until_it_reads(pid: u32) {
    for _ in 0..2_000 {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        if name.trim() == "vmfa" && state.rsplit(") ").next().unwrap().starts_with('S') {
            return;
        }
        std::thread::yield_now();
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("the program never came to its read");
}

#[test]
fn neither_core_files_nor_the_memory_of_a_run_are_for_others() {
    let home = Home::new();
    let mut child = waiting(&home);
    let pid = child.id();
    until_it_reads(pid);
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    // What is not dumpable belongs to root: the same user can't open it.
    for file in ["mem", "environ", "maps"] {
        assert_eq!(fs::metadata(format!("/proc/{pid}/{file}")).unwrap().uid(), 0, "{file}");
    }
    drop(child.stdin.take());
    let mut code = String::new();
    child.stdout.take().unwrap().read_to_string(&mut code).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(code.trim().len(), 6);
}

#[test]
fn no_error_of_a_damaged_vault_tells_a_secret() {
    let home = Home::new();
    home.add("x");
    home.add("y");
    let items: Vec<_> = fs::read_dir(home.path().join("home/items"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "age"))
        .filter(|path| !path.to_str().unwrap().contains("vault-key"))
        .collect();
    // Swapped files, then damaged ones.
    let (first, second) = (fs::read(&items[0]).unwrap(), fs::read(&items[1]).unwrap());
    fs::write(&items[0], &second).unwrap();
    fs::write(&items[1], &first).unwrap();
    for name in ["x", "y"] {
        let run = home.run(&["code", name, "--json"]).expect(3);
        assert_eq!((run.error_code().as_str(), run.stdout.as_str()), ("age-file", ""));
        assert!(!run.stderr.contains("GEZD"));
    }
    fs::write(&items[0], &first[..first.len() / 2]).unwrap();
    fs::write(&items[1], b"").unwrap();
    for name in ["x", "y"] {
        let run = home.run(&["code", name, "--json"]).expect(3);
        assert_eq!((run.error_code().as_str(), run.stdout.as_str()), ("age-file", ""));
    }
}
