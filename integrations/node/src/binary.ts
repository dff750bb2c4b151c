// The `vmfa` program: where it is, and how it is run.

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

import { BinaryNotFound, Interrupted, UsageError, failure } from "./errors.js";

/** A length of time, such as `"45s"` or `"5m"`. */
export type Duration = `${number}${"s" | "m" | "h" | "d"}`;

const name = process.platform === "win32" ? "vmfa.exe" : "vmfa";

/** Whether a program can end with the one that started it: that takes signals. */
const lifeline = process.platform === "win32" ? [] : ["--exit-with-stdin"];

/** Finds the program: `VMFA_BINARY`, then the package for this platform, then the `PATH`. */
export function binary(): string {
  const chosen = process.env["VMFA_BINARY"];
  if (chosen) {
    if (!runs(chosen)) {
      throw new BinaryNotFound("no-binary", `VMFA_BINARY (${chosen}) is not a program that can be run`);
    }
    return chosen;
  }
  found ??= installed() ?? onPath();
  if (found === undefined) {
    const platform = `@vmfa/${process.platform}-${process.arch}`;
    const hints = ["npm install --include=optional vmfa", "or set VMFA_BINARY to the program"];
    throw new BinaryNotFound("no-binary", `the program \`vmfa\` is not installed: there is no package ${platform}`, hints);
  }
  return found;
}

let found: string | undefined;

function installed(): string | undefined {
  try {
    return require.resolve(`@vmfa/${process.platform}-${process.arch}/bin/${name}`);
  } catch {
    return undefined;
  }
}

function onPath(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  // `npx` and `npm run` put this package's own launcher there, which would start itself for ever.
  const others = folders.filter((folder) => !/node_modules[\\/]\.bin$/.test(folder));
  return others.map((folder) => join(folder, name)).find(runs);
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @internal */
export type Answer = Record<string, unknown>;

const waiting = new Set<ChildProcess>();
let ended = false;

/**
 * Runs one command and gives its answer; an exit code that isn't among `answers` is an error.
 *
 * Without `stdin` the program ends with this process, even if that is killed while a code is waited for.
 * @internal
 */
export async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stdin?: Uint8Array,
  answers: readonly number[] = [0],
): Promise<Answer> {
  if (ended) throw new Interrupted("interrupted", "the program or the test run is at its end");
  // Before the arguments, which may end with names after `--`.
  const child = spawn(binary(), ["--json", ...(stdin === undefined ? lifeline : []), ...args], { env, stdio: "pipe" });
  // A program that refuses its arguments doesn't read what it is sent.
  child.stdin.on("error", () => {});
  if (stdin !== undefined) child.stdin.end(stdin);
  waiting.add(child);
  try {
    const ended = new Promise<number | null>((tell, refuse) => {
      child.once("error", refuse);
      child.once("close", tell);
    });
    const [out, err, exitCode] = await Promise.all([read(child.stdout), read(child.stderr), ended]);
    if (exitCode !== null && answers.includes(exitCode) && out !== "") return JSON.parse(out) as Answer;
    throw failure(err, exitCode);
  } finally {
    waiting.delete(child);
    child.stdin.destroy();
  }
}

/**
 * Ends what this process waits for, for good: a command that came later would make again what is being deleted.
 * @internal
 */
export function endAll(): void {
  ended = true;
  for (const child of waiting) child.kill();
}

/** @internal */
export const serving = lifeline;

async function read(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** @internal */
export function option(flag: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  if (typeof value !== "string") {
    throw new UsageError("invalid-value", `${flag}: ${String(value)} is not a length of time`, ['write it with its unit: "45s", "5m"']);
  }
  return [flag, value];
}
