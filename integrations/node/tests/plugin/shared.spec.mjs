// What the tests of the fixtures look at: which home and stand-in each worker has, and what a failed test reports.

import { STS } from "@aws-sdk/client-sts";

import { expect, test } from "vmfa/playwright";

for (const number of [1, 2, 3, 4]) {
  test(`place ${number}`, async ({ vmfa, mfaServer, mfaDevice }, info) => {
    const device = await mfaDevice({ user: "administrator", name: `device-${number}` });
    await info.attach("place", { body: JSON.stringify({ home: vmfa.path, server: mfaServer.pid, worker: process.pid }) });
    expect(device.serialNumber).toContain(`device-${number}`);
    if (process.env.HANG) await new Promise((never) => console.error(`place ${mfaServer.pid} ${vmfa.path}`, never));
  });
}

test("fails", async ({ mfaServer, mfaDevice, mfaCode }) => {
  const device = await mfaDevice({ user: "administrator", name: "refused" });
  const given = { SerialNumber: device.serialNumber, TokenCode: await mfaCode(device) };
  const sts = new STS(mfaServer.config());
  await sts.getSessionToken(given);
  await sts.getSessionToken(given);
});

test("devices of a test go with it", async ({ vmfa, mfaDevice, mfa, page }) => {
  const before = (await vmfa.devices()).length;
  const device = await mfaDevice("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", { name: "short-lived" });
  expect((await device.code({ window: true })).digits).toMatch(/^\d{6}$/);
  await page.setContent('<p data-testid="qr">nothing yet</p>');
  await expect(mfa.enrol(page.getByTestId("qr"), { timeout: 5_000 })).rejects.toThrow(/no QR code|hint/);
  expect(before).toBeGreaterThanOrEqual(0);
});
