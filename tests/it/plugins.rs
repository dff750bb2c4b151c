//! Identities whose keys age plugins hold: real ones from crates.io, and a toy that behaves badly.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::support::terminal::Terminal;
use crate::support::{Home, Run, SEED, run, tool};

const CODE_AT_59: &str = "287082\n";

/// A home with plugins in its PATH, and without an identity of its own.
struct Plugged(Home);

impl Plugged {
    fn new() -> Self {
        let home = Home::new();
        fs::remove_file(home.identity()).unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        home.file("uri.txt", format!("otpauth://totp/Example:x?secret={SEED}&issuer=Example"));
        Self(home)
    }

    /// One whose identity a toy of this behaviour holds.
    fn of_toy(behaviour: &str) -> Self {
        let home = Self::new();
        home.toy(behaviour);
        home.identity(&format!("{}\n", toy_identity(behaviour)));
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn toy(&self, behaviour: &str) {
        let toy = self.path().join(format!("bin/age-plugin-{behaviour}"));
        fs::write(&toy, include_str!("plugins/toy.py")).unwrap();
        fs::set_permissions(&toy, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn identity(&self, text: &str) -> PathBuf {
        let path = self.0.file("identity.txt", text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn plugged(&self, mut command: Command) -> Command {
        let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/crates/bin");
        let mut directories = vec![self.path().join("bin"), installed];
        directories.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        command.env("PATH", std::env::join_paths(directories).unwrap()).env("VMFA_PLUGIN_TIMEOUT", "20");
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.plugged(self.0.command());
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(arguments), b"")
    }

    /// The same with the secret that the plugin asks for.
    fn run_with(&self, secret: &str, arguments: &[&str]) -> Run {
        run(self.command(arguments).args(["--passphrase-fd", "0"]), secret.as_bytes())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path().join("bin/log")).unwrap_or_default()
    }

    fn items(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("home/items")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| !path.ends_with(".lock")).collect()
    }

    /// Nothing is there, and nothing is left to be finished.
    #[track_caller]
    fn expect_nothing_stored(&self) {
        assert_eq!(self.run(&["list", "--json"]).json()["devices"], serde_json::json!([]));
        assert_eq!(self.items(), Vec::<PathBuf>::new());
    }
}

/// A plugin that tests/run installs; its absence is a failure.
fn installed(plugin: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/crates/bin").join(plugin);
    assert!(path.exists(), "{plugin} is missing: tests/run installs it");
    path
}

fn made_by(plugin: &str, arguments: &[&str]) -> String {
    let output = Command::new(installed(plugin)).args(arguments).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The recipient that a comment of an identity file names.
fn recipient_in(identity: &str) -> &str {
    identity.lines().find_map(|line| line.strip_prefix("# recipient: ")).unwrap()
}

fn toy_identity(plugin: &str) -> String {
    bech32(&format!("age-plugin-{plugin}-"), &[1; 20]).to_uppercase()
}

fn toy_recipient(plugin: &str) -> String {
    bech32(&format!("age1{plugin}"), &[2; 20])
}

/// BIP 173, for five-bit values.
fn bech32(prefix: &str, values: &[u8]) -> String {
    const LETTERS: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let polymod = |values: &[u8]| {
        values.iter().fold(1, |sum: u32, value| {
            let top = sum >> 25;
            let next = (sum & 0x1ff_ffff) << 5 ^ u32::from(*value);
            (0..5).filter(|bit| top >> bit & 1 == 1).fold(next, |next, bit| next ^ GENERATOR[bit])
        })
    };
    let mut all: Vec<u8> = prefix.bytes().map(|byte| byte >> 5).collect();
    all.push(0);
    all.extend(prefix.bytes().map(|byte| byte & 31));
    all.extend(values);
    let sum = polymod(&[&all[..], &[0; 6]].concat()) ^ 1;
    let check = (0..6).map(|place| (sum >> (5 * (5 - place)) & 31) as u8);
    let data: Vec<u8> = values.iter().copied().chain(check).map(|value| LETTERS[usize::from(value)]).collect();
    format!("{prefix}1{}", String::from_utf8(data).unwrap())
}

#[test]
fn a_real_plugin_does_for_an_identity_everywhere() {
    let home = Plugged::new();
    let identity = made_by("age-plugin-xwing", &[]);
    let recipient = recipient_in(&identity);
    let file = home.identity(&identity);
    let made = home.run(&["init", "--vault", "age", "--use-identity", "identity.txt", "--json"]).expect(0).json();
    assert_eq!(made["recipients"], serde_json::json!([recipient]));
    for name in ["x", "y"] {
        home.run(&["add", name, "uri.txt", "--no-code"]).expect(0);
    }
    assert_eq!(home.run(&["code", "x", "--at", "59"]).expect(0).stdout, CODE_AT_59);
    home.run(&["code", "x", "--fresh"]).expect(0);
    assert_eq!(home.run(&["list", "--codes", "--json"]).expect(0).json()["devices"].as_array().unwrap().len(), 2);
    let doctor = home.run(&["doctor"]).expect(0);
    assert!(doctor.stdout.contains("held by a plugin that opens it"), "{doctor:#?}");
    home.run(&["export", "all.txt", "--format", "uris", "--plaintext"]).expect(0);
    home.run(&["import", "all.txt", "--prefix", "again/"]).expect(0);

    // Another program of age opens what was written, and what it writes is read.
    let secret = home.items().into_iter().find_map(|item| {
        let mut age = home.plugged(tool("age", "age"));
        let opened = run(age.arg("-d").arg("-i").arg(&file).arg(item), b"").expect(0);
        opened.stdout.contains("otpauth://").then_some(opened.stdout)
    });
    assert!(secret.unwrap().contains(SEED));

    // A backup for the plugin, read back by it; and the same file as another program writes it.
    let backed_up = ["backup", "mfa.age", "-r", recipient, "--identity", "identity.txt", "--json"];
    assert_eq!(home.run(&backed_up).expect(0).json()["verified"], true);
    let mut age = home.plugged(tool("age", "age"));
    let script = "age -d -i identity.txt mfa.age | age -r \"$RECIPIENT\" -o other.age";
    let mut shell = home.plugged(Command::new("sh"));
    run(shell.args(["-c", script]).env("RECIPIENT", recipient).current_dir(home.path()), b"").expect(0);
    assert!(run(age.arg("--version"), b"").code == 0 && home.path().join("other.age").exists());
    for backup in ["mfa.age", "other.age"] {
        let elsewhere = home.path().join(format!("of {backup}"));
        let mut restore = home.command(&["restore", backup, "--identity", "identity.txt"]);
        run(restore.env("VMFA_HOME", &elsewhere), b"").expect(0);
        let mut code = home.command(&["code", "x", "--at", "59"]);
        assert_eq!(run(code.env("VMFA_HOME", &elsewhere), b"").expect(0).stdout, CODE_AT_59);
    }
}

#[test]
fn without_a_named_recipient_the_plugin_finds_it_out() {
    let home = Plugged::new();
    let identity = made_by("age-plugin-xwing", &[]);
    let line = identity.lines().last().unwrap();
    home.identity(line);
    // With no configuration at all, too.
    home.run(&["add", "before", "uri.txt"]).expect(0);
    assert_eq!(home.run(&["code", "before", "--at", "59"]).expect(0).stdout, CODE_AT_59);
    let init = ["init", "--vault", "age", "--use-identity", "identity.txt", "--json"];
    assert_eq!(home.run(&init).expect(0).json()["recipients"], serde_json::json!([]));
    home.run(&["add", "after", "uri.txt"]).expect(0);
    for name in ["before", "after"] {
        home.run(&["code", name]).expect(0);
    }
    // The same identity under another path is the same; another one isn't.
    let command = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env_remove("VMFA_IDENTITY_FILE");
        run(&mut command, b"")
    };
    fs::rename(home.0.identity(), home.path().join("moved.txt")).unwrap();
    home.identity(made_by("age-plugin-xwing", &[]).lines().last().unwrap());
    let other = command(&["init", "--vault", "age", "--use-identity", "identity.txt", "--json"]);
    assert_eq!(other.expect(1).error_code(), "initialized");
    command(&["init", "--vault", "age", "--use-identity", "moved.txt"]).expect(0);
    assert_eq!(command(&["code", "after", "--at", "59"]).expect(0).stdout, CODE_AT_59);
}

#[test]
fn an_identity_and_its_recipient_have_to_fit() {
    let home = Plugged::new();
    let (identity, other) = (made_by("age-plugin-xwing", &[]), made_by("age-plugin-xwing", &[]));
    let init = ["init", "--vault", "age", "--use-identity", "identity.txt", "--json"];
    // The file says what isn't true.
    home.identity(&identity.replace(recipient_in(&identity), recipient_in(&other)));
    home.run(&init).expect(3);
    // Only another's recipient is named.
    home.identity(identity.lines().last().unwrap());
    home.run(&[&init[..], &["--recipient", recipient_in(&other)]].concat()).expect(3);
    assert!(!home.path().join("home/config.toml").exists());
    let both = [&init[..], &["--recipient", recipient_in(&other), "--recipient", recipient_in(&identity)]].concat();
    home.run(&both).expect(0);
    home.run(&["add", "x", "uri.txt"]).expect(0);
    // The second key opens it, too.
    home.0.file("other.txt", &other);
    fs::set_permissions(home.path().join("other.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    let run = home.run(&["code", "x", "--at", "59", "--identity-file", "other.txt"]);
    assert_eq!(run.expect(0).stdout, CODE_AT_59);
}

/// What `age-plugin-argon2` makes of little work.
fn argon2() -> String {
    made_by("age-plugin-argon2", &["--generate", "--m-cost", "256", "--t-cost", "1", "--p-cost", "1"])
}

#[test]
fn a_real_plugin_that_asks_is_answered_by_a_descriptor() {
    let home = Plugged::new();
    home.identity(&argon2());
    home.run_with("correct horse", &["init", "--vault", "age", "--use-identity", "identity.txt"]).expect(0);
    for name in ["x", "y", "z"] {
        home.run_with("correct horse", &["add", name, "uri.txt"]).expect(0);
    }
    let right = home.run_with("correct horse", &["code", "x", "--at", "59"]).expect(0);
    assert_eq!(right.stdout, CODE_AT_59);
    assert!(home.run_with("correct horse", &["doctor"]).expect(0).stdout.contains("that opens it"));
    let codes = home.run_with("correct horse", &["list", "--codes", "--json"]).expect(0).json();
    assert!(codes["devices"].as_array().unwrap().iter().all(|device| device["code"].is_string()), "{codes}");

    let wrong = home.run_with("battery staple", &["code", "x", "--json"]).expect(3);
    assert_eq!((wrong.error_code().as_str(), wrong.stdout.as_str()), ("age-plugin", ""));
    assert!(wrong.stderr.contains("incorrect passphrase") && !wrong.stderr.contains("battery"), "{wrong:#?}");
    // With nobody to ask.
    let nobody = home.run(&["code", "x"]).expect(3);
    assert!(nobody.stderr.contains("nobody can be asked here: Passphrase"), "{nobody:#?}");
    assert!(nobody.stderr.contains("--passphrase-fd"), "{nobody:#?}");
    assert_eq!(home.run(&["mcp", "--allow", "x", "--json"]).expect(3).error_code(), "age-plugin");
    let doctor = home.run(&["doctor"]).expect(0);
    assert!(doctor.stdout.contains("it asks for a secret"), "{doctor:#?}");
    // Sealing asks, too.
    let before = home.items().len();
    assert_eq!(home.run(&["add", "w", "uri.txt", "--json"]).expect(3).error_code(), "age-plugin");
    assert_eq!((home.items().len(), home.run(&["show", "w"]).code), (before, 1));
}

#[test]
fn a_real_plugin_that_asks_is_answered_at_the_terminal_and_once() {
    const QUESTION: &str = "age-plugin-argon2: Passphrase for age-plugin-argon2";
    let home = Plugged::new();
    home.identity(&argon2());
    let asked = |terminal: &Terminal| terminal.text().matches(QUESTION).count();
    let answer = |terminal: &mut Terminal, times: usize, text: &str| {
        terminal.see("the question", |screen| screen.matches(QUESTION).count() == times);
        terminal.type_in(&format!("{text}\n"));
    };
    // What is typed to seal may be a slip: it has to open what it sealed before anything is stored.
    let mut slip = Terminal::start(&home.command(&["add", "x", "uri.txt", "--no-code"]), 100, 30);
    answer(&mut slip, 1, "correct hrose");
    answer(&mut slip, 2, "correct horse");
    assert_eq!(slip.ended(), 3, "{}", slip.text());
    assert!(slip.text().contains("incorrect passphrase"), "{}", slip.text());
    home.expect_nothing_stored();
    let mut right = Terminal::start(&home.command(&["add", "x", "uri.txt", "--no-code"]), 100, 30);
    answer(&mut right, 1, "correct horse");
    answer(&mut right, 2, "correct horse");
    assert_eq!(right.ended(), 0, "{}", right.text());
    for name in ["y", "z"] {
        home.run_with("correct horse", &["add", name, "uri.txt"]).expect(0);
    }
    let mut codes = Terminal::start(&home.command(&["list", "--codes"]), 100, 30);
    answer(&mut codes, 1, "correct horse");
    assert_eq!(codes.ended(), 0, "{}", codes.text());
    assert!(asked(&codes) == 1 && codes.is_as_it_was(), "{}", codes.text());
    assert!(!codes.text().contains("horse"));
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let home = Plugged::new();
    home.identity(&format!("{}\n", toy_identity("missing")));
    for arguments in [
        &["add", "x", "uri.txt"][..],
        &["init", "--vault", "age", "--use-identity", "identity.txt"],
        &["doctor"],
        &["backup", "mfa.age", "-r", &toy_recipient("missing")],
    ] {
        let mut run = home.run(arguments);
        if arguments[0] == "backup" {
            assert!(run.code == 1 && run.stderr.contains("no devices"), "{run:#?}");
            continue;
        }
        run.stderr.push_str(&run.stdout);
        assert!(run.code != 0 && run.stderr.contains("age-plugin-missing is not in PATH"), "{run:#?}");
        assert!(run.stderr.contains("install it"), "{run:#?}");
    }
    home.expect_nothing_stored();
    // No name leads elsewhere.
    for name in ["../../bin/sh", "a/b", "ä", ""] {
        home.identity(&format!("AGE-PLUGIN-{}-1QQQQQQ\n", name.to_uppercase()));
        assert_eq!(home.run(&["add", "x", "uri.txt", "--json"]).expect(3).error_code(), "age-identity");
    }
    let slip = toy_recipient("pin").replace("pin", "pim");
    home.run(&["backup", "mfa.age", "-r", &slip]).expect(2);
}

/// Behaviours, and what is said of them.
const BAD: [(&str, &str); 8] = [
    ("dies", "ended before it had answered (exit status: 3)"),
    ("nonsense", "is not of age's plugin protocol"),
    ("endless", "is not of age's plugin protocol"),
    ("chatty", "is not of age's plugin protocol"),
    ("empty", "is not of age's plugin protocol"),
    ("half", ""),
    ("twice", "is not of age's plugin protocol"),
    ("error", "says: the card is not there"),
];

#[test]
fn a_plugin_that_fails_while_it_seals_leaves_nothing() {
    for (behaviour, said) in BAD {
        let home = Plugged::of_toy(behaviour);
        let run = home.run(&["add", "x", "uri.txt"]).expect(3);
        assert!(run.stderr.contains(&format!("age-plugin-{behaviour} ")), "{run:#?}");
        assert!(run.stderr.contains(said), "{behaviour}: {run:#?}");
        assert!(!run.stderr.contains(&toy_identity(behaviour)) && !run.stderr.contains(SEED), "{run:#?}");
        home.expect_nothing_stored();
        // Once it is mended, the same command works.
        home.toy("good");
        fs::copy(home.path().join("bin/age-plugin-good"), home.path().join(format!("bin/age-plugin-{behaviour}")))
            .unwrap();
        let good = home.identity(&format!("{}\n", toy_identity("good")));
        home.run(&["add", "x", "uri.txt", "--identity-file", good.to_str().unwrap()]).expect(0);
    }
}

#[test]
fn a_plugin_that_fails_while_it_opens_is_an_error_and_loses_nothing() {
    let home = Plugged::of_toy("good");
    home.run(&["add", "x", "uri.txt"]).expect(0);
    for (behaviour, said) in BAD.into_iter().filter(|(behaviour, _)| *behaviour != "twice") {
        let run = run(home.command(&["code", "x", "--at", "59"]).env("TOY", behaviour), b"").expect(3);
        let other = behaviour == "empty" && run.stderr.contains("is encrypted for another identity");
        assert!(run.stdout.is_empty() && (other || run.stderr.contains(said)), "{behaviour}: {run:#?}");
    }
    assert_eq!(home.run(&["code", "x", "--at", "59"]).expect(0).stdout, CODE_AT_59);
    assert!(!home.log().contains("zombie"), "{}", home.log());
}

#[test]
fn a_plugin_that_hangs_is_ended_in_time() {
    for behaviour in ["hang", "deaf"] {
        let home = Plugged::of_toy(behaviour);
        let start = Instant::now();
        let mut add = home.command(&["add", "x", "uri.txt", "--json"]);
        let run = run(add.env("VMFA_PLUGIN_TIMEOUT", "2"), b"").expect(3);
        assert!(start.elapsed() < Duration::from_secs(30), "{behaviour}");
        assert_eq!(run.error_code(), "age-plugin");
        assert!(run.stderr.contains("gave no answer within 2 s"), "{run:#?}");
        assert!(run.stderr.contains("VMFA_PLUGIN_TIMEOUT"), "{run:#?}");
        home.expect_nothing_stored();
    }
    let home = Plugged::new();
    let mut list = home.command(&["list"]);
    run(list.env("VMFA_PLUGIN_TIMEOUT", "soon"), b"").expect(2);
}

#[test]
fn processes_of_plugins_do_not_add_up() {
    let home = Plugged::of_toy("good");
    for name in ["a", "b", "c", "d"] {
        home.run(&["add", name, "uri.txt"]).expect(0);
    }
    home.run(&["list", "--codes"]).expect(0);
    assert!(home.log().lines().count() > 8 && !home.log().contains("zombie"), "{}", home.log());
}

#[test]
fn a_wrong_pin_is_tried_once() {
    let home = Plugged::of_toy("pin");
    for name in ["a", "b", "c"] {
        home.run_with("1234", &["add", name, "uri.txt"]).expect(0);
    }
    let tries = |pin: &str| home.log().lines().filter(|line| *line == format!("ok {pin}")).count();
    home.run_with("1234", &["list", "--codes"]).expect(0);
    let before = tries("1234");
    // A key locks itself after a few.
    let wrong = home.run_with("4321", &["list", "--codes", "--json"]);
    assert!(wrong.stderr.contains("wrong PIN") || wrong.stdout.contains("wrong PIN"), "{wrong:#?}");
    assert_eq!(tries("4321"), 1, "{}", home.log());
    // One that asks again in the same run gets no second answer, as it would be the same.
    let again = home.run_with("0000", &["code", "a"]).expect(3);
    assert!(again.stderr.contains("was given a wrong secret"), "{again:#?}");
    assert_eq!(tries("0000"), 1, "{}", home.log());
    // A person is asked again, and what was right then is remembered.
    let mut terminal = Terminal::start(&home.command(&["list", "--codes"]), 100, 30);
    for (times, pin) in [(1, "0000"), (2, "1234")] {
        terminal.see("the question", |screen| screen.matches("age-plugin-pin: PIN of card 7:").count() == times);
        terminal.type_in(&format!("{pin}\n"));
    }
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    assert_eq!(tries("0000"), 2, "{}", home.log());
    assert!(tries("1234") > before);
}

#[test]
fn a_plugin_asks_all_that_it_may_at_the_terminal() {
    let home = Plugged::of_toy("asks");
    let nobody = home.run(&["add", "x", "uri.txt"]).expect(3);
    assert!(nobody.stderr.contains("nobody can be asked here: which slot?"), "{nobody:#?}");
    assert!(nobody.stderr.contains("age-plugin-asks: hello from the toy \u{fffd}[31m"), "{nobody:#?}");
    home.expect_nothing_stored();
    // Stdin may be something else.
    let mut shell = home.plugged(home.0.other("sh"));
    shell.arg("-c").arg(format!("{} add x - --no-code < uri.txt", env!("CARGO_BIN_EXE_vmfa")));
    let mut terminal = Terminal::start(&shell, 100, 30);
    terminal.expect("age-plugin-asks: which slot?: ");
    terminal.type_in("9a\n");
    terminal.expect("age-plugin-asks: use the key? (y: use it, n: leave it): ");
    terminal.type_in("y\n");
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    assert!(home.log().contains("['unsupported'] ['ok'] b'9a' ['ok', 'yes']"), "{}", home.log());
}

#[test]
fn all_identities_and_recipients_of_a_plugin_go_into_one_run() {
    let home = Plugged::new();
    home.toy("good");
    let (native, native_recipient) = vmfa::vault::age::generate();
    let [first, second] = [3, 4].map(|value| bech32("age-plugin-good-", &[value; 20]).to_uppercase());
    home.identity(&format!("# two keys\n{first}\n\n{}\n{second}\n", *native));
    home.run(&["add", "x", "uri.txt"]).expect(0);
    let log = home.log();
    let said: Vec<&str> = log.lines().take(2).collect();
    assert_eq!(said, [format!("recipient-v1 add-identity {first}"), format!("recipient-v1 add-identity {second}")]);
    // What needs no plugin is tried first.
    fs::remove_file(home.path().join("bin/log")).unwrap();
    assert_eq!(home.run(&["code", "x", "--at", "59"]).expect(0).stdout, CODE_AT_59);
    assert_eq!(home.log(), "");
    let mixed = ["backup", "mfa.age", "-r", &native_recipient, "-r", &toy_recipient("good"), "--json"];
    home.run(&mixed).expect(0);
    assert_eq!(home.log(), format!("recipient-v1 add-recipient {}\n", toy_recipient("good")));
}

#[test]
fn there_is_nothing_to_unlock_but_a_passphrase() {
    let home = Plugged::of_toy("good");
    for command in ["unlock", "lock"] {
        let run = home.run(&[command]).expect(1);
        assert!(run.stderr.contains("held by age-plugin-good"), "{run:#?}");
    }
    // An identity file of a plugin may have a passphrase, too; the agent holds its text, and the plugin its key.
    home.run(&["add", "x", "uri.txt"]).expect(0);
    let text = Zeroizing::new(toy_identity("good"));
    let passphrase = Zeroizing::new("correct horse".to_owned());
    let protected = vmfa::vault::age::encrypt_identity(&text, &passphrase, Some(10)).unwrap();
    fs::write(home.0.identity(), protected).unwrap();
    assert_eq!(home.run(&["code", "x", "--json"]).expect(3).error_code(), "age-identity");
    home.run_with("correct horse", &["unlock"]).expect(0);
    assert_eq!(home.run(&["code", "x", "--at", "59"]).expect(0).stdout, CODE_AT_59);
    fs::remove_file(home.path().join("bin/age-plugin-good")).unwrap();
    assert_eq!(home.run(&["code", "x", "--json"]).expect(3).error_code(), "age-plugin");
    home.run(&["lock"]).expect(0);
}
