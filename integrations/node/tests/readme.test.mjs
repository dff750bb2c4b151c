// The examples of the README, as they are printed.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { Home } from "vmfa";

import { blocks, place, run, seed, sharing, suite } from "./support.mjs";

// Beneath the package, so that they find it by its name.
const folder = mkdtempSync(place("tests/readme-"));
after(() => rmSync(folder, { recursive: true }));
const examples = blocks("js");

test("the first example passes, and is short", async () => {
  const example = examples.find((block) => block.includes("vmfa/playwright"));
  assert.equal(examples.indexOf(example), 0);
  assert.ok(example.trimEnd().split("\n").length <= 25);
  writeFileSync(join(folder, "example.spec.mjs"), example);
  const { stats, out } = await suite(folder, ["--workers", "1"]);
  assert.deepEqual([stats?.expected, stats?.unexpected], [1, 0], out);
});

test("the project's README has the same example", () => {
  const project = readFileSync(place("../../README.md"), "utf8");
  assert.ok(project.includes("```js\n" + examples[0] + "```"));
});

test("the guide's example passes", async () => {
  const [example] = blocks("js", place("../../docs/guides/playwright.md"));
  const guide = mkdtempSync(place("tests/readme-"));
  after(() => rmSync(guide, { recursive: true }));
  writeFileSync(join(guide, "guide.spec.mjs"), example);
  const { stats, out } = await suite(guide, ["--workers", "1"]);
  assert.deepEqual([stats?.expected, stats?.unexpected], [1, 0], out);
});

test("the plain script runs", async () => {
  const example = examples.find((block) => block.includes("serve()"));
  writeFileSync(join(folder, "script.mjs"), example);
  const done = await run(process.execPath, [join(folder, "script.mjs")]);
  assert.equal(done.exitCode, 0, done.out);
  assert.match(done.out, /^\d{6} \d+ .* http:\/\/127/);
});

test("the examples of a server run, in a script and in Playwright", async () => {
  const home = await Home.open();
  await home.add("ci/1", seed);
  const service = await sharing(home);
  after(async () => {
    await service.close();
    home.close();
  });
  const env = { ...process.env, VMFA_URL: service.url, VMFA_TOKEN: service.token };
  const [script, fixture] = examples.filter((block) => block.includes("new Share()"));
  for (const block of [script, blocks("js", place("../../docs/share.md"))[0]]) {
    writeFileSync(join(folder, "share.mjs"), block);
    const done = await run(process.execPath, [join(folder, "share.mjs")], { env });
    assert.equal(done.exitCode, 0, done.out);
    assert.match(done.out, /^\d{6} ci\/1/);
  }
  const spec = `test("takes a code", async ({ mfaCode }) => {
    const { device, claim } = await mfaCode("ci/1", { window: 3 });
    if (device !== "ci/1" || !claim) throw new Error(device);
  });`;
  const suites = mkdtempSync(place("tests/readme-"));
  after(() => rmSync(suites, { recursive: true }));
  writeFileSync(join(suites, "share.spec.mjs"), `${fixture}\n${spec}`);
  const { stats, out } = await suite(suites, ["--workers", "1"], { VMFA_URL: service.url, VMFA_TOKEN: service.token });
  assert.deepEqual([stats?.expected, stats?.unexpected], [1, 0], out);
});

test("the tasks of the examples for Cypress are there", async () => {
  const { create } = await import("vmfa/cypress");
  const { tasks, close } = create();
  const named = blocks("js").flatMap((block) => [...block.matchAll(/cy\.task\("([^"]+)"/g)].map(([, name]) => name));
  assert.ok(named.length > 0 && named.every((name) => name in tasks), named.join());
  await close();
});
