//! Login profiles and passwords.

use super::support::*;

const WEAK: (&str, u16, &str) =
    ("PasswordPolicyViolation", 400, "Password does not conform to the account password policy.");

#[track_caller]
fn refused(client: &Client<'_>, action: &str, parameters: &[(&str, &str)], (code, status, message): (&str, u16, &str)) {
    assert_eq!(client.refused(action, parameters), (code.to_owned(), status, message.to_owned()), "{action}");
}

#[test]
fn a_login_profile_is_created_shown_changed_and_deleted() {
    let aws = Aws::new();
    let root = aws.root();
    let user = ("UserName", "Alice");
    root.ok("CreateUser", &[user]);
    let missing = ("NoSuchEntity", 404, "Login Profile for User Alice cannot be found.");
    for action in ["GetLoginProfile", "DeleteLoginProfile", "UpdateLoginProfile"] {
        refused(&root, action, &[("UserName", "alice")], missing);
    }
    let created = root.ok("CreateLoginProfile", &[user, ("Password", "Correct-1"), ("PasswordResetRequired", "true")]);
    assert_eq!((created.text("UserName"), created.text("PasswordResetRequired")), ("Alice".into(), "true".into()));
    refused(
        &root,
        "CreateLoginProfile",
        &[("UserName", "alice"), ("Password", "Correct-1")],
        ("EntityAlreadyExists", 409, "Login Profile for user Alice already exists."),
    );
    refused(
        &root,
        "CreateLoginProfile",
        &[("UserName", "bob"), ("Password", "Correct-1")],
        ("NoSuchEntity", 404, "The user with name bob cannot be found."),
    );
    root.ok("UpdateLoginProfile", &[user, ("Password", "Correct-2")]);
    assert_eq!(root.ok("GetLoginProfile", &[user]).text("PasswordResetRequired"), "true");
    root.ok("UpdateLoginProfile", &[user, ("PasswordResetRequired", "false")]);
    assert_eq!(root.ok("GetLoginProfile", &[user]).text("PasswordResetRequired"), "false");
    root.ok("DeleteLoginProfile", &[user]);
    refused(&root, "GetLoginProfile", &[user], missing);
}

#[test]
fn weak_passwords_are_refused_and_never_told() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice")]);
    for password in ["Short-1", "onlysmalletters", "small-letters", "12345678aaa"] {
        refused(&root, "CreateLoginProfile", &[("UserName", "alice"), ("Password", password)], WEAK);
        assert!(!aws.why().is_empty());
        let events = format!("{:?}", aws.events());
        assert!(!events.contains(password));
    }
    root.ok(
        "UpdateAccountPasswordPolicy",
        &[
            ("MinimumPasswordLength", "10"),
            ("RequireSymbols", "true"),
            ("RequireNumbers", "true"),
            ("RequireUppercaseCharacters", "true"),
            ("RequireLowercaseCharacters", "true"),
        ],
    );
    for (password, objection) in [
        ("Short-123", "the password has fewer than 10 characters"),
        ("smaller-letters-1", "the password has no capital letter"),
        ("CAPITAL-LETTERS-1", "the password has no small letter"),
        ("Letters-and-dashes", "the password has no digit"),
        ("LettersAndDigits1", "the password has none of !@#$%^&*()_+-=[]{}|'"),
    ] {
        refused(&root, "CreateLoginProfile", &[("UserName", "alice"), ("Password", password)], WEAK);
        assert_eq!(aws.why(), objection);
    }
    root.ok("CreateLoginProfile", &[("UserName", "alice"), ("Password", "Everything-1")]);
}

#[test]
fn users_change_their_own_passwords_where_they_may() {
    let aws = Aws::new();
    let (root, alice) = (aws.root(), aws.user("alice"));
    let change = |old, new| [("OldPassword", old), ("NewPassword", new)];
    root.ok(
        "CreateLoginProfile",
        &[("UserName", "alice"), ("Password", "Correct-1"), ("PasswordResetRequired", "true")],
    );
    let denied = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: iam:ChangePassword on resource: user alice \
         because no identity-based policy allows the iam:ChangePassword action"
    );
    refused(&alice, "ChangePassword", &change("Correct-1", "Correct-2"), ("AccessDenied", 403, &denied));
    root.ok(
        "AttachUserPolicy",
        &[("UserName", "alice"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMUserChangePassword")],
    );
    let wrong = ("AccessDenied", 403, "The old password was incorrect.");
    refused(&alice, "ChangePassword", &change("Correct-0", "Correct-2"), wrong);
    refused(&alice, "ChangePassword", &change("Correct-1", "weak"), WEAK);
    alice.ok("ChangePassword", &change("Correct-1", "Correct-2"));
    assert_eq!(root.ok("GetLoginProfile", &[("UserName", "alice")]).text("PasswordResetRequired"), "false");
    refused(&alice, "ChangePassword", &change("Correct-1", "Correct-3"), wrong);
    assert!(!format!("{:?}", aws.events()).contains("Correct-"));
    let bob = aws.user("bob");
    root.ok("UpdateAccountPasswordPolicy", &[("AllowUsersToChangePassword", "true")]);
    assert_eq!(bob.ok("GetAccountPasswordPolicy", &[]).text("AllowUsersToChangePassword"), "true");
    let none = ("NoSuchEntity", 404, "Login Profile for User bob cannot be found.");
    refused(&bob, "ChangePassword", &change("x", "y"), none);
    root.ok("CreateLoginProfile", &[("UserName", "bob"), ("Password", "Correct-1")]);
    bob.ok("ChangePassword", &change("Correct-1", "Correct-2"));
    let deny = ALLOW_ALL.replace("Allow", "Deny");
    root.ok("PutUserPolicy", &[("UserName", "bob"), ("PolicyName", "deny"), ("PolicyDocument", &deny)]);
    assert_eq!(bob.refused("ChangePassword", &change("Correct-2", "Correct-3")).0, "AccessDenied");
}

#[test]
fn passwords_are_not_chosen_again_too_soon() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice")]);
    root.ok("UpdateAccountPasswordPolicy", &[("PasswordReusePrevention", "2")]);
    let password = |password| [("UserName", "alice"), ("Password", password)];
    root.ok("CreateLoginProfile", &password("first-1"));
    refused(&root, "UpdateLoginProfile", &password("first-1"), WEAK);
    root.ok("UpdateLoginProfile", &password("second-2"));
    refused(&root, "UpdateLoginProfile", &password("first-1"), WEAK);
    root.ok("UpdateLoginProfile", &password("third-3"));
    root.ok("UpdateLoginProfile", &password("first-1"));
}

#[test]
fn only_users_change_passwords() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateRole", &[("RoleName", "ops"), ("AssumeRolePolicyDocument", &trust_of_account())]);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/ops");
    let session = root.ok("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "session")]);
    let session = aws.client(&session.credentials());
    let parameters = [("OldPassword", "a"), ("NewPassword", "b")];
    let message = "Only IAM Users can change their own password";
    refused(&session, "ChangePassword", &parameters, ("InvalidUserType", 400, message));
    root.ok("PutRolePolicy", &[("RoleName", "ops"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let message = "Must specify userName when calling with non-User credentials";
    for action in ["GetUser", "ListAccessKeys", "CreateAccessKey", "ListMFADevices", "GetLoginProfile"] {
        refused(&session, action, &[], ("ValidationError", 400, message));
    }
}

#[test]
fn the_rules_are_the_defaults_unless_they_are_said() {
    let aws = Aws::new();
    let root = aws.root();
    let none = format!("The Password Policy with domain name {ACCOUNT} cannot be found.");
    refused(&root, "GetAccountPasswordPolicy", &[], ("NoSuchEntity", 404, &none));
    let message = "The account policy with name PasswordPolicy cannot be found.";
    refused(&root, "DeleteAccountPasswordPolicy", &[], ("NoSuchEntity", 404, message));
    root.ok(
        "UpdateAccountPasswordPolicy",
        &[("MaxPasswordAge", "90"), ("PasswordReusePrevention", "5"), ("HardExpiry", "true")],
    );
    let policy = root.ok("GetAccountPasswordPolicy", &[]);
    for (name, value) in [
        ("MinimumPasswordLength", "6"),
        ("RequireSymbols", "false"),
        ("AllowUsersToChangePassword", "false"),
        ("ExpirePasswords", "true"),
        ("MaxPasswordAge", "90"),
        ("PasswordReusePrevention", "5"),
        ("HardExpiry", "true"),
    ] {
        assert_eq!(policy.text(name), value, "{name}");
    }
    root.ok("UpdateAccountPasswordPolicy", &[]);
    let policy = root.ok("GetAccountPasswordPolicy", &[]);
    assert_eq!(policy.text("ExpirePasswords"), "false");
    for name in ["MaxPasswordAge", "PasswordReusePrevention", "HardExpiry"] {
        assert!(!policy.has(name), "{name}");
    }
    root.ok("DeleteAccountPasswordPolicy", &[]);
    assert_eq!(root.refused("GetAccountPasswordPolicy", &[]).0, "NoSuchEntity");
    let (_, _, message) = root.refused(
        "UpdateAccountPasswordPolicy",
        &[("MinimumPasswordLength", "5"), ("MaxPasswordAge", "1096"), ("PasswordReusePrevention", "25")],
    );
    assert!(message.starts_with("3 validation errors detected: Value at '"), "{message}");
    assert!(message.contains(
        "; Value at 'maxPasswordAge' failed to satisfy constraint: Member must have value less than or equal to 1095"
    ));
}
