// The tutorial of the IAM User Guide with the AWS SDK for JavaScript. Expects what tutorial.py does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";

const { VMFA_BIN, AWS_ENDPOINT_URL: endpoint, FORCE_MFA, SCRATCH } = process.env;

const vmfa = (...words) => JSON.parse(execFileSync(VMFA_BIN, [...words, "--json"], { encoding: "utf8" }));
const wait = (seconds) => vmfa("serve", "time", `+${seconds}s`);
const code = () => vmfa("code", "MFAUser", "--fresh", "--clock", endpoint).codes[0].code;
const pair = () => {
  const [one, two] = vmfa("pair", "MFAUser", "--clock", endpoint).codes;
  return { AuthenticationCode1: one.code, AuthenticationCode2: two.code };
};

/** Clients of somebody; SDKs leave for the real AWS where nothing else is said, so the endpoint is said. */
const clients = (credentials) => {
  const options = { region: "eu-central-1", endpoint, credentials, maxAttempts: 1 };
  return {
    iam: new iam.IAMClient(options),
    sts: new STSClient(options),
    ec2: new EC2Client(options),
    s3: new S3Client({ ...options, forcePathStyle: true }),
  };
};
const keys = (answer) => ({
  accessKeyId: answer.AccessKeyId,
  secretAccessKey: answer.SecretAccessKey,
  sessionToken: answer.SessionToken,
});
const refused = (promise, name, words = "") =>
  assert.rejects(promise, (error) => error.name === name && error.message.includes(words));

const admin = clients({
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
});
const policy = await admin.iam.send(
  new iam.CreatePolicyCommand({ PolicyName: "Force_MFA", PolicyDocument: readFileSync(FORCE_MFA, "utf8") }),
);
await admin.iam.send(new iam.CreateGroupCommand({ GroupName: "EC2MFA" }));
for (const PolicyArn of ["arn:aws:iam::aws:policy/AmazonEC2FullAccess", policy.Policy.Arn]) {
  await admin.iam.send(new iam.AttachGroupPolicyCommand({ GroupName: "EC2MFA", PolicyArn }));
}
await admin.iam.send(new iam.CreateUserCommand({ UserName: "MFAUser", Tags: [{ Key: "team", Value: "red + blue/ü" }] }));
await admin.iam.send(new iam.AddUserToGroupCommand({ GroupName: "EC2MFA", UserName: "MFAUser" }));
const { AccessKey } = await admin.iam.send(new iam.CreateAccessKeyCommand({ UserName: "MFAUser" }));
const user = clients(keys(AccessKey));
const { Account, Arn } = await user.sts.send(new GetCallerIdentityCommand({}));
assert.equal(Arn, `arn:aws:iam::${Account}:user/MFAUser`);
const SerialNumber = `arn:aws:iam::${Account}:mfa/MFAUser`;

await refused(user.ec2.send(new DescribeInstancesCommand({})), "UnauthorizedOperation", "explicit deny");
await refused(user.s3.send(new ListBucketsCommand({})), "AccessDenied");

// The cancelled wizard, and its orphan
const create = () => user.iam.send(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "MFAUser" }));
await create();
await refused(create(), "EntityAlreadyExistsException", "MFA device already exists.");
await refused(user.iam.send(new iam.DeleteVirtualMFADeviceCommand({ SerialNumber })), "AccessDenied");
await admin.iam.send(new iam.DeleteVirtualMFADeviceCommand({ SerialNumber }));

const { VirtualMFADevice } = await create();
assert.equal(Buffer.from(VirtualMFADevice.Base32StringSeed).length, 64);
writeFileSync(join(SCRATCH, "qr.png"), VirtualMFADevice.QRCodePNG);
vmfa("add", "MFAUser", join(SCRATCH, "qr.png"), "--no-code");
await user.iam.send(new iam.EnableMFADeviceCommand({ UserName: "MFAUser", SerialNumber, ...pair() }));
const { MFADevices } = await user.iam.send(new iam.ListMFADevicesCommand({}));
assert.deepEqual(MFADevices.map((device) => device.SerialNumber), [SerialNumber]);
assert.ok(MFADevices[0].EnableDate instanceof Date);

wait(10);
const token = async (TokenCode) =>
  (await user.sts.send(new GetSessionTokenCommand({ SerialNumber, TokenCode }))).Credentials;
const withMfa = clients(keys(await token(code())));
assert.deepEqual((await withMfa.ec2.send(new DescribeInstancesCommand({}))).Reservations ?? [], []);
await refused(withMfa.s3.send(new ListBucketsCommand({})), "AccessDenied", "s3:ListAllMyBuckets");

vmfa("drift", "MFAUser", "--set", "+900");
await refused(token(code()), "AccessDenied", "invalid MFA one time pass code");
await user.iam.send(new iam.ResyncMFADeviceCommand({ UserName: "MFAUser", SerialNumber, ...pair() }));
wait(40);
const last = code();
await token(last);
await refused(token(last), "AccessDenied", "invalid MFA one time pass code");

// A role whose trust policy asks for MFA
const trust = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${Account}:user/MFAUser` },
      Action: "sts:AssumeRole",
      Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
    },
  ],
};
const { Role } = await admin.iam.send(
  new iam.CreateRoleCommand({ RoleName: "ops", AssumeRolePolicyDocument: JSON.stringify(trust) }),
);
const assume = (more) =>
  user.sts.send(new AssumeRoleCommand({ RoleArn: Role.Arn, RoleSessionName: "tests", ...more }));
await refused(assume({}), "AccessDenied", "sts:AssumeRole");
wait(30);
const { AssumedRoleUser } = await assume({ SerialNumber, TokenCode: code() });
assert.equal(AssumedRoleUser.Arn, `arn:aws:sts::${Account}:assumed-role/ops/tests`);
console.log("the tutorial ends well");
