//! The protocol: what is agreed on at the beginning, and what each message is answered with.

use serde_json::{Value, json};

use super::client::Client;
use crate::support::Home;

fn hello(version: &str) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client })
}

fn connect(home: &Home) -> Client {
    let mut command = home.command();
    command.args(["mcp", "--allow", "ci/*"]);
    Client::connect(&mut command)
}

#[test]
fn the_clients_revision_is_taken_where_it_is_known_and_else_the_newest() {
    let home = Home::new();
    for (asked, answered) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
        ("", "2025-11-25"),
    ] {
        let mut client = connect(&home);
        let result = client.ask("initialize", &hello(asked))["result"].clone();
        assert_eq!(result["protocolVersion"], answered);
        assert_eq!(result["capabilities"], json!({ "tools": {} }));
        assert_eq!(result["serverInfo"]["name"], "vmfa");
        assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    }
}

#[test]
fn the_beginning_comes_first_and_once() {
    let home = Home::new();
    let mut client = connect(&home);
    let code = |answer: Value| answer["error"]["code"].clone();
    assert_eq!(client.ask("ping", &json!({}))["result"], json!({}));
    assert_eq!(code(client.ask("server/discover", &json!({}))), -32_601);
    assert_eq!(code(client.ask("tools/list", &json!({}))), -32_600);
    assert_eq!(code(client.ask("tools/call", &json!({ "name": "list_devices" }))), -32_600);
    for wrong in [json!({}), json!({ "protocolVersion": "2025-06-18" }), json!({ "protocolVersion": 1 })] {
        assert_eq!(code(client.ask("initialize", &wrong)), -32_602);
    }
    assert!(client.ask("initialize", &hello("2025-06-18"))["result"].is_object());
    assert_eq!(code(client.ask("initialize", &hello("2025-06-18"))), -32_600);
    assert!(client.ask("tools/list", &json!({}))["result"].is_object());
}

#[test]
fn every_message_is_answered_by_its_kind() {
    let home = Home::new();
    let mut client = Client::start(&home);
    for (line, id, code) in [
        ("{", json!(null), -32_700),
        (r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#, json!(null), -32_700),
        (r#"[{"jsonrpc":"2.0","id":7,"method":"ping"}]"#, json!(null), -32_600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, json!(null), -32_600),
        (r#"{"id":7,"method":"ping"}"#, json!(7), -32_600),
        (r#"{"jsonrpc":"2.0","id":"é","method":"resources/list"}"#, json!("é"), -32_601),
        (r#"{"jsonrpc":"2.0","id":-7,"method":"tools/call","params":[]}"#, json!(-7), -32_602),
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}"#, json!(7), -32_602),
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_secret"}}"#, json!(7), -32_602),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_code","arguments":[]}}"#,
            json!(7),
            -32_602,
        ),
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":"x"}}"#, json!(7), -32_602),
    ] {
        client.raw(format!("{line}\n").as_bytes());
        let answer = client.read();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{line}: {answer}");
        assert_eq!(answer["jsonrpc"], "2.0");
    }
    // What isn't answered: notifications, answers, empty lines. A line may end as on Windows.
    client.raw(b"\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/none\"}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\r\n");
    client.cancel(&json!("nothing"));
    assert_eq!(client.ask("ping", &json!({}))["result"], json!({}));
}

#[test]
fn the_tools_say_what_they_take_give_and_do() {
    let home = Home::new();
    let mut client = Client::start(&home);
    let tools = client.ask("tools/list", &json!({ "cursor": null }))["result"]["tools"].clone();
    let names: Vec<&str> = tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["list_devices", "get_code", "get_pair"]);
    for tool in tools.as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["additionalProperties"], false);
        assert_eq!(tool["outputSchema"]["type"], "object");
        assert_eq!(tool["annotations"]["readOnlyHint"], tool["name"] == "list_devices", "{tool}");
        assert_eq!(tool["annotations"]["destructiveHint"], false);
    }
}

/// Every block of settings in docs/mcp.md starts a server.
#[test]
fn the_settings_that_the_documentation_has_are_good() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mcp.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 2);
    let home = Home::new();
    for block in blocks {
        let block = block.replace("/home/you", home.path().to_str().unwrap());
        let settings: Value = serde_json::from_str(&block).unwrap();
        let server = settings.get("mcpServers").or_else(|| settings.get("servers")).unwrap()["vmfa"].clone();
        assert_eq!(server["command"], "vmfa");
        let arguments: Vec<&str> =
            server["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let mut command = home.command();
        let mut client = Client::begin(command.args(arguments));
        assert_eq!(client.given("list_devices", &json!({})), json!({ "devices": [] }));
    }
    assert!(home.path().join("vmfa-audit.jsonl").exists());
}
