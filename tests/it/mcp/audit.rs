//! The audit file: a line for each code, before it is given, and no code without a line.

use std::path::Path;

use serde_json::{Value, json};

use super::client::{Client, add, slow};
use crate::support::{Home, SEED};

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_code_is_written_down_without_the_code() {
    let home = Home::new();
    add(&home, "ci/x", &format!("otpauth://totp/Example:x?secret={SEED}"));
    add(&home, "ci/c", &format!("otpauth://hotp/x?secret={SEED}&counter=5"));
    let file = home.path().join("audit");
    let mut client = Client::start_with(&home, &["--allow", "ci/*", "--audit", "audit"]);
    let code = client.given("get_code", &json!({ "device": "ci/x" }));
    let counted = client.given("get_code", &json!({ "device": "ci/c" }));
    let pair = client.given("get_pair", &json!({ "device": "ci/c" }));
    client.given("list_devices", &json!({}));
    client.failure("get_code", &json!({ "device": "nowhere" }));
    let mut told = lines(&file);
    for line in &mut told {
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
        line.as_object_mut().unwrap().remove("time");
    }
    let by = json!({ "name": "test", "version": "1.2" });
    assert_eq!(
        told,
        [
            json!({ "tool": "get_code", "device": "ci/x", "client": by, "step": code["step"] }),
            json!({ "tool": "get_code", "device": "ci/c", "client": by, "counter": 5 }),
            json!({ "tool": "get_pair", "device": "ci/c", "client": by, "counters": [6, 7] }),
        ]
    );
    let text = std::fs::read_to_string(&file).unwrap();
    for code in [&code["code"], &counted["code"], &pair["authentication_code1"], &pair["authentication_code2"]] {
        assert!(!text.contains(code.as_str().unwrap()), "{text}");
    }
}

#[test]
fn what_is_no_regular_file_is_refused_at_the_start() {
    let home = Home::new();
    for file in ["/dev/full", ".", "/dev/stdout"] {
        let refused = home.run(&["mcp", "--allow", "x", "--audit", file, "--json"]).expect(3);
        assert_eq!(refused.error_code(), "audit", "{refused:?}");
    }
}

/// A file that can't grow beyond what it has: the line doesn't fit, and then it doesn't even begin.
#[test]
fn without_its_line_no_code_is_given_or_used_up() {
    const BLOCKS: u64 = 200_000;
    let home = slow("ci/x");
    add(&home, "ci/c", &format!("otpauth://hotp/x?secret={SEED}&counter=5"));
    let file = home.path().join("audit");
    std::fs::File::create(&file).unwrap().set_len(BLOCKS * 512 - 10).unwrap();
    let mut command = home.other("sh");
    let script = format!(r#"ulimit -f {BLOCKS} && exec "$0" mcp --allow 'ci/*' --audit audit"#);
    let mut client = Client::begin(command.args(["-c", &script, env!("CARGO_BIN_EXE_vmfa")]));
    let text = |failure: &Value| failure["message"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        for tool in ["get_code", "get_pair"] {
            let failure = client.failure(tool, &json!({ "device": "ci/x" }));
            assert_eq!(failure["kind"], "audit", "{failure}");
            assert!(text(&failure).ends_with("nothing was handed out or used up"), "{failure}");
        }
    }
    let counted = client.failure("get_code", &json!({ "device": "ci/c" }));
    assert!(text(&counted).ends_with("what it had claimed counts as used"), "{counted}");
    // There is room again.
    std::fs::File::options().write(true).open(&file).unwrap().set_len(0).unwrap();
    assert_eq!(client.given("get_code", &json!({ "device": "ci/c" }))["counter"], 6);
    let pair = client.given("get_pair", &json!({ "device": "ci/x" }));
    let told = std::fs::read_to_string(&file).unwrap();
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(last["steps"], json!([pair["codes"][0]["step"], pair["codes"][1]["step"]]));
    let now = home.run(&["code", "ci/x", "--json"]).expect(0).json();
    assert_eq!(last["steps"][1], now["step"], "the codes before were free again");
}
