import type * as z from "zod/mini";
import { renderCanonicalJson, renderCanonicalPart } from "../base/canonical_json.ts";
import { type Finding, KprovError, LimitError, makeFinding } from "../base/error.ts";
import {
  checkStructure,
  isRecord,
  type JsonItem,
  type JsonOutline,
  JsonSplitter,
  listSchemaIssues,
  parseJsonText,
  type SchemaIssue,
} from "../base/strict_json.ts";
import {
  DOCUMENT_LIMITS,
  type DocumentBytes,
  type DocumentName,
  type DocumentTypes,
  LONGEST_ITEM,
  MOST_FILES,
  readText,
  SHARD_HINT,
} from "./documents.ts";
import { type ListPlan, PROVENANCE_LISTS, provenanceOutlineSchema } from "./provenance_schema.ts";
import { humanReviewSchema, runSummarySchema, toolchainSchema } from "./schemas.ts";

/** The schema of each document, less the items of its long lists. */
const OUTLINE_SCHEMAS: Readonly<Record<DocumentName, z.ZodMiniType>> = {
  "human_review.json": humanReviewSchema,
  "provenance.json": provenanceOutlineSchema,
  "run_summary.json": runSummarySchema,
  "toolchain.json": toolchainSchema,
};

const LISTS: Partial<Readonly<Record<DocumentName, readonly ListPlan[]>>> = {
  "provenance.json": PROVENANCE_LISTS,
};

/** A document that was read: its content where it fits the schema, and everything that is wrong with it. */
interface ReadDocument<T> {
  /** The content, or null where it cannot be trusted to have its form. */
  readonly value: T | null;
  /** The digest of its bytes; null where it is malformed. */
  readonly sha256: string | null;
  /** What is wrong; none for a document as kprov writes it. */
  readonly findings: readonly Finding[];
}

/**
 * Reads one document of a run as if it came from an enemy: bounded in size and depth before it is
 * parsed, one reading only, strict schema, canonical bytes. Lists of files are read item by item, so
 * that neither the document nor any long part of it is ever held as text.
 *
 * @param name Which document
 * @param bytes Its bytes
 * @returns The content, and findings `document.malformed`, `document.old_form`, `document.schema`
 * and `document.not_canonical`
 */
export function readDocument<N extends DocumentName>(
  name: N,
  bytes: DocumentBytes,
): ReadDocument<DocumentTypes[N]> {
  try {
    return readWellFormed(name, bytes);
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    const hint = error instanceof LimitError && name === "provenance.json" ? SHARD_HINT : null;
    return {
      value: null,
      sha256: null,
      findings: [makeFinding("document.malformed", error.message, { path: name, hint })],
    };
  }
}

function readWellFormed<N extends DocumentName>(
  name: N,
  bytes: DocumentBytes,
): ReadDocument<DocumentTypes[N]> {
  const limits = DOCUMENT_LIMITS[name];
  const faults = new DocumentFaults(name);
  const lists = new ListReader(LISTS[name] ?? [], faults);
  const splitter = new JsonSplitter(
    lists.plans.map(({ keys }) => keys),
    { ...limits, maxItem: LONGEST_ITEM, maxItems: MOST_FILES },
    (item) => lists.read(item),
  );
  const sha256 = readText(bytes, limits.maxBytes, (text) => splitter.write(text));
  const outline = readOutline(splitter.end(), faults);
  if (isOfOldForm(name, outline)) return { value: null, sha256, findings: [makeOldForm(name)] };
  lists.mark(outline);
  faults.addIssues(listSchemaIssues(OUTLINE_SCHEMAS[name], outline), "");
  lists.fill(outline);
  // The schemas have just been held against it.
  const value = faults.fitsSchema ? outline as DocumentTypes[N] : null;
  return { value, sha256, findings: faults.list() };
}

/**
 * Reads what a document holds outside of its long lists.
 *
 * @param outline Its text; the lists are empty
 * @param faults Takes what is wrong
 * @returns The value
 * @throws {KprovError} `data` where it is malformed
 */
function readOutline({ text, cuts }: JsonOutline, faults: DocumentFaults): unknown {
  const { value, difference, refusal } = readPart(text, renderCanonicalJson);
  if (refusal !== null) faults.addRefusal(refusal);
  if (difference !== null) {
    const cut = cuts.filter(({ offset }) => offset < difference);
    const linesCut = cut.reduce((sum, { lines }) => sum + lines, 0);
    faults.addDifference(1 + countLines(text, difference) + linesCut);
  }
  return value;
}

/** The last version whose documents had another form under the same schema ids. */
const OLD_VERSION = "1.0.0-rc.1";

/** Where a document of the old form has which keys and no others; toolchain.json stayed as it was. */
const OLD_KEYS: Partial<Readonly<Record<DocumentName, readonly [path: string[], keys: string]>>> = {
  "human_review.json": [[], "evidence_digest,history,note,reviewed_at,reviewer,schema,status"],
  "provenance.json": [["predicate", "runDetails"], "builder"],
  "run_summary.json": [["runtime_policy"], "range,satisfied"],
};

function isOfOldForm(name: DocumentName, outline: unknown): boolean {
  const old = OLD_KEYS[name];
  if (old === undefined) return false;
  const [path, keys] = old;
  let place = outline;
  for (const key of path) place = isRecord(place) && Object.hasOwn(place, key) ? place[key] : null;
  return isRecord(place) && Object.keys(place).sort().join() === keys;
}

function makeOldForm(path: DocumentName): Finding {
  return makeFinding(
    "document.old_form",
    `it has the form of kprov ${OLD_VERSION}, which this version does not read`,
    { path, hint: `kprov ${OLD_VERSION} reads it; to compare the run, record it again` },
  );
}

/** A run of a broken document would else print a finding for each of a million entries. */
const MOST_ISSUES = 100;

/** What is found wrong with a document while it is read part by part. */
class DocumentFaults {
  readonly #name: DocumentName;
  readonly #issues: SchemaIssue[] = [];
  #issueCount = 0;
  #line: number | null = null;
  #refusal: string | null = null;

  /**
   * Starts without any.
   *
   * @param name The document
   */
  constructor(name: DocumentName) {
    this.#name = name;
  }

  /** Whether the document has its form, as far as it was read. */
  get fitsSchema(): boolean {
    return this.#issueCount === 0;
  }

  /**
   * Notes where a part is not what its schema says.
   *
   * @param issues The places
   * @param pointer Where the part stands in the document
   */
  addIssues(issues: readonly SchemaIssue[], pointer: string): void {
    this.#issueCount += issues.length;
    for (const issue of issues.slice(0, MOST_ISSUES - this.#issues.length)) {
      this.#issues.push({ ...issue, pointer: `${pointer}${issue.pointer}` });
    }
  }

  /**
   * Notes that the bytes are not in canonical form; of several places the first one counts.
   *
   * @param line From which line on
   */
  addDifference(line: number): void {
    this.#line = Math.min(this.#line ?? line, line);
  }

  /**
   * Notes a value that has no canonical form.
   *
   * @param reason Which one
   */
  addRefusal(reason: string): void {
    this.#refusal ??= reason;
  }

  /** Everything that was noted, as findings. */
  list(): Finding[] {
    const path = this.#name;
    const findings = this.#issues.map(({ pointer, message }) =>
      makeFinding("document.schema", `${pointer === "" ? "the document" : pointer}: ${message}`, {
        path,
      })
    );
    const more = this.#issueCount - this.#issues.length;
    if (more > 0) {
      findings.push(makeFinding("document.schema", `${more} more places differ`, { path }));
    }
    return [...findings, ...this.#listForm()];
  }

  #listForm(): Finding[] {
    const [path, line] = [this.#name, this.#line];
    if (this.#refusal !== null) {
      return [makeFinding("document.not_canonical", this.#refusal, { path })];
    }
    if (line === null) return [];
    return [makeFinding("document.not_canonical", "it is not in canonical form from this line on", {
      path,
      line,
      hint: "its bytes were changed after kprov wrote it",
    })];
  }
}

/** A part of a document that was parsed. */
interface DocumentPart {
  /** What it holds. */
  readonly value: unknown;
  /** Where its text first differs from its canonical form, or null where it does not. */
  readonly difference: number | null;
  /** Why it has no canonical form, or null where it has. */
  readonly refusal: string | null;
}

/**
 * Parses the text of a part of a document, in one reading only, and holds it against its canonical
 * form.
 *
 * @param text The text; its depth is bounded already
 * @param render Renders a value as it should stand there
 * @returns The part
 * @throws {KprovError} `data` where it is no JSON, or can be read in more than one way
 */
function readPart(text: string, render: (value: unknown) => string): DocumentPart {
  const value = tryParse(text);
  const canonical = value === undefined ? null : tryRender(value, render);
  // Text that is what its own value renders to has no key twice, and no lone surrogate.
  if (canonical === text && !text.includes("__proto__")) {
    return { value, difference: null, refusal: null };
  }
  checkStructure(text, Infinity);
  if (value === undefined) parseJsonText(text);
  if (typeof canonical !== "string") {
    return { value, difference: null, refusal: canonical?.message ?? null };
  }
  return {
    value,
    difference: canonical === text ? null : findFirstDifference(text, canonical),
    refusal: null,
  };
}

/** The value, or undefined, which no JSON means. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tryRender(value: unknown, render: (value: unknown) => string): string | KprovError {
  try {
    return render(value);
  } catch (error) {
    if (error instanceof KprovError) return error;
    throw error;
  }
}

function findFirstDifference(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  return i;
}

/**
 * Counts the line ends before an offset.
 *
 * @param text The text
 * @param end The offset
 */
export function countLines(text: string, end: number): number {
  let lines = 0;
  for (let i = text.indexOf("\n"); i >= 0 && i < end; i = text.indexOf("\n", i + 1)) lines++;
  return lines;
}

/** Reads the items of a document's long lists. */
class ListReader {
  /** The lists. */
  readonly plans: readonly ListPlan[];
  readonly #faults: DocumentFaults;
  readonly #items: readonly unknown[][];
  readonly #isFilled: boolean[];

  /**
   * Makes a reader for one document.
   *
   * @param plans Its lists, in the order in which they stand in a canonical document
   * @param faults Takes what is wrong
   */
  constructor(plans: readonly ListPlan[], faults: DocumentFaults) {
    this.plans = plans;
    this.#faults = faults;
    this.#items = plans.map(() => []);
    this.#isFilled = plans.map(() => false);
  }

  /**
   * Reads one item.
   *
   * @param item Its text
   * @throws {KprovError} `data` where it is malformed
   */
  read(item: JsonItem): void {
    const isNone = item.isLast && item.index === 0 && /^[ \t\n\r]*$/.test(item.text);
    if (isNone) {
      if (item.text !== "") this.#faults.addDifference(item.line);
      return;
    }
    this.#isFilled[item.list] = true;
    this.#keep(item, this.#parse(item));
  }

  #parse({ list, text, line, isLast }: JsonItem): unknown {
    const outer = "  ".repeat(this.plans[list]?.keys.length ?? 0);
    const inner = `${outer}  `;
    const end = isLast ? `\n${outer}` : "";
    const { value, difference, refusal } = readPart(
      text,
      (value) => `\n${inner}${renderCanonicalPart(value, inner)}${end}`,
    );
    if (refusal !== null) this.#faults.addRefusal(refusal);
    if (difference !== null) this.#faults.addDifference(line + countLines(text, difference));
    return value;
  }

  #keep({ list, index }: JsonItem, value: unknown): void {
    const plan = this.plans[list];
    if (plan === undefined) return;
    this.#faults.addIssues(
      listSchemaIssues(plan.schemaOf(index), value),
      `/${plan.keys.join("/")}/${index}`,
    );
    // Nothing of a document that has not its form is used.
    if (!this.#faults.fitsSchema) return;
    this.#items[list]?.push(value);
  }

  /**
   * Puts a mark into each list of an outline that had items, so that the list counts as filled.
   *
   * @param outline The document without the items
   */
  mark(outline: unknown): void {
    this.#put(outline, (list) => this.#isFilled[list] === true ? [null] : []);
  }

  /**
   * Puts the items into the lists of an outline.
   *
   * @param outline The document without them
   */
  fill(outline: unknown): void {
    this.#put(outline, (list) => this.#items[list] ?? []);
  }

  #put(outline: unknown, listOf: (list: number) => readonly unknown[]): void {
    for (const [list, { keys }] of this.plans.entries()) {
      let holder = outline;
      for (const key of keys.slice(0, -1)) holder = isRecord(holder) ? holder[key] : null;
      const last = keys.at(-1) ?? "";
      if (isRecord(holder) && Array.isArray(holder[last])) holder[last] = listOf(list);
    }
  }
}
