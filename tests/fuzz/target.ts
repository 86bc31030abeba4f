import { KprovError, type KprovErrorCode } from "../../src/base/error.ts";
import type { RepositoryFacts } from "../../src/guards/guard.ts";

/** What is fuzzed: inputs to start from, and what must hold for every change of them. */
export interface FuzzTarget {
  /** Its name. */
  readonly name: string;
  /** Inputs to start from. */
  readonly seeds: readonly Uint8Array[];
  /** Words that mean something in the format. */
  readonly words: readonly string[];
  /** Reads an input, and throws where it is refused or where kprov is wrong. */
  readonly run: (input: Uint8Array) => void;
  /** The codes of errors that refuse an input; every other error is kprov's own. */
  readonly refusals: readonly KprovErrorCode[];
}

/** A text as UTF-8. */
export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of some bytes, whatever they are. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Lets an error of the kinds named pass; every other, a fault of kprov's above all, goes through. */
export function expect(codes: readonly KprovErrorCode[], run: () => void): void {
  try {
    run();
  } catch (error) {
    if (error instanceof KprovError && codes.includes(error.code)) return;
    throw error;
  }
}

/** A repository in which git tracks one file. */
export function makeFacts(
  path: string,
  bytes: Uint8Array,
  facts: Partial<RepositoryFacts>,
): RepositoryFacts {
  return {
    tracked: [{ path, kind: "file" }],
    contents: new Map([[path, { ok: true, bytes }]]),
    yaml: new Map(),
    hits: [],
    runningDeno: "2.9.6",
    governance: null,
    ...facts,
  };
}
