//! Random commands of several processes at once, killed, interrupted, under clocks that jump, disks that run full and homes
//! that can't be written; devices that go to the trash and come back, from there or from a backup; and a registry that comes
//! back as it was: no code is handed out twice, and no device is lost.
//!
//! `VMFA_RANDOM_COMMANDS` says how many (and `VMFA_RANDOM_SEED` which); a failure names the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use vmfa::oath::{Parameters, hotp};
use vmfa::secret::Secret;
use vmfa::vault::age::{Identity, recipient_of};

use super::many::Dice;
use super::seed_for;
use crate::killed::There;
use crate::support::{Home, run, set_clock};

const WORKERS: u64 = 8;
const NAMES: [&str; 5] = ["n/0", "n/1", "n/2", "n/3", "m"];
const COUNTERS: [&str; 2] = ["h/0", "h/1"];

/// A code that somebody got, or a release of one, between two moments of a common count.
#[derive(Debug, Clone)]
struct Event {
    what: What,
    secret: usize,
    step: u64,
    from: u64,
    to: u64,
    command: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// A code for single use.
    Single,
    /// The first step of a pair.
    Pair,
    Counter,
    /// Given back, or perhaps: the process was killed.
    Release,
    PairRelease,
}

/// What a worker got and may give back.
#[derive(Debug, Clone)]
struct Held {
    name: String,
    secret: usize,
    codes: Vec<String>,
    step: u64,
    /// Whether the pair took its steps from single use.
    both: bool,
    /// Whether another had it first; then giving it back must free nothing.
    shared: bool,
}

struct World {
    home: Home,
    secrets: Vec<(Secret, String)>,
    /// Whom backups are encrypted to.
    recipient: String,
    /// How many backups were made, and came back.
    backups: AtomicU64,
    restored: AtomicU64,
    /// Counts what happens.
    count: AtomicU64,
    /// How many commands are left, and killed.
    left: AtomicU64,
    killed: AtomicU64,
    /// How many were refused since nothing could be written.
    read_only: AtomicU64,
    /// What the clocks show, beside jumps.
    time: AtomicU64,
    events: Mutex<Vec<Event>>,
}

/// How a command ended.
struct Ended {
    /// None where it was killed.
    code: Option<i32>,
    answer: Option<Value>,
    from: u64,
    to: u64,
}

impl World {
    fn tick(&self) -> u64 {
        self.count.fetch_add(1, Relaxed)
    }

    /// Runs a command at some clock; perhaps it is killed, interrupted, or finds no room on the disk.
    fn run(&self, dice: &mut Dice, arguments: &[&str], stdin: &str, interrupt: bool) -> Ended {
        let (full, read_only) = (dice.roll(40) == 0, dice.roll(25) == 0);
        let mut command = if read_only {
            let mut command = self.home.other("unshare");
            let script = "mount --bind home home; mount -o remount,bind,ro home; exec \"$@\"";
            command.args(["--map-root-user", "--mount", "sh", "-e", "-c", script, "sh", env!("CARGO_BIN_EXE_vmfa")]);
            command
        } else if full {
            let mut command = self.home.other("sh");
            let blocks = dice.roll(400);
            command.args(["-c", &format!("ulimit -f {blocks}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_vmfa")]);
            command
        } else {
            self.home.command()
        };
        // A pair far ahead stands in the way of others, so there are few.
        let jump = match dice.roll(if arguments.contains(&"pair") { 80 } else { 8 }) {
            0 => dice.roll(10 * 86_400).cast_signed() - 5 * 86_400,
            1..4 => dice.roll(240).cast_signed() - 120,
            _ => 0,
        };
        // Slowly, so that several want the same steps; and now and then by hours, so that steps become old.
        let passed = if dice.roll(200) == 0 { dice.roll(10_000) } else { dice.roll(8) };
        let ahead = self.time.fetch_add(passed, Relaxed).cast_signed() + jump;
        set_clock(&mut command, ahead);
        command.args(arguments).arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let from = self.tick();
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let kill = dice.roll(7) < 3;
        if kill || interrupt {
            // Early more often than late, whatever a command takes on this machine.
            let most = 1 << dice.roll(17);
            thread::sleep(Duration::from_micros(dice.roll(most)));
            let signal = if kill { "-KILL" } else { "-INT" };
            let _ = Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status();
        }
        let (mut answer, mut error) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        let code = child.wait().unwrap().code();
        let to = self.tick();
        let refused = error.contains("registry-read-only");
        assert!(
            !(read_only && code == Some(0)) || ["doctor", "backup"].contains(&arguments[0]),
            "{arguments:?} wrote nothing: {answer}"
        );
        assert!(!refused || (read_only && answer.is_empty()), "{arguments:?}: {answer}{error}");
        self.read_only.fetch_add(u64::from(refused), Relaxed);
        self.killed.fetch_add(u64::from(code.is_none()), Relaxed);
        for never in ["panicked", "registry-restored", "registry-no-locks", "registry-damaged"] {
            assert!(!error.contains(never), "{arguments:?} at {ahead:+} s: {error}");
        }
        // A line that ends was handed out, whatever became of the process.
        Ended { code, answer: serde_json::from_str(&answer).ok(), from, to }
    }

    fn secret_of(&self, step: u64, code: &str) -> usize {
        let made = |(secret, _): &(Secret, String)| hotp::code(secret, step, &Parameters::DEFAULT).to_string() == code;
        self.secrets.iter().position(made).unwrap_or_else(|| panic!("{code} is no code of step {step}"))
    }

    fn write(&self, what: What, secret: usize, step: u64, ended: &Ended, command: &[&str]) {
        let command = format!("{} [{}..{}]", command.join(" "), ended.from, ended.to);
        let event = Event { what, secret, step, from: ended.from, to: ended.to, command };
        self.events.lock().unwrap().push(event);
    }

    /// All that a backup has: the registry and the secrets. The mark isn't in it.
    fn back_up(&self) {
        let (home, backup) = (self.home.path().join("home"), self.home.path().join("backup"));
        std::fs::create_dir_all(backup.join("items")).unwrap();
        let registry = rusqlite::Connection::open(home.join("registry.sqlite3")).unwrap();
        registry.execute("VACUUM INTO ?1", [backup.join("registry.sqlite3").to_str().unwrap()]).unwrap();
        copy_items(&home, &backup);
    }

    /// The backup comes back, and days later everybody goes on: some clocks were five days ahead, and what they showed
    /// without a promise nobody counted.
    fn restore(&self) {
        const DAYS: i64 = 6 * 86_400;
        let (home, backup) = (self.home.path().join("home"), self.home.path().join("backup"));
        for name in ["registry.sqlite3-wal", "registry.sqlite3-shm"] {
            let _ = std::fs::remove_file(home.join(name));
        }
        std::fs::copy(backup.join("registry.sqlite3"), home.join("registry.sqlite3")).unwrap();
        copy_items(&backup, &home);
        let noticed = self.home.run(&["doctor"]).expect(3).stdout;
        assert!(noticed.contains("is an older copy"), "{noticed}");
        let later = self.time.load(Relaxed).cast_signed() + DAYS;
        run(crate::support::at_clock(&self.home, later).args(["doctor", "--restored"]), b"").expect(0);
        self.time.fetch_add(2 * DAYS.unsigned_abs(), Relaxed);
    }

    fn any_code(&self, dice: &mut Dice, held: &mut Vec<Held>) {
        let name = NAMES[dice.roll(5) as usize];
        let arguments = match dice.roll(8) {
            0 => vec!["code", name],
            1 => vec!["code", name, "--next"],
            2 => vec!["code", name, "--previous"],
            3 => vec!["code", "n/*", "--fresh", "--window", "--timeout", "0s"],
            4 => vec!["code", name, "--fresh", "--timeout", "1d"],
            _ => vec!["code", name, "--fresh", "--window", "--timeout", "0s"],
        };
        let waits = arguments.contains(&"1d");
        let ended = self.run(dice, &arguments, "", waits);
        let Some(answer) = &ended.answer else { return };
        let (step, code) = (answer["step"].as_u64().unwrap(), answer["code"].as_str().unwrap());
        let secret = self.secret_of(step, code);
        let shared = answer["repeated"] == true;
        if shared {
            assert!(!arguments.contains(&"--fresh"), "{answer}");
        } else {
            self.write(What::Single, secret, step, &ended, &arguments);
        }
        let name = answer["device"].as_str().unwrap().to_owned();
        held.push(Held { name, secret, codes: vec![code.to_owned()], step, both: false, shared });
    }

    fn any_pair(&self, dice: &mut Dice, held: &mut Vec<Held>) {
        let name = NAMES[dice.roll(5) as usize];
        let rules = ["aws", "rfc"][dice.roll(2) as usize];
        let mut arguments = vec!["pair", name, "--rules", rules];
        let waits = dice.roll(3) == 0;
        if waits {
            arguments.extend(["--wait", "--timeout", "1d"]);
        }
        let ended = self.run(dice, &arguments, "", waits);
        let Some(answer) = &ended.answer else { return };
        let step = answer["codes"][0]["step"].as_u64().unwrap();
        let codes =
            ["authentication_code1", "authentication_code2"].map(|key| answer[key].as_str().unwrap().to_owned());
        let secret = self.secret_of(step, &codes[0]);
        self.write(What::Pair, secret, step, &ended, &arguments);
        if rules == "rfc" {
            self.write(What::Single, secret, step, &ended, &arguments);
            self.write(What::Single, secret, step + 1, &ended, &arguments);
        }
        let codes = codes.to_vec();
        held.push(Held { name: name.to_owned(), secret, codes, step, both: rules == "rfc", shared: false });
    }

    fn any_release(&self, dice: &mut Dice, held: &mut Vec<Held>) {
        if held.is_empty() {
            return self.any_code(dice, held);
        }
        // Mostly the newest: of a pair it is the only one that can be given back.
        let back = 1 + dice.roll(2.min(held.len() as u64)) as usize;
        let index = held.len() - back;
        let mine = held[index].clone();
        let mut arguments = vec!["release", mine.name.as_str()];
        // The first code of a pair alone, now and then.
        let half = mine.codes.len() == 2 && mine.both && dice.roll(2) == 0;
        arguments.extend(mine.codes.iter().take(if half { 1 } else { 2 }).map(String::as_str));
        let ended = self.run(dice, &arguments, "", false);
        if ended.code.is_some_and(|code| code != 0) {
            return;
        }
        if mine.shared {
            held.remove(index);
            return;
        }
        let whole = mine.codes.len() == 2 && !half;
        if whole {
            self.write(What::PairRelease, mine.secret, mine.step, &ended, &arguments);
        }
        if mine.codes.len() == 1 || half || mine.both {
            self.write(What::Release, mine.secret, mine.step, &ended, &arguments);
        }
        if whole && mine.both {
            self.write(What::Release, mine.secret, mine.step + 1, &ended, &arguments);
        }
        if !half {
            held.remove(index);
        }
    }

    fn any_change(&self, dice: &mut Dice) {
        let (name, other) = (NAMES[dice.roll(5) as usize], NAMES[dice.roll(5) as usize]);
        let counter = dice.roll(4) == 0;
        let name = if counter { COUNTERS[dice.roll(2) as usize] } else { name };
        let uri = if counter { &self.secrets[3].1 } else { &self.secrets[dice.roll(3) as usize].1 };
        match dice.roll(12) {
            0..3 => self.run(dice, &["add", name, "-", "--no-code"], uri, false),
            3 => self.run(dice, &["add", name, "-", "--no-code", "--replace"], uri, false),
            4..=6 => self.run(dice, &["remove", name, "--yes"], "", false),
            7 | 8 => self.run(dice, &["trash", "restore", name], "", false),
            9 if !counter => self.run(dice, &["trash", "restore", name, "--as", other], "", false),
            10 if !counter => self.run(dice, &["rename", name, other], "", false),
            _ => self.run(dice, &["doctor"], "", false),
        };
    }

    /// To one file for all: whatever is killed, it is whole.
    fn any_backup(&self, dice: &mut Dice) {
        let ended = self.run(dice, &["backup", "mfa.age", "-r", &self.recipient, "--force"], "", false);
        self.backups.fetch_add(u64::from(ended.code == Some(0)), Relaxed);
    }

    /// What was handed out since the backup was made, this home knows.
    fn any_restoration(&self, dice: &mut Dice) {
        let ended = self.run(dice, &["restore", "mfa.age"], "", false);
        assert_ne!(ended.code, Some(5), "the backup can't be read");
        self.restored.fetch_add(u64::from(ended.code == Some(0)), Relaxed);
    }

    fn any_counter(&self, dice: &mut Dice) {
        let arguments = ["code", COUNTERS[dice.roll(2) as usize], "--count", "2"];
        let ended = self.run(dice, &arguments, "", false);
        let Some(answer) = &ended.answer else { return };
        for code in answer["codes"].as_array().unwrap() {
            self.write(What::Counter, 3, code["counter"].as_u64().unwrap(), &ended, &arguments);
        }
    }

    fn work(&self, seed: u64) {
        let mut dice = Dice::new(seed);
        let mut held = Vec::new();
        while self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            match dice.roll(22) {
                0..8 => self.any_code(&mut dice, &mut held),
                8..12 => self.any_pair(&mut dice, &mut held),
                12..16 => self.any_release(&mut dice, &mut held),
                16..19 => self.any_change(&mut dice),
                19 => self.any_backup(&mut dice),
                20 => self.any_restoration(&mut dice),
                _ => self.any_counter(&mut dice),
            }
        }
    }
}

fn copy_items(from: &Path, to: &Path) {
    for item in std::fs::read_dir(from.join("items")).unwrap() {
        let item = item.unwrap();
        std::fs::copy(item.path(), to.join("items").join(item.file_name())).unwrap();
    }
}

/// Two who got the same, with no release between them that could have freed it.
fn twice(given: &[&Event], releases: &[&Event]) -> Option<String> {
    let mut given = given.to_vec();
    given.sort_by_key(|event| event.to);
    let mut free: Vec<&&Event> = releases.iter().collect();
    for (one, two) in given.iter().zip(given.iter().skip(1)) {
        let freed = free.iter().position(|release| release.to > one.from && release.from < two.to);
        let Some(freed) = freed else {
            let told = |event: &&Event| {
                format!("  {:?} {} of secret {}: {}", event.what, event.step, event.secret, event.command)
            };
            let releases: Vec<String> = releases.iter().map(told).collect();
            return Some(format!("{}\n{}\nreleases:\n{}", told(one), told(two), releases.join("\n")));
        };
        free.remove(freed);
    }
    None
}

#[test]
fn whatever_happens_no_code_is_handed_out_twice() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse::<u64>().unwrap());
    let commands = number("VMFA_RANDOM_COMMANDS", 1_000);
    let seed = number("VMFA_RANDOM_SEED", u64::from(std::process::id()));
    println!("VMFA_RANDOM_SEED={seed}");
    let secrets = ["one", "two", "three", "counter"].map(|name| {
        let text = seed_for(name);
        let kind = if name == "counter" { "hotp/x?counter=0&" } else { "totp/x?" };
        let bytes = base32::decode(base32::Alphabet::Rfc4648 { padding: false }, &text).unwrap();
        (Secret::new(bytes).unwrap(), format!("otpauth://{kind}secret={text}"))
    });
    let home = Home::new();
    let identity = Identity::Text(std::fs::read_to_string(home.identity()).unwrap().into());
    let world = World {
        recipient: recipient_of(&identity).unwrap().remove(0),
        home,
        secrets: secrets.to_vec(),
        backups: AtomicU64::new(0),
        restored: AtomicU64::new(0),
        count: AtomicU64::new(0),
        left: AtomicU64::new(0),
        killed: AtomicU64::new(0),
        read_only: AtomicU64::new(0),
        time: AtomicU64::new(0),
        events: Mutex::default(),
    };
    for (name, secret) in NAMES.iter().zip([0, 1, 2, 0, 1]).chain(COUNTERS.iter().zip([3, 3])) {
        world.home.run_with(&["add", name, "-", "--no-code"], world.secrets[secret].1.as_bytes()).expect(0);
    }
    world.home.run(&["backup", "mfa.age", "-r", &world.recipient]).expect(0);
    // Two thirds know nothing of a backup that is made after the first, and comes back after the second.
    for part in 0..3 {
        match part {
            1 => world.back_up(),
            2 => world.restore(),
            _ => {}
        }
        world.left.store(commands.div_ceil(3), Relaxed);
        thread::scope(|scope| {
            for worker in 0..WORKERS {
                let (world, seed) = (&world, seed.wrapping_mul(1_000).wrapping_add(part * 100 + worker));
                scope.spawn(move || world.work(seed));
            }
        });
    }
    // Nothing deletes for good, and no clock ran for the thirty days of the trash.
    let all = There::of(&world.home);
    for (secret, (_, uri)) in world.secrets.iter().enumerate() {
        let text = uri.rsplit('=').next().unwrap();
        let has = |uris: &BTreeMap<String, String>| uris.values().any(|uri| uri.contains(text));
        assert!(has(&all.active) || has(&all.trashed), "seed {seed}: secret {secret} is lost: {all:?}");
    }
    let (backups, restored) = (world.backups.load(Relaxed), world.restored.load(Relaxed));
    let events = world.events.into_inner().unwrap();
    let of = |what: What, key: (usize, u64)| -> Vec<&Event> {
        events.iter().filter(|event| event.what == what && (event.secret, event.step) == key).collect()
    };
    let mut faults = Vec::new();
    let kinds = [(What::Single, Some(What::Release)), (What::Pair, Some(What::PairRelease)), (What::Counter, None)];
    let mut counts = BTreeMap::new();
    for (what, release) in kinds {
        let keys: Vec<(usize, u64)> =
            events.iter().filter(|event| event.what == what).map(|event| (event.secret, event.step)).collect();
        counts.insert(format!("{what:?}"), keys.len());
        for key in BTreeSet::from_iter(keys) {
            let mut releases = release.map(|release| of(release, key)).unwrap_or_default();
            let mut given = of(what, key);
            if what == What::Pair {
                // A pair shares a step with its neighbours.
                given.extend(of(what, (key.0, key.1 + 1)));
                releases.extend(of(What::PairRelease, (key.0, key.1 + 1)));
            }
            faults.extend(twice(&given, &releases));
        }
    }
    let killed = world.killed.load(Relaxed);
    let releases = events.iter().filter(|event| event.what == What::Release).count();
    let read_only = world.read_only.load(Relaxed);
    println!(
        "{commands} commands, {killed} killed, {read_only} that couldn't write, {backups} backups, {restored} restored, \
         given {counts:?}, {releases} releases, {} faults",
        faults.len()
    );
    assert!(faults.is_empty(), "seed {seed}: {} faults, the first: {}", faults.len(), faults[0]);
    assert!(read_only > commands / 400, "too few were read-only: {read_only}");
    assert!(backups > commands / 400 && restored > commands / 400, "{backups} backups, {restored} restored");
    assert!(killed > commands / 6 && counts["Single"] as u64 > commands / 12, "too little happened: {counts:?}");
}
