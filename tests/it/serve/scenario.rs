//! What an account begins with.

use std::collections::{BTreeMap, BTreeSet};
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
    let role = admin.ok("GetRole", &[("RoleName", "ops")]);
    assert_eq!((role.text("MaxSessionDuration"), role.text("Value")), ("7200".to_owned(), "red".to_owned()));
    assert_eq!(role.text("PermissionsBoundaryArn"), "arn:aws:iam::aws:policy/PowerUserAccess");
    let login = admin.ok("GetLoginProfile", &[("UserName", "MFAUser")]);
    assert_eq!(login.text("PasswordResetRequired"), "true");
    assert_eq!(begun.administrator.access_key_id, "AKIAADMINISTRATOR001");
    assert_eq!(begun.administrator.secret_access_key.as_str(), "the-same-in-every-run");
    let rules = admin.ok("GetAccountPasswordPolicy", &[]);
    assert_eq!((rules.text("MinimumPasswordLength"), rules.text("MaxPasswordAge")), ("12".to_owned(), "90".to_owned()));
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
        ("[[policy]]\nname = \"p\"\ndocument = \"none.json\"", "line 3: the document `none.json` isn't in "),
        ("[[policy]]\nname = \"p\"\ndocument = '{\"Statement\": 1}'", "line 2: MalformedPolicyDocument"),
        ("[[user]]\nname = \"a\"\naccess_key = { id = \"short\", secret = \"x\" }", "line 3: an access key has an id"),
        ("[[user]]\nname = \"a\"\n[[user.device]]\nname = \"d\"\nsecret = \"0189\"", "line 5: "),
        ("[[user]]\nname = \"a\"\npassword = \"short\"", "line 3: PasswordPolicyViolation"),
        ("[[user]]\nname = \"a\"\npassword_reset = true", "line 3: `password_reset` goes with a `password`"),
        ("[[role]]\nname = \"a\"\ntrust = '{}'\nboundary = \"None\"", "line 4: no policy is named `None`"),
        ("\nadministrator = { id = \"short\", secret = \"x\" }", "line 2: an access key has an id"),
        ("[password_policy]\nminimum_password_length = 5", "line 1: ValidationError"),
        (
            "administrator = { id = \"AKIAADMINISTRATOR001\", secret = \"x\" }\n[[user]]\nname = \"a\"\n\
             access_key = { id = \"AKIAADMINISTRATOR001\", secret = \"x\" }",
            "line 4: the access key AKIAADMINISTRATOR001 is somebody's already",
        ),
        ("[[user]]", "line 1: missing field `name`"),
        ("name = ", "line 1: "),
    ] {
        let problem = open(directory.path(), text).map(|_| ()).unwrap_err();
        assert!(problem.starts_with(expected), "{text:?}: {problem}");
        // Where a document would have to be.
        let there = directory.path().display().to_string();
        assert!(problem.contains(&there) || !expected.contains("none.json"), "{problem}");
        for secret in ["0189", "\"short\""] {
            assert!(!problem.contains(secret) || expected.contains("id"), "{problem}");
        }
    }
}

/// What a table of the format may hold, by the words in which a field that it doesn't know is refused.
fn fields_of(directory: &Path, table: &str) -> BTreeSet<String> {
    let needed = "name = \"x\"\nunknown = 1";
    let text = match table {
        "the file" => "unknown = 1".to_owned(),
        "administrator" => "administrator = { unknown = 1 }".to_owned(),
        "password_policy" => "[password_policy]\nunknown = 1".to_owned(),
        "user.device" => format!("[[user]]\nname = \"x\"\n[[user.device]]\n{needed}"),
        _ => format!("[[{table}]]\n{needed}"),
    };
    let problem = open(directory, &text).map(|_| ()).unwrap_err();
    let (_, expected) = problem.split_once("unknown field `unknown`, expected ").unwrap_or_else(|| panic!("{problem}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_field_that_is_taken_is_documented_where_it_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/serve.md")).unwrap();
    let rows = text.split("| Field | In |").nth(1).unwrap().lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let mut cells = row.trim_matches('|').split(" | ");
        let words =
            |cell: &str| cell.split(", ").map(|word| word.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
        let (fields, tables) = (words(cells.next().unwrap()), words(cells.next().unwrap()));
        assert!(!cells.next().unwrap().trim().is_empty(), "{row}");
        for table in tables {
            told.entry(table).or_default().extend(fields.iter().cloned());
        }
    }
    let tables =
        ["the file", "administrator", "password_policy", "policy", "group", "user", "user.device", "role", "device"];
    assert_eq!(told.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(tables));
    for table in tables {
        assert_eq!(told[table], fields_of(directory.path(), table), "{table}");
    }
}

#[test]
fn a_device_without_a_secret_tells_the_one_it_got() {
    let directory = tempfile::tempdir().unwrap();
    let text = "[[user]]\nname = \"alice\"\n[[user.device]]\nname = \"phone\"\npath = \"/p/\"\ntags = { kind = \"test\" }\n\
                [[device]]\nname = \"spare\"\nsecret = \"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"";
    let (stand, begun) = open(directory.path(), text).unwrap();
    let [phone, spare] = begun.devices.as_slice() else { panic!("{:?}", begun.devices) };
    assert_eq!(phone.serial_number, format!("arn:aws:iam::{ACCOUNT}:mfa/p/phone"));
    assert_eq!((phone.user.as_deref(), spare.user.as_deref()), (Some("alice"), None));
    assert_eq!(spare.secret.as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(stand.seeded().len(), 2);
    let aws = Aws::of(stand, &begun);
    let device = Device {
        serial: phone.serial_number.clone(),
        seed: vmfa::provision::base32::parse(&phone.secret).unwrap(),
        ahead: 0.into(),
    };
    aws.key_of("alice").token(&device, &device.code(aws.now(), 0)).unwrap();
    let tags = aws.root().ok("ListMFADeviceTags", &[("SerialNumber", &device.serial)]);
    assert_eq!((tags.text("Key"), tags.text("Value")), ("kind".to_owned(), "test".to_owned()));
    assert!(!format!("{:?}", begun.devices).contains(phone.secret.as_str()));
}

#[test]
fn the_administrators_keys_are_kept_with_the_state_that_they_began() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.toml");
    let begin = |id: &str| {
        fs::write(&path, format!("administrator = {{ id = \"{id}\", secret = \"a-secret\" }}")).unwrap();
        let options = Options {
            account: ACCOUNT.to_owned(),
            alias: None,
            clock: Clock::standing_at(Timestamp::from_unix(START)),
            starts_at: None,
            random: Box::new(Foreseeable(1)),
            state: Some(directory.path().join("state")),
            scenario: Some(Scenario::read(&path).unwrap()),
        };
        let (stand, begun) = Stand::open(options).unwrap();
        let aws = Aws::of(stand, &begun);
        aws.root().ok("GetUser", &[]);
        begun.administrator.access_key_id
    };
    assert_eq!(begin("AKIAADMINISTRATOR001"), "AKIAADMINISTRATOR001");
    assert_eq!(begin("AKIAADMINISTRATOR002"), "AKIAADMINISTRATOR001");
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
