import {
  buildEvidence,
  buildRunDocuments,
  type Circumstances,
  type DocumentName,
  type HumanReview,
  renderCanonicalJson,
  type RunFacts,
  sha256Hex,
} from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/std.ts";
import { parseHumanReview, recordDecision } from "../../src/evidence/schemas.ts";
import { RUN_ID } from "../make_run.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_COMMAND_FACTS, SAMPLE_FACTS } from "../sample_facts.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

/** A JSON value that can be walked. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

/** The keys and indices that lead to a place in a value. */
export type Place = readonly (string | number)[];

/** What somebody put in the place of a value: another value, or text that need not be JSON. */
export type Forgery = { readonly value: Json } | { readonly text: string } | "nothing";

/** The values of the four documents of a run. */
export type RunValues = Readonly<Record<DocumentName, Json>>;

const TOOLCHAIN = { ...SAMPLE_COMMAND_FACTS.toolchain, kprov: KPROV_VERSION };
const INPUTS = ["README.md", "data"];

const FACTS: Readonly<Record<"command" | "shard", RunFacts>> = {
  command: { ...SAMPLE_COMMAND_FACTS, inputs: INPUTS, toolchain: TOOLCHAIN },
  // The only shard, so that merging goes all the way.
  shard: {
    ...SAMPLE_FACTS,
    inputs: INPUTS,
    toolchain: { ...SAMPLE_FACTS.toolchain, kprov: KPROV_VERSION },
    shard: { count: 1, index: 1 },
  },
};

const DECISION = {
  reviewed_at: "2026-02-15T20:13:00Z",
  meaning: "reviewed",
  note: "read",
} as const;

/** Two runs that verify and hold every field that a document can have. */
export const GENUINE: Readonly<Record<"command" | "shard", RunValues>> = {
  command: makeValues(FACTS.command, SAMPLE_CIRCUMSTANCES),
  shard: makeValues(FACTS.shard, SAMPLE_CIRCUMSTANCES),
};

function makeValues(facts: RunFacts, circumstances: Circumstances): RunValues {
  const documents = buildRunDocuments(buildEvidence(facts), circumstances, RUN_ID);
  const fresh = parseHumanReview(JSON.parse(documents["human_review.json"]));
  const decide = (
    review: HumanReview,
    status: "APPROVED" | "REJECTED",
    reviewer: string,
  ): HumanReview =>
    recordDecision(review, { ...DECISION, status, reviewer }, circumstances.created_at);
  const rejected = decide(decide(fresh, "APPROVED", "Ada"), "REJECTED", "Grace");
  return {
    "human_review.json": JSON.parse(JSON.stringify(rejected)),
    "provenance.json": JSON.parse(documents["provenance.json"]),
    "run_summary.json": JSON.parse(documents["run_summary.json"]),
    "toolchain.json": JSON.parse(documents["toolchain.json"]),
  };
}

/** Every place in a value, the value itself first. */
export function* listPlaces(value: Json, place: Place = []): Generator<readonly [Place, Json]> {
  yield [place, value];
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield* listPlaces(inner, [...place, Array.isArray(value) ? Number(key) : key]);
  }
}

/** A copy of a value with something else in one place. */
export function putAt(
  value: Json,
  place: Place,
  forgery: { readonly value: Json } | "nothing",
): Json {
  const [key, ...rest] = place;
  if (key === undefined) return forgery === "nothing" ? null : forgery.value;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).flatMap(([name, inner]): [string, Json][] => {
    if (name !== String(key)) return [[name, inner]];
    if (rest.length === 0 && forgery === "nothing") return [];
    return [[name, putAt(inner, rest, forgery)]];
  });
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

/** Stands for text that is no value until the document is rendered. */
const STAND_IN = "a stand-in of 31 characters, say";

function renderForged(value: Json, place: Place, forgery: Forgery): string {
  if (forgery === "nothing" || "value" in forgery) {
    return renderCanonicalJson(putAt(value, place, forgery));
  }
  const text = renderCanonicalJson(putAt(value, place, { value: STAND_IN }));
  return text.replace(`"${STAND_IN}"`, () => forgery.text);
}

/**
 * Forges one place of a run as somebody would who can rewrite all of it: every digest that names
 * a changed document is made anew.
 *
 * @param values The genuine run
 * @param name Which document is changed
 * @param place Where
 * @param forgery What stands there instead
 */
export function forgeRun(
  values: RunValues,
  name: DocumentName,
  place: Place,
  forgery: Forgery,
): Map<string, Uint8Array> {
  const render = (document: DocumentName, value: Json): string =>
    document === name ? renderForged(value, place, forgery) : renderCanonicalJson(value);
  const bind = (value: Json, where: Place, text: string): Json =>
    putAt(value, where, { value: sha256Hex(text) });

  const toolchain = render("toolchain.json", values["toolchain.json"]);
  const dependency = ["predicate", "runDetails", "builder", "builderDependencies", 0];
  const provenance = render(
    "provenance.json",
    bind(values["provenance.json"], [...dependency, "digest", "sha256"], toolchain),
  );
  const review = render(
    "human_review.json",
    bind(values["human_review.json"], ["evidence_digest"], provenance),
  );
  const summary = bind(
    bind(values["run_summary.json"], ["documents", "toolchain.json"], toolchain),
    ["documents", "provenance.json"],
    provenance,
  );
  const bound = render("run_summary.json", bind(summary, ["evidence_digest"], provenance));
  const texts: Readonly<Record<DocumentName, string>> = {
    "human_review.json": review,
    "provenance.json": provenance,
    "run_summary.json": bound,
    "toolchain.json": toolchain,
  };
  const encoder = new TextEncoder();
  return new Map(Object.entries(texts).map(([key, text]) => [key, encoder.encode(text)]));
}

/** Makes a tree with two genuine runs, one of which waits for what a test does to it. */
export function makeGenuineTree(): TemporaryTree {
  const files = forgeRun(GENUINE.command, "toolchain.json", ["no such place"], "nothing");
  const runs = ["hostile", "genuine"].flatMap((name) =>
    [...files].map(([file, bytes]) => [`${name}/${RUN_ID}/${file}`, bytes] as const)
  );
  return makeTree({
    "outside/secret.json": "{}\n",
    "root/README.md": "",
    ...Object.fromEntries(runs),
  });
}
