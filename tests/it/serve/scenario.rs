//! What an account begins with.

use std::fs;
use std::path::Path;

use vmfa::serve::scenario::Scenario;
use vmfa::serve::time::Clock;
use vmfa::serve::{Begun, Error, Options, Stand};
use vmfa::time::Timestamp;
use vmfa::wire::sigv4::Credentials;

use super::support::*;

fn open(directory: &Path, text: &str) -> Result<(Stand, Begun), String> {
    let path = directory.join("scenario.toml");
    fs::write(&path, text).unwrap();
    let scenario = Scenario::read(&path).map_err(|error| error.to_string())?;
    Stand::open(Options {
        account: ACCOUNT.to_owned(),
        alias: None,
        clock: Clock::standing_at(Timestamp::from_unix(START)),
        starts_at: None,
        random: Box::new(Foreseeable(1)),
        state: None,
        scenario: Some(scenario),
    })
    .map_err(|error| match error {
        Error::Scenario(problem) => problem.to_string(),
        other => panic!("{other}"),
    })
}

#[test]
fn the_example_of_the_documentation_is_made_as_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/serve.md")).unwrap();
    let example = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    fs::copy(root.join("vectors/iam/own-mfa-device.json"), directory.path().join("force-mfa.json")).unwrap();
    let (stand, begun) = open(directory.path(), example).unwrap();
    let aws = Aws::of(stand, &begun);
    let admin = aws.root();
    assert_eq!(admin.ok("ListAccountAliases", &[]).all("member"), ["wonderland"]);
    let user = admin.ok("GetUser", &[("UserName", "MFAUser")]);
    assert_eq!(user.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/MFAUser"));
    assert_eq!((user.text("Key"), user.text("Value")), ("team".to_owned(), "red".to_owned()));
    let auditor = admin.ok("GetUser", &[("UserName", "auditor")]);
    assert_eq!(auditor.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/team/auditor"));
    assert_eq!(auditor.text("PermissionsBoundaryArn"), "arn:aws:iam::aws:policy/PowerUserAccess");
    assert_eq!(admin.ok("ListGroupsForUser", &[("UserName", "MFAUser")]).all("GroupName"), ["EC2MFA"]);
    let attached = admin.ok("ListAttachedGroupPolicies", &[("GroupName", "EC2MFA")]).all("PolicyName");
    assert_eq!(attached.len(), 2);
    assert_eq!(admin.ok("ListUserPolicies", &[("UserName", "MFAUser")]).all("member"), ["ListThings"]);
    assert_eq!(admin.ok("GetRole", &[("RoleName", "ops")]).text("MaxSessionDuration"), "7200");
    admin.ok("GetLoginProfile", &[("UserName", "MFAUser")]);
    let unassigned = admin.ok("ListVirtualMFADevices", &[("AssignmentStatus", "Unassigned")]);
    assert_eq!(unassigned.all("SerialNumber"), [format!("arn:aws:iam::{ACCOUNT}:mfa/spare")]);
    // The device is known to STS, and the key works.
    let keys = &begun.users["MFAUser"];
    let user = aws.client(&Credentials::new(&keys.access_key_id, &keys.secret_access_key, None));
    let device = Device {
        serial: format!("arn:aws:iam::{ACCOUNT}:mfa/MFAUser"),
        seed: vmfa::provision::base32::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap(),
        ahead: 0.into(),
    };
    user.token(&device, &device.code(aws.now(), 0)).unwrap();
    user.ok("ListMFADevices", &[]);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("alias = \"Wonder\"", "line 1: ValidationError"),
        ("\n\nusers = 1", "line 3: unknown field `users`"),
        (
            "[[user]]\nname = \"a\"\n[[user]]\nname = \"A\"",
            "line 4: EntityAlreadyExists: User with name A already exists.",
        ),
        (
            "[[user]]\nname = \"a\"\ngroups = [\n\"none\"]",
            "line 4: NoSuchEntity: The group with name none cannot be found.",
        ),
        ("[[user]]\nname = \"a\"\npolicies = [\"None\"]", "line 3: no policy is named `None`"),
        ("[[user]]\nname = \"a b\"", "line 2: ValidationError: The specified value for userName is invalid."),
        ("[[policy]]\nname = \"p\"\ndocument = \"none.json\"", "line 3: the document "),
        ("[[policy]]\nname = \"p\"\ndocument = '{\"Statement\": 1}'", "line 2: MalformedPolicyDocument"),
        ("[[user]]\nname = \"a\"\naccess_key = { id = \"short\", secret = \"x\" }", "line 3: an access key has an id"),
        ("[[user]]\nname = \"a\"\n[[user.device]]\nname = \"d\"\nsecret = \"0189\"", "line 5: "),
        ("[[user]]\nname = \"a\"\npassword = \"short\"", "line 3: PasswordPolicyViolation"),
        ("[[user]]", "line 1: missing field `name`"),
        ("name = ", "line 1: "),
    ] {
        let problem = open(directory.path(), text).map(|_| ()).unwrap_err();
        assert!(problem.starts_with(expected), "{text:?}: {problem}");
        for secret in ["0189", "\"short\""] {
            assert!(!problem.contains(secret) || expected.contains("id"), "{problem}");
        }
    }
}

#[test]
fn a_user_has_at_most_eight_devices_also_here() {
    let directory = tempfile::tempdir().unwrap();
    let devices: String = (1..=9).map(|number| format!("[[user.device]]\nname = \"d{number}\"\n")).collect();
    let problem = open(directory.path(), &format!("[[user]]\nname = \"a\"\n{devices}")).map(|_| ()).unwrap_err();
    assert_eq!(problem, "line 20: a user has at most 8 devices");
}

#[test]
fn the_root_user_has_sessions_of_an_hour_and_assumes_no_role() {
    use base64::Engine as _;
    let directory = tempfile::tempdir().unwrap();
    let (stand, begun) = open(directory.path(), "root_access_key = true").unwrap();
    let aws = Aws::of(stand, &begun);
    let keys = begun.root.unwrap();
    let root = aws.client(&Credentials::new(&keys.access_key_id, &keys.secret_access_key, None));
    assert_eq!(root.ok("GetCallerIdentity", &[]).text("Arn"), format!("arn:aws:iam::{ACCOUNT}:root"));
    assert_eq!(root.ok("GetUser", &[]).text("Arn"), format!("arn:aws:iam::{ACCOUNT}:root"));
    let summary = root.ok("GetAccountSummary", &[]);
    assert!(summary.0.contains("<key>AccountAccessKeysPresent</key><value>1</value>"));
    root.ok("GenerateCredentialReport", &[]);
    aws.wait(2);
    let report = root.ok("GetCredentialReport", &[]).text("Content");
    let report = String::from_utf8(base64::prelude::BASE64_STANDARD.decode(report).unwrap()).unwrap();
    let row: Vec<&str> = report.lines().nth(1).unwrap().split(',').collect();
    assert_eq!((row[0], row[8], row[13]), ("<root_account>", "true", "false"));
    root.ok("CreateUser", &[("UserName", "alice")]);
    let after = |seconds: u64| Timestamp::from_unix(aws.now() + seconds).to_rfc3339();
    for (asked, given) in [(None, 3_600), (Some("900"), 900), (Some("3600"), 3_600), (Some("43200"), 3_600)] {
        let parameters: Vec<(&str, &str)> = asked.map(|asked| ("DurationSeconds", asked)).into_iter().collect();
        assert_eq!(root.ok("GetSessionToken", &parameters).text("Expiration"), after(given), "{asked:?}");
    }
    assert!(root.refused("GetSessionToken", &[("DurationSeconds", "899")]).2.contains("greater than or equal to 900"));
    let role = [("RoleArn", "arn:aws:iam::123456789012:role/any"), ("RoleSessionName", "tests")];
    let refused = root.refused("AssumeRole", &role);
    assert_eq!(said(&refused), ("AccessDenied", 403, "Roles may not be assumed by root accounts."));
}
