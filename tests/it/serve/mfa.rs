//! Virtual MFA devices at IAM, row by row as they were measured.

use super::support::*;

#[test]
fn a_device_is_created_enabled_and_used() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    let device = Device::of(&aws.root().ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice")]));
    assert_eq!(device.serial, format!("arn:aws:iam::{ACCOUNT}:mfa/alice"));
    assert_eq!(device.seed.expose().len(), 40);
    let [one, two] = device.pair(aws.now());
    aws.root().ok(
        "EnableMFADevice",
        &[
            ("UserName", "alice"),
            ("SerialNumber", &device.serial),
            ("AuthenticationCode1", &one),
            ("AuthenticationCode2", &two),
        ],
    );
    aws.wait(10);
    let session = alice.session(&[("SerialNumber", &device.serial), ("TokenCode", &two)]);
    assert_eq!(session.ok("GetCallerIdentity", &[]).text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/alice"));
}
