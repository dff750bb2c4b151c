//! A session of its own: a message bus, a keyring (GNOME's unless another is wanted), and a home that is thrown away.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use zbus::blocking::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use super::start;

const PROVIDER: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";

pub struct Desktop {
    home: tempfile::TempDir,
    bus: Child,
    address: String,
    pub(super) keyring: Option<Child>,
}

impl Desktop {
    /// A bus on which nobody is and nobody can be started.
    pub fn bare() -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("bus.conf");
        let text = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={}</listen><policy context="default">
<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>"#,
            home.path().display()
        );
        fs::write(&config, text).unwrap();
        let mut bus = start(
            Command::new("dbus-daemon")
                .args(["--nofork", "--print-address", "--config-file"])
                .arg(&config)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
            "dbus",
        );
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { home, bus, address: address.trim().to_owned(), keyring: None }
    }

    /// A bus and a keyring, unlocked.
    pub fn new() -> Self {
        let mut desktop = Self::bare();
        desktop.start_keyring();
        desktop
    }

    /// Where its bus is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Starts the keyring and unlocks its login collection, which the first start makes.
    pub fn start_keyring(&mut self) {
        self.start_keyring_with(&["--unlock"]);
        self.wait_for_collection();
    }

    /// Starts a keyring that has no collections.
    pub fn start_empty_keyring(&mut self) {
        self.start_keyring_with(&[]);
        self.wait_for_provider();
    }

    pub(super) fn wait_for_collection(&self) {
        self.wait_for("a default collection", |desktop| desktop.default_collection().as_str() != "/");
    }

    pub(super) fn wait_until_unlocked(&self) {
        // A collection may have its name before it is there.
        self.wait_for("an unlocked collection", |desktop| matches!(desktop.locked(), Ok(false)));
    }

    pub(super) fn wait_for_provider(&self) {
        self.wait_for("the keyring", |desktop| {
            let answer = desktop.connection().call_method(
                Some("org.freedesktop.DBus"),
                "/org/freedesktop/DBus",
                Some("org.freedesktop.DBus"),
                "NameHasOwner",
                &(PROVIDER,),
            );
            answer.unwrap().body().deserialize().unwrap()
        });
    }

    fn start_keyring_with(&mut self, arguments: &[&str]) {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = start(&mut command, "gnome-keyring");
        keyring.stdin.take().unwrap().write_all(b"password of a test").unwrap();
        self.keyring = Some(keyring);
    }

    /// Ends the keyring as a power cut would.
    pub fn kill_keyring(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            let _ = keyring.kill();
            let _ = keyring.wait();
        }
    }

    pub fn keyring_pid(&self) -> u32 {
        self.keyring.as_ref().unwrap().id()
    }

    /// Locks the default collection.
    ///
    /// The daemon has answered, once, that it locked nothing. It is asked again.
    pub fn lock(&self) {
        self.wait_for("a locked collection", |desktop| {
            let collections = vec![desktop.default_collection()];
            let (locked, _): (Vec<OwnedObjectPath>, OwnedObjectPath) = desktop
                .connection()
                .call_method(Some(PROVIDER), SERVICE_PATH, Some(SERVICE), "Lock", &(collections,))
                .and_then(|answer| answer.body().deserialize())
                .unwrap();
            !locked.is_empty() || desktop.is_locked()
        });
        assert!(self.is_locked());
    }

    /// Whether the default collection is locked.
    pub fn is_locked(&self) -> bool {
        self.locked().unwrap()
    }

    fn locked(&self) -> zbus::Result<bool> {
        let answer = self.connection().call_method(
            Some(PROVIDER),
            self.default_collection().as_str(),
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &("org.freedesktop.Secret.Collection", "Locked"),
        );
        Ok(answer?.body().deserialize::<OwnedValue>()?.try_into()?)
    }

    /// A program in this session.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.enter(&mut command);
        command
    }

    /// Puts a program into this session.
    pub fn enter(&self, command: &mut Command) {
        command
            .env("HOME", self.home())
            .env("XDG_DATA_HOME", self.home().join("data"))
            .env("XDG_RUNTIME_DIR", self.home())
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env_remove("GNOME_KEYRING_CONTROL")
            .env_remove("DISPLAY");
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn connection(&self) -> Connection {
        zbus::blocking::connection::Builder::address(self.address.as_str()).unwrap().build().unwrap()
    }

    fn default_collection(&self) -> OwnedObjectPath {
        let answer =
            self.connection().call_method(Some(PROVIDER), SERVICE_PATH, Some(SERVICE), "ReadAlias", &("default",));
        // Nobody there yet.
        answer.map(|answer| answer.body().deserialize().unwrap()).unwrap_or_default()
    }

    pub(super) fn wait_for(&self, what: &str, ready: impl Fn(&Self) -> bool) {
        for _ in 0..1000 {
            if ready(self) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{what} didn't come within ten seconds");
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.kill_keyring();
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}
