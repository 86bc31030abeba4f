import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { relative, resolve } from "../base/std.ts";
import {
  applyAllowances,
  type Guard,
  type GuardResult,
  makeGuardResult,
  type TrackedEntry,
} from "../guards/guard.ts";
import type { Policy } from "../guards/policy.ts";
import { appendWherePermitted } from "../io/atomic_file.ts";
import { parseFileList } from "../io/git/index_file.ts";
import type { OtherIndex } from "../io/git/index_file.ts";
import { MOST_BYTES } from "../io/git/repository.ts";
import type { Host } from "../io/host.ts";
import { describeLinkBelow, type Root } from "../io/paths.ts";
import { requirePermission } from "../io/permissions.ts";
import { gatherPolicyAt, requirePolicy } from "../io/policy_file.ts";
import { readRequiredFile } from "../io/read_file.ts";
import { gatherRepository, type RepositoryRequest } from "../io/repository.ts";
import {
  type GuardTextOptions,
  isCutForGithub,
  renderGuardGithub,
  renderGuardJson,
  renderGuardSarif,
  renderGuardSummary,
  renderGuardText,
} from "../show/guard_formats.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  BASE_LOCK_FLAG,
  FAILURES_FLAG,
  FORMAT_FLAG,
  openRepositoryRoot,
  REPOSITORY_FLAG,
} from "./flags.ts";

/** A guard that is not loaded yet. */
interface ListedGuard {
  /** Its name, which is also that of its section in the policy. */
  readonly name: "identity" | "artifacts" | "runtime" | "parity" | "lock";
  /** Loads it, and the parsers that it needs. */
  readonly load: () => Promise<Guard>;
}

/** Every guard, in the order in which they are shown. */
export const GUARDS: readonly ListedGuard[] = [
  {
    name: "identity",
    load: async () => (await import("../guards/identity/identity.ts")).IDENTITY,
  },
  {
    name: "artifacts",
    load: async () => (await import("../guards/artifacts.ts")).ARTIFACTS,
  },
  {
    name: "runtime",
    load: async () => (await import("../guards/runtime/runtime.ts")).RUNTIME,
  },
  {
    name: "parity",
    load: async () => (await import("../guards/parity/parity.ts")).PARITY,
  },
  {
    name: "lock",
    load: async () => (await import("../guards/lock/lock.ts")).LOCK,
  },
];

/**
 * Chooses the guards to run: those named, or every one that the policy configures.
 *
 * @param names As given on the command line
 * @param policy The rules
 * @throws {KprovError} `usage` on a name that no guard has; `policy` where a named guard has no
 * section, or no guard has one: nothing checked is not the same as nothing found
 */
export async function chooseGuards(
  names: readonly string[],
  policy: Policy,
): Promise<readonly Guard[]> {
  if (names.length > 0) {
    const chosen: Guard[] = [];
    // One by one: of several faults, the first is told.
    for (const name of new Set(names)) chosen.push(await chooseGuard(name, policy));
    return chosen;
  }
  const configured = await listConfigured(policy);
  if (configured.length > 0) return configured;
  throw new KprovError("policy", "Cannot guard: the policy configures no guard", {
    hint: `its sections are ${listNames()}`,
  });
}

/**
 * Lists the guards that a policy configures, which may be none.
 *
 * @param policy The rules
 */
export async function listConfigured(policy: Policy): Promise<readonly Guard[]> {
  const listed = GUARDS.filter(({ name }) => policy[name] !== undefined);
  const loaded = await Promise.all(listed.map(({ load }) => load()));
  return loaded.filter((guard) => guard.isConfigured(policy));
}

async function chooseGuard(name: string, policy: Policy): Promise<Guard> {
  const listed = GUARDS.find((candidate) => candidate.name === name);
  if (listed === undefined) {
    throw new KprovError("usage", `Cannot use guard ${quote(name)}: there is no such guard`, {
      hint: `the guards are ${listNames()}`,
    });
  }
  const guard = await listed.load();
  if (guard.isConfigured(policy)) return guard;
  throw new KprovError(
    "policy",
    `Cannot use guard ${quote(name)}: the policy has no section for it`,
    {
      hint: `add /${name} to the policy`,
    },
  );
}

function listNames(): string {
  return GUARDS.map(({ name }) => name).join(", ");
}

/**
 * Renders what guards found, where one text can hold it.
 *
 * @param render Makes the text
 * @param results What the guards found
 * @throws {KprovError} `data` where it would be longer than a text can be, after some millions of
 * findings
 */
export function renderFindings(
  render: (results: readonly GuardResult[]) => string,
  results: readonly GuardResult[],
): string {
  try {
    return render(results);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const count = results.reduce((sum, { findings }) => sum + findings.length, 0);
    throw new KprovError("data", `Cannot show ${count} findings: they are too many for one text`, {
      hint: "name one guard, or correct the rule of the policy that is broken everywhere",
      cause: error,
    });
  }
}

/** What came of running guards over a repository. */
interface GuardRun {
  /** A result for each guard, in their order. */
  readonly results: readonly GuardResult[];
  /** How many files git tracks there; null where that is not known, which the results tell. */
  readonly files: number | null;
  /** Wall time of reading the repository, which the guards share, and of each guard. */
  readonly seconds: { readonly reading: number; readonly guards: readonly number[] };
}

/**
 * Gathers the facts of a repository once and runs guards over them.
 *
 * @param request Which repository, rules and guards
 * @param policyPath Where the rules stand: absolute, or relative to the root
 * @param host Tells the day, for allowances that end
 * @throws {KprovError} Where a file that a guard looks at cannot be read; `data` where git tracks no
 * file, since nothing checked is not the same as nothing found
 */
export async function runGuards(
  request: RepositoryRequest,
  policyPath: string,
  { now }: Pick<Host, "now">,
): Promise<GuardRun> {
  const { root, policy, guards } = request;
  const start = performance.now();
  const facts = await gatherRepository(request);
  const reading = secondsSince(start);
  const files = "code" in facts.tracked ? null : facts.tracked.length;
  if (files === 0) {
    throw new KprovError("data", "Cannot guard: git tracks no file here, so nothing is checked", {
      hint: "git add tracks files",
    });
  }
  const seconds: number[] = [];
  const results = guards.map((guard) => {
    const start = performance.now();
    const result = makeGuardResult(guard.name, guard.check(facts, policy));
    seconds.push(secondsSince(start));
    return result;
  });
  const allowing = {
    allowances: policy.allowances ?? [],
    today: now().toISOString().slice(0, 10),
    policyPath: nameBelow(root, policyPath),
    configured: GUARDS.map(({ name }) => name).filter((name) => policy[name] !== undefined),
  };
  const allowed = applyAllowances(results, allowing);
  return { results: allowed, files, seconds: { reading, guards: seconds } };
}

/**
 * Wall time.
 *
 * @param start When it began, as `performance.now()` told
 */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/** A path below the root as git names it; null for any other. */
function nameBelow(root: Root, path: string): string | null {
  const name = relative(root.path, resolve(root.path, path)).replaceAll("\\", "/");
  return name.startsWith("../") ? null : name;
}

/** `kprov guard`. */
export const GUARD: Command = {
  usage: [
    "kprov guard [NAME]... [--root DIR] [--policy FILE] [--base-lock FILE] [--files-from FILE] " +
    "[--index FILE] " +
    "[--format text|json|sarif|github] [--quiet]",
  ],
  description: [
    `Runs the named guards, or every guard that the policy configures: ${
      GUARDS.map(({ name }) => name).join(", ")
    }. They look at what git tracks; they read git's index and do not run git. A guard fails if it ` +
    "cannot read something exactly.",
    "artifacts: git tracks no runs, build products, editor files or secrets. identity: the " +
    "project has its right name everywhere, and no look-alike of it appears anywhere. runtime: " +
    "every version of Deno, Node or Python that a file declares is inside the policy's range. " +
    "parity: CI runs the command that people run locally, on every version, and no || true, " +
    "continue-on-error or condition can hide a failure. lock: the rules change only with a " +
    "higher major version.",
  ],
  flags: [
    REPOSITORY_FLAG,
    {
      name: "policy",
      value: "FILE",
      summary: "The policy (default: docs/governance/policy.json below the root)",
    },
    {
      name: "files-from",
      value: "FILE",
      summary: "What git tracks, as git ls-files -z prints it, for a tree without an index",
    },
    { ...BASE_LOCK_FLAG, summary: `${BASE_LOCK_FLAG.summary}, for the lock guard` },
    {
      name: "index",
      value: "FILE",
      summary:
        "The index to read, such as a hook's $GIT_INDEX_FILE (default: the repository's own)",
    },
    {
      ...FORMAT_FLAG,
      choices: ["text", "json", "sarif", "github"],
      summary: "text (default), json, sarif or github",
    },
    FAILURES_FLAG,
  ],
  operands: GUARDS.map(({ name }) => name),
  permissions:
    "--allow-read=DIR, and --allow-read=FILE for files elsewhere. With --format github, " +
    "--allow-env=GITHUB_STEP_SUMMARY and --allow-write let it write the job's summary.",
  examples: [
    ["kprov guard", "Run every guard that the policy configures"],
    ["kprov guard identity --format sarif", "Run one guard, for a code scanning service"],
    [
      "git ls-files -z > files && kprov guard --files-from files",
      "Check a tree that was exported without .git",
    ],
  ],
  exitCodes: [
    [0, "every guard passed"],
    [1, "there are findings"],
    EXITS.usage,
    [
      65,
      "the root or a file named by a flag is missing, git tracks no file, or a tracked file changes " +
      "while it is read",
    ],
    EXITS.reading,
    EXITS.permission,
    [
      78,
      "the policy is missing or cannot be used, or has no section for a guard named or for --base-lock",
    ],
  ],
  execute: guard,
};

type Render = (results: readonly GuardResult[], options: GuardTextOptions) => string;

const RENDERERS: Readonly<Record<string, Render>> = {
  text: renderGuardText,
  json: renderGuardJson,
  sarif: renderGuardSarif,
  github: renderGuardGithub,
};

async function guard(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.rest !== null) throw new KprovError("usage", "Cannot guard: -- has no meaning here");
  const render = readFormat(flags.value("format") ?? "text");
  const root = openRepositoryRoot(flags, host);
  const file = flags.value("policy");
  const { policy, path } = await (file === null ? requirePolicy(root) : gatherPolicyAt(file, root));
  const policyPath = file === null ? path : resolve(path);
  const guards = await chooseGuards(flags.positionals, policy);
  const index = chooseIndex(flags, host);
  const list = flags.value("files-from");
  const tracked = list === null ? null : readFileList(list, root);
  const baseLock = flags.value("base-lock");
  if (baseLock !== null) requireLockGuard(guards, policy);
  const { results, files } = await runGuards(
    { root, policy, guards, tracked, index, baseLock },
    policyPath,
    host,
  );
  const options = { isColored: host.isColored, files };
  const ok = results.every((result) => result.ok);
  if (ok && flags.has("quiet") && render === renderGuardText) return 0;
  const text = renderFindings((all) => render(all, options), results);
  if (render === renderGuardGithub) showOnGithub(text, results, files, host);
  else host.writeStdout(text);
  return ok ? 0 : 1;
}

/** A change that takes the lock's section out of the policy must not pass for one that keeps the lock. */
function requireLockGuard(guards: readonly Guard[], policy: Policy): void {
  if (guards.some(({ name }) => name === "lock")) return;
  if (policy.lock !== undefined) {
    throw new KprovError(
      "usage",
      "Cannot use --base-lock: the guard lock is not among those named",
      {
        hint: "name lock too, or no guard",
      },
    );
  }
  throw new KprovError("policy", "Cannot use --base-lock: the policy has no section for the lock", {
    hint: "add /lock to the policy, or leave out --base-lock",
  });
}

/**
 * The index of a commit that is being made: git tells hooks of it by a variable, which counts where
 * kprov may read it.
 */
export function chooseIndex(
  flags: Pick<ParsedFlags, "value">,
  { readEnv }: Pick<Host, "readEnv">,
): OtherIndex | null {
  const given = flags.value("index");
  if (given !== null && flags.value("files-from") !== null) {
    throw new KprovError("usage", "Cannot use --index with --files-from: one list is enough");
  }
  if (given !== null) return { path: resolve(given), mustBeOwn: false };
  const told = readEnv("GIT_INDEX_FILE") ?? "";
  return told === "" ? null : { path: resolve(told), mustBeOwn: true };
}

/** What does not fit into annotations is in the log, and in the job's summary where that may be written. */
function showOnGithub(
  annotations: string,
  results: readonly GuardResult[],
  files: number | null,
  host: Host,
): void {
  host.writeStdout(annotations, "workflow commands");
  if (isCutForGithub(results)) {
    host.writeStdout(renderGuardText(results, { isColored: host.isColored, files }));
  }
  const summary = host.readEnv("GITHUB_STEP_SUMMARY");
  if (summary !== null && summary !== "" && results.some(({ findings }) => findings.length > 0)) {
    appendWherePermitted(summary, renderGuardSummary(results));
  }
}

function readFormat(format: string): Render {
  const render = Object.hasOwn(RENDERERS, format) ? RENDERERS[format] : undefined;
  if (render !== undefined) return render;
  throw new KprovError(
    "usage",
    `Cannot use --format ${quote(format)}: expected text, json, sarif or github`,
  );
}

function readFileList(path: string, root: Root): readonly TrackedEntry[] {
  requirePermission("read", path);
  const action = `Cannot use --files-from ${quote(path)}`;
  const link = describeLinkBelow(path, root);
  if (link !== null) throw new KprovError("data", `${action}: ${link}`);
  const bytes = readRequiredFile(path, { action, maxBytes: MOST_BYTES, follows: true });
  try {
    const tracked = parseFileList(bytes);
    if (tracked.length > 0) return tracked;
    throw new KprovError("data", "it lists no file, so nothing would be checked");
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    throw new KprovError("data", `${action}: ${error.message}`);
  }
}
