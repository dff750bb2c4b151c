//! The registry as a file: versions, many writers, and what stands in the way of writing.

use vmfa::registry::sqlite::Sqlite;
use vmfa::registry::{Error, Registry as _};

use super::ledgers::claim;
use super::*;

/// What the first version wrote is read, and goes on with a ledger.
#[test]
fn a_registry_of_the_first_version_is_brought_up_to_date() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("registry.sqlite3");
    let first = "
        CREATE TABLE device (
            id TEXT PRIMARY KEY, name TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
            batch TEXT, replaces TEXT, until INTEGER, issuer TEXT, account TEXT NOT NULL, algorithm TEXT NOT NULL,
            digits INTEGER NOT NULL, period INTEGER, counter INTEGER, serial TEXT, vault TEXT NOT NULL,
            created INTEGER NOT NULL, revision INTEGER NOT NULL, CHECK ((period IS NULL) <> (counter IS NULL))
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX device_name ON device (name);
        CREATE UNIQUE INDEX device_active ON device (name) WHERE state = 'active';
        CREATE UNIQUE INDEX device_pending ON device (name) WHERE state = 'pending';
        INSERT INTO device VALUES ('a646cd03-20cb-4e76-b9a6-4c1ea05df316', 'x', 'active', NULL, NULL, NULL, NULL, 'alice',
            'SHA1', 6, 30, NULL, NULL, 'age', 1800000000, 4);
        PRAGMA user_version = 1;
        PRAGMA journal_mode = WAL;";
    rusqlite::Connection::open(&file).unwrap().execute_batch(first).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let registry = Sqlite::open(&file).unwrap();
                let device = registry.find(&"x".parse().unwrap()).unwrap().unwrap();
                assert_eq!((device.drift, device.revision), (Drift::default(), 4));
                registry.join(device.id, &[1; 32]).unwrap();
            });
        }
    });
    let registry = Sqlite::open(&file).unwrap();
    let ledger = registry.find(&"x".parse().unwrap()).unwrap().unwrap().ledger.unwrap();
    assert_eq!(claim(&registry, ledger, &[1], 1, 5), [1]);
}

/// Eight writers, each with a connection of its own, claim the same steps; and one secret's devices join at once.
#[test]
fn no_step_is_claimed_by_two_of_many_writers() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("registry.sqlite3");
    let devices: Vec<Device> = (0..8).map(|number| device(&format!("d{number}"))).collect();
    Sqlite::open(&file).unwrap().insert(&devices).unwrap();
    let steps: Vec<u64> = (1_000..1_200).collect();
    let mut all: Vec<u64> = std::thread::scope(|scope| {
        let (file, steps) = (&file, &steps);
        let writers: Vec<_> = devices
            .iter()
            .map(|device| {
                scope.spawn(move || {
                    let registry = Sqlite::open(file).unwrap();
                    let ledger = registry.join(device.id, &[9; 32]).unwrap();
                    let ask = || claim(&registry, ledger, steps, 1, 5).pop();
                    std::iter::from_fn(ask).collect::<Vec<u64>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    all.sort_unstable();
    assert_eq!(all, steps);
}

/// Eight writers, each with a connection of its own, move one counter 50 times each.
#[test]
fn no_update_of_many_writers_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("registry.sqlite3");
    let mut counter = device("x");
    counter.parameters.factor = MovingFactor::Counter { next: 0 };
    // All of them also race to make the file.
    std::thread::scope(|scope| {
        let (file, counter) = (&file, &counter);
        for writer in 0..8 {
            scope.spawn(move || {
                let registry = Sqlite::open(file).unwrap();
                if writer == 0 {
                    registry.insert(std::slice::from_ref(counter)).unwrap();
                }
                let mut done = 0;
                while done < 50 {
                    let Some(mut read) = registry.find(&counter.name).unwrap() else { continue };
                    let MovingFactor::Counter { next } = read.parameters.factor else { panic!("no counter") };
                    read.parameters.factor = MovingFactor::Counter { next: next + 1 };
                    match registry.update(&[read]) {
                        Ok(()) => done += 1,
                        Err(Error::Conflict(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    let last = Sqlite::open(&file).unwrap().find(&counter.name).unwrap().unwrap();
    assert_eq!(last.parameters.factor, MovingFactor::Counter { next: 400 });
    assert_eq!(last.revision, 400);
}

/// The answer to `code x --fresh` under a shell command that stands in for a file system, in a home with a device `x`.
#[cfg(all(feature = "cli", target_os = "linux"))]
pub mod in_the_way {
    use rusqlite::Connection;

    use crate::support::{Home, SEED, run, tool};

    pub fn device() -> Home {
        let home = Home::new();
        add(&home, "x");
        home
    }

    pub fn add(home: &Home, name: &str) {
        home.run_with(&["add", name, "-", "--no-code"], SEED.as_bytes()).expect(0);
    }

    /// The program under a shell script that has its arguments in `$@`.
    pub fn under(home: &Home, script: &str, arguments: &[&str]) -> crate::support::Run {
        let mut command = home.other("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-e", "-c", script, "sh", env!("CARGO_BIN_EXE_vmfa")]);
        run(command.args(arguments), b"")
    }

    #[test]
    fn who_holds_the_lock_is_named_and_the_wait_ends() {
        let home = device();
        let file = home.path().join("home/registry.sqlite3");
        let other = Connection::open(&file).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let run = home.run(&["code", "x", "--fresh", "--json"]).expect(3);
        assert_eq!(run.error_code(), "registry-locked");
        assert!(run.stderr.contains(&format!("process {}", std::process::id())), "{run:#?}");
        drop(other);
        home.run(&["code", "x", "--fresh"]).expect(0);
    }

    #[test]
    fn a_full_disk_is_called_full_and_nothing_is_lost() {
        let home = device();
        // As much room as there is taken, and a log that has to grow.
        let script = r#"cp -a home saved; mount -t tmpfs -o size=300k full home; cp -a saved/. home/
            dd if=/dev/zero of=home/rest bs=1k count=1000 2>/dev/null || true
            status=0; "$@" || status=$?; rm home/rest; "$1" code x --fresh >/dev/null; exit $status"#;
        let run = under(&home, script, &["code", "x", "--fresh", "--json"]).expect(3);
        assert_eq!(run.error_code(), "registry-full", "{run:#?}");
        let hint = run.stderr.to_lowercase();
        assert!(!hint.contains("backup") && hint.contains("free some space"), "{run:#?}");
    }

    #[test]
    fn a_damaged_file_is_called_damaged_and_is_kept() {
        let home = device();
        std::fs::write(home.path().join("home/registry.sqlite3"), "not a database at all, but long enough".repeat(99))
            .unwrap();
        let run = home.run(&["list", "--json"]).expect(3);
        assert_eq!(run.error_code(), "registry-damaged");
        assert!(run.stderr.contains("keep the file"), "{run:#?}");
    }

    /// A library before the C library's own stands in for a file system that grants every lock and remembers none.
    #[test]
    fn a_file_system_that_grants_every_lock_hands_nothing_out() {
        let home = device();
        let source = home.file(
            "nolock.c",
            r#"
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <fcntl.h>
            #include <stdarg.h>
            static int any(const char *name, int fd, int command, void *argument) {
                if (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK) return 0;
                int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
                return real(fd, command, argument);
            }
            int fcntl(int fd, int command, ...) {
                va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list);
                return any("fcntl", fd, command, argument);
            }
            int fcntl64(int fd, int command, ...) {
                va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list);
                return any("fcntl64", fd, command, argument);
            }
        "#,
        );
        let library = home.path().join("nolock.so");
        let mut compile = tool("c++", "g++");
        compile.args(["-x", "c", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
        assert!(compile.status().unwrap().success());
        let mut command = home.command();
        let run = run(command.env("LD_PRELOAD", &library).args(["code", "x", "--fresh", "--json"]), b"").expect(3);
        assert_eq!(run.error_code(), "registry-no-locks", "{run:#?}");
        assert!(run.stdout.is_empty());
        home.run(&["code", "x", "--fresh"]).expect(0);
    }

    #[test]
    fn a_mark_that_is_no_file_keeps_nobody_waiting() {
        let home = device();
        let mark = home.path().join("home/registry.mark");
        assert!(tool("mkfifo", "coreutils").arg(&mark).status().unwrap().success());
        home.run(&["code", "x", "--fresh"]).expect(0);
    }
}
