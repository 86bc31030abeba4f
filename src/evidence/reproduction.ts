import { type Finding, makeFinding, sortFindings } from "../base/error.ts";
import { escapeText, quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/text.ts";
import { diffRuntimes } from "./diff.ts";
import { listProducts, nameContent, type RecordedFile } from "./provenance.ts";
import type { Run } from "./documents.ts";
import {
  buildToolchain,
  type RecordedRuntime,
  type RecordedTool,
  type Toolchain,
  toToolchainFacts,
} from "./toolchain.ts";

/** What can be varied when a command is run again. */
export const VARIATION_KINDS = ["time", "locale", "cwd", "order", "cores"] as const;

/** One of them. */
export type VariationKind = typeof VARIATION_KINDS[number];

/** What is not as it was when a command is run again. */
export interface Variation {
  /** What is varied. */
  readonly kind: VariationKind;
  /** How, such as `a clock 400 days ahead`. */
  readonly how: string;
}

/** What came of running a recorded command again, once. */
export interface Repetition {
  /** What was varied; null where nothing was. */
  readonly variation: Variation | null;
  /** Its exit code. */
  readonly exitCode: number;
  /** The products that it made, in any order. */
  readonly products: readonly RecordedFile[];
}

/** What two versions of a file have in common beyond their difference. */
export type OnlyDifference = "order of lines" | "time stamps";

/** A line that differs. */
interface DifferentLine {
  /** Which, from 1. */
  readonly number: number;
  /** What the first version has there, cut around the difference; null where it has ended. */
  readonly before: string | null;
  /** What the second has, likewise. */
  readonly after: string | null;
}

/** How two versions of a file differ. */
export interface ContentDifference {
  /** Where the first byte is that differs, from 0. */
  readonly offset: number;
  /** The first line that differs; null where one of the two is no text. */
  readonly line: DifferentLine | null;
  /** What alone differs; null where more does, or where that was not to be told. */
  readonly only: OnlyDifference | null;
}

/** A product that is not the same in one repetition as where nothing was varied. */
export interface ProductDifference {
  /** Which product. */
  readonly path: string;
  /** In which repetition, from 0. */
  readonly repetition: number;
  /** Since when: in the repetition of that number, or in the record, which is null. */
  readonly since: number | null;
  /** What it is there; null where it is not. */
  readonly before: RecordedFile | null;
  /** What it is in this repetition; null where it is not. */
  readonly after: RecordedFile | null;
}

/**
 * Holds the tools at hand against those that a run records.
 *
 * @param run A run that verifies
 * @param found The tools at hand, each name once
 * @param faults Why others are there and cannot be started, by name
 * @returns Findings `tool.changed`, `tool.missing`, `tool.unstartable` and `tool.unexpected`, and of a
 * command that was watched notes `tool.unseen`, sorted
 */
export function checkTools(
  run: Run,
  found: readonly RecordedTool[],
  faults: ReadonlyMap<string, string> = new Map(),
): readonly Finding[] {
  const { tools = [] } = run.documents["toolchain.json"];
  return compare(
    tools.map(toNamed),
    found.map(toNamed),
    (name, state, digests) => {
      const path = "toolchain.json";
      const fault = faults.get(name);
      if (fault !== undefined) {
        const message = `${quote(name)} exists, but cannot be started: ${fault}`;
        return makeFinding("tool.unstartable", message, { path });
      }
      if (state === "missing" && isObserved(run)) {
        const message = `${
          quote(name)
        } ran, and is not in PATH: it was not compared with the record`;
        return makeFinding("tool.unseen", message, { level: "note", path });
      }
      return makeFinding(`tool.${state}`, `${quote(name)} ${TOOL_STATES[state]}${digests}`, {
        path,
      });
    },
  );
}

/** A command that was watched started programs that nobody named, some of them by their paths. */
function isObserved({ documents }: Run): boolean {
  return documents["run_summary.json"].observation !== null;
}

/**
 * Holds the runtimes at hand, with their packages, against those that a run records.
 *
 * @param run A run that verifies
 * @param found The runtimes at hand
 * @returns Findings `runtime.changed`, `package.changed` and the like, those of runtimes first
 */
export function checkRuntimes(run: Run, found: readonly RecordedRuntime[]): readonly Finding[] {
  const recorded = run.documents["toolchain.json"];
  const now = buildToolchain({ ...toToolchainFacts(recorded), runtimes: found });
  return diffRuntimes(recorded, now).map(({ kind, name, change, before, after }) =>
    makeFinding(
      `${kind}.${CHANGE_STATES[change]}`,
      `${kind} ${escapeText(name)} ${before ?? "(not recorded)"} -> ${after ?? "(not there)"}`,
      {
        path: "toolchain.json",
        level: kind === "runtime" && change === "removed" && isObserved(run) ? "note" : "error",
      },
    )
  );
}

/**
 * Holds the kprov that runs a command again, and the Deno that it runs on, against those that recorded the
 * run. What the command makes does not depend on them; the evidence of another run does.
 *
 * @param run A run that verifies
 * @param now What runs it again
 * @returns Notes `toolchain.changed`
 */
export function checkRecorder(
  run: Run,
  now: Pick<Toolchain, "kprov" | "deno">,
): readonly Finding[] {
  const recorded = run.documents["toolchain.json"];
  return (["kprov", "deno"] as const).filter((name) => recorded[name] !== now[name]).map((name) =>
    makeFinding("toolchain.changed", `${name} ${recorded[name]} -> ${now[name]}`, {
      path: "toolchain.json",
      level: "note",
    })
  );
}

/**
 * Finds the products that differ among the repetitions of a recorded command: those of the first from the
 * record, and those of every other from the first.
 *
 * @param run A run of a command that verifies
 * @param repetitions What came of running it again; in the first, nothing is varied
 * @returns The differences, by repetition and path; a product that differs with nothing varied is told
 * once, and never as the work of a variation
 */
export function findProductDifferences(
  run: Run,
  repetitions: readonly Repetition[],
): ProductDifference[] {
  const [first, ...others] = repetitions;
  if (first === undefined) return [];
  const recorded = listProducts(run.documents["provenance.json"])
    .map(({ name, digest, annotations }) => ({ name, sha256: digest.sha256, ...annotations }));
  const numbered = others.map((repetition, i) => ({ ...repetition, number: i + 1 }));
  const unsteady = new Set<string>();
  const differences = compareProducts(recorded, first.products)
    .map((difference) => ({ ...difference, repetition: 0, since: null as number | null }));
  const plain = numbered.filter(({ variation }) => variation === null);
  const varied = numbered.filter(({ variation }) => variation !== null);
  for (const { products, number } of [...plain, ...varied]) {
    const changed = compareProducts(first.products, products)
      .filter(({ path }) => !unsteady.has(path));
    differences.push(
      ...changed.map((difference) => ({ ...difference, repetition: number, since: 0 })),
    );
    if (plain.some((repetition) => repetition.number === number)) {
      for (const { path } of changed) unsteady.add(path);
    }
  }
  return differences.sort((a, b) => a.repetition - b.repetition);
}

/** As {@linkcode ProductDifference} has them. */
type Versions = Pick<ProductDifference, "path" | "before" | "after">;

function compareProducts(
  before: readonly RecordedFile[],
  after: readonly RecordedFile[],
): Versions[] {
  const [old, now] = [before, after].map((files) =>
    new Map(files.map((file) => [file.name, file]))
  );
  const names = [...new Set([...before, ...after].map(({ name }) => name))].sort(compareUtf8);
  return names.flatMap((path): Versions[] => {
    const [one = null, other = null] = [old?.get(path), now?.get(path)];
    const isSame = one?.sha256 === other?.sha256 && one?.kind === other?.kind;
    return isSame ? [] : [{ path, before: one, after: other }];
  });
}

/** What is known of the repetitions beside what came out. */
interface Knowledge {
  /** How the two versions of a product differ; null where one is not at hand. */
  readonly contents?: ReadonlyMap<ProductDifference, ContentDifference | null>;
  /** Whether the command had nothing but its inputs and the recorded programs. */
  readonly isIsolated?: boolean;
}

/**
 * Holds what a recorded command made, run again, against what the run records of it, and what it made
 * while something was varied against what it made while nothing was.
 *
 * @param run A run of a command that verifies
 * @param repetitions What came of running it again; in the first, nothing is varied
 * @param differences As {@linkcode findProductDifferences} finds them there
 * @param knowledge What else is known
 * @returns Findings `command.exit_code`, `product.changed`, `product.missing` and `product.unexpected`
 * where the first differs from the record, `command.unstable` and `product.unstable` where a later one
 * does from the first, and `variation.time` and the like where something was varied, sorted
 */
export function checkRepetitions(
  run: Run,
  repetitions: readonly Repetition[],
  differences: readonly ProductDifference[],
  knowledge: Knowledge = {},
): readonly Finding[] {
  const changed = new Set(
    differences.flatMap(({ since, path }) => since === null ? [path] : []),
  );
  return sortFindings([
    ...checkExitCodes(run, repetitions, knowledge),
    ...differences.map((difference) => {
      const variation = repetitions[difference.repetition]?.variation ?? null;
      const finding = describeProduct(difference, variation, knowledge);
      return variation === null || !changed.has(difference.path)
        ? finding
        : { ...finding, hint: "it also differs with nothing varied, so this may be chance" };
    }),
  ]);
}

function describeProduct(
  difference: ProductDifference,
  variation: Variation | null,
  { contents }: Knowledge,
): Finding {
  const { path, repetition, since, before, after } = difference;
  const state: State = before === null ? "unexpected" : after === null ? "missing" : "changed";
  const content = contents?.get(difference);
  const versions = before === null || after === null
    ? ""
    : describeVersions(before, after, since, content);
  if (since === null) {
    const message = `the product ${PRODUCT_STATES[state]}${versions}`;
    return makeFinding(`product.${state}`, message, { path });
  }
  const code = variation === null ? "product.unstable" : `variation.${variation.kind}`;
  const where = variation === null
    ? `in run ${repetition + 1}, with nothing varied`
    : `with ${variation.how}`;
  return makeFinding(code, `the product ${REPEATED_STATES[state]} ${where}${versions}`, { path });
}

function describeVersions(
  before: RecordedFile,
  after: RecordedFile,
  since: number | null,
  content: ContentDifference | null | undefined,
): string {
  const [one, other] = [before, after].map(({ kind, sha256 }) => nameContent(kind, sha256));
  const areFiles = before.kind === "file" && after.kind === "file";
  const digests = since === null
    ? [`expected ${one}, found ${other}`]
    : areFiles
    ? []
    : [`${one}, then ${other}`];
  if (!areFiles) return `: ${digests.join("")}`;
  const sizes = before.size === after.size
    ? `${countBytes(before.size)} both times`
    : `${countBytes(before.size)}, then ${countBytes(after.size)}`;
  return `: ${[...digests, sizes, ...describeContent(content)].join("; ")}`;
}

function describeContent(content: ContentDifference | null | undefined): string[] {
  if (content === undefined) return [];
  if (content === null) return ["the recorded version is not available"];
  const { only, line, offset } = content;
  const place = line === null
    ? `the first difference is at byte ${offset}`
    : `the first difference is in line ${line.number}: ${showLine(line.before)} -> ${
      showLine(line.after)
    }`;
  return [...(only === null ? [] : [ONLY[only]]), place];
}

const ONLY: Readonly<Record<OnlyDifference, string>> = {
  "order of lines": "only the order of lines differs",
  "time stamps": "only time stamps differ",
};

function showLine(line: string | null): string {
  return line === null ? "(no such line)" : quote(line);
}

function countBytes(size: number): string {
  return size === 1 ? "1 byte" : `${size} bytes`;
}

function checkExitCodes(
  run: Run,
  [first, ...others]: readonly Repetition[],
  { isIsolated = false }: Knowledge,
): Finding[] {
  const { exit_code } = run.documents["run_summary.json"];
  if (first === undefined) return [];
  const recorded = first.exitCode === exit_code ? [] : [
    makeFinding(
      "command.exit_code",
      `the command ended with ${first.exitCode}, recorded is ${exit_code}`,
      { hint: first.exitCode === 0 ? null : isIsolated ? HINT_ISOLATED : HINT },
    ),
  ];
  return [
    ...recorded,
    ...others.flatMap(({ variation, exitCode }, i) => {
      if (exitCode === first.exitCode) return [];
      const where = variation === null
        ? `in run ${i + 2}, with nothing varied,`
        : `with ${variation.how}`;
      const code = variation === null ? "command.unstable" : `variation.${variation.kind}`;
      const message = `${where} the command ended with ${exitCode}, before with ${first.exitCode}`;
      return [makeFinding(code, message)];
    }),
  ];
}

const HINT = "everything that the command reads must be an input, its scripts too";

const HINT_ISOLATED =
  "only the inputs, the recorded programs and the variables of --env exist there, and no " +
  "network; --observe names the files that the command misses";

const CHANGE_STATES = { added: "unexpected", removed: "missing", changed: "changed" } as const;

type State = "changed" | "missing" | "unexpected";

const TOOL_STATES: Readonly<Record<State, string>> = {
  changed: "is a different program now",
  missing: "is recorded, but not found now",
  unexpected: "is used now, but is not recorded",
};

const PRODUCT_STATES: Readonly<Record<State, string>> = {
  changed: "is different",
  missing: "was not made",
  unexpected: "was made, but is not recorded",
};

const REPEATED_STATES: Readonly<Record<State, string>> = {
  changed: PRODUCT_STATES.changed,
  missing: PRODUCT_STATES.missing,
  unexpected: "was made, but not before,",
};

/** A program with its content in words. */
interface Named {
  readonly name: string;
  readonly content: string;
}

function toNamed({ name, sha256 }: RecordedTool): Named {
  return { name, content: `sha256:${sha256}` };
}

type Describe = (name: string, state: State, contents: string) => Finding;

function compare(
  recorded: readonly Named[],
  found: readonly Named[],
  describe: Describe,
): Finding[] {
  const foundByName = new Map(found.map(({ name, content }) => [name, content]));
  const known = new Set(recorded.map(({ name }) => name));
  const findings = recorded.flatMap(({ name, content }) => {
    const now = foundByName.get(name);
    if (now === undefined) return [describe(name, "missing", "")];
    if (now === content) return [];
    return [describe(name, "changed", `: expected ${content}, found ${now}`)];
  });
  const unexpected = found.filter(({ name }) => !known.has(name));
  return sortFindings([
    ...findings,
    ...unexpected.map(({ name }) => describe(name, "unexpected", "")),
  ]);
}

const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}";
const MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}";
const ZONE = "(?:Z|[A-Z]{3,5}|[+-][0-9]{2}(?::?[0-9]{2})?)";
const CLOCK = "[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[AP]M)?";
const TIME = `${CLOCK}(?: ?${ZONE})?`;
const DIGIT_CLOCK = "[0-9]{2}[:.-]?[0-9]{2}(?:[:.-]?[0-9]{2}(?:[.,][0-9]{1,9})?)?";

/**
 * What is taken for a time stamp; docs/reproduce.md lists it. Every part is bounded, so that a line costs
 * no more than its length.
 */
const TIME_STAMPS: readonly string[] = [
  // ISO 8601 and its kin: 2026-02-15, 2026-02-15T20:13:00.123Z, 2026/02/15 20:13, 2026-02-15T20-13-00Z
  `[0-9]{4}([-/])[0-9]{2}\\1[0-9]{2}(?:(?:T${DIGIT_CLOCK}|[T _]${CLOCK})(?: ?${ZONE})?)?`,
  // In digits, as in names and, with the quoted zone, in PDF: 20260215T201300Z, 20260215201300+01'00'
  "[0-9]{8}[T_-]?[0-9]{6}(?:Z|[+-][0-9]{2}'?[0-9]{2}'?)?",
  // RFC 5322, HTTP and date(1): Sun, 15 Feb 2026 20:13:00 GMT, Sun 15 Feb 2026 08:13:00 PM UTC,
  // 15-Feb-2026
  `(?:${DAY},? )?[0-9]{1,2}[ -]${MONTH}[ -][0-9]{4}(?: ${TIME})?`,
  // ctime(3) and date(1): Sun Feb 15 20:13:00 UTC 2026
  `${DAY} ${MONTH} [ 0-9]?[0-9] ${CLOCK}(?: [A-Z]{3,5})? [0-9]{4}`,
  // C's __DATE__, ls(1), syslog: Feb 15 2026, Feb 15, 2026 20:13:00, Feb 15 20:13
  `${MONTH} [ 0-9]?[0-9](?:,? {1,2}[0-9]{4}(?: ${TIME})?| ${TIME})`,
  // 2/15/2026, 15.02.2026
  `[0-9]{1,2}([/.])[0-9]{1,2}\\2[0-9]{4}(?: ${TIME})?`,
  // 20:13:00, 20:13:00.123+01:00
  `[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?: ?[AP]M)?(?: ?${ZONE})?`,
  // Seconds since 1970, or thousandths and so on of them, of the years 2001 to 2033
  "1[0-9]{9}(?:[0-9]{3}){0,3}(?:[.][0-9]{1,9})?",
];

const TIME_STAMP = new RegExp(
  `(?<![0-9A-Za-z])(?:${TIME_STAMPS.join("|")})(?![0-9A-Za-z])`,
  "g",
);

/** Stands for a time stamp; no byte is read as it. */
const MASK = "\u23f1";

/** It has a character for each byte, whatever they mean. */
const DECODER = new TextDecoder("latin1");

/** The text of bytes, a character for each, without what its time stamps say. */
export function maskTimeStamps(bytes: Uint8Array): string {
  return DECODER.decode(bytes).replace(TIME_STAMP, MASK);
}
