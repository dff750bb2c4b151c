"""The tutorial of the IAM User Guide, "Permit users to manage their own credentials and MFA settings", with boto3.

Expects a stand-in on virtual time with moto behind it: AWS_ENDPOINT_URL, the administrator's keys, VMFA_BIN, VMFA_HOME,
FORCE_MFA (the policy document's file), SCRATCH (an empty directory).
"""

import json
import os
import pathlib
import subprocess

import boto3
from botocore.exceptions import ClientError

VMFA = os.environ["VMFA_BIN"]
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
SCRATCH = pathlib.Path(os.environ["SCRATCH"])


def vmfa(*arguments):
    """Runs vmfa on the stand-in's clock; its answer."""
    done = subprocess.run([VMFA, *arguments, "--json"], check=True, capture_output=True)
    return json.loads(done.stdout)


def wait(seconds):
    vmfa("serve", "time", f"+{seconds}s")


def session(answer):
    return boto3.Session(
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer.get("SessionToken"),
        region_name="eu-central-1",
    )


def refused(call, code, *words):
    """The call has to be refused with this code; its message holds these words."""
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        for word in words:
            assert word in str(error), (word, error)
        return
    raise AssertionError(f"expected {code}")


def pair(name):
    codes = vmfa("pair", name, "--clock", ENDPOINT)["codes"]
    first, second = [code["code"] for code in codes]
    return {"AuthenticationCode1": first, "AuthenticationCode2": second}


def code(name):
    return vmfa("code", name, "--fresh", "--clock", ENDPOINT)["codes"][0]["code"]


administrator = boto3.Session(region_name="eu-central-1")
admin = administrator.client("iam")

# Step 1 and 2: the policy, the group, the user
force = admin.create_policy(
    PolicyName="Force_MFA", PolicyDocument=pathlib.Path(os.environ["FORCE_MFA"]).read_text()
)["Policy"]
admin.create_group(GroupName="EC2MFA")
admin.attach_group_policy(GroupName="EC2MFA", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2FullAccess")
admin.attach_group_policy(GroupName="EC2MFA", PolicyArn=force["Arn"])
admin.create_user(UserName="MFAUser")
admin.create_login_profile(UserName="MFAUser", Password="Correct-Horse-7-Battery", PasswordResetRequired=False)
admin.add_user_to_group(GroupName="EC2MFA", UserName="MFAUser")
key = admin.create_access_key(UserName="MFAUser")["AccessKey"]
user = session(key)
iam, sts = user.client("iam"), user.client("sts")
account = sts.get_caller_identity()["Account"]
serial = f"arn:aws:iam::{account}:mfa/MFAUser"

# Step 3: without MFA everything else is denied
refused(lambda: user.client("ec2").describe_instances(), "UnauthorizedOperation", "explicit deny")
refused(lambda: user.client("s3").list_buckets(), "AccessDenied")
refused(lambda: iam.list_users(), "AccessDenied", "iam:ListUsers")

# A wizard that is cancelled leaves the device behind, unassigned
iam.create_virtual_mfa_device(VirtualMFADeviceName="MFAUser")
refused(
    lambda: iam.create_virtual_mfa_device(VirtualMFADeviceName="MFAUser"),
    "EntityAlreadyExists",
    "MFA device already exists.",
)
refused(lambda: iam.delete_virtual_mfa_device(SerialNumber=serial), "AccessDenied", "iam:DeleteVirtualMFADevice")
unassigned = admin.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]
assert [device["SerialNumber"] for device in unassigned] == [serial], unassigned
admin.delete_virtual_mfa_device(SerialNumber=serial)

# The device, by its QR code
device = iam.create_virtual_mfa_device(VirtualMFADeviceName="MFAUser")["VirtualMFADevice"]
assert device["SerialNumber"] == serial and len(device["Base32StringSeed"]) == 64
(SCRATCH / "qr.png").write_bytes(device["QRCodePNG"])
vmfa("add", "MFAUser", str(SCRATCH / "qr.png"), "--no-code")
iam.enable_mfa_device(UserName="MFAUser", SerialNumber=serial, **pair("MFAUser"))
[listed] = iam.list_mfa_devices()["MFADevices"]
assert listed["SerialNumber"] == serial and listed["UserName"] == "MFAUser"

# With it: EC2, and nothing else
wait(10)
answer = sts.get_session_token(SerialNumber=serial, TokenCode=code("MFAUser"))["Credentials"]
with_mfa = session(answer)
assert with_mfa.client("ec2").describe_instances()["Reservations"] == []
vpcs = with_mfa.client("ec2").describe_vpcs()["Vpcs"]
assert vpcs and all(vpc["IsDefault"] for vpc in vpcs), vpcs
refused(lambda: with_mfa.client("s3").list_buckets(), "AccessDenied", "because no identity-based policy allows")
refused(lambda: user.client("ec2").describe_instances(), "UnauthorizedOperation")
without = session(sts.get_session_token()["Credentials"])
refused(lambda: without.client("ec2").describe_instances(), "UnauthorizedOperation")
refused(lambda: without.client("iam").get_user(), "InvalidClientTokenId")

# A clock that goes wrong, and comes back
vmfa("drift", "MFAUser", "--set", "+900")
refused(
    lambda: sts.get_session_token(SerialNumber=serial, TokenCode=code("MFAUser")),
    "AccessDenied",
    "invalid MFA one time pass code",
)
iam.resync_mfa_device(UserName="MFAUser", SerialNumber=serial, **pair("MFAUser"))
wait(40)
last = code("MFAUser")
sts.get_session_token(SerialNumber=serial, TokenCode=last)
refused(lambda: sts.get_session_token(SerialNumber=serial, TokenCode=last), "AccessDenied", "one time pass code")

# Removing it takes MFA too
refused(
    lambda: iam.deactivate_mfa_device(UserName="MFAUser", SerialNumber=serial), "AccessDenied", "iam:DeactivateMFADevice"
)
wait(30)
own = session(sts.get_session_token(SerialNumber=serial, TokenCode=code("MFAUser"))["Credentials"]).client("iam")
own.deactivate_mfa_device(UserName="MFAUser", SerialNumber=serial)
own.delete_virtual_mfa_device(SerialNumber=serial)
assert iam.list_mfa_devices()["MFADevices"] == []

# The rest of what boto3 parses
summary = admin.get_account_summary()["SummaryMap"]
assert summary["MFADevices"] == 0 and summary["Users"] == 2, summary
assert [page["Users"][0]["UserName"] for page in admin.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1})] == [
    "administrator",
    "MFAUser",
]
results = admin.simulate_principal_policy(
    PolicySourceArn=f"arn:aws:iam::{account}:user/MFAUser",
    ActionNames=["ec2:DescribeInstances"],
    ContextEntries=[
        {"ContextKeyName": "aws:MultiFactorAuthPresent", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}
    ],
)["EvaluationResults"]
assert [result["EvalDecision"] for result in results] == ["allowed"], results
print("the tutorial ends well")
