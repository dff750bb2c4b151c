// A program that uses the package with all checks on; it is compiled and not run.

import { IAM } from "@aws-sdk/client-iam";
import { STS } from "@aws-sdk/client-sts";
import { type Code, type Duration, Home, NotYet, Share, type SharedDevice, VmfaError, serve } from "vmfa";
import { register } from "vmfa/cypress";
import { expect, test } from "vmfa/playwright";

export async function program(): Promise<string> {
  await using server = await serve({ time: "virtual" });
  await using home = await Home.open({ clock: server });
  const iam = new IAM(server.config());
  const device = await home.add("x", await iam.createVirtualMFADevice({ VirtualMFADeviceName: "x" }));
  const [one, two]: [Code, Code] = await device.pair();
  const { AccessKey } = await iam.createAccessKey({});
  const sts = new STS(server.config(AccessKey ?? "administrator"));
  await sts.getSessionToken({ SerialNumber: device.serialNumber ?? "", TokenCode: one });
  const wait: Duration = "45s";
  // @ts-expect-error a number has no unit
  await device.code({ timeout: 45 });
  try {
    return (await device.code({ timeout: wait, minValidity: "5s" })).digits + two;
  } catch (error) {
    if (error instanceof NotYet) return String(error.waitSeconds);
    if (error instanceof VmfaError) return [error.kind, ...error.hints].join();
    throw error;
  }
}

export async function worker(): Promise<string[]> {
  const share = new Share({ url: "https://codes.example.com:8443" });
  const code: Code = await share.code("ci/*", { window: true, timeout: "2m", minValidity: "5s" });
  const pair: [Code, Code] = await share.pair("ci/1", { wait: true });
  await share.release(code);
  await share.release(pair);
  // @ts-expect-error all that a server gives is fresh
  await share.code("ci/1", { fresh: false });
  const devices: SharedDevice[] = await share.devices();
  return devices.map(({ name }) => name);
}

register(() => {});

test.use({ vmfaTime: "real", vmfaScope: "worker" });

test("a test", async ({ page, mfa, mfaCode, mfaDevice, mfaServer, vmfa }) => {
  const device = await mfa.enrol(page.getByTestId("qr"));
  await page.getByLabel("Code").fill(await mfaCode(device, { minValidity: "5s" }));
  await mfaDevice({ user: "alice" });
  expect((await vmfa.devices()).length).toBeGreaterThan(0);
  await mfaServer.advance("30s");
});
