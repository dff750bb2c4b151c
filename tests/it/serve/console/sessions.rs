//! Cookies, tokens, headers: what keeps others out.

use super::browser::*;
use crate::serve::support::*;

#[test]
fn every_answer_carries_the_strict_headers() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let requests = [
        ("GET", "/console", 200),
        ("GET", "/console/security", 200),
        ("GET", "/console/style.css", 200),
        ("GET", "/console/nowhere", 404),
        ("GET", "/console/sign-in", 303),
        ("GET", "/console?%", 400),
        ("POST", "/console/mfa/assign", 403),
        ("PUT", "/console", 405),
    ];
    for (method, path, status) in requests {
        let page = browser.request(method, path, &[], "").clone();
        assert_eq!(page.status, status, "{method} {path}");
        let policy = page.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|found| found == part), "{part}");
        }
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("same-origin"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert!(
            !page.body.contains("<script") && !page.body.contains(" style=") && !page.body.contains("//"),
            "{path}"
        );
    }
}

#[test]
fn the_cookie_is_for_the_console_alone_and_for_no_script() {
    let aws = Aws::new();
    let mut browser = Browser::new(&aws);
    browser.open("/console/sign-in");
    let set = browser.page.header("set-cookie").unwrap();
    let parts: Vec<&str> = set.split("; ").skip(1).collect();
    assert_eq!(parts, ["Path=/console", "HttpOnly", "SameSite=Strict"]);
    assert_eq!(browser.cookie.as_ref().unwrap().len(), 44, "256 bits in base64");
}

#[test]
fn an_id_that_was_planted_is_worth_nothing_after_signing_in() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    // One that somebody made up isn't taken.
    let mut victim = Browser::new(&aws);
    victim.cookie = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned());
    victim.open("/console/sign-in");
    assert_ne!(victim.cookie.as_deref(), Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    // One that somebody began and planted isn't the one that is signed in.
    let mut attacker = Browser::new(&aws);
    attacker.open("/console/sign-in");
    victim.cookie = attacker.cookie.clone();
    assert_eq!(victim.sign_in("alice", PASSWORD), "/console");
    assert_ne!(victim.cookie, attacker.cookie);
    assert_eq!(attacker.open("/console"), "/console/sign-in");
    // And a code makes another one again.
    let device = victim.assign("alice");
    aws.wait(60);
    victim.submit("/console/sign-out", &[]);
    victim.sign_in("alice", PASSWORD);
    let between = victim.cookie.clone();
    let code = device.code(aws.now(), 0);
    assert_eq!(victim.submit("/console/sign-in/mfa", &[("code", &code)]), "/console");
    assert_ne!(victim.cookie, between);
    attacker.cookie = between;
    assert_eq!(attacker.open("/console"), "/console/sign-in");
}

#[test]
fn two_cookies_are_none() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let cookie = browser.cookie.clone().unwrap();
    browser.cookie = Some(format!("{cookie}; vmfa_console=x"));
    browser.request("GET", "/console", &[], "");
    assert_eq!(browser.page.header("location"), Some("/console/sign-in"));
}

#[test]
fn a_form_without_the_sessions_token_does_nothing() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let mut other = Browser::new(&aws);
    other.open("/console/sign-in");
    let foreign =
        other.page.body.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let foreign = unescape(&foreign).replace('+', "%2B").replace('=', "%3D");
    for token in ["", "token=", "token=x", &format!("token={foreign}")] {
        browser.request("POST", "/console/mfa/assign", &[], &format!("{token}&device-name=alice"));
        assert_eq!(browser.page.status, 403, "{token}");
    }
    // Without a session there is no token that would be right.
    let mut nobody = Browser::new(&aws);
    nobody.request("POST", "/console/sign-in", &[], "token=&account=123456789012&username=alice&password=x");
    assert_eq!(nobody.page.status, 403);
    assert!(!aws.root().ok("ListVirtualMFADevices", &[]).has("SerialNumber"));
}

#[test]
fn pages_of_other_sites_are_refused() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    browser.open("/console/mfa/assign");
    let token =
        browser.page.body.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let body = format!("token={}&device-name=alice", unescape(&token).replace('+', "%2B").replace('=', "%3D"));
    for origin in ["http://evil.example", "null", "http://127.0.0.1:9999"] {
        browser.request("POST", "/console/mfa/assign", &[("origin", origin)], &body);
        assert_eq!(browser.page.status, 403, "{origin}");
    }
    browser.request("POST", "/console/mfa/assign", &[("origin", "http://127.0.0.1:4566")], &body);
    assert_eq!(browser.page.status, 303);
}

#[test]
fn a_link_on_another_site_leads_on_without_ending_the_session() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    let cookie = browser.cookie.take();
    // The browser withholds a SameSite=Strict cookie.
    browser.request("GET", "/console/security", &[("sec-fetch-site", "cross-site")], "");
    assert_eq!((browser.page.status, browser.page.header("set-cookie")), (200, None));
    assert!(browser.page.body.contains("http-equiv=\"refresh\""));
    browser.cookie = cookie;
    assert_eq!(browser.open("/console"), "/console");
}

#[test]
fn signing_out_ends_the_session_itself_and_only_a_form_does() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    assert_eq!(browser.open("/console/sign-out"), "/console");
    let mut thief = Browser::new(&aws);
    thief.cookie = browser.cookie.clone();
    assert_eq!(thief.open("/console"), "/console");
    browser.open("/console");
    assert_eq!(browser.submit("/console/sign-out", &[]), "/console/sign-in");
    assert_eq!(thief.open("/console"), "/console/sign-in");
    assert!(aws.events().iter().any(|event| event.service == "console" && event.action == "SignOut"));
}

#[test]
fn a_session_is_over_an_hour_after_its_last_request_and_twelve_after_it_began() {
    let aws = Aws::new();
    user(&aws, "alice", &["administrator"]);
    let mut browser = Browser::new(&aws);
    browser.sign_in("alice", PASSWORD);
    for _ in 0..12 {
        assert_eq!(browser.open("/console"), "/console");
        aws.wait(3_599);
    }
    aws.wait(12);
    assert_eq!(browser.open("/console"), "/console/sign-in");
    browser.sign_in("alice", PASSWORD);
    aws.wait(3_600);
    browser.submit("/console/mfa/assign", &[("device-name", "alice")]);
    assert_eq!(browser.page.status, 403);
    assert!(!aws.root().ok("ListVirtualMFADevices", &[]).has("SerialNumber"));
}

#[test]
fn whose_password_or_user_is_gone_is_signed_out() {
    let aws = Aws::new();
    let root = aws.root();
    for change in ["password", "same-password", "profile", "user"] {
        user(&aws, change, &[]);
        let mut browser = Browser::new(&aws);
        assert_eq!(browser.sign_in(change, PASSWORD), "/console");
        match change {
            "password" => root.ok("UpdateLoginProfile", &[("UserName", change), ("Password", "another-Horse-8")]),
            "same-password" => root.ok("UpdateLoginProfile", &[("UserName", change), ("Password", PASSWORD)]),
            _ => root.ok("DeleteLoginProfile", &[("UserName", change)]),
        };
        if change == "user" {
            root.ok("DeleteUser", &[("UserName", change)]);
            user(&aws, change, &[]);
        }
        assert_eq!(browser.open("/console"), "/console/sign-in", "{change}");
    }
}

#[test]
fn what_people_wrote_is_shown_and_never_taken_for_html() {
    let aws = Aws::new();
    let odd = "a+b=c,d.e@f-g_h";
    user(&aws, odd, &["administrator"]);
    let nasty = "\"><script>alert('x')</script>&amp;";
    let mut browser = Browser::new(&aws);
    browser.open("/console/sign-in");
    browser.submit("/console/sign-in", &[("account", nasty), ("username", nasty), ("password", nasty)]);
    assert!(!browser.page.body.contains("<script"), "{}", browser.page.body);
    assert_eq!(browser.sign_in(odd, PASSWORD), "/console");
    assert_eq!(browser.page.text("user-name"), odd);
    browser.open("/console/mfa/assign");
    browser.submit("/console/mfa/assign", &[("device-name", nasty)]);
    assert_eq!((browser.page.status, browser.page.text("error-code").as_str()), (400, "ValidationError"));
    assert!(!browser.page.body.contains("<script") && browser.page.body.contains("&#38;amp;"), "{}", browser.page.body);
    let encoded = "%22%3E%3Cscript%3E";
    for page in ["resync", "remove", "delete", "register"] {
        browser.open(&format!("/console/mfa/{page}?serial={encoded}"));
        assert_eq!(browser.page.status, 404, "{page}");
        assert!(!browser.page.body.contains("<script"), "{page}: {}", browser.page.body);
    }
    let device = browser.assign(odd);
    let link = browser.page.body.split("/console/mfa/resync?serial=").nth(1).unwrap().split('"').next().unwrap();
    assert!(!link.contains(['+', '=', ',', '@']), "{link}");
    browser.open(&format!("/console/mfa/resync?serial={link}"));
    assert!(browser.page.body.contains(&format!("value=\"{}\"", device.serial)), "{}", browser.page.body);
}
