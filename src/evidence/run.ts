import { KprovError, LimitError } from "../base/error.ts";
import { createSha256 } from "../base/sha256.ts";
import type { HumanReview } from "./human_review.ts";
import type { Provenance } from "./provenance.ts";
import type { RunSummary } from "./run_summary.ts";
import type { Toolchain } from "./toolchain.ts";

/** The documents of a run, in the order in which they are listed and written. */
export const DOCUMENT_NAMES = [
  "human_review.json",
  "provenance.json",
  "run_summary.json",
  "toolchain.json",
] as const;

/** The name of one document of a run. */
export type DocumentName = typeof DOCUMENT_NAMES[number];

/** How large a document may be. */
interface DocumentLimits {
  /** Most bytes. */
  readonly maxBytes: number;
  /** Most characters outside of the lists of files, which are read item by item. */
  readonly maxOutline: number;
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number;
}

/** How large provenance.json may be, whether it is written or read. */
export const PROVENANCE_LIMITS: DocumentLimits = {
  maxBytes: 2 * 2 ** 30,
  maxOutline: 16 * 2 ** 20,
  maxDepth: 16,
};

/** Most inputs of a run, and most products: what fits into the memory that a process is given. */
export const MOST_FILES = 2_000_000;

/** Longest text of one item in a list of files; the longest path of a system takes a fraction. */
export const LONGEST_ITEM = 2 ** 20;

/** What to do about a run that is too large. */
export const SHARD_HINT = "record the inputs in several runs, with --shard I/N";

/**
 * Refuses a run of more files than are supported.
 *
 * @param count How many
 * @param what What they are
 * @throws {KprovError} `data`
 */
export function checkFileCount(count: number, what: "inputs" | "products"): void {
  if (count <= MOST_FILES) return;
  throw new KprovError(
    "data",
    `Cannot record ${count} ${what}: a run holds at most ${MOST_FILES}`,
    { hint: SHARD_HINT },
  );
}

/** What each document of a run holds. */
export interface DocumentTypes {
  /** Who judged the run. */
  readonly "human_review.json": HumanReview;
  /** What went in and came out. */
  readonly "provenance.json": Provenance;
  /** The circumstances. */
  readonly "run_summary.json": RunSummary;
  /** What did it. */
  readonly "toolchain.json": Toolchain;
}

/** A run directory with the bytes of its files. */
export interface RunFiles {
  /** The directory's name, which is the run's id; null where it is not known. */
  readonly name: string | null;
  /** The bytes of every file in it, by name; each file is read at most once. */
  readonly files: ReadonlyMap<string, DocumentBytes>;
}

/** The four documents of a run, parsed, with the digests of their bytes. */
export interface Run {
  /** What each document holds. */
  readonly documents: DocumentTypes;
  /** Digest of each document's bytes. */
  readonly digests: Readonly<Record<DocumentName, string>>;
}

/** How large each document may be, whether it is written or read. */
export const DOCUMENT_LIMITS: Readonly<Record<DocumentName, DocumentLimits>> = {
  "human_review.json": { maxBytes: 16 * 2 ** 20, maxOutline: 16 * 2 ** 20, maxDepth: 16 },
  "provenance.json": PROVENANCE_LIMITS,
  "run_summary.json": { maxBytes: 2 ** 20, maxOutline: 2 ** 20, maxDepth: 16 },
  "toolchain.json": { maxBytes: 16 * 2 ** 20, maxOutline: 16 * 2 ** 20, maxDepth: 16 },
};

/**
 * The bytes of a document: whole, or in pieces that are read once and last until the next is asked for.
 *
 * @example Where a document is cut makes no difference
 * ```ts
 * import { type DocumentBytes, readRun } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * function digest(bytes: DocumentBytes): string | undefined {
 *   const files = new Map([["toolchain.json", bytes]]);
 *   return readRun({ name: null, files }).digests["toolchain.json"];
 * }
 *
 * const whole = new TextEncoder().encode("{}\n");
 * assertEquals(digest([whole.subarray(0, 1), whole.subarray(1)]), digest(whole));
 * ```
 */
export type DocumentBytes = Uint8Array | Iterable<Uint8Array>;

/**
 * Decodes and digests the bytes of a document in one pass. What is wrong is reported in this order,
 * wherever it stands and however the bytes come: too many of them, a byte order mark, invalid UTF-8,
 * and what the taker of the text refuses.
 *
 * @param bytes The bytes
 * @param maxBytes No more of them are read
 * @param take Is called with the text, in parts that may end anywhere
 * @returns The digest of the bytes
 * @throws {KprovError} `data`; the message is a reason such as `it is not valid UTF-8`
 */
export function readText(
  bytes: DocumentBytes,
  maxBytes: number,
  take: (text: string) => void,
): string {
  const hash = createSha256();
  const decoder = new Utf8Decoder();
  const guard = new FirstFault();
  let size = 0;
  for (const piece of bytes instanceof Uint8Array ? partBytes(bytes) : bytes) {
    size += piece.length;
    if (size > maxBytes) throw new LimitError(`it is larger than ${maxBytes} bytes`);
    hash.update(piece);
    const text = decoder.decode(piece);
    guard.run(() => take(text));
  }
  decoder.end();
  guard.end();
  return hash.digest("hex");
}

/** Most bytes that are decoded at once: what is made of them should stay in the cache. */
const PIECE = 256 * 1024;

function* partBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += PIECE) yield bytes.subarray(i, i + PIECE);
}

/** The first bytes one by one, as many as a byte order mark has, and the others. */
function partStart(bytes: Uint8Array): Uint8Array[] {
  return [0, 1, 2, 3]
    .map((i) => bytes.subarray(i, i < 3 ? i + 1 : bytes.length))
    .filter(({ length }) => length > 0);
}

/** Strict UTF-8, in pieces; a fault is thrown in the end, and nothing comes out behind it. */
class Utf8Decoder {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #fault = new FirstFault();
  #isAtStart = true;

  decode(piece?: Uint8Array): string {
    let text = "";
    // The first character comes alone, so that no fault behind it is found before it is looked at.
    for (const part of this.#isAtStart && piece !== undefined ? partStart(piece) : [piece]) {
      this.#fault.run(() => text += this.#decode(part));
    }
    return text;
  }

  end(): void {
    this.decode();
    this.#fault.end();
  }

  #decode(piece?: Uint8Array): string {
    try {
      const text = this.#decoder.decode(piece, { stream: piece !== undefined });
      if (!this.#isAtStart || text === "") return text;
      this.#isAtStart = false;
      if (!text.startsWith("\uFEFF")) return text;
    } catch (cause) {
      throw new KprovError("data", "it is not valid UTF-8", { cause });
    }
    throw new KprovError("data", "it starts with a byte order mark");
  }
}

/** Does things until one of them finds a fault in the data, which it holds until the end. */
class FirstFault {
  #fault: KprovError | null = null;

  run(action: () => void): void {
    if (this.#fault !== null) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof KprovError) || error.code !== "data") throw error;
      this.#fault = error;
    }
  }

  end(): void {
    if (this.#fault !== null) throw this.#fault;
  }
}
