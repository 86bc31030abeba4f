/** What went wrong, as far as a caller can act on it; each maps to one exit code. */
export type KprovErrorCode =
  | "usage"
  | "data"
  | "fault"
  | "cannot_create"
  | "io"
  | "permission"
  | "policy"
  | "runtime"
  | "cannot_start"
  | "not_found"
  | "interrupted";

/** Exit code of each error, after sysexits(3) where that has one, and after the shell for commands. */
export const EXIT_CODE_OF_ERROR: Readonly<Record<KprovErrorCode, number>> = {
  runtime: 1,
  usage: 64,
  data: 65,
  fault: 70,
  cannot_create: 73,
  io: 74,
  permission: 77,
  policy: 78,
  cannot_start: 126,
  not_found: 127,
  interrupted: 130,
};

/** Options of {@linkcode KprovError}. */
export interface KprovErrorOptions {
  /** What the reader can do about it, one line. */
  readonly hint?: string | undefined;
  /** Why, as it is put behind the message and a colon. */
  readonly reason?: string | undefined;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * An unmet precondition. The message is one line without a final period, with every name in it
 * already escaped by `quote()`.
 *
 * @example
 * ```ts
 * import { KprovError, parseProvenance } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * function read(value: unknown): string {
 *   try {
 *     return parseProvenance(value).predicateType;
 *   } catch (error) {
 *     if (error instanceof KprovError && error.code === "data") return "no provenance";
 *     throw error;
 *   }
 * }
 * assertEquals(read({}), "no provenance");
 * ```
 */
export class KprovError extends Error {
  /** The class's name, also across module instances. */
  override readonly name = "KprovError";
  /** What went wrong. */
  readonly code: KprovErrorCode;
  /** What the reader can do about it, or null. */
  readonly hint: string | null;
  /** Why, where the end of the message says so behind a colon, or null. */
  readonly reason: string | null;

  /**
   * Makes an error.
   *
   * @param code What went wrong
   * @param message One line, without a final period; what failed, where a reason follows
   * @param options The hint, the reason and the cause, where there are any
   */
  constructor(code: KprovErrorCode, message: string, options: KprovErrorOptions = {}) {
    const { reason } = options;
    super(reason === undefined ? message : `${message}: ${reason}`, { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? null;
    this.reason = reason ?? null;
  }
}

/** Data that is larger than is supported; the message names the limit. */
export class LimitError extends KprovError {
  /**
   * Makes an error.
   *
   * @param message One line, without a final period
   */
  constructor(message: string) {
    super("data", message);
  }
}
