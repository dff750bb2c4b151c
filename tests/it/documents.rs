//! The documents that say what the program does are held to what it does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::serve::socket::Server;
use crate::support::{Home, Run, SEED, run, vector};

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

/// All help texts in one file. After a change: `VMFA_UPDATE=1 cargo nextest run documents`, and read the diff.
#[test]
fn docs_cli_md_is_what_the_program_says_of_itself() {
    let home = Home::new();
    let mut text =
        "# Command line\n\nEvery help text, as the program prints it; a test keeps them the same.\n".to_owned();
    // A command's own commands follow it.
    let mut commands = vec![String::new()];
    while let Some(command) = commands.pop() {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = home.run(&arguments).expect(0).stdout;
        let within = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
        let names = within.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let names = names.filter(|name| !name.is_empty() && *name != "help");
        commands.extend(names.rev().map(|name| format!("{command} {name}").trim().to_owned()));
        let help: String = help.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
        text.push_str(&format!("\n## {}\n\n```text\n{}```\n", format!("vmfa {command}").trim(), help));
    }
    // The topics that the first of them lists.
    let help = home.run(&["help"]).expect(0).stdout;
    let topics = help.split("Topics (vmfa help TOPIC):\n").nth(1).unwrap().lines().take_while(|line| !line.is_empty());
    for name in topics.map(|line| line.split_whitespace().next().unwrap()) {
        let topic = home.run(&["help", name]).expect(0).stdout;
        text.push_str(&format!("\n## vmfa help {name}\n\n```text\n{topic}```\n"));
    }
    if std::env::var_os("VMFA_UPDATE").is_some() {
        fs::write(document("cli.md"), &text).unwrap();
    }
    let kept = fs::read_to_string(document("cli.md")).unwrap_or_default();
    assert!(kept == text, "docs/cli.md is behind: VMFA_UPDATE=1 cargo nextest run documents");
}

/// The keys and types of a value; an array has the shape of its elements.
fn shape(value: &Value, place: &str, into: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    into.insert(place.to_owned(), kind);
    match value {
        Value::Array(items) => items.iter().for_each(|item| shape(item, &format!("{place}[]"), into)),
        Value::Object(object) => object.iter().for_each(|(key, item)| shape(item, &format!("{place}.{key}"), into)),
        _ => {}
    }
}

fn shape_of(text: &str) -> BTreeMap<String, &'static str> {
    let mut into = BTreeMap::new();
    shape(&serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")), "", &mut into);
    into
}

/// An Aegis export: an account, one without a secret, and the first one again.
const EXPORT: &str = r#"{"version": 1, "header": {}, "db": {"version": 2, "entries": [
{"type": "totp", "issuer": "Example", "name": "alice", "group": "Work", "info": {"secret": "GEZDGNBVGY3TQOJQ"}},
{"type": "totp", "issuer": "Example", "name": "bob", "info": {}},
{"type": "totp", "issuer": "Example", "name": "alice", "info": {"secret": "GEZDGNBVGY3TQOJQ"}}]}}"#;

/// Each example of docs/json.md has the shape of what the command in its heading answers.
#[test]
fn docs_json_md_shows_what_commands_answer() {
    let home = Home::new();
    let image = vector("qr/aws-mfauser.png");
    std::os::unix::fs::symlink(&image, home.path().join("qr.png")).unwrap();
    home.add_from("counter", &format!("otpauth://hotp/Example:x?secret={SEED}&counter=0"));
    home.file("export.json", EXPORT);
    let server = Server::start(&["--time", "virtual"]);
    let keys = server.administrator();
    let text = fs::read_to_string(document("json.md")).unwrap();
    let mut failures = Vec::new();
    let mut examples = 0;
    for section in text.split("\n## `").skip(1) {
        let (command, rest) = section.split_once('`').unwrap();
        let example = rest.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let Some(example) = example else { continue };
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        examples += 1;
        let answered = || {
            run(
                home.command()
                    .args(&arguments)
                    .env("HOME", home.path())
                    .env("AWS_ENDPOINT_URL", server.endpoint())
                    .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
                    .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.as_str()),
                b"",
            )
        };
        let shape = |run: &Run| {
            let answer = if run.stdout.is_empty() { &run.stderr } else { &run.stdout };
            shape_of(answer.lines().last().unwrap_or_default())
        };
        let mut run = answered();
        // The example repeats a code; a new step may have begun since that was printed, and has now been printed, too.
        if command.starts_with("vmfa code") && shape(&run) != shape_of(example) {
            run = answered();
        }
        let (expected, got) = (shape_of(example), shape(&run));
        if expected != got {
            failures.push(format!("{command}\nexpected {expected:#?}\ngot {got:#?}\n{run:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(examples >= 10, "only {examples} examples");
}
