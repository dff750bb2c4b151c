/// <reference lib="esnext.disposable" preserve="true" />
// The stand-in for AWS IAM and STS.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { type Duration, binary, option, serving } from "./binary.js";
import { ServerError, UsageError, failure } from "./errors.js";

const startPatience = 30_000;
const endPatience = 6_000;
const requestPatience = 10_000;

/** Keys of a user, or of a session, as the AWS SDK for JavaScript takes them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Keys as they are given to the stand-in: also as IAM and STS answer them. */
export type Keys =
  | Credentials
  | {
      readonly AccessKeyId?: string | undefined;
      readonly SecretAccessKey?: string | undefined;
      readonly SessionToken?: string | undefined;
    };

/** What a client of the AWS SDK for JavaScript needs. */
export interface ClientConfig {
  endpoint: string;
  region: string;
  credentials: Credentials;
}

/** A call that the stand-in answered, and why as it did. */
export interface Event {
  readonly number: number;
  readonly time: Date;
  readonly requestId: string;
  readonly service: string;
  readonly action: string;
  readonly outcome: "accepted" | "refused" | "passed";
  readonly status: number | null;
  readonly principal: string | null;
  /** The application ID of the client (`AWS_SDK_UA_APP_ID`). */
  readonly app: string | null;
  readonly code: string | null;
  readonly message: string | null;
  /** What AWS doesn't tell. */
  readonly why: string | null;
}

/** How `serve` starts a stand-in. */
export interface ServeOptions {
  /** A TOML file of users, policies, roles and devices to begin with (docs/serve.md). */
  scenario?: string | undefined;
  /** `virtual` (the default), `virtual=2030-01-01T00:00:00Z`, or `real`. */
  time?: string | undefined;
  /** The URL of a server for other services. */
  upstream?: string | undefined;
  listen?: string | undefined;
  account?: string | undefined;
  alias?: string | undefined;
  /** A directory to keep the account in. */
  state?: string | undefined;
}

/** @internal */
export interface Ready {
  endpoint: string;
  console: string;
  account: string;
  region: string;
  time: string;
  pid: number;
  access_key_id: string;
  secret_access_key: string;
  root?: { access_key_id: string; secret_access_key: string };
  users?: Record<string, { access_key_id: string; secret_access_key: string }>;
}

/**
 * Who may move the time that tests share, and when.
 * @internal
 */
export interface Turns {
  /** Does something that takes a code of the time that it is; nobody moves it until the code can have been used. */
  still<T>(act: () => Promise<T>): Promise<T>;
  /** Does something that moves time. */
  move<T>(act: () => Promise<T>): Promise<T>;
  /** The same where that gives a code. */
  moveFor<T>(act: () => Promise<T>): Promise<T>;
}

const alone: Turns = { still: (act) => act(), move: (act) => act(), moveFor: (act) => act() };

/**
 * A stand-in: one AWS account with IAM and STS, which checks codes, signatures and policies.
 *
 * It ends with `close`, with `await using`, or with this process, even if that is killed.
 */
export class Server {
  /** Its URL. */
  readonly endpoint: string;
  /** Where its console is, for browsers. */
  readonly consoleUrl: string;
  /** The number of the account. */
  readonly account: string;
  readonly region: string;
  /** Those of the user `administrator`, who may do everything. */
  readonly credentials: Credentials;
  /** Those of a scenario's users. */
  readonly users: Readonly<Record<string, Credentials>>;
  /** Whether its time stands until it is moved. */
  readonly isVirtual: boolean;
  readonly pid: number;
  /** @internal */
  readonly turns: Turns;
  readonly #child: ChildProcess | undefined;

  /** @internal */
  constructor(ready: Ready, child?: ChildProcess, turns: Turns = alone) {
    this.endpoint = ready.endpoint;
    this.consoleUrl = ready.console;
    this.account = ready.account;
    this.region = ready.region;
    this.isVirtual = ready.time === "virtual";
    this.pid = ready.pid;
    this.credentials = keysOf(ready);
    const users = Object.entries(ready.users ?? {}).map(([name, keys]) => [name, keysOf(keys)] as const);
    const root = ready.root ? { root: keysOf(ready.root) } : {};
    this.users = { administrator: this.credentials, ...Object.fromEntries(users), ...root };
    this.turns = turns;
    this.#child = child;
  }

  /** Ends it, and waits until it has ended. */
  async close(): Promise<void> {
    if (this.#child) await end(this.#child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What the AWS CLI and SDKs need in their environment, as the administrator. */
  get env(): Record<string, string> {
    return this.envOf();
  }

  /** The environment for a user of the scenario, or for other keys. */
  envOf(user?: string | Keys): Record<string, string> {
    const keys = this.#keysOf(user);
    return {
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_REGION: this.region,
      AWS_DEFAULT_REGION: this.region,
      AWS_EC2_METADATA_DISABLED: "true",
      ...(keys.sessionToken ? { AWS_SESSION_TOKEN: keys.sessionToken } : {}),
    };
  }

  /** What a client of the AWS SDK needs: `new IAM(server.config())`. For a user of the scenario, for other keys, or else for the administrator. */
  config(user?: string | Keys): ClientConfig {
    return { endpoint: this.endpoint, region: this.region, credentials: this.#keysOf(user) };
  }

  /** Its time. */
  async now(): Promise<Date> {
    return timeOf(await this.#ask("/_vmfa/time"));
  }

  /** Moves virtual time on, and gives the new one. */
  async advance(by: Duration): Promise<Date> {
    const [, text] = option("advance", by);
    return this.turns.move(() => this.#move({ advance: text ?? "" }));
  }

  /** Moves virtual time on to a moment, and gives it. */
  async setTime(to: Date): Promise<Date> {
    return this.turns.move(() => this.#set(to));
  }

  /** Moves virtual time on to a moment that isn't over, or waits for it on real time. */
  async reach(moment: Date): Promise<void> {
    if (!this.isVirtual) {
      await sleep(Math.max(0, moment.getTime() - (await this.now()).getTime()));
      return;
    }
    await this.turns.move(async () => {
      if ((await this.now()) < moment) await this.#set(moment);
    });
  }

  /** Tells what was accepted and refused, and why; only after an event's number, if one is given. */
  async events(after = 0): Promise<Event[]> {
    const answer = (await this.#ask(`/_vmfa/events?after=${after}`)) as { events: Record<string, unknown>[] };
    return answer.events.map(eventOf);
  }

  /** Tells how many events there were: the number of the last one. */
  async count(): Promise<number> {
    return ((await this.#ask("/_vmfa/events?limit=0")) as { count: number }).count;
  }

  /** Tells whether it answers. */
  async isAlive(): Promise<boolean> {
    return this.now().then(
      () => true,
      () => false,
    );
  }

  #set(to: Date): Promise<Date> {
    return this.#move({ set: String(Math.ceil(to.getTime() / 1000)) });
  }

  async #move(body: Record<string, string>): Promise<Date> {
    if (!this.isVirtual) {
      const hints = ['start it with `time: "virtual"` (Playwright: `vmfaTime`)'];
      throw new UsageError("real-time", `${this.endpoint} runs on real time, which can't be moved`, hints);
    }
    return timeOf(await this.#ask("/_vmfa/time", body));
  }

  async #ask(path: string, body?: Record<string, string>): Promise<unknown> {
    const signal = AbortSignal.timeout(requestPatience);
    let answer: Response;
    try {
      const sent = body ? { method: "POST", body: JSON.stringify(body) } : {};
      answer = await fetch(this.endpoint + path, { signal, ...sent });
    } catch (error) {
      throw new ServerError("stand-in", `${this.endpoint} doesn't answer: ${reason(error)}`);
    }
    const value = (await answer.json()) as { error?: { code?: string; message?: string } };
    if (!answer.ok) {
      // What the stand-in calls a bad request is an argument of the caller's.
      const Kind = answer.status === 400 ? UsageError : ServerError;
      throw new Kind(value.error?.code ?? "stand-in", value.error?.message ?? `${path}: status ${answer.status}`);
    }
    return value;
  }

  #keysOf(user: string | Keys | undefined): Credentials {
    if (user === undefined) return this.credentials;
    if (typeof user === "string") {
      const known = this.users[user];
      if (known) return known;
      const hints = [
        "pass the key itself: (await iam.createAccessKey({ UserName })).AccessKey",
        "in a scenario, `access_key = true` gives a user a key",
        `users whose keys came with the stand-in: ${Object.keys(this.users).join(", ")}`,
      ];
      throw new UsageError("no-keys", `the stand-in started without an access key for \`${user}\``, hints);
    }
    if ("accessKeyId" in user) return user;
    const given = user as Exclude<Keys, Credentials>;
    if (!given.AccessKeyId || !given.SecretAccessKey) throw new UsageError("no-keys", "these keys have no AccessKeyId or SecretAccessKey");
    const token = given.SessionToken ? { sessionToken: given.SessionToken } : {};
    return { accessKeyId: given.AccessKeyId, secretAccessKey: given.SecretAccessKey, ...token };
  }
}

/** Starts a stand-in, as `vmfa serve` does: `await using server = await serve()`. */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const [ready, child] = await start(options);
  return new Server(ready, child);
}

/** @internal */
export async function start(options: ServeOptions): Promise<[Ready, ChildProcess]> {
  const names = ["scenario", "time", "upstream", "listen", "account", "alias", "state"] as const;
  const args = names.flatMap((name) => {
    const value = options[name] ?? (name === "time" ? "virtual" : undefined);
    return value === undefined ? [] : [`--${name}`, value];
  });
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("VMFA_")));
  // Ctrl-C is for the tests, which end it afterwards.
  const child = spawn(binary(), ["serve", "--json", ...serving, ...args], { env, stdio: "pipe", detached: true });
  child.stdin.on("error", () => {});
  let said = "";
  child.stderr.on("data", (part: Buffer) => {
    said = (said + part.toString()).slice(-20_000);
  });
  let timer: NodeJS.Timeout | undefined;
  const lines = createInterface({ input: child.stdout });
  try {
    const line = await new Promise<string>((tell, refuse) => {
      lines.once("line", tell);
      child.once("error", refuse);
      child.once("close", (exitCode) => refuse(failure(said, exitCode)));
      timer = setTimeout(
        () => refuse(new ServerError("stand-in", `\`vmfa serve\` isn't ready after ${startPatience / 1000} s`)),
        startPatience,
      );
    });
    // It is no reason for a program to go on.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as { unref(): void }).unref();
    return [JSON.parse(line) as Ready, child];
  } catch (error) {
    await end(child);
    throw error;
  } finally {
    clearTimeout(timer);
    lines.removeAllListeners("line");
  }
}

/** Ends a server by its lifeline, or harder. */
async function end(child: ChildProcess): Promise<void> {
  const running = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const steps = [() => child.stdin?.destroy(), () => child.kill("SIGTERM"), () => child.kill("SIGKILL")];
  if (process.platform === "win32") steps.shift();
  child.ref();
  for (const step of steps) {
    if (!running()) return;
    const ended = new Promise((tell) => child.once("exit", tell));
    const giveUp = new AbortController();
    step();
    await Promise.race([ended, sleep(endPatience, undefined, { signal: giveUp.signal }).catch(() => {})]);
    giveUp.abort();
  }
}

function keysOf(answer: { access_key_id: string; secret_access_key: string }): Credentials {
  return { accessKeyId: answer.access_key_id, secretAccessKey: answer.secret_access_key };
}

function eventOf(answer: Record<string, unknown>): Event {
  const text = (key: string) => (answer[key] as string | undefined) ?? null;
  return {
    number: Number(answer["number"]),
    time: new Date(String(answer["time"])),
    requestId: String(answer["request_id"]),
    service: String(answer["service"]),
    action: String(answer["action"] ?? ""),
    outcome: answer["outcome"] as Event["outcome"],
    status: (answer["status"] as number | undefined) ?? null,
    principal: text("principal"),
    app: text("app"),
    code: text("code"),
    message: text("message"),
    why: text("why"),
  };
}

/**
 * Some lines for a report.
 * @internal
 */
export function describe(event: Event): string {
  const by = event.principal ? ` by ${event.principal}` : "";
  const said = [event.code, event.message].filter(Boolean).join(": ");
  const first = `${event.time.toISOString().slice(11, 19)} ${event.service}:${event.action || "?"} ${event.outcome}${by}`;
  return [first, ...(said ? [`    ${said}`] : []), ...(event.why ? [`    why: ${event.why}`] : [])].join("\n");
}

function timeOf(answer: unknown): Date {
  return new Date((answer as { unix: number }).unix * 1000);
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
