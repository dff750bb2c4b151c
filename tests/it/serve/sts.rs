//! Temporary credentials, row by row as they were measured.

use super::support::*;

#[test]
fn a_code_is_accepted_within_two_steps_of_the_adjusted_time() {
    for (step, accepted) in [(-3, false), (-2, true), (-1, true), (0, true), (1, true), (2, true), (3, false)] {
        let aws = Aws::new();
        let (alice, device) = aws.user_with_device("alice");
        let result = alice.token(&device, &device.code(aws.now(), step));
        assert_eq!(result.is_ok(), accepted, "{step}");
        if let Err(refused) = result {
            assert_eq!(refused.said(), BAD_CODE);
        }
    }
}

#[test]
fn the_window_lies_around_the_adjusted_time() {
    let aws = Aws::new();
    aws.user("alice");
    let device = aws.root().device("alice");
    let pair = [device.code(aws.now(), 99), device.code(aws.now(), 100)];
    aws.root().pair("EnableMFADevice", "alice", &device, pair).unwrap();
    aws.wait(10);
    let alice = aws.key_of("alice");
    assert_eq!(alice.token(&device, &device.code(aws.now(), 0)).unwrap_err().said(), BAD_CODE);
    alice.token(&device, &device.code(aws.now(), 102)).unwrap();
    alice.token(&device, &device.code(aws.now(), 98)).unwrap();
}

#[test]
fn a_step_is_accepted_once_and_unused_ones_in_any_order() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    for step in [2, 0, -2, 1, -1] {
        alice.token(&device, &device.code(aws.now(), step)).unwrap();
        let again = alice.token(&device, &device.code(aws.now(), step));
        // The ninth verification is the last one of a window.
        if step != -1 {
            assert_eq!(again.unwrap_err().said(), BAD_CODE, "{step}");
            assert!(aws.why().contains("has been used"), "{}", aws.why());
        }
    }
}

#[test]
fn a_success_doesnt_move_the_window() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    alice.token(&device, &device.code(aws.now(), 2)).unwrap();
    alice.token(&device, &device.code(aws.now(), -2)).unwrap();
    assert_eq!(alice.token(&device, &device.code(aws.now(), 3)).unwrap_err().said(), BAD_CODE);
}

#[test]
fn nine_verifications_of_a_device_in_three_minutes_successes_and_failures_alike() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    for attempt in 1..=9 {
        let code = if attempt == 5 { device.code(aws.now(), 0) } else { "000000".to_owned() };
        let result = alice.token(&device, &code);
        assert_eq!(result.is_ok(), attempt == 5, "{attempt}");
    }
    let right = device.code(aws.now(), 1);
    assert_eq!(alice.token(&device, &right).unwrap_err().said(), UNABLE);
    assert!(aws.why().contains("nine codes"), "{}", aws.why());
    // Windows begin at …:00, …:03, …, whenever the first attempt was.
    aws.wait(180 - aws.now() % 180 - 1);
    assert_eq!(alice.token(&device, &device.code(aws.now(), 1)).unwrap_err().said(), UNABLE);
    aws.wait(1);
    alice.token(&device, &device.code(aws.now(), 1)).unwrap();
}

#[test]
fn devices_have_separate_budgets() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    let (bob, other) = aws.user_with_device("bob");
    for _ in 0..10 {
        let _ = alice.token(&device, "000000");
    }
    assert_eq!(alice.token(&device, &device.code(aws.now(), 0)).unwrap_err().said(), UNABLE);
    bob.token(&other, &other.code(aws.now(), 0)).unwrap();
}

#[test]
fn a_pair_isnt_used_up_for_sts() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    let device = aws.root().device("alice");
    let [one, two] = device.pair(aws.now());
    aws.root().pair("EnableMFADevice", "alice", &device, [one.clone(), two.clone()]).unwrap();
    aws.wait(10);
    alice.token(&device, &two).unwrap();
    alice.token(&device, &one).unwrap();
}

#[test]
fn a_code_used_at_sts_may_be_part_of_a_pair_and_stays_used() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    let now = aws.now();
    let (one, two) = (device.code(now, 1), device.code(now, 2));
    alice.token(&device, &one).unwrap();
    aws.root().pair("ResyncMFADevice", "alice", &device, [one.clone(), two]).unwrap();
    aws.wait(10);
    assert_eq!(alice.token(&device, &one).unwrap_err().said(), BAD_CODE);
    assert!(aws.why().contains("has been used"), "{}", aws.why());
}

#[test]
fn one_message_has_four_causes_and_the_events_tell_them_apart() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    let (_, other) = aws.user_with_device("bob");
    let code = device.code(aws.now(), 0);
    let user_arn = format!("arn:aws:iam::{ACCOUNT}:user/alice");
    let call = |serial: &str| alice.call("GetSessionToken", &[("SerialNumber", serial), ("TokenCode", &code)]);
    for (serial, why) in [
        (user_arn.as_str(), "the ARN of a user, not of a device"),
        ("arn:aws:iam::123456789012:mfa/nobody", "there is no device"),
        (other.serial.as_str(), "another user's"),
        (aws.root().device("orphan").serial.as_str(), "enabled for nobody"),
    ] {
        assert_eq!(call(serial).unwrap_err().said(), UNABLE, "{why}");
        assert!(aws.why().contains(why), "{}", aws.why());
    }
    // The causes that pass: what was enabled just now, and what was tried too often.
    aws.root().enable("alice", &aws.root().device("second"));
    let second = format!("arn:aws:iam::{ACCOUNT}:mfa/second");
    for _ in 0..9 {
        assert_eq!(alice.token(&device, "000000").unwrap_err().said(), BAD_CODE);
    }
    for (serial, why) in [(second.as_str(), "reaches STS at"), (device.serial.as_str(), "nine codes")] {
        assert_eq!(call(serial).unwrap_err().said(), UNABLE, "{why}");
        assert!(aws.why().contains(why), "{}", aws.why());
    }
}

#[test]
fn session_credentials_get_no_session_token() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    let code = device.code(aws.now(), 0);
    for parameters in [vec![], vec![("SerialNumber", device.serial.as_str()), ("TokenCode", code.as_str())]] {
        let refused = alice.session(&parameters).refused("GetSessionToken", &[]);
        assert_eq!(said(&refused), ("AccessDenied", 403, "Cannot call GetSessionToken with session credentials"));
    }
}

#[test]
fn a_session_lasts_twelve_hours_by_default() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    let twelve_hours = vmfa::time::Timestamp::from_unix(aws.now() + 43_200).to_rfc3339();
    assert_eq!(alice.ok("GetSessionToken", &[]).text("Expiration"), twelve_hours);
}

#[test]
fn a_roles_session_lasts_an_hour_by_default_whatever_the_role_allows() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.allow("alice", "AdministratorAccess");
    let arn = role(&aws, "ops", "");
    let hour = vmfa::time::Timestamp::from_unix(aws.now() + 3_600).to_rfc3339();
    for most in ["3600", "43200"] {
        aws.root().ok("UpdateRole", &[("RoleName", "ops"), ("MaxSessionDuration", most)]);
        let answer = alice.ok("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "tests")]);
        assert_eq!(answer.text("Expiration"), hour, "{most}");
    }
}

#[test]
fn durations_are_held_to_the_contract() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    let expires = |parameters: &[(&str, &str)]| alice.ok("GetSessionToken", parameters).text("Expiration");
    let after = |seconds: u64| vmfa::time::Timestamp::from_unix(aws.now() + seconds).to_rfc3339();
    assert_eq!(expires(&[]), after(43_200));
    assert_eq!(expires(&[("DurationSeconds", "900")]), after(900));
    assert_eq!(expires(&[("DurationSeconds", "129600")]), after(129_600));
    for (odd, bound) in [("899", "greater than or equal to 900"), ("129601", "less than or equal to 129600")] {
        let (code, status, message) = alice.refused("GetSessionToken", &[("DurationSeconds", odd)]);
        assert_eq!((code.as_str(), status), ("ValidationError", 400));
        let text = format!(
            "1 validation error detected: Value '{odd}' at 'durationSeconds' failed to satisfy constraint: Member must have \
             value {bound}"
        );
        assert_eq!(message, text);
    }
}

#[test]
fn credentials_without_mfa_call_no_iam_and_in_sts_two_actions() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.allow("alice", "AdministratorAccess");
    let session = alice.session(&[]);
    let refused = session.refused("GetUser", &[]);
    let text = "The security token included in the request is invalid.";
    assert_eq!(said(&refused), ("InvalidClientTokenId", 403, text));
    assert_eq!(session.ok("GetCallerIdentity", &[]).text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/alice"));
    let none = format!("arn:aws:iam::{ACCOUNT}:role/none");
    let (code, _, message) = session.refused("AssumeRole", &[("RoleArn", &none), ("RoleSessionName", "alice")]);
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("is not authorized to perform: sts:AssumeRole"), "{message}");
    let ops = role(&aws, "ops", "");
    session.ok("AssumeRole", &[("RoleArn", &ops), ("RoleSessionName", "alice")]);
    // Every other action of STS that there is.
    let key = alice.credentials.access_key_id.clone();
    let about_key = [("AccessKeyId", key.as_str())];
    for (action, parameters) in [("GetSessionToken", &[][..]), ("GetAccessKeyInfo", &about_key[..])] {
        let (code, status, _) = session.refused(action, parameters);
        assert!(["AccessDenied", "InvalidClientTokenId"].contains(&code.as_str()), "{action}: {code}");
        assert_eq!(status, 403, "{action}");
    }
}

#[test]
fn credentials_end_when_their_time_is_over() {
    let aws = Aws::new();
    let session = aws.user("alice").session(&[("DurationSeconds", "900")]);
    aws.wait(899);
    session.ok("GetCallerIdentity", &[]);
    aws.wait(1);
    let refused = session.refused("GetCallerIdentity", &[]);
    assert_eq!(said(&refused), ("ExpiredToken", 403, "The security token included in the request is expired"));
}

#[test]
fn a_serial_number_or_a_code_alone_is_refused() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    let code = device.code(aws.now(), 0);
    for parameters in [[("SerialNumber", device.serial.as_str())], [("TokenCode", code.as_str())]] {
        let (error, status, message) = alice.refused("GetSessionToken", &parameters);
        assert_eq!((error.as_str(), status), ("AccessDenied", 403));
        assert!(message.contains("must provide both"), "{message}");
    }
    alice.token(&device, &code).unwrap();
}

fn role(aws: &Aws, name: &str, condition: &str) -> String {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"sts:AssumeRole"{condition}}}]}}"#
    );
    aws.root().ok("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)]).text("Arn")
}

#[test]
fn a_role_whose_trust_asks_for_mfa_is_assumed_with_a_code_only() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    aws.allow("alice", "AdministratorAccess");
    let arn = role(&aws, "ops", r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
    let plain = [("RoleArn", arn.as_str()), ("RoleSessionName", "tests")];
    let (code, status, message) = alice.refused("AssumeRole", &plain);
    assert_eq!((code.as_str(), status), ("AccessDenied", 403));
    let text = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: sts:AssumeRole on resource: {arn}"
    );
    assert_eq!(message, text);
    let otp = device.code(aws.now(), 0);
    let with = [plain[0], plain[1], ("SerialNumber", device.serial.as_str()), ("TokenCode", otp.as_str())];
    let answer = alice.ok("AssumeRole", &with);
    assert_eq!(answer.text("Arn"), format!("arn:aws:sts::{ACCOUNT}:assumed-role/ops/tests"));
    assert!(answer.text("AssumedRoleId").starts_with("AROA"));
    let refused = alice.refused("AssumeRole", &with);
    assert_eq!(said(&refused), BAD_CODE);
    // A session with MFA counts as well as a code.
    let next = device.code(aws.now(), 1);
    alice.session(&[("SerialNumber", &device.serial), ("TokenCode", &next)]).ok("AssumeRole", &plain);
}

#[test]
fn a_refused_role_costs_no_code() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    let arn = role(&aws, "ops", r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
    let otp = device.code(aws.now(), 0);
    let with = [
        ("RoleArn", arn.as_str()),
        ("RoleSessionName", "tests"),
        ("SerialNumber", device.serial.as_str()),
        ("TokenCode", otp.as_str()),
    ];
    assert!(alice.refused("AssumeRole", &with).2.contains("is not authorized"));
    aws.allow("alice", "AdministratorAccess");
    alice.ok("AssumeRole", &with);
}

#[test]
fn role_sessions_last_as_long_as_the_role_lets_them_and_an_hour_when_chained() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.allow("alice", "AdministratorAccess");
    let arn = role(&aws, "ops", "");
    let assume = |client: &Client<'_>, seconds: &str| {
        client.call("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "tests"), ("DurationSeconds", seconds)])
    };
    assert!(assume(&alice, "899").unwrap_err().message.contains("greater than or equal to 900"));
    assert!(assume(&alice, "43201").unwrap_err().message.contains("less than or equal to 43200"));
    let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert_eq!(assume(&alice, "3601").unwrap_err().said(), ("ValidationError", 400, text));
    aws.root().ok("UpdateRole", &[("RoleName", "ops"), ("MaxSessionDuration", "43200")]);
    aws.root()
        .ok("AttachRolePolicy", &[("RoleName", "ops"), ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")]);
    let credentials = assume(&alice, "43200").unwrap().credentials();
    let chained = aws.client(&credentials);
    let text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    assert_eq!(assume(&chained, "3601").unwrap_err().said(), ("ValidationError", 400, text));
    assume(&chained, "3600").unwrap();
    let session = alice.session(&[]);
    assert_eq!(assume(&session, "3601").unwrap_err().said(), ("ValidationError", 400, text));
    assume(&session, "3600").unwrap();
}

#[test]
fn a_role_arn_that_is_none_is_invalid_and_one_of_no_role_not_authorized() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.allow("alice", "AdministratorAccess");
    role(&aws, "ops", "");
    let assume = |arn: &str| alice.refused("AssumeRole", &[("RoleArn", arn), ("RoleSessionName", "tests")]);
    for arn in ["ops-ops-ops-ops-ops-ops", "arn:aws:iam::123456789012"] {
        assert_eq!(said(&assume(arn)), ("ValidationError", 400, format!("{arn} is invalid").as_str()));
    }
    for name in ["role/none", "role/path/ops", "role/OPS", "user/ops"] {
        let arn = format!("arn:aws:iam::{ACCOUNT}:{name}");
        let text = format!(
            "User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: sts:AssumeRole on resource: {arn}"
        );
        assert_eq!(said(&assume(&arn)), ("AccessDenied", 403, text.as_str()));
    }
}

#[test]
fn session_policies_are_refused_in_the_words_of_iam() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.allow("alice", "AdministratorAccess");
    let arn = role(&aws, "ops", "");
    for (policy, text) in [
        ("{", "Syntax errors in policy."),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"x","Resource":"*"}}"#,
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*"}}"#,
            "Policy statement must contain resources.",
        ),
    ] {
        let parameters = [("RoleArn", arn.as_str()), ("RoleSessionName", "tests"), ("Policy", policy)];
        assert_eq!(said(&alice.refused("AssumeRole", &parameters)), ("MalformedPolicyDocument", 400, text));
    }
}

#[test]
fn the_packed_size_counts_policies_and_tags() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.allow("alice", "AdministratorAccess");
    let arn = role(&aws, "ops", "");
    aws.root().ok(
        "UpdateAssumeRolePolicy",
        &[
            ("RoleName", "ops"),
            (
                "PolicyDocument",
                &trust_of_account().replace("\"sts:AssumeRole\"", "[\"sts:AssumeRole\",\"sts:TagSession\"]"),
            ),
        ],
    );
    let plain = [("RoleArn", arn.as_str()), ("RoleSessionName", "tests")];
    let with = |more: &[(&str, &str)]| alice.call("AssumeRole", &[&plain, more].concat());
    assert!(!with(&[]).unwrap().has("PackedPolicySize"));
    // Each of 256 bytes, of 2,048.
    let value = "x".repeat(251);
    let names: Vec<[String; 3]> = (1..=9)
        .map(|number| {
            [format!("Tags.member.{number}.Key"), format!("key-{number}"), format!("Tags.member.{number}.Value")]
        })
        .collect();
    let tags = |count: usize| -> Vec<(&str, &str)> {
        let tags = names.iter().take(count);
        tags.flat_map(|[name, key, text]| [(name.as_str(), key.as_str()), (text.as_str(), value.as_str())]).collect()
    };
    assert_eq!(with(&tags(4)).unwrap().text("PackedPolicySize"), "50");
    assert_eq!(with(&tags(8)).unwrap().text("PackedPolicySize"), "100");
    let text = "Packed size of session tags consumes 113% of allotted space.";
    assert_eq!(with(&tags(9)).unwrap_err().said(), ("PackedPolicyTooLarge", 400, text));
    let policy = [("Policy", ALLOW_ALL)];
    let alone = (ALLOW_ALL.len() * 100).div_ceil(2_048);
    assert_eq!(with(&policy).unwrap().text("PackedPolicySize"), alone.to_string());
    assert_eq!(with(&[&tags(4), &policy[..]].concat()).unwrap().text("PackedPolicySize"), (50 + alone).to_string());
}

#[test]
fn a_session_policy_allows_no_more_than_it_says() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.allow("alice", "AdministratorAccess");
    let arn = role(&aws, "ops", "");
    aws.root()
        .ok("AttachRolePolicy", &[("RoleName", "ops"), ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")]);
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}"#;
    let answer = alice.ok("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "tests"), ("Policy", policy)]);
    let session = aws.client(&answer.credentials());
    session.ok("ListUsers", &[]);
    let (_, _, message) = session.refused("ListGroups", &[]);
    assert!(message.ends_with("because no session policy allows the iam:ListGroups action"), "{message}");
}
