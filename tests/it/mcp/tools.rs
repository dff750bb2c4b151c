//! The tools: what they give, of which devices, and what isn't told.

use serde_json::{Value, json};

use super::client::{Client, add, next_step, slow};
use crate::serve::socket::Server;
use crate::support::{Home, SEED, keys};

/// Three devices, one of which isn't allowed.
fn home() -> Home {
    let home = Home::new();
    for (name, secret) in
        [("ci/a", SEED), ("ci/b", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"), ("cia", "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U")]
    {
        add(&home, name, &format!("otpauth://totp/Example:{name}?secret={secret}&issuer=Example"));
    }
    home
}

/// A server with a stand-in's clock, which is moved rather than waited for.
fn virtual_time(home: &Home, more: &[&str]) -> (Client, Server) {
    let server = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let clock = ["--allow", "ci/*", "--jump", "--clock", server.endpoint()];
    (Client::start_with(home, &[&clock, more].concat()), server)
}

#[test]
fn codes_are_fresh_and_right_and_have_the_keys_of_json() {
    let home = home();
    let (mut client, server) = virtual_time(&home, &[]);
    let clock = ["--clock", server.endpoint()];
    let mut seen = Vec::new();
    for _ in 0..3 {
        let given = client.given("get_code", &json!({ "device": "ci/a" }));
        let verified = ["verify", "ci/a", given["code"].as_str().unwrap()];
        home.run(&[&verified[..], &clock].concat()).expect(0);
        let told = home.run(&[&["code", "ci/b", "--fresh", "--jump", "--json"][..], &clock].concat()).expect(0).json();
        assert_eq!(keys(&given), keys(&told));
        assert_eq!(keys(&given["codes"][0]), keys(&told["codes"][0]));
        seen.push(given["step"].as_u64().unwrap());
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    let min = client.given("get_code", &json!({ "device": "ci/a", "min_validity": 30 }));
    assert!(min["validity_seconds"].as_u64() >= Some(30), "{min}");
    let pair = client.given("get_pair", &json!({ "device": "ci/b" }));
    let told = home.run(&["pair", "cia", "--json"]).expect(0).json();
    assert_eq!(keys(&pair), keys(&told));
    assert_eq!(pair["codes"][0]["step"].as_u64().unwrap() + 1, pair["codes"][1]["step"].as_u64().unwrap());
    // A pair after a pair is waited for, too.
    let next = client.given("get_pair", &json!({ "device": "ci/b", "timeout": 300 }));
    assert!(next["codes"][0]["step"].as_u64() > pair["codes"][1]["step"].as_u64());
}

#[test]
fn a_counter_device_gives_its_next_codes() {
    let home = Home::new();
    add(&home, "ci/c", &format!("otpauth://hotp/x?secret={SEED}&counter=0"));
    let mut client = Client::start(&home);
    // The table of RFC 4226, appendix D.
    assert_eq!(client.given("get_code", &json!({}))["code"], "755224");
    let pair = client.given("get_pair", &json!({ "device": null }));
    assert_eq!([&pair["authentication_code1"], &pair["authentication_code2"]], ["287082", "359152"]);
    assert_eq!(client.failure("get_code", &json!({ "min_validity": 5 }))["kind"], "no-such-code");
    assert_eq!(client.given("get_code", &json!({ "min_validity": 0 }))["counter"], 3);
}

#[test]
fn devices_are_listed_as_json_lists_them_without_those_that_are_not_allowed() {
    let home = home();
    home.run(&["code", "ci/b"]).expect(0);
    let mut client = Client::start(&home);
    let listed = client.given("list_devices", &json!({}));
    let told = home.run(&["list", "ci/*", "--json"]).expect(0).json();
    assert_eq!(listed, told);
    assert_eq!(listed["devices"].as_array().unwrap().len(), 2);
    let all = Client::start_with(&home, &["--allow", "*", "--allow", "ci/a"]).given("list_devices", &json!({}));
    let names: Vec<&Value> = all["devices"].as_array().unwrap().iter().map(|device| &device["name"]).collect();
    assert_eq!(names, ["ci/a", "cia"], "`*` doesn't go beyond a `/`");
    let all = Client::start_with(&home, &["--allow", "**"]).given("list_devices", &json!({}));
    assert_eq!(all["devices"].as_array().unwrap().len(), 3);
}

#[test]
fn a_device_that_is_not_allowed_is_as_one_that_is_not_there() {
    let home = home();
    let _file = home.file("cix", "");
    for allow in ["ci/*", "other"] {
        let mut client = Client::start_with(&home, &["--allow", allow]);
        for tool in ["get_code", "get_pair"] {
            // As near to what is allowed as to what isn't; a file of this name is there as well.
            let [hidden, nowhere, file] =
                ["cia", "ciz", "cix"].map(|name| client.failure(tool, &json!({ "device": name })).to_string());
            assert_eq!(hidden.replace("cia", "ciz"), nowhere);
            assert_eq!(file.replace("cix", "ciz"), nowhere);
            assert!(!nowhere.contains("cia"), "{nowhere}");
        }
        let failure = client.failure("get_code", &json!({ "device": "ci*" }));
        assert_eq!(failure["kind"], "no-such-device");
        assert!(!failure.to_string().contains("cia"), "{failure}");
    }
    let mut client = Client::start(&home);
    let given = client.given("get_code", &json!({ "device": "**" }));
    assert!(given["device"].as_str().unwrap().starts_with("ci/"), "{given}");
    let near = client.failure("get_code", &json!({ "device": "ci/A" }));
    assert!(near["hints"][0].as_str().unwrap().contains("`ci/a`"), "{near}");
    assert_eq!(client.failure("get_code", &json!({}))["kind"], "usage", "there are two");
}

#[test]
fn what_a_tool_cannot_take_is_a_failure_that_a_model_can_read() {
    let home = home();
    let mut client = Client::start(&home);
    for arguments in [
        json!({ "device": 1 }),
        json!({ "device": "a".repeat(129) }),
        json!({ "timeout": 86_401 }),
        json!({ "min_validity": "5" }),
        json!({ "window": 2 }),
        json!({ "device": "**a" }),
    ] {
        let result = client.tool("get_code", &arguments);
        assert_eq!(result["structuredContent"]["kind"], "usage", "{result}");
        assert!(result["content"][0]["text"].as_str().unwrap().len() < 200, "{result}");
    }
    let failure = client.failure("get_code", &json!({ "device": "ci/a", "min_validity": 31 }));
    assert_eq!(failure["kind"], "min-validity");
    assert_eq!(failure["hints"], json!(["ask for a shorter `min_validity`"]));
}

#[test]
fn a_code_that_comes_too_late_is_a_failure_that_says_when_it_comes() {
    let home = slow("ci/x");
    home.run(&["code", "ci/x"]).expect(0);
    let result = Client::start(&home).tool("get_code", &json!({ "timeout": 5 }));
    let failure = &result["structuredContent"];
    assert_eq!(failure["kind"], "no-free-step");
    assert!(failure["wait_seconds"].as_u64() > Some(5) && failure["available_at"].is_string(), "{failure}");
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("the next is at") && text.ends_with("hint: ask again then, or with a longer `timeout`"),
        "{text}"
    );
}

#[test]
fn a_call_that_waits_keeps_nobody_from_anything_and_is_given_back_once_it_is_cancelled() {
    for (id, tool, what) in [
        (json!("one"), "get_code", "an unused code of ci/x"),
        (json!(-1), "get_code", "an unused code of ci/x"),
        (json!("1"), "get_pair", "a new pair of ci/x"),
    ] {
        let home = slow("ci/x");
        home.run(&["code", "ci/x"]).expect(0);
        let mut client = Client::start(&home);
        let told = client.wait(&id, tool, &json!({ "timeout": 86_400 }));
        assert_eq!(told["progress"], 0);
        assert!(told["total"].as_u64() > Some(0) && told["message"].as_str().unwrap().contains(what), "{told}");
        assert_eq!(client.given("list_devices", &json!({}))["devices"][0]["name"], "ci/x");
        client.call(&id, tool, &json!({}));
        assert_eq!(client.read()["error"]["code"], -32_600, "an id is used once at a time");
        client.cancel(&id);
        assert_eq!(client.ask("ping", &json!({}))["result"], json!({}));
        client.close();
        assert!(client.is_silent());
        assert_eq!(client.ended().0, Some(0));
        let now = home.run(&["code", "ci/x", "--json"]).expect(0).json()["step"].as_u64().unwrap();
        assert_eq!(next_step(&home, "ci/x"), now + 1);
        if tool == "get_pair" {
            // The step that was read last is used up, the one after it is as free.
            home.run(&["code", "ci/x", "--fresh", "--at", "+80000s"]).expect(0);
        }
    }
}

#[test]
fn a_hundred_calls_at_once_are_answered_or_told_that_others_wait() {
    let home = Home::new();
    add(&home, "ci/x", &format!("otpauth://totp/x?secret={SEED}&period=4000"));
    home.run(&["code", "ci/x"]).expect(0);
    let mut client = Client::start(&home);
    let id = |number: u32| json!(format!("call {number}"));
    for number in 0..100 {
        client.call(&id(number), "get_code", &json!({ "timeout": 86_400 }));
    }
    let said: Vec<Value> = (0..100).map(|_| client.read()).collect();
    let busy = said.iter().filter(|said| said["result"]["structuredContent"]["kind"] == "busy").count();
    let mut waits: Vec<u64> = said.iter().filter_map(|said| said["params"]["total"].as_u64()).collect();
    waits.sort_unstable();
    waits.dedup();
    assert_eq!((busy, waits.len()), (84, 16), "{said:?}");
    assert_eq!(client.ask("ping", &json!({}))["result"], json!({}));
    // There is room again for others once some are cancelled.
    (0..100).for_each(|number| client.cancel(&id(number)));
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while client.tool("list_devices", &json!({}))["isError"] == true {
        assert!(std::time::Instant::now() < patience, "nothing was cancelled");
    }
    client.close();
    assert!(client.is_silent());
    let now = home.run(&["code", "ci/x", "--json"]).expect(0).json()["step"].as_u64().unwrap();
    let next = home.run(&["code", "ci/x", "--fresh", "--at", "+4000s", "--json"]).expect(0).json();
    assert_eq!(next["step"], now + 1);
}
