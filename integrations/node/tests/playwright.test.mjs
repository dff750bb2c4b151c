// The fixtures, by suites that Playwright runs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";

import { gone, place, suite } from "./support.mjs";

const outcomes = (specs) => specs.map(({ title, ok }) => `${title}: ${ok}`).sort();
const attached = (spec, name) => {
  const found = spec.tests[0].results.at(-1).attachments.find((one) => one.name === name);
  return found && Buffer.from(found.body, "base64").toString();
};

test("all workers share one home and one stand-in, also after a test failed; both end with the run", async () => {
  const { specs, out } = await suite("plugin", ["--workers", "2"]);
  assert.deepEqual(
    outcomes(specs),
    ["devices of a test go with it: true", "fails: false", ...[1, 2, 3, 4].map((number) => `place ${number}: true`)],
    out,
  );
  const places = specs.filter(({ title }) => title.startsWith("place")).map((spec) => JSON.parse(attached(spec, "place")));
  assert.equal(new Set(places.map(({ home }) => home)).size, 1);
  assert.equal(new Set(places.map(({ server }) => server)).size, 1);
  assert.ok(await gone(places[0].server));
  assert.ok(await until(() => !existsSync(places[0].home)));
  const failed = specs.find(({ title }) => title === "fails");
  const said = attached(failed, "vmfa: what the stand-in answered");
  assert.match(said.split("\n")[0], /sts:GetSessionToken refused/);
  assert.match(said, /why: the code of step \d+ .*has been used/);
});

test("each worker has its own where that is wanted", async () => {
  const { specs, out } = await suite("plugin", ["--workers", "2", "-g", "place"], { VMFA_TEST_SCOPE: "worker" });
  assert.equal(specs.filter(({ ok }) => ok).length, 4, out);
  const places = specs.map((spec) => JSON.parse(attached(spec, "place")));
  const workers = new Set(places.map(({ worker }) => worker)).size;
  assert.equal(new Set(places.map(({ server }) => server)).size, workers);
  for (const { server, home } of places) {
    assert.ok(await gone(server));
    assert.ok(!existsSync(home));
  }
});

test("a run that is killed leaves nothing behind", async () => {
  const cli = place("node_modules/@playwright/test/cli.js");
  const env = { ...process.env, HANG: "1", SUITE: "plugin", REPORTER: "line" };
  const args = [cli, "test", "-c", place("tests/playwright.config.mjs"), "--workers", "2", "-g", "place"];
  const child = spawn(process.execPath, args, { cwd: place(""), env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const [, server, home] = await new Promise((tell, refuse) => {
    const listen = (part) => {
      said += part;
      const found = /^place (\d+) (.+)$/m.exec(said);
      if (found) tell(found);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("exit", () => refuse(new Error(said)));
  });
  child.kill("SIGKILL");
  assert.ok(await gone(Number(server)), "the stand-in goes on");
  assert.ok(await until(() => !existsSync(home)), "the home is still there");
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`vmfa-node-run-${child.pid}-`));
  assert.ok(await until(() => left().length === 0), "its directory is still there");
});

test("a worker that is killed holds up nobody, and leaves nothing behind", async () => {
  const { specs, out } = await suite("killed", ["--workers", "2"]);
  assert.deepEqual(outcomes(specs), [...[1, 2, 3, 4].map((number) => `goes on ${number}: true`), "is killed: false"], out);
  const places = specs.filter(({ ok }) => ok).map((spec) => JSON.parse(attached(spec, "place")));
  assert.equal(new Set(places.map(({ server }) => server)).size, 1);
  assert.ok(await gone(places[0].server), "the stand-in goes on");
  assert.ok(await until(() => !existsSync(places[0].home)), "the home is still there");
});

async function until(met) {
  const end = performance.now() + 2000;
  while (!met() && performance.now() < end) await new Promise((next) => setTimeout(next, 10));
  return met();
}

test("forty users register, sign in and resynchronize, by four workers at once", async () => {
  const { stats, out } = await suite("playwright", ["--workers", "4"]);
  assert.deepEqual([stats?.expected, stats?.unexpected, stats?.flaky], [40, 0, 0], out.slice(-20_000));
});
