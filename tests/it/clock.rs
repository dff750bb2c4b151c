//! `--clock`: which clock a device runs on.

use crate::leases::{T, add, at};
use crate::support::web::Web;
use crate::support::{Home, SEED};

#[test]
fn a_servers_clock_gives_right_codes_on_a_wrong_one() {
    let home = Home::new();
    add(&home, "x", SEED);
    let web = Web::standing_at(T);
    let expected = at(&home, T, &["code", "x"])["code"].clone();
    let code = home.run(&["code", "x", "--clock", &web.url, "--json"]).expect(0).json();
    assert_eq!(code["code"], expected);
    let pair = home.run(&["pair", "x", "--clock", &web.url, "--json", "--rules", "aws"]).expect(0).json();
    assert_eq!(pair["authentication_code2"], expected);
    let mut command = home.command();
    command.args(["verify", "x", expected.as_str().unwrap(), "--json"]).env("VMFA_CLOCK", &web.url);
    assert_eq!(crate::support::run(&mut command, b"").expect(0).json()["drift_steps"], 0);
    // A first code is of that clock too, and what is wrong with it is found by whoever looks.
    let mut command = home.command();
    command.args(["add", "y", "-", "--json"]).env("VMFA_CLOCK", &web.url);
    let added = crate::support::run(&mut command, b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").expect(0).json();
    assert_eq!(added["added"][0]["first_code"]["step"], T / 30);
    let mut command = home.command();
    command.arg("doctor").env("VMFA_CLOCK", "http://127.0.0.1:9/");
    let doctor = crate::support::run(&mut command, b"").expect(3);
    assert!(doctor.stdout.contains("VMFA_CLOCK"), "{doctor:#?}");
    // And a wrong device clock on top of it.
    home.run(&["drift", "x", "--set", "60"]).expect(0);
    let code = home.run(&["code", "x", "--clock", &web.url, "--json"]).expect(0).json();
    assert_eq!(code["step"], T / 30 + 2);
}

#[test]
fn an_offset_shifts_the_systems_clock() {
    let home = Home::new();
    add(&home, "x", &format!("otpauth://totp/x?secret={SEED}&period=86400"));
    let step = |arguments: &[&str]| {
        home.run(&[&["code", "x", "--json"], arguments].concat()).expect(0).json()["step"].as_u64().unwrap()
    };
    let now = step(&["--clock", "system"]);
    assert_eq!(step(&["--clock", "+10d"]), now + 10);
    assert_eq!(step(&["--clock=-864000"]), now - 10);
    assert_eq!(step(&["--clock", "+10d", "--at", "-1d"]), now + 9, "a relative time is of that clock");
}

#[test]
fn a_server_without_a_readable_date_is_an_error_of_its_own() {
    let home = Home::new();
    add(&home, "x", SEED);
    let error = |url: &str| home.run(&["code", "x", "--clock", url, "--json"]).expect(4).error_code();
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nDate: yesterday\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:0\u{ff}\r\nContent-Length: 0\r\n\r\n",
        "220 mail.example.com ESMTP\r\n",
        "",
    ] {
        assert_eq!(error(&Web::new(move || answer.to_owned()).url), "server-time", "{answer:?}");
    }
    assert_eq!(error("http://127.0.0.1:9/"), "server-time");
    assert_eq!(error("http://name.invalid/"), "server-time");
    for clock in ["http://me:hunter2@127.0.0.1/", "ftp://example.com/", "yesterday", "90", "+90x", "", "-"] {
        let run = home.run(&["code", "x", "--clock", clock, "--json"]).expect(2);
        assert_eq!(run.error_code(), "usage", "{run:#?}");
        assert!(!run.stderr.contains("hunter2"), "{run:#?}");
    }
}
