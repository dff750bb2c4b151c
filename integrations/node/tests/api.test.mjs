// What others may rely on: the declarations of the package, as one file that changes on purpose.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { place, run } from "./support.mjs";

const modules = ["index", "binary", "code", "errors", "home", "server", "share", "playwright", "cypress"];
const snapshot = place("tests/api.d.ts.txt");

test("the public API changes on purpose", () => {
  const text = modules.map((name) => `// ${name}\n${readFileSync(place(`dist/${name}.d.ts`), "utf8")}`).join("\n");
  if (process.env.VMFA_UPDATE) writeFileSync(snapshot, text);
  const known = existsSync(snapshot) ? readFileSync(snapshot, "utf8") : "";
  assert.equal(text, known, "api.d.ts.txt is behind: run this test with VMFA_UPDATE=1, and read the diff");
});

test("strict TypeScript takes the declarations, by import and by require", async () => {
  const done = await run(process.execPath, [place("node_modules/typescript/bin/tsc"), "-p", "tests/types"]);
  assert.equal(done.exitCode, 0, done.out);
});
