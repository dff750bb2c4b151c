// The browser's half of the tutorial: sign in, assign a device from its QR code, sign in with MFA, a device out of
// sync, a cancelled wizard, removal. VMFA_BIN is the program; SCREENSHOTS=DIR keeps pictures of every page.
//
//   npm ci --prefix tests/clients && VMFA_BIN=target/debug/vmfa node tests/clients/console/run.mjs

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteVirtualMFADeviceCommand,
  GetUserCommand,
  IAMClient,
  ListMFADevicesCommand,
  ListVirtualMFADevicesCommand,
  UpdateLoginProfileCommand,
} from "@aws-sdk/client-iam";

import { Browsing, Device, Server, finish, step } from "./harness.mjs";

const USER = "MFAUser";
const OPERATOR = "Operator";
const PASSWORD = "a-Stand-in-password-1";
const SERIAL = `arn:aws:iam::123456789012:mfa/${USER}`;
const forceMfa = readFileSync(new URL("../../../vectors/iam/own-mfa-device.json", import.meta.url), "utf8");

const server = await Server.start();
const iam = new IAMClient({
  endpoint: server.endpoint,
  region: server.region,
  credentials: { accessKeyId: server.access_key_id, secretAccessKey: server.secret_access_key },
});
let browser;
let device;

try {
  browser = await Browsing.start(server);

  await step("the administrator makes a user who may do little without MFA", async () => {
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: "Force_MFA", PolicyDocument: forceMfa }));
    await iam.send(new CreateGroupCommand({ GroupName: "EC2MFA" }));
    for (const PolicyArn of [Policy.Arn, "arn:aws:iam::aws:policy/AmazonEC2FullAccess"]) {
      await iam.send(new AttachGroupPolicyCommand({ GroupName: "EC2MFA", PolicyArn }));
    }
    await iam.send(new CreateUserCommand({ UserName: USER }));
    await iam.send(new AddUserToGroupCommand({ GroupName: "EC2MFA", UserName: USER }));
    await iam.send(new CreateLoginProfileCommand({ UserName: USER, Password: PASSWORD }));
  });

  await step("the root of the server leads to the sign-in page", async () => {
    await browser.open("/console");
    assert.equal(await browser.path(), "/console/sign-in");
    await browser.inspect("sign-in");
  });

  await step("a wrong password is refused on the page, and the fields say so", async () => {
    await browser.signIn(USER, "wrong");
    assert.match(await browser.text("error-message"), /user name or the password is wrong/);
    const described = await (
      await browser.find("password-input")
    ).evaluate((node) => [
      node.getAttribute("aria-invalid"),
      document.getElementById(node.getAttribute("aria-describedby"))?.querySelector("[role=alert]")?.dataset.testid,
    ]);
    assert.deepEqual(described, ["true", "error"]);
    await browser.inspect("sign-in-refused");
  });

  await step("the keyboard alone signs in", async () => {
    await browser.open("/console/sign-in");
    const { keyboard } = browser.page;
    const order = [];
    for (let count = 0; count < 3; count += 1) {
      await keyboard.press("Tab");
      order.push(await browser.focused());
    }
    await keyboard.type(USER);
    await keyboard.press("Tab");
    order.push(await browser.focused());
    await keyboard.type(PASSWORD);
    await keyboard.press("Tab");
    order.push(await browser.focused());
    assert.deepEqual(order, ["skip", "account-input", "username-input", "password-input", "sign-in-submit"]);
    await Promise.all([browser.page.waitForNavigation(), keyboard.press("Enter")]);
    assert.equal(await browser.path(), "/console");
    assert.equal(await browser.text("signed-in-as"), `${USER} (without MFA)`);
    assert.match(await browser.text("mfa-status"), /without a code/);
    await browser.inspect("home");
  });

  await step("no script reads the cookie, and it goes to the console alone", async () => {
    const cookies = await browser.browser.cookies();
    const [cookie] = cookies.filter(({ name }) => name === "vmfa_console");
    const { httpOnly, sameSite, path, session } = cookie;
    assert.deepEqual(
      { httpOnly, sameSite, path, session },
      { httpOnly: true, sameSite: "Strict", path: "/console", session: true },
    );
  });

  await step("a link on another site leads to the session that is open", async () => {
    const elsewhere = new URL(server.endpoint);
    elsewhere.hostname = "localhost";
    await browser.page.goto(`${elsewhere}healthz`);
    const arrived = browser.page.waitForSelector('[data-testid="user-arn"]');
    await browser.page.evaluate((to) => location.assign(to), `${server.endpoint}/console`);
    await arrived;
    browser.strays.length = 0;
  });

  await step("the security credentials show a user without MFA", async () => {
    await browser.press("nav-security");
    assert.equal(await browser.text("user-arn"), `arn:aws:iam::123456789012:user/${USER}`);
    assert.ok(await browser.has("mfa-none"));
    const { User } = await iam.send(new GetUserCommand({ UserName: USER }));
    assert.equal(Date.parse(await browser.text("password-last-used")), User.PasswordLastUsed.getTime());
    await browser.inspect("security");
  });

  await step("a cancelled wizard leaves an unassigned device", async () => {
    await browser.press("assign-mfa-device");
    await browser.inspect("assign");
    await browser.fill("Device name", USER);
    await browser.press("assign-next");
    assert.equal(await browser.path(), "/console/mfa/register");
    await browser.inspect("register");
    await browser.press("register-cancel");
    assert.match(await browser.text("notice"), /Cancelled/);
    assert.equal(await browser.text("unassigned-device-serial"), SERIAL);
    assert.ok(await browser.has("mfa-none"));
    await browser.inspect("security-orphan");
    const unassigned = await iam.send(new ListVirtualMFADevicesCommand({ AssignmentStatus: "Unassigned" }));
    assert.deepEqual(
      unassigned.VirtualMFADevices.map(({ SerialNumber }) => SerialNumber),
      [SERIAL],
    );
  });

  await step("the name is taken then, and the user may not delete the device", async () => {
    await browser.press("assign-mfa-device");
    await browser.fill("Device name", USER);
    await browser.press("assign-next");
    assert.equal(await browser.text("error-code"), "EntityAlreadyExists");
    assert.match(await browser.text("error-why"), /delete-virtual-mfa-device/);
    await browser.inspect("assign-taken");
    await browser.press("assign-cancel");
    assert.equal(await browser.has("unassigned-device-delete"), false, "what is denied isn't offered");
    await browser.open(`/console/mfa/delete?serial=${encodeURIComponent(SERIAL)}`);
    await browser.press("remove-submit");
    assert.equal(await browser.text("error-code"), "AccessDenied");
    assert.match(await browser.text("error-message"), /iam:DeleteVirtualMFADevice/);
    await browser.inspect("delete-denied");
  });

  await step("the administrator deletes it, and the wizard begins again", async () => {
    await iam.send(new DeleteVirtualMFADeviceCommand({ SerialNumber: SERIAL }));
    await browser.open("/console/mfa/assign");
    await browser.fill("Device name", USER);
    await browser.press("assign-next");
    device = new Device(await browser.picture());
  });

  await step("the QR code as it is drawn and the secret key say the same", async () => {
    const drawn = await (await browser.find("qr-code")).screenshot();
    const now = await server.now();
    assert.deepEqual(new Device(drawn).pair(now), device.pair(now));
    const isShown = async () => (await browser.find("secret-key")).evaluate((node) => node.checkVisibility());
    assert.equal(await isShown(), false);
    await (await browser.find("show-secret-key")).click();
    assert.equal(await isShown(), true);
    assert.match(await browser.text("secret-key"), /^[A-Z2-7]{64}$/);
    assert.deepEqual(new Device(await browser.text("secret-key")).pair(now), device.pair(now));
  });

  await step("codes that are wrong are refused with the API's message and the reason", async () => {
    const [one, two] = device.pair(await server.now());
    await browser.givePair([two, one], "register-submit");
    assert.equal(await browser.text("error-message"), "Authentication code for device is not valid.");
    assert.ok((await browser.text("error-why")).length > 20);
    assert.ok(await browser.has("qr-code"));
    await browser.inspect("register-refused");
  });

  await step("two consecutive codes assign the device", async () => {
    await browser.givePair(device.pair(await server.now()), "register-submit");
    assert.equal(await browser.path(), "/console/security");
    assert.equal(await browser.text("mfa-device-serial"), SERIAL);
    await browser.inspect("security-device");
    const { MFADevices } = await iam.send(new ListMFADevicesCommand({ UserName: USER }));
    assert.deepEqual(
      MFADevices.map(({ SerialNumber }) => SerialNumber),
      [SERIAL],
    );
    await server.advance("40s");
  });

  await step("without MFA the device can't be removed", async () => {
    assert.equal(await browser.has("mfa-device-remove"), false, "what is denied isn't offered");
    await browser.open(`/console/mfa/remove?serial=${encodeURIComponent(SERIAL)}`);
    await browser.inspect("remove");
    await browser.press("remove-submit");
    assert.equal(await browser.text("error-code"), "AccessDenied");
    await browser.inspect("remove-denied");
    await browser.open("/console/mfa/remove?serial=arn:aws:iam::123456789012:mfa/none");
    assert.equal(await browser.text("heading"), "No such device");
    await browser.inspect("no-such-device");
  });

  await step("signing out ends the session, and the next sign-in wants a code", async () => {
    await browser.press("sign-out");
    assert.equal(await browser.path(), "/console/sign-in");
    await browser.open("/console/security");
    assert.equal(await browser.path(), "/console/sign-in");
    await browser.signIn(USER, PASSWORD);
    assert.equal(await browser.path(), "/console/sign-in/mfa");
    assert.equal(await browser.text("mfa-device-name"), USER);
    await browser.inspect("code");
    await browser.giveCode(device.code(await server.now()));
    assert.equal(await browser.path(), "/console");
    assert.equal(await browser.text("signed-in-as"), `${USER} (with MFA)`);
    await browser.inspect("home-mfa");
  });

  await step("the same code isn't taken twice", async () => {
    await browser.press("sign-out");
    await browser.signIn(USER, PASSWORD);
    await browser.giveCode(device.code(await server.now()));
    assert.match(await browser.text("error-message"), /invalid MFA one time pass code/);
    assert.match(await browser.text("error-why"), /used/);
    await browser.inspect("code-refused");
    await server.advance("30s");
    await browser.giveCode(device.code(await server.now()));
    assert.equal(await browser.path(), "/console");
  });

  await step("a device out of sync is refused", async () => {
    await browser.press("sign-out");
    await server.advance("3m");
    device.ahead = 600;
    await browser.signIn(USER, PASSWORD);
    await browser.giveCode(device.code(await server.now()));
    assert.match(await browser.text("error-message"), /invalid MFA one time pass code/);
  });

  await step("two of its codes bring it back, from a session that is still open", async () => {
    // The clock was right when this session began; meanwhile it went wrong.
    device.ahead = 0;
    await browser.giveCode(device.code(await server.now()));
    assert.equal(await browser.path(), "/console");
    device.ahead = 600;
    await browser.press("security-link");
    await browser.press("mfa-device-resync");
    await browser.inspect("resync");
    await browser.givePair(["000000", "000001"], "resync-submit");
    assert.equal(await browser.text("error-code"), "InvalidAuthenticationCode");
    await browser.inspect("resync-refused");
    await browser.givePair(device.pair(await server.now()), "resync-submit");
    assert.match(await browser.text("notice"), /in sync/);
    await server.advance("3m");
    await browser.press("sign-out");
    await browser.signIn(USER, PASSWORD);
    await browser.giveCode(device.code(await server.now()));
    assert.equal(await browser.text("signed-in-as"), `${USER} (with MFA)`);
  });

  await step("with MFA the device is removed, after a question", async () => {
    await browser.open("/console/security");
    await browser.press("mfa-device-remove");
    await browser.press("remove-submit");
    assert.match(await browser.text("notice"), /removed/);
    assert.ok(await browser.has("mfa-none"));
    assert.equal(await browser.has("unassigned-device-row"), false);
    const { VirtualMFADevices } = await iam.send(new ListVirtualMFADevicesCommand({}));
    assert.deepEqual(VirtualMFADevices, []);
  });

  await step("a password that must be changed is asked for first", async () => {
    await browser.press("sign-out");
    await iam.send(new UpdateLoginProfileCommand({ UserName: USER, PasswordResetRequired: true }));
    await browser.signIn(USER, PASSWORD);
    assert.equal(await browser.path(), "/console/sign-in/password");
    await browser.inspect("password");
    const password = "Another-password-2";
    for (const [label, text] of [
      ["Current password", PASSWORD],
      ["New password", password],
      ["New password once more", password],
    ]) {
      await browser.fill(label, text);
    }
    await browser.press("password-submit");
    assert.match(await browser.text("error-message"), /iam:ChangePassword/);
    await browser.inspect("password-denied");
  });

  await step("an operator makes an access key, switches it off and deletes it", async () => {
    await browser.press("sign-out");
    await iam.send(new CreateUserCommand({ UserName: OPERATOR }));
    await iam.send(new CreateLoginProfileCommand({ UserName: OPERATOR, Password: PASSWORD }));
    const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
    await iam.send(new AttachUserPolicyCommand({ UserName: OPERATOR, PolicyArn }));
    await browser.signIn(OPERATOR, PASSWORD);
    await browser.press("nav-security");
    await browser.press("access-keys-link");
    await browser.press("create-access-key");
    assert.match(await browser.text("new-secret-access-key"), /^.{40}$/);
    await browser.inspect("keys-new");
    await browser.press("access-key-deactivate");
    assert.equal(await browser.text("access-key-status"), "Inactive");
    await browser.inspect("keys-inactive");
    await browser.press("access-key-delete");
    assert.ok(await browser.has("access-keys-none"));
  });

  await step("of several devices the sign-in takes the one that is chosen", async () => {
    const assign = async (name) => {
      await browser.open("/console/mfa/assign");
      await browser.fill("Device name", name);
      await browser.press("assign-next");
      const made = new Device(await browser.picture());
      await browser.givePair(made.pair(await server.now()), "register-submit");
      await server.advance("1m");
      return made;
    };
    const phone = await assign("phone");
    await browser.press("sign-out");
    await browser.signIn(OPERATOR, PASSWORD);
    await browser.giveCode(phone.code(await server.now()));
    const spare = await assign("spare+key@home");
    await browser.inspect("security-two-devices");
    await browser.press("sign-out");
    await browser.signIn(OPERATOR, PASSWORD);
    await browser.inspect("code-two-devices");
    const device = await browser.find("device-input");
    await device.select("arn:aws:iam::123456789012:mfa/spare+key@home");
    await browser.giveCode(spare.code(await server.now()));
    assert.equal(await browser.text("signed-in-as"), `${OPERATOR} (with MFA)`);
  });

  await step("one's own password is changed", async () => {
    const password = "Another-password-2";
    await browser.open("/console/password");
    await browser.fill("Current password", PASSWORD);
    await browser.fill("New password", password);
    await browser.fill("New password once more", password);
    await browser.press("password-submit");
    assert.match(await browser.text("notice"), /password was changed/);
    await browser.press("sign-out");
    await browser.signIn(OPERATOR, PASSWORD);
    assert.ok(await browser.has("error"));
  });

  await step("the events tell all of it", async () => {
    const events = await server.events();
    const told = (service, action, outcome) =>
      events.some((event) => event.service === service && event.action === action && event.outcome === outcome);
    assert.ok(told("console", "ConsoleLogin", "refused") && told("console", "ConsoleLogin", "accepted"));
    assert.ok(told("console", "CheckMfa", "refused") && told("console", "CheckMfa", "accepted"));
    assert.ok(told("iam", "EnableMFADevice", "refused") && told("iam", "EnableMFADevice", "accepted"));
    assert.ok(events.some(({ why }) => why?.startsWith("in the console")));
    assert.ok(browser.seen > 100, `${browser.seen} controls were looked at`);
  });
} finally {
  await browser?.stop();
  await server.stop();
}
process.exitCode = finish();
