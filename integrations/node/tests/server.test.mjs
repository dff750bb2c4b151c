// The stand-in, and that nothing of it is left behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { IAM } from "@aws-sdk/client-iam";
import { STS } from "@aws-sdk/client-sts";
import { Home, InputError, ServerError, UsageError, serve } from "vmfa";

import { gone, place, run, seed } from "./support.mjs";

const server = await serve();
const home = await Home.open({ clock: server });
const scratch = mkdtempSync(join(tmpdir(), "vmfa-test-"));
after(async () => {
  await server.close();
  home.close();
  rmSync(scratch, { recursive: true });
});

test("the AWS SDK works with it, and events tell why", async () => {
  const iam = new IAM(server.config());
  await iam.createUser({ UserName: "alice" });
  const device = await home.enable("alice", server, { user: "alice" });
  assert.equal(device.serialNumber, `arn:aws:iam::${server.account}:mfa/alice`);
  const { AccessKey } = await iam.createAccessKey({ UserName: "alice" });
  const sts = new STS(server.config(AccessKey));
  const given = { SerialNumber: device.serialNumber, TokenCode: await device.code() };
  const { Credentials } = await sts.getSessionToken(given);
  assert.match((await new STS(server.config(Credentials)).getCallerIdentity({})).Arn, /user\/alice$/);
  const before = await server.count();
  await assert.rejects(sts.getSessionToken(given), /MultiFactorAuthentication failed/);
  const [event] = await server.events(before);
  assert.deepEqual([event.action, event.outcome, event.code], ["GetSessionToken", "refused", "AccessDenied"]);
  assert.match(event.why, /has been used/);
  await home.disable("alice", server, { user: "alice" });
  assert.deepEqual((await iam.listMFADevices({ UserName: "alice" })).MFADevices, []);
});

test("virtual time stands until it is moved", async () => {
  const now = await server.now();
  assert.equal((await server.advance("30s")) - now, 30_000);
  assert.equal((await server.now()) - now, 30_000);
  const later = new Date("2100-01-01T00:00:00Z");
  assert.deepEqual(await server.setTime(later), later);
  await assert.rejects(server.setTime(now), (error) => error instanceof ServerError && error.kind === "backwards");
  await server.reach(now);
  assert.deepEqual(await server.now(), later);
});

test("real time is not moved", async () => {
  const real = await serve({ time: "real" });
  await assert.rejects(real.advance("30s"), UsageError);
  await real.close();
});

test("a scenario has users with keys", async () => {
  const scenario = join(scratch, "scenario.toml");
  writeFileSync(scenario, `[[user]]\nname = "alice"\naccess_key = true\n[[user.device]]\nname = "alice"\nsecret = "${seed}"\n`);
  const other = await serve({ scenario, account: "210987654321" });
  assert.equal((await new STS(other.config("alice")).getCallerIdentity({})).Account, "210987654321");
  assert.equal(other.envOf("alice").AWS_ACCESS_KEY_ID, other.users.alice.accessKeyId);
  assert.throws(() => other.config("bob"), /administrator, alice/);
  await other.close();
  assert.equal(await other.isAlive(), false);
  writeFileSync(scenario, "[[user]]\nnam = 1\n");
  await assert.rejects(serve({ scenario }), (error) => error instanceof InputError && error.message.includes("scenario.toml"));
});

test("it ends where it is closed, and at the end of the program", async () => {
  const other = await serve();
  await other[Symbol.asyncDispose]();
  assert.ok(await gone(other.pid, 100));
  const done = await run(process.execPath, ["-e", 'require("vmfa").serve().then((server) => console.log(server.pid))']);
  assert.equal(done.exitCode, 0);
  assert.ok(await gone(Number(done.out)));
});

for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"]) {
  test(`a program that is ended by ${signal} leaves no stand-in behind`, async () => {
    const script = 'require("vmfa").serve().then((server) => console.log(server.pid)); setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, ["-e", script], { cwd: place("") });
    const pid = Number(await new Promise((tell) => child.stdout.once("data", tell)));
    child.kill(signal);
    assert.ok(await gone(pid));
  });
}
