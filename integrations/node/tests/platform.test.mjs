// The packages that are published, as `build` lays them out, and that the main one finds its program in one of them.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { place, run } from "./support.mjs";

const scratch = realpathSync(mkdtempSync(join(tmpdir(), "vmfa-test-")));
after(() => rmSync(scratch, { recursive: true }));
const modules = join(scratch, "node_modules");
const about = (name) => JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
const own = JSON.parse(readFileSync(place("package.json"), "utf8"));
const here = `@vmfa/${process.platform}-${process.arch}`;

test("each platform has a package, which the main one asks for in its own version", async () => {
  const program = join(scratch, "program");
  writeFileSync(program, "#!/bin/sh\n");
  assert.equal((await run(process.execPath, ["platform.mjs", "main", join(modules, "vmfa")])).exitCode, 0);
  const { version, optionalDependencies, devDependencies, scripts } = about("vmfa");
  assert.deepEqual([version, devDependencies, scripts], [own.version, undefined, undefined]);
  assert.ok(existsSync(join(modules, "vmfa/LICENSE-MIT")) && here in optionalDependencies);
  for (const [name, wanted] of Object.entries(optionalDependencies)) {
    const platform = name.slice("@vmfa/".length);
    assert.equal((await run(process.execPath, ["platform.mjs", "binary", platform, program, join(modules, name)])).exitCode, 0);
    const { os, cpu, version: given } = about(name);
    assert.deepEqual([given, `${os}-${cpu}`], [wanted, platform]);
    const path = join(modules, name, "bin", os[0] === "win32" ? "vmfa.exe" : "vmfa");
    assert.equal(statSync(path).mode & 0o111, 0o111);
  }
  assert.notEqual((await run(process.execPath, ["platform.mjs", "binary", "plan9-x64", program, scratch])).exitCode, 0);
});

test("the program is found by VMFA_BINARY, then in the package for the platform, then on the PATH", async () => {
  const found = async (env) => {
    const script = 'try { console.log(require("vmfa").binary()) } catch (error) { console.log(error.kind, error.hints.join()) }';
    return (await run(process.execPath, ["-e", script], { cwd: scratch, env: { PATH: "/nowhere", ...env } })).out.trim();
  };
  const program = join(scratch, "program");
  const inPackage = join(modules, here, "bin/vmfa");
  const onPath = join(scratch, "vmfa");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(onPath, "#!/bin/sh\n", { mode: 0o755 });
  assert.equal(await found({ VMFA_BINARY: inPackage, PATH: scratch }), inPackage);
  assert.equal(await found({ PATH: scratch }), inPackage);
  rmSync(join(modules, "@vmfa"), { recursive: true });
  assert.equal(await found({ PATH: `/nowhere:${scratch}` }), onPath);
  assert.match(await found({}), /^no-binary .*VMFA_BINARY/);
  assert.match(await found({ VMFA_BINARY: "/nowhere/vmfa" }), /^no-binary/);
});
