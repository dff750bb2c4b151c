// A server of `vmfa share`, which hands out codes to workers that have no vault and no registry.

import { resolve } from "node:path";

import { type Answer, option, run } from "./binary.js";
import { type Code, codeOf } from "./code.js";
import { NoSuchDevice, UsageError } from "./errors.js";
import { type CodeOptions, type PairOptions, which } from "./home.js";

/** Where a server is, and what to ask it with. */
export interface ShareOptions {
  /** `VMFA_URL` if there is none. */
  url?: string | undefined;
  /** The access token; `VMFA_TOKEN`, or what is in the file `VMFA_TOKEN_FILE`, if there is none. */
  token?: string | undefined;
  /** A PEM file of certificates to trust; `VMFA_CA_BUNDLE` if there is none. */
  caBundle?: string | undefined;
}

/** Which code it is to be. */
export type SharedCodeOptions = Pick<CodeOptions, "window" | "timeout" | "minValidity">;

/** Which pair it is to be. */
export type SharedPairOptions = Pick<PairOptions, "wait" | "timeout">;

/** A device that the server lets its client use. */
export interface SharedDevice {
  readonly name: string;
  readonly issuer: string | null;
  readonly account: string;
  readonly type: string;
  readonly algorithm: string;
  readonly digits: number;
  readonly period: number | null;
  /** Its ARN, where AWS told it. */
  readonly serialNumber: string | null;
}

/** A server of `vmfa share`, which gives each code once, to whichever of its clients. */
export class Share {
  readonly url: string;
  // Nothing that prints an object shows what is private.
  readonly #settings: Readonly<Record<string, string>>;

  /** Knows a server; it is asked when something is wanted of it. */
  constructor(options: ShareOptions = {}) {
    this.#settings = settingsOf(options);
    this.url = this.#settings["VMFA_URL"] ?? "";
    if (this.url === "") throw new UsageError("usage", "no server is named", ["set VMFA_URL, or give Share its url"]);
    if (!this.#settings["VMFA_TOKEN"] && !this.#settings["VMFA_TOKEN_FILE"]) {
      const message = "there is no access token: set VMFA_TOKEN or VMFA_TOKEN_FILE, or give Share its token";
      throw new UsageError("usage", message, ["ask its operator for an access token: vmfa share token add NAME --allow PATTERN"]);
    }
  }

  /**
   * Gives a code that nobody else has or will get; if there is none, the server waits for the next.
   *
   * A pool is a pattern such as `ci/*`.
   */
  async code(nameOrPool: string | SharedDevice, options: SharedCodeOptions = {}): Promise<Code> {
    const { window, timeout, minValidity } = options;
    const answer = await this.#run(["code", "--fresh", ...which({ window, timeout, minValidity }), "--", nameOf(nameOrPool)]);
    return codeOf(answer, answer["device"]);
  }

  /** Gives two consecutive codes, for enabling and resynchronizing a device, newer than the last pair. */
  async pair(name: string | SharedDevice, options: SharedPairOptions = {}): Promise<[Code, Code]> {
    const args = ["pair", ...(options.wait ? ["--wait"] : []), ...option("--timeout", options.timeout), "--", nameOf(name)];
    const answer = await this.#run(args);
    const [one, two] = (answer["codes"] as Answer[]).map((code) => codeOf(code, answer["device"]));
    return [one, two] as [Code, Code];
  }

  /** Lists the devices that the access token is for. */
  async devices(): Promise<SharedDevice[]> {
    return ((await this.#run(["list"]))["devices"] as Answer[]).map(deviceOf);
  }

  /** Gives back a code, or a pair, that never reached the service. It can then be handed out again. */
  async release(codeOrPair: Code | readonly [Code, Code]): Promise<void> {
    const [one, two = one] = (Array.isArray(codeOrPair) ? codeOrPair : [codeOrPair]) as readonly Code[];
    if (!one?.claim || one.claim !== two?.claim) {
      const hints = ["give the Code itself, or both of a pair; those of a counter device stay used"];
      throw new UsageError("usage", "what has no claim can't be given back", hints);
    }
    await this.#run(["release", `--claim=${one.claim}`, "--", one.device]);
  }

  async #run(args: readonly string[]): Promise<Answer> {
    const kept = Object.entries(process.env).filter(([key]) => !key.startsWith("VMFA_"));
    try {
      return await run(args, { ...Object.fromEntries(kept), ...this.#settings });
    } catch (error) {
      if (!(error instanceof NoSuchDevice)) throw error;
      const message = error.message.split("\n", 1)[0] ?? "";
      throw new NoSuchDevice(error.kind, message, ["Share.devices() lists the devices that the access token is for"], error.exitCode);
    }
  }
}

/** What was given, else what the environment has; an empty variable counts as not set. */
function settingsOf({ url, token, caBundle }: ShareOptions): Record<string, string> {
  const of = process.env;
  // The program reads a token's file each time, so the token may change.
  const file = token === undefined && !of["VMFA_TOKEN"] ? of["VMFA_TOKEN_FILE"] : undefined;
  const bundle = caBundle ?? of["VMFA_CA_BUNDLE"];
  const settings = {
    VMFA_URL: url ?? of["VMFA_URL"],
    VMFA_TOKEN: token ?? of["VMFA_TOKEN"],
    VMFA_TOKEN_FILE: file && resolve(file),
    VMFA_CA_BUNDLE: bundle && resolve(bundle),
  };
  return Object.fromEntries(Object.entries(settings).filter((one): one is [string, string] => Boolean(one[1])));
}

function nameOf(device: string | SharedDevice): string {
  return typeof device === "object" ? device.name : device;
}

function deviceOf(answer: Answer): SharedDevice {
  const known = <T>(key: string) => (answer[key] as T | undefined) ?? null;
  return {
    name: String(answer["name"]),
    issuer: known("issuer"),
    account: String(answer["account"] ?? ""),
    type: String(answer["type"]),
    algorithm: String(answer["algorithm"]),
    digits: Number(answer["digits"]),
    period: known("period"),
    serialNumber: known("serial_number"),
  };
}
