/**
 * The functions that read and write files, `@kprov/cli/fs`, under the permissions of the program.
 * {@linkcode recordRun} is `kprov run` as a function, {@linkcode gatherRepository} reads what the
 * guards of `@kprov/cli/guards` judge. kprov itself prints nothing, and nothing prompts.
 *
 * @example Record two files, and see what went in
 * ```ts
 * import { recordRun } from "@kprov/cli/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * try {
 *   await Deno.writeTextFile(`${root}/a.txt`, "hello\n");
 *   await Deno.writeTextFile(`${root}/b.txt`, "world\n");
 *   const run = await recordRun({
 *     root,
 *     inputs: [`${root}/a.txt`, `${root}/b.txt`],
 *     out: `${root}/runs`,
 *     at: "2026-02-15T20:13:00Z",
 *   });
 *   assertEquals(run.runId, "2026-02-15T20-13-00Z");
 *   assertEquals(run.materials.map(({ name, size }) => [name, size]), [["a.txt", 6], ["b.txt", 6]]);
 * } finally {
 *   await Deno.remove(root, { recursive: true });
 * }
 * ```
 *
 * @module
 */

import { KprovError } from "../base/error.ts";
import type { Guard, RepositoryFacts, TrackedEntry } from "../guards/guard.ts";
import type { Policy } from "../guards/policy.ts";
import { gatherExclusions } from "../io/exclusions.ts";
import { PROCESS_HOST } from "../io/host.ts";
import { resolveRoot } from "../io/paths.ts";
import { gatherRepository as gatherFacts } from "../io/repository.ts";
import type { RunResult } from "../show/results.ts";
import { type OutputRequest, readTime } from "./flags.ts";
import { readArgv } from "./command.ts";
import { runPlain } from "./run.ts";

export { type Finding, type FindingLevel, KprovError, type KprovErrorCode } from "../base/error.ts";
export type { Outcome } from "../evidence/command.ts";
export type { FileKind, RecordedFile, RecordedStdin, Shard } from "../evidence/provenance.ts";
export type { Guard, RepositoryFacts, TrackedEntry } from "../guards/guard.ts";
export type { Policy } from "../guards/policy.ts";
export type { RunResult } from "../show/results.ts";

/** What is recorded, and where the run goes. Paths are relative to the working directory. */
export interface RecordRunOptions {
  /** The files and directories that go in. */
  readonly inputs: readonly string[];
  /** Where the run directory goes; default: `runs`. */
  readonly out?: string;
  /** Where recorded paths start, and a command runs; default: the working directory. */
  readonly root?: string;
  /** Globs of what is left out of directories, as lines of `.gitignore`. */
  readonly exclude?: readonly string[];
  /**
   * What is done with symbolic links: `follow` records the content behind them, `links` the links
   * themselves; default: links inside directories are recorded as links, and one that is an input is
   * refused.
   */
  readonly links?: "follow" | "links";
  /** The UTC second to record, such as `2026-02-15T20:13:00Z`; default: now. */
  readonly at?: string;
  /** A program with its arguments, which is run and recorded. */
  readonly command?: readonly string[];
  /** The files and directories that the command makes. */
  readonly products?: readonly string[];
  /** Other programs that the command uses: a name in PATH, or a path. */
  readonly tools?: readonly string[];
  /** Whether the packages of runtimes are left out; default: they are recorded. */
  readonly omitsPackages?: boolean;
  /** The arguments that are recorded as digests, by their number from 1. */
  readonly redacted?: readonly number[];
  /** The names of environment variables to record as set. */
  readonly env?: readonly string[];
  /** Whether what the command prints is digested on its way; default: it is. */
  readonly isCaptured?: boolean;
  /**
   * Watches the command with strace (Linux), as `--observe` does, with these words; an empty list watches
   * alone. Default: it is not watched.
   */
  readonly observe?: readonly ("declare" | "strict" | "names")[];
  /** The most threads that read; default: one for every core. */
  readonly jobs?: number;
}

/**
 * Records a run, as `kprov run` does. It takes the permission to read the root and the output
 * directory and to write the latter; a command takes `--allow-run` for its program. What a command
 * prints goes where the output of the program goes.
 *
 * @param options What is recorded
 * @returns The run directory that now stands, and what the run found. A product that the command did not
 * make is a finding, and an exit code that is not 0 an outcome: neither is thrown
 * @throws {KprovError} Where nothing was recorded: `usage` on a time, an option or a command that cannot
 * be used; `data` on an input that is missing, changes or cannot be recorded exactly; `permission`,
 * `policy`, `runtime`, `cannot_create`, `io`, and the codes for a command that cannot be started
 *
 * @example Run a command, and record what it made
 * ```ts
 * import { recordRun } from "@kprov/cli/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * try {
 *   await Deno.writeTextFile(`${root}/words.txt`, "b\na\n");
 *   const run = await recordRun({
 *     root,
 *     inputs: [`${root}/words.txt`],
 *     out: `${root}/runs`,
 *     command: ["sort", "words.txt", "-o", "sorted.txt"],
 *     products: [`${root}/sorted.txt`, `${root}/index.txt`],
 *   });
 *   assertEquals([run.outcome, run.exitCode], ["completed", 0]);
 *   assertEquals(run.products?.map(({ name }) => name), ["sorted.txt"]);
 *   assertEquals(run.findings?.map(({ code, path }) => [code, path]), [
 *     ["product.missing", "index.txt"],
 *   ]);
 * } finally {
 *   await Deno.remove(root, { recursive: true });
 * }
 * ```
 */
export async function recordRun(options: RecordRunOptions): Promise<RunResult> {
  const { inputs, exclude = [], command, products = [], tools = [], env = [] } = options;
  if (inputs.length === 0) throw new KprovError("usage", "Cannot record a run: no input is given");
  // The result is told once, after the run directory stands; before that, every failure is thrown.
  const told: RunResult[] = [];
  const request = {
    ...readOutput(options, (result) => told.push(result)),
    inputs,
    exclusions: gatherExclusions(exclude, []),
    links: options.links ?? "none",
  } as const;
  if (command === undefined) {
    const observe = options.observe === undefined ? [] : ["observe"];
    const redacted = (options.redacted ?? []).map(String);
    refuseWithoutCommand({ products, tools, env, redacted, observe });
    await runPlain({ ...request, shard: null }, SILENT_HOST);
  } else {
    const { runWrapped } = await import("./wrapped_run.ts");
    const isCaptured = options.isCaptured ?? true;
    const wantsPackages = options.omitsPackages !== true;
    const wrapped = {
      ...request,
      ...{ products, tools, env, isCaptured, wantsPackages, argv: readArgv(command) },
      observe: options.observe ?? null,
      redacted: (options.redacted ?? []).map(String),
      // It is the program's that calls this.
      stdin: "inherited" as const,
    };
    await runWrapped(wrapped, SILENT_HOST);
  }
  const [result] = told;
  if (result === undefined) throw new KprovError("fault", "Cannot record a run: no result is told");
  return result;
}

/** What is told on standard error is in the result too. */
const SILENT_HOST: typeof PROCESS_HOST = {
  ...PROCESS_HOST,
  writeStdout: () => {},
  writeStderr: () => {},
};

function readOutput(
  { root = ".", out = "runs", at, jobs = navigator.hardwareConcurrency }: RecordRunOptions,
  tell: (result: RunResult) => void,
): OutputRequest {
  if (!Number.isSafeInteger(jobs) || jobs < 1) {
    throw new KprovError("usage", `Cannot use ${jobs} jobs: expected a whole number from 1 on`);
  }
  for (const [name, path] of Object.entries({ root, out })) {
    if (path === "") throw new KprovError("usage", `Cannot use the option ${name}: it is empty`);
  }
  return {
    root,
    out,
    createdAt: readTime(at ?? null, PROCESS_HOST),
    isTimeGiven: at !== undefined,
    format: "text",
    isQuiet: true,
    result: null,
    effort: { jobs, progress: null },
    tell,
  };
}

function refuseWithoutCommand(lists: Readonly<Record<string, readonly string[]>>): void {
  const given = Object.entries(lists).find(([, list]) => list.length > 0);
  if (given !== undefined) {
    throw new KprovError("usage", `Cannot use the option ${given[0]}: it takes a command to run`);
  }
}

/** Which facts of a repository are read. */
export interface GatherRepositoryOptions {
  /** The repository, relative to the working directory; default: the working directory itself. */
  readonly root?: string;
  /** Its rules: they say what is read. */
  readonly policy: Policy;
  /** The guards that will judge the facts. */
  readonly guards: readonly Guard[];
  /** What git tracks, sorted by UTF-8 bytes, where git's index is not to tell. */
  readonly tracked?: readonly TrackedEntry[];
  /** A file with the governance lock as the base branch has it. */
  readonly baseLock?: string;
}

/**
 * Reads what guards need to know of a repository: git's index, and those files that a guard looks at.
 * Nothing is executed, and no link is followed. It takes the permission to read the repository.
 *
 * @param options Which facts
 * @returns The facts, for `check()` of each guard
 * @throws {KprovError} `data` or `io` where a file that a guard looks at cannot be read, `permission`
 * where Deno does not let it be read
 *
 * @example Look for a name that must not be in a tracked file
 * ```ts
 * import { gatherRepository } from "@kprov/cli/fs";
 * import { IDENTITY, parsePolicy } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * try {
 *   await Deno.writeTextFile(`${root}/setup.txt`, "the first line\nAcmeTool is its old name\n");
 *   const policy = parsePolicy({
 *     schema: "kprovengine.policy.v1",
 *     identity: { technical_name: "acme", forbidden_tokens: ["AcmeTool"] },
 *   }, "the policy");
 *   const tracked = [{ path: "setup.txt", kind: "file" }] as const;
 *   const facts = await gatherRepository({ root, policy, guards: [IDENTITY], tracked });
 *   const findings = IDENTITY.check(facts, policy);
 *   assertEquals(findings.map(({ code, path, line }) => [code, path, line]), [
 *     ["identity.forbidden_token", "setup.txt", 2],
 *   ]);
 * } finally {
 *   await Deno.remove(root, { recursive: true });
 * }
 * ```
 */
export function gatherRepository(options: GatherRepositoryOptions): Promise<RepositoryFacts> {
  const { root = ".", policy, guards, tracked = null, baseLock = null } = options;
  return gatherFacts({ root: resolveRoot(root), policy, guards, tracked, baseLock });
}
