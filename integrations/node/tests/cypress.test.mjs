// The tasks for Cypress, called as it calls them: by name, with one value, and with answers that JSON can carry.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, test } from "node:test";

import { register } from "vmfa/cypress";

import { seed } from "./support.mjs";

const handlers = {};
register((event, handler) => (handlers[event] = handler));
const task = async (name, value) => {
  const answer = await handlers.task[name](value === undefined ? null : value);
  assert.notEqual(answer, undefined, "Cypress takes that for a task that isn't there");
  return JSON.parse(JSON.stringify(answer));
};
after(() => handlers["after:run"]());

test("a test adds a device, and takes codes", async () => {
  assert.equal((await task("vmfa:add", { name: "me", source: seed })).name, "me");
  const code = await task("vmfa:code", { name: "me", window: true });
  assert.match(code.code, /^\d{6}$/);
  assert.equal(code.device, "me");
  assert.equal(Date.parse(code.validUntil), (code.step + 1) * 30_000);
  assert.equal(await task("vmfa:remove", "me"), null);
  await assert.rejects(task("vmfa:code", "me"), /no device is named `me`/);
});

test("a picture comes as a data URL", async () => {
  const picture = execFileSync("qrencode", ["-o", "-", `otpauth://totp/Example:you?secret=${seed.replaceAll("G", "H")}`]).toString("base64");
  assert.equal((await task("vmfa:enrol", { name: "you", picture: `data:image/png;base64,${picture}` })).account, "you");
  const [one, two] = await task("vmfa:pair", "you");
  assert.equal(two.step, one.step + 1);
});

test("the stand-in starts when it is asked for", async () => {
  const { endpoint, consoleUrl, env } = await task("vmfa:server");
  assert.equal(consoleUrl, `${endpoint}/console`);
  assert.equal(env.AWS_ENDPOINT_URL, endpoint);
  const device = await task("vmfa:enable", { name: "administrator" });
  assert.match(device.serialNumber, /:mfa\/administrator$/);
  assert.match((await task("vmfa:code", "administrator")).code, /^\d{6}$/);
  assert.match(await task("vmfa:advance", "30s"), /Z$/);
  assert.ok((await task("vmfa:events")).some(({ action }) => action === "EnableMFADevice"));
});
