//! The reference client (`mcp` from PyPI).

use std::path::Path;

use serde_json::Value;

use super::client::add;
use crate::support::{Home, SEED, installed, run};

/// As clients are that ask for the newest revision first, and as those are that know none without `initialize`.
#[test]
fn the_reference_client_gets_codes_that_are_accepted() {
    for mode in ["auto", "legacy"] {
        let home = Home::new();
        let device = |name: &str, secret: &str, period: u64| {
            add(&home, name, &format!("otpauth://totp/Example:{name}?secret={secret}&period={period}"));
        };
        device("ci/a", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA", 30);
        device("ci/b", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXB", 30);
        device("ci/pair", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXC", 30);
        device("ci/slow", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXD", 20_000);
        device("hidden", SEED, 30);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/mcp_client.py");
        let mut python = home.other(installed("python3"));
        python.arg(script).args([mode, env!("CARGO_BIN_EXE_vmfa"), "mcp", "--allow", "ci/*"]);
        let got = run(&mut python, b"").expect(0).json();
        let accepted = |device: &str, codes: &[&Value]| {
            let codes: Vec<&str> = codes.iter().map(|code| code.as_str().unwrap()).collect();
            home.run(&[&["verify", device], &codes[..]].concat()).expect(0);
        };
        accepted("ci/a", &[&got["code"]["code"]]);
        accepted("ci/b", &[&got["pool"]["code"]]);
        accepted("ci/pair", &[&got["pair"]["authentication_code1"], &got["pair"]["authentication_code2"]]);
        // What was waited for and cancelled is free again.
        let now = home.run(&["code", "ci/slow", "--json"]).expect(0).json()["step"].as_u64().unwrap();
        let next = home.run(&["code", "ci/slow", "--fresh", "--at", "+20000s", "--json"]).expect(0).json();
        assert_eq!(next["step"], now + 1);
    }
}
