//! Who signs.

use std::cell::RefCell;

use vmfa::aws::credentials::{Credentials, Error, Failure, Fetch, Origin, Role, Source, process};
use vmfa::aws::profile::{Files, Text};
use vmfa::aws::settings::{Options, Settings};
use zeroize::Zeroizing;

/// What is found for a profile, with variables.
fn find(config: &str, profile: &str, variables: &[(&str, &str)]) -> Result<Source, Error> {
    let config = Text { name: "~/.aws/config", bytes: Some(config.as_bytes()) };
    let files = Files::parse(&config, &Text { name: "~/.aws/credentials", bytes: None });
    let environment =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let options = Options { profile: Some(profile.to_owned()), ..Options::default() };
    Source::find(&Settings::of(&options, &environment, None, files).unwrap(), &environment)
}

/// Answers with what it has, and keeps what it was asked.
#[derive(Default)]
struct Pretend {
    output: Vec<u8>,
    ran: RefCell<Vec<Vec<String>>>,
    assumed: RefCell<Vec<(String, Role)>>,
}

#[derive(Debug, thiserror::Error)]
#[error("denied")]
struct Denied;

impl Fetch for Pretend {
    type Error = Denied;

    fn run(&self, words: &[String]) -> Result<Zeroizing<Vec<u8>>, process::Error> {
        self.ran.borrow_mut().push(words.to_vec());
        Ok(Zeroizing::new(self.output.clone()))
    }

    fn assume_role(&self, credentials: &Credentials, role: &Role) -> Result<Credentials, Denied> {
        self.assumed.borrow_mut().push((credentials.access_key_id.clone(), role.clone()));
        let id = role.arn.rsplit('/').next().unwrap();
        if id == "denied" { Err(Denied) } else { Ok(Credentials::new(id, "secret", None)) }
    }
}

const ROLES: &str = "
[profile outer]
role_arn = arn:aws:iam::123456789012:role/outer
source_profile = inner
mfa_serial = arn:aws:iam::123456789012:mfa/u
duration_seconds = 900
external_id = external
role_session_name = me
[profile inner]
role_arn = arn:aws:iam::123456789012:role/inner
source_profile = keys
[profile keys]
aws_access_key_id = AKIDKEYS
aws_secret_access_key = secret
[profile denied]
role_arn = arn:aws:iam::123456789012:role/denied
source_profile = keys
";

#[test]
fn roles_are_assumed_from_the_inside_out() {
    let how = Pretend::default();
    let found = find(ROLES, "outer", &[]).unwrap().fetch(&how).unwrap();
    assert_eq!(found.credentials.access_key_id, "outer");
    assert_eq!(
        found.origin.to_string(),
        "role arn:aws:iam::123456789012:role/outer, assumed with credentials from \
         role arn:aws:iam::123456789012:role/inner, assumed with credentials from profile `keys` in ~/.aws/config"
    );
    let assumed = how.assumed.into_inner();
    let inner =
        Role { profile: "inner".to_owned(), arn: "arn:aws:iam::123456789012:role/inner".to_owned(), ..Role::default() };
    let outer = Role {
        profile: "outer".to_owned(),
        arn: "arn:aws:iam::123456789012:role/outer".to_owned(),
        session_name: Some("me".to_owned()),
        external_id: Some("external".to_owned()),
        duration_seconds: Some(900),
        mfa_serial: Some("arn:aws:iam::123456789012:mfa/u".to_owned()),
        serial_in_source: None,
    };
    assert_eq!(assumed, [("AKIDKEYS".to_owned(), inner), ("inner".to_owned(), outer)]);
}

#[test]
fn a_role_that_is_denied_is_named() {
    let failure = find(ROLES, "denied", &[]).unwrap().fetch(&Pretend::default()).unwrap_err();
    assert!(matches!(failure, Failure::Role { error: Denied, .. }));
    assert_eq!(failure.to_string(), "arn:aws:iam::123456789012:role/denied can't be assumed: denied");
}

#[test]
fn profiles_that_wait_for_each_other_are_listed() {
    let config = "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a";
    let error = find(config, "a", &[]).unwrap_err();
    assert_eq!(error.to_string(), "profiles are each other's source_profile: a → b → a");
}

const PROCESS: &str = "[profile p]\ncredential_process = 'a program' --token hidden \"two words\"\n";

#[test]
fn a_process_is_asked_in_words_and_its_keys_are_taken() {
    let output = br#"{"Version": 1, "AccessKeyId": "ASIAP", "SecretAccessKey": "s", "SessionToken": "t",
        "Expiration": "2030-01-01T00:00:00+00:00", "AccountId": "123456789012"}"#;
    let how = Pretend { output: output.to_vec(), ..Pretend::default() };
    let found = find(PROCESS, "p", &[]).unwrap().fetch(&how).unwrap();
    assert_eq!(found.credentials, Credentials::new("ASIAP", "s", Some("t")));
    assert_eq!(found.expires.unwrap().to_rfc3339(), "2030-01-01T00:00:00Z");
    assert_eq!(found.origin, Origin::Process { profile: "p".to_owned() });
    assert_eq!(how.ran.into_inner(), [["a program", "--token", "hidden", "two words"]]);
}

#[test]
fn what_is_no_credentials_is_refused_and_never_repeated() {
    for output in [
        "",
        "hidden",
        "[]",
        r#"{"Version": 1}"#,
        r#"{"Version": "1", "AccessKeyId": "hidden", "SecretAccessKey": "hidden"}"#,
        r#"{"Version": 2, "AccessKeyId": "hidden", "SecretAccessKey": "hidden"}"#,
        r#"{"AccessKeyId": "hidden", "SecretAccessKey": "hidden"}"#,
        r#"{"Version": 1, "AccessKeyId": "", "SecretAccessKey": "hidden"}"#,
        r#"{"Version": 1, "AccessKeyId": "hidden", "SecretAccessKey": ""}"#,
        r#"{"Version": 1, "AccessKeyId": "hid\nden", "SecretAccessKey": "hidden"}"#,
        r#"{"Version": 1, "AccessKeyId": "hidden", "SecretAccessKey": "hidden", "SessionToken": "hid den"}"#,
        r#"{"Version": 1, "AccessKeyId": "hidden", "SecretAccessKey": "hidden", "SessionToken": 1}"#,
        r#"{"Version": 1, "AccessKeyId": "hidden", "SecretAccessKey": "hidden", "Expiration": "hidden"}"#,
        r#"{"Version": 1, "AccessKeyId": "hidden", "SecretAccessKey": "hidden"} hidden"#,
    ] {
        let how = Pretend { output: output.as_bytes().to_vec(), ..Pretend::default() };
        let failure = find(PROCESS, "p", &[]).unwrap().fetch(&how).unwrap_err();
        assert!(matches!(failure, Failure::Process { error: process::Error::Output, .. }), "{output}");
        assert!(!format!("{failure} {failure:?}").contains("hid"), "{failure:?}");
        assert!(failure.to_string().starts_with("the credential_process of profile `p` printed no credentials"));
    }
}

#[test]
fn a_process_that_would_ask_us_again_is_not_asked() {
    let error = find(PROCESS, "p", &[("VMFA_CREDENTIAL_PROCESS", "1")]).unwrap_err();
    assert_eq!(error, Error::Loop { profile: "p".to_owned() });
    assert!(find(ROLES, "keys", &[("VMFA_CREDENTIAL_PROCESS", "1")]).is_ok());
    let role = format!("{PROCESS}[profile r]\nrole_arn = r\nsource_profile = p");
    assert!(matches!(find(&role, "r", &[("VMFA_CREDENTIAL_PROCESS", "1")]), Err(Error::Loop { .. })));
}

#[test]
fn a_command_line_that_is_no_words_is_refused() {
    for command in ["'open hidden", "''\\"] {
        let error = find(&format!("[profile p]\ncredential_process = {command}"), "p", &[]).unwrap_err();
        assert_eq!(error, Error::Command { profile: "p".to_owned() });
    }
}

#[test]
fn what_only_the_aws_cli_reads_is_named() {
    let config = "[profile 'a b']\nsso_account_id = 123456789012\nsso_role_name = r";
    let error = find(config, "a b", &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "profile `a b` has credentials of IAM Identity Center (sso_account_id), which vmfa doesn't read"
    );
}

#[test]
fn nothing_found_lists_what_was_looked_for() {
    let error = find("[profile p]\n", "p", &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are no AWS credentials: looked for profile `p` in ~/.aws/credentials and ~/.aws/config"
    );
    let error = find("x = y\n[profile p]\n", "p", &[]).unwrap_err();
    assert_eq!(error.to_string(), "~/.aws/config, line 1: a property belongs below a section such as `[default]`");
}

#[test]
fn keys_that_cannot_stand_in_a_header_are_refused() {
    let config = "[profile p]\naws_access_key_id = hid den\naws_secret_access_key = hidden";
    let error = find(config, "p", &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "aws_access_key_id of profile `p` in ~/.aws/config has a character that it can't have"
    );
}

#[test]
fn debug_never_shows_a_secret() {
    let source = find(PROCESS, "p", &[]).unwrap();
    assert!(!format!("{source:?}").contains("hidden"), "{source:?}");
    let keys = "[profile k]\naws_access_key_id = AKID\naws_secret_access_key = hidden\naws_session_token = hidden";
    let source = find(keys, "k", &[]).unwrap();
    let found = source.fetch(&Pretend::default()).unwrap();
    assert!(!format!("{source:?} {found:?}").contains("hidden"), "{source:?}");
}
