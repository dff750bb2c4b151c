//! The same client against moto, which is no work of ours: as far as it goes. It takes any digits for codes, and knows no
//! resynchronization.

use serde_json::Value;

use crate::serve::clients::moto;
use crate::support::{Home, Run, installed, run};

#[test]
fn moto_is_served_as_well() {
    let (_running, url) = moto();
    let home = Home::new();
    let vmfa = |arguments: &[&str]| -> Run {
        let mut command = home.command();
        command
            .arg("aws")
            .args(arguments)
            .env("HOME", home.path())
            .env("AWS_ENDPOINT_URL", &url)
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret");
        run(&mut command, b"")
    };
    let made = |action: &str| {
        let body = format!("Action={action}&Version=2010-05-08&UserName=mfauser");
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iam/aws4_request, \
                             SignedHeaders=host, Signature=x";
        let answer = ureq::post(&url)
            .header("authorization", authorization)
            .content_type("application/x-www-form-urlencoded")
            .send(body)
            .unwrap();
        assert_eq!(answer.status(), 200);
    };
    made("CreateUser");
    let enabled = vmfa(&["enable", "--user", "mfauser", "--json"]).expect(0).json();
    assert_eq!((&enabled["how"], &enabled["user"]), (&Value::from("new"), &Value::from("mfauser")));
    let again = vmfa(&["enable", "--user", "mfauser", "--json"]).expect(0).json();
    assert_eq!(again["how"], Value::from("already"));
    let status = vmfa(&["status", "--all-users", "--json"]).expect(0).json();
    assert_eq!(status["devices"][0]["device"], Value::from("mfauser"), "{status:#}");
    // By somebody else's eyes.
    let script = "import boto3\niam = boto3.client('iam', region_name='us-east-1')\n\
                  [device] = iam.list_mfa_devices(UserName='mfauser')['MFADevices']\n\
                  assert device['SerialNumber'] == 'arn:aws:iam::123456789012:mfa/mfauser', device\n\
                  assert not iam.list_virtual_mfa_devices(AssignmentStatus='Unassigned')['VirtualMFADevices']\n";
    let mut python = home.other(installed("python3"));
    python.args(["-c", script]).env("HOME", home.path()).env("AWS_ENDPOINT_URL", &url);
    python.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    run(&mut python, b"").expect(0);
    let session = vmfa(&["session", "mfauser", "--json"]).expect(0).json();
    assert_eq!(session["cached"], Value::from(false));
    assert_eq!(vmfa(&["session", "mfauser", "--json"]).expect(0).json()["cached"], Value::from(true));
    let role = ["session", "mfauser", "--role-arn", "arn:aws:iam::123456789012:role/ops", "--as", "process"];
    assert_eq!(vmfa(&role).expect(0).json()["Version"], Value::from(1));
    let disabled = vmfa(&["disable", "mfauser", "--user", "mfauser", "--remove", "--yes", "--json"]).expect(0).json();
    assert_eq!((&disabled["deleted"], &disabled["removed"]), (&Value::from(true), &Value::from(true)), "{disabled:#}");
    let status = vmfa(&["status", "--all-users", "--json"]).expect(0).json();
    assert_eq!(status["devices"], Value::from(Vec::<Value>::new()));
}
