//! Botocore, under the AWS CLI and boto3, on the same files: whoever moves from these is the same user at the same place.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::scenario::{self, ASPECTS};
use crate::support::installed;

#[test]
fn botocore_makes_the_same_of_every_scenario_but_for_what_its_file_says() {
    let scenarios = scenario::all();
    let questions: Vec<Value> = scenarios
        .iter()
        .map(|scenario| {
            json!({
                "name": scenario.name,
                "home": scenario.home(),
                "options": scenario.options,
                "environment": scenario.environment,
            })
        })
        .collect();
    let mut python = Command::new(installed("python3"))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/settings.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(Value::from(questions).to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{said}"));
    let mut failures = Vec::new();
    for scenario in &scenarios {
        let ours = scenario.ours();
        for aspect in ASPECTS {
            let theirs = answers[&scenario.name][aspect].as_str().unwrap();
            let same = ours[aspect] == theirs;
            match scenario.elsewhere.get(aspect) {
                None if !same => {
                    failures.push(format!("{}: {aspect} is {}, in botocore {theirs}", scenario.name, ours[aspect]))
                }
                Some(expected) if expected != theirs => {
                    failures.push(format!("{}: {aspect} in botocore is {theirs}, not {expected}", scenario.name));
                }
                Some(_) if same => failures.push(format!("{}: {aspect} is no different in botocore", scenario.name)),
                _ => {}
            }
        }
    }
    assert!(failures.is_empty(), "{}\n\n{said}", failures.join("\n"));
}
