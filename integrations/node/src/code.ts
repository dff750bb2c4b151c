// What commands answer, as values.

import type { Answer } from "./binary.js";

/** What a code knows of itself. */
export interface CodeDetails {
  /** The digits, as a plain string. */
  readonly digits: string;
  /** The name of the device that it is a code of, also where a pool was asked. */
  readonly device: string;
  /** The time step; none for a counter device. */
  readonly step: number | null;
  /** The counter of a counter device. */
  readonly counter: number | null;
  /** The first second of its time step. */
  readonly validFrom: Date | null;
  /** The first second after its time step. */
  readonly validUntil: Date | null;
  /** Whether it had been handed out before; never so if it is fresh. */
  readonly repeated: boolean;
  /** Names what was taken, to give it back; none for a counter device, or if nothing was taken. */
  readonly claim: string | null;
}

/**
 * A code, for whatever takes a string.
 *
 * It is a `String` object: to compare it with `===` or `toBe`, take its `digits`.
 */
export type Code = string & CodeDetails;

/** @internal */
export function codeOf(answer: Answer, device: unknown): Code {
  const digits = String(answer["code"]);
  const details: CodeDetails = {
    digits,
    device: String(device),
    step: (answer["step"] as number | undefined) ?? null,
    counter: (answer["counter"] as number | undefined) ?? null,
    validFrom: moment(answer["valid_from"]),
    validUntil: moment(answer["valid_until"]),
    repeated: answer["repeated"] === true,
    claim: (answer["claim"] as string | undefined) ?? null,
  };
  return Object.freeze(Object.assign(new String(digits), details)) as unknown as Code;
}

function moment(text: unknown): Date | null {
  return typeof text === "string" ? new Date(text) : null;
}

/** What `verify` says of codes. */
export interface Verdict {
  /** Whether the service would accept them. */
  readonly accepted: boolean;
  /** Why not, as docs/json.md lists it, such as `used` or `outside-window`. */
  readonly reason: string | null;
  /** The same in words. */
  readonly message: string;
  /** The time step of the last code, if it is known. */
  readonly step: number | null;
  /** How many steps the device is ahead, if that is known. */
  readonly driftSteps: number | null;
  /** Whether the code had been accepted before, if that is known. */
  readonly used: boolean | null;
}

/** @internal */
export function verdictOf(answer: Answer): Verdict {
  const known = <T>(key: string) => (answer[key] as T | undefined) ?? null;
  return {
    accepted: answer["accepted"] === true,
    reason: known("reason"),
    message: String(answer["message"] ?? ""),
    step: known("step"),
    driftSteps: known("drift_steps"),
    used: known("used"),
  };
}
