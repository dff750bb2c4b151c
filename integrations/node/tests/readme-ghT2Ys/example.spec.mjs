import { IAM } from "@aws-sdk/client-iam";
import { expect, test } from "vmfa/playwright";

test("alice registers the QR code on the page", async ({ page, mfa, mfaServer }) => {
  const user = { UserName: "alice", Password: "a-Stand-in-password-1" };
  const iam = new IAM(mfaServer.config());
  await iam.createUser(user);
  await iam.createLoginProfile(user);
  await iam.attachUserPolicy({ ...user, PolicyArn: "arn:aws:iam::aws:policy/IAMFullAccess" });

  await page.goto(mfaServer.consoleUrl);
  await page.getByLabel("User name").fill(user.UserName);
  await page.getByTestId("password-input").fill(user.Password);
  await page.getByTestId("sign-in-submit").click();
  await page.getByTestId("nav-security").click();
  await page.getByTestId("assign-mfa-device").click();
  await page.getByTestId("device-name-input").fill("alice");
  await page.getByTestId("assign-next").click();
  const device = await mfa.enrol(page.getByTestId("qr-code"));
  const [one, two] = await device.pair();
  await page.getByTestId("code1-input").fill(one);
  await page.getByTestId("code2-input").fill(two);
  await page.getByTestId("register-submit").click();
  await expect(page.getByTestId("mfa-device-name")).toHaveText("alice");
});
