// Temporary directories that go even if the process that made them was killed.

import { lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { endAll } from "./binary.js";
import { type Owner, hasEnded, owner } from "./processes.js";

/** @internal */
export const prefix = "vmfa-node-";
/** @internal */
export const ownerFile = ".owner";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const made = new Set<Scratch>();

/**
 * A private directory, deleted by `close` or at the end of the process, or else by the next one that makes one.
 * @internal
 */
export class Scratch {
  readonly path: string;

  constructor() {
    sweep();
    this.path = mkdtempSync(join(tmpdir(), prefix));
    writeFileSync(join(this.path, ownerFile), JSON.stringify(owner()), { mode: 0o600 });
    if (made.size === 0) watch();
    made.add(this);
  }

  close(): void {
    remove(this.path);
    made.delete(this);
    if (made.size === 0) unwatch();
  }
}

/**
 * Deletes a directory that a program which is about to end may still write to.
 * @internal
 */
export function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 12, retryDelay: 10 });
}

function closeAll(): void {
  for (const one of [...made]) one.close();
}

/** Deletes what there is, then lets the signal do what it would have done. */
function onSignal(signal: NodeJS.Signals): void {
  const alone = process.listenerCount(signal) === 1;
  if (!alone) return;
  endAll();
  closeAll();
  unwatch();
  process.kill(process.pid, signal);
}

function watch(): void {
  process.on("exit", closeAll);
  for (const signal of signals) process.on(signal, onSignal);
}

function unwatch(): void {
  process.off("exit", closeAll);
  for (const signal of signals) process.off(signal, onSignal);
}

/**
 * Deletes what processes left that were killed.
 * @internal
 */
export function sweep(): void {
  for (const name of readdirSync(tmpdir()).filter((name) => name.startsWith(prefix))) {
    const path = join(tmpdir(), name);
    try {
      const status = lstatSync(path);
      if (!status.isDirectory() || status.uid !== process.getuid?.()) continue;
      if (isLeft(path, status.mtimeMs)) remove(path);
    } catch {
      // Another process deletes it.
    }
  }
}

/** Whether its owner has ended, or nobody said for a minute whose it is. */
function isLeft(path: string, changed: number): boolean {
  let text: string;
  try {
    text = readFileSync(join(path, ownerFile), "utf8");
  } catch {
    return Date.now() - changed > 60_000;
  }
  return hasEnded(JSON.parse(text) as Owner);
}
