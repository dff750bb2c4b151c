//! Clipboard and screen on a real X server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::terminal::Terminal;
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

    /// What is on the clipboard, in a form.
    fn pasted(&self, kind: &str) -> Option<String> {
        let mut xclip = self.command("xclip", "xclip");
        let output = xclip.args(["-selection", "clipboard", "-o", "-t", kind]).stdout(Stdio::piped()).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
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

/// Time passes while this isn't so.
fn wait_until(what: &str, so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Nobody is given a code of it by `add`.
fn with_unused_device(name: &str) -> Home {
    let home = Home::new();
    let uri = format!("otpauth://totp/Example:{name}?secret={SEED}");
    home.run_with(&["add", name, "-", "--no-code"], uri.as_bytes()).expect(0);
    home
}

#[test]
fn a_copied_code_is_marked_as_secret_and_is_gone_after_a_while() {
    let home = with_unused_device("x");
    let display = Display::start();
    let copy = |extra: &[&str]| {
        let mut command = home.command();
        run(command.env("DISPLAY", &display.name).args(["code", "x", "--copy"]).args(extra), b"").expect(0)
    };
    let json = copy(&["--at", "59", "--clear-after", "2s", "--json"]).json();
    assert_eq!((&json["copied"], &json["clear_after_seconds"]), (&"clipboard".into(), &2.into()));
    crate::schemas::assert_holds("code", &json);
    assert!(json.get("code").is_none() && json.get("codes").is_none() && json["claim"].is_string(), "{json}");
    assert_eq!(display.pasted("UTF8_STRING").as_deref(), Some("287082"));
    assert_eq!(display.pasted("x-kde-passwordManagerHint").as_deref(), Some("secret"));
    wait_until("the code stays on the clipboard", || display.pasted("UTF8_STRING").is_none());

    // A second code takes the place of the first, and keeps it for its own time.
    let printed = copy(&["--at", "59", "--clear-after", "1s"]);
    assert_eq!((printed.stdout.as_str(), printed.stderr.as_str()), ("", ""));
    copy(&["--at", "1111111109", "--clear-after", "1h"]);
    thread::sleep(Duration::from_millis(2_000));
    assert_eq!(display.pasted("UTF8_STRING").as_deref(), Some("081804"));
    // What somebody else copied stays.
    copy(&["--at", "59", "--clear-after", "1s"]);
    display.copy(&[], b"something else");
    thread::sleep(Duration::from_millis(2_000));
    assert_eq!(display.pasted("UTF8_STRING").as_deref(), Some("something else"));
}

#[test]
fn watching_copies_by_a_key_and_clears_after_a_while() {
    let home = with_unused_device("x");
    let display = Display::start();
    let mut command = home.command();
    command.args(["watch", "--clear-after", "1s"]).env("DISPLAY", &display.name).env("TERM", "xterm");
    let mut terminal = Terminal::start(&command, 80, 12);
    terminal.see("the device", |screen| screen.contains("> x"));
    terminal.type_in("\r");
    let screen = terminal.see("that it was copied", |screen| screen.contains("copied the code of x"));
    let row = screen.lines().find(|line| line.starts_with("> x")).unwrap();
    let shown: String = row.split_whitespace().skip(2).take(2).collect();
    assert_eq!(display.pasted("UTF8_STRING"), Some(shown), "{row}");
    wait_until("the code stays on the clipboard", || display.pasted("UTF8_STRING").is_none());
    terminal.type_in("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn where_nothing_can_be_copied_no_code_is_used_up() {
    let home = with_unused_device("x");
    let failed = home.run(&["code", "x", "--copy", "--json"]).expect(5);
    assert_eq!((failed.error_code().as_str(), failed.stdout.as_str()), ("clipboard", ""));
    assert!(failed.stderr.contains("--copy=osc52"), "{failed:#?}");
    let gone = run(home.command().env("DISPLAY", ":4711").args(["code", "x", "--copy"]), b"").expect(5);
    assert!(gone.stderr.contains("--copy=osc52"), "{gone:#?}");
    assert!(home.run(&["show", "x", "--json"]).expect(0).json().get("last_used").is_none());
}

#[test]
fn over_ssh_the_terminal_is_asked_to_copy() {
    let home = with_unused_device("x");
    let mut command = home.command();
    let mut terminal = Terminal::start(command.args(["code", "x", "--at", "59", "--copy=osc52"]), 80, 24);
    assert_eq!(terminal.ended(), 0);
    let text = terminal.text();
    assert!(text.contains("\x1b]52;c;Mjg3MDgy\x07") && text.contains("copied the code of x"), "{text:?}");
    assert!(!text.contains("287082") && !text.contains("cleared"), "{text:?}");
}
