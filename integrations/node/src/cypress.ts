// Tasks for Cypress, whose tests run in a browser and reach Node by `cy.task`.

import type { Duration } from "./binary.js";
import type { Code } from "./code.js";
import { UsageError } from "./errors.js";
import { type CodeOptions, type Device, Home, type PairOptions } from "./home.js";
import { type Event, type ServeOptions, type Server, serve } from "./server.js";

/** How the tasks are set up. */
export interface Options {
  /** A directory for the home; a temporary one if there is none. */
  home?: string;
  /** How to start the stand-in, which is done when a test first asks for it. */
  serve?: ServeOptions;
}

/** A code as a task answers it. */
export interface TaskCode {
  code: string;
  device: string;
  step: number | null;
  validUntil: string | null;
}

/** A device as a task answers it. */
export interface TaskDevice {
  name: string;
  account: string;
  serialNumber: string | null;
}

/** The stand-in as a task answers it. */
export interface TaskServer {
  endpoint: string;
  consoleUrl: string;
  env: Record<string, string>;
}

/** The tasks, by the names that `cy.task` calls them. */
export interface Tasks {
  /** Adds a device from an otpauth URI, a base32 secret, or the path of a picture, such as that of `cy.screenshot`. */
  "vmfa:add"(given: { name: string; source: string }): Promise<TaskDevice>;
  /** Adds a device from a picture as a data URL, or in base64. */
  "vmfa:enrol"(given: { name: string; picture: string }): Promise<TaskDevice>;
  /** Gives a code that nobody else has or will get. */
  "vmfa:code"(given: string | ({ name: string } & CodeOptions)): Promise<TaskCode>;
  /** Gives two consecutive codes. */
  "vmfa:pair"(given: string | ({ name: string } & PairOptions)): Promise<[TaskCode, TaskCode]>;
  "vmfa:remove"(name: string): Promise<null>;
  /** Starts the stand-in where it isn't started, and tells where it is. */
  "vmfa:server"(): Promise<TaskServer>;
  /** Creates a device at the stand-in, for a user or else the administrator, and enables it. */
  "vmfa:enable"(given: { name: string; user?: string }): Promise<TaskDevice>;
  /** Moves the stand-in's virtual time on, and tells the new one. */
  "vmfa:advance"(by: Duration): Promise<string>;
  /** Tells what the stand-in accepted and refused, and why. */
  "vmfa:events"(after?: number | null): Promise<Event[]>;
}

/** The tasks, and what ends them. */
export interface Registered {
  tasks: Tasks;
  /** Ends the stand-in and deletes a temporary home. */
  close(): Promise<void>;
}

/** Cypress's `on`, as far as it is needed. */
export type On = (event: any, handler: any) => void;

/** Registers the tasks in `setupNodeEvents(on)`; they end with the run. */
export function register(on: On, options: Options = {}): void {
  const { tasks, close } = create(options);
  on("task", tasks);
  on("after:run", close);
}

/** Makes the tasks, for those who register them by themselves. */
export function create(options: Options = {}): Registered {
  let opening: Promise<Home> | undefined;
  let starting: Promise<Server> | undefined;
  const home = () => (opening ??= Home.open({ path: options.home }));
  const server = async () => {
    const devices = await home();
    const started = await (starting ??= serve(options.serve));
    devices.clock = started;
    return started;
  };
  const tasks: Tasks = {
    "vmfa:add": async ({ name, source }) => device(await (await home()).add(text(name), text(source))),
    "vmfa:enrol": async ({ name, picture }) => device(await (await home()).add(text(name), bytes(picture))),
    "vmfa:code": async (given) => {
      const { name, ...wanted } = named(given);
      return code(await (await home()).code(name, wanted));
    },
    "vmfa:pair": async (given) => {
      const { name, ...wanted } = named(given);
      const [one, two] = await (await home()).pair(name, wanted);
      return [code(one), code(two)];
    },
    "vmfa:remove": async (name) => {
      await (await home()).remove(text(name));
      return null;
    },
    "vmfa:server": async () => {
      const { endpoint, consoleUrl, env } = await server();
      return { endpoint, consoleUrl, env };
    },
    "vmfa:enable": async ({ name, user }) => device(await (await home()).enable(text(name), await server(), { user })),
    "vmfa:advance": async (by) => (await (await server()).advance(by)).toISOString(),
    "vmfa:events": async (after) => (await server()).events(after ?? 0),
  };
  const close = async () => {
    const [started, devices] = await Promise.allSettled([starting, opening]);
    if (started.status === "fulfilled") await started.value?.close();
    if (devices.status === "fulfilled") devices.value?.close();
    [starting, opening] = [undefined, undefined];
  };
  return { tasks, close };
}

function named<T extends { name: string }>(given: string | T): T | { name: string } {
  return typeof given === "string" ? { name: given } : { ...given, name: text(given.name) };
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new UsageError("invalid-value", `${String(value)} is not a text`);
  return value;
}

function bytes(picture: string): Buffer {
  return Buffer.from(text(picture).replace(/^data:[^,]*;base64,/, ""), "base64");
}

function code(given: Code): TaskCode {
  const { digits, device, step, validUntil } = given;
  return { code: digits, device, step, validUntil: validUntil?.toISOString() ?? null };
}

function device({ name, account, serialNumber }: Device): TaskDevice {
  return { name, account, serialNumber };
}
