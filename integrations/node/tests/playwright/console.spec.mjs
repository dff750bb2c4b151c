// Forty users, each with a test of its own, at one stand-in on one virtual time: nobody's code may be refused.

import { IAM } from "@aws-sdk/client-iam";

import { expect, test } from "vmfa/playwright";

const password = "a-Stand-in-password-1";

for (let number = 1; number <= 40; number += 1) {
  test(`user ${number} registers by the picture, signs in, and resynchronizes`, async ({ page, mfa, mfaServer }) => {
    const UserName = `user-${number}`;
    const iam = new IAM(mfaServer.config());
    await iam.createUser({ UserName });
    await iam.createLoginProfile({ UserName, Password: password });
    await iam.attachUserPolicy({ UserName, PolicyArn: "arn:aws:iam::aws:policy/IAMFullAccess" });

    const named = (name) => page.getByTestId(name);
    const signIn = async () => {
      await page.goto(`${mfaServer.consoleUrl}/sign-in`);
      await named("username-input").fill(UserName);
      await named("password-input").fill(password);
      await named("sign-in-submit").click();
    };
    const enter = async ([one, two], submit) => {
      await named("code1-input").fill(one);
      await named("code2-input").fill(two);
      await named(submit).click();
    };

    await signIn();
    await page.goto(`${mfaServer.consoleUrl}/mfa/assign`);
    await named("device-name-input").fill(UserName);
    await named("assign-next").click();
    const device = await mfa.enrol(named("qr-code"));
    await enter(await device.pair(), "register-submit");
    await expect(named("mfa-device-name")).toHaveText(UserName);
    await named("sign-out").click();
    await mfaServer.advance("10s");

    await signIn();
    await named("code-input").fill(await device.code({ window: true }));
    await named("mfa-submit").click();
    await expect(named("signed-in-as")).toHaveText(`${UserName} (with MFA)`);

    await page.goto(`${mfaServer.consoleUrl}/security`);
    await named("mfa-device-resync").click();
    await enter(await device.pair(), "resync-submit");
    await expect(named("notice")).toHaveText(`MFA device ${UserName} is in sync.`);

    const refused = (await mfaServer.events()).filter((event) => event.outcome === "refused" && event.principal?.endsWith(`/${UserName}`));
    expect(refused).toEqual([]);
  });
}
