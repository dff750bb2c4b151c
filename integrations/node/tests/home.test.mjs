// Homes, devices and codes.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import * as vmfa from "vmfa";

import { gone, place, run, seed } from "./support.mjs";

const { Home, InputError, NoSuchDevice, NotYet, UsageError, VmfaError, binary } = vmfa;
const home = await Home.open();
const scratch = mkdtempSync(join(tmpdir(), "vmfa-test-"));
const other = (letter) => seed.slice(0, -1) + letter;
after(() => {
  home.close();
  rmSync(scratch, { recursive: true });
});

test("a code is a string that knows what it was made of", async () => {
  const device = await home.add("one", `otpauth://totp/Example:me?secret=${seed}`);
  assert.deepEqual([device.name, device.issuer, device.account, device.period], ["one", "Example", "me", 30]);
  const code = await device.code({ window: true });
  assert.match(`${code}`, /^\d{6}$/);
  assert.equal(code.digits, String(code));
  assert.equal(JSON.stringify({ code }), `{"code":"${code.digits}"}`);
  assert.equal(code.device, "one");
  assert.equal(code.validUntil.getTime(), (code.step + 1) * 30_000);
  assert.equal(code.validUntil - code.validFrom, 30_000);
  assert.equal(code.repeated, false);
});

test("a fresh code is given once, in whatever process", async () => {
  await home.add("many", `otpauth://totp/many?secret=${other("A")}`);
  const codes = await Promise.all([1, 2, 3].map(() => home.code("many", { window: 5, timeout: "0s" })));
  assert.equal(new Set(codes.map((code) => code.step)).size, 3);
  await home.add("slow", `otpauth://totp/slow?secret=${other("B")}&period=80000`);
  await home.code("slow");
  await assert.rejects(home.code("slow", { timeout: "0s" }), (error) => {
    assert.match(error.message, /timeout waits longer/);
    assert.doesNotMatch(error.message, /--/);
    assert.ok(error instanceof NotYet && error instanceof vmfa.Refused && error instanceof VmfaError);
    assert.ok(error.waitSeconds > 0 && error.availableAt instanceof Date);
    return true;
  });
  assert.equal((await home.code("slow", { fresh: false })).repeated, true);
});

test("a code that would expire is not given", async () => {
  await home.add("long", `otpauth://totp/long?secret=${other("C")}&period=80000`);
  await assert.rejects(home.code("long", { minValidity: "1d", timeout: "0s" }), (error) => error instanceof VmfaError);
});

test("a path that is not there is told", async () => {
  for (const path of ["qr.png", "pictures/qr.png"]) {
    await assert.rejects(home.add("x", path), (error) => error instanceof InputError && error.message.includes(`no file \`${path}\``));
  }
  await assert.rejects(home.add("x", "not a secret!"), (error) => !error.message.startsWith("stdin"));
});

test("a pool gives a code of whichever device has one", async () => {
  await home.add("ci/1", `otpauth://totp/1?secret=${other("D")}&period=80000`);
  await home.add("ci/2", `otpauth://totp/2?secret=${other("E")}&period=80000`);
  const codes = [await home.code("ci/*"), await home.code("ci/*")];
  assert.deepEqual(codes.map((code) => code.device).sort(), ["ci/1", "ci/2"]);
});

test("a pair enables a device, and verify judges as the service does", async () => {
  const device = await home.add("pair", seed.replaceAll("G", "H"));
  const [one, two] = await device.pair();
  assert.equal(two.step, one.step + 1);
  assert.equal((await device.verify([one, two])).accepted, true);
  const again = await device.verify([one, two]);
  assert.deepEqual([again.accepted, typeof again.reason, typeof again.message], [false, "string", "string"]);
  assert.equal((await home.verify("pair", two, { remember: false })).accepted, false);
});

test("sources are a path, a picture, a URI, text, and what IAM answers", async () => {
  const uri = `otpauth://totp/Example:picture?secret=${seed}`;
  const picture = join(scratch, "qr.png");
  execFileSync("qrencode", ["-o", picture, uri]);
  assert.equal((await home.add("path", picture)).account, "picture");
  const bytes = readFileSync(picture);
  assert.equal((await home.add("bytes", bytes)).account, "picture");
  assert.deepEqual(bytes, readFileSync(picture), "the caller's picture is left alone");
  const answer = { SerialNumber: "arn:aws:iam::123456789012:mfa/x", Base32StringSeed: Buffer.from(seed), QRCodePNG: Buffer.alloc(3) };
  assert.equal((await home.add("sdk", { VirtualMFADevice: answer, $metadata: {} })).serialNumber, answer.SerialNumber);
  const cli = { ...answer, Base32StringSeed: Buffer.from(seed).toString("base64"), QRCodePNG: undefined };
  assert.equal((await home.add("cli", cli)).serialNumber, answer.SerialNumber);
  const codes = await Promise.all(["sdk", "cli", "path"].map((name) => home.code(name, { fresh: false })));
  assert.equal(new Set(codes.map(String)).size, 1);
  await assert.rejects(home.add("bad", Buffer.from("\x89PNG\r\n\x1a\nnothing")), InputError);
});

test("no secret is an argument of any program", async () => {
  const spy = join(scratch, "spy");
  writeFileSync(spy, `#!/bin/sh\nprintf '%s\\n' "$@" >>${scratch}/arguments\nexec ${binary()} "$@"\n`, { mode: 0o755 });
  const before = process.env.VMFA_BINARY;
  process.env.VMFA_BINARY = spy;
  try {
    const code = await (await home.add("spied", seed)).code({ window: true });
    await home.verify("spied", code);
    const said = readFileSync(join(scratch, "arguments"), "utf8");
    assert.ok(said.includes("spied") && !said.includes(seed) && !said.includes(code.digits));
  } finally {
    if (before === undefined) delete process.env.VMFA_BINARY;
    else process.env.VMFA_BINARY = before;
  }
});

test("errors have a kind and hints", async () => {
  await assert.rejects(home.device("on"), (error) => {
    assert.ok(error instanceof NoSuchDevice);
    assert.deepEqual([error.name, error.kind, error.exitCode], ["NoSuchDevice", "no-such-device", 1]);
    assert.match(error.hints.join(), /did you mean `one`/);
    assert.ok(error.message.startsWith("no device is named `on`\nhint: "));
    return true;
  });
  await assert.rejects(home.code("one", { timeout: 45 }), UsageError);
  await assert.rejects(home.code("one", { timeout: "soon" }), UsageError);
  const path = process.env.VMFA_BINARY;
  process.env.VMFA_BINARY = scratch;
  await assert.rejects(home.devices(), vmfa.BinaryNotFound);
  process.env.VMFA_BINARY = path;
});

test("devices are listed, replaced and removed", async () => {
  const device = await home.add("replaced", seed);
  await assert.rejects(home.add("replaced", seed), (error) => error.kind === "name-taken");
  await home.add("replaced", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", { replace: true });
  assert.ok((await home.devices()).some(({ name }) => name === "replaced"));
  await device.remove();
  await assert.rejects(device.code(), NoSuchDevice);
});

test("a temporary home goes, one with a path stays and is shared", async () => {
  const temporary = await Home.open();
  assert.ok(existsSync(temporary.path));
  await temporary[Symbol.asyncDispose]();
  assert.ok(!existsSync(temporary.path));
  const path = join(scratch, "shared");
  const homes = await Promise.all([1, 2, 3].map(() => Home.open({ path })));
  await homes[0].add("x", seed);
  homes[0].close();
  assert.deepEqual((await homes[2].devices()).map(({ name }) => name), ["x"]);
});

test("several processes set something up once", async () => {
  const path = join(scratch, "once");
  await Home.open({ path });
  const script = `
    const { Home } = require("vmfa");
    Home.open({ path: ${JSON.stringify(path)} }).then(async (home) => {
      console.log(await home.once("pool", () => home.add("x", "${seed}")), (await home.devices()).length);
    });`;
  const done = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, ["-e", script])));
  assert.deepEqual(done.map(({ out }) => out.trim()).sort(), ["false 1", "false 1", "false 1", "true 1"]);
  const other = await Home.open({ path });
  await assert.rejects(other.once("fails", () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await other.once("fails", async () => {}), true);
});

test("a lock whose owner was killed is free", async () => {
  const path = join(scratch, "killed");
  await Home.open({ path });
  const script = `
    const { Home } = require("vmfa");
    const wait = () => new Promise(() => setInterval(() => {}, 1000));
    Home.open({ path: ${JSON.stringify(path)} }).then((home) => home.once("x", () => (console.log("mine"), wait())));`;
  const child = spawn(process.execPath, ["-e", script], { cwd: place("") });
  await new Promise((tell) => child.stdout.once("data", tell));
  child.kill("SIGKILL");
  assert.equal(await (await Home.open({ path })).once("x", async () => {}), true);
});

for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"]) {
  test(`a program that is ended by ${signal} waits for no code, and leaves no home`, async () => {
    const script = `
      const { Home } = require("vmfa");
      (async () => {
        const home = await Home.open();
        await home.add("x", "otpauth://totp/x?secret=${seed}&period=80000");
        await home.code("x");
        console.log(home.path);
        await home.code("x", { timeout: "1d" });
      })();`;
    const child = spawn(process.execPath, ["-e", script], { cwd: place("") });
    const path = String(await new Promise((tell) => child.stdout.once("data", tell))).trim();
    const waiting = await until(() => children(child.pid).find((pid) => arguments_(pid).includes("--fresh")));
    child.kill(signal);
    assert.ok(await gone(child.pid));
    assert.ok(await gone(waiting));
    // Nobody can delete anything when killed: the next process that makes a home does.
    if (signal === "SIGKILL") (await Home.open()).close();
    assert.ok(!existsSync(path));
  });
}

const arguments_ = (pid) => (existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "");
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

async function until(find) {
  for (;;) {
    const found = find();
    if (found) return found;
    await new Promise((next) => setImmediate(next));
  }
}

test("the package is found by import and by require, and is the same", () => {
  assert.equal(createRequire(import.meta.url)("vmfa").Home, Home);
});

test("npx runs the program", async () => {
  const done = await run(process.execPath, ["dist/cli.js", "--version"]);
  assert.match(done.out, /^vmfa \d/);
  assert.equal((await run(process.execPath, ["dist/cli.js", "nonsense"])).exitCode, 2);
});
