//! The account: alias, summary, authorization details, credential report.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::support::*;

fn refusal(code: &str, status: u16, message: &str) -> (String, u16, String) {
    (code.to_owned(), status, message.to_owned())
}

#[test]
fn an_account_has_one_alias() {
    let aws = Aws::new();
    let root = aws.root();
    assert!(root.ok("ListAccountAliases", &[]).0.contains("<AccountAliases/>"));
    root.ok("CreateAccountAlias", &[("AccountAlias", "example")]);
    assert_eq!(
        root.refused("CreateAccountAlias", &[("AccountAlias", "example")]),
        refusal("EntityAlreadyExists", 409, "The account alias example already exists.")
    );
    root.ok("CreateAccountAlias", &[("AccountAlias", "example-2")]);
    assert_eq!(root.ok("ListAccountAliases", &[]).all("member"), ["example-2"]);
    assert_eq!(
        root.refused("DeleteAccountAlias", &[("AccountAlias", "example")]),
        refusal("NoSuchEntity", 404, "The account alias example cannot be found.")
    );
    root.ok("DeleteAccountAlias", &[("AccountAlias", "example-2")]);
    assert!(root.ok("ListAccountAliases", &[]).0.contains("<AccountAliases/>"));
    for odd in ["Upper", "two--dashes", "-first", "a_b"] {
        assert_eq!(root.refused("CreateAccountAlias", &[("AccountAlias", odd)]).0, "ValidationError", "{odd}");
    }
}

#[test]
fn the_summary_counts_what_there_is() {
    let aws = Aws::new();
    let root = aws.root();
    let entry = |name: &str| {
        let summary = root.ok("GetAccountSummary", &[]);
        let index = summary.all("key").iter().position(|key| key == name).unwrap_or_else(|| panic!("{name}"));
        summary.all("value")[index].parse::<u64>().unwrap()
    };
    for (name, value) in [
        ("Users", 1),
        ("Groups", 0),
        ("GroupsQuota", 300),
        ("Policies", 0),
        ("MFADevices", 0),
        ("AccountMFAEnabled", 0),
        ("VersionsPerPolicyQuota", 5),
        ("PolicySizeQuota", 6_144),
        ("GlobalEndpointTokenVersion", 1),
    ] {
        assert_eq!(entry(name), value, "{name}");
    }
    root.ok("CreateUser", &[("UserName", "alice")]);
    root.ok("CreateGroup", &[("GroupName", "staff")]);
    root.ok("CreatePolicy", &[("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let device = Device::of(&root.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "phone")]));
    assert_eq!((entry("MFADevices"), entry("MFADevicesInUse")), (1, 0));
    let [one, two] = device.pair(aws.now());
    let enable = [("UserName", "alice"), ("SerialNumber", &*device.serial)];
    root.ok(
        "EnableMFADevice",
        &[&enable[..], &[("AuthenticationCode1", &one), ("AuthenticationCode2", &two)]].concat(),
    );
    assert_eq!((entry("MFADevices"), entry("MFADevicesInUse")), (1, 1));
    assert_eq!((entry("Users"), entry("Groups"), entry("Policies")), (2, 1, 1));
    // The one, and the administrator's
    assert_eq!(entry("PolicyVersionsInUse"), 2);
}

#[test]
fn authorization_details_tell_everything_in_pages() {
    let aws = Aws::new();
    let root = aws.root();
    let name = format!("arn:aws:iam::{ACCOUNT}:policy/all");
    root.ok("CreatePolicy", &[("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    root.ok("CreateGroup", &[("GroupName", "staff")]);
    root.ok("CreateUser", &[("UserName", "alice"), ("PermissionsBoundary", &name)]);
    root.ok("AddUserToGroup", &[("UserName", "alice"), ("GroupName", "staff")]);
    root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "own"), ("PolicyDocument", ALLOW_ALL)]);
    root.ok("CreateRole", &[("RoleName", "ops"), ("AssumeRolePolicyDocument", &trust_of_account())]);
    root.ok("AttachRolePolicy", &[("RoleName", "ops"), ("PolicyArn", &name)]);
    let all = root.ok("GetAccountAuthorizationDetails", &[]);
    assert_eq!(all.all("UserName"), ["administrator", "alice"]);
    assert_eq!(all.text("IsTruncated"), "false");
    assert!(all.0.contains("<GroupList><member>staff</member></GroupList>"));
    assert!(all.0.contains("<PolicyName>own</PolicyName><PolicyDocument>%7B%22Version"));
    assert!(all.0.contains("<InstanceProfileList/>") && all.has("PolicyVersionList"));
    // AWS's own are there where they are used
    assert!(all.0.contains("policy/AdministratorAccess</Arn>") && !all.0.contains("policy/ReadOnlyAccess</Arn>"));
    let only = root.ok("GetAccountAuthorizationDetails", &[("Filter.member.1", "Role"), ("Filter.member.2", "Group")]);
    assert!(only.0.contains("<UserDetailList/>") && only.0.contains("<Policies/>"));
    assert!(only.has("GroupDetailList") && only.has("RoleDetailList"));
    let (mut names, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "1")];
        parameters.extend(marker.as_ref().map(|marker| ("Marker", marker.as_str())));
        let page = root.ok("GetAccountAuthorizationDetails", &parameters);
        names.push(page.text("Arn").rsplit(':').next().unwrap().to_owned());
        if page.text("IsTruncated") == "false" {
            break;
        }
        marker = Some(page.text("Marker"));
    }
    let expected =
        ["user/administrator", "user/alice", "group/staff", "role/ops", "policy/all", "policy/AdministratorAccess"];
    assert_eq!(names, expected);
}

#[test]
fn the_credential_report_says_who_has_a_device() {
    let aws = Aws::new();
    let root = aws.root();
    assert_eq!(root.refused("GetCredentialReport", &[]), refusal("ReportNotPresent", 410, ""));
    assert_eq!(root.ok("GenerateCredentialReport", &[]).text("State"), "STARTED");
    assert_eq!(root.ok("GenerateCredentialReport", &[]).text("State"), "INPROGRESS");
    assert_eq!(root.ok("GenerateCredentialReport", &[]).text("State"), "COMPLETE", "to whoever waited for it");
    aws.wait(2);
    root.ok("CreateUser", &[("UserName", "alice"), ("Path", "/a/")]);
    root.ok("CreateUser", &[("UserName", "b,c")]);
    root.ok("CreateLoginProfile", &[("UserName", "alice"), ("Password", "Correct-1")]);
    root.ok("UpdateAccountPasswordPolicy", &[("MaxPasswordAge", "1")]);
    let device = Device::of(&root.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "phone")]));
    let [one, two] = device.pair(aws.now());
    let enable = [("UserName", "alice"), ("SerialNumber", &*device.serial)];
    root.ok(
        "EnableMFADevice",
        &[&enable[..], &[("AuthenticationCode1", &one), ("AuthenticationCode2", &two)]].concat(),
    );
    let report = root.ok("GetCredentialReport", &[]);
    assert_eq!(report.text("ReportFormat"), "text/csv");
    let content = String::from_utf8(BASE64_STANDARD.decode(report.text("Content")).unwrap()).unwrap();
    let rows: Vec<Vec<&str>> = content.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 5);
    let column = |name: &str| rows[0].iter().position(|column| *column == name).unwrap_or_else(|| panic!("{name}"));
    let row = |user: &str| rows.iter().find(|row| row[0] == user).unwrap();
    for row in &rows[..4] {
        assert_eq!(row.len(), 22, "{row:?}");
    }
    assert_eq!(report.text("GeneratedTime"), vmfa::time::Timestamp::from_unix(START + 2).to_rfc3339());
    let at = vmfa::time::Timestamp::from_unix(START + 2).to_rfc3339();
    let next_day = vmfa::time::Timestamp::from_unix(START + 2 + 86_400).to_rfc3339();
    for (user, name, value) in [
        ("<root_account>", "password_enabled", "not_supported"),
        ("<root_account>", "mfa_active", "false"),
        ("alice", "arn", &*format!("arn:aws:iam::{ACCOUNT}:user/a/alice")),
        ("alice", "user_creation_time", &at),
        ("alice", "password_enabled", "true"),
        ("alice", "password_last_used", "no_information"),
        ("alice", "password_last_changed", &at),
        ("alice", "password_next_rotation", &next_day),
        ("alice", "mfa_active", "true"),
        ("alice", "access_key_1_active", "false"),
        ("administrator", "mfa_active", "false"),
        ("administrator", "access_key_1_active", "true"),
        ("administrator", "access_key_1_last_used_service", "iam"),
        ("administrator", "access_key_2_last_rotated", "N/A"),
    ] {
        assert_eq!(row(user)[column(name)], value, "{user} {name}");
    }
    assert!(content.contains("\"b,c\","));
    aws.wait(4 * 3_600);
    assert_eq!(root.refused("GetCredentialReport", &[]).0, "ReportExpired");
    assert_eq!(root.ok("GenerateCredentialReport", &[]).text("State"), "STARTED");
    assert_eq!(root.refused("GetCredentialReport", &[]), refusal("ReportInProgress", 404, ""));
    assert!(root.ok("GetCredentialReport", &[]).has("Content"), "to whoever waited for it");
}

#[test]
fn what_there_is_none_of_is_an_empty_list() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateRole", &[("RoleName", "ops"), ("AssumeRolePolicyDocument", &trust_of_account())]);
    for (action, list, parameters) in [
        ("ListSigningCertificates", "Certificates", vec![("UserName", "administrator")]),
        ("ListSSHPublicKeys", "SSHPublicKeys", vec![("UserName", "administrator")]),
        ("ListServiceSpecificCredentials", "ServiceSpecificCredentials", vec![("UserName", "administrator")]),
        ("ListInstanceProfilesForRole", "InstanceProfiles", vec![("RoleName", "ops")]),
        ("ListInstanceProfiles", "InstanceProfiles", vec![]),
        ("ListServerCertificates", "ServerCertificateMetadataList", vec![]),
        ("ListOpenIDConnectProviders", "OpenIDConnectProviderList", vec![]),
        ("ListSAMLProviders", "SAMLProviderList", vec![]),
    ] {
        let answer = root.ok(action, &parameters);
        assert!(answer.0.contains(&format!("<{list}/>")), "{action}: {}", answer.0);
        if let [(name, _)] = parameters[..] {
            assert_eq!(root.refused(action, &[(name, "nobody")]).0, "NoSuchEntity", "{action}");
        }
    }
}

#[test]
fn an_account_holds_so_many_of_each() {
    let aws = Aws::new();
    let root = aws.root();
    let trust = trust_of_account();
    for (action, name, more, quota, most) in [
        ("CreateGroup", "GroupName", None, "GroupsPerAccount", 300),
        ("CreateRole", "RoleName", Some(("AssumeRolePolicyDocument", trust.as_str())), "RolesPerAccount", 1_000),
        ("CreatePolicy", "PolicyName", Some(("PolicyDocument", ALLOW_ALL)), "PoliciesPerAccount", 1_500),
    ] {
        for number in 0..most {
            let mut parameters = vec![(name, format!("x{number}"))];
            parameters.extend(more.map(|(name, value)| (name, value.to_owned())));
            let parameters: Vec<(&str, &str)> =
                parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            root.ok(action, &parameters);
        }
        let parameters: Vec<(&str, &str)> = [(name, "one-more")].into_iter().chain(more).collect();
        let message = format!("Cannot exceed quota for {quota}: {most}");
        assert_eq!(root.refused(action, &parameters), refusal("LimitExceeded", 409, &message));
    }
}
