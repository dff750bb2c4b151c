// Which process something belongs to, and whether that process is still there.

import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** @internal */
export interface Owner {
  pid: number;
  /** When it started, where the system tells: process numbers are used again. */
  started: string;
  /** Where the number means this process: a host, and on Linux a namespace. */
  place: string;
}

/** @internal */
export function owner(pid: number = process.pid): Owner {
  return { pid, started: started(pid), place };
}

/**
 * Whether a process has ended for certain; not so if it is out of sight.
 * @internal
 */
export function hasEnded(of: Owner): boolean {
  if (of.place !== place) return false;
  try {
    process.kill(of.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  return of.started !== "" && started(of.pid) !== of.started;
}

function started(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // One that has ended and that nobody has waited for is as good as gone.
    return fields[0] === "Z" ? "ended" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

const place = [hostname(), ...link("/proc/self/ns/pid")].join(" ");

function link(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}
