// What the workers of a test run share, as a worker sees it.

import { spawn } from "node:child_process";
import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { endAll } from "./binary.js";
import { ServerError, StorageError, failure } from "./errors.js";
import type { Asked, Told } from "./keeper.js";
import { locked } from "./locks.js";
import { type Owner, hasEnded, owner } from "./processes.js";
import { ownerFile, prefix, sweep } from "./scratch.js";
import { type ServeOptions, Server, type Turns } from "./server.js";

// Whose child this worker is; should that end, it becomes another's.
const runner = owner(process.ppid);

type Question = Asked extends infer One ? (One extends { id: number } ? Omit<One, "id"> : never) : never;

/**
 * A connection to the process that keeps what a run shares.
 * @internal
 */
export class Shared implements Turns {
  readonly #socket: Socket;
  readonly #open = new Map<number, { tell: (told: Told) => void; refuse: (error: Error) => void }>();
  #last = 0;

  private constructor(
    /** Where the home is. */
    readonly directory: string,
    socket: Socket,
  ) {
    this.#socket = socket;
    createInterface({ input: socket }).on("line", (line) => {
      const told = JSON.parse(line) as Told;
      this.#open.get(told.id)?.tell(told);
      this.#open.delete(told.id);
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      for (const { refuse } of this.#open.values()) refuse(new ServerError("stand-in", "the test run has ended"));
      // The run is over or was killed: what this worker waits for is for nobody.
      endAll();
    });
    socket.unref();
  }

  /** Finds what the run of this worker shares, or starts it where this worker is the first. */
  static async open(): Promise<Shared> {
    if (hasEnded(runner)) throw new ServerError("stand-in", "the test run has ended");
    const directory = privately(join(tmpdir(), `${prefix}run-${runner.pid}-${runner.started}`), runner);
    const path = process.platform === "win32" ? `\\\\.\\pipe\\vmfa-${runner.pid}` : join(directory, "keeper");
    const socket = await locked(join(directory, ".keeper"), async () => {
      return (await reach(path)) ?? (await begin(directory, path, runner));
    });
    return new Shared(directory, socket);
  }

  /** The run's stand-in; the first who asks has it started. */
  async server(options: ServeOptions): Promise<Server> {
    const { ready } = await this.#ask({ ask: "server", options });
    if (!ready) throw new ServerError("stand-in", "the run's stand-in wasn't started");
    return new Server(ready, undefined, this);
  }

  async still<T>(act: () => Promise<T>): Promise<T> {
    return this.#turn("still", act, "keep");
  }

  async move<T>(act: () => Promise<T>): Promise<T> {
    return this.#turn("move", act, "free");
  }

  async moveFor<T>(act: () => Promise<T>): Promise<T> {
    return this.#turn("move", act, "keep");
  }

  /** Lets others move time: this worker has used its codes. */
  async free(): Promise<void> {
    await this.#ask({ ask: "free" });
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  async #turn<T>(ask: "still" | "move", act: () => Promise<T>, then: "keep" | "free"): Promise<T> {
    await this.#ask({ ask });
    try {
      const done = await act();
      await this.#ask({ ask: then });
      return done;
    } catch (error) {
      await this.#ask({ ask: "free" });
      throw error;
    }
  }

  async #ask(question: Question): Promise<Told> {
    const id = ++this.#last;
    this.#socket.ref();
    try {
      const told = await new Promise<Told>((tell, refuse) => {
        this.#open.set(id, { tell, refuse });
        if (this.#socket.destroyed) refuse(new ServerError("stand-in", "the test run has ended"));
        else this.#socket.write(`${JSON.stringify({ id, ...question })}\n`);
      });
      if (told.error) throw failure(JSON.stringify({ error: told.error }), told.error.exitCode);
      return told;
    } finally {
      if (this.#open.size === 0) this.#socket.unref();
    }
  }
}

/** Makes a directory that is nobody else's: its name could be guessed. */
function privately(directory: string, runner: Owner): string {
  try {
    mkdirSync(directory, { mode: 0o700 });
    sweep();
    writeFileSync(join(directory, ownerFile), JSON.stringify(runner), { mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const status = lstatSync(directory);
    const mine = process.getuid === undefined || (status.uid === process.getuid() && (status.mode & 0o077) === 0);
    if (!status.isDirectory() || !mine) {
      throw new StorageError("not-private", `${directory} is somebody else's`, ["delete it, or set TMPDIR to a directory of your own"]);
    }
  }
  return directory;
}

function reach(path: string): Promise<Socket | undefined> {
  return new Promise((tell) => {
    const socket = connect(path);
    socket.once("connect", () => tell(socket));
    socket.once("error", () => tell(undefined));
  });
}

async function begin(directory: string, path: string, runner: Owner): Promise<Socket> {
  const args = [join(__dirname, "keeper.js"), directory, path, JSON.stringify(runner)];
  // It outlives this worker, and Ctrl-C is for the runner, which it then follows.
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  await new Promise((tell, refuse) => {
    child.stdout.once("data", tell);
    child.once("error", refuse);
    child.once("exit", () => refuse(new ServerError("stand-in", "the process that keeps the run's stand-in ended")));
  });
  child.removeAllListeners("exit");
  child.stdout.destroy();
  child.unref();
  const socket = await reach(path);
  if (!socket) throw new ServerError("stand-in", "the process that keeps the run's stand-in doesn't answer");
  return socket;
}
