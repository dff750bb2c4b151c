//! Secrets in the registry's database: many machines that have nothing in common but its address.

use std::fs;
use std::path::Path;

use vmfa::vault::age;

use crate::support::postgres::{PASSWORD, Server};
use crate::support::{Home, Run, SEED, run};

const AT: &str = "4000000000";

/// A machine with an identity of its own, and nothing else.
struct Worker {
    home: Home,
    recipient: String,
}

impl Worker {
    fn new() -> Self {
        let home = Home::new();
        fs::remove_file(home.identity()).unwrap();
        let (identity, recipient) = age::generate();
        age::write_new_file(&home.identity(), identity.as_bytes()).unwrap();
        Self { home, recipient }
    }

    /// Whatever it does, it shows no password.
    fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Run {
        let mut command = self.home.command();
        command.env_remove("VMFA_VAULT");
        super::give_keys(&mut command);
        let run = run(command.args(arguments), stdin);
        assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "{run:#?}");
        run
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, b"")
    }

    fn init(&self, url: &str) -> Run {
        self.run(&[
            "init",
            "--vault",
            "shared",
            "--registry",
            url,
            "--use-identity",
            self.home.identity().to_str().unwrap(),
        ])
    }
}

#[test]
fn machines_with_nothing_but_the_address_and_an_identity_share_devices() {
    let server = Server::start("");
    shared_by_machines(&server.open_url(&server.database()), &server.data());
}

/// Two machines that share a registry's URL and no file; and the directory with all that its engine has written.
pub fn shared_by_machines(url: &str, data: &Path) {
    let (admin, worker) = (Worker::new(), Worker::new());
    admin.init(url).expect(0);
    // Who isn't a recipient can't join, and nothing is left of the attempt.
    let refused = worker.init(url).expect(3);
    assert!(refused.stderr.contains("another identity"), "{refused:#?}");
    assert!(!worker.home.path().join("home/config.toml").exists());
    admin.run(&["recipients", "add", &worker.recipient]).expect(0);
    worker.init(url).expect(0);
    admin.run_with(&["add", "ci/1", "-", "--no-code"], SEED.as_bytes()).expect(0);
    let listed = worker.run(&["list", "--json"]).expect(0).json();
    assert_eq!((&listed["devices"][0]["name"], &listed["devices"][0]["vault"]), (&"ci/1".into(), &"shared".into()));
    // No file of a secret is anywhere.
    assert!(!admin.home.path().join("home/items").exists() && !worker.home.path().join("home/items").exists());
    let code = worker.run(&["code", "ci/1", "--fresh", "--at", AT]).expect(0).stdout;
    assert_eq!(admin.run(&["code", "ci/1", "--at", AT]).expect(0).stdout, code);
    let again = admin.run(&["code", "ci/1", "--fresh", "--at", AT, "--json"]).expect(1);
    assert_eq!(again.error_code(), "no-free-step");
    // The same secret under another name, added elsewhere, is known by the key that they share.
    admin.run_with(&["add", "same", "-", "--no-code"], SEED.as_bytes()).expect(0);
    assert_eq!(worker.run(&["code", "same", "--fresh", "--at", AT, "--json"]).expect(1).error_code(), "no-free-step");
    for command in [vec!["doctor"], vec!["backup", "all.age", "-r", &worker.recipient], vec!["list", "--codes"]] {
        worker.run(&command).expect(0);
    }
    assert!(worker.run(&["doctor"]).stdout.contains("vault shared"), "{:#?}", worker.run(&["doctor"]));
    admin.run(&["remove", "same", "--yes"]).expect(0);
    worker.run(&["trash", "restore", "same"]).expect(0);
    // Who was removed opens nothing.
    admin.run(&["recipients", "remove", &worker.recipient]).expect(0);
    let refused = worker.run(&["code", "ci/1"]).expect(3);
    assert!(refused.stderr.contains("another identity"), "{refused:#?}");
    assert_eq!(admin.run(&["recipients", "list"]).expect(0).stdout.lines().count(), 1);
    admin.run(&["code", "ci/1"]).expect(0);
    no_secret_below(data);
}

#[test]
fn a_leaser_reads_secrets_and_changes_none() {
    let server = Server::start("");
    let url = server.open_url(&server.database());
    let (admin, worker) = (Worker::new(), Worker::new());
    admin.init(&url).expect(0);
    admin.run(&["recipients", "add", &worker.recipient]).expect(0);
    admin.run_with(&["add", "x", "-", "--no-code"], SEED.as_bytes()).expect(0);
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/postgres.md")).unwrap();
    let grants = text.split("```sql\n").find(|block| block.contains("leaser")).unwrap().split("```").next().unwrap();
    server.sql("postgres", &format!("CREATE ROLE leaser LOGIN PASSWORD '{PASSWORD}'"));
    let database = url.rsplit('/').next().unwrap();
    server.sql(database, grants);
    // The registry is made already, and a leaser couldn't make it.
    worker.init(&url.replace("postgres@", "leaser@")).expect(0);
    worker.run(&["code", "x", "--fresh", "--window"]).expect(0);
    for refused in [vec!["remove", "x", "--yes", "--now"], vec!["recipients", "add", &age::generate().1]] {
        assert_ne!(worker.run(&refused).code, 0, "{refused:?}");
    }
    admin.run(&["code", "x"]).expect(0);
}

#[test]
fn a_registry_in_a_file_has_no_shared_vault() {
    let home = Home::new();
    let refused = home.run(&["init", "--vault", "shared", "--json"]).expect(2);
    assert!(
        refused.stderr.contains("your registry is a file") && refused.stderr.contains("--registry"),
        "{refused:#?}"
    );
    home.run(&["code", "x", "--vault", "shared"]).expect(1);
}

/// Whether no file of the server has the secret, in base32 or as it is.
fn no_secret_below(directory: &Path) {
    let raw = b"12345678901234567890";
    let mut seen = 0;
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let Ok(content) = fs::read(&path) else { continue };
            seen += content.len();
            for needle in [SEED.as_bytes(), SEED.to_lowercase().as_bytes(), raw] {
                assert!(!content.windows(needle.len()).any(|part| part == needle), "{}", path.display());
            }
        }
    }
    assert!(seen > 1 << 14, "{seen} bytes seen");
}
