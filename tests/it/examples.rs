//! The programs in `examples/`, run as they are: cargo builds them with the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::vector;

const ALL: &[&str] = &["code", "device", "provision", "testing", "verify"];

/// What an example prints.
fn printed(name: &str, arguments: &[&Path]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_vmfa")).with_file_name("examples").join(name);
    let done = Command::new(&program).args(arguments).output();
    let done = done.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn every_example_is_run_here_and_is_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let names: Vec<&str> = files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ALL);
    for file in &files {
        let lines = fs::read_to_string(file).unwrap().lines().count();
        assert!(lines <= 45, "{} has {lines} lines", file.display());
    }
}

#[test]
fn a_code_from_a_secret_is_that_of_rfc_6238() {
    assert_eq!(printed("code", &[Path::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), Path::new("59")]), "287082\n");
}

#[test]
fn a_picture_tells_what_it_holds_and_no_secret() {
    let printed = printed("provision", &[&vector("qr/aws-mfauser.png")]);
    assert_eq!(printed, "Amazon Web Services: mfauser@123456789012, 6 digits, 320 bits\n");
}

#[test]
fn a_device_gives_another_code_in_each_run() {
    let home = tempfile::tempdir().unwrap();
    let runs = [(); 2].map(|()| printed("device", &[home.path()]));
    let [first, second] = runs.each_ref().map(|run| run.split_once(' ').unwrap());
    assert_ne!(first.0, second.0);
    assert_eq!(first.1, "from 2027-01-15T08:00:00Z on\n");
    assert_eq!(second.1, "from 2027-01-15T08:00:30Z on\n");
}

#[test]
fn a_server_accepts_a_code_once() {
    let printed = printed("verify", &[]);
    let [first, second, third] = <[&str; 3]>::try_from(printed.lines().collect::<Vec<_>>()).unwrap();
    assert_eq!(first, "287 082: accepted, step 1");
    assert!(second.starts_with("287082: ") && second.contains("used"), "{second}");
    assert!(third.starts_with("123456: ") && third.contains("wrong"), "{third}");
}

#[test]
fn a_test_of_mfa_needs_no_aws_and_no_waiting() {
    let expected = "signed in: arn:aws:iam::123456789012:user/alice\ntwo codes, both new: true\n12 hours later: true\n\
                    GetSessionToken Accepted\nGetCallerIdentity Accepted\n";
    assert_eq!(printed("testing", &[]), expected);
}
