//! Who gets in, and with what.

use super::browser::*;
use crate::serve::support::*;
use vmfa::serve::Ended;

const OWN: &[&str] = &["own-mfa", "force-mfa"];

#[test]
fn a_password_signs_in_without_mfa() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    assert_eq!(browser.open("/console"), "/console/sign-in");
    assert_eq!(browser.sign_in("alice", PASSWORD), "/console");
    assert_eq!(browser.page.text("signed-in-as"), "alice (without MFA)");
    assert_eq!(browser.page.text("user-arn"), format!("arn:aws:iam::{ACCOUNT}:user/alice"));
    assert!(browser.page.text("account").contains(&format!("vmfa stand-in · account {ACCOUNT}")));
    browser.open("/console/security");
    assert!(browser.page.has("mfa-none"), "{}", browser.page.body);
    assert!(!browser.page.has("error"), "{}", browser.page.body);
    let used = aws.root().ok("GetUser", &[("UserName", "alice")]).text("PasswordLastUsed");
    assert_eq!(used, aws.clock.now().to_rfc3339());
    assert!(browser.page.body.contains(&format!("data-testid=\"password-last-used\"><time datetime=\"{used}\">")));
}

#[test]
fn the_alias_signs_in_too_and_names_know_no_case() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    aws.root().ok("CreateAccountAlias", &[("AccountAlias", "acme-tests")]);
    let mut browser = Browser::new(&aws);
    browser.open("/console/sign-in");
    let fields = [("account", "acme-tests"), ("username", "ALICE"), ("password", PASSWORD)];
    assert_eq!(browser.submit("/console/sign-in", &fields), "/console");
    assert_eq!(browser.page.text("user-name"), "alice");
}

#[test]
fn a_refusal_tells_nobody_which_part_was_wrong_and_the_event_does() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    aws.root().ok("CreateUser", &[("UserName", "nologin")]);
    let cases = [
        (ACCOUNT, "alice", "incorrect-Horse-7", "the password is wrong"),
        (ACCOUNT, "nobody", PASSWORD, "no such account or no such user"),
        (ACCOUNT, "nologin", PASSWORD, "the user has no password"),
        ("000000000000", "alice", PASSWORD, "no such account or no such user"),
    ];
    let mut pages = Vec::new();
    for (account, name, password, why) in cases {
        let mut browser = Browser::new(&aws);
        browser.open("/console/sign-in");
        let fields = [("account", account), ("username", name), ("password", password)];
        assert_eq!(browser.submit("/console/sign-in", &fields), "/console/sign-in");
        assert_eq!(browser.page.status, 403);
        assert!(browser.page.header("set-cookie").is_none());
        assert!(!browser.page.has("error-why"));
        assert!(!browser.page.body.contains(password));
        pages.push(browser.page.text("error-message"));
        let event = aws.events().pop().unwrap();
        assert_eq!((event.service.as_str(), event.action.as_str()), ("console", "ConsoleLogin"));
        assert_eq!((event.ended, event.why.as_deref(), event.principal), (Ended::Refused, Some(why), None));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
}

#[test]
fn a_device_makes_a_code_be_asked_for_and_each_code_counts_once() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.assign("alice");
    browser.submit("/console/sign-out", &[]);

    // STS doesn't know of the device yet, and neither does the console.
    assert_eq!(browser.sign_in("alice", PASSWORD), "/console/sign-in/mfa");
    assert_eq!(browser.page.text("mfa-device-name"), "alice");
    for path in ["/console", "/console/security", "/console/mfa/assign", "/console/sign-in/password"] {
        assert_eq!(browser.open(path), "/console/sign-in/mfa");
    }
    let code = device.code(aws.now(), 0);
    browser.submit("/console/sign-in/mfa", &[("code", &code)]);
    assert_eq!(browser.page.status, 403);
    assert!(browser.page.text("error-message").contains("unable to validate MFA code"));
    assert!(browser.page.text("error-why").contains("reaches STS at"));
    aws.wait(10);

    for wrong in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
        browser.submit("/console/sign-in/mfa", &[("code", wrong)]);
        assert_eq!(browser.page.status, 400, "{wrong}");
    }
    let other = if code == "000000" { "000001" } else { "000000" };
    browser.submit("/console/sign-in/mfa", &[("code", other)]);
    assert!(browser.page.text("error-message").contains("invalid MFA one time pass code"));
    let halves = code.split_at(3);
    let place = browser.submit("/console/sign-in/mfa", &[("code", &format!("{} {}", halves.0, halves.1))]);
    assert_eq!(place, "/console", "{}", browser.page.body);
    assert_eq!(browser.page.text("signed-in-as"), "alice (with MFA)");
    let event = aws.events().into_iter().rfind(|event| event.action == "CheckMfa").unwrap();
    assert_eq!((event.service.as_str(), event.ended), ("console", Ended::Accepted));

    // The same code again: here, and at STS.
    browser.submit("/console/sign-out", &[]);
    assert_eq!(browser.sign_in_with("alice", &device), "/console/sign-in/mfa");
    assert!(browser.page.text("error-why").contains("used"), "{}", browser.page.text("error-why"));
    let key = aws.key_of("alice");
    let parameters = [("SerialNumber", device.serial.as_str()), ("TokenCode", &code)];
    assert!(key.refused("GetSessionToken", &parameters).2.contains("invalid MFA one time pass code"));
    // One that STS took is none for the console.
    let next = device.code(aws.now(), 1);
    key.session(&[("SerialNumber", &device.serial), ("TokenCode", &next)]);
    browser.submit("/console/sign-in/mfa", &[("code", &next)]);
    assert!(browser.page.text("error-why").contains("used"));
}

#[test]
fn of_many_who_give_the_same_code_at_once_one_gets_in() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.assign("alice");
    aws.wait(60);
    let code = device.code(aws.now(), 0);
    let mut browsers: Vec<Browser<'_>> = (0..8).map(|_| Browser::new(&aws)).collect();
    for browser in &mut browsers {
        assert_eq!(browser.sign_in("alice", PASSWORD), "/console/sign-in/mfa");
    }
    let give = |browser: &mut Browser<'_>| browser.submit("/console/sign-in/mfa", &[("code", &code)]);
    let places: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = browsers.iter_mut().map(|browser| scope.spawn(|| give(browser))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(places.iter().filter(|place| *place == "/console").count(), 1, "{places:?}");
}

#[test]
fn nine_codes_in_three_minutes_are_all_that_is_looked_at() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let device = browser.assign("alice");
    aws.wait(120);
    browser.submit("/console/sign-out", &[]);
    browser.sign_in("alice", PASSWORD);
    let right = device.code(aws.now(), 0);
    let wrong = if right == "111111" { "111112" } else { "111111" };
    for _ in 0..9 {
        browser.submit("/console/sign-in/mfa", &[("code", wrong)]);
        assert!(browser.page.text("error-message").contains("invalid MFA one time pass code"));
    }
    browser.submit("/console/sign-in/mfa", &[("code", &right)]);
    assert!(browser.page.text("error-why").contains("nine codes"), "{}", browser.page.body);
    aws.wait(180);
    let code = device.code(aws.now(), 0);
    assert_eq!(browser.submit("/console/sign-in/mfa", &[("code", &code)]), "/console");
}

#[test]
fn any_of_several_devices_may_be_used_and_nobody_elses() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    user(&aws, "bob", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let first = browser.assign("alice");
    aws.wait(60);
    browser.submit("/console/sign-out", &[]);
    assert_eq!(browser.sign_in_with("alice", &first), "/console");
    let second = browser.assign("alice-spare");
    let mut other = Browser::new(&aws);
    other.sign_in("bob", PASSWORD);
    let bobs = other.assign("bob");
    aws.wait(60);

    browser.submit("/console/sign-out", &[]);
    assert_eq!(browser.sign_in_with("alice", &bobs), "/console/sign-in/mfa");
    assert!(browser.page.text("error-why").ends_with("is another user's"));
    assert!(browser.page.has("device-input"));
    let mixed = [("device", second.serial.as_str()), ("code", &first.code(aws.now(), 0))];
    browser.submit("/console/sign-in/mfa", &mixed);
    assert!(browser.page.text("error-message").contains("invalid MFA one time pass code"));
    assert!(browser.page.body.contains(&format!("value=\"{}\" selected", second.serial)), "{}", browser.page.body);
    let right = [("device", second.serial.as_str()), ("code", &second.code(aws.now(), 0))];
    assert_eq!(browser.submit("/console/sign-in/mfa", &right), "/console");
}

#[test]
fn a_password_that_must_be_changed_is_changed_before_anything_else() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    let reset = [("UserName", "alice"), ("PasswordResetRequired", "true")];
    aws.root().ok("UpdateLoginProfile", &reset);
    let mut browser = Browser::new(&aws);
    assert_eq!(browser.sign_in("alice", PASSWORD), "/console/sign-in/password");
    for path in ["/console", "/console/security", "/console/password", "/console/sign-in"] {
        assert_eq!(browser.open(path), "/console/sign-in/password");
    }
    let new = "another-Horse-8";
    let fields = |one, two| [("current-password", PASSWORD), ("new-password", one), ("repeated-password", two)];
    browser.submit("/console/sign-in/password", &fields(new, "another-Horse-9"));
    assert_eq!(browser.page.status, 400);
    // The policies of the tutorial say nothing of passwords.
    browser.submit("/console/sign-in/password", &fields(new, new));
    assert!(browser.page.text("error-message").contains("iam:ChangePassword"), "{}", browser.page.body);
    let allowed = [("UserName", "alice"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMUserChangePassword")];
    aws.root().ok("AttachUserPolicy", &allowed);
    aws.root().ok("DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "force-mfa")]);
    let before = browser.cookie.clone();
    assert_eq!(browser.submit("/console/sign-in/password", &fields(new, new)), "/console");
    assert_ne!(browser.cookie, before);
    assert_eq!(Browser::new(&aws).sign_in("alice", PASSWORD), "/console/sign-in");
    assert_eq!(Browser::new(&aws).sign_in("alice", new), "/console");
}

#[test]
fn a_password_past_its_age_is_changed_or_with_hard_expiry_refused() {
    let aws = Aws::new();
    user(&aws, "alice", OWN);
    aws.root().ok("UpdateAccountPasswordPolicy", &[("MaxPasswordAge", "1")]);
    let mut browser = Browser::new(&aws);
    assert_eq!(browser.sign_in("alice", PASSWORD), "/console");
    aws.wait(86_400);
    assert_eq!(Browser::new(&aws).sign_in("alice", PASSWORD), "/console/sign-in/password");
    aws.root().ok("UpdateAccountPasswordPolicy", &[("MaxPasswordAge", "1"), ("HardExpiry", "true")]);
    let mut browser = Browser::new(&aws);
    assert_eq!(browser.sign_in("alice", PASSWORD), "/console/sign-in");
    assert!(browser.page.text("error-message").contains("has expired"));
    browser.sign_in("alice", "wrong");
    assert!(!browser.page.text("error-message").contains("has expired"));
}

#[test]
fn one_changes_ones_own_password_and_goes_on() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let (mut browser, mut elsewhere) = (Browser::new(&aws), Browser::new(&aws));
    browser.sign_in("alice", PASSWORD);
    elsewhere.sign_in("alice", PASSWORD);
    browser.open("/console/password");
    let new = "another-Horse-8";
    let fields = [("current-password", "wrong"), ("new-password", new), ("repeated-password", new)];
    browser.submit("/console/password", &fields);
    assert_eq!(browser.page.text("error-message"), "The old password was incorrect.");
    let fields = [("current-password", PASSWORD), ("new-password", new), ("repeated-password", new)];
    assert_eq!(browser.submit("/console/password", &fields), "/console");
    assert!(browser.page.has("notice"));
    assert_eq!(elsewhere.open("/console"), "/console/sign-in", "the others of that user are signed out");
}

#[test]
fn ten_wrong_passwords_in_five_minutes_are_all_that_is_looked_at() {
    let aws = Aws::new();
    for name in ["alice", "bob"] {
        user(&aws, name, OWN);
    }
    // The same whether or not there is such a user, in whatever session.
    let mut pages = Vec::new();
    for name in ["alice", "nobody"] {
        for number in 0..10 {
            let mut browser = Browser::new(&aws);
            browser.sign_in(name, &format!("incorrect-Horse-{number}"));
            assert_eq!((browser.page.status, browser.page.has("error-why")), (403, false));
        }
        let mut browser = Browser::new(&aws);
        assert_eq!(browser.sign_in(&name.to_uppercase(), PASSWORD), "/console/sign-in");
        assert_eq!(browser.page.status, 429);
        assert_eq!(
            aws.events().pop().unwrap().why.unwrap(),
            "the password was not looked at; the next one is in 300 s"
        );
        pages.push(browser.page.text("error-message"));
    }
    assert_eq!(pages, ["Too many wrong passwords. Try again in 5 minutes."; 2]);
    // Others sign in, and so does she from elsewhere.
    assert_eq!(Browser::new(&aws).sign_in("bob", PASSWORD), "/console");
    let mut elsewhere = Browser::new(&aws);
    elsewhere.peer = [10, 0, 0, 1].into();
    assert_eq!(elsewhere.sign_in("alice", PASSWORD), "/console");
    aws.wait(299);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    assert_eq!(browser.page.text("error-message"), "Too many wrong passwords. Try again in a minute.");
    aws.wait(1);
    assert_eq!(browser.sign_in("alice", PASSWORD), "/console");
}

#[test]
fn right_passwords_are_never_too_many_and_the_old_one_is_guessed_no_better() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    for _ in 0..12 {
        assert_eq!(Browser::new(&aws).sign_in("alice", PASSWORD), "/console");
    }
    browser.sign_in("alice", PASSWORD);
    browser.open("/console/password");
    let new = "another-Horse-8";
    let mut change = |old: &str| {
        browser.submit(
            "/console/password",
            &[("current-password", old), ("new-password", new), ("repeated-password", new)],
        );
        browser.page.text("error-message")
    };
    for number in 0..10 {
        assert_eq!(change(&format!("incorrect-Horse-{number}")), "The old password was incorrect.");
    }
    assert_eq!(change(PASSWORD), "Too many wrong passwords. Try again in 5 minutes.");
    let mut other = Browser::new(&aws);
    other.sign_in("alice", PASSWORD);
    assert_eq!(other.page.status, 429);
}
