//! Virtual MFA devices at IAM, row by row as they were measured.

use vmfa::provision::{self, Limits};

use super::support::*;

fn pairs(device: &Device, now: u64, steps: [i64; 2]) -> [String; 2] {
    steps.map(|step| device.code(now, step))
}

#[test]
fn a_device_has_forty_random_bytes_as_64_base32_characters_under_one_layer_of_base64() {
    use base64::Engine as _;
    let aws = Aws::new();
    let answer = aws.root().ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice"), ("Path", "/team/a/")]);
    let text = base64::prelude::BASE64_STANDARD.decode(answer.text("Base32StringSeed")).unwrap();
    assert_eq!(text.len(), 64);
    assert!(text.iter().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(byte)));
    let device = Device::of(&answer);
    assert_eq!(device.serial, format!("arn:aws:iam::{ACCOUNT}:mfa/team/a/alice"));
    assert_eq!(device.seed.expose().len(), 40);
    assert_ne!(aws.root().device("bob").seed, device.seed);
}

#[test]
fn the_qr_code_is_a_png_of_some_250_pixels_with_the_uri_that_aws_draws() {
    use base64::Engine as _;
    let aws = Aws::new();
    for (alias, shown) in [(None, ACCOUNT), (Some("wonderland"), "wonderland")] {
        if let Some(alias) = alias {
            aws.root().ok("CreateAccountAlias", &[("AccountAlias", alias)]);
        }
        let name = format!("alice-{shown}");
        let answer = aws.root().ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", &name)]);
        let png = base64::prelude::BASE64_STANDARD.decode(answer.text("QRCodePNG")).unwrap();
        let size = image::load_from_memory(&png).unwrap();
        assert!((200..=300).contains(&size.width()) && size.width() == size.height(), "{}", size.width());
        let payloads = provision::qr::payloads(&png, &Limits::default()).unwrap();
        let seed = Device::of(&answer).seed.to_base32();
        let uri = format!(
            "otpauth://totp/Amazon%20Web%20Services:{name}@{shown}?secret={}&issuer=Amazon%20Web%20Services",
            *seed
        );
        assert_eq!(payloads.iter().map(|text| text.as_str()).collect::<Vec<_>>(), [uri]);
    }
}

#[test]
fn previous_and_current_are_accepted_at_once_and_leave_the_adjustment_at_zero() {
    let aws = Aws::new();
    aws.user("alice");
    let device = aws.root().device("alice");
    aws.root().pair("EnableMFADevice", "alice", &device, pairs(&device, aws.now(), [-1, 0])).unwrap();
    assert!(aws.explained().contains("from now on the device counts as on time"), "{}", aws.explained());
}

#[test]
fn current_and_next_leave_the_adjustment_one_step_ahead() {
    let aws = Aws::new();
    aws.user("alice");
    let device = aws.root().device("alice");
    aws.root().pair("EnableMFADevice", "alice", &device, pairs(&device, aws.now(), [0, 1])).unwrap();
    assert!(aws.explained().contains("from now on the device counts as 1 step ahead"), "{}", aws.explained());
}

#[test]
fn the_second_code_lies_from_998_behind_to_1000_ahead_of_the_adjusted_time() {
    for (offset, accepted) in [(-998, true), (1_000, true), (-999, false), (1_001, false)] {
        let aws = Aws::new();
        aws.user("alice");
        let device = aws.root().device("alice");
        let result =
            aws.root().pair("EnableMFADevice", "alice", &device, pairs(&device, aws.now(), [offset - 1, offset]));
        match result {
            Ok(_) => assert!(accepted, "{offset}"),
            Err(refused) => {
                assert!(!accepted, "{offset}");
                assert_eq!(refused.said(), INVALID_PAIR);
            }
        }
    }
}

#[test]
fn resync_searches_around_the_adjustment_that_is_there() {
    let aws = Aws::new();
    aws.user("alice");
    let device = aws.root().device("alice");
    let admin = aws.root();
    admin.pair("EnableMFADevice", "alice", &device, pairs(&device, aws.now(), [899, 900])).unwrap();
    admin.pair("ResyncMFADevice", "alice", &device, pairs(&device, aws.now(), [1_899, 1_900])).unwrap();
    assert!(
        aws.explained().contains("from now on the device counts as 1900 steps ahead, before that as 900 steps ahead"),
        "{}",
        aws.explained()
    );
    let too_far = admin.pair("ResyncMFADevice", "alice", &device, pairs(&device, aws.now(), [2_900, 2_901]));
    assert_eq!(too_far.unwrap_err().said(), INVALID_PAIR);
}

#[test]
fn the_adjustment_and_the_history_of_pairs_survive_a_deactivation() {
    let aws = Aws::new();
    aws.user("alice");
    aws.user("bob");
    let (admin, device) = (aws.root(), aws.root().device("alice"));
    admin.pair("EnableMFADevice", "alice", &device, pairs(&device, aws.now(), [499, 500])).unwrap();
    admin.ok("DeactivateMFADevice", &[("UserName", "alice"), ("SerialNumber", &device.serial)]);
    // Not newer than the last pair, also for somebody else.
    for steps in [[499, 500], [500, 501], [-1, 0]] {
        let refused = admin.pair("EnableMFADevice", "bob", &device, pairs(&device, aws.now(), steps)).unwrap_err();
        assert_eq!(refused.said(), INVALID_PAIR);
    }
    // 1,400 steps ahead is within 1,000 of the 500 that survived.
    admin.pair("EnableMFADevice", "bob", &device, pairs(&device, aws.now(), [1_399, 1_400])).unwrap();
    assert!(aws.explained().contains("before that as 500 steps ahead"), "{}", aws.explained());
}

#[test]
fn both_steps_of_a_pair_are_newer_than_the_last_pair() {
    let aws = Aws::new();
    aws.user("alice");
    let (admin, device) = (aws.root(), aws.root().device("alice"));
    admin.pair("EnableMFADevice", "alice", &device, pairs(&device, aws.now(), [-1, 0])).unwrap();
    for steps in [[-1, 0], [0, 1], [-2, -1]] {
        let refused = admin.pair("ResyncMFADevice", "alice", &device, pairs(&device, aws.now(), steps)).unwrap_err();
        assert_eq!(refused.said(), INVALID_PAIR, "{steps:?}");
    }
    admin.pair("ResyncMFADevice", "alice", &device, pairs(&device, aws.now(), [1, 2])).unwrap();
}

#[test]
fn wrong_equal_reversed_skipped_and_resent_pairs_have_one_answer_and_each_its_reason() {
    let aws = Aws::new();
    aws.user("alice");
    let (admin, device) = (aws.root(), aws.root().device("alice"));
    let now = aws.now();
    let wrong = ["000000".to_owned(), "000001".to_owned()];
    for (codes, why) in [
        (wrong, "no consecutive steps"),
        (pairs(&device, now, [0, 0]), "equal"),
        (pairs(&device, now, [0, -1]), "wrong order"),
        (pairs(&device, now, [-2, 0]), "aren't consecutive"),
    ] {
        let refused = admin.pair("EnableMFADevice", "alice", &device, codes).unwrap_err();
        assert_eq!(refused.said(), INVALID_PAIR);
        assert!(aws.why().contains(why), "{}", aws.why());
    }
    admin.pair("EnableMFADevice", "alice", &device, pairs(&device, now, [-1, 0])).unwrap();
    let resent = admin.pair("ResyncMFADevice", "alice", &device, pairs(&device, now, [-1, 0])).unwrap_err();
    assert_eq!(resent.said(), INVALID_PAIR);
    assert!(aws.why().contains("aren't newer"), "{}", aws.why());
}

#[test]
fn creating_twice_is_refused_and_the_orphan_is_explained() {
    let aws = Aws::new();
    let device = aws.root().device("alice");
    let refused = aws.root().refused("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice")]);
    assert_eq!(said(&refused), ("EntityAlreadyExists", 409, "MFA device already exists."));
    let way_out = format!("aws iam delete-virtual-mfa-device --serial-number {}", device.serial);
    assert!(aws.why().contains(&way_out), "{}", aws.why());
    // Another path is another device.
    aws.root().ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice"), ("Path", "/a/")]);
}

#[test]
fn enabling_again_for_the_same_user_is_refused() {
    let aws = Aws::new();
    let (_, device) = aws.user_with_device("alice");
    let refused = aws.root().pair("EnableMFADevice", "alice", &device, device.pair(aws.now())).unwrap_err();
    assert_eq!(refused.said(), ("EntityAlreadyExists", 409, "MFA Device for user alice already exists."));
}

#[test]
fn enabling_for_another_user_is_refused() {
    let aws = Aws::new();
    let (_, device) = aws.user_with_device("alice");
    aws.user("bob");
    let refused = aws.root().pair("EnableMFADevice", "bob", &device, device.pair(aws.now())).unwrap_err();
    assert_eq!(refused.said(), ("EntityAlreadyExists", 409, "MFA Device is already in use."));
}

#[test]
fn deactivating_or_resyncing_what_isnt_the_users_is_refused() {
    let aws = Aws::new();
    let (_, device) = aws.user_with_device("alice");
    aws.user("bob");
    let invalid = ("NoSuchEntity", 404, "MFA Device invalid for user.");
    let parameters = [("UserName", "bob"), ("SerialNumber", device.serial.as_str())];
    assert_eq!(said(&aws.root().refused("DeactivateMFADevice", &parameters)), invalid);
    assert!(aws.why().contains("another user's"), "{}", aws.why());
    let refused = aws.root().pair("ResyncMFADevice", "bob", &device, device.pair(aws.now())).unwrap_err();
    assert_eq!(refused.said(), invalid);
}

#[test]
fn deactivating_and_resyncing_a_device_that_isnt_there_name_it_and_look_for_the_user_first() {
    let aws = Aws::new();
    aws.user("alice");
    let serial = format!("arn:aws:iam::{ACCOUNT}:mfa/nobody");
    let text = format!("MFA Device with serial number {serial} does not exist.");
    let codes = [("AuthenticationCode1", "123456"), ("AuthenticationCode2", "654321")];
    for (action, more) in [
        ("DeactivateMFADevice", &[][..]),
        ("ResyncMFADevice", &codes[..]),
        ("EnableMFADevice", &codes[..]),
        ("GetMFADevice", &[][..]),
    ] {
        let ask = |user| {
            let parameters = [&[("UserName", user), ("SerialNumber", serial.as_str())], more].concat();
            aws.root().refused(action, &parameters)
        };
        assert_eq!(said(&ask("alice")), ("NoSuchEntity", 404, text.as_str()), "{action}");
        let nobody = ("NoSuchEntity", 404, "The user with name nobody cannot be found.");
        assert_eq!(said(&ask("nobody")), nobody, "{action}");
    }
}

#[test]
fn get_mfa_device_is_about_security_keys_and_no_virtual_device_is_one() {
    let aws = Aws::new();
    let (_, device) = aws.user_with_device("alice");
    let spare = aws.root().device("spare").serial;
    for serial in [&device.serial, &spare] {
        let refused = aws.root().refused("GetMFADevice", &[("UserName", "alice"), ("SerialNumber", serial)]);
        let text = "The MFA device serial number sent in the request is invalid or not supported by this API. Currently, only \
                    hardware FIDO security keys are supported. Please use the compatible device or API.";
        assert_eq!(said(&refused), ("ValidationError", 400, text));
    }
}

#[test]
fn deleting_while_assigned_is_refused() {
    let aws = Aws::new();
    let (_, device) = aws.user_with_device("alice");
    let refused = aws.root().refused("DeleteVirtualMFADevice", &[("SerialNumber", &device.serial)]);
    assert_eq!(said(&refused), ("DeleteConflict", 409, "MFA VirtualDevice in use. Must deactivate first."));
}

#[test]
fn deleting_a_user_with_a_device_is_refused() {
    let aws = Aws::new();
    aws.root().ok("CreateUser", &[("UserName", "alice")]);
    let device = aws.root().device("alice");
    aws.root().enable("alice", &device);
    let refused = aws.root().refused("DeleteUser", &[("UserName", "alice")]);
    let text = "Cannot delete entity, must remove tokens from principal first.";
    assert_eq!(said(&refused), ("DeleteConflict", 409, text));
}

#[test]
fn the_first_own_device_is_enabled_by_a_long_term_key_the_second_only_with_mfa() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.allow("alice", "AdministratorAccess");
    let (first, second) = (alice.device("first"), alice.device("second"));
    alice.enable("alice", &first);
    let refused = alice.pair("EnableMFADevice", "alice", &second, second.pair(aws.now())).unwrap_err();
    assert_eq!(refused.said(), NEEDS_MFA);
    aws.wait(10);
    let code = first.code(aws.now(), 0);
    let session = alice.session(&[("SerialNumber", &first.serial), ("TokenCode", &code)]);
    session.enable("alice", &second);
    assert_eq!(session.ok("ListMFADevices", &[]).all("SerialNumber"), [first.serial, second.serial]);
}

#[test]
fn an_own_device_is_deactivated_only_with_mfa() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    aws.allow("alice", "AdministratorAccess");
    let parameters = [("UserName", "alice"), ("SerialNumber", device.serial.as_str())];
    assert_eq!(said(&alice.refused("DeactivateMFADevice", &parameters)), NEEDS_MFA);
    let code = device.code(aws.now(), 0);
    let session = alice.session(&[("SerialNumber", &device.serial), ("TokenCode", &code)]);
    session.ok("DeactivateMFADevice", &[("SerialNumber", &device.serial)]);
    assert!(aws.root().ok("ListMFADevices", &[("UserName", "alice")]).all("SerialNumber").is_empty());
}

#[test]
fn an_own_device_is_resynced_by_a_long_term_key() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    aws.allow("alice", "AdministratorAccess");
    *device.ahead.borrow_mut() = 95;
    alice.pair("ResyncMFADevice", "alice", &device, device.pair(aws.now())).unwrap();
}

#[test]
fn another_users_device_is_managed_by_a_long_term_key() {
    let aws = Aws::new();
    let (_, device) = aws.user_with_device("alice");
    let second = aws.root().device("second");
    aws.root().enable("alice", &second);
    aws.root().ok("DeactivateMFADevice", &[("UserName", "alice"), ("SerialNumber", &device.serial)]);
    aws.root().ok("DeleteVirtualMFADevice", &[("SerialNumber", &device.serial)]);
}

#[test]
fn a_user_has_at_most_eight_devices() {
    let aws = Aws::new();
    aws.user("alice");
    for number in 1..=8 {
        aws.root().enable("alice", &aws.root().device(&format!("device-{number}")));
    }
    let ninth = aws.root().device("ninth");
    let refused = aws.root().pair("EnableMFADevice", "alice", &ninth, ninth.pair(aws.now())).unwrap_err();
    assert_eq!(refused.said(), ("LimitExceeded", 409, "Cannot exceed quota for MFADevicesPerUser: 8"));
}

#[test]
fn a_device_that_isnt_there_is_named() {
    let aws = Aws::new();
    aws.user("alice");
    let serial = format!("arn:aws:iam::{ACCOUNT}:mfa/nobody");
    let text = format!("MFA Device with serial number {serial} does not exist.");
    for action in ["DeleteVirtualMFADevice", "ListMFADeviceTags"] {
        let refused = aws.root().refused(action, &[("SerialNumber", &serial)]);
        assert_eq!(said(&refused), ("NoSuchEntity", 404, text.as_str()), "{action}");
    }
}

#[test]
fn the_root_users_device_cant_be_enabled() {
    let aws = Aws::new();
    aws.user("alice");
    let root = format!("arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device");
    let parameters = [
        ("UserName", "alice"),
        ("SerialNumber", root.as_str()),
        ("AuthenticationCode1", "123456"),
        ("AuthenticationCode2", "654321"),
    ];
    let text = format!("MFA Device with serial number {root} does not exist.");
    assert_eq!(said(&aws.root().refused("EnableMFADevice", &parameters)), ("NoSuchEntity", 404, text.as_str()));
}

#[test]
fn the_orphan_of_a_cancelled_enrolment_can_be_enabled_by_its_seed_or_deleted_by_an_administrator() {
    let aws = Aws::new();
    aws.user("alice");
    let orphan = aws.root().device("alice");
    aws.wait(3_600);
    aws.root().enable("alice", &orphan);
    aws.root().ok("DeactivateMFADevice", &[("UserName", "alice"), ("SerialNumber", &orphan.serial)]);
    aws.root().ok("DeleteVirtualMFADevice", &[("SerialNumber", &orphan.serial)]);
    let anew = aws.root().device("alice");
    assert_ne!(anew.seed, orphan.seed);
    aws.root().enable("alice", &anew);
}
