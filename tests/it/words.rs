//! One term for one thing: the glossary of docs/style.md, held against help texts and messages.

use std::fs;
use std::path::{Path, PathBuf};

/// Words of the glossary's column "not" that mean nothing else here, each with the texts in which it may stand.
const CHECKED: &[(&str, &[&str])] = &[
    // What KeePass and PostgreSQL have is one, in their own words.
    (
        "database",
        &[
            "keepassxc-cli show -s -a otp DATABASE",
            "in KeePassXC",
            "KeePass database",
            "postgres://USER@HOST/DATABASE",
            "the registry in that database",
            "the registry in that database or table",
            "the registry's database",
            "database's password",
        ],
    ),
    // The attribute of KeePassXC, and a word that a user may type.
    ("OTP", &["OTP Auth", "keepassxc-cli show -s -a otp", "\"otp\""]),
    // The option of the AWS CLI's botocore test data, and an error's code, which never changes.
    ("seed", &["\"no-seed\"", "\"--seed\""]),
    ("interval", &[]),
    ("time step size", &[]),
    ("double code", &[]),
    ("skew", &[]),
    ("tolerance", &[]),
    ("activate", &[]),
    ("register", &[]),
    ("provision", &[]),
    ("onboard", &[]),
    ("backend", &[]),
    ("private key", &[]),
    ("mock", &[]),
    ("fake", &[]),
    ("emulator", &[]),
    ("reserve", &[]),
    ("reserved", &[]),
    ("reservation", &[]),
];

/// The others, and what they also mean, which no test can tell apart.
const NOT_CHECKED: &[(&str, &str)] = &[
    ("account", "of a service, and of AWS"),
    ("record", "is a verb as well, and a row of a table"),
    ("token", "of hardware, and AWS's own word"),
    ("password", "of a user, and of a keyring"),
    ("key alone", "access keys, age keys"),
    ("window", "is a term itself, and an option"),
    ("index", "the number of an argument, in AWS's messages too"),
    ("offset", "of a clock that is shifted on purpose"),
    ("resync in prose", "is a command's name"),
    ("ARN alone", "of users and roles"),
    ("store", "is a verb as well"),
    ("public key", "what a recipient is, in age's own words"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What the program says: help as docs/cli.md has it, the texts of errors, and all texts of the command line.
fn said() -> Vec<(String, String)> {
    let mut said = Vec::new();
    for line in fs::read_to_string(root().join("docs/cli.md")).unwrap().lines() {
        said.push(("docs/cli.md".to_owned(), line.to_owned()));
    }
    let source = root().join("src");
    for path in files(&source).iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        // What these say is AWS's.
        if ["src/wire", "src/serve"].iter().any(|aws| name.starts_with(aws)) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("\n#[cfg(test)]\n").next().unwrap();
        for line in code.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let whole = name.starts_with("src/cli") || line.starts_with("#[error(");
            if whole && let Some((_, literal)) = line.split_once('"') {
                said.push((name.clone(), format!("\"{literal}")));
            }
        }
    }
    said
}

/// Whether a text has a word as such, in any case.
fn has(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(&word)
        .any(|(at, _)| !letter(text[..at].chars().next_back()) && !letter(text[at + word.len()..].chars().next()))
}

#[test]
fn help_and_messages_have_the_words_of_the_glossary() {
    let said = said();
    assert!(said.len() > 2000, "only {} lines", said.len());
    let mut wrong = Vec::new();
    for (word, allowed) in CHECKED {
        for (place, text) in said.iter().filter(|(_, text)| has(text, word) || has(text, &format!("{word}s"))) {
            if !allowed.iter().any(|allowed| text.contains(allowed)) {
                wrong.push(format!("{place}: {word}: {text}"));
            }
        }
        for allowed in *allowed {
            assert!(said.iter().any(|(_, text)| text.contains(allowed)), "nothing has `{allowed}` any more");
        }
    }
    assert!(wrong.is_empty(), "see the glossary in docs/style.md:\n{}", wrong.join("\n"));
}

#[test]
fn every_word_that_the_glossary_forbids_is_checked_or_left_for_a_reason() {
    let style = fs::read_to_string(root().join("docs/style.md")).unwrap();
    let glossary = style.split("\n| term | meaning | not |\n").nth(1).unwrap();
    let forbidden: Vec<&str> = glossary
        .lines()
        .filter_map(|line| line.trim_end_matches(" |").rsplit(" | ").next())
        .filter(|cell| !cell.starts_with("|-"))
        .flat_map(|cell| cell.split(", "))
        .collect();
    let known = |word: &str| CHECKED.iter().any(|(w, _)| *w == word) || NOT_CHECKED.iter().any(|(w, _)| *w == word);
    let unknown: Vec<_> = forbidden.iter().filter(|word| !known(word)).collect();
    assert!(forbidden.len() > 30 && unknown.is_empty(), "{unknown:?}");
}

#[test]
fn a_word_is_found_as_such_only() {
    assert!(has("an OTP.", "otp") && !has("a TOTP device", "otp") && !has("otpauth", "otp"));
    assert!(has("is reserved", "reserved") && !has("is reserved", "reserve"));
}
