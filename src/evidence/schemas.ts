import * as z from "zod/mini";
import { renderCanonicalJson, sha256Hex } from "../base/canonical_json.ts";
import { KprovError } from "../base/error.ts";
import { type JsonLimits, parseStrictJson, parseWithSchema } from "../base/strict_json.ts";
import { checkLists, describeNameFault } from "./check_names.ts";
import { describeVariableFault, LARGEST_EXIT_CODE } from "./command.ts";
import {
  describeMisdated,
  type HumanReview,
  listDecisions,
  PERSON_TEXT,
  REVIEW_MEANINGS,
  type ReviewDecision,
} from "./human_review.ts";
import type { RecordedFile } from "./provenance.ts";
import { parseUtcSecond, type RunSummary, type RuntimeCheck, type Source } from "./run_summary.ts";
import type {
  PackageSource,
  RecordedPackage,
  RecordedRuntime,
  RecordedTool,
  Toolchain,
} from "./toolchain.ts";

/** 64 lowercase hex digits. */
export const sha256Schema = z.string().check(
  z.regex(/^[0-9a-f]{64}$/, { error: "expected 64 lowercase hex digits" }),
);

/** A count or a size in bytes. */
export const countSchema = z.int({ error: "expected a whole number from 0 to 2^53-1" }).check(
  z.nonnegative({ error: "expected a whole number from 0 to 2^53-1" }),
);

/** A UTC second such as `2026-02-15T20:13:00Z`, a real one. */
const timeSchema = z.string().check(
  z.regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/, {
    error: "expected UTC like 2026-02-15T20:13:00Z",
  }),
  z.refine((text: string) => parseUtcSecond(text) === text, {
    error: "expected a time that exists",
  }),
);

/** A name as `describeNameFault()` passes it. */
export const nameSchema = z.string().check(
  z.minLength(1, { error: "expected a name" }),
  z.refine((name: string) => describeNameFault(name) === null, {
    error: (issue) =>
      `expected a relative POSIX path, but it ${describeNameFault(String(issue.input))}`,
  }),
);

/** The name of an environment variable, as `describeVariableFault()` passes it. */
export const variableSchema = z.string().check(
  z.refine((name: string) => describeVariableFault(name) === null, {
    error: "expected the name of an environment variable",
  }),
);

const wordSchema = z.string().check(z.minLength(1, { error: "expected a word" }));

/** The schema of a tool. */
const toolSchema: z.ZodMiniType<RecordedTool> = z.strictObject({
  name: wordSchema.check(z.refine((name: string) => !/^\/|\0/.test(name), {
    error: "expected a program's name or its path from the root",
  })),
  sha256: sha256Schema,
});

const packageSourceSchema: z.ZodMiniType<PackageSource> = z.strictObject({
  url: z.exactOptional(
    z.string().check(
      z.regex(/^(?!file:)[a-z][a-z0-9+.-]*:\/\/[^\s]+$/, {
        error: "expected a URL of another machine",
      }),
    ),
  ),
  commit: z.exactOptional(wordSchema),
  archive: z.exactOptional(
    z.string().check(
      z.regex(/^[a-z0-9_]+:[0-9a-f]+$/, { error: "expected a digest such as sha256:<hex>" }),
    ),
  ),
}).check(z.refine((source: PackageSource) => Object.keys(source).length > 0, {
  error: "expected a url, a commit or an archive",
}));

const packageSchema: z.ZodMiniType<RecordedPackage> = z.strictObject({
  name: wordSchema,
  version: z.nullable(wordSchema),
  manager: z.exactOptional(wordSchema),
  sha256: z.exactOptional(sha256Schema),
  integrity: z.exactOptional(wordSchema),
  source: z.exactOptional(packageSourceSchema),
  editable: z.exactOptional(z.literal(true)),
});

/** The schema of a runtime. */
const runtimeSchema: z.ZodMiniType<RecordedRuntime> = z.strictObject({
  name: wordSchema,
  version: z.nullable(wordSchema),
  implementation: z.nullable(wordSchema),
  sha256: sha256Schema,
  packages: z.nullable(z.array(packageSchema)),
  packages_omitted: z.exactOptional(z.literal(true)),
}).check(z.refine(
  ({ packages, packages_omitted }: RecordedRuntime) =>
    packages_omitted === undefined || packages === null,
  { error: "expected no packages where they are omitted", path: ["packages"] },
));

/** The schema of toolchain.json. */
export const toolchainSchema: z.ZodMiniType<Toolchain> = z.strictObject({
  schema: z.literal("kprovengine.toolchain.v1"),
  kprov: wordSchema,
  deno: wordSchema,
  v8: wordSchema,
  typescript: wordSchema,
  target: wordSchema,
  os: wordSchema,
  arch: wordSchema,
  standalone: z.boolean(),
  lockfile: z.strictObject({
    sha256: sha256Schema,
    packages: z.array(
      z.strictObject({ name: wordSchema, version: wordSchema, integrity: wordSchema }),
    ),
  }),
  tools: z.exactOptional(z.array(toolSchema)),
  runtimes: z.exactOptional(z.array(runtimeSchema)),
});

/**
 * Checks a value against the schema of toolchain.json, and types it.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `data` naming the first place that differs
 *
 * @example
 * ```ts
 * import { KprovError, parseToolchain } from "@kprov/cli";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseToolchain({ schema: "kprovengine.toolchain.v2" }), KprovError, "Cannot parse toolchain.json");
 * ```
 */
export function parseToolchain(value: unknown): Toolchain {
  return parseWithSchema(toolchainSchema, value, "toolchain.json");
}

const totalsSchema = z.strictObject({ count: countSchema, bytes: countSchema });
const permissionSchema = z.enum(["granted", "partial", "denied"]);

/** The schema of `source`. */
const sourceSchema: z.ZodMiniType<Source | null> = z.nullable(z.strictObject({
  repository: z.nullable(z.string()),
  commit: z.nullable(
    z.string().check(
      z.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, {
        error: "expected 40 or 64 lowercase hex digits",
      }),
    ),
  ),
  state: z.enum(["committed", "modified", "unknown"]),
}));

const runtimeCheckSchema: z.ZodMiniType<RuntimeCheck> = z.strictObject({
  runtime: wordSchema,
  range: wordSchema,
  version: z.nullable(wordSchema),
  satisfied: z.boolean(),
});

/** An exit code of any system. */
const exitCodeSchema = countSchema.check(
  z.maximum(LARGEST_EXIT_CODE, { error: "expected an exit code" }),
);

/** The schema of run_summary.json. */
export const runSummarySchema: z.ZodMiniType<RunSummary> = z.strictObject({
  schema: z.literal("kprovengine.run_summary.v1"),
  run_id: z.string().check(
    z.regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z(-([2-9]|[1-9][0-9]+))?$/, {
      error: "expected a run id such as 2026-02-15T20-13-00Z",
    }),
  ),
  created_at: timeSchema,
  evidence_digest: sha256Schema,
  outcome: z.enum(["completed", "command_failed", "not_observed"]),
  exit_code: z.nullable(exitCodeSchema),
  inputs: totalsSchema,
  products: totalsSchema,
  documents: z.strictObject({ "provenance.json": sha256Schema, "toolchain.json": sha256Schema }),
  runtime_policy: z.array(runtimeCheckSchema),
  policy: z.nullable(z.strictObject({ path: nameSchema, sha256: sha256Schema })),
  source: sourceSchema,
  permissions: z.strictObject({
    read: permissionSchema,
    write: permissionSchema,
    run: permissionSchema,
    net: permissionSchema,
    env: permissionSchema,
  }),
  command_output: z.nullable(z.strictObject({ stdout: sha256Schema, stderr: sha256Schema })),
  observation: z.nullable(z.strictObject({ by: wordSchema, complete: z.boolean() })),
  review_status: z.enum(["PENDING", "APPROVED", "REJECTED"]),
});

/**
 * Checks a value against the schema of run_summary.json, and types it.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `data` naming the first place that differs
 *
 * @example
 * ```ts
 * import { KprovError, parseRunSummary } from "@kprov/cli";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseRunSummary([]), KprovError, "Cannot parse run_summary.json");
 * ```
 */
export function parseRunSummary(value: unknown): RunSummary {
  return parseWithSchema(runSummarySchema, value, "run_summary.json");
}

const personTextSchema = z.string().check(
  z.regex(PERSON_TEXT, { error: "expected text without control or invisible characters" }),
);

const meaningSchema = z.nullable(z.enum(REVIEW_MEANINGS));

const decisionSchema = z.strictObject({
  status: z.enum(["APPROVED", "REJECTED"]),
  reviewer: personTextSchema,
  reviewed_at: timeSchema,
  meaning: meaningSchema,
  note: z.nullable(personTextSchema),
});

/** The schema of human_review.json. */
export const humanReviewSchema: z.ZodMiniType<HumanReview> = z.strictObject({
  schema: z.literal("kprovengine.human_review.v1"),
  evidence_digest: sha256Schema,
  status: z.enum(["PENDING", "APPROVED", "REJECTED"]),
  reviewer: z.nullable(personTextSchema),
  reviewed_at: z.nullable(timeSchema),
  meaning: meaningSchema,
  note: z.nullable(personTextSchema),
  history: z.array(decisionSchema),
}).check(z.refine((review: HumanReview) => isConsistent(review), {
  error: "expected reviewer and reviewed_at exactly where there is a decision",
}));

/** A decision has a reviewer and a time; what is pending has nothing of a decision. */
function isConsistent(review: HumanReview): boolean {
  const { status, reviewer, reviewed_at, meaning, note } = review;
  return status === "PENDING"
    ? [reviewer, reviewed_at, meaning, note].every((part) => part === null)
    : reviewer !== null && reviewed_at !== null;
}

/**
 * Checks a value against the schema of human_review.json, and types it.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `data` naming the first place that differs
 *
 * @example
 * ```ts
 * import { KprovError, parseHumanReview } from "@kprov/cli";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseHumanReview({ status: "APPROVED" }), KprovError, "Cannot parse human_review.json");
 * ```
 */
export function parseHumanReview(value: unknown): HumanReview {
  return parseWithSchema(humanReviewSchema, value, "human_review.json");
}

/**
 * Records a decision: the earlier one, where there is any, moves into the history.
 *
 * @param review The review as it stands
 * @param decision What was decided, by whom and when
 * @param createdAt When the run was made, as its run_summary.json says
 * @returns The review with this decision
 * @throws {KprovError} `data` where the decision is invalid: control or invisible characters, an empty
 * reviewer, an invalid time, or one before the run or an earlier decision
 *
 * @example
 * ```ts
 * import { recordDecision } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const pending = {
 *   schema: "kprovengine.human_review.v1",
 *   evidence_digest: "0".repeat(64),
 *   status: "PENDING",
 *   reviewer: null,
 *   reviewed_at: null,
 *   meaning: null,
 *   note: null,
 *   history: [],
 * } as const;
 * const approved = recordDecision(pending, {
 *   status: "APPROVED",
 *   reviewer: "Ada",
 *   reviewed_at: "2026-02-16T08:00:00Z",
 *   meaning: "reviewed",
 *   note: null,
 * }, "2026-02-15T20:13:00Z");
 * assertEquals(approved.status, "APPROVED");
 * assertEquals(approved.history, []);
 * ```
 */
export function recordDecision(
  review: HumanReview,
  decision: ReviewDecision,
  createdAt: string,
): HumanReview {
  const decided = parseHumanReview({ ...review, ...decision, history: listDecisions(review) });
  const misdated = describeMisdated(listDecisions(decided), createdAt);
  if (misdated === null) return decided;
  throw new KprovError("data", `Cannot record the decision: ${misdated}`);
}

/**
 * Texts that change whenever a file is changed, also where it is changed back; only equal or not
 * counts.
 */
export interface InputStamps {
  /** One for each input, in their order. */
  readonly files: readonly string[];
  /** Those of the directories between the root and the inputs. */
  readonly directories: readonly { readonly name: string; readonly stamp: string }[];
}

/** What stood at product paths before the command. */
export interface StandingProducts {
  /** The paths, normalised. */
  readonly paths: readonly string[];
  /** The files and links there, each with its stamp, and a digest where the stamp may not tell. */
  readonly files: readonly {
    readonly name: string;
    readonly stamp: string;
    readonly sha256: string | null;
  }[];
}

/** What `record start` hands over to `record finish`: the inputs as they were before the command. */
export interface RecordState {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
  /** The globs of `--exclude`, as given, which hold for directories among the products as well. */
  readonly globs: readonly string[];
  /** Whether the inputs were read through links. */
  readonly links?: "follow";
  /** The files that go in. */
  readonly materials: readonly RecordedFile[];
  /** What tells whether they were changed since. */
  readonly stamps: InputStamps;
  /** A UTC second that was over when the command could begin. */
  readonly started: string;
  /** What stood at the product paths, as far as they were named. */
  readonly products?: StandingProducts;
  /** Where the inputs come from. */
  readonly source: Source | null;
  /** The programs that the command will use, as far as they were named. */
  readonly tools?: readonly RecordedTool[];
  /** The runtimes among them. */
  readonly runtimes?: readonly RecordedRuntime[];
  /** The kprov that read them. */
  readonly kprov: string;
}

/** How large the file may be: as large as the provenance.json that is made of it. */
export const STATE_LIMITS: JsonLimits = { maxBytes: 500 * 2 ** 20, maxDepth: 8 };

const SCHEMA_ID = "kprovengine.record_state.v1";

const stampSchema = z.string().check(z.regex(/^[0-9]+(\.-?[0-9]+){2}( [0-9]+(\.-?[0-9]+){2})?$/));

const stateSchema = z.strictObject({
  inputs: z.array(z.union([z.literal("."), nameSchema])).check(z.minLength(1)),
  exclude: z.array(z.string()),
  globs: z.array(z.string()),
  links: z.exactOptional(z.literal("follow")),
  materials: z.array(z.strictObject({
    name: nameSchema,
    kind: z.enum(["file", "symlink"]),
    size: countSchema,
    sha256: sha256Schema,
  })).check(z.minLength(1)),
  stamps: z.strictObject({
    files: z.array(stampSchema),
    directories: z.array(z.strictObject({ name: nameSchema, stamp: stampSchema })),
  }),
  started: timeSchema,
  products: z.exactOptional(z.strictObject({
    paths: z.array(z.union([z.literal("."), nameSchema])).check(z.minLength(1)),
    files: z.array(z.strictObject({
      name: nameSchema,
      stamp: z.string().check(z.regex(/^[0-9]+\.[0-9]+(\.-?[0-9]+){2}$/)),
      sha256: z.nullable(sha256Schema),
    })),
  })),
  source: sourceSchema,
  tools: z.exactOptional(z.array(toolSchema)),
  runtimes: z.exactOptional(z.array(runtimeSchema)),
  kprov: z.string(),
}).check(
  z.refine(({ materials, stamps }) => materials.length === stamps.files.length, {
    error: "expected a stamp for each file",
    path: ["stamps", "files"],
  }),
);

const fileSchema: z.ZodMiniType<
  { readonly schema: string; readonly sha256: string; readonly state: RecordState }
> = z.strictObject({
  schema: z.literal(SCHEMA_ID),
  sha256: sha256Schema,
  state: stateSchema,
});

/**
 * Renders a state as the file that keeps it, with a digest over its canonical form.
 *
 * @param state The state
 * @returns Canonical JSON
 */
export function renderRecordState(state: RecordState): string {
  const sha256 = sha256Hex(renderCanonicalJson(state));
  return renderCanonicalJson({ schema: SCHEMA_ID, sha256, state });
}

/**
 * Reads a state, as if it came from an enemy.
 *
 * @param bytes The file's bytes
 * @throws {KprovError} `data` where it is not, to the byte, what {@linkcode renderRecordState} makes;
 * the message is a reason such as `its digest is not that of its content`; or where the run made of it
 * would not verify
 */
export function parseRecordState(bytes: Uint8Array): RecordState {
  const value = parseStrictJson(bytes, STATE_LIMITS);
  const { sha256, state } = parseWithSchema(fileSchema, value, "the state");
  if (sha256Hex(renderCanonicalJson(state)) !== sha256) {
    throw new KprovError("data", "its digest is not that of its content");
  }
  if (sha256Hex(bytes) !== sha256Hex(renderRecordState(state))) {
    throw new KprovError("data", "it is not in canonical form");
  }
  const { inputs, exclude, materials, tools = [] } = state;
  const names = materials.map(({ name }) => name);
  const [fault] = checkLists({ inputs, exclude, names, tools });
  if (fault !== undefined) throw new KprovError("data", fault.message);
  return state;
}
