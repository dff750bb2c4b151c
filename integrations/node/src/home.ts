/// <reference lib="esnext.disposable" preserve="true" />
// A home: devices, their secrets, and what was handed out.

import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { type Answer, type Duration, option, run } from "./binary.js";
import { type Code, type Verdict, codeOf, verdictOf } from "./code.js";
import { InputError, NotYet } from "./errors.js";
import { locked } from "./locks.js";
import { Scratch } from "./scratch.js";
import { Server } from "./server.js";

/** What IAM's `CreateVirtualMFADevice` answers. */
export interface VirtualMFADevice {
  readonly SerialNumber?: string | undefined;
  readonly Base32StringSeed?: Uint8Array | string | undefined;
  readonly QRCodePNG?: Uint8Array | string | undefined;
}

/** A path, a picture's bytes, an otpauth URI, a base32 secret, or what IAM's `CreateVirtualMFADevice` answers. */
export type Source = string | Uint8Array | VirtualMFADevice | { readonly VirtualMFADevice?: VirtualMFADevice | undefined };

/** Where a home is. */
export interface HomeOptions {
  /** A directory; a temporary one if there is none. */
  path?: string | undefined;
  vault?: "age" | "keyring" | undefined;
  /** The clock that devices run on: a server (on virtual time), its URL, or an offset such as `+90s`. */
  clock?: string | Server | undefined;
}

/** Which code it is to be. */
export interface CodeOptions {
  /** Whether it is to be one that nobody else has or will get, which is the default. */
  fresh?: boolean | undefined;
  /** Take an unused neighbour up to so many steps away rather than wait; `true`: as many as the service is known to accept. */
  window?: number | boolean | undefined;
  /** How long to wait. */
  timeout?: Duration | undefined;
  /** A code that is good for at least so long. */
  minValidity?: Duration | undefined;
  /** Advance the virtual time of `clock` rather than wait; the default where `clock` is a server on virtual time. */
  jump?: boolean | undefined;
}

/** Which pair it is to be. */
export interface PairOptions {
  /** Wait for codes that are newer than the last pair. */
  wait?: boolean | undefined;
  timeout?: Duration | undefined;
  jump?: boolean | undefined;
}

/** By which rules codes are judged. */
export interface VerifyOptions {
  rules?: "aws" | "rfc" | undefined;
  /** Whether what is accepted is used up, which is the default. */
  remember?: boolean | undefined;
}

// Ends in a file name with an extension, which no secret key and no URI does.
const fileName = /^(?!.*:\/\/)[^\n\0]*[^\n\0/\\.]\.[A-Za-z][A-Za-z0-9]{1,9}$/;

// What a stand-in that workers share knows their calls by.
const app = "AWS_SDK_UA_APP_ID";

/** A device of a home. */
export class Device {
  readonly name: string;
  readonly issuer: string | null;
  readonly account: string;
  readonly type: string;
  readonly algorithm: string;
  readonly digits: number;
  readonly period: number | null;
  /** Its ARN, where AWS told it. */
  readonly serialNumber: string | null;
  readonly #home: Home;

  /** @internal */
  constructor(home: Home, answer: Answer) {
    const known = <T>(key: string) => (answer[key] as T | undefined) ?? null;
    this.name = String(answer["name"]);
    this.issuer = known("issuer");
    this.account = String(answer["account"] ?? "");
    this.type = String(answer["type"]);
    this.algorithm = String(answer["algorithm"]);
    this.digits = Number(answer["digits"]);
    this.period = known("period");
    this.serialNumber = known("serial_number");
    this.#home = home;
  }

  /** Gives a code; see `Home.code`. */
  code(options?: CodeOptions): Promise<Code> {
    return this.#home.code(this.name, options);
  }

  /** Gives two consecutive codes; see `Home.pair`. */
  pair(options?: PairOptions): Promise<[Code, Code]> {
    return this.#home.pair(this.name, options);
  }

  /** Accepts or refuses codes as the service would; see `Home.verify`. */
  verify(codes: string | readonly string[], options?: VerifyOptions): Promise<Verdict> {
    return this.#home.verify(this.name, codes, options);
  }

  /** Deletes the device and its secret. */
  remove(): Promise<void> {
    return this.#home.remove(this.name);
  }
}

/**
 * An isolated home with its own identity and registry, which nobody else's devices are in.
 *
 * Processes may share one: no fresh code is given twice.
 */
export class Home {
  readonly path: string;
  readonly vault: "age" | "keyring";
  /** The clock that devices run on. */
  clock: string | Server | undefined;
  readonly #scratch: Scratch | undefined;

  private constructor(options: HomeOptions) {
    this.#scratch = options.path === undefined ? new Scratch() : undefined;
    this.path = this.#scratch ? join(this.#scratch.path, "home") : resolve(options.path ?? ".");
    this.vault = options.vault ?? "age";
    this.clock = options.clock;
  }

  /** Opens the home at a path, or makes it; without a path, a temporary one that `close` deletes. */
  static async open(options: HomeOptions = {}): Promise<Home> {
    const home = new Home(options);
    try {
      await home.#setUp();
    } catch (error) {
      home.close();
      throw error;
    }
    return home;
  }

  /** Deletes a temporary home, with its secrets; one with a path of its own stays. */
  close(): void {
    this.#scratch?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** The environment for other programs that use this home's devices. */
  env(): Record<string, string> {
    const kept = Object.entries(process.env).filter(([key, value]) => value !== undefined && !key.startsWith("VMFA_"));
    const server = this.clock instanceof Server ? this.clock : undefined;
    const clock = server ? (server.isVirtual ? server.endpoint : undefined) : (this.clock as string | undefined);
    return {
      ...(Object.fromEntries(kept) as Record<string, string>),
      VMFA_HOME: this.path,
      VMFA_VAULT: this.vault,
      ...(clock === undefined ? {} : { VMFA_CLOCK: clock }),
    };
  }

  /** Enrols a device; secrets go by stdin. `replace` takes the place of a device of this name. */
  async add(name: string, source: Source, options: { replace?: boolean | undefined } = {}): Promise<Device> {
    const [path, bytes] = read(source);
    const args = ["add", name, path ?? "-", "--no-code", ...(options.replace ? ["--replace"] : [])];
    try {
      const answer = await run(args, this.env(), bytes);
      return new Device(this, (answer["added"] as Answer[])[0] ?? {});
    } finally {
      if (bytes !== source) bytes?.fill(0);
    }
  }

  /**
   * Lets one of several processes set something up; others wait until it is done. Tells whether it was this one.
   *
   * If it fails, the next one tries.
   */
  async once(what: string, setUp: () => Promise<unknown>): Promise<boolean> {
    const name = Buffer.from(what).toString("hex").slice(0, 200);
    const done = join(this.path, `.node-done-${name}`);
    return locked(join(this.path, `.node-once-${name}`), async () => {
      if (existsSync(done)) return false;
      await setUp();
      writeFileSync(done, "", { mode: 0o600 });
      return true;
    });
  }

  /**
   * Creates a device at a stand-in, for this user or else the administrator, and enables it.
   *
   * STS takes its codes some seconds later: virtual time is advanced to then, real time is waited for.
   */
  async enable(name: string, server: Server, options: { user?: string | undefined; wait?: boolean | undefined } = {}): Promise<Device> {
    const wait = options.wait ?? true;
    const args = ["aws", "enable", name, "--device-name", name.replaceAll("/", "-"), ...userOf(options), ...(wait ? [] : ["--no-wait"])];
    const answer = await this.#moving(server, () => run([...args, ...jumping(server)], this.#at(server)));
    // Nobody but the user could have tried.
    if (wait && answer["checked"] !== true) await server.reach(new Date(String(answer["sessions_from"])));
    return this.device(name);
  }

  /** Deactivates and deletes a device at a stand-in, and deletes its secret here. */
  async disable(name: string, server: Server, options: { user?: string | undefined } = {}): Promise<void> {
    const args = ["aws", "disable", name, "--yes", "--remove", ...userOf(options), ...jumping(server)];
    await this.#moving(server, () => run(args, this.#at(server)));
  }

  /** Finds a device by its name. */
  async device(name: string): Promise<Device> {
    return new Device(this, await this.#run(["show", name]));
  }

  /** Lists all devices. */
  async devices(): Promise<Device[]> {
    return ((await this.#run(["list"]))["devices"] as Answer[]).map((one) => new Device(this, one));
  }

  /** Deletes a device and its secret. What was handed out stays known. */
  async remove(name: string): Promise<void> {
    await this.#run(["remove", name, "--now", "--yes"]);
  }

  /**
   * Gives a code that nobody else has or will get, whatever the process; if there is none, waits for the next.
   *
   * A pool is a pattern such as `ci/*`.
   */
  async code(nameOrPool: string | Device, options: CodeOptions = {}): Promise<Code> {
    const args = ["code", nameOf(nameOrPool), ...((options.fresh ?? true) ? ["--fresh"] : []), ...which(options)];
    const answer = await this.#timed(options.jump, (jump) => this.#run([...args, ...(jump ? ["--jump"] : [])]));
    return codeOf(answer, answer["device"]);
  }

  /** Gives two consecutive codes, for enabling and resynchronizing a device, newer than the last pair. */
  async pair(name: string | Device, options: PairOptions = {}): Promise<[Code, Code]> {
    const args = ["pair", nameOf(name), ...option("--timeout", options.timeout)];
    const answer = await this.#timed(options.jump, (jump) => {
      return this.#run([...args, ...(options.wait || jump ? ["--wait"] : []), ...(jump ? ["--jump"] : [])]);
    });
    const [one, two] = (answer["codes"] as Answer[]).map((code) => codeOf(code, answer["device"]));
    return [one, two] as [Code, Code];
  }

  /** Accepts or refuses codes as the service would: one is a login, two or more are what enables a device. */
  async verify(name: string | Device, codes: string | readonly string[], options: VerifyOptions = {}): Promise<Verdict> {
    const rules = options.rules ? ["--rules", options.rules] : [];
    const args = ["verify", nameOf(name), ...rules, ...(options.remember === false ? ["--dry-run"] : [])];
    const typed = Array.isArray(codes) ? codes.join("\n") : String(codes);
    return verdictOf(await run(args, this.env(), Buffer.from(typed), [0, 1]));
  }

  /** Takes what the time that it is has to give, and moves it only where that is nothing. */
  async #timed(jump: boolean | undefined, act: (jump: boolean) => Promise<Answer>): Promise<Answer> {
    const server = this.clock instanceof Server && this.clock.isVirtual ? this.clock : undefined;
    if (!server) return act(jump ?? false);
    if (jump === false) return server.turns.still(() => act(false));
    try {
      return await server.turns.still(() => act(false));
    } catch (error) {
      if (!(error instanceof NotYet)) throw error;
      return server.turns.moveFor(() => act(true));
    }
  }

  #moving<T>(server: Server, act: () => Promise<T>): Promise<T> {
    return server.isVirtual ? server.turns.move(act) : act();
  }

  #run(args: readonly string[]): Promise<Answer> {
    return run(args, this.env());
  }

  #at(server: Server): Record<string, string> {
    const kept = Object.entries(this.env()).filter(([key]) => !key.startsWith("AWS_") || key === app);
    return { ...Object.fromEntries(kept), ...server.env, ...(server.isVirtual ? { VMFA_CLOCK: server.endpoint } : {}) };
  }

  async #setUp(): Promise<void> {
    mkdirSync(this.path, { mode: 0o700, recursive: true });
    const config = join(this.path, "config.toml");
    const args = ["init", "--vault", this.vault];
    if (this.vault === "age") args.push("--new-identity", join(this.path, "identity.txt"));
    if (this.#scratch) {
      await this.#run(args);
    } else {
      await locked(join(this.path, ".node-set-up"), async () => {
        if (!existsSync(config)) await this.#run(args);
      });
    }
  }
}

/**
 * Says which code it is to be, as the command line has it.
 * @internal
 */
export function which({ window, timeout, minValidity }: CodeOptions): string[] {
  const steps = window === undefined || window === false ? [] : ["--window", ...(window === true ? [] : [String(window)])];
  return [...steps, ...option("--timeout", timeout), ...option("--min-validity", minValidity)];
}

function nameOf(device: string | Device): string {
  return device instanceof Device ? device.name : device;
}

function userOf(options: { user?: string | undefined }): string[] {
  return options.user === undefined ? [] : ["--user", options.user];
}

function jumping(server: Server): string[] {
  return server.isVirtual ? ["--jump"] : [];
}

/** Tells a path from what goes by stdin. */
function read(source: Source): [path: string | undefined, bytes: Uint8Array | undefined] {
  if (source instanceof Uint8Array) return [undefined, source];
  if (typeof source === "string" || source instanceof String) {
    const text = String(source);
    if (!text.startsWith("otpauth") && isFile(text)) return [resolve(text), undefined];
    if (fileName.test(text)) {
      throw new InputError("unreadable", `there is no file \`${text}\``, [`the working directory is ${process.cwd()}`]);
    }
    return [undefined, Buffer.from(text)];
  }
  const inner = (("VirtualMFADevice" in source ? source.VirtualMFADevice : undefined) ?? source) as VirtualMFADevice;
  const seed = inner.Base32StringSeed;
  const kept = {
    SerialNumber: inner.SerialNumber,
    // The SDK gives the bytes, and the CLI's JSON has them in base64.
    Base32StringSeed: seed === undefined ? undefined : base64(seed),
    QRCodePNG: seed === undefined && inner.QRCodePNG !== undefined ? base64(inner.QRCodePNG) : undefined,
  };
  return [undefined, Buffer.from(JSON.stringify({ VirtualMFADevice: kept }))];
}

function base64(value: Uint8Array | string): string {
  return typeof value === "string" ? value : Buffer.from(value).toString("base64");
}

function isFile(path: string): boolean {
  return !path.includes("\0") && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}
