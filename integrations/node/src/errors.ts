// What went wrong: a kind that programs compare, a message, and hints.

/** A command failed. `kind` is stable and is what programs compare; docs/json.md lists the kinds. */
export class VmfaError extends Error {
  override readonly name: string = "VmfaError";
  readonly kind: string;
  readonly hints: readonly string[];
  readonly exitCode: number | null;

  constructor(kind: string, message: string, hints: readonly string[] = [], exitCode: number | null = null) {
    super([message, ...hints.map((hint) => `hint: ${hint}`)].join("\n"));
    this.kind = kind;
    this.hints = hints;
    this.exitCode = exitCode;
  }
}

/** The answer is no. */
export class Refused extends VmfaError {
  override readonly name: string = "Refused";
}

/** No device has this name, or none matches the pattern. */
export class NoSuchDevice extends Refused {
  override readonly name: string = "NoSuchDevice";
}

/** No code, or no pair, can be had in time. */
export class NotYet extends Refused {
  override readonly name: string = "NotYet";
  /** How long it takes. */
  readonly waitSeconds: number;
  readonly availableAt: Date;

  constructor(kind: string, message: string, hints: readonly string[], exitCode: number | null, seconds: number, at: Date) {
    super(kind, message, hints, exitCode);
    this.waitSeconds = seconds;
    this.availableAt = at;
  }
}

/** An argument is wrong. */
export class UsageError extends VmfaError {
  override readonly name: string = "UsageError";
}

/** The vault or the registry can't be used. */
export class StorageError extends VmfaError {
  override readonly name: string = "StorageError";
}

/** A server can't be used. */
export class ServerError extends VmfaError {
  override readonly name: string = "ServerError";
}

/** A source can't be read. */
export class InputError extends VmfaError {
  override readonly name: string = "InputError";
}

/** A signal ended a wait. */
export class Interrupted extends VmfaError {
  override readonly name: string = "Interrupted";
}

/** The `vmfa` program isn't installed. */
export class BinaryNotFound extends VmfaError {
  override readonly name: string = "BinaryNotFound";
}

const byExitCode = new Map<number | null, typeof VmfaError>([
  [1, Refused],
  [2, UsageError],
  [3, StorageError],
  [4, ServerError],
  [5, InputError],
]);

/**
 * Makes an error of what a failed command said: JSON on the last line, if anything.
 * @internal
 */
export function failure(said: string, exitCode: number | null): VmfaError {
  const text = said.trim();
  let answer: { code?: unknown; message?: unknown; hints?: unknown; wait_seconds?: unknown; available_at?: unknown };
  try {
    answer = JSON.parse(text.slice(text.lastIndexOf("\n") + 1)).error;
    if (typeof answer !== "object" || answer === null) throw new TypeError("not an error");
  } catch {
    return new VmfaError("crashed", `vmfa ended with exit code ${exitCode}: ${text.slice(-2000)}`, [], exitCode);
  }
  const kind = String(answer.code ?? "unknown");
  // Sources that aren't files go by stdin, which the caller doesn't see.
  const message = String(answer.message ?? "").replace(/^stdin: /, "");
  const hints = Array.isArray(answer.hints) ? answer.hints.map((hint) => inScript(String(hint))) : [];
  if (answer.wait_seconds !== undefined) {
    const at = new Date(String(answer.available_at));
    return new NotYet(kind, message, hints, exitCode, Number(answer.wait_seconds), at);
  }
  if (kind === "no-such-device") return new NoSuchDevice(kind, message, hints, exitCode);
  if (kind === "interrupted") return new Interrupted(kind, message, hints, exitCode);
  return new (byExitCode.get(exitCode) ?? VmfaError)(kind, message, hints, exitCode);
}

/** Names the property instead of the command's option: `--min-validity 10s` is `minValidity: "10s"`. */
function inScript(hint: string): string {
  const moves = /vmfa serve time \+(\w+)/.exec(hint);
  if (moves) return `to move virtual time: await server.advance("${moves[1]}")`;
  // A whole command is for the terminal, so its options stay what they are.
  if (hint.includes("vmfa ")) return hint;
  return hint.replace(
    /--(jump|min-validity|replace|rules|timeout|wait|window)\b(?: (\d+[smhd]))?/g,
    (_, option: string, value: string | undefined) => {
      const name = option.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
      return value === undefined ? name : `${name}: "${value}"`;
    },
  );
}
