//! The policy simulator.

use super::support::*;

const EC2: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}"#;
const RECENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;

fn user(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

#[test]
fn the_policies_of_a_user_are_simulated_with_mfa_and_without() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice")]);
    root.ok("CreateGroup", &[("GroupName", "staff")]);
    root.ok("AddUserToGroup", &[("UserName", "alice"), ("GroupName", "staff")]);
    root.ok(
        "AttachGroupPolicy",
        &[("GroupName", "staff"), ("PolicyArn", "arn:aws:iam::aws:policy/AmazonEC2FullAccess")],
    );
    root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "mfa"), ("PolicyDocument", RECENT)]);
    let alice = user("alice");
    let ask = [("PolicySourceArn", alice.as_str()), ("ActionNames.member.1", "ec2:StopInstances")];
    let entry = [
        ("ContextEntries.member.1.ContextKeyName", "aws:MultiFactorAuthPresent"),
        ("ContextEntries.member.1.ContextKeyType", "boolean"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "true"),
    ];
    let without = root.ok("SimulatePrincipalPolicy", &ask);
    assert_eq!(without.text("EvalActionName"), "ec2:StopInstances");
    assert_eq!(without.text("EvalResourceName"), "*");
    assert_eq!(without.text("EvalDecision"), "explicitDeny");
    assert_eq!(without.text("SourcePolicyId"), "user_alice_mfa");
    assert_eq!(without.text("SourcePolicyType"), "IAM Policy");
    assert_eq!((without.all("Line"), without.all("Column")[0].as_str()), (vec!["1".into(), "1".into()], "38"));
    assert!(without.0.contains("<MissingContextValues/>"), "what is denied explicitly lacks nothing");
    let with = root.ok("SimulatePrincipalPolicy", &[&ask[..], &entry].concat());
    assert_eq!(with.text("EvalDecision"), "allowed");
    assert_eq!(with.text("SourcePolicyId"), "AmazonEC2FullAccess");
    assert!(with.0.contains("<MissingContextValues/>"));
    assert!(!with.has("PermissionsBoundaryDecisionDetail"));
    let odd = ["maybe", "1"].map(|value| {
        let mut entry = entry;
        entry[2].1 = value;
        root.refused("SimulatePrincipalPolicy", &[&ask[..], &entry].concat())
    });
    assert_eq!(
        odd.map(|(code, status, _)| (code, status)),
        [("InvalidInput".to_owned(), 400), ("InvalidInput".to_owned(), 400)]
    );
}

#[test]
fn variables_have_the_values_of_whoever_is_simulated() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")]);
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:mfa/${aws:username}","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}}"#;
    let (alice, mine, other) =
        (user("alice"), format!("arn:aws:iam::{ACCOUNT}:mfa/alice"), format!("arn:aws:iam::{ACCOUNT}:mfa/bob"));
    let ask = [
        ("PolicyInputList.member.1", own),
        ("ActionNames.member.1", "iam:DeleteVirtualMFADevice"),
        ("ActionNames.member.2", "ec2:StopInstances"),
        ("ResourceArns.member.1", &mine),
        ("ResourceArns.member.2", &other),
    ];
    let of_user = root.ok("SimulatePrincipalPolicy", &[&ask[..], &[("PolicySourceArn", alice.as_str())]].concat());
    let of_caller = root.ok("SimulateCustomPolicy", &[&ask[..], &[("CallerArn", alice.as_str())]].concat());
    for answer in [of_user, of_caller] {
        assert_eq!(answer.all("EvalActionName"), ["iam:DeleteVirtualMFADevice", "ec2:StopInstances"]);
        assert_eq!(answer.all("EvalDecision"), ["implicitDeny", "implicitDeny"]);
        assert_eq!(answer.all("EvalResourceName"), [&*mine, &*other, &*mine, &*other]);
        let each = ["allowed", "implicitDeny", "implicitDeny", "implicitDeny"];
        assert_eq!(answer.all("EvalResourceDecision"), each);
        assert_eq!(answer.text("SourcePolicyId"), "PolicyInputList.1");
    }
    let gone = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::*:mfa/${aws:username}"}}"#;
    let bob = user("path/bob");
    let mut of_gone = ask;
    of_gone[0].1 = gone;
    let of_gone = root.ok("SimulateCustomPolicy", &[&of_gone[..], &[("CallerArn", bob.as_str())]].concat());
    assert_eq!(of_gone.all("EvalResourceDecision"), ["implicitDeny", "allowed", "implicitDeny", "allowed"]);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/r");
    let by_role = [&ask[..], &[("CallerArn", role.as_str())]].concat();
    assert_eq!(root.refused("SimulateCustomPolicy", &by_role).0, "InvalidInput");
    let nobody = root.ok("SimulateCustomPolicy", &ask);
    assert_eq!(nobody.all("EvalResourceDecision"), ["implicitDeny"; 4]);
    assert!(
        nobody.0.contains("<member>aws:PrincipalTag/team</member><member>aws:username</member></MissingContextValues>")
    );
}

#[test]
fn boundaries_take_part() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreatePolicy", &[("PolicyName", "bound"), ("PolicyDocument", EC2)]);
    let bound = format!("arn:aws:iam::{ACCOUNT}:policy/bound");
    root.ok("CreateUser", &[("UserName", "alice"), ("PermissionsBoundary", &bound)]);
    root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let alice = user("alice");
    let ask = [
        ("PolicySourceArn", alice.as_str()),
        ("ActionNames.member.1", "ec2:StopInstances"),
        ("ActionNames.member.2", "s3:GetObject"),
    ];
    let own = root.ok("SimulatePrincipalPolicy", &ask);
    assert_eq!(own.all("EvalDecision"), ["allowed", "implicitDeny"]);
    assert_eq!(own.all("AllowedByPermissionsBoundary"), ["true", "false"]);
    assert_eq!(own.all("SourcePolicyType"), ["IAM Policy", "Permissions Boundary Policy", "IAM Policy"]);
    let other = [("PermissionsBoundaryPolicyInputList.member.1", ALLOW_ALL)];
    let replaced = root.ok("SimulatePrincipalPolicy", &[&ask[..], &other].concat());
    assert_eq!(replaced.all("EvalDecision"), ["allowed", "allowed"]);
}

#[test]
fn results_come_in_pages() {
    let aws = Aws::new();
    let names: Vec<String> = (1..=5).map(|number| format!("ActionNames.member.{number}")).collect();
    let actions: Vec<String> = (1..=5).map(|number| format!("ec2:Action{number}")).collect();
    let mut ask = vec![("PolicyInputList.member.1", EC2), ("MaxItems", "2")];
    ask.extend(names.iter().zip(&actions).map(|(name, action)| (name.as_str(), action.as_str())));
    let (mut told, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = ask.clone();
        parameters.extend(marker.as_ref().map(|marker| ("Marker", marker.as_str())));
        let page = aws.root().ok("SimulateCustomPolicy", &parameters);
        told.extend(page.all("EvalActionName"));
        if page.text("IsTruncated") == "false" {
            break;
        }
        marker = Some(page.text("Marker"));
    }
    assert_eq!(told, actions);
}

#[test]
fn a_simulation_is_no_way_to_keep_everybody_else_waiting() {
    let aws = Aws::new();
    let names = |list: &str| (1..=900).map(|number| format!("{list}.member.{number}")).collect::<Vec<String>>();
    let (actions, resources) = (names("ActionNames"), names("ResourceArns"));
    let mut ask = vec![("PolicyInputList.member.1", EC2)];
    ask.extend(actions.iter().map(|name| (name.as_str(), "ec2:StopInstances")));
    ask.extend(resources.iter().map(|name| (name.as_str(), "*")));
    let (code, status, _) = aws.root().refused("SimulateCustomPolicy", &ask);
    assert_eq!((code.as_str(), status), ("InvalidInput", 400));
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let aws = Aws::new();
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/s");
    let bob = user("bob");
    let administrator = user("administrator");
    let of = |arn| vec![("PolicySourceArn", arn), ("ActionNames.member.1", "ec2:StopInstances")];
    let with = |name, value| [of(&*administrator), vec![(name, value)]].concat();
    for (parameters, code, status, message) in [
        (
            of(&*session),
            "InvalidInput",
            400,
            format!("Invalid Entity Arn: {session} does not clearly define entity type and name."),
        ),
        (of(&*bob), "NoSuchEntity", 404, "The user with name bob cannot be found.".to_owned()),
        (
            with("ResourceArns.member.1", "bucket"),
            "InvalidInput",
            400,
            "ResourceNames are not in a valid ARN format: bucket.".to_owned(),
        ),
        (
            with("ResourceOwner", ACCOUNT),
            "InvalidInput",
            400,
            format!("'{ACCOUNT}' is not a valid as a Resource Owner."),
        ),
        (with("PolicyInputList.member.1", "{}"), "InvalidInput", 400, "Syntax errors in policy.".to_owned()),
        (with("ActionNames.member.2", "nothing"), "InvalidInput", 400, "Invalid Action Name: nothing".to_owned()),
        (with("ResourcePolicy", EC2), "InvalidInput", 400, "ResourcePolicy isn't simulated here".to_owned()),
    ] {
        assert_eq!(
            aws.root().refused("SimulatePrincipalPolicy", &parameters),
            (code.to_owned(), status, message),
            "{parameters:?}"
        );
    }
}

#[test]
fn the_keys_that_policies_ask_for_are_told() {
    let aws = Aws::new();
    let root = aws.root();
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:mfa/${aws:username}"}}"#;
    let custom = root.ok(
        "GetContextKeysForCustomPolicy",
        &[
            ("PolicyInputList.member.1", RECENT),
            ("PolicyInputList.member.2", own),
            ("PolicyInputList.member.3", RECENT),
        ],
    );
    let present = "aws:MultiFactorAuthPresent";
    assert_eq!(custom.all("member"), [present, "aws:username", present], "each policy's for itself");
    root.ok("CreateUser", &[("UserName", "alice")]);
    root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "own"), ("PolicyDocument", own)]);
    let principal = root.ok(
        "GetContextKeysForPrincipalPolicy",
        &[("PolicySourceArn", &user("alice")), ("PolicyInputList.member.1", RECENT)],
    );
    assert_eq!(principal.all("member"), ["aws:username", "aws:MultiFactorAuthPresent"]);
}

#[test]
fn results_have_the_shape_of_those_of_aws() {
    let aws = Aws::new();
    let root = aws.root();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/a"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/d","Condition":{"Null":{"aws:TokenIssueTime":"true"}}}]}"#;
    let ask = [("PolicyInputList.member.1", policy), ("ActionNames.member.1", "s3:GetObject")];
    let on = |resources: &[&str]| {
        let names: Vec<String> = (1..=resources.len()).map(|number| format!("ResourceArns.member.{number}")).collect();
        let resources = names.iter().map(String::as_str).zip(resources.iter().copied());
        root.ok("SimulateCustomPolicy", &ask.into_iter().chain(resources).collect::<Vec<_>>())
    };
    let one = on(&["arn:aws:s3:::b/a"]);
    assert_eq!(one.all("EvalResourceName"), ["arn:aws:s3:::b/a"; 2], "the one, and each");
    assert_eq!(
        (one.all("EvalDecision"), one.all("EvalResourceDecision")),
        (vec!["allowed".into()], vec!["allowed".into()])
    );
    assert!(one.0.contains("<MissingContextValues/>") && one.0.contains("<EvalDecisionDetails/>"), "{}", one.0);
    let all = on(&["arn:aws:s3:::b/a", "arn:aws:s3:::b/d", "arn:aws:s3:::b/x"]);
    assert_eq!(all.text("EvalDecision"), "explicitDeny");
    assert_eq!(all.text("EvalResourceName"), "arn:aws:s3:::${BucketName}/${KeyName}");
    assert_eq!(all.all("EvalResourceDecision"), ["allowed", "explicitDeny", "implicitDeny"]);
    assert_eq!(all.all("SourcePolicyId").len(), 4, "all that decided about any, then those of each");
    let missing = "<MissingContextValues><member>aws:TokenIssueTime</member></MissingContextValues>";
    assert_eq!(all.0.matches(missing).count(), 1, "only what is denied implicitly lacks something");
    let none = root.ok("SimulateCustomPolicy", &ask);
    assert_eq!(none.all("EvalResourceName"), ["*"]);
    assert!(!none.has("ResourceSpecificResults"));
}

#[test]
fn a_statement_that_is_no_list_counts_as_one() {
    let aws = Aws::new();
    let root = aws.root();
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}"#;
    root.ok("CreateUser", &[("UserName", "alice")]);
    root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "own"), ("PolicyDocument", policy)]);
    let ask = [("PolicySourceArn", user("alice")), ("ActionNames.member.1", "ec2:StopInstances".to_owned())];
    let ask: Vec<(&str, &str)> = ask.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = root.ok("SimulatePrincipalPolicy", &ask);
    assert_eq!(
        (answer.text("EvalDecision"), answer.text("SourcePolicyId")),
        ("allowed".into(), "user_alice_own".into())
    );
    assert_eq!(answer.all("Column"), ["38", "87"]);
}

#[test]
fn whom_an_arn_names_does_not_depend_on_its_path() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice"), ("Path", "/team/")]);
    let bob = aws.user("bob");
    let allow = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"iam:*Polic*","Resource":"{}"}}}}"#,
        user("team/alice")
    );
    root.ok("PutUserPolicy", &[("UserName", "bob"), ("PolicyName", "own"), ("PolicyDocument", &allow)]);
    for path in ["team/alice", "elsewhere/alice", "alice"] {
        bob.ok("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", &user(path))]);
        let ask = [("PolicySourceArn", user(path)), ("ActionNames.member.1", "s3:GetObject".to_owned())];
        let ask: Vec<(&str, &str)> = ask.iter().map(|(name, value)| (*name, value.as_str())).collect();
        bob.ok("SimulatePrincipalPolicy", &ask);
    }
    assert_eq!(bob.refused("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", &user("bob"))]).0, "AccessDenied");
}

#[test]
fn nobody_in_particular_has_an_id_all_the_same() {
    let aws = Aws::new();
    let policy = |id: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"aws:userid":"{id}"}}}}}}}}"#
        )
    };
    let decided = |id: &str, caller: Option<&str>| {
        let policy = policy(id);
        let mut ask = vec![("PolicyInputList.member.1", policy.as_str()), ("ActionNames.member.1", "s3:GetObject")];
        ask.extend(caller.map(|caller| ("CallerArn", caller)));
        aws.root().ok("SimulateCustomPolicy", &ask).text("EvalDecision")
    };
    assert_eq!(decided("STUB_PRINCIPAL_FOR_POLICY_SIMULATOR", None), "allowed");
    let caller = user("team/gone");
    assert_eq!(decided(&caller, Some(&caller)), "allowed");
    assert_eq!(decided("STUB_PRINCIPAL_FOR_POLICY_SIMULATOR", Some(&caller)), "implicitDeny");
}

#[test]
fn a_typed_list_is_a_list() {
    let aws = Aws::new();
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"my:key":"x"}}}}"#;
    for (kind, expected) in [("string", "allowed"), ("stringList", "implicitDeny")] {
        let ask = [
            ("PolicyInputList.member.1", policy),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ContextEntries.member.1.ContextKeyName", "my:key"),
            ("ContextEntries.member.1.ContextKeyType", kind),
            ("ContextEntries.member.1.ContextKeyValues.member.1", "x"),
        ];
        assert_eq!(aws.root().ok("SimulateCustomPolicy", &ask).text("EvalDecision"), expected, "{kind}");
    }
}
