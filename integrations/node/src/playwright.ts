// Fixtures for Playwright: a home, a stand-in, devices and codes.
//
// All workers of a run share one home and one stand-in, which the first worker that needs them starts. They end with
// the run, also if that is killed.

import { randomUUID } from "node:crypto";
import { dirname, join, resolve } from "node:path";

import {
  type Locator,
  type PlaywrightTestArgs,
  type PlaywrightTestOptions,
  type PlaywrightWorkerArgs,
  type PlaywrightWorkerOptions,
  type TestInfo,
  type TestType,
  type WorkerInfo,
  test as base,
} from "@playwright/test";

import type { Code } from "./code.js";
import { InputError, VmfaError } from "./errors.js";
import { type CodeOptions, Device, Home, type Source } from "./home.js";
import { type ServeOptions, Server, describe, serve } from "./server.js";
import { Shared } from "./shared.js";

export { expect } from "@playwright/test";

/** Makes devices that go when the test ends. */
export interface DeviceFactory {
  /** Adds a device from a picture, an otpauth URI, a base32 secret, or what IAM answered. */
  (source: Source, options?: { name?: string }): Promise<Device>;
  /** Creates a device at the stand-in for a user, and enables it. */
  (options: { user: string; name?: string }): Promise<Device>;
}

/** Gives codes that no other worker has or will get, of a device or of a pool such as `ci/*`. */
export type CodeSource = (nameOrPool: string | Device, options?: CodeOptions) => Promise<Code>;

/** What a test does with a page that shows a QR code. */
export interface Mfa {
  /** Takes a screenshot of the QR code and adds the device, which goes when the test ends. */
  enrol(qrCode: Locator, options?: EnrolOptions): Promise<Device>;
}

/** How a page's QR code is read. */
export interface EnrolOptions {
  /** The device's name; one that nobody else has if there is none. */
  name?: string;
  /** How long to look for a code in the picture, in milliseconds as Playwright has them: 5000 by default. */
  timeout?: number;
}

/** What a test may ask for. */
export interface TestFixtures {
  /** Makes devices that go when the test ends. */
  mfaDevice: DeviceFactory;
  /** Gives codes that no other worker has or will get; virtual time is advanced where one has to be waited for. */
  mfaCode: CodeSource;
  /** Reads QR codes off pages. */
  mfa: Mfa;
}

/** Settings, for `use` in the configuration. */
export interface Settings {
  /** Time of the stand-in: `virtual` (the default), `virtual=2030-01-01T00:00:00Z`, or `real`. */
  vmfaTime: string;
  /** TOML file that the stand-in begins with, beside the configuration. */
  vmfaScenario: string | undefined;
  /** URL of the server that the stand-in sends other services' calls to. */
  vmfaUpstream: string | undefined;
  /** One home and stand-in for the whole run (the default), or one for each worker. */
  vmfaScope: "run" | "worker";
}

/** What a worker has. */
export interface WorkerFixtures extends Settings {
  /** A home for devices, apart from your own. */
  vmfa: Home;
  /** A stand-in for AWS IAM and STS. */
  mfaServer: Server;
}

interface Own {
  vmfaReport: void;
}

interface OwnOfWorker {
  vmfaRun: Run;
  vmfaStart: () => Promise<Server>;
}

/** What this worker knows of the run. */
interface Run {
  shared: Shared | undefined;
  server: Server | undefined;
  /** The number of the last event before this test. */
  before: number;
}

const mostEvents = 50;
const appVariable = "AWS_SDK_UA_APP_ID";
const appStart = "playwright-";
let current: Run | undefined;

const extended = base.extend<TestFixtures & Own, WorkerFixtures & OwnOfWorker>({
  vmfaTime: ["virtual", { option: true, scope: "worker" }],
  vmfaScenario: [undefined, { option: true, scope: "worker" }],
  vmfaUpstream: [undefined, { option: true, scope: "worker" }],
  vmfaScope: ["run", { option: true, scope: "worker" }],

  vmfaRun: [
    async ({ vmfaScope }, use) => {
      const shared = vmfaScope === "run" ? await Shared.open() : undefined;
      const run: Run = { shared, server: undefined, before: 0 };
      current = run;
      await use(run);
      current = undefined;
      shared?.close();
    },
    { scope: "worker", box: true },
  ],

  vmfa: [
    async ({ vmfaRun }, use) => {
      const { shared } = vmfaRun;
      const home = await Home.open(shared ? { path: join(shared.directory, "home") } : {});
      await use(home);
      home.close();
    },
    { scope: "worker" },
  ],

  vmfaStart: [
    async ({ vmfaRun, vmfa, vmfaTime, vmfaScenario, vmfaUpstream }, use, worker) => {
      const options: ServeOptions = { time: vmfaTime, upstream: vmfaUpstream, scenario: vmfaScenario && beside(worker, vmfaScenario) };
      const named = process.env[appVariable] === undefined;
      const begin = async () => {
        const server = await (vmfaRun.shared?.server(options) ?? serve(options));
        // The SDKs of AWS tell which worker a call is of.
        if (named) process.env[appVariable] = `${appStart}${worker.workerIndex}`;
        vmfaRun.before = await server.count();
        vmfaRun.server = vmfa.clock = server;
        return server;
      };
      let starting: Promise<Server> | undefined;
      await use(() => (starting ??= begin()));
      vmfaRun.server = vmfa.clock = undefined;
      if (named && starting) delete process.env[appVariable];
      await starting?.then(
        (server) => server.close(),
        () => {},
      );
    },
    { scope: "worker", box: true },
  ],

  mfaServer: [
    async ({ vmfaStart }, use) => {
      await use(await vmfaStart());
    },
    { scope: "worker" },
  ],

  mfaDevice: async ({ vmfa, vmfaStart }, use) => {
    const made: (() => Promise<void>)[] = [];
    const make = async (what: Source | { user: string; name?: string }, options: { name?: string } = {}) => {
      if (isUser(what)) {
        const { user, name = newName() } = what;
        const server = await vmfaStart();
        const device = await vmfa.enable(name, server, { user });
        made.push(() => vmfa.disable(name, server, { user }));
        return device;
      }
      const device = await vmfa.add(options.name ?? newName(), what);
      made.push(() => device.remove());
      return device;
    };
    await use(make);
    await undo(made);
  },

  mfaCode: async ({ vmfa }, use) => {
    await use((nameOrPool, options) => vmfa.code(nameOrPool, options));
  },

  mfa: async ({ vmfa }, use) => {
    const made: (() => Promise<void>)[] = [];
    const enrol = async (qrCode: Locator, { name = newName(), timeout = 5_000 }: EnrolOptions = {}) => {
      const device = await scan(vmfa, qrCode, name, timeout);
      made.push(() => device.remove());
      return device;
    };
    await use({ enrol });
    await undo(made);
  },

  vmfaReport: [
    async ({}, use, info) => {
      if (current?.server) current.before = await current.server.count().catch(() => 0);
      await use();
      // What this test was given is used up or never will be.
      await current?.shared?.free().catch(() => {});
      if (current?.server && info.status !== info.expectedStatus) await report(current.server, current, info).catch(() => {});
    },
    { auto: true, box: true },
  ],
});

/** Playwright's `test`, with fixtures for devices, codes and the stand-in. */
export const test: TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & TestFixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions & WorkerFixtures
> = extended;

function newName(): string {
  return `test-${randomUUID().slice(0, 13)}`;
}

function isUser(what: Source | { user: string; name?: string }): what is { user: string; name?: string } {
  return typeof what === "object" && "user" in what;
}

function beside(worker: WorkerInfo, path: string): string {
  return resolve(worker.config.configFile ? dirname(worker.config.configFile) : worker.config.rootDir, path);
}

/** Reads a picture that may not have been drawn yet. */
async function scan(home: Home, qrCode: Locator, name: string, timeout: number): Promise<Device> {
  const end = performance.now() + timeout;
  let last: InputError | undefined;
  for (;;) {
    const left = last ? Math.max(end - performance.now(), 1) : timeout;
    // What the last picture lacked says more than that there was no time for another.
    const picture = await qrCode.screenshot({ timeout: left, animations: "disabled" }).catch((error: unknown) => {
      throw last ?? error;
    });
    try {
      return await home.add(name, picture);
    } catch (error) {
      if (!(error instanceof InputError) || performance.now() > end) throw error;
      last = error;
    } finally {
      picture.fill(0);
    }
  }
}

/** Removes what the test may have removed itself. */
async function undo(made: (() => Promise<void>)[]): Promise<void> {
  for (const remove of made.reverse()) {
    await remove().catch((error: unknown) => {
      if (!(error instanceof VmfaError)) throw error;
    });
  }
}

/** Attaches what the stand-in answered, and why, refusals first; without what other workers signed with their names. */
async function report(server: Server, run: Run, info: TestInfo): Promise<void> {
  const mine = `${appStart}${info.workerIndex}`;
  const since = await server.events(run.before);
  const events = since.filter(({ app }) => !app?.startsWith(appStart) || app === mine).slice(-mostEvents);
  if (events.length === 0) return;
  // Reporters show how an attachment begins.
  const refused = events.filter(({ outcome }) => outcome === "refused").reverse();
  const all = [...refused, ...events.filter((event) => !refused.includes(event))];
  await info.attach("vmfa: what the stand-in answered", { body: all.map(describe).join("\n"), contentType: "text/plain" });
}
