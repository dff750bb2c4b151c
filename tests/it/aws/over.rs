//! Sessions that are over, by the program itself: a local clock that was wrong, and a stand-in that began anew.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use vmfa::vault::age::{Age, Identity};
use vmfa::vault::{Id, Item, Vault as _};

use crate::serve::socket::Server;
use crate::support::{Home, Run, SEED, run, tool};

/// A user with a device, whose keys and secret are the same in each account that begins so.
const SCENARIO: &str = r#"
[[user]]
name = "ann"
access_key = { id = "AKIAEXAMPLE000000001", secret = "secret-of-a-test-and-of-nothing-else-00" }
[user.inline]
all = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
[[user.device]]
name = "ann"
secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"#;

fn start(listen: &str, time: &str) -> Server {
    let home = Home::new();
    let scenario = home.file("scenario.toml", SCENARIO);
    Server::start_in(home, &["--listen", listen, "--time", time, "--scenario", scenario.to_str().unwrap()])
}

/// A home that has the device.
fn home() -> Home {
    let home = Home::new();
    let answer = format!(
        r#"{{"VirtualMFADevice": {{"SerialNumber": "arn:aws:iam::123456789012:mfa/ann", "Base32StringSeed": "{}"}}}}"#,
        base64::Engine::encode(&base64::prelude::BASE64_STANDARD, SEED)
    );
    home.run_with(&["add", "ann", "-", "--no-code"], answer.as_bytes()).expect(0);
    home
}

fn with_keys(command: &mut Command, endpoint: &str) -> Run {
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000001")
        .env("AWS_SECRET_ACCESS_KEY", "secret-of-a-test-and-of-nothing-else-00");
    run(command, b"")
}

/// The program at a faked time: so many seconds off.
fn at(home: &Home, off: &str, endpoint: &str, arguments: &[&str]) -> Run {
    let faketime = tool("faketime", "faketime");
    let mut command = home.other(faketime.get_program());
    command.args(["-f", off, env!("CARGO_BIN_EXE_vmfa"), "aws", "session", "ann"]).args(arguments);
    // The directory is the home's own, whose locks no other time has seen.
    command.env("HOME", home.path());
    with_keys(&mut command, endpoint)
}

#[test]
fn a_session_that_was_got_while_the_clock_was_fast_is_not_handed_out_once_it_is_right() {
    let server = start("127.0.0.1:0", "real");
    let home = home();
    let json = |off: &str, more: &[&str]| {
        at(&home, off, server.endpoint(), &[&["--duration", "15m", "--as", "json"], more].concat()).expect(0).json()
    };
    let first = json("+7200", &["--fresh"]);
    // The clock may stay as wrong as it is: minutes later it is still the same session.
    let same = json("+7200", &[]);
    assert_eq!((&same["cached"], &same["access_key_id"]), (&Value::from(true), &first["access_key_id"]));
    // Put right, twenty minutes later.
    let second = json("+1200", &[]);
    assert_eq!(second["cached"], Value::from(false));
    assert_ne!(second["access_key_id"], first["access_key_id"]);
}

#[test]
fn a_stand_in_that_began_anew_on_the_same_port_gets_no_session_of_before() {
    let server = start("127.0.0.1:0", "virtual");
    let address = server.address.to_string();
    let home = home();
    let session = |form: &str| {
        let mut command = home.command();
        command.args(["aws", "session", "ann", "--jump", "--as", form]);
        with_keys(&mut command, &format!("http://{address}")).expect(0).json()
    };
    let first = session("json");
    assert_eq!(session("json")["cached"], Value::from(true));
    drop(server);
    let again = start(&address, "virtual");
    let known = |id: &str, secret: &str, token: &str| {
        let keys = vmfa::wire::sigv4::Credentials::new(id, secret, Some(token));
        again.call(&keys, "GetCallerIdentity", &[]).status
    };
    let text = |answer: &Value, name: &str| answer[name].as_str().unwrap().to_owned();
    let of = |answer: &Value, names: [&str; 3]| {
        let [id, secret, token] = names.map(|name| text(answer, name));
        known(&id, &secret, &token)
    };
    assert_eq!(of(&first, ["access_key_id", "secret_access_key", "session_token"]), 403, "this is what is told apart");
    let process = session("process");
    assert_eq!(of(&process, ["AccessKeyId", "SecretAccessKey", "SessionToken"]), 200);
    let mut exec = home.command();
    exec.args(["aws", "exec", "ann", "--", "printenv", "AWS_ACCESS_KEY_ID"]);
    let exec = with_keys(&mut exec, again.endpoint()).expect(0);
    assert_eq!(exec.stdout.trim(), text(&process, "AccessKeyId"), "the new one is shared");
}

/// What the vault keeps of a session of AWS itself, whose contact was so many seconds ago by the system's clock and by
/// the one of a boot.
fn kept(boot: &str, by_system: u64, by_boot: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: u64 = uptime.split('.').next().unwrap().parse().unwrap();
    let key = r#""AKIAEXAMPLE000000001" "arn:aws:iam::123456789012:mfa/ann" "https://sts.amazonaws.com" user None"#;
    serde_json::json!({ "sessions": [{
        "key": key, "access_key_id": "ASIAEXAMPLE000000001", "secret_access_key": "secret", "session_token": "token",
        "issued": now - by_system, "expiration": now + 3_600,
        "contact": { "service": now - by_system, "system": now - by_system,
                     "boot": { "id": boot, "seconds": uptime - by_boot } },
    }], "enabled_at": [] })
    .to_string()
}

#[test]
fn a_session_of_aws_itself_takes_no_network_where_the_clocks_agree_and_is_asked_for_where_they_do_not() {
    let home = home();
    let id: Id = home.run(&["show", "ann", "--json"]).expect(0).json()["id"].as_str().unwrap().parse().unwrap();
    let identity = Identity::File { path: home.identity(), passphrase: Arc::new(|_: &str| panic!("it has none")) };
    let vault = Age::new(home.path().join("home"), Vec::new(), identity);
    let session = |secret: String| {
        let _ = vault.delete(id.companion());
        let name = "ann".parse().unwrap();
        let item = Item { name, issuer: None, account: "ann".to_owned(), secret: secret.into() };
        vault.put(id.companion(), &item).unwrap();
        let mut command = home.command();
        command.args(["aws", "session", "ann", "--json"]).env("HOME", home.path());
        command.env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000001").env("AWS_SECRET_ACCESS_KEY", "secret");
        // Nobody answers there.
        run(command.env("HTTPS_PROXY", "http://127.0.0.1:9"), b"")
    };
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let boot = boot.trim();
    assert_eq!(session(kept(boot, 1, 1)).expect(0).json()["cached"], Value::from(true));
    for (boot, by_system, by_boot) in [(boot, 7_200, 1), ("another", 1, 1)] {
        assert_eq!(session(kept(boot, by_system, by_boot)).expect(4).error_code(), "aws-unreachable");
    }
    // As it was kept before there were contacts.
    let old = kept(boot, 1, 1).replace("\"contact\"", "\"ahead\":0,\"other\"");
    assert_eq!(session(old).expect(4).error_code(), "aws-unreachable");
}

#[test]
fn more_than_what_is_left_is_a_new_session_and_more_than_it_lasts_is_refused() {
    let server = start("127.0.0.1:0", "virtual");
    let home = home();
    let session = |arguments: &[&str]| {
        let mut command = home.command();
        command.args(["aws", "session", "ann", "--jump", "--json"]).args(arguments);
        with_keys(&mut command, server.endpoint())
    };
    let cached = |arguments: &[&str]| session(arguments).expect(0).json()["cached"].as_bool().unwrap();
    assert!(!cached(&["--duration", "1h"]));
    server.wait(1_200);
    assert!(cached(&["--duration", "1h"]));
    assert!(cached(&["--duration", "1h", "--min-remaining", "39m"]));
    assert!(!cached(&["--duration", "1h", "--min-remaining", "41m"]));
    for arguments in [["--duration", "1h", "--min-remaining", "1h"], ["--duration", "36h", "--min-remaining", "37h"]] {
        assert_eq!(session(&arguments).expect(2).error_code(), "usage");
    }
}

#[test]
fn waiting_for_a_lock_has_an_end_and_names_who_has_it() {
    let server = start("127.0.0.1:0", "virtual");
    let home = home();
    let locks = vmfa::aws::Locks::new(home.path().join("home/locks"), 1);
    let serial = "arn:aws:iam::123456789012:mfa/ann";
    let held = locks.alone(serial, &|_| Ok(()), |_| panic!("somebody has it")).unwrap();
    let resync = |arguments: &[&str]| {
        let mut command = home.command();
        command.args(["aws", "resync", "ann", "--jump", "--lock-timeout", "1s"]).args(arguments);
        with_keys(&mut command, server.endpoint())
    };
    let own = format!("process {}", std::process::id());
    let waited = resync(&[]).expect(3);
    assert!(waited.stderr.contains(&format!("waiting for {own}, which is at {serial}")), "{waited:#?}");
    assert!(
        waited.stderr.contains(&format!("{own} has ")) && waited.stderr.contains("for more than 1 s"),
        "{waited:#?}"
    );
    assert_eq!(resync(&["--json"]).expect(3).error_code(), "locked");
    drop(held);
    resync(&[]).expect(0);
}

/// By a pipe, a file and a number of two digits; what is run finds nothing there.
#[test]
fn what_is_run_does_not_inherit_the_passphrase() {
    let server = start("127.0.0.1:0", "virtual");
    let home = Home::new();
    let (identity, _) = vmfa::vault::age::generate();
    let encrypted = vmfa::vault::age::encrypt_identity(&identity, &"of a test".to_owned().into(), Some(4)).unwrap();
    let protected = home.path().join("protected.age");
    vmfa::vault::age::write_new_file(&protected, &encrypted).unwrap();
    let vmfa = env!("CARGO_BIN_EXE_vmfa");
    home.file("pass", "of a test\nanother line\n");
    fs::create_dir_all(home.path().join(".aws")).unwrap();
    let look = home.file(
        "look",
        "#!/bin/sh\nls /proc/self/fd >>seen; cat /dev/fd/7 /dev/fd/12 >>seen 2>/dev/null\n\
         printf '{\"Version\":1,\"AccessKeyId\":\"AKIAEXAMPLE000000001\",\"SecretAccessKey\":\"secret-of-a-test-and-of-nothing-else-00\"}'\n",
    );
    fs::set_permissions(&look, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let config = format!("[profile run]\ncredential_process = {}\n", look.display());
    fs::write(home.path().join(".aws/config"), config).unwrap();
    let answer =
        format!("otpauth://totp/Amazon%20Web%20Services:ann@123456789012?secret={SEED}&issuer=Amazon%20Web%20Services");
    home.file("source", &answer);
    let shell = |line: &str| {
        let mut command = home.other("bash");
        command.args(["-c", line]).env("HOME", home.path()).env("VMFA_IDENTITY_FILE", &protected);
        command.env("AWS_ENDPOINT_URL", server.endpoint());
        run(&mut command, b"")
    };
    shell(&format!("{vmfa} --passphrase-fd 7 add ann source --no-code 7<pass")).expect(0);
    for (number, redirection) in
        [(7, "7<pass".to_owned()), (12, "12<pass".to_owned()), (7, "7< <(cat pass)".to_owned())]
    {
        let _ = fs::remove_file(home.path().join("seen"));
        let line = format!(
            "exec {vmfa} --passphrase-fd {number} aws exec ann --profile run --fresh --jump -- sh -c 'ls /proc/self/fd; cat /dev/fd/{number}' 9<source {redirection}"
        );
        let ran = shell(&line);
        assert_eq!(ran.code, 1, "{ran:#?}");
        let seen = fs::read_to_string(home.path().join("seen")).unwrap();
        for text in [&ran.stdout, &seen] {
            assert!(!text.contains("of a test") && !text.contains("another line"), "{ran:#?} {seen}");
            assert!(!text.lines().any(|open| open == number.to_string()), "{redirection}: {ran:#?} {seen}");
            assert!(text.lines().any(|open| open == "9"), "what was meant for it is there: {ran:#?} {seen}");
        }
    }
    // By stdin, which a program could wind back.
    let line = format!("{vmfa} --passphrase-fd 0 aws exec ann --profile run -- sh -c 'cat; cat /proc/self/fd/0' <pass");
    assert_eq!(shell(&line).expect(0).stdout, "");
}
