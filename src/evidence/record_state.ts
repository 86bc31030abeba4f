import * as z from "zod/mini";
import { renderCanonicalJson } from "../base/canonical_json.ts";
import { KprovError } from "../base/error.ts";
import { parseWithSchema } from "../base/schema.ts";
import { sha256Hex } from "../base/sha256.ts";
import { type JsonLimits, parseStrictJson } from "../base/strict_json.ts";
import { checkLists } from "./check_names.ts";
import type { RecordedFile } from "./provenance.ts";
import type { Source } from "./run_summary.ts";
import {
  countSchema,
  nameSchema,
  runtimeSchema,
  sha256Schema,
  sourceSchema,
  timeSchema,
  toolSchema,
} from "./schemas.ts";
import type { RecordedRuntime, RecordedTool } from "./toolchain.ts";

/** Texts that change whenever a file is changed, also where it is changed back; only equal or not counts. */
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
