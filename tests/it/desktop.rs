//! Clipboard and screen on a real X server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use crate::support::{Home, SEED, run, tool, vector};

/// An X server without a monitor on anybody's desk; gone when dropped.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Self {
        let mut server = tool("Xvfb", "xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x900x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { server, name: format!(":{}", number.trim()) }
    }

    fn command(&self, program: &str, package: &str) -> Command {
        let mut command = tool(program, package);
        command.env("DISPLAY", &self.name).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Puts bytes on the clipboard; xclip stays behind to hand them out.
    fn copy(&self, kind: &[&str], bytes: &[u8]) {
        let mut child = self
            .command("xclip", "xclip")
            .args(["-selection", "clipboard", "-i"])
            .args(kind)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn clipboard_and_screen_are_read_on_x11() {
    let home = Home::new();
    let display = Display::start();
    let code = |source: &str, extra: &[&str]| {
        let mut command = home.command();
        run(command.env("DISPLAY", &display.name).args(["code", "--at", "59", "--from", source]).args(extra), b"")
    };
    assert_eq!(code("clipboard", &["--json"]).expect(5).error_code(), "clipboard-empty");
    // As long as it takes: this build is slow.
    assert_eq!(code("screen", &["--deadline", "60s", "--json"]).expect(5).error_code(), "no-qr-code");

    display.copy(&[], SEED.as_bytes());
    assert_eq!(code("clipboard", &[]).expect(0).stdout, "287082\n");
    let image = std::fs::read(vector("qr/aws-mfauser.png")).unwrap();
    display.copy(&["-t", "image/png"], &image);
    let json = code("clipboard", &["--json"]).expect(0).json();
    assert_eq!(json["account"], "mfauser@123456789012");

    // Two monitors: the picture on both, one device.
    for (name, place, output) in [("left", "800/200x900/200+0+0", "screen"), ("right", "800/200x900/200+800+0", "none")]
    {
        let set = display.command("xrandr", "x11-xserver-utils").args(["--setmonitor", name, place, output]).status();
        assert!(set.unwrap().success());
    }
    let mut feh = display.command("feh", "feh");
    feh.args(["--no-fehbg", "--bg-center"]).arg(vector("qr/aws-mfauser.png")).stderr(Stdio::piped());
    let shown = feh.output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let json = code("screen", &["--json"]).expect(0).json();
    assert_eq!(json["account"], "mfauser@123456789012");
}

#[test]
fn without_a_display_the_error_says_so() {
    let home = Home::new();
    for source in ["clipboard", "screen"] {
        let failed = home.run(&["code", "--from", source, "--json"]).expect(5);
        assert_eq!((failed.error_code().as_str(), failed.stdout.as_str()), (source, ""));
        assert!(failed.stderr.contains("display"), "{failed:#?}");
    }
}
