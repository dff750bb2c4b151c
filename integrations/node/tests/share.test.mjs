// A server of `vmfa share`, and the package as its client.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

import { Home, InputError, NoSuchDevice, NotYet, Refused, ServerError, Share, UsageError, binary, serve } from "vmfa";

import { gone, newToken, place, seed, sharing } from "./support.mjs";

for (const name of ["VMFA_URL", "VMFA_TOKEN", "VMFA_TOKEN_FILE", "VMFA_CA_BUNDLE"]) delete process.env[name];

const scratch = mkdtempSync(join(tmpdir(), "vmfa-test-"));
const ending = [() => rmSync(scratch, { recursive: true })];
after(async () => {
  for (const end of ending.reverse()) await end();
});

const server = await serve();
ending.push(() => server.close());
await server.setTime(new Date(Math.ceil((await server.now()) / 1000 + 1) * 1000));

/** A home with devices of different secrets. */
async function withDevices(...names) {
  const home = await Home.open();
  ending.push(() => home.close());
  for (const [index, name] of names.entries()) {
    const secret = seed.slice(0, -1) + "ABCD"[index];
    await home.add(name, `otpauth://totp/Example:${name}?secret=${secret}&issuer=Example${name.endsWith("hour") ? "&period=3600" : ""}`);
  }
  return home;
}

/** A server of its own for a test. */
async function started(home, ...options) {
  const service = await sharing(home, ...options);
  ending.push(() => service.close());
  return { ...service, share: new Share(service) };
}

const kind = (name, type) => (error) => error instanceof type && error.kind === name;

test("a code is what a home gives", async () => {
  const home = await withDevices("ci/1", "ci/2", "ci/3", "prod/1");
  const { share } = await started(home, "--clock", server.endpoint);
  const code = await share.code("ci/1");
  home.clock = server.endpoint;
  const same = await home.code("ci/1", { fresh: false });
  for (const key of ["digits", "device", "step", "counter", "validFrom", "validUntil"]) assert.deepEqual(code[key], same[key], key);
  assert.equal(code.repeated, false);
  assert.match(code.claim, /^[0-9a-f]{16}$/);
  await assert.rejects(share.code("ci/1", { timeout: "0s" }), (error) => {
    assert.ok(error instanceof NotYet);
    assert.deepEqual([error.kind, error.exitCode, error.availableAt], ["no-free-step", 1, code.validUntil]);
    assert.doesNotMatch(error.message, /--/);
    return true;
  });
  // What one process was given, no other is: not here, not there.
  await assert.rejects(home.code("ci/1"), NotYet);
  assert.notEqual((await share.code("ci/1", { window: true, timeout: "0s" })).step, code.step);
  assert.notEqual((await share.code("ci/1", { window: true })).step, code.step);
  const codes = await Promise.all([1, 2].map(() => share.code("ci/*", { timeout: "0s" })));
  assert.deepEqual(codes.map(({ device }) => device).sort(), ["ci/2", "ci/3"]);
  await assert.rejects(share.code("ci/1", { minValidity: "31s" }), Refused);
  await assert.rejects(share.code("ci/1", { timeout: 45 }), UsageError);
});

test("time is moved for those who wait, and each gets a code of their own", async () => {
  const time = await serve({ time: "virtual=2030-01-01T00:00:27Z" });
  ending.push(() => time.close());
  const { share } = await started(await withDevices("ci/1"), "--clock", time.endpoint, "--jump");
  const code = await share.code("ci/1", { minValidity: "5s" });
  assert.equal(code.validFrom.toISOString(), "2030-01-01T00:00:30.000Z");
  const codes = await Promise.all([1, 2, 3, 4].map(() => share.code("ci/1")));
  assert.equal(new Set([code, ...codes].map(({ step }) => step)).size, 5);
});

test("a pair is two consecutive codes, and what was not used is given back by its claim", async () => {
  const { share } = await started(await withDevices("ci/1", "ci/2"), "--clock", server.endpoint);
  const code = await share.code("ci/1");
  await share.release(code);
  assert.deepEqual((await share.code("ci/1", { timeout: "0s" })).digits, code.digits);
  await assert.rejects(share.release(code), kind("not-handed-out", Refused));
  const pair = await share.pair("ci/2");
  assert.equal(pair[1].step, pair[0].step + 1);
  await assert.rejects(share.pair("ci/2"), kind("no-pair-yet", NotYet));
  await assert.rejects(share.pair("ci/2", { wait: true, timeout: "1s" }), NotYet);
  await share.release(pair);
  assert.deepEqual((await share.pair("ci/2")).map(({ step }) => step), pair.map(({ step }) => step));
  await assert.rejects(share.release([code, pair[0]]), /no claim/);
});

test("what has no claim is not given back", async () => {
  const home = await withDevices();
  await home.add("ci/counter", `otpauth://hotp/x?secret=${seed}&counter=1`);
  const { share } = await started(home);
  const code = await share.code("ci/counter");
  assert.deepEqual([code.digits, code.counter, code.claim], ["287082", 1, null]);
  for (const other of [code, "123456", []]) await assert.rejects(share.release(other), UsageError);
});

test("devices are those of the access token", async () => {
  const { share } = await started(await withDevices("ci/1", "ci/2", "prod/1"));
  const devices = await share.devices();
  assert.deepEqual(devices.map(({ name }) => name), ["ci/1", "ci/2"]);
  const known = { name: "ci/1", issuer: "Example", account: "ci/1", type: "totp", algorithm: "SHA1", digits: 6, period: 30, serialNumber: null };
  assert.deepEqual(devices[0], known);
  assert.equal((await share.code(devices[1])).device, "ci/2");
  for (const name of ["prod/1", "ci/9", "other/*", "--help"]) {
    await assert.rejects(share.code(name, { timeout: "0s" }), (error) => {
      assert.ok(error instanceof NoSuchDevice);
      assert.match(error.message, /^[^\n]+\nhint: Share\.devices\(\) lists [^\n]+$/);
      return true;
    });
  }
  await assert.rejects(share.code(seed), kind("secret-in-argv", UsageError));
});

test("settings come from the environment", async () => {
  const home = await withDevices("ci/1", "prod/1");
  const { url } = await started(home);
  const path = join(scratch, "token");
  const set = (values) => Object.assign(process.env, values);
  try {
    assert.throws(() => new Share(), /no server is named/);
    set({ VMFA_URL: url });
    assert.throws(() => new Share(), /no access token/);
    assert.throws(() => new Share({ token: "" }), /no access token/);
    set({ VMFA_TOKEN: "", VMFA_TOKEN_FILE: path, VMFA_CLOCK: "+1d", VMFA_VAULT: "keyring" });
    const share = new Share();
    await assert.rejects(share.devices(), kind("file", InputError));
    writeFileSync(path, `${newToken(home, "other", "prod/*")}\n`);
    // The server reads new tokens some milliseconds later.
    await until(() => share.devices().then(
      ([device]) => device.name === "prod/1",
      () => false,
    ));
    assert.equal((await share.code("prod/1", { window: true })).device, "prod/1");
    const other = await Home.open();
    assert.deepEqual(await other.devices(), []);
    other.close();
  } finally {
    for (const name of ["VMFA_URL", "VMFA_TOKEN", "VMFA_TOKEN_FILE", "VMFA_CLOCK", "VMFA_VAULT"]) delete process.env[name];
  }
});

test("errors are told apart", async () => {
  const { url, share: known } = await started(await withDevices("ci/1"), "--rate", "1");
  const nobody = createServer().listen(0, "127.0.0.1");
  await new Promise((tell) => nobody.once("listening", tell));
  const closed = `http://127.0.0.1:${nobody.address().port}`;
  await new Promise((tell) => nobody.close(tell));
  const token = `vmfa_${"A".repeat(43)}`;
  for (const [name, type, options] of [
    ["unauthorized", ServerError, { url }],
    ["server-unreachable", ServerError, { url: closed }],
    ["server-answer", ServerError, { url: server.endpoint }],
    ["usage", UsageError, { url: "ftp://127.0.0.1" }],
    ["file", InputError, { url, caBundle: join(scratch, "none.pem") }],
  ]) {
    await assert.rejects(new Share({ token, ...options }).code("ci/1"), (error) => {
      assert.ok(error instanceof type && !error.stack.includes(token), error);
      assert.equal(error.kind, name);
      return true;
    });
  }
  const kinds = await Promise.all(Array.from({ length: 20 }, () => known.devices().then(() => "", (error) => error.kind)));
  assert.deepEqual([...new Set(kinds)].sort(), ["", "rate-limit"]);
});

test("a server that ends tells those who wait", async () => {
  const service = await started(await withDevices("ci/hour"));
  await service.share.code("ci/hour");
  const waiting = assert.rejects(service.share.code("ci/hour", { timeout: "1h" }), kind("server-ends", ServerError));
  await until(async () => (await waits(service)) === 1);
  service.child.kill("SIGTERM");
  await waiting;
});

test("a program that is killed waits for no code", async () => {
  const service = await started(await withDevices("ci/hour"));
  await service.share.code("ci/hour");
  const script = `const { Share } = require("vmfa"); new Share().code("ci/hour", { timeout: "1h" });`;
  const env = { ...process.env, VMFA_URL: service.url, VMFA_TOKEN: service.token };
  const child = spawn(process.execPath, ["-e", script], { cwd: place(""), env, stdio: "ignore" });
  await until(async () => (await waits(service)) === 1);
  child.kill("SIGKILL");
  assert.ok(await gone(child.pid));
  await until(async () => (await waits(service)) === 0);
});

test("over TLS, with a certificate that is trusted", async () => {
  const [certificate, key] = ["cert.pem", "key.pem"].map((name) => join(scratch, name));
  const make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost".split(" ");
  const names = ["-addext", "basicConstraints=CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...make, ...names, "-keyout", key, "-out", certificate], { stdio: "ignore" });
  const { url, token, share } = await started(await withDevices("ci/1"), "--tls-cert", certificate, "--tls-key", key);
  assert.match(url, /^https:/);
  assert.match((await new Share({ url, token, caBundle: certificate }).code("ci/1")).digits, /^\d{6}$/);
  await assert.rejects(share.code("ci/1"), kind("server-unreachable", ServerError));
});

test("the access token is no argument, and is shown by nothing", async () => {
  const { url, token, share } = await started(await withDevices("ci/1"));
  const spy = join(scratch, "spy");
  writeFileSync(spy, `#!/bin/sh\nprintf '%s\\n' "$@" >>${scratch}/arguments\nexec ${binary()} "$@"\n`, { mode: 0o755 });
  const before = process.env.VMFA_BINARY;
  process.env.VMFA_BINARY = spy;
  try {
    await share.code("ci/1");
    const error = await share.pair("prod/1").catch((error) => error);
    const said = readFileSync(join(scratch, "arguments"), "utf8");
    const shown = [said, inspect(error, { depth: 9 }), inspect(share, { depth: 9, showHidden: true }), JSON.stringify(share), String(share)];
    assert.ok(said.includes("--fresh") && shown[2].includes(url));
    assert.ok(shown.every((text) => !text.includes(token)));
  } finally {
    if (before === undefined) delete process.env.VMFA_BINARY;
    else process.env.VMFA_BINARY = before;
  }
});

test("the class is found by import and by require, and is the same", () => {
  assert.equal(createRequire(import.meta.url)("vmfa").Share, Share);
});

/** How many requests a server hasn't answered yet. */
async function waits({ url, token }) {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  return Number(/^vmfa_requests_in_progress (\d+)$/m.exec(await answer.text())[1]);
}

async function until(met) {
  const end = performance.now() + 20_000;
  while (!(await met())) {
    assert.ok(performance.now() < end, "it doesn't come to be");
    await sleep(20);
  }
}
