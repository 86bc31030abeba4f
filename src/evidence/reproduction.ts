import { type Finding, makeFinding, sortFindings } from "../base/finding.ts";
import { escapeText, quote } from "../base/quote.ts";
import { diffRuntimes } from "./diff.ts";
import { listProducts, nameContent, type RecordedFile } from "./provenance.ts";
import type { Run } from "./documents.ts";
import {
  buildToolchain,
  type RecordedRuntime,
  type RecordedTool,
  toToolchainFacts,
} from "./toolchain.ts";

/** What came of running a recorded command again. */
export interface Reproduction {
  /** Its exit code. */
  readonly exitCode: number;
  /** The products that it made, in any order. */
  readonly products: readonly RecordedFile[];
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
        const message = `${quote(name)} is there and cannot be started: ${fault}`;
        return makeFinding("tool.unstartable", message, { path });
      }
      if (state === "missing" && isObserved(run)) {
        const message = `${quote(name)} ran, and is not in PATH: it is not held against the record`;
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
 * Holds what a recorded command made, run again, against what the run records of it.
 *
 * @param run A run of a command that verifies
 * @param made What came of running it again
 * @returns Findings `command.exit_code`, `product.changed`, `product.missing` and
 * `product.unexpected`, sorted; none where the run is reproducible
 */
export function checkReproduction(run: Run, made: Reproduction): readonly Finding[] {
  const summary = run.documents["run_summary.json"];
  const findings = compare(
    listProducts(run.documents["provenance.json"]).map(({ name, digest, annotations }) => ({
      name,
      content: nameContent(annotations.kind, digest.sha256),
    })),
    made.products.map(({ name, kind, sha256 }) => ({ name, content: nameContent(kind, sha256) })),
    (name, state, digests) =>
      makeFinding(`product.${state}`, `the product ${PRODUCT_STATES[state]}${digests}`, {
        path: name,
      }),
  );
  const { exit_code } = summary;
  if (exit_code === made.exitCode) return findings;
  return sortFindings([
    ...findings,
    makeFinding(
      "command.exit_code",
      `the command ended with ${made.exitCode}, recorded is ${exit_code}`,
      {
        hint: made.exitCode === 0
          ? null
          : "all that the command reads must be among the inputs, its scripts too; standard input and " +
            "empty directories are not recorded",
      },
    ),
  ]);
}

const CHANGE_STATES = { added: "unexpected", removed: "missing", changed: "changed" } as const;

type State = "changed" | "missing" | "unexpected";

const TOOL_STATES: Readonly<Record<State, string>> = {
  changed: "is another program now",
  missing: "is recorded, and the command does not use it now",
  unexpected: "is used now, and is not recorded",
};

const PRODUCT_STATES: Readonly<Record<State, string>> = {
  changed: "came out differently",
  missing: "did not come out",
  unexpected: "came out, and is not recorded",
};

/** A program or a product, with its content in words. */
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
