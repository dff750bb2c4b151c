#!/usr/bin/env node
// The program itself: `npx vmfa code mfauser`.

import { spawn } from "node:child_process";

import { binary } from "./binary.js";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

try {
  const child = spawn(binary(), process.argv.slice(2), { stdio: "inherit" });
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.once("error", fail);
  child.once("exit", (exitCode, signal) => {
    for (const one of signals) process.removeAllListeners(one);
    if (signal) process.kill(process.pid, signal);
    process.exitCode = exitCode ?? 1;
  });
} catch (error) {
  fail(error as Error);
}

function fail(error: Error): void {
  process.stderr.write(`vmfa: ${error.message}\n`);
  process.exitCode = 127;
}
