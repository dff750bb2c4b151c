//! Managed policies with versions, inline policies, attachments, boundaries.

use super::support::*;

const EC2: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}"#;

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

#[track_caller]
fn refused(client: &Client<'_>, action: &str, parameters: &[(&str, &str)], code: &str, status: u16, message: &str) {
    let expected = (code.to_owned(), status, message.to_owned());
    assert_eq!(client.refused(action, parameters), expected, "{action}");
}

#[test]
fn a_policy_is_shown_as_it_was_created() {
    let aws = Aws::new();
    let root = aws.root();
    let created = root.ok(
        "CreatePolicy",
        &[
            ("PolicyName", "ec2"),
            ("Path", "/a/"),
            ("PolicyDocument", EC2),
            ("Description", "all of EC2"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "red"),
        ],
    );
    assert!(created.text("PolicyId").starts_with("ANPA"));
    assert_eq!(created.text("Arn"), arn("a/ec2"));
    for answer in [&created, &root.ok("GetPolicy", &[("PolicyArn", &arn("a/ec2"))])] {
        assert_eq!(answer.text("DefaultVersionId"), "v1");
        assert_eq!(answer.text("AttachmentCount"), "0");
        assert_eq!(answer.text("PermissionsBoundaryUsageCount"), "0");
        assert_eq!(answer.text("IsAttachable"), "true");
        assert_eq!(answer.text("Key"), "team");
    }
    assert_eq!(root.ok("GetPolicy", &[("PolicyArn", &arn("a/ec2"))]).text("Description"), "all of EC2");
    assert!(!created.has("Description"), "the answer to CreatePolicy has none");
    root.ok("CreatePolicy", &[("PolicyName", "plain"), ("PolicyDocument", EC2)]);
    assert!(root.ok("GetPolicy", &[("PolicyArn", &arn("plain"))]).0.contains("<Tags/>"));
    refused(
        &root,
        "CreatePolicy",
        &[("PolicyName", "EC2"), ("PolicyDocument", EC2)],
        "EntityAlreadyExists",
        409,
        "A policy called EC2 already exists. Duplicate names are not allowed.",
    );
    let version = root.ok("GetPolicyVersion", &[("PolicyArn", &arn("a/ec2")), ("VersionId", "v1")]);
    assert_eq!(
        version.text("Document"),
        "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22\
         ec2%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D"
    );
}

#[test]
fn versions_are_five_at_most_and_their_numbers_are_not_given_twice() {
    let aws = Aws::new();
    let root = aws.root();
    let name = arn("ec2");
    let policy = ("PolicyArn", name.as_str());
    root.ok("CreatePolicy", &[("PolicyName", "ec2"), ("PolicyDocument", EC2)]);
    let created = root.ok("CreatePolicyVersion", &[policy, ("PolicyDocument", ALLOW_ALL), ("SetAsDefault", "true")]);
    assert_eq!((created.text("VersionId"), created.text("IsDefaultVersion")), ("v2".into(), "true".into()));
    assert!(!created.has("Document"));
    refused(
        &root,
        "DeletePolicyVersion",
        &[policy, ("VersionId", "v2")],
        "DeleteConflict",
        409,
        "Cannot delete the default version of a policy.",
    );
    root.ok("SetDefaultPolicyVersion", &[policy, ("VersionId", "v1")]);
    root.ok("DeletePolicyVersion", &[policy, ("VersionId", "v2")]);
    for number in 3..=6 {
        let created = root.ok("CreatePolicyVersion", &[policy, ("PolicyDocument", EC2)]);
        assert_eq!(created.text("VersionId"), format!("v{number}"));
    }
    refused(
        &root,
        "CreatePolicyVersion",
        &[policy, ("PolicyDocument", EC2)],
        "LimitExceeded",
        409,
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing \
         version.",
    );
    let page = root.ok("ListPolicyVersions", &[policy, ("MaxItems", "3")]);
    assert_eq!(page.all("VersionId"), ["v6", "v5", "v4"]);
    let rest = root.ok("ListPolicyVersions", &[policy, ("Marker", &page.text("Marker"))]);
    assert_eq!(rest.all("VersionId"), ["v3", "v1"]);
    assert_eq!(rest.all("IsDefaultVersion"), ["false", "true"]);
    for action in ["GetPolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion"] {
        for of in [name.clone(), arn("none")] {
            let message = format!("Policy {of} version v9 does not exist or is not attachable.");
            refused(&root, action, &[("PolicyArn", &of), ("VersionId", "v9")], "NoSuchEntity", 404, &message);
        }
    }
    refused(
        &root,
        "GetPolicyVersion",
        &[policy, ("VersionId", "1")],
        "ValidationError",
        400,
        "1 validation error detected: Value at 'versionId' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?",
    );
    refused(
        &root,
        "DeletePolicy",
        &[policy],
        "DeleteConflict",
        409,
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The \
         default version is deleted with the policy.",
    );
}

#[test]
fn the_default_version_is_the_one_that_counts() {
    let aws = Aws::new();
    let (root, alice) = (aws.root(), aws.user("alice"));
    let name = arn("some");
    let policy = ("PolicyArn", name.as_str());
    root.ok("CreatePolicy", &[("PolicyName", "some"), ("PolicyDocument", EC2)]);
    root.ok("AttachUserPolicy", &[("UserName", "alice"), policy]);
    assert_eq!(alice.refused("ListUsers", &[]).0, "AccessDenied");
    root.ok("CreatePolicyVersion", &[policy, ("PolicyDocument", ALLOW_ALL)]);
    assert_eq!(alice.refused("ListUsers", &[]).0, "AccessDenied");
    root.ok("SetDefaultPolicyVersion", &[policy, ("VersionId", "v2")]);
    alice.ok("ListUsers", &[]);
}

#[test]
fn policies_are_attached_and_detached() {
    let aws = Aws::new();
    let root = aws.root();
    let name = arn("ec2");
    let policy = ("PolicyArn", name.as_str());
    let trust = trust_of_account();
    root.ok("CreatePolicy", &[("PolicyName", "ec2"), ("PolicyDocument", EC2)]);
    root.ok("CreateUser", &[("UserName", "x")]);
    root.ok("CreateGroup", &[("GroupName", "x")]);
    root.ok("CreateRole", &[("RoleName", "x"), ("AssumeRolePolicyDocument", &trust)]);
    for kind in ["User", "Group", "Role"] {
        let parameter = format!("{kind}Name");
        let holder = (parameter.as_str(), "x");
        let action = |verb: &str| format!("{verb}{kind}Policy");
        let missing = arn("missing");
        refused(
            &root,
            &action("Attach"),
            &[holder, ("PolicyArn", &missing)],
            "NoSuchEntity",
            404,
            &format!("Policy {missing} does not exist or is not attachable."),
        );
        let odd = "this is not an arn at all";
        refused(
            &root,
            &action("Attach"),
            &[holder, ("PolicyArn", odd)],
            "InvalidInput",
            400,
            &format!("ARN {odd} is not valid."),
        );
        refused(
            &root,
            &action("Detach"),
            &[holder, policy],
            "NoSuchEntity",
            404,
            &format!("Policy {name} was not found."),
        );
        root.ok(&action("Attach"), &[holder, policy]);
        root.ok(&action("Attach"), &[holder, policy]);
        let listed = root.ok(&format!("ListAttached{kind}Policies"), &[holder]);
        assert_eq!((listed.all("PolicyName"), listed.all("PolicyArn")), (vec!["ec2".into()], vec![name.clone()]));
    }
    assert_eq!(root.ok("GetPolicy", &[policy]).text("AttachmentCount"), "3");
    refused(&root, "DeletePolicy", &[policy], "DeleteConflict", 409, "Cannot delete a policy attached to entities.");
    let entities = root.ok("ListEntitiesForPolicy", &[policy]);
    for element in ["UserName", "GroupName", "RoleName"] {
        assert_eq!(entities.all(element), ["x"]);
    }
    let groups = root.ok("ListEntitiesForPolicy", &[policy, ("EntityFilter", "Group")]);
    assert!(groups.has("GroupId") && groups.0.contains("<PolicyUsers/>") && groups.0.contains("<PolicyRoles/>"));
    let page = root.ok("ListEntitiesForPolicy", &[policy, ("MaxItems", "2")]);
    let rest = root.ok("ListEntitiesForPolicy", &[policy, ("Marker", &page.text("Marker"))]);
    let names = |answer: &Answer| ["UserName", "GroupName", "RoleName"].map(|name| answer.all(name).len());
    assert_eq!([0, 1, 2].map(|index| names(&page)[index] + names(&rest)[index]), [1, 1, 1]);
    for kind in ["User", "Group", "Role"] {
        root.ok(&format!("Detach{kind}Policy"), &[(&format!("{kind}Name"), "x"), policy]);
    }
    root.ok("DeletePolicy", &[policy]);
    refused(&root, "GetPolicy", &[policy], "NoSuchEntity", 404, &format!("Policy {name} was not found."));
}

#[test]
fn ten_policies_can_be_attached() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice")]);
    for number in 0..11 {
        let name = format!("p{number}");
        root.ok("CreatePolicy", &[("PolicyName", &name), ("PolicyDocument", EC2)]);
        let parameters = [("UserName", "alice"), ("PolicyArn", &*arn(&name))];
        if number < 10 {
            root.ok("AttachUserPolicy", &parameters);
        } else {
            let message = "Cannot exceed quota for PoliciesPerUser: 10";
            refused(&root, "AttachUserPolicy", &parameters, "LimitExceeded", 409, message);
        }
    }
    let page = root.ok("ListAttachedUserPolicies", &[("UserName", "alice"), ("MaxItems", "4")]);
    assert_eq!(page.all("PolicyName"), ["p0", "p1", "p2", "p3"]);
}

#[test]
fn lists_of_policies_are_filtered() {
    let aws = Aws::new();
    let root = aws.root();
    for (name, path) in [("one", "/"), ("two", "/a/"), ("bound", "/")] {
        root.ok("CreatePolicy", &[("PolicyName", name), ("Path", path), ("PolicyDocument", EC2)]);
    }
    root.ok("CreateUser", &[("UserName", "alice"), ("PermissionsBoundary", &arn("bound"))]);
    root.ok("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", &arn("one"))]);
    let listed = |parameters: &[(&str, &str)]| {
        let mut names = root.ok("ListPolicies", parameters).all("PolicyName");
        names.sort();
        names
    };
    assert_eq!(listed(&[("Scope", "Local")]), ["bound", "one", "two"]);
    assert!(listed(&[("Scope", "AWS")]).contains(&"AmazonEC2FullAccess".to_owned()));
    assert_eq!(listed(&[("Scope", "Local"), ("PathPrefix", "/a/")]), ["two"]);
    assert_eq!(listed(&[("OnlyAttached", "true")]), ["AdministratorAccess", "bound", "one"]);
    let attached = [("Scope", "Local"), ("OnlyAttached", "1")];
    let bounding = [&attached[..], &[("PolicyUsageFilter", "PermissionsBoundary")]].concat();
    assert_eq!(listed(&bounding), ["bound"]);
    assert_eq!(listed(&[&attached[..], &[("PolicyUsageFilter", "PermissionsPolicy")]].concat()), ["one"]);
    assert_eq!(listed(&[("Scope", "Local"), ("PolicyUsageFilter", "PermissionsPolicy")]), ["bound", "one", "two"]);
    let all = root.ok("ListPolicies", &bounding);
    assert_eq!((all.text("AttachmentCount"), all.text("PermissionsBoundaryUsageCount")), ("0".into(), "1".into()));
    assert!(!all.has("Description") && !all.has("Tags"));
    let bound = root.ok("ListEntitiesForPolicy", &[("PolicyArn", &arn("bound"))]);
    assert_eq!(bound.all("UserName"), ["alice"]);
    let as_permissions = [("PolicyArn", &*arn("bound")), ("PolicyUsageFilter", "PermissionsPolicy")];
    assert!(!root.ok("ListEntitiesForPolicy", &as_permissions).has("UserName"));
}

#[test]
fn what_is_of_aws_stays_as_it_is() {
    let aws = Aws::new();
    let root = aws.root();
    let name = "arn:aws:iam::aws:policy/AmazonEC2FullAccess";
    assert_eq!(root.ok("GetPolicy", &[("PolicyArn", name)]).text("PolicyName"), "AmazonEC2FullAccess");
    for (action, what, more) in [
        ("DeletePolicy", "delete policies", vec![]),
        ("CreatePolicyVersion", "create versions for policies", vec![("PolicyDocument", EC2)]),
        ("DeletePolicyVersion", "delete policy versions for policies", vec![("VersionId", "v1")]),
        ("SetDefaultPolicyVersion", "update policies", vec![("VersionId", "v1")]),
    ] {
        let parameters = [vec![("PolicyArn", name)], more].concat();
        let message = format!("Cannot {what} outside your own account.");
        refused(&root, action, &parameters, "AccessDenied", 403, &message);
    }
    for (action, more) in [
        ("TagPolicy", vec![("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")]),
        ("UntagPolicy", vec![("TagKeys.member.1", "a")]),
    ] {
        let parameters = [vec![("PolicyArn", name)], more].concat();
        refused(&root, action, &parameters, "InvalidInput", 400, "Tags not supported for policies in this domain");
    }
    root.ok("CreateGroup", &[("GroupName", "g")]);
    let reserved = "arn:aws:iam::aws:policy/aws-service-role/AnyServiceRolePolicy";
    refused(
        &root,
        "AttachGroupPolicy",
        &[("GroupName", "g"), ("PolicyArn", reserved)],
        "PolicyNotAttachable",
        400,
        "Cannot attach AWS reserved policy to an IAM group.",
    );
}

#[test]
fn inline_policies_are_put_read_and_deleted() {
    let aws = Aws::new();
    let root = aws.root();
    let trust = trust_of_account();
    root.ok("CreateUser", &[("UserName", "X")]);
    root.ok("CreateGroup", &[("GroupName", "X")]);
    root.ok("CreateRole", &[("RoleName", "X"), ("AssumeRolePolicyDocument", &trust)]);
    for (kind, word, most) in [("User", "user", 2_048), ("Group", "group", 5_120), ("Role", "role", 10_240)] {
        let parameter = format!("{kind}Name");
        let (holder, policy) = ((parameter.as_str(), "x"), ("PolicyName", "p"));
        let [put, get, delete] = ["Put", "Get", "Delete"].map(|verb| format!("{verb}{kind}Policy"));
        let list = format!("List{kind}Policies");
        let missing = format!("The {word} policy with name p cannot be found.");
        refused(&root, &get, &[holder, policy], "NoSuchEntity", 404, &missing);
        refused(&root, &delete, &[holder, policy], "NoSuchEntity", 404, &missing);
        root.ok(&put, &[holder, policy, ("PolicyDocument", EC2)]);
        let got = root.ok(&get, &[holder, policy]);
        assert_eq!((got.text(&parameter), got.text("PolicyName")), ("X".into(), "p".into()));
        assert!(got.text("PolicyDocument").starts_with("%7B%22Version%22%3A%222012-10-17%22"));
        root.ok(&put, &[holder, ("PolicyName", "q"), ("PolicyDocument", EC2)]);
        let page = root.ok(&list, &[holder, ("MaxItems", "1")]);
        assert_eq!(page.text("member"), "p");
        assert_eq!(root.ok(&list, &[holder, ("Marker", &page.text("Marker"))]).text("member"), "q");
        // The sum of all counts, without blanks
        let sized = |size: usize| {
            let action = format!("ec2:{}", "x".repeat(size - EC2.len() + 1));
            EC2.replace("ec2:*", &action).replace("\":", "\" : ")
        };
        let rest = most - 2 * EC2.len();
        root.ok(&put, &[holder, ("PolicyName", "r"), ("PolicyDocument", &sized(rest))]);
        let too_large = sized(rest + 1);
        let message = format!("Maximum policy size of {most} bytes exceeded for {word} X");
        let parameters = [holder, ("PolicyName", "r"), ("PolicyDocument", too_large.as_str())];
        refused(&root, &put, &parameters, "LimitExceeded", 409, &message);
        root.ok(&delete, &[holder, policy]);
        assert_eq!(root.ok(&list, &[holder]).all("member"), ["q", "r"]);
        refused(
            &root,
            &put,
            &[holder, policy, ("PolicyDocument", "{}")],
            "MalformedPolicyDocument",
            400,
            "Syntax errors in policy.",
        );
    }
}

#[test]
fn a_managed_policy_has_its_size() {
    let aws = Aws::new();
    let root = aws.root();
    let of = |size: usize| EC2.replace("ec2:*", &format!("ec2:{}", "x".repeat(size - EC2.len() + 1)));
    root.ok("CreatePolicy", &[("PolicyName", "fits"), ("PolicyDocument", &of(6_144))]);
    refused(
        &root,
        "CreatePolicy",
        &[("PolicyName", "large"), ("PolicyDocument", &of(6_145))],
        "LimitExceeded",
        409,
        "Cannot exceed quota for PolicySize: 6144",
    );
}

#[test]
fn what_is_wrong_with_a_document_is_told_beside_the_answer() {
    let aws = Aws::new();
    let document = EC2.replace("Allow", "allowed");
    let parameters = [("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    refused(&aws.root(), "CreatePolicy", &parameters, "MalformedPolicyDocument", 400, "Syntax errors in policy.");
    assert_eq!(aws.why(), "statement 1: `allowed` in `Effect`: neither Allow nor Deny");
}

#[test]
fn a_boundary_bounds_and_keeps_its_policy() {
    let aws = Aws::new();
    let (root, alice) = (aws.root(), aws.user("alice"));
    let name = arn("bound");
    root.ok("CreatePolicy", &[("PolicyName", "bound"), ("PolicyDocument", EC2)]);
    root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    alice.ok("ListUsers", &[]);
    root.ok("PutUserPermissionsBoundary", &[("UserName", "alice"), ("PermissionsBoundary", &name)]);
    refused(
        &alice,
        "ListUsers",
        &[],
        "AccessDenied",
        403,
        &format!(
            "User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: iam:ListUsers on resource: \
             arn:aws:iam::{ACCOUNT}:user/ because no permissions boundary allows the iam:ListUsers action"
        ),
    );
    let policy = ("PolicyArn", name.as_str());
    refused(&root, "DeletePolicy", &[policy], "DeleteConflict", 409, "Cannot delete a policy attached to entities.");
    root.ok("DeleteUserPermissionsBoundary", &[("UserName", "alice")]);
    alice.ok("ListUsers", &[]);
    root.ok("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &trust_of_account())]);
    root.ok("PutRolePermissionsBoundary", &[("RoleName", "r"), ("PermissionsBoundary", &name)]);
    assert_eq!(root.ok("GetRole", &[("RoleName", "r")]).text("PermissionsBoundaryArn"), name);
    root.ok("DeleteRolePermissionsBoundary", &[("RoleName", "r")]);
    assert!(!root.ok("GetRole", &[("RoleName", "r")]).has("PermissionsBoundary"));
    root.ok("DeletePolicy", &[policy]);
    for (kind, action) in [("User", "PutUserPermissionsBoundary"), ("Role", "PutRolePermissionsBoundary")] {
        let holder = (format!("{kind}Name"), if kind == "User" { "alice" } else { "r" });
        let parameters = [(holder.0.as_str(), holder.1), ("PermissionsBoundary", name.as_str())];
        let message = format!("Scope ARN: {name} does not exist or is not attachable.");
        refused(&root, action, &parameters, "NoSuchEntity", 404, &message);
    }
}
