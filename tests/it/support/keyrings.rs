//! The keyrings of Linux desktops, each the real program, without a display and without anybody to ask.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::desktop::Desktop;
use super::start;

/// Who offers the Secret Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyring {
    Gnome,
    KeePassXc,
    KWallet,
    Oo7,
}

/// A database that exposes its root group to the Secret Service, as KeePass's XML.
const DATABASE: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>
<KeePassFile><Meta><DatabaseName>test</DatabaseName><CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key>\
<Value>{11111111-2222-3333-4444-555555555555}</Value></Item></CustomData></Meta>
<Root><Group><UUID>ERERESIiMzNERFVVVVVVVQ==</UUID><Name>Root</Name></Group></Root></KeePassFile>
";

impl Keyring {
    /// A session with this keyring, unlocked as far as its program does that at login.
    pub fn session(self) -> Desktop {
        self.session_with("")
    }

    /// One for many changes within a second, for which KeePassXC must not write in between.
    pub fn session_for_many(self) -> Desktop {
        self.session_with("[General]\nAutoSaveAfterEveryChange=false\n")
    }

    fn session_with(self, keepassxc: &str) -> Desktop {
        let mut desktop = Desktop::bare();
        match self {
            Self::KeePassXc => {
                make_database(&desktop, &format!("ConfirmAccessItem=false\nConfirmDeleteItem=false\n{keepassxc}"));
            }
            Self::KWallet => make_wallet(&mut desktop),
            Self::Gnome | Self::Oo7 => {}
        }
        self.start(&mut desktop);
        desktop
    }

    /// Until a change has been written. KeePassXC writes its database some 150 ms after one and can't be told to; 2.7.4
    /// crashes now and then where something changes meanwhile.
    pub fn rest(self, desktop: &Desktop) {
        if self == Self::KeePassXc {
            let file = desktop.home().join("test.kdbx");
            let (since, rest) = (Instant::now(), Duration::from_millis(1500));
            let rests = || file.metadata().unwrap().modified().unwrap().elapsed().is_ok_and(|time| time > rest);
            desktop.wait_for("a database that is written", |_| since.elapsed() > rest && rests());
        }
    }

    /// Ends the program as a power cut would.
    pub fn stop(self, desktop: &mut Desktop) {
        self.rest(desktop);
        desktop.kill_keyring();
    }

    /// Starts the program, where none runs, over what it has stored.
    pub fn start(self, desktop: &mut Desktop) {
        match self {
            Self::Gnome => desktop.start_keyring(),
            Self::KeePassXc => start_keepassxc(desktop),
            Self::KWallet => {
                desktop.host(start(&mut program(desktop, "kwalletd5"), "libkf5wallet-bin"));
                desktop.wait_for_collection();
                open_wallet(desktop);
            }
            Self::Oo7 => {
                let path = concat!(env!("CARGO_MANIFEST_DIR"), "/target/crates/bin/oo7-daemon");
                let mut command = program(desktop, path);
                let mut keyring = start(command.arg("--login").stdin(Stdio::piped()), "none: tests/run builds it");
                keyring.stdin.take().unwrap().write_all(b"password of a test").unwrap();
                desktop.host(keyring);
                desktop.wait_for_collection();
                desktop.wait_until_unlocked();
            }
        }
    }
}

/// A KeePassXC that asks before a secret is read or deleted, as it does unless told otherwise.
pub fn asking_keepassxc() -> Desktop {
    let mut desktop = Desktop::bare();
    make_database(&desktop, "");
    start_keepassxc(&mut desktop);
    desktop
}

/// A KWallet whose wallet is there and needs its password.
pub fn closed_kwallet() -> Desktop {
    let mut desktop = Desktop::bare();
    make_wallet(&mut desktop);
    desktop.host(start(&mut program(&desktop, "kwalletd5"), "libkf5wallet-bin"));
    desktop.wait_for_collection();
    desktop
}

/// A program of the session that draws on no display.
fn program(desktop: &Desktop, name: &str) -> Command {
    let mut command = desktop.command(name);
    command
        .env("XDG_CONFIG_HOME", desktop.home().join("config"))
        .env("TMPDIR", desktop.home())
        .env("QT_QPA_PLATFORM", "offscreen")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn make_database(desktop: &Desktop, settings: &str) {
    let config = desktop.home().join("config/keepassxc");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("keepassxc.ini"), format!("[FdoSecrets]\nEnabled=true\n{settings}")).unwrap();
    fs::write(desktop.home().join("database.xml"), DATABASE).unwrap();
    let mut command = program(desktop, "keepassxc-cli");
    command.args(["import", "--set-password", "--decryption-time", "100", "database.xml", "test.kdbx"]);
    command.current_dir(desktop.home()).stdin(Stdio::piped());
    let mut making = start(&mut command, "keepassxc");
    making.stdin.take().unwrap().write_all(b"password\npassword\n").unwrap();
    assert!(making.wait().unwrap().success());
}

fn start_keepassxc(desktop: &mut Desktop) {
    let mut command = program(desktop, "keepassxc");
    command.args(["--pw-stdin", "--config", "config/keepassxc/keepassxc.ini", "test.kdbx"]);
    let mut keyring = start(command.current_dir(desktop.home()).stdin(Stdio::piped()), "keepassxc");
    // Left open: it would end with its input.
    keyring.stdin.as_mut().unwrap().write_all(b"password\n").unwrap();
    desktop.host(keyring);
    desktop.wait_for_collection();
    desktop.wait_until_unlocked();
}

/// KWallet shows a wallet as a collection only where it was there before it started.
fn make_wallet(desktop: &mut Desktop) {
    let config = desktop.home().join("config");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("kwalletrc"), "[Wallet]\nFirst Use=false\nEnabled=true\n").unwrap();
    desktop.host(start(&mut program(desktop, "kwalletd5"), "libkf5wallet-bin"));
    desktop.wait_for_provider();
    open_wallet(desktop);
    desktop.kill_keyring();
}

/// Opens the wallet as PAM has it opened at login, by the hash of the password.
fn open_wallet(desktop: &Desktop) {
    let hash: Vec<u8> = (0..56).collect();
    let answer = desktop.connection().call_method(
        Some("org.kde.kwalletd5"),
        "/modules/kwalletd5",
        Some("org.kde.KWallet"),
        "pamOpen",
        &("kdewallet", hash, 0_i32),
    );
    answer.unwrap();
}

impl Desktop {
    /// Has a keyring's program end with this session.
    fn host(&mut self, keyring: Child) {
        self.keyring = Some(keyring);
    }
}
