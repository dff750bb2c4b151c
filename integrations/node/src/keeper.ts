// A process that keeps what the workers of a run share: a directory and a stand-in. It ends with the run.
//
// The first worker that needs it starts it with a directory and the runner's process number; it listens on a socket
// there. Nothing else could do: a worker ends whenever a test fails, and the runner has no code of ours in it.

import { rmSync } from "node:fs";
import { type Socket, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { VmfaError } from "./errors.js";
import { type Owner, hasEnded } from "./processes.js";
import { remove } from "./scratch.js";
import { type Ready, type ServeOptions, Server, start } from "./server.js";
import { Turns } from "./turns.js";

/** @internal */
export type Asked =
  | { id: number; ask: "server"; options: ServeOptions }
  | { id: number; ask: "still" | "move" | "keep" | "free" };

/** @internal */
export type Told = { id: number; ready?: Ready; error?: { code: string; message: string; hints: readonly string[]; exitCode: number | null } };

const interval = 200;
const patience = 5_000;
const rounds = 5;

function main(directory: string, socket: string, runner: Owner): void {
  const turns = new Turns(patience);
  let standIn: Promise<{ ready: Ready; server: Server }> | undefined;

  const answer = async (who: Socket, asked: Asked): Promise<Told> => {
    const { id } = asked;
    if (asked.ask === "server") {
      standIn ??= start(asked.options).then(([ready, child]) => ({ ready, server: new Server(ready, child) }));
      // One that couldn't be started may be tried again.
      standIn.catch(() => (standIn = undefined));
      return { id, ready: (await standIn).ready };
    }
    if (asked.ask === "keep") turns.keep(who);
    else if (asked.ask === "free") turns.free(who);
    else await turns.ask(who, asked.ask === "move");
    return { id };
  };

  const workers = new Set<Socket>();
  const listener = createServer((who) => {
    workers.add(who);
    who.on("error", () => {});
    who.on("close", () => {
      workers.delete(who);
      turns.free(who);
    });
    createInterface({ input: who }).on("line", (line) => {
      const asked = JSON.parse(line) as Asked;
      void answer(who, asked)
        .catch((error: unknown): Told => ({ id: asked.id, error: inWords(error) }))
        .then((told) => who.write(`${JSON.stringify(told)}\n`));
    });
  });

  const end = async () => {
    clearInterval(watch);
    listener.close();
    // A worker that still waits for a code stops waiting.
    for (const who of workers) who.destroy();
    await standIn?.then(({ server }) => server.close()).catch(() => {});
    // Workers may take a moment longer than the runner, and what they have begun may make the directory again.
    for (let left = rounds; left > 0; left -= 1) {
      try {
        remove(directory);
      } catch {
        // It is being written to; the next round takes it.
      }
      if (left > 1) await sleep(interval);
    }
    process.exit(0);
  };
  const watch = setInterval(() => {
    if (hasEnded(runner)) void end();
  }, interval);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => void end());
  // One that was killed leaves its socket behind; who started this one has seen that nobody answers there.
  if (process.platform !== "win32") rmSync(socket, { force: true });
  listener.listen(socket, () => process.stdout.write("ready\n"));
}

function inWords(error: unknown): NonNullable<Told["error"]> {
  if (!(error instanceof VmfaError)) return { code: "stand-in", message: String(error), hints: [], exitCode: null };
  const [message = ""] = error.message.split("\nhint: ");
  return { code: error.kind, message, hints: error.hints, exitCode: error.exitCode };
}

const [directory, socket, runner] = process.argv.slice(2);
if (require.main === module && directory && socket && runner) main(directory, socket, JSON.parse(runner) as Owner);
