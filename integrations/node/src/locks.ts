// Locks between processes, without a system call for them: Node has none.

import { existsSync, linkSync, readFileSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Owner, hasEnded, owner } from "./processes.js";

const patience = 20;

/**
 * Keeps other processes out. A lock whose owner has ended is free.
 *
 * Each holder creates a file with the next number, by a hard link: it appears whole, and only once. Numbers are never
 * used again, so a process that saw the last holder end can't mistake the next holder for it.
 * @internal
 */
export async function locked<T>(path: string, act: () => Promise<T>): Promise<T> {
  const mine = `${path}.${randomUUID()}`;
  writeFileSync(mine, JSON.stringify(owner()), { mode: 0o600, flag: "wx" });
  let held: string;
  try {
    held = await take(path, mine);
  } finally {
    unlinkSync(mine);
  }
  try {
    return await act();
  } finally {
    writeFileSync(`${held}.done`, "", { mode: 0o600 });
  }
}

async function take(path: string, mine: string): Promise<string> {
  const pattern = /^lock-(\d+)$/;
  const start = `${basename(path)}.`;
  for (;;) {
    const names = readdirSync(dirname(path)).filter((name) => name.startsWith(start));
    const numbers = names.map((name) => Number(pattern.exec(name.slice(start.length))?.[1] ?? 0));
    const last = Math.max(0, ...numbers);
    if (last === 0 || isFree(`${path}.lock-${last}`)) {
      const next = join(dirname(path), `${basename(path)}.lock-${last + 1}`);
      try {
        linkSync(mine, next);
        return next;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    } else {
      await sleep(patience);
    }
  }
}

function isFree(lock: string): boolean {
  return existsSync(`${lock}.done`) || hasEnded(JSON.parse(readFileSync(lock, "utf8")) as Owner);
}
