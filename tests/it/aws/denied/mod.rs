//! Why a call was denied: as far as whoever was denied may read the policies.

mod reading;

use vmfa::aws::Refusal;
use vmfa::aws::client::Effect;
use vmfa::aws::denied::{Bite, Denied, Extent, Kind, Origin, Reason, Rule, Why};
use vmfa::aws::iam::Holder;
use vmfa::aws::settings::Service;
use vmfa::policy::Layer;
use vmfa::wire::query::Form;
use vmfa::wire::sigv4::Credentials;

use super::support::{ACCOUNT, Aws, Fate, Here, Virtual, Wire, client};
use crate::serve::support::{ALLOW_ALL, Client, Device, trust_of_account};

const DEVICE: &str = include_str!("../../../../vectors/iam/own-mfa-device.json");
const OWN_MFA: &str = include_str!("../../../../vectors/policies/own-mfa.json");
const ONLY_IAM: &str = include_str!("../../../../vectors/policies/only-iam-without-mfa.json");

/// Lets everything be read.
const READ: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"}]}"#;

/// AWS's policy for users who manage their own MFA, with everything that only reads among the exceptions.
fn readable_device() -> String {
    let (head, deny) = DEVICE.split_once(r#""NotAction": ["#).unwrap();
    format!(r#"{head}"NotAction": ["iam:Get*", "iam:List*", {deny}"#)
}

fn statements(text: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#)
}

/// A stand-in, and what makes users of it.
struct Story {
    aws: Aws,
}

impl Story {
    fn new() -> Self {
        Self { aws: Aws::new() }
    }

    fn inline(&self, user: &str, name: &str, document: &str) {
        let parameters = [("UserName", user), ("PolicyName", name), ("PolicyDocument", document)];
        self.aws.root().ok("PutUserPolicy", &parameters);
    }

    fn managed(&self, name: &str, document: &str) -> String {
        self.aws.root().ok("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", document)]);
        format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
    }

    /// A user of the group `staff`, to which a managed policy is attached.
    fn of_staff(&self, user: &str, policy: &str, document: &str) -> Client<'_> {
        let root = self.aws.root();
        root.ok("CreateGroup", &[("GroupName", "staff")]);
        let arn = self.managed(policy, document);
        root.ok("AttachGroupPolicy", &[("GroupName", "staff"), ("PolicyArn", &arn)]);
        let client = self.aws.user(user);
        root.ok("AddUserToGroup", &[("GroupName", "staff"), ("UserName", user)]);
        client
    }

    /// A session with MFA, of a device that an administrator enables.
    fn session<'a>(&'a self, client: &Client<'a>, user: &str) -> Credentials {
        let root = self.aws.root();
        let device: Device = root.device(user);
        root.enable(user, &device);
        self.aws.wait(30);
        let code = device.code(self.aws.now(), 0);
        client.session(&[("SerialNumber", &device.serial), ("TokenCode", &code)]).credentials
    }

    /// Calls what must be denied, and explains it.
    #[track_caller]
    fn denied(&self, credentials: &Credentials, action: &str, parameters: &[(&str, &str)]) -> Denied {
        self.counted(credentials, action, parameters).0
    }

    /// The same, with the calls that it took.
    #[track_caller]
    fn counted(&self, credentials: &Credentials, action: &str, parameters: &[(&str, &str)]) -> (Denied, Vec<String>) {
        let (wire, world, here) = (Wire::good(&self.aws), Virtual::of(&self.aws), Here::new());
        let client = client(&wire, &world);
        let refusal = refusal(&client, credentials, action, parameters);
        wire.arrived.lock().unwrap().clear();
        let denied = here.flow(&client, credentials).explain_denied(&refusal);
        let denied = denied.unwrap_or_else(|| panic!("not explained: {refusal}"));
        let calls = wire.arrived.lock().unwrap().clone();
        (denied, calls)
    }

    /// Explains a refusal that is made up.
    fn explained(&self, credentials: &Credentials, refusal: &Refusal) -> (Option<Denied>, usize) {
        let (wire, world, here) = (Wire::good(&self.aws), Virtual::of(&self.aws), Here::new());
        let client = client(&wire, &world);
        let denied = here.flow(&client, credentials).explain_denied(refusal);
        let calls = wire.arrived.lock().unwrap().len();
        (denied, calls)
    }
}

#[track_caller]
fn refusal(
    client: &vmfa::aws::client::Client<'_>,
    credentials: &Credentials,
    action: &str,
    parameters: &[(&str, &str)],
) -> Refusal {
    let sts = ["GetSessionToken", "AssumeRole"].contains(&action);
    let (service, version) = if sts { (Service::Sts, "2011-06-15") } else { (Service::Iam, "2010-05-08") };
    let form = parameters.iter().fold(Form::new(action, version), |form, (name, value)| form.pair(name, value));
    let error = client.call(service, credentials, &form, Effect::Changes).unwrap_err();
    error.refusal().unwrap_or_else(|| panic!("{error}")).clone()
}

fn made_up(service: Service, action: &str, code: &str, message: &str) -> Refusal {
    let (action, code, message) = (action.to_owned(), code.to_owned(), message.to_owned());
    Refusal { service, action, status: 403, code, message, request_id: None }
}

fn serial(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:mfa/{name}")
}

#[track_caller]
fn only(denied: &Denied) -> &Rule {
    assert_eq!(denied.by.len(), 1, "{denied:#?}");
    &denied.by[0]
}

#[test]
fn the_statement_that_asks_for_mfa_is_named_where_it_may_be_read() {
    let story = Story::new();
    let alice = story.of_staff("alice", "ForceMFA", &readable_device());
    story.inline("alice", "read", READ);
    let denied = story.denied(&alice.credentials, "DeleteVirtualMFADevice", &[("SerialNumber", &serial("alice"))]);
    assert_eq!(
        denied.to_string(),
        "iam:DeleteVirtualMFADevice on arn:aws:iam::123456789012:mfa/alice is denied by statement \
         `DenyAllExceptListedIfNoMFA` of policy `ForceMFA` of group staff unless one signed in with MFA"
    );
    let rule = only(&denied);
    assert_eq!((rule.bite, rule.origin, rule.certain), (Bite::DeniesWithoutMfa, Origin::Read, true));
    assert_eq!((rule.statement, rule.layer), (Some(4), Some(Layer::Identity)));
    assert_eq!(rule.arn.as_deref(), Some("arn:aws:iam::123456789012:policy/ForceMFA"));
    assert_eq!(rule.of, Some(Holder::Group("staff".to_owned())));
    assert_eq!((denied.explicit, denied.mfa, denied.allowed_with_mfa), (Some(true), Some(false), Some(true)));
    assert_eq!((denied.seen.extent(), denied.seen.policies, denied.kind), (Extent::All, 2, Some(Kind::Identity)));

    let other = story.denied(&alice.credentials, "DeleteVirtualMFADevice", &[("SerialNumber", &serial("bob"))]);
    assert_eq!(only(&other).bite, Bite::DeniesWithoutMfa);
    assert_eq!(other.allowed_with_mfa, Some(false), "with MFA nothing allows it");
}

#[test]
fn where_nothing_may_be_read_awss_own_policy_is_named_as_one_that_does_the_same() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    story.inline("alice", "own", DEVICE);
    let parameters = [("UserName", "alice"), ("SerialNumber", &serial("alice"))];
    let (denied, calls) = story.counted(&alice.credentials, "DeactivateMFADevice", &parameters);
    assert_eq!(
        denied.to_string(),
        "iam:DeactivateMFADevice on user alice is denied by an identity-based policy, unread: as AWS's policy for \
         self-managed MFA has it (`DenyAllExceptListedIfNoMFA`), unless one signed in with MFA"
    );
    let rule = only(&denied);
    assert_eq!((rule.bite, rule.origin, rule.certain), (Bite::DeniesWithoutMfa, Origin::Shape, false));
    assert_eq!(denied.allowed_with_mfa, None, "what wasn't read isn't known");
    assert_eq!(denied.seen.extent(), Extent::Nothing);
    assert_eq!(calls, ["GetUser", "ListAttachedUserPolicies", "ListUserPolicies", "ListGroupsForUser"]);
    let missing: Vec<String> = denied.seen.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing[0], "iam:ListAttachedUserPolicies of user alice: denied");
    assert!(denied.seen.missing.iter().all(|unread| matches!(&unread.why, Why::Refused(_))), "{missing:?}");
}

#[test]
fn a_policy_that_the_service_names_is_named_though_it_may_not_be_read() {
    let story = Story::new();
    let alice = story.of_staff("alice", "ForceMFA", DEVICE);
    let (denied, calls) = story.counted(&alice.credentials, "CreateAccessKey", &[]);
    let [named, shape] = denied.by.as_slice() else { panic!("{denied:#?}") };
    assert_eq!((named.policy.as_str(), named.bite, named.origin), ("ForceMFA", Bite::Unread, Origin::Named));
    assert_eq!((shape.bite, shape.origin), (Bite::DeniesWithoutMfa, Origin::Shape));
    assert_eq!(calls[0], "GetPolicy");
    assert_eq!(calls.iter().filter(|call| *call == "GetPolicy").count(), 1);
    assert_eq!(
        denied.to_string(),
        "iam:CreateAccessKey on user nullalice is denied by identity-based policy `ForceMFA`, unread: as AWS's policy \
         for self-managed MFA has it (`DenyAllExceptListedIfNoMFA`), unless one signed in with MFA"
    );
}

#[test]
fn what_no_policy_allows_isnt_helped_by_mfa() {
    let story = Story::new();
    let alice = story.of_staff("alice", "ForceMFA", DEVICE);
    let session = story.session(&alice, "alice");
    let denied = story.denied(&session, "ListUsers", &[]);
    assert_eq!((denied.explicit, denied.mfa, denied.allowed_with_mfa), (Some(false), Some(true), None));
    assert_eq!((denied.by.len(), denied.seen.extent()), (0, Extent::Nothing));
    assert_eq!(
        denied.to_string(),
        "iam:ListUsers on arn:aws:iam::123456789012:user/ is allowed by no identity-based policy"
    );

    let bob = story.aws.user("bob");
    story.inline("bob", "read", READ);
    let denied = story.denied(&bob.credentials, "CreateUser", &[("UserName", "eve")]);
    assert_eq!((denied.explicit, denied.mfa, denied.allowed_with_mfa), (Some(false), Some(false), Some(false)));
    assert_eq!((denied.by.len(), denied.seen.extent()), (0, Extent::All));
}

#[test]
fn the_statement_that_would_allow_with_mfa_is_named() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    let administer = statements(
        r#"{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"},
           {"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#,
    );
    story.inline("alice", "administer", &administer);
    let denied = story.denied(&alice.credentials, "CreateUser", &[("UserName", "eve")]);
    let rule = only(&denied);
    assert_eq!((rule.bite, rule.statement, rule.certain), (Bite::AllowsWithMfa, Some(2), true));
    assert_eq!(denied.allowed_with_mfa, Some(true));
    assert_eq!(
        denied.to_string(),
        "iam:CreateUser on arn:aws:iam::123456789012:user/eve is allowed by statement 2 of policy `administer` of user \
         alice only if one signed in with MFA"
    );
}

#[test]
fn mfa_of_long_ago_is_told_from_none() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    let recent = statements(
        r#"{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"},
           {"Sid":"Recent","Effect":"Allow","Action":"iam:*","Resource":"*",
            "Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}"#,
    );
    story.inline("alice", "recent", &recent);
    let session = story.session(&alice, "alice");
    story.aws.wait(7200);
    let denied = story.denied(&session, "CreateUser", &[("UserName", "eve")]);
    assert_eq!(
        (only(&denied).bite, denied.mfa, denied.allowed_with_mfa),
        (Bite::AllowsWithMfa, Some(true), Some(true))
    );
    assert!(denied.to_string().ends_with("only if one signed in with MFA more recently"), "{denied}");
}

#[test]
fn what_is_denied_with_mfa_too_says_so() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    story.inline("alice", "all", ALLOW_ALL);
    story.inline("alice", "no", &statements(r#"{"Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}"#));
    story.inline(
        "alice",
        "mfa",
        &statements(
            r#"{"Effect":"Deny","Action":"iam:Create*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#,
        ),
    );
    let denied = story.denied(&alice.credentials, "CreateUser", &[("UserName", "eve")]);
    let bites: Vec<(&str, Bite)> = denied.by.iter().map(|rule| (rule.policy.as_str(), rule.bite)).collect();
    assert_eq!(bites, [("mfa", Bite::DeniesWithoutMfa), ("no", Bite::Denies)]);
    assert_eq!(denied.allowed_with_mfa, Some(false));
    assert_eq!(
        denied.to_string(),
        "iam:CreateUser on arn:aws:iam::123456789012:user/eve is denied by statement 1 of policy `no` of user alice"
    );
}

#[test]
fn a_boundary_that_doesnt_allow_is_named() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    story.inline("alice", "all", ALLOW_ALL);
    let boundary = |arn: &str| {
        let parameters = [("UserName", "alice"), ("PermissionsBoundary", arn)];
        story.aws.root().ok("PutUserPermissionsBoundary", &parameters);
    };
    boundary(&story.managed("Edge", READ));
    let denied = story.denied(&alice.credentials, "CreateUser", &[("UserName", "eve")]);
    let rule = only(&denied);
    assert_eq!((denied.kind, rule.layer, rule.bite), (Some(Kind::Boundary), Some(Layer::Boundary), Bite::AllowsNot));
    assert_eq!((denied.allowed_with_mfa, rule.statement), (Some(false), None));
    assert_eq!(
        denied.to_string(),
        "iam:CreateUser on arn:aws:iam::123456789012:user/eve isn't allowed by the permissions boundary `Edge` of user \
         alice"
    );

    let force = statements(
        r#"{"Effect":"Allow","Action":"*","Resource":"*"},
           {"Sid":"Mfa","Effect":"Deny","NotAction":["iam:Get*","iam:List*"],"Resource":"*",
            "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#,
    );
    boundary(&story.managed("Force", &force));
    let denied = story.denied(&alice.credentials, "CreateUser", &[("UserName", "eve")]);
    let rule = only(&denied);
    assert_eq!((rule.layer, rule.bite, rule.statement), (Some(Layer::Boundary), Bite::DeniesWithoutMfa, Some(2)));
    assert_eq!(denied.allowed_with_mfa, Some(true));
}

#[test]
fn what_only_the_service_knows_leaves_it_open() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    story.inline("alice", "all", ALLOW_ALL);
    let office = statements(
        r#"{"Sid":"Office","Effect":"Deny","NotAction":["iam:Get*","iam:List*"],"Resource":"*",
            "Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}"#,
    );
    story.inline("alice", "office", &office);
    let create = [("UserName", "eve")];
    let denied = story.denied(&alice.credentials, "CreateUser", &create);
    let rule = only(&denied);
    assert_eq!((rule.sid.as_deref(), rule.bite, rule.certain), (Some("Office"), Bite::Denies, false));
    assert_eq!((denied.unknown.as_slice(), denied.allowed_with_mfa), (&["aws:SourceIp".to_owned()][..], None));
    assert!(denied.to_string().contains("is perhaps denied by statement `Office`"), "{denied}");

    // A statement that surely does is enough
    let mfa = r#"{"Sid":"Mfa","Effect":"Deny","Action":"iam:CreateUser","Resource":"*",
        "Condition":{"Null":{"aws:MultiFactorAuthAge":"true"}}}"#;
    story.inline("alice", "mfa", &statements(mfa));
    let denied = story.denied(&alice.credentials, "CreateUser", &create);
    let rule = only(&denied);
    assert_eq!((rule.sid.as_deref(), rule.bite, rule.certain), (Some("Mfa"), Bite::DeniesWithoutMfa, true));
    assert_eq!(denied.allowed_with_mfa, None, "the other one may still deny it");

    // Another condition of the same statement that surely doesn't hold is enough as well
    let both = r#"{"Effect":"Deny","Action":"iam:CreateUser","Resource":"*",
        "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}"#;
    story.inline("alice", "office", &statements(both));
    let denied = story.denied(&alice.credentials, "CreateUser", &create);
    assert_eq!(only(&denied).sid.as_deref(), Some("Mfa"));
}

#[test]
fn own_devices_take_a_session_with_mfa_whatever_policies_say() {
    let story = Story::new();
    let alice = story.of_staff("alice", "own", OWN_MFA);
    story.inline("alice", "iam", ONLY_IAM);
    story.session(&alice, "alice");
    let parameters = [("UserName", "alice"), ("SerialNumber", &serial("alice"))];
    let (denied, calls) = story.counted(&alice.credentials, "DeactivateMFADevice", &parameters);
    assert_eq!((denied.reason, denied.allowed_with_mfa, calls.len()), (Reason::OwnDevices, Some(true), 0));
    assert_eq!(
        denied.to_string(),
        "iam:DeactivateMFADevice needs a session made with one of the user's devices once there is one, even if \
         policies allow it without"
    );
}

#[test]
fn sessions_that_a_service_doesnt_take_are_told() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    let without = alice.session(&[]).credentials;
    let denied = story.denied(&without, "ListUsers", &[]);
    assert_eq!((denied.reason, denied.mfa), (Reason::SessionWithoutMfa, Some(false)));
    assert_eq!(story.denied(&without, "GetSessionToken", &[]).reason, Reason::Temporary);
    // The same code, and no session at all
    let unknown = Credentials::new("ASIAAAAAAAAAAAAAAAAA", "secret", Some("token"));
    let refusal = made_up(Service::Iam, "ListUsers", "InvalidClientTokenId", "The security token … is invalid.");
    assert_eq!(story.explained(&unknown, &refusal).0, None);
    assert_eq!(story.explained(&alice.credentials, &refusal).0, None);
}

#[test]
fn a_role_that_isnt_there_is_told_from_one_that_asks_for_mfa() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    story.inline("alice", "all", ALLOW_ALL);
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let assume = |name: &str| {
        story.denied(&alice.credentials, "AssumeRole", &[("RoleArn", &role(name)), ("RoleSessionName", "session")])
    };
    assert_eq!(assume("nobody").reason, Reason::NoRole);

    let trust = trust_of_account().replace(
        r#""Action":"sts:AssumeRole""#,
        r#""Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
    );
    let create = |name: &str, trust: &str| {
        story.aws.root().ok("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", trust)]);
    };
    create("admin", &trust);
    let denied = assume("admin");
    let rule = only(&denied);
    assert_eq!((denied.reason, rule.layer, rule.bite), (Reason::Policies, Some(Layer::Trust), Bite::AllowsWithMfa));
    assert_eq!((denied.mfa, denied.explicit, denied.allowed_with_mfa), (Some(false), Some(false), Some(true)));
    assert_eq!(
        denied.to_string(),
        "sts:AssumeRole on arn:aws:iam::123456789012:role/admin is allowed by statement 1 of the trust policy of role \
         `admin` only if one signed in with MFA"
    );

    create("other", &trust_of_account().replace(ACCOUNT, "210987654321"));
    let denied = assume("other");
    assert_eq!((only(&denied).bite, denied.allowed_with_mfa), (Bite::AllowsNot, Some(false)));

    let elsewhere = made_up(
        Service::Sts,
        "AssumeRole",
        "AccessDenied",
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::210987654321:role/admin",
    );
    let (denied, _) = story.explained(&alice.credentials, &elsewhere);
    let denied = denied.unwrap();
    assert_eq!((denied.seen.extent(), denied.allowed_with_mfa, denied.by.len()), (Extent::Some, None, 0));
}

#[test]
fn a_session_of_a_role_reads_the_roles_policies() {
    let story = Story::new();
    let root = story.aws.root();
    root.ok("CreateRole", &[("RoleName", "auditor"), ("AssumeRolePolicyDocument", &trust_of_account())]);
    root.ok("PutRolePolicy", &[("RoleName", "auditor"), ("PolicyName", "read"), ("PolicyDocument", READ)]);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/auditor");
    let session = root.ok("AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "session")]).credentials();
    let denied = story.denied(&session, "CreateUser", &[("UserName", "eve")]);
    assert_eq!((denied.seen.extent(), denied.seen.policies, denied.mfa), (Extent::All, 1, None));
    assert_eq!((denied.explicit, denied.allowed_with_mfa), (Some(false), Some(false)));

    // Whether the session was made with MFA, what denies it tells
    let force = statements(
        r#"{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"},
           {"Sid":"Mfa","Effect":"Deny","Action":"iam:CreateUser","Resource":"*",
            "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#,
    );
    root.ok("PutRolePolicy", &[("RoleName", "auditor"), ("PolicyName", "force"), ("PolicyDocument", &force)]);
    let denied = story.denied(&session, "CreateUser", &[("UserName", "eve")]);
    assert_eq!((denied.mfa, only(&denied).bite), (Some(false), Bite::DeniesWithoutMfa));
    assert_eq!((&only(&denied).of, denied.allowed_with_mfa), (&Some(Holder::Role("auditor".to_owned())), Some(true)));
}
