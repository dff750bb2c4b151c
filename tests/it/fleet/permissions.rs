//! The policies of docs/dynamodb.md: enough for what each is for, and for nothing else; and what commands cost.
//!
//! They are held to the requests that commands make in two ways: by the policy evaluator, which is told what AWS finds out
//! about a request (`dynamodb:LeadingKeys`), and behind the stand-in, which authorizes each call and passes it on to the engine. The
//! stand-in doesn't look at which items a call is about, so there a worker's policy goes without its conditions.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;
use vmfa::policy::{Context, Decision, Document, Kind, Policies, Principal, Request, Source, evaluate};

use super::Machine;
use crate::support::dynamodb::{Engine, KEY_ID, SECRET, Server};
use crate::support::recorder::{Asked, Recorder};
use crate::support::{Home, SEED, run, set_clock};

const TABLE: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/vmfa";

/// Who makes the table, who adds devices, who only leases.
fn policies() -> [String; 3] {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dynamodb.md")).unwrap();
    let blocks: Vec<String> =
        text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect();
    blocks.try_into().unwrap()
}

/// The single actions that AWS authorizes for a request, each with the keys and attributes that it finds out.
fn actions(asked: &Asked) -> Vec<(String, Vec<String>, BTreeSet<String>)> {
    let of = |operation: &str, request: &Value| {
        let mut keys = Vec::new();
        let mut attributes = BTreeSet::new();
        for name in ["Key", "Item"] {
            if let Some(item) = request[name].as_object() {
                keys.push(item["pk"]["S"].as_str().unwrap().to_owned());
                attributes.extend(item.keys().cloned());
            }
        }
        if let Some(names) = request["ExpressionAttributeNames"].as_object() {
            attributes.extend(names.values().map(|name| name.as_str().unwrap().to_owned()));
        }
        if operation == "Query" {
            keys.push(request["ExpressionAttributeValues"][":pk"]["S"].as_str().unwrap().to_owned());
        }
        (format!("dynamodb:{operation}"), keys, attributes)
    };
    match asked.operation.as_str() {
        "TransactWriteItems" => {
            let writes = asked.request["TransactItems"].as_array().unwrap().iter();
            writes
                .flat_map(|write| write.as_object().unwrap())
                .map(|(name, request)| of(&format!("{name}Item"), request))
                .collect()
        }
        "BatchGetItem" => {
            let tables = asked.request["RequestItems"].as_object().unwrap().values();
            let keys = tables.flat_map(|table| table["Keys"].as_array().unwrap());
            let keys = keys.map(|key| key["pk"]["S"].as_str().unwrap().to_owned()).collect();
            vec![("dynamodb:BatchGetItem".to_owned(), keys, BTreeSet::new())]
        }
        operation => vec![of(operation, &asked.request)],
    }
}

fn allows(policy: &Document, (action, keys, attributes): (String, Vec<String>, BTreeSet<String>)) -> bool {
    let mut context = Context::new();
    if !keys.is_empty() {
        context.set_list("dynamodb:LeadingKeys", keys);
    }
    if !attributes.is_empty() {
        context.set_list("dynamodb:Attributes", attributes);
    }
    let principal = Principal::User { arn: "arn:aws:iam::123456789012:user/x".to_owned() };
    let request = Request { action, resources: vec![TABLE.to_owned()], principal, context };
    let policies = Policies { identity: vec![Source { name: "p", document: policy }], ..Policies::default() };
    evaluate(&policies, &request).decision() == Decision::Allowed
}

/// A machine whose requests are kept.
fn recorded(server: &Server) -> (Machine, Recorder) {
    let recorder = Recorder::before(server.port());
    let url = server.url().replace(&server.port().to_string(), &recorder.port.to_string());
    (Machine { home: Home::new(), url }, recorder)
}

#[test]
fn each_policy_allows_what_it_is_for_and_no_more() {
    let server = Server::start(Engine::Dynoxide);
    let (machine, recorder) = recorded(&server);
    let [maker, manager, leaser] = policies().map(|text| Document::parse(&text, Kind::Identity).unwrap());
    let refused = |policy: &Document, asked: &[Asked]| -> Vec<String> {
        let all = asked.iter().flat_map(actions);
        all.filter(|action| !allows(policy, action.clone()))
            .map(|(action, keys, _)| format!("{action} {keys:?}"))
            .collect()
    };
    machine.run(&["init", "--registry", &machine.url]).expect(0);
    let asked = recorder.take();
    assert_eq!(refused(&maker, &asked), Vec::<String>::new());
    assert!(refused(&manager, &asked).iter().any(|action| action.contains("CreateTable")));
    let changes: &[(&[&str], &str)] = &[
        (&["add", "x", "-", "--no-code"], SEED),
        (&["add", "y", "-", "--no-code"], "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
        (&["rename", "y", "z"], ""),
        (&["edit", "z", "--note", "on the shelf"], ""),
        (&["remove", "z", "--yes"], ""),
        (&["trash", "restore", "z"], ""),
        (&["remove", "z", "--now", "--yes"], ""),
    ];
    for (command, stdin) in changes {
        machine.run_with(command, stdin.as_bytes()).expect(0);
        let asked = recorder.take();
        assert_eq!(refused(&manager, &asked), Vec::<String>::new(), "{command:?}");
        assert!(!refused(&leaser, &asked).is_empty(), "{command:?}");
    }
    let leases: &[&[&str]] = &[
        &["code", "x", "--fresh", "--window"],
        &["code", "x", "--fresh", "--window"],
        &["code", "*", "--fresh", "--window", "9"],
        &["code", "x"],
        &["pair", "x", "--at", "2026-11-21T12:00:00Z"],
        &["list"],
    ];
    for command in leases {
        machine.run(command).expect(0);
        let asked = recorder.take();
        assert!(!asked.is_empty());
        for policy in [&leaser, &manager, &maker] {
            assert_eq!(refused(policy, &asked), Vec::<String>::new(), "{command:?}");
        }
    }
}

/// A stand-in that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn each_policy_is_enough_behind_the_stand_in() {
    let server = Server::start(Engine::Dynoxide);
    let users = ["maker", "manager", "leaser"];
    let ids = ["AKIAMAKERMAKERMAKER1", "AKIAMANAGERMANAGER12", "AKIALEASERLEASER1234"];
    let secret = format!("{SECRET}-0123456789012345678901234567");
    let mut scenario = String::new();
    for ((user, id), policy) in users.iter().zip(ids).zip(policies()) {
        let mut policy: Value = serde_json::from_str(&policy).unwrap();
        for statement in policy["Statement"].as_array_mut().unwrap() {
            statement.as_object_mut().unwrap().remove("Condition");
        }
        scenario += &format!(
            "[[user]]\nname = \"{user}\"\naccess_key = {{ id = \"{id}\", secret = \"{secret}\" }}\ninline.own = '''{policy}'''\n\n"
        );
    }
    let machine = Machine { home: Home::new(), url: String::new() };
    let file = machine.home.file("scenario.toml", scenario);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_vmfa"))
        .args(["serve", "--json", "--upstream", &format!("http://127.0.0.1:{}", server.port()), "--scenario"])
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _running = Running(child);
    let ready: Value = serde_json::from_str(&line).unwrap();
    let url = |table: &str| {
        format!("dynamodb://{table}?region=eu-central-1&endpoint={}", ready["endpoint"].as_str().unwrap())
    };
    let by = |user: &str, arguments: &[&str], stdin: &str| {
        let id = ids[users.iter().position(|known| *known == user).unwrap()];
        let mut command = machine.command();
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", &secret).env("VMFA_REGISTRY", url("vmfa"));
        let run = run(command.args(arguments), stdin.as_bytes());
        assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET), "{run:#?}");
        run
    };
    for user in ["leaser", "manager"] {
        let refused = by(user, &["init", "--registry", &url("vmfa"), "--json"], "").expect(3);
        assert_eq!(refused.error_code(), "registry-refused", "{user}");
    }
    by("maker", &["init", "--registry", &url("vmfa")], "").expect(0);
    by("manager", &["add", "x", "-", "--no-code"], SEED).expect(0);
    by("manager", &["rename", "x", "y"], "").expect(0);
    by("leaser", &["init"], "").expect(0);
    by("leaser", &["code", "y", "--fresh", "--window"], "").expect(0);
    by("leaser", &["code", "y", "--fresh", "--window"], "").expect(0);
    by("manager", &["remove", "y", "--now", "--yes"], "").expect(0);
    // By a clock that signatures don't allow, they are made by the service's.
    let id = ids[1];
    for ahead in [7_200, -7_200] {
        let mut command = machine.command();
        set_clock(&mut command, ahead);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", &secret).env("VMFA_REGISTRY", url("vmfa"));
        run(command.arg("list"), b"").expect(0);
    }
    // The policies name this table.
    for user in users {
        let refused = by(user, &["list", "--registry", &url("other"), "--json"], "").expect(3);
        assert_eq!(refused.error_code(), "registry-refused", "{user}");
    }
    // Nobody's key.
    let mut command = machine.command();
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).args(["list", "--json", "--registry", &url("vmfa")]);
    assert_eq!(run(&mut command, b"").expect(3).error_code(), "registry-refused");
}

/// What docs/dynamodb.md says that commands cost. `VMFA_COSTS=1` prints it.
#[test]
fn commands_cost_what_the_documentation_says() {
    let server = Server::start(Engine::Dynoxide);
    let (machine, recorder) = recorded(&server);
    machine.run(&["init", "--registry", &machine.url]).expect(0);
    let seed = |number: usize| crate::leases::seed_for(&format!("ci/{number}"));
    for number in 0..16 {
        machine.run_with(&["add", &format!("ci/{number}"), "-", "--no-code"], seed(number).as_bytes()).expect(0);
    }
    let at = |time: &'static str| ["--fresh", "--at", time];
    machine.run(&[&["code", "ci/1"][..], &at("2026-11-21T12:00:00Z")].concat()).expect(0);
    for time in ["2026-11-21T12:10:00Z", "2026-11-21T12:20:00Z"] {
        machine.run(&[&["code", "ci/*"][..], &at(time)].concat()).expect(0);
    }
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dynamodb.md")).unwrap();
    let commands: &[(&str, &[&str], String)] = &[
        ("`vmfa code NAME --fresh`", &["code", "ci/1", "--fresh", "--at", "2026-11-21T12:30:00Z"], String::new()),
        (
            "`vmfa code 'ci/*' --fresh`, of 16 devices",
            &["code", "ci/*", "--fresh", "--at", "2026-11-21T12:40:00Z"],
            String::new(),
        ),
        ("`vmfa list`, 16 devices", &["list"], String::new()),
        ("`vmfa add`", &["add", "new", "-", "--no-code"], seed(99)),
        ("`vmfa rename`", &["rename", "new", "newer"], String::new()),
    ];
    for (name, command, stdin) in commands {
        recorder.take();
        machine.run_with(command, stdin.as_bytes()).expect(0);
        let asked = recorder.take();
        let units = |write: bool| -> f64 {
            asked.iter().filter(|asked| asked.is_write() == write).map(|asked| asked.units).sum()
        };
        let line = format!("| {name} | {} | {:.0} | {:.0} |", asked.len(), units(false).ceil(), units(true).abs());
        if std::env::var_os("VMFA_COSTS").is_some() {
            println!("{line}");
            for asked in &asked {
                println!("  {} {} {}", asked.operation, asked.units, asked.request);
            }
        } else {
            assert!(text.contains(&line), "{line}");
        }
    }
}
