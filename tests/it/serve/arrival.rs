//! When STS learns of what IAM did to a device, and what it goes by until then.

use std::time::Duration;

use vmfa::serve::time::Instant;

use super::support::*;

#[test]
fn a_new_seed_at_the_same_arn_inherits_the_budget() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    for _ in 0..9 {
        let _ = alice.token(&device, "000000");
    }
    let admin = aws.root();
    admin.ok("DeactivateMFADevice", &[("UserName", "alice"), ("SerialNumber", &device.serial)]);
    admin.ok("DeleteVirtualMFADevice", &[("SerialNumber", &device.serial)]);
    let anew = admin.device("alice");
    admin.enable("alice", &anew);
    aws.wait(10);
    assert_eq!(alice.token(&anew, &anew.code(aws.now(), 0)).unwrap_err().said(), UNABLE);
    aws.wait(180);
    alice.token(&anew, &anew.code(aws.now(), 0)).unwrap();
}

/// Enables a device, and says when.
fn enabled_at(aws: &Aws, user: &str, device: &Device) -> Instant {
    aws.root().enable(user, device);
    aws.clock.instant()
}

fn go_to(aws: &Aws, since: Instant, milliseconds: u64) {
    aws.clock.set(since.plus(Duration::from_millis(milliseconds)), false).unwrap();
}

#[test]
fn an_enabled_device_reaches_sts_after_seven_and_a_half_seconds_and_iam_at_once() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    let (admin, device) = (aws.root(), aws.root().device("alice"));
    let since = enabled_at(&aws, "alice", &device);
    assert!(aws.why().contains("accept its codes from 2026-09-21T14:15:07.500Z on"), "{}", aws.why());
    assert_eq!(admin.ok("ListMFADevices", &[("UserName", "alice")]).all("SerialNumber"), [device.serial.as_str()]);
    go_to(&aws, since, 6_999);
    let code = device.code(aws.now(), 0);
    for _ in 0..10 {
        assert_eq!(alice.token(&device, &code).unwrap_err().said(), UNABLE);
        assert!(aws.why().contains("reaches STS at"), "{}", aws.why());
    }
    go_to(&aws, since, 7_500);
    alice.token(&device, &code).unwrap();
}

#[test]
fn a_code_that_falls_into_the_change_is_refused_and_used_up_and_counts() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    let device = aws.root().device("alice");
    let since = enabled_at(&aws, "alice", &device);
    for milliseconds in [7_000, 7_499] {
        go_to(&aws, since, milliseconds);
        assert_eq!(alice.token(&device, &device.code(aws.now(), 0)).unwrap_err().said(), UNABLE);
        assert!(aws.why().contains("just reaching STS, and is known there at"), "{}", aws.why());
    }
    go_to(&aws, since, 7_500);
    assert_eq!(alice.token(&device, &device.code(aws.now(), 0)).unwrap_err().said(), BAD_CODE);
    assert!(aws.why().contains("has been used"), "{}", aws.why());
    alice.token(&device, &device.code(aws.now(), 1)).unwrap();
    // Two in the change and two since: five are left of nine.
    for _ in 0..5 {
        assert_eq!(alice.token(&device, "000000").unwrap_err().said(), BAD_CODE);
    }
    assert_eq!(alice.token(&device, "000000").unwrap_err().said(), UNABLE);
    assert!(aws.why().contains("nine codes"), "{}", aws.why());
}

#[test]
fn a_deactivation_and_a_deletion_reach_sts_after_ten_seconds() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    let admin = aws.root();
    admin.ok("DeactivateMFADevice", &[("UserName", "alice"), ("SerialNumber", &device.serial)]);
    let until = aws.clock.instant().plus(Duration::from_secs(10));
    assert!(aws.why().contains(&format!("accept its codes until {until}")), "{}", aws.why());
    admin.ok("DeleteVirtualMFADevice", &[("SerialNumber", &device.serial)]);
    assert!(admin.ok("ListMFADevices", &[("UserName", "alice")]).all("SerialNumber").is_empty());
    aws.wait(9);
    alice.token(&device, &device.code(aws.now(), 1)).unwrap();
    assert!(aws.why().contains(&format!("reaches STS at {until} only")), "{}", aws.why());
    aws.wait(1);
    assert_eq!(alice.token(&device, &device.code(aws.now(), 2)).unwrap_err().said(), UNABLE);
}

#[test]
fn a_resync_reaches_sts_after_ten_seconds() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    *device.ahead.borrow_mut() = 3_000;
    assert_eq!(alice.token(&device, &device.code(aws.now(), 0)).unwrap_err().said(), BAD_CODE);
    aws.root().pair("ResyncMFADevice", "alice", &device, device.pair(aws.now())).unwrap();
    let from = aws.clock.instant().plus(Duration::from_secs(10));
    assert!(aws.why().contains(&format!("the sign-in page go by that from {from} on")), "{}", aws.why());
    assert_eq!(alice.token(&device, &device.code(aws.now(), 0)).unwrap_err().said(), BAD_CODE);
    assert!(aws.why().contains(&format!("reaches STS at {from} only")), "{}", aws.why());
    // Until then the old adjustment counts.
    *device.ahead.borrow_mut() = 0;
    alice.token(&device, &device.code(aws.now(), 0)).unwrap();
    aws.wait(10);
    *device.ahead.borrow_mut() = 3_000;
    alice.token(&device, &device.code(aws.now(), 0)).unwrap();
}

/// Deactivates and deletes a device, and makes one of the same name.
fn made_anew(aws: &Aws, name: &str, old: &Device) -> Device {
    let admin = aws.root();
    admin.ok("DeactivateMFADevice", &[("UserName", name), ("SerialNumber", &old.serial)]);
    admin.ok("DeleteVirtualMFADevice", &[("SerialNumber", &old.serial)]);
    admin.device(name)
}

#[test]
fn the_old_seed_is_good_at_sts_until_the_new_one_arrives_and_its_used_codes_stay_used() {
    let aws = Aws::new();
    let (alice, old) = aws.user_with_device("alice");
    let now = aws.now();
    let used = old.code(now, 0);
    alice.token(&old, &used).unwrap();
    let new = made_anew(&aws, "alice", &old);
    for (code, good) in [(&used, false), (&old.code(now, 1), true), (&new.code(now, 0), false)] {
        assert_eq!(
            alice.token(&old, code).map_err(|refused| refused.message).err(),
            (!good).then(|| BAD_CODE.2.to_owned())
        );
    }
    aws.root().enable("alice", &new);
    alice.token(&old, &old.code(now, 2)).unwrap();
    assert_eq!(alice.token(&new, &new.code(now, 0)).unwrap_err().said(), BAD_CODE);
    aws.wait(8);
    assert_eq!(alice.token(&old, &old.code(now, -1)).unwrap_err().said(), BAD_CODE);
    // What was tried meanwhile has used up no step of the new seed.
    for step in [0, 1] {
        alice.token(&new, &new.code(now, step)).unwrap();
    }
}

#[test]
fn a_number_made_anew_again_and_again_goes_by_the_seed_that_arrived_last() {
    let aws = Aws::new();
    let (alice, mut device) = aws.user_with_device("alice");
    let mut seeds = vec![];
    for _ in 0..3 {
        aws.wait(3);
        let new = made_anew(&aws, "alice", &device);
        aws.root().enable("alice", &new);
        seeds.push(std::mem::replace(&mut device, new));
    }
    seeds.push(device);
    // Enabled 6, 3 and 0 s ago: the first seed is still the one.
    let good = |index: usize| alice.token(&seeds[index], &seeds[index].code(aws.now(), 0)).is_ok();
    assert_eq!([3, 2, 1, 0].map(good), [false, false, false, true]);
    aws.wait(2);
    assert_eq!([3, 2, 0, 1].map(good), [false, false, false, true]);
    aws.wait(180);
    assert_eq!([0, 1, 2, 3].map(good), [false, false, false, true]);
}

#[test]
fn what_is_on_its_way_to_sts_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let aws = Aws::kept_in(directory.path());
    let (alice, old) = aws.user_with_device("alice");
    let new = made_anew(&aws, "alice", &old);
    let since = enabled_at(&aws, "alice", &new);
    let credentials = alice.credentials.clone();
    drop(aws);
    let aws = Aws::kept_in(directory.path());
    let alice = aws.client(&credentials);
    go_to(&aws, since, 1_000);
    alice.token(&old, &old.code(aws.now(), 0)).unwrap();
    go_to(&aws, since, 7_500);
    alice.token(&new, &new.code(aws.now(), 0)).unwrap();
}
