//! Sessions by the program itself: shared, and used by the clients that people have.

use std::fs;
use std::process::Stdio;

use serde_json::Value;
use zeroize::Zeroizing;

use super::kill::{Stage, serial};
use crate::serve::support::ALLOW_ALL;
use crate::support::installed;
use crate::support::run;

const OWN_DEVICE: &str = include_str!("../../../vectors/iam/own-mfa-device.json");

/// A stage whose device is enabled and known, and from where no code was used.
fn enrolled(policy: &str) -> Stage {
    let stage = Stage::new(policy);
    stage.run(&["enable", "--no-wait"]).expect(0);
    stage.server.wait(60);
    stage
}

/// How often an action was accepted and refused.
fn counted(stage: &Stage, action: &str) -> (usize, usize) {
    let events: Value = serde_json::from_str(&stage.server.get("/_vmfa/events").body).unwrap();
    let of = |ended: &str| {
        let events = events["events"].as_array().unwrap();
        events.iter().filter(|event| event["action"] == action && event["outcome"] == ended).count()
    };
    (of("accepted"), of("refused"))
}

#[test]
fn fifty_that_ask_at_once_share_one_session() {
    let stage = enrolled(ALLOW_ALL);
    let children: Vec<_> = (0..50)
        .map(|_| {
            let mut command = stage.command(stage.server.endpoint(), &["session", "mfauser", "--json"]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut keys = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        keys.push((answer["access_key_id"].clone(), answer["cached"].as_bool().unwrap()));
    }
    assert_eq!(counted(&stage, "GetSessionToken"), (1, 0));
    assert!(keys.iter().all(|(key, _)| *key == keys[0].0));
    assert_eq!(keys.iter().filter(|(_, cached)| !cached).count(), 1);
}

#[test]
fn the_aws_cli_takes_it_as_its_credential_process() {
    let stage = enrolled(OWN_DEVICE);
    let home = stage.home.path();
    fs::create_dir_all(home.join(".aws")).unwrap();
    let vmfa = env!("CARGO_BIN_EXE_vmfa");
    let config = format!(
        "[profile long-term]\nregion = eu-central-1\nendpoint_url = {url}\n\n[profile mfa]\nregion = eu-central-1\n\
         endpoint_url = {url}\ncredential_process = {vmfa} aws session mfauser --profile long-term --as process\n\n\
         [profile itself]\nendpoint_url = {url}\ncredential_process = {vmfa} aws session mfauser --profile itself --as process\n",
        url = stage.server.endpoint()
    );
    fs::write(home.join(".aws/config"), config).unwrap();
    let keys = format!(
        "[long-term]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        stage.keys.access_key_id,
        stage.keys.secret_access_key.as_str()
    );
    fs::write(home.join(".aws/credentials"), keys).unwrap();
    let aws = |profile: &str, arguments: &[&str]| {
        let mut command = stage.home.other(installed("aws"));
        run(command.args(arguments).args(["--profile", profile]).env("HOME", home), b"")
    };
    let denied = aws("long-term", &["iam", "delete-virtual-mfa-device", "--serial-number", &serial()]);
    assert!(denied.stderr.contains("explicit deny"), "{denied:#?}");
    let user = aws("mfa", &["iam", "list-virtual-mfa-devices"]).expect(0).json();
    assert_eq!(user["VirtualMFADevices"][0]["SerialNumber"], Value::from(serial()));
    // What takes MFA is allowed, and the second command costs no second code.
    aws("mfa", &["iam", "deactivate-mfa-device", "--user-name", "mfauser", "--serial-number", &serial()]).expect(0);
    assert_eq!(counted(&stage, "GetSessionToken"), (1, 0));
    // What is no user's own key gets no session, and a profile that has vmfa ask itself comes to an end.
    let session = |profile: &str| {
        let arguments = ["aws", "session", "mfauser", "--profile", profile, "--fresh", "--json"];
        run(stage.home.command().args(arguments).env("HOME", home), b"")
    };
    assert_eq!(session("mfa").expect(1).error_code(), "aws-temporary");
    let looped = session("itself").expect(5);
    assert_eq!(looped.error_code(), "credential-process");
    assert!(looped.stderr.contains("they would ask each other"), "{looped:#?}");
}

/// Under a passphrase, which nobody is asked for there.
#[cfg(target_os = "linux")]
#[test]
fn the_aws_cli_takes_it_once_the_vault_is_unlocked() {
    let stage = enrolled(ALLOW_ALL);
    let home = stage.home.path();
    let identity = Zeroizing::new(fs::read_to_string(stage.home.identity()).unwrap());
    let passphrase = Zeroizing::new("correct horse".to_owned());
    let protected = vmfa::vault::age::encrypt_identity(&identity, &passphrase, Some(10)).unwrap();
    vmfa::vault::age::write_new_file(&home.join("id.age"), &protected).unwrap();
    let config = format!(
        "[profile mfa]\nregion = eu-central-1\nendpoint_url = {url}\n\
         credential_process = {vmfa} aws session mfauser --profile long-term --as process\n\n\
         [profile long-term]\nendpoint_url = {url}\n",
        url = stage.server.endpoint(),
        vmfa = env!("CARGO_BIN_EXE_vmfa"),
    );
    fs::create_dir_all(home.join(".aws")).unwrap();
    fs::write(home.join(".aws/config"), config).unwrap();
    let (id, secret) = (&stage.keys.access_key_id, stage.keys.secret_access_key.as_str());
    let keys = format!("[long-term]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    fs::write(home.join(".aws/credentials"), keys).unwrap();
    let vmfa = |arguments: &[&str]| {
        let mut command = stage.home.command();
        run(command.args(arguments).env("VMFA_IDENTITY_FILE", home.join("id.age")), b"correct horse")
    };
    let aws = || {
        let mut command = stage.home.other(installed("aws"));
        command.env("VMFA_IDENTITY_FILE", home.join("id.age")).env("HOME", home);
        run(command.args(["sts", "get-caller-identity", "--profile", "mfa"]), b"")
    };
    let locked = aws();
    assert!(locked.code != 0 && locked.stderr.contains("needs a passphrase"), "{locked:#?}");
    vmfa(&["unlock", "--for", "10m", "--passphrase-fd", "0"]).expect(0);
    assert!(aws().expect(0).json()["Arn"].as_str().unwrap().ends_with(":user/mfauser"));
    vmfa(&["lock"]).expect(0);
    assert_ne!(aws().code, 0);
}

#[test]
fn boto3_sees_what_was_made_and_uses_what_env_gives() {
    let stage = Stage::new(ALLOW_ALL);
    stage.run(&["enable", "--jump", "--path", "/team/", "--tags", "owner=qa,stage=test"]).expect(0);
    let script = r#"
import boto3, os
iam, sts = boto3.client("iam", region_name="us-east-1"), boto3.client("sts", region_name="us-east-1")
[device] = iam.list_mfa_devices()["MFADevices"]
assert device["SerialNumber"].endswith(":mfa/team/mfauser") and device["UserName"] == "mfauser", device
[listed] = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
assert listed["SerialNumber"] == device["SerialNumber"]
assert not iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]
tags = {tag["Key"]: tag["Value"] for tag in iam.list_mfa_device_tags(SerialNumber=device["SerialNumber"])["Tags"]}
assert tags == {"owner": "qa", "stage": "test"}, tags
assert os.environ["AWS_ACCESS_KEY_ID"].startswith("ASIA")
assert sts.get_caller_identity()["Arn"].endswith(":user/mfauser")
print("seen")
"#;
    let script = stage.home.file("look.py", script);
    let (vmfa, python) = (env!("CARGO_BIN_EXE_vmfa"), installed("python3"));
    // By exec, and by what a shell evaluates.
    let mut by_exec = stage.command(stage.server.endpoint(), &["exec", "mfauser", "--"]);
    let seen = run(by_exec.arg(&python).arg(&script), b"").expect(0);
    assert_eq!(seen.stdout.trim(), "seen");
    let mut shell = stage.home.other("sh");
    let line = format!("eval \"$({vmfa} aws session mfauser)\" && exec {} {}", python.display(), script.display());
    shell.args(["-c", &line]).env("HOME", stage.home.path());
    for (name, value) in [
        ("AWS_ENDPOINT_URL", stage.server.endpoint()),
        ("AWS_ACCESS_KEY_ID", &stage.keys.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &stage.keys.secret_access_key),
    ] {
        shell.env(name, value);
    }
    assert_eq!(run(&mut shell, b"").expect(0).stdout.trim(), "seen");
    assert_eq!(counted(&stage, "GetSessionToken").0, 1);
}

#[test]
fn exec_is_the_command_itself() {
    use std::os::unix::process::ExitStatusExt as _;
    let stage = enrolled(ALLOW_ALL);
    let exec = |line: &str| {
        let mut command = stage.command(stage.server.endpoint(), &["exec", "mfauser", "--", "sh", "-c", line]);
        command.env("AWS_PROFILE", "left-over").env("AWS_REGION", "eu-west-1");
        fs::create_dir_all(stage.home.path().join(".aws")).unwrap();
        fs::write(stage.home.path().join(".aws/config"), "[profile left-over]\n").unwrap();
        command
    };
    assert_eq!(run(&mut exec("exit 7"), b"").code, 7);
    let output = exec("kill -TERM $$").output().unwrap();
    assert_eq!(output.status.signal(), Some(15));
    let piped = run(&mut exec("cat; echo $AWS_REGION ${AWS_PROFILE-none}"), b"from stdin\n").expect(0);
    assert_eq!(piped.stdout, "from stdin\neu-west-1 none\n");
    let missing = run(&mut stage.command(stage.server.endpoint(), &["exec", "mfauser", "--", "no-such-program"]), b"");
    missing.expect(127);
    let denied = stage.home.file("no-program", "");
    let denied = denied.to_str().unwrap();
    run(&mut stage.command(stage.server.endpoint(), &["exec", "mfauser", "--", denied]), b"").expect(126);
    stage.run(&["exec", "mfauser"]).expect(2);
}

#[test]
fn no_session_is_on_disk_in_clear_and_none_outlives_its_device() {
    let stage = enrolled(ALLOW_ALL);
    let session = stage.run(&["session", "mfauser", "--json"]).expect(0).json();
    let mut files = vec![stage.home.path().to_owned()];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        seen += 1;
        for secret in ["secret_access_key", "session_token"] {
            let secret = session[secret].as_str().unwrap().as_bytes();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
        }
    }
    assert!(seen > 4, "{seen} files were looked at");
    let items = || fs::read_dir(stage.home.path().join("home/items")).unwrap().count();
    let before = items();
    stage.home.run(&["remove", "mfauser"]).expect(0);
    assert_eq!(items(), before - 1, "the sessions are gone; the secret is in the trash");
    let enabled = stage.run(&["enable"]).expect(1);
    assert!(enabled.stderr.contains("it is in the trash: vmfa trash restore mfauser"), "{enabled:#?}");
    stage.home.run(&["trash", "restore", "mfauser"]).expect(0);
    stage.home.run(&["remove", "mfauser", "--now", "--yes"]).expect(0);
    assert_eq!(items(), before - 2, "the secret is gone, too");
}

#[test]
fn aws_vault_and_the_like_take_codes_that_nobody_had() {
    // What `mfa_process` does: it runs a line, trims stdout, and sends it.
    let stage = enrolled(ALLOW_ALL);
    for _ in 0..3 {
        let line =
            format!("{} code mfauser --fresh --clock {} --window", env!("CARGO_BIN_EXE_vmfa"), stage.server.endpoint());
        let code = run(stage.home.other("sh").args(["-c", &line]), b"").expect(0);
        assert_eq!(code.stdout.trim().len(), 6);
        let token = [("SerialNumber", serial()), ("TokenCode", code.stdout.trim().to_owned())];
        let token: Vec<(&str, &str)> = token.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(stage.server.call(&stage.keys, "GetSessionToken", &token).status, 200);
    }
}
