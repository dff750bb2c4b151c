//! What is kept from one request for the next changes no answer: signing keys, and policies that were read.

use super::support::*;

const DENY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:GetUser","Resource":"*"}]}"#;
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}"#;

#[test]
fn an_access_key_that_was_used_is_refused_as_soon_as_it_is_inactive_or_deleted() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice")]);
    root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "all"), ("PolicyDocument", ALLOW)]);
    let alice = aws.key_of("alice");
    let id = alice.credentials.access_key_id.clone();
    let status = |status: &str| {
        root.ok("UpdateAccessKey", &[("UserName", "alice"), ("AccessKeyId", &id), ("Status", status)]);
    };
    alice.ok("GetUser", &[]);
    status("Inactive");
    assert_eq!(alice.refused("GetUser", &[]).0, "InvalidClientTokenId");
    status("Active");
    alice.ok("GetUser", &[]);
    let other = vmfa::wire::sigv4::Credentials::new(&id, "another secret", None);
    assert_eq!(aws.client(&other).refused("GetUser", &[]).0, "SignatureDoesNotMatch");
    root.ok("DeleteAccessKey", &[("UserName", "alice"), ("AccessKeyId", &id)]);
    assert_eq!(alice.refused("GetUser", &[]).0, "InvalidClientTokenId");
}

#[test]
fn a_policy_that_is_replaced_decides_the_next_request() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice")]);
    let alice = aws.key_of("alice");
    let put = |document: &str| {
        root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "one"), ("PolicyDocument", document)]);
    };
    assert_eq!(alice.refused("GetUser", &[]).0, "AccessDenied");
    put(ALLOW);
    alice.ok("GetUser", &[]);
    put(DENY);
    assert_eq!(alice.refused("GetUser", &[]).0, "AccessDenied");
    put(ALLOW);
    alice.ok("GetUser", &[]);
    root.ok("DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "one")]);
    assert_eq!(alice.refused("GetUser", &[]).0, "AccessDenied");
}

#[test]
fn a_page_goes_on_behind_its_marker_after_that_user_was_deleted() {
    let aws = Aws::new();
    let root = aws.root();
    for name in ["a", "b", "c", "d"] {
        root.ok("CreateUser", &[("UserName", name)]);
    }
    // After `a`, the administrator, and `b`.
    let page = root.ok("ListUsers", &[("MaxItems", "3")]);
    root.ok("DeleteUser", &[("UserName", "b")]);
    let next = root.ok("ListUsers", &[("MaxItems", "3"), ("Marker", &page.text("Marker"))]);
    assert_eq!(next.all("UserName"), ["c", "d"]);
    let users = ("Filter.member.1", "User");
    let page = root.ok("GetAccountAuthorizationDetails", &[users, ("MaxItems", "1")]);
    assert_eq!(page.all("UserName"), ["a"]);
    root.ok("DeleteUser", &[("UserName", "a")]);
    let next = root.ok("GetAccountAuthorizationDetails", &[users, ("Marker", &page.text("Marker"))]);
    assert_eq!(next.all("UserName"), ["administrator", "c", "d"]);
}
