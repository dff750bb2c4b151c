//! `vmfa qr`: what it draws, and when it draws nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Home, tool, vector};

const AWS_IMAGE: &str = "qr/aws-mfauser.png";

/// What `vmfa qr` says to a terminal of a size, of util-linux's `script`.
fn on_terminal(home: &Home, columns: u16, rows: u16) -> String {
    let program = env!("CARGO_BIN_EXE_vmfa");
    let shell = format!("stty cols {columns} rows {rows}; exec {program} qr x");
    let output = home.other("script").args(["-qec", &shell, "/dev/null"]).env("TERM", "xterm").output().unwrap();
    String::from_utf8(output.stdout).unwrap().replace('\r', "")
}

#[test]
fn a_terminal_that_is_too_small_gets_no_broken_code_but_the_way_out() {
    let home = Home::new();
    home.run(&["add", "x", vector(AWS_IMAGE).to_str().unwrap(), "--no-code"]).expect(0);
    for (columns, rows) in [(40, 60), (200, 20), (10, 5)] {
        let told = on_terminal(&home, columns, rows);
        // Lines are broken between words.
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("--png FILE") && told.contains("columns"), "{columns}×{rows}: {told}");
        assert!(!told.contains('█'), "{columns}×{rows}: {told}");
    }
    // The lines of a code: with the full margin where that fits, else with a narrower one.
    let side = |columns, rows| {
        let told = on_terminal(&home, columns, rows);
        let lines: Vec<&str> = told.lines().filter(|line| line.contains('\x1b')).collect();
        let blank = lines[0].chars().all(|c| " \x1b[0123456789;m".contains(c));
        (lines.len(), blank)
    };
    assert_eq!(side(120, 60), (25, true), "the full URI, two modules around");
    assert_eq!(side(80, 24), (23, true), "the short form, two modules around");
    assert_eq!(side(80, 23), (22, false), "the short form, one module around");
}

#[test]
fn zbarimg_reads_what_qr_writes() {
    let home = Home::new();
    home.run(&["add".into(), "mfauser".into(), vector(AWS_IMAGE).into_os_string()]).expect(0);
    let uri = home.run(&["uri", "mfauser", "--reveal"]).expect(0).stdout;
    for scale in ["3", "6", "12"] {
        let file = home.path().join(format!("{scale}.png"));
        let path = file.to_str().unwrap();
        home.run(&["qr", "mfauser", "--png", path, "--scale", scale]).expect(0);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let read = tool("zbarimg", "zbar-tools").args(["--raw", "-q", path]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&read.stdout), uri);
        // Nothing is written over.
        assert!(home.run(&["qr", "mfauser", "--png", path]).expect(3).stderr.contains("exists"));
    }
    let svg = home.path().join("x.svg");
    home.run(&["qr", "mfauser", "--svg", svg.to_str().unwrap()]).expect(0);
    assert!(fs::read_to_string(svg).unwrap().starts_with("<svg"));
    let piped = home.command().args(["qr", "mfauser", "--png", "-", "--reveal"]).output().unwrap();
    assert!(piped.stdout.starts_with(b"\x89PNG"));
}
