//! `vmfa watch` on terminals, by the virtual time of a stand-in.

use rustix::process::{Signal, kill_process};

use crate::serve::socket::Server;
use crate::support::desktop::Desktop;
use crate::support::terminal::Terminal;
use crate::support::{Home, SEED, run, tool};

const OTHER: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR";

/// Alice, and a worker; no code of theirs was handed out.
fn home() -> Home {
    let home = Home::new();
    for (name, seed) in [("alice", SEED), ("ci/worker-1", OTHER)] {
        let uri = format!("otpauth://totp/Acme:{name}@example.com?secret={seed}&issuer=Acme");
        home.run_with(&["add", name, "-", "--no-code"], uri.as_bytes()).expect(0);
    }
    home
}

/// `vmfa watch` on a terminal, at a stand-in's time.
fn watch(home: &Home, server: &Server, arguments: &[&str], (columns, rows): (u16, u16)) -> Terminal {
    let mut command = home.command();
    command.args(["watch", "--clock", server.endpoint()]).args(arguments).env("TERM", "xterm-256color");
    Terminal::start(&command, columns, rows)
}

fn virtual_time() -> Server {
    Server::start(&["--time", "virtual"])
}

/// A code as it is shown, without handing it out.
fn code_of(home: &Home, seed: &str, time: u64) -> String {
    let uri = format!("otpauth://totp/x?secret={seed}");
    let code = home.run_with(&["code", "--from", "-", "--at", &time.to_string()], uri.as_bytes()).expect(0).stdout;
    format!("{} {}", &code[..3], &code[3..6])
}

fn line<'a>(screen: &'a str, name: &str) -> &'a str {
    screen.lines().find(|line| line.contains(name)).unwrap_or_default()
}

fn was_used(home: &Home, name: &str) -> bool {
    home.run(&["show", name, "--json"]).expect(0).json().get("last_used").is_some()
}

/// As it was before the program began.
#[track_caller]
fn is_given_back(terminal: &Terminal) {
    assert!(terminal.is_as_it_was());
    assert!(!terminal.is_drawn_on(), "{}", terminal.screen());
}

#[test]
fn a_code_is_hidden_until_it_is_shown_and_counts_from_then_on() {
    let (home, server) = (home(), virtual_time());
    let mut terminal = watch(&home, &server, &[], (80, 24));
    let hidden = |screen: &str| line(screen, "> alice").contains("••• •••");
    let screen = terminal.see("alice", hidden);
    assert!(screen.contains("count as handed out") && screen.contains("Space show"), "{screen}");
    assert!(!was_used(&home, "alice"));

    terminal.type_in(" ");
    let code = code_of(&home, SEED, server.now());
    let screen = terminal.see("the code", |screen| line(screen, "> alice").contains(&code));
    assert!(!screen.contains("used"), "{screen}");
    assert!(line(&screen, "ci/worker-1").contains("••• •••"), "{screen}");
    // Nobody else gets it as a fresh one.
    let fresh = |extra: &[&str]| {
        home.run(&[&["code", "alice", "--fresh", "--clock", server.endpoint(), "--timeout", "0s"], extra].concat())
    };
    fresh(&[]).expect(1);
    assert_ne!(fresh(&["--window"]).expect(0).stdout.trim(), code.replace(' ', ""));
    assert!(!was_used(&home, "ci/worker-1"));

    // It stays to be seen when its time is over; moving on hides it.
    server.wait(30);
    let next = code_of(&home, SEED, server.now());
    terminal.see("the next code", |screen| line(screen, "> alice").contains(&next));
    terminal.type_in("\x1b[B");
    let screen = terminal.see("the worker", |screen| screen.contains("> ci/worker-1"));
    assert!(!screen.contains(&next) && line(&screen, "alice").contains("used"), "{screen}");

    // All of them, with those that come.
    terminal.type_in("an");
    let [one, two] = [0, 30].map(|later| code_of(&home, OTHER, server.now() + later));
    terminal.see("the worker's codes", |screen| {
        let line = line(screen, "> ci/worker-1");
        line.contains(&one) && line.contains(&two)
    });
    terminal.type_in("q");
    assert_eq!(terminal.ended(), 0);
    is_given_back(&terminal);
    let left = terminal.scrollback();
    assert!(![code, next, one, two].iter().any(|code| left.contains(code.as_str())), "{left}");
}

#[test]
fn what_other_processes_do_appears() {
    let (home, server) = (home(), virtual_time());
    let mut terminal = watch(&home, &server, &["ci/*"], (60, 12));
    terminal.see("the worker", |screen| screen.contains("> ci/worker-1") && screen.contains("1 device"));
    assert!(!terminal.screen().contains("alice"));
    home.run(&["code", "ci/worker-1", "--clock", server.endpoint()]).expect(0);
    terminal.see("that its code was used", |screen| line(screen, "ci/worker-1").contains("used"));
    home.add_from("ci/worker-0", &format!("otpauth://totp/y?secret={SEED}"));
    home.add("bob");
    terminal.see("another worker", |screen| screen.contains("  ci/worker-0") && screen.contains("> ci/worker-1"));
    home.run(&["remove", "ci/worker-1", "--yes"]).expect(0);
    terminal.see("one less", |screen| screen.contains("> ci/worker-0") && !screen.contains("ci/worker-1"));
    assert!(!terminal.screen().contains("bob"));
    terminal.type_in("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn typing_filters_and_the_table_fits_every_size() {
    let (home, server) = (home(), virtual_time());
    home.add_from("日本語のデバイス", "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJS");
    let mut terminal = watch(&home, &server, &[], (80, 24));
    terminal.see("three devices", |screen| screen.contains("3 devices"));
    terminal.type_in("/wk1");
    terminal.see("what fits", |screen| screen.contains("1 of 3 devices") && screen.contains("> ci/worker-1"));
    terminal.type_in("\r");
    terminal.resize(60, 10);
    terminal.see("the same, smaller", |screen| screen.contains("/wk1") && screen.contains("> ci/worker-1"));
    terminal.resize(40, 8);
    terminal.see("what is needed", |screen| screen.contains("needs 50 columns and 10 rows"));
    terminal.resize(200, 60);
    terminal.type_in("\x1b");
    let screen = terminal.see("all of them", |screen| screen.contains("日本語のデバイス"));
    assert!(screen.contains("ci/worker-1@example.com"), "{screen}");
    terminal.type_in("?");
    terminal.see("the keys", |screen| screen.contains("copy the code without showing it"));
    terminal.type_in("qq");
    assert_eq!(terminal.ended(), 0);
    assert!(!terminal.text().contains("\x1b[2J"));
}

#[test]
fn a_counter_device_gives_a_code_by_its_own_key() {
    let (home, server) = (Home::new(), virtual_time());
    let uri = format!("otpauth://hotp/x?secret={SEED}&counter=0");
    home.run_with(&["add", "counter", "-", "--no-code"], uri.as_bytes()).expect(0);
    let mut terminal = watch(&home, &server, &["--copy=osc52"], (80, 12));
    terminal.see("the counter", |screen| line(screen, "> counter").contains("counter 0"));
    terminal.type_in("a \r");
    terminal.see("the key to press", |screen| screen.contains("g gives its next code"));
    assert_eq!(home.run(&["show", "counter", "--json"]).expect(0).json()["counter"], 0);
    // RFC 4226, appendix D.
    terminal.type_in("g");
    terminal
        .see("the first code", |screen| line(screen, "> counter").contains("755 224") && screen.contains("counter 1"));
    terminal.type_in("c");
    terminal.expect("\x1b]52;c;NzU1MjI0\x07");
    assert_eq!(home.run(&["code", "counter"]).expect(0).stdout, "287082\n");
    terminal.type_in("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn copying_hands_a_code_out_and_shows_nothing() {
    let (home, server) = (home(), virtual_time());
    // Where it can't be copied, no code is used up.
    let mut terminal = watch(&home, &server, &[], (200, 12));
    terminal.see("alice", |screen| screen.contains("> alice"));
    terminal.type_in("c");
    terminal.see("why not", |screen| screen.contains("! the clipboard can't be written"));
    assert!(!was_used(&home, "alice"));
    terminal.type_in("q");
    assert_eq!(terminal.ended(), 0);

    let mut terminal = watch(&home, &server, &["--copy=osc52"], (80, 12));
    terminal.see("alice", |screen| screen.contains("> alice"));
    terminal.type_in("c");
    let screen = terminal.see("that it was copied", |screen| screen.contains("sent the code of alice"));
    assert!(line(&screen, "> alice").contains("••• •••"), "{screen}");
    terminal.see("that it was used", |screen| line(screen, "> alice").contains("used"));
    assert!(terminal.text().contains("\x1b]52;c;"));
    assert!(was_used(&home, "alice"));
    terminal.type_in("\r");
    let code = code_of(&home, SEED, server.now());
    terminal.see("the code as well", |screen| line(screen, "> alice").contains(&code));
    terminal.type_in("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn signals_give_the_terminal_back() {
    let (home, server) = (home(), virtual_time());
    for signal in [Some(Signal::TERM), Some(Signal::HUP), Some(Signal::INT), None] {
        let mut terminal = watch(&home, &server, &[], (80, 12));
        terminal.see("alice", |screen| screen.contains("> alice"));
        terminal.type_in(" ");
        let code = code_of(&home, SEED, server.now());
        terminal.see("the code", |screen| screen.contains(&code));
        assert!(!terminal.is_as_it_was());
        match signal {
            Some(signal) => kill_process(terminal.program(), signal).unwrap(),
            None => terminal.type_in("\x03"),
        }
        assert_ne!(terminal.ended(), 0, "{signal:?}");
        is_given_back(&terminal);
        assert!(!terminal.scrollback().contains(&code), "{}", terminal.scrollback());
    }
}

#[test]
fn it_can_be_stopped_and_goes_on() {
    let (home, server) = (home(), virtual_time());
    let mut shell = home.other("bash");
    shell.args(["--norc", "-i"]).env("TERM", "xterm-256color").env("PS1", "$ ");
    tool("bash", "bash");
    let mut terminal = Terminal::start(&shell, 80, 12);
    terminal.expect("$ ");
    terminal.type_in(&format!("{} watch --clock {}\n", env!("CARGO_BIN_EXE_vmfa"), server.endpoint()));
    terminal.see("alice", |screen| screen.contains("> alice"));
    for _ in 0..2 {
        terminal.type_in("\x1a");
        terminal.see("that it stopped", |screen| screen.contains("Stopped") && !screen.contains("alice@"));
        assert!(!terminal.is_drawn_on());
        terminal.type_in("fg\n");
        terminal.see("alice again", |screen| screen.contains("> alice") && screen.contains("Space show"));
        assert!(terminal.is_drawn_on());
    }
    terminal.type_in("q");
    terminal.see("the shell", |screen| screen.trim_end().ends_with('$') && !screen.contains("alice@"));
    terminal.type_in("exit 7\n");
    assert_eq!(terminal.ended(), 7);
}

#[test]
fn a_terminal_that_is_closed_ends_it() {
    let (home, server) = (home(), virtual_time());
    let mut terminal = watch(&home, &server, &[], (80, 12));
    terminal.see("alice", |screen| screen.contains("> alice"));
    terminal.hang_up();
    terminal.ended();
    // Where the signal goes to a shell that ignores it, too.
    let mut shell = home.other("sh");
    let script = r#"trap '' HUP; "$0" watch --clock "$1"; exit 3"#;
    shell.args(["-c", script, env!("CARGO_BIN_EXE_vmfa"), server.endpoint()]).env("TERM", "xterm");
    let mut terminal = Terminal::start(&shell, 80, 12);
    terminal.see("alice", |screen| screen.contains("> alice"));
    terminal.hang_up();
    assert_eq!(terminal.ended(), 3);
}

#[test]
fn where_it_cannot_draw_it_says_what_can_be_done() {
    let home = home();
    let refused = home.run(&["watch"]).expect(2);
    assert!(refused.stderr.contains("stdin is none") && refused.stderr.contains("vmfa list --codes"), "{refused:?}");
    let json = home.run(&["watch", "--json"]).expect(2);
    assert!(json.stderr.contains("vmfa list --codes --json"), "{json:?}");
    for (variable, value, arguments, said) in [
        ("TERM", "dumb", &["watch"][..], "vmfa list --codes"),
        ("TERM", "xterm", &["watch", "nobody"], "no device matches `nobody`"),
        ("TERM", "xterm", &["watch", "ci/["], "no device matches"),
    ] {
        let mut terminal = Terminal::start(home.command().args(arguments).env(variable, value), 120, 24);
        assert_ne!(terminal.ended(), 0, "{arguments:?}");
        assert!(terminal.text().contains(said) && !terminal.text().contains("\x1b["), "{:?}", terminal.text());
    }
    // Stdout that is a file.
    let file = std::fs::File::create(home.path().join("out")).unwrap();
    let mut terminal = Terminal::start_with(home.command().arg("watch"), 120, 24, Some(file.into()));
    assert_eq!(terminal.ended(), 2);
    assert!(terminal.text().contains("stdout is none"), "{}", terminal.text());
}

#[test]
fn colours_can_be_left_out() {
    let (home, server) = (home(), virtual_time());
    for (variable, value, coloured) in [("LANG", "C.UTF-8", true), ("NO_COLOR", "1", false), ("CLICOLOR", "0", false)] {
        let mut command = home.command();
        command.args(["watch", "--clock", server.endpoint()]).env("TERM", "xterm").env(variable, value);
        let mut terminal = Terminal::start(&command, 80, 12);
        terminal.see("alice", |screen| screen.contains("> alice"));
        assert_eq!(terminal.text().contains("\x1b[38;5;"), coloured, "{variable}: {:?}", terminal.text());
        terminal.type_in("q");
        assert_eq!(terminal.ended(), 0);
    }
}

#[test]
fn a_vault_that_is_locked_meanwhile_is_told_and_nobody_is_asked() {
    let (desktop, server) = (Desktop::new(), virtual_time());
    let program = env!("CARGO_BIN_EXE_vmfa");
    let uri = format!("otpauth://totp/x?secret={SEED}");
    run(desktop.command(program).args(["add", "alice", "-", "--no-code"]), uri.as_bytes()).expect(0);
    let mut command = desktop.command(program);
    command.args(["watch", "--clock", server.endpoint()]).env("TERM", "xterm").env("VMFA_KEYRING_TIMEOUT", "5");
    let mut terminal = Terminal::start(&command, 120, 12);
    terminal.see("alice", |screen| screen.contains("> alice"));
    terminal.type_in(" ");
    terminal.see("the code", |screen| screen.contains("> alice") && !line(screen, "alice").contains("•"));
    desktop.lock();
    server.wait(30);
    let screen = terminal.see("what happened", |screen| screen.contains("is locked"));
    assert!(screen.contains("! the keyring") && line(&screen, "> alice").contains("••• •••"), "{screen}");
    terminal.type_in("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_passphrase_is_asked_for_aside_and_once() {
    let (home, server) = (home(), virtual_time());
    let identity = zeroize::Zeroizing::new(std::fs::read_to_string(home.identity()).unwrap());
    let passphrase = zeroize::Zeroizing::new("a passphrase of a test".to_owned());
    let protected = vmfa::vault::age::encrypt_identity(&identity, &passphrase, Some(10)).unwrap();
    let protected = home.file("protected.age", protected);
    std::fs::set_permissions(&protected, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut command = home.command();
    command.args(["watch", "--clock", server.endpoint()]).env("TERM", "xterm").env("VMFA_IDENTITY_FILE", &protected);
    let mut terminal = Terminal::start(&command, 80, 12);
    terminal.see("the devices", |screen| screen.contains("> alice"));
    terminal.type_in(" ");
    terminal.see("the question", |screen| screen.contains("passphrase of"));
    assert!(!terminal.is_drawn_on());
    terminal.type_in("a passphrase of a test\n");
    let shown = |screen: &str, name: &str| screen.contains(name) && !line(screen, name).contains("•");
    terminal.see("the code", |screen| shown(screen, "> alice"));
    terminal.type_in("\x1b[B ");
    terminal.see("another code", |screen| shown(screen, "> ci/worker-1"));
    terminal.type_in("q");
    assert_eq!(terminal.ended(), 0);
    is_given_back(&terminal);
}
