//! The wizard and what follows it, under the policies of the tutorial.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use vmfa::serve::Ended;

use super::browser::*;
use crate::serve::support::*;

const OWN: &[&str] = &["own-mfa", "force-mfa"];

#[test]
fn the_wizard_shows_one_secret_in_two_ways_and_enables_the_device() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.begin("alice");
    let picture = browser.page.body.split("src=\"data:image/png;base64,").nth(1).unwrap().split('"').next().unwrap();
    let png = BASE64_STANDARD.decode(unescape(picture)).unwrap();
    let limits = vmfa::provision::Limits::default();
    let found = vmfa::provision::read(&png, &limits).unwrap();
    assert_eq!(found.enrolments[0].secret.expose(), device.seed.expose());

    browser.submit("/console/mfa/register", &[("code1", "123456"), ("code2", "123456")]);
    assert_eq!(browser.page.status, 403);
    assert_eq!(browser.page.text("error-message"), "Authentication code for device is not valid.");
    assert!(browser.page.has("error-why") && browser.page.has("qr-code"), "it can be tried again");
    assert!(browser.page.body.contains("<title>Error: "));
    let [one, two] = device.pair(aws.now());
    browser.submit("/console/mfa/register", &[("code1", &two), ("code2", &one)]);
    assert_eq!(browser.page.text("error-code"), "InvalidAuthenticationCode");
    let place = browser.submit("/console/mfa/register", &[("code1", &one), ("code2", &two)]);
    assert_eq!(place, "/console/security");
    assert!(browser.page.text("notice").contains("alice"));
    assert_eq!(browser.page.all("mfa-device-serial"), [device.serial.as_str()]);
    assert!(!browser.page.has("unassigned-device-row"));
    browser.open("/console/security");
    assert!(!browser.page.has("notice"), "said once");
    // What was shown is not shown again.
    browser.open(&format!("/console/mfa/register?serial={}", device.serial));
    assert!(!browser.page.has("qr-code") && !browser.page.has("secret-key"));

    let mine = |action: &str| aws.events().into_iter().rfind(|event| event.action == action).unwrap();
    let event = mine("EnableMFADevice");
    assert_eq!((event.service.as_str(), event.ended), ("iam", Ended::Accepted));
    assert!(event.why.unwrap().starts_with("in the console: "));
    assert_eq!(event.principal.unwrap(), format!("arn:aws:iam::{ACCOUNT}:user/alice"));
}

#[test]
fn a_cancelled_wizard_leaves_an_orphan_that_an_administrator_deletes() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.begin("alice");
    assert_eq!(browser.submit("/console/mfa/cancel", &[]), "/console/security");
    assert_eq!(browser.page.all("unassigned-device-serial"), [device.serial.as_str()]);
    assert!(browser.page.has("unassigned-advice") && browser.page.has("mfa-none"));
    browser.open("/console/mfa/register");
    assert!(!browser.page.has("secret-key"));

    browser.open("/console/mfa/assign");
    browser.submit("/console/mfa/assign", &[("device-name", "alice")]);
    assert_eq!((browser.page.status, browser.page.text("error-code").as_str()), (409, "EntityAlreadyExists"));
    assert!(browser.page.text("error-why").contains("administrator") && browser.page.has("error-advice"));
    browser.open(&format!("/console/mfa/delete?serial={}", device.serial));
    browser.submit("/console/mfa/delete", &[]);
    assert_eq!((browser.page.status, browser.page.text("error-code").as_str()), (403, "AccessDenied"));
    assert!(browser.page.text("error-message").contains("iam:DeleteVirtualMFADevice"));

    aws.root().ok("DeleteVirtualMFADevice", &[("SerialNumber", &device.serial)]);
    browser.open("/console/security");
    assert!(!browser.page.has("unassigned-device-row"));
    browser.assign("alice");
    assert_eq!(browser.page.all("mfa-device-name"), ["alice"]);
}

#[test]
fn whoever_still_has_the_secret_key_can_enable_an_orphan() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.begin("alice");
    // Whoever leaves the page without cancelling can go on as well.
    browser.open("/console/security");
    assert_eq!(browser.page.all("unassigned-device-register"), ["Continue setting up"]);
    browser.submit("/console/sign-out", &[]);
    browser.sign_in("alice", PASSWORD);
    browser.open("/console/security");
    assert_eq!(browser.page.all("unassigned-device-register"), ["Enter codes"]);
    browser.open(&format!("/console/mfa/register?serial={}", device.serial));
    assert!(!browser.page.has("qr-code"));
    let [one, two] = device.pair(aws.now());
    let place = browser.submit("/console/mfa/register", &[("code1", &one), ("code2", &two)]);
    assert_eq!(place, "/console/security", "{}", browser.page.body);
}

#[test]
fn a_secret_key_is_not_shown_once_it_opens_nothing() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.begin("alice");
    browser.open("/console/mfa/register");
    assert!(browser.page.has("secret-key"), "a page may be loaded again");
    aws.root().ok("DeleteVirtualMFADevice", &[("SerialNumber", &device.serial)]);
    browser.open("/console/mfa/register");
    assert!(!browser.page.has("secret-key"));
    let other = Device::of(&aws.root().ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice")]));
    browser.open("/console/mfa/register");
    assert!(!browser.page.has("secret-key") && !browser.page.has("qr-code"));
    let [one, two] = other.pair(aws.now());
    browser.submit("/console/mfa/register", &[("code1", &one), ("code2", &two)]);
    assert!(browser.page.has("mfa-device-row"), "{}", browser.page.body);
}

#[test]
fn a_drifted_device_is_resynchronized_without_mfa() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.assign("alice");
    aws.wait(60);
    *device.ahead.borrow_mut() = 3_600;
    let mut elsewhere = Browser::new(&aws);
    assert_eq!(elsewhere.sign_in_with("alice", &device), "/console/sign-in/mfa");
    assert!(elsewhere.page.text("error-message").contains("invalid MFA one time pass code"));
    browser.open(&format!("/console/mfa/resync?serial={}", device.serial));
    assert_eq!(browser.page.text("mfa-device-name"), "alice");
    browser.submit("/console/mfa/resync", &[("code1", "000000"), ("code2", "000000")]);
    assert_eq!(browser.page.text("error-code"), "InvalidAuthenticationCode");
    let [one, two] = device.pair(aws.now());
    assert_eq!(browser.submit("/console/mfa/resync", &[("code1", &one), ("code2", &two)]), "/console/security");
    assert!(browser.page.text("notice").contains("in sync"));
    aws.wait(180);
    assert_eq!(elsewhere.sign_in_with("alice", &device), "/console");
}

#[test]
fn ones_own_device_is_removed_with_mfa_only() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.assign("alice");
    aws.wait(60);
    let page = format!("/console/mfa/remove?serial={}", device.serial);
    browser.open(&page);
    browser.submit("/console/mfa/remove", &[]);
    assert_eq!((browser.page.status, browser.page.text("error-code").as_str()), (403, "AccessDenied"));
    assert!(aws.root().ok("ListMFADevices", &[("UserName", "alice")]).has("SerialNumber"));

    browser.submit("/console/sign-out", &[]);
    assert_eq!(browser.sign_in_with("alice", &device), "/console");
    browser.open(&page);
    assert!(aws.root().ok("ListMFADevices", &[("UserName", "alice")]).has("SerialNumber"), "asking is not doing");
    assert_eq!(browser.submit("/console/mfa/remove", &[]), "/console/security");
    assert!(browser.page.has("mfa-none") && !browser.page.has("unassigned-device-row"), "{}", browser.page.body);
    assert!(!aws.root().ok("ListVirtualMFADevices", &[]).has("SerialNumber"));
}

#[test]
fn where_only_the_deletion_is_denied_the_page_says_so() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:DeleteVirtualMFADevice","Resource":"*"}}"#;
    let parameters = [("UserName", "alice"), ("PolicyName", "keep"), ("PolicyDocument", document)];
    aws.root().ok("PutUserPolicy", &parameters);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.assign("alice");
    aws.wait(60);
    browser.submit("/console/sign-out", &[]);
    browser.sign_in_with("alice", &device);
    browser.open(&format!("/console/mfa/remove?serial={}", device.serial));
    browser.submit("/console/mfa/remove", &[]);
    assert!(browser.page.text("error-advice").contains("deactivated"));
    browser.open("/console/security");
    assert_eq!(browser.page.all("unassigned-device-name"), ["alice"]);
}

#[test]
fn what_the_policies_deny_is_told_in_its_place() {
    let aws = Aws::new();
    user(&aws, "alice", &[]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    browser.open("/console/security");
    assert_eq!(browser.page.status, 200);
    let messages = browser.page.all("error-message");
    for (message, action) in messages.iter().zip(["iam:GetUser", "iam:ListMFADevices", "iam:ListVirtualMFADevices"]) {
        assert!(message.contains(action), "{message}");
    }
    assert_eq!(messages.len(), 3);
    assert_eq!(browser.page.text("user-name"), "alice");
    browser.open("/console/mfa/assign");
    browser.submit("/console/mfa/assign", &[("device-name", "alice")]);
    assert_eq!(browser.page.status, 403);
    assert!(browser.page.text("error-message").contains("iam:CreateVirtualMFADevice"));
}

#[test]
fn a_device_of_somebody_else_is_left_alone() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    user(&aws, "bob", OWN);
    let mut alice = Browser::new(&aws);
    alice.sign_in("alice", PASSWORD);
    let device = alice.assign("alice");
    let mut bob = Browser::new(&aws);
    bob.sign_in("bob", PASSWORD);
    bob.open("/console/security");
    assert!(bob.page.has("mfa-none"));
    aws.wait(60);
    let [one, two] = device.pair(aws.now());
    for (page, fields) in
        [("resync", vec![("code1", one.as_str()), ("code2", &two)]), ("remove", vec![]), ("delete", vec![])]
    {
        bob.open(&format!("/console/mfa/{page}?serial={}", device.serial));
        if page != "delete" {
            assert_eq!((bob.page.status, bob.page.text("heading").as_str()), (404, "No such device"));
        }
        let fields = [fields, vec![("serial", device.serial.as_str())]].concat();
        bob.submit(&format!("/console/mfa/{page}"), &fields);
        assert!(matches!(bob.page.status, 403 | 404), "{page}: {}", bob.page.body);
    }
}

#[test]
fn ones_own_access_keys_are_made_switched_off_and_deleted() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    browser.open("/console/keys");
    assert!(browser.page.has("access-keys-none"));
    assert_eq!(browser.submit("/console/keys/create", &[]), "/console/keys");
    let id = browser.page.text("new-access-key-id");
    let secret = browser.page.text("new-secret-access-key");
    let key = aws.client(&vmfa::wire::sigv4::Credentials::new(&id, &secret, None));
    assert_eq!(key.ok("GetCallerIdentity", &[]).text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/alice"));
    browser.open("/console/keys");
    assert!(!browser.page.body.contains(&secret), "shown once");
    assert_eq!(browser.page.all("access-key-id"), [id.as_str()]);
    assert!(!browser.page.has("access-key-delete"), "first it is switched off");
    browser.submit("/console/keys/update", &[("id", &id), ("status", "Inactive")]);
    assert_eq!((browser.page.text("access-key-status"), browser.page.has("notice")), ("Inactive".to_owned(), true));
    key.refused("GetCallerIdentity", &[]);
    browser.submit("/console/keys/update", &[("id", &id), ("status", "nonsense")]);
    assert_eq!((browser.page.status, browser.page.text("error-code").as_str()), (400, "ValidationError"));
    browser.submit("/console/keys/delete", &[("id", &id)]);
    assert!(browser.page.has("access-keys-none"), "{}", browser.page.body);
}

#[test]
fn without_mfa_the_tutorials_user_sees_no_access_keys() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    browser.open("/console/keys");
    assert!(browser.page.text("error-message").contains("iam:ListAccessKeys"));
    browser.submit("/console/keys/create", &[]);
    assert_eq!(browser.page.status, 403);
    assert!(!aws.root().ok("ListAccessKeys", &[("UserName", "alice")]).has("AccessKeyId"));
}

#[test]
fn a_wrong_serial_number_is_no_such_device() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    for page in ["register", "resync", "remove", "delete"] {
        for serial in ["", "nonsense", "arn:aws:iam::123456789012:mfa/none"] {
            browser.open(&format!("/console/mfa/{page}?serial={serial}"));
            assert_eq!(
                (browser.page.status, browser.page.text("heading").as_str()),
                (404, "No such device"),
                "{page} {serial}"
            );
        }
        let fields = [("serial", "arn:aws:iam::123456789012:mfa/none"), ("code1", "123456"), ("code2", "123457")];
        browser.submit(&format!("/console/mfa/{page}"), &fields);
        assert_eq!((browser.page.status, browser.page.text("heading").as_str()), (404, "No such device"), "{page}");
    }
}

#[test]
fn nothing_is_offered_that_would_be_denied() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    browser.open("/console/security");
    assert!(browser.page.has("assign-mfa-device") && !browser.page.has("access-keys-link"));
    assert!(!browser.page.has("change-password"));
    let device = browser.assign("alice");
    aws.wait(60);
    browser.open("/console/security");
    assert!(browser.page.has("mfa-device-resync") && !browser.page.has("mfa-device-remove"));
    let notes = browser.page.all("not-offered");
    assert!(notes.contains(&"Remove: sign in with an MFA code first".to_owned()), "{notes:?}");
    assert!(notes.contains(&"Assign MFA device: sign in with an MFA code first".to_owned()), "{notes:?}");
    assert!(notes.contains(&"Access keys: your policies don't allow it".to_owned()), "{notes:?}");
    let events = aws.events().len();
    browser.open("/console/security");
    assert_eq!(aws.events().len(), events + 3, "no event tells of what isn't done");
    // What the note says is what it takes.
    browser.submit("/console/sign-out", &[]);
    browser.sign_in_with("alice", &device);
    browser.open("/console/security");
    assert!(browser.page.has("mfa-device-remove") && browser.page.has("assign-mfa-device"), "{}", browser.page.body);
    // Whoever may do everything is offered everything.
    user(&aws, "root", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("root", PASSWORD);
    for page in ["/console/security", "/console/keys"] {
        browser.open(page);
        assert!(!browser.page.has("not-offered"), "{}", browser.page.body);
    }
}
