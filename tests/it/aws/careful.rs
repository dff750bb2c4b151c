//! What must not happen, whatever servers, files and other runs do.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::kill::{Stage, serial};
use super::proxy::{Act, Fate, Proxy};
use crate::serve::socket::Server;
use crate::serve::support::ALLOW_ALL;
use crate::support::{Run, SEED, run, tool};

/// A stage whose device is enabled and known.
fn enabled() -> Stage {
    let stage = Stage::new(ALLOW_ALL);
    stage.run(&["enable", "--no-wait"]).expect(0);
    stage.server.wait(60);
    stage
}

fn with(mut command: Command, variables: &[(&str, &str)]) -> Run {
    run(command.envs(variables.iter().copied()), b"")
}

#[test]
fn another_account_or_another_stand_in_costs_no_secret() {
    let stage = enabled();
    for account in ["999999999999", "123456789012"] {
        let other = Server::start(&["--account", account]);
        let keys = other.administrator();
        let code = if account == "123456789012" { "aws-not-there" } else { "aws-other-account" };
        // Nor is it called good for nothing.
        for what_then in ["--remove", "--keep", "--jump"] {
            let disable = ["disable", "mfauser", "--user", "administrator", what_then, "--yes", "--json"];
            let failed = with(
                stage.command(other.endpoint(), &disable),
                &[("AWS_ACCESS_KEY_ID", &keys.access_key_id), ("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)],
            );
            assert_eq!(failed.expect(1).error_code(), code, "{what_then}");
        }
    }
    assert_eq!(stage.here(), ["mfauser"]);
    stage.run(&["session", "mfauser"]).expect(0);
}

#[test]
fn what_is_renamed_while_it_is_disabled_is_removed_and_nothing_else() {
    let stage = enabled();
    stage.home.add("precious");
    let home = stage.home.path().to_owned();
    let rename = move |from: &str, to: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmfa"));
        command.args(["rename", from, to]).env("VMFA_HOME", home.join("home")).env("VMFA_VAULT", "age");
        command.env("VMFA_IDENTITY_FILE", home.join("identity.txt"));
        assert!(command.output().unwrap().status.success());
    };
    let rename = Arc::new(rename);
    let proxy = Proxy::start(stage.server.address, move |_, action| {
        let rename = Arc::clone(&rename);
        match action {
            "DeleteVirtualMFADevice" => Act::Meanwhile(Box::new(move || {
                rename("mfauser", "old");
                rename("precious", "mfauser");
            })),
            _ => Act::Fate(Fate::Good),
        }
    });
    run(&mut stage.command(&proxy.url(), &["disable", "mfauser", "--remove", "--yes"]), b"").expect(0);
    assert_eq!(stage.here(), ["mfauser"]);
    let left = stage.home.run(&["uri", "mfauser", "--reveal"]).expect(0).stdout;
    assert!(left.contains(SEED), "{left}");
}

#[test]
fn what_is_renamed_while_its_removal_waits_is_removed_and_nothing_else() {
    let stage = enabled();
    stage.home.add("precious");
    let locks = vmfa::aws::Locks::new(stage.home.path().join("home/locks"), 1);
    let held = locks.alone(&serial(), &|_| Ok(()), |_| panic!("somebody has it")).unwrap();
    let mut remove = stage.home.command();
    let mut child = remove.args(["remove", "mfauser", "--yes"]).stderr(Stdio::piped()).spawn().unwrap();
    // It says so as soon as it waits, and for whom.
    let expected = format!("waiting for process {}, ", std::process::id());
    let mut said = vec![0; expected.len()];
    child.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
    assert_eq!(String::from_utf8(said).unwrap(), expected);
    stage.home.run(&["rename", "mfauser", "old"]).expect(0);
    stage.home.run(&["rename", "precious", "mfauser"]).expect(0);
    drop(held);
    assert!(child.wait().unwrap().success());
    assert_eq!(stage.here(), ["mfauser"]);
    assert!(stage.home.run(&["uri", "mfauser", "--reveal"]).expect(0).stdout.contains(SEED));
}

#[test]
fn the_secret_is_offered_to_be_removed_once_it_is_good_for_nothing() {
    let stage = enabled();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/answer.py");
    let disable = |answers: &str, code: i32| {
        let ours = stage.command(stage.server.endpoint(), &["disable", "mfauser"]);
        let mut command = tool("python3", "python3");
        command.args([script, answers]).arg(ours.get_program()).args(ours.get_args()).env_clear();
        for (name, value) in ours.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        run(&mut command, b"").expect(code).stdout
    };
    // Nothing is changed and no code is used before the answer.
    let said = disable("n", 1);
    let told = format!("{} of user mfauser will be deactivated and deleted at {}", serial(), stage.server.endpoint());
    assert!(said.contains(&told), "{said}");
    assert!(said.contains("Deactivate and delete it? [y/N]") && said.contains("nothing was changed"), "{said}");
    assert_eq!(stage.there(), [(serial(), Some("mfauser".to_owned()))]);
    let unasked = stage.run(&["disable", "mfauser", "--remove", "--json"]).expect(2);
    assert!(unasked.stderr.contains("--yes"), "{unasked:#?}");
    assert_eq!(stage.there(), [(serial(), Some("mfauser".to_owned()))]);
    assert!(!stage.server.get("/_vmfa/events").body.contains("GetSessionToken"));
    let said = disable("y,n", 0);
    assert!(said.contains("Remove `mfauser` and its secret here, too? [y/N]"), "{said}");
    assert!(stage.there().is_empty() && stage.here() == ["mfauser"]);
    // It is offered again: that the device was there is known.
    let said = disable("y,y", 0);
    assert!(said.contains("was disabled before") && said.contains("removed mfauser"), "{said}");
    assert!(stage.here().is_empty());
}

#[test]
fn remove_says_what_disable_said() {
    let stage = enabled();
    let note = || stage.home.run(&["remove", "mfauser", "--now"]).expect(2).stderr;
    assert!(note().contains("if AWS still expects codes of this device"), "{}", note());
    let disabled = stage.run(&["disable", "mfauser", "--keep", "--yes"]).expect(0);
    assert!(disabled.stderr.contains("no longer needed: vmfa remove mfauser"), "{disabled:#?}");
    let gone = format!("AWS has no {} any more: it was deleted at {}", serial(), stage.server.endpoint());
    assert!(note().contains(&gone) && !note().contains("expects codes"), "{}", note());
    let removed = stage.home.run(&["remove", "mfauser", "--yes"]).expect(0);
    assert!(removed.stderr.contains(&gone), "{removed:#?}");
}

#[test]
fn disabling_guesses_no_device() {
    let stage = enabled();
    stage.home.add("mine");
    let failed = stage.run(&["disable", "mine", "--remove", "--yes", "--json"]).expect(1);
    assert_eq!(failed.error_code(), "aws-no-serial");
    assert_eq!(stage.there(), [(serial(), Some("mfauser".to_owned()))]);
    let failed = stage.run(&["session", "mine", "--json"]).expect(1);
    assert_eq!(failed.error_code(), "aws-no-serial");
}

#[test]
fn a_device_that_the_service_names_otherwise_is_not_stored() {
    let stage = Stage::new(ALLOW_ALL);
    let seed = "SkJTV1kzRFBFSFBLM1BYUEpCU1dZM0RQRUhQSzNQWFA=";
    for number in ["arn:aws:iam::999999999999:mfa/mfauser", "x", ""] {
        let body = format!(
            "<R><CreateVirtualMFADeviceResult><VirtualMFADevice><SerialNumber>{number}</SerialNumber>\
             <Base32StringSeed>{seed}</Base32StringSeed></VirtualMFADevice></CreateVirtualMFADeviceResult></R>"
        );
        let proxy = Proxy::start(stage.server.address, move |_, action| match action {
            "CreateVirtualMFADevice" => Act::Answer(body.clone()),
            _ => Act::Fate(Fate::Good),
        });
        let failed = run(&mut stage.command(&proxy.url(), &["enable", "--json"]), b"").expect(4);
        assert_eq!(failed.error_code(), "aws-unreadable");
    }
    assert!(stage.here().is_empty());
}

#[test]
fn sessions_that_would_be_more_than_keys_are_refused() {
    let stage = enabled();
    for token in ["a\ncredential_process = touch x", "a b", "\u{1b}[2J", &"x".repeat(20_000)] {
        let body = format!(
            "<R><GetSessionTokenResult><Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
             <SessionToken>{token}</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>\
             </GetSessionTokenResult></R>"
        );
        let proxy = Proxy::start(stage.server.address, move |_, action| match action {
            "GetSessionToken" => Act::Answer(body.clone()),
            _ => Act::Fate(Fate::Good),
        });
        let arguments = ["session", "mfauser", "--as", "profile", "--jump"];
        let failed = run(&mut stage.command(&proxy.url(), &arguments), b"");
        assert_eq!((failed.code, failed.stdout.as_str()), (4, ""), "{failed:#?}");
    }
}

#[test]
fn a_damaged_cache_is_written_anew() {
    let stage = enabled();
    let items = stage.home.path().join("home/items");
    let names = || fs::read_dir(&items).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let before = names();
    stage.run(&["session", "mfauser"]).expect(0);
    let cache = names().into_iter().find(|path| !before.contains(path)).unwrap();
    let garbage: [Vec<u8>; 3] = [Vec::new(), b"age-encryption.org/v1\n".to_vec(), vec![b'x'; 200_000]];
    for bytes in garbage {
        fs::write(&cache, bytes).unwrap();
        assert_eq!(stage.run(&["session", "mfauser", "--json"]).expect(0).json()["cached"], Value::from(false));
        assert_eq!(stage.run(&["session", "mfauser", "--json"]).expect(0).json()["cached"], Value::from(true));
        stage.server.wait(60);
    }
}

#[test]
fn clear_text_goes_past_every_proxy() {
    let stage = Stage::new(ALLOW_ALL);
    let spy = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", spy.local_addr().unwrap());
    let visited = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&visited);
    std::thread::spawn(move || {
        for mut stream in spy.incoming().flatten() {
            seen.store(true, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 64]);
        }
    });
    let proxies = [("HTTP_PROXY", url.as_str()), ("http_proxy", &url), ("ALL_PROXY", &url), ("HTTPS_PROXY", &url)];
    with(stage.command(stage.server.endpoint(), &["enable", "--no-wait"]), &proxies).expect(0);
    assert!(!visited.load(Ordering::SeqCst));
    // And none leaves the machine without being told to.
    let failed = stage.command("http://vmfa.example", &["status", "--json"]);
    assert_eq!(with(failed, &[]).expect(2).error_code(), "aws-settings");
}

#[test]
fn what_exec_runs_talks_to_whom_the_session_is_from() {
    let stage = enabled();
    fs::create_dir_all(stage.home.path().join(".aws")).unwrap();
    let config = "[default]\nendpoint_url = http://127.0.0.1:1\n\n[profile other]\nregion = eu-west-1\n";
    fs::write(stage.home.path().join(".aws/config"), config).unwrap();
    let exec = |endpoint: Option<&str>, variables: &[(&str, &str)]| {
        let mut arguments = vec!["exec", "mfauser"];
        arguments.extend(endpoint.into_iter().flat_map(|url| ["--endpoint-url", url]));
        arguments.extend(["--", "env"]);
        let mut command = stage.command(stage.server.endpoint(), &arguments);
        if endpoint.is_some() {
            command.env_remove("AWS_ENDPOINT_URL");
        }
        let output = with(command, variables).expect(0).stdout;
        let mut lines: Vec<String> =
            output.lines().filter(|line| line.contains("ENDPOINT")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let url = stage.server.endpoint();
    let here = format!("AWS_ENDPOINT_URL={url}");
    let elsewhere = [("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:2"), ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:3")];
    assert_eq!(exec(Some(url), &elsewhere), std::slice::from_ref(&here));
    assert_eq!(exec(Some(url), &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]), std::slice::from_ref(&here));
    let s3 = "AWS_ENDPOINT_URL_S3=http://127.0.0.1:3".to_owned();
    assert_eq!(exec(None, &elsewhere[1..]), [here, s3]);
}

#[test]
fn chains_of_profiles_come_to_an_end() {
    let stage = Stage::new(ALLOW_ALL);
    let config: String = (0..9_000)
        .map(|number| format!("[profile {number}]\nrole_arn = a\nsource_profile = {}\n", number + 1))
        .collect();
    fs::create_dir_all(stage.home.path().join(".aws")).unwrap();
    fs::write(stage.home.path().join(".aws/config"), config).unwrap();
    let failed = stage.run(&["status", "--profile", "0", "--json"]).expect(2);
    assert_eq!(failed.error_code(), "aws-credentials");
}

#[test]
fn settings_that_lead_nowhere_come_with_the_way_out() {
    let stage = Stage::new(ALLOW_ALL);
    fs::create_dir_all(stage.home.path().join(".aws")).unwrap();
    let config = "[profile production]\n[profile 'a b']\nsso_account_id = 123456789012\nsso_role_name = r\n\
                  [profile fips]\nuse_fips_endpoint = true\n";
    fs::write(stage.home.path().join(".aws/config"), config).unwrap();
    let failed = |profile: &str, hint: &str| {
        let mut command = stage.home.command();
        command.args(["aws", "status", "--profile", profile]).env("HOME", stage.home.path());
        let failed = run(&mut command, b"").expect(2);
        assert!(failed.stderr.contains(&format!("hint: {hint}")), "{failed:#?}");
    };
    failed("production3", "did you mean `production`?");
    failed("nothing-like-it", "there are `a b`, `fips`, `production`");
    failed("a b", "the AWS CLI reads it: eval \"$(aws configure export-credentials --profile 'a b' --format env)\"");
    failed("fips", "give the endpoint itself: --endpoint-url");
    failed("production", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

#[test]
fn a_secret_that_aws_does_not_have_is_not_called_enabled() {
    // Two homes, one user: the second replaced what the first had created.
    let stage = Stage::new(ALLOW_ALL);
    let lost = Proxy::start(stage.server.address, |_, action| match action {
        "EnableMFADevice" => Act::Fate(Fate::LostBefore),
        _ => Act::Fate(Fate::Good),
    });
    run(&mut stage.command(&lost.url(), &["enable"]), b"").expect(4);
    let other = crate::support::Home::new();
    let mut elsewhere = stage.command(stage.server.endpoint(), &["enable", "--jump"]);
    elsewhere.env("VMFA_HOME", other.path().join("home")).env("VMFA_IDENTITY_FILE", other.identity());
    run(&mut elsewhere, b"").expect(0);
    let failed = stage.run(&["enable", "--jump", "--json"]).expect(1);
    assert_eq!(failed.error_code(), "aws-out-of-sync");
}

#[test]
fn a_name_given_to_enable_is_the_devices_and_is_not_passed_over() {
    let stage = Stage::new(ALLOW_ALL);
    // It isn't the user's, which is told before anything is made.
    let run = stage.run(&["enable", "laptop", "--no-wait"]).expect(0);
    let told = "`laptop` is the device's name here; the user is `mfauser` (for another user: --user NAME)";
    assert!(run.stderr.contains(told) && run.stdout.starts_with("laptop is enabled"), "{run:#?}");
    let again = stage.run(&["enable", "laptop", "--no-wait"]).expect(0);
    assert!(!again.stderr.contains("the device's name here"), "{again:#?}");
    // Another name than the device has.
    let other = stage.run(&["enable", "phone", "--no-wait"]).expect(1);
    assert!(other.stderr.contains("is named `laptop` here already, not `phone`"), "{other:#?}");
    assert!(other.stderr.contains("vmfa rename laptop phone"), "{other:#?}");
    assert_eq!(stage.run(&["enable", "phone", "--no-wait", "--json"]).expect(1).error_code(), "aws-other-name");
    // None is given: the device keeps its own.
    let none = stage.run(&["enable", "--no-wait"]).expect(0);
    assert!(none.stdout.starts_with("laptop is enabled already"), "{none:#?}");
    // What a script that doesn't say --yes would have deleted.
    let unasked = stage.run(&["disable", "laptop"]).expect(2);
    let what =
        "this would deactivate and delete arn:aws:iam::123456789012:mfa/mfauser of user mfauser at http://127.0.0.1";
    assert!(unasked.stderr.contains(what), "{unasked:#?}");
}

#[test]
fn a_stand_in_that_has_ended_is_what_is_asked_about() {
    let stage = Stage::new(ALLOW_ALL);
    let run = run(&mut stage.command("http://127.0.0.1:1", &["status"]), b"").expect(4);
    assert!(run.stderr.contains("hint: start `vmfa serve` there"), "{run:#?}");
}
