//! What commands answer with `--json` is what docs/schema says.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vmfa::vault::age::{Identity, Plugins, open_file, recipient_of};

use crate::serve::socket::Server;
use crate::share::service::Service;
use crate::support::{Home, SEED, run, vector};
use crate::unlock::Protected;

/// Commands that answer nothing in JSON, or another program's words.
const WITHOUT: &[&str] = &["watch", "mcp", "completions", "aws exec"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema")
}

/// An answer, the command that gave it, and its schema.
struct Answers(Vec<Value>);

impl Answers {
    fn take(&mut self, schema: &str, from: &str, answer: &Value) {
        self.0.push(json!({ "schema": schema, "from": from, "answer": answer }));
    }

    /// What doesn't hold, by a validator that isn't ours.
    fn faults(&self) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/tools/bin/python3");
        assert!(python.exists(), "target/tools is missing: tests/run makes it");
        let mut command = Command::new(python);
        command.arg(root.join("tests/it/schemas.py")).arg(folder()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = child.stdin.take().unwrap();
        self.0.iter().for_each(|answer| writeln!(lines, "{answer}").unwrap());
        drop(lines);
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success());
        String::from_utf8(done.stdout).unwrap()
    }
}

pub fn assert_holds(schema: &str, answer: &Value) {
    let mut answers = Answers(Vec::new());
    answers.take(schema, schema, answer);
    assert_eq!(answers.faults(), "", "{answer}");
}

/// Command lines, with the exit code where it isn't 0. Each goes on with what those before it left.
const COMMANDS: &[(&str, i32)] = &[
    ("add mfauser qr.png", 0),
    ("add off uri.txt", 0),
    ("add counter counter.txt --no-code", 0),
    ("add missing none.png", 5),
    ("import aegis.json --dry-run", 0),
    ("import aegis.json --prefix imported/", 0),
    ("export out.txt --format uris --plaintext", 0),
    ("export ours.json --format vmfa --plaintext", 0),
    ("scan qr.png", 0),
    ("scan uri.txt --reveal", 0),
    ("scan counter.txt", 0),
    ("scan qr.png other.png", 0),
    ("scan other.png", 5),
    ("code mfauser", 0),
    ("code mfauser --count 3", 0),
    ("code counter", 0),
    ("code --from qr.png", 0),
    ("code nobody", 1),
    ("code", 2),
    ("code mfauser --at 9999999999999", 2),
    ("code off --fresh", 0),
    ("code off --fresh --window 0 --timeout 0s", 1),
    ("pair mfauser", 0),
    ("pair counter", 0),
    ("pair --from qr.png", 0),
    ("verify off 287082 --at 59", 0),
    ("verify off 287082 --at 59", 1),
    ("verify off 000000", 1),
    ("verify counter 000000", 1),
    ("verify off --reset", 0),
    ("drift off", 0),
    ("drift off --set -95s --rate 5", 0),
    ("drift off 287082 --at 59 --within 1h", 1),
    ("drift counter 755224", 1),
    ("drift off --against ENDPOINT", 0),
    ("release off --pair", 1),
    ("release mfauser --pair", 0),
    ("release off --claim CLAIM", 0),
    ("show off", 0),
    ("show counter", 0),
    ("list", 0),
    ("list --codes", 0),
    ("uri off --reveal", 0),
    ("qr off --reveal", 0),
    ("qr off --png made.png", 0),
    ("rename counter other", 0),
    ("edit other --account you --note spare --digits 8", 0),
    ("edit other --counter 0", 1),
    ("remove other", 0),
    ("trash list", 0),
    ("backup mfa.age -r RECIPIENT", 0),
    ("restore mfa.age", 0),
    ("restore mfa.age --dry-run", 0),
    ("trash restore other --as another", 0),
    ("recipients list", 0),
    ("recipients add SECOND", 0),
    ("recipients remove SECOND", 0),
    ("remove another", 0),
    ("trash empty --yes", 0),
    ("man --dir pages", 0),
    ("doctor", 0),
    ("bench", 0),
    ("share token add workers --allow ci/*", 0),
    ("share token list", 0),
    ("share token remove workers", 0),
    ("serve time", 0),
    ("serve time +30s", 0),
    ("serve time -30s", 1),
    ("serve events", 0),
    ("aws enable --jump", 0),
    ("aws enable --for-user administrator,nobody", 1),
    ("aws status", 0),
    ("aws session administrator", 0),
    ("aws session administrator --as process", 0),
    ("aws resync administrator --jump", 0),
    ("aws session administrator --role-arn arn:aws:iam::123456789012:role/none", 1),
    ("serve events --after 3", 0),
    ("aws disable administrator --remove --yes", 0),
    ("demo", 0),
    ("init --vault age", 0),
];

const SCENARIO: &str = r#"
root_access_key = true

[[user]]
name = "alice"
access_key = true

[[user.device]]
name = "alice"
"#;

/// The file that `arguments` have: of the two words of a command that has commands, else of its first.
fn schema_of(arguments: &[&str]) -> String {
    let of_words = |count: usize| arguments.get(..count).map(|words| words.join("-"));
    let known = |name: &String| folder().join(format!("{name}.json")).exists();
    [3, 2, 1].into_iter().filter_map(of_words).find(known).unwrap()
}

#[test]
fn every_command_answers_by_its_schema() {
    let home = Home::new();
    std::os::unix::fs::symlink(vector("qr/aws-mfauser.png"), home.path().join("qr.png")).unwrap();
    std::os::unix::fs::symlink(vector("qr/qrencode-web-page.png"), home.path().join("other.png")).unwrap();
    home.file("aegis.json", fs::read(vector("exchange/aegis/plain.json")).unwrap());
    home.file("uri.txt", format!("otpauth://totp/Example:off?secret={SEED}"));
    home.file("counter.txt", format!("otpauth://hotp/Example:x?secret={SEED}&counter=0"));
    let identity = Identity::Text(fs::read_to_string(home.identity()).unwrap().into());
    let recipient = recipient_of(&identity).unwrap().remove(0);
    let second = vmfa::vault::age::generate().1;
    let server = Server::start(&["--time", "virtual"]);
    let keys = server.administrator();
    let mut answers = Answers(Vec::new());
    let (mut wrong, mut claim) = (Vec::new(), String::new());
    for (line, code) in COMMANDS {
        let line = line
            .replace("ENDPOINT", server.endpoint())
            .replace("CLAIM", &claim)
            .replace("RECIPIENT", &recipient)
            .replace("SECOND", &second);
        let arguments: Vec<&str> = line.split(' ').collect();
        let mut command = home.command();
        command
            .args(&arguments)
            .arg("--json")
            .env("HOME", home.path())
            .env("AWS_ENDPOINT_URL", server.endpoint())
            .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.as_str());
        let run = run(&mut command, b"");
        if run.code != *code {
            wrong.push(format!("{line}: {run:?}"));
            continue;
        }
        // A refusal may be an answer; where there is none, the last line of stderr is the error.
        if run.stdout.is_empty() {
            let last = run.stderr.lines().last().unwrap_or_default();
            answers.take("error", &line, &serde_json::from_str(last).unwrap());
        } else {
            let answer = run.json();
            // Of the last code that was leased.
            if let ("code off --fresh", Some(taken)) = (line.as_str(), answer["claim"].as_str()) {
                taken.clone_into(&mut claim);
            }
            answers.take(&schema_of(&arguments), &line, &answer);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    answers.take("serve", "serve", &server.ready);
    // Of devices with all that they can have.
    let opened =
        open_file(&fs::read(home.path().join("mfa.age")).unwrap(), "mfa.age", &identity, &Plugins::default()).unwrap();
    let ours = fs::read(home.path().join("ours.json")).unwrap();
    answers.take("vmfa-export", "export --format vmfa", &serde_json::from_slice(&ours).unwrap());
    answers.take("backup-file", "backup", &serde_json::from_slice(&opened).unwrap());
    let protected = Protected::new();
    answers.take("unlock", "unlock", &protected.unlock(&[]).expect(0).json());
    answers.take("lock", "lock", &protected.run(&["lock", "--json"]).expect(0).json());
    let home = Home::new();
    home.file("scenario.toml", SCENARIO);
    let server = Server::start_in(home, &["--scenario", "scenario.toml"]);
    assert!(["users", "root", "devices"].iter().all(|key| server.ready.get(key).is_some()), "{:#}", server.ready);
    answers.take("serve", "serve --scenario", &server.ready);

    answers.take("share", "share", &Service::start(&[]).ready);

    // A device whose secret can't be had is listed with the error.
    let home = Home::new();
    home.add("x");
    fs::remove_file(home.identity()).unwrap();
    let listed = home.run(&["list", "--codes", "--json"]).expect(3).json();
    assert!(listed["devices"][0]["error"].is_object(), "{listed}");
    answers.take("list", "list --codes", &listed);
    let without: &[&str] = if cfg!(feature = "postgres") { &[] } else { &["registry-copy"] };
    #[cfg(feature = "postgres")]
    {
        let server = crate::support::postgres::Server::start("");
        let machine = crate::fleet::Machine::first(&server);
        let copied = machine.run(&["registry", "copy", "--from", "file", "--to", &machine.url, "--json"]);
        answers.take("registry-copy", "registry copy", &copied.expect(0).json());
    }
    assert_eq!(answers.faults(), "");

    let schemas = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let unused: Vec<_> = schemas
        .filter(|path| !without.contains(&path.file_stem().unwrap().to_str().unwrap()))
        .filter(|path| !answers.0.iter().any(|answer| path.file_stem().unwrap() == answer["schema"].as_str().unwrap()))
        .collect();
    assert!(unused.is_empty(), "no answer was held to {unused:?}");
}

/// A key that no schema has is found, also in an object that is made of two, and a missing one.
#[test]
fn an_answer_with_another_key_is_a_fault() {
    let home = Home::new();
    home.add("x");
    let good = home.run(&["list", "--codes", "--json"]).expect(0).json();
    let mut more = good.clone();
    more["devices"][0]["surprise"] = 1.into();
    let mut fewer = good.clone();
    fewer["devices"][0].as_object_mut().unwrap().remove("digits");
    let mut other = good.clone();
    other["devices"][0]["digits"] = "six".into();
    for answer in [more, fewer, other] {
        let mut answers = Answers(Vec::new());
        answers.take("list", "changed", &answer);
        assert!(answers.faults().starts_with("changed: "), "{answer}");
    }
    assert_holds("list", &good);
}

/// All commands that the help lists have a schema, or a reason for having none.
#[test]
fn every_command_has_a_schema() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md")).unwrap();
    let commands: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## vmfa ")).collect();
    let leaf = |command: &str| !commands.iter().any(|other| other.starts_with(&format!("{command} ")));
    for command in
        commands.iter().filter(|command| (leaf(command) || **command == "serve") && !command.starts_with("help "))
    {
        let path = folder().join(command.replace(' ', "-") + ".json");
        assert_ne!(path.exists(), WITHOUT.contains(command), "vmfa {command}: {}", path.display());
    }
}
