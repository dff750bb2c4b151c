// A worker is killed while its test has a code, which would keep the stand-in's time still for five seconds. The other
// tests go on.

import { STS } from "@aws-sdk/client-sts";

import { expect, test } from "vmfa/playwright";

test("is killed", async ({ mfaDevice, mfaCode }) => {
  await mfaCode(await mfaDevice({ user: "administrator", name: "killed" }));
  process.kill(process.pid, "SIGKILL");
});

for (const number of [1, 2, 3, 4]) {
  test(`goes on ${number}`, async ({ vmfa, mfaServer, mfaDevice, mfaCode }, info) => {
    await info.attach("place", { body: JSON.stringify({ home: vmfa.path, server: mfaServer.pid }) });
    const device = await mfaDevice({ user: "administrator", name: `device-${number}` });
    const begun = performance.now();
    await mfaServer.advance("30s");
    expect(performance.now() - begun).toBeLessThan(4_000);
    const given = { SerialNumber: device.serialNumber, TokenCode: await mfaCode(device) };
    expect((await new STS(mfaServer.config()).getSessionToken(given)).Credentials).toBeTruthy();
  });
}
