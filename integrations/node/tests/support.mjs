// What several tests need.

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { binary } from "vmfa";

export const seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

export const place = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Whether a process has ended, or will within two seconds; one that nobody waits for counts. */
export async function gone(pid, milliseconds = 2000) {
  const end = performance.now() + milliseconds;
  for (;;) {
    if (!alive(pid)) return true;
    if (performance.now() > end) return false;
    await sleep(10);
  }
}

function alive(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

/** A page's blocks of a language. */
export function blocks(language, page = place("README.md")) {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
  return [...readFileSync(page, "utf8").matchAll(pattern)].map((match) => match[1]);
}

/** Runs a program to its end. */
export function run(program, args, options = {}) {
  return new Promise((tell) => {
    execFile(program, args, { cwd: place(""), maxBuffer: 2 ** 26, ...options }, (error, stdout, stderr) => {
      tell({ exitCode: error ? (error.code ?? error.signal) : 0, out: `${stdout}\n${stderr}` });
    });
  });
}

/** Makes an access token. */
export function newToken(home, name, pattern) {
  const args = ["share", "token", "add", name, "--allow", pattern];
  return execFileSync(binary(), args, { env: home.env(), stdio: ["ignore", "pipe", "ignore"] }).toString().trim();
}

/** Starts a `vmfa share` of a home's devices, with an access token for those in `ci/`; it ends with this process at the latest. */
export async function sharing(home, ...options) {
  const token = newToken(home, "ci", "ci/*");
  const args = ["share", "--json", "--exit-with-stdin", "--listen", "127.0.0.1:0", ...options];
  const child = spawn(binary(), args, { env: home.env(), stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), ended]);
  const close = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { url: JSON.parse(line).url, token, child, close };
}

const playwright = place("node_modules/@playwright/test/cli.js");

/** Runs a suite of Playwright, and gives its report. */
export async function suite(folder, args = [], env = {}) {
  // A report in JSON tells outcomes and attachments.
  const report = { PLAYWRIGHT_JSON_OUTPUT_NAME: "", REPORTER: "json", SUITE: folder };
  const given = { ...process.env, ...report, ...env };
  const done = await run(process.execPath, [playwright, "test", "-c", place("tests/playwright.config.mjs"), ...args], { env: given });
  const start = done.out.indexOf("\n{\n") < 0 ? done.out.indexOf("{") : done.out.indexOf("\n{\n");
  let stats;
  let specs = [];
  try {
    const told = JSON.parse(done.out.slice(start, done.out.lastIndexOf("\n}") + 2));
    stats = told.stats;
    const all = (one) => [...(one.specs ?? []), ...(one.suites ?? []).flatMap(all)];
    specs = all(told);
  } catch {
    // The caller shows what was said.
  }
  return { ...done, stats, specs };
}
