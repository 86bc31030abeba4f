import { renderCanonicalJson } from "../base/canonical_json.ts";
import { type Finding, KprovError } from "../base/error.ts";
import { quote, shellQuote } from "../base/quote.ts";
import { dirname, join, SUPPORTED_DENO, toPosixPath } from "../base/std.ts";
import { decodeText } from "../base/text.ts";
import { makeGuardResult, type TrackedEntry } from "../guards/guard.ts";
import { checkRenewal } from "../guards/lock/lock.ts";
import { PARITY } from "../guards/parity/parity.ts";
import type { LockPolicy, Policy } from "../guards/policy.ts";
import { RUNTIME } from "../guards/runtime/runtime.ts";
import {
  buildStarterPolicy,
  MANIFEST_PATHS,
  parseManifest,
  type ProjectFacts,
  type ProjectManifest,
  refuseManifest,
  WIDE_POLICY,
} from "../guards/starter_policy.ts";
import { createFileAtomically, writeFileAtomically } from "../io/atomic_file.ts";
import { checkTrackedPath } from "../io/git/index_entries.ts";
import { gatherTrackedFiles } from "../io/git/index_file.ts";
import { gatherOrigin } from "../io/git/source.ts";
import { gatherGovernance } from "../io/governance.ts";
import type { Host } from "../io/host.ts";
import { DirectoriesBelow } from "../io/path_watch.ts";
import type { Root } from "../io/paths.ts";
import { isMissing } from "../io/permissions.ts";
import { gatherPolicy, POLICY_NAME, requirePolicy } from "../io/policy_file.ts";
import { gatherRepository } from "../io/repository.ts";
import { readTracked } from "../io/tracked_content.ts";
import { renderGuardText } from "../show/guard_formats.ts";
import { makeJsonLogSafe, renderLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  BASE_LOCK_FLAG,
  FORMAT_FLAG,
  openRepositoryRoot,
  QUIET_FLAG,
  readFormat,
  REPOSITORY_FLAG,
} from "./flags.ts";
import { chooseGuards, runGuards } from "./guard.ts";

/** `kprov init`. */
export const INIT: Command = {
  usage: [
    "kprov init [--root DIR] [--dry-run] [--format text|json] [--quiet]",
    "kprov init --renew-lock [--base-lock FILE] [--root DIR] [--dry-run]",
  ],
  description: [
    "Writes docs/governance/policy.json and its lock. It takes the name, the version and the " +
    "repository from the manifests (deno.json, pyproject.toml, Cargo.toml, package.json, " +
    "pixi.toml, setup.cfg, setup.py, DESCRIPTION of R) or from git, the runtimes from the files that declare them, and the gate from " +
    "the workflows. Manifests and workflows count even before git tracks them. It says where " +
    "each value comes from, and what the guards already find. It overwrites nothing.",
    "--renew-lock writes the lock anew for the rules as they are now. It refuses if a rule " +
    "changed without a higher major version; a pre-release may renew freely.",
  ],
  flags: [
    REPOSITORY_FLAG,
    { name: "renew-lock", summary: "Write the lock anew" },
    BASE_LOCK_FLAG,
    { name: "dry-run", short: "n", summary: "Print what would be written, and write nothing" },
    FORMAT_FLAG,
    QUIET_FLAG,
  ],
  permissions: "--allow-read=DIR --allow-write=DIR/docs/governance.",
  examples: [
    ["kprov init --dry-run", "Show the policy that would be written"],
    ["kprov init", "Write the policy and its lock"],
    ["kprov init --renew-lock", "Renew the lock after a new major version"],
  ],
  exitCodes: [
    [0, "written, or nothing to do"],
    [1, "the lock must not be renewed: the findings say why"],
    EXITS.usage,
    EXITS.repository,
    [73, "a file is there already, or cannot be created"],
    EXITS.writing,
    EXITS.permission,
    [78, "the policy is missing or cannot be used, or has no lock"],
  ],
  execute: init,
};

async function init(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot use arguments: kprov init takes none");
  }
  const baseLock = flags.value("base-lock");
  const isRenewal = flags.has("renew-lock");
  if (baseLock !== null && !isRenewal) {
    throw new KprovError("usage", "Cannot use --base-lock: it goes with --renew-lock");
  }
  const format = readFormat(flags.value("format"));
  const root = openRepositoryRoot(flags, host);
  const isDryRun = flags.has("dry-run");
  const told = new InitReport({ isJson: format === "json", isQuiet: flags.has("quiet") }, host);
  const code =
    await (isRenewal
      ? renewLock({ root, isDryRun, baseLock }, told)
      : writePolicy(root, isDryRun, told));
  if (format === "json") host.writeStdout(told.renderJson());
  return code;
}

/** Tells what is done, line by line as it is, or in one JSON document in the end. */
class InitReport {
  readonly #show: { readonly isJson: boolean; readonly isQuiet: boolean };
  readonly host: Host;
  readonly #files: { path: string; state: string; content?: unknown }[] = [];
  readonly #notes: string[] = [];
  readonly #findings: Finding[] = [];

  constructor(show: { readonly isJson: boolean; readonly isQuiet: boolean }, host: Host) {
    this.#show = show;
    this.host = host;
  }

  /** A file that is written, or holds already. */
  addFile(path: string, state: "written" | "unchanged"): void {
    this.#files.push({ path: toPosixPath(path), state });
    this.#say(`${state === "written" ? "Written" : "Holds  "}  ${shellQuote(path)}\n`);
  }

  /** A file that would be written; who asks for it sees it. */
  addPlanned(path: string, content: unknown, text: string): void {
    this.#files.push({ path: toPosixPath(path), state: "planned", content });
    if (!this.#show.isJson) this.host.writeStdout(text);
  }

  addNotes(notes: readonly string[]): void {
    this.#notes.push(...notes);
    if (this.#show.isQuiet) return;
    for (const note of notes) this.host.writeStderr(`note: ${note}\n`);
  }

  /** Why the lock must not be renewed. */
  addFindings(findings: readonly Finding[]): void {
    this.#findings.push(...findings);
    if (this.#show.isJson) return;
    this.host.writeStdout(renderGuardText([makeGuardResult("lock", findings)], this.host));
  }

  addNextSteps(lines: readonly string[]): void {
    this.#say(`Next     ${lines.join("\n         ")}\n`);
  }

  renderJson(): string {
    return renderLogSafeJson({
      ok: this.#findings.length === 0,
      files: this.#files,
      notes: this.#notes,
      findings: this.#findings,
    });
  }

  #say(text: string): void {
    if (!this.#show.isJson && !this.#show.isQuiet) this.host.writeStdout(text);
  }
}

async function writePolicy(root: Root, isDryRun: boolean, told: InitReport): Promise<number> {
  checkPlace(root, POLICY_NAME);
  const standing = await gatherPolicy(root);
  if (standing !== null) {
    throw new KprovError(
      "cannot_create",
      `Cannot create ${quote(POLICY_NAME)}: it exists already`,
      {
        hint: standing.policy.lock === undefined
          ? "nothing is overwritten; edit it, or remove it first"
          : "kprov init --renew-lock writes its lock anew",
      },
    );
  }
  const { policy, notes: taken } = buildStarterPolicy(await gatherProject(root), POLICY_NAME);
  const notes = [...taken, ...await listFailures(root, policy, told.host)];
  const text = `${JSON.stringify(policy, null, 2)}\n`;
  if (isDryRun) {
    told.addPlanned(join(root.given, POLICY_NAME), policy, makeJsonLogSafe(text));
    told.addNotes(notes);
    return 0;
  }
  await writeInside(root, POLICY_NAME, text, createFileAtomically, told);
  told.addNotes(notes);
  const code = policy.lock === undefined
    ? 0
    : await renewLock({ root, isDryRun, baseLock: null }, told);
  told.addNextSteps(listNextSteps(root));
  return code;
}

/** Lines that can be pasted where kprov was started. */
function listNextSteps({ given }: Root): string[] {
  const directory = shellQuote(given);
  const [git, option] = given === "." ? ["", ""] : [` -C ${directory}`, ` --root ${directory}`];
  return [`git${git} add ${dirname(POLICY_NAME)}`, `kprov guard${option}`];
}

/** What the policy's guards find already, in one line. */
async function listFailures(root: Root, policy: Policy, host: Host): Promise<string[]> {
  const guards = (await chooseGuards([], policy)).filter(({ name }) => name !== "lock");
  const tracked = listProjectFiles(root);
  if (tracked.length === 0) return [];
  const request = { root, policy, guards, tracked, baseLock: null };
  const { results } = await runGuards(request, POLICY_NAME, host);
  const errors = results.flatMap(({ findings }) => findings)
    .filter(({ level }) => level === "error");
  const counts = [...Map.groupBy(errors, ({ code }) => code)]
    .map(([code, found]) => `${code} (${found.length})`);
  return counts.length === 0 ? [] : [`these already fail: ${counts.join(", ")}; see kprov guard`];
}

interface RenewalRequest {
  readonly root: Root;
  readonly isDryRun: boolean;
  readonly baseLock: string | null;
}

async function renewLock(
  { root, isDryRun, baseLock }: RenewalRequest,
  told: InitReport,
): Promise<number> {
  const { policy } = await requirePolicy(root);
  const lockPolicy = requireLockPolicy(policy);
  const governance = gatherGovernance(root, lockPolicy, listGovernable(root), baseLock);
  const renewal = checkRenewal(governance, lockPolicy);
  if (!renewal.ok) {
    told.addFindings(renewal.findings);
    return 1;
  }
  const path = join(root.given, lockPolicy.path);
  if (isDryRun) told.addPlanned(path, renewal.lock, renderLogSafeJson(renewal.lock));
  else if (renewal.change === "unchanged") told.addFile(path, "unchanged");
  else {
    await writeInside(
      root,
      lockPolicy.path,
      renderCanonicalJson(renewal.lock),
      writeFileAtomically,
      told,
    );
  }
  return 0;
}

function requireLockPolicy(policy: Policy): LockPolicy {
  if (policy.lock !== undefined) return policy.lock;
  throw new KprovError("policy", "Cannot renew the lock: the policy has no section for it", {
    hint: "add /lock to the policy",
  });
}

/** What git tracks, and the policy that was just written and is about to be. */
function listGovernable(root: Root): readonly TrackedEntry[] {
  const tracked = gatherTrackedFiles(root.path);
  // A lock over a part of the rules would look like one over all of them.
  if ("code" in tracked) throw new KprovError("data", `Cannot write the lock: ${tracked.message}`);
  return tracked.some(({ path }) => path === POLICY_NAME)
    ? tracked
    : [...tracked, { path: POLICY_NAME, kind: "file" }];
}

/** How a file is written: as a new one, or in place of one that is there. */
type WriteFile = (path: string, text: string) => Promise<void>;

async function writeInside(
  root: Root,
  name: string,
  text: string,
  write: WriteFile,
  told: InitReport,
): Promise<void> {
  checkPlace(root, name);
  await write(join(root.path, name), text);
  // A directory may have been swapped, or made, since the look.
  checkPlace(root, name);
  told.addFile(join(root.given, name), "written");
}

/** Nothing is written outside of the root: not by a name that leads out of it, and not through a link. */
function checkPlace(root: Root, name: string): void {
  try {
    checkTrackedPath(name);
  } catch (error) {
    throw error instanceof KprovError ? refusePlace(name, error.message) : error;
  }
  const link = new DirectoriesBelow(root.path).describeLink(name);
  if (link !== null) throw refusePlace(name, link);
}

function refusePlace(name: string, reason: string): KprovError {
  return new KprovError("cannot_create", `Cannot write ${quote(name)}: ${reason}`);
}

/** The directories whose files count before git tracks them: the root, and that of the workflows. */
const OWN_DIRECTORIES: readonly string[] = ["", ".github/workflows/"];

/**
 * Reads what a project says of itself: its manifests, what declares its runtimes, its workflows,
 * and git's metadata. Throws where a file cannot be read.
 */
async function gatherProject(root: Root): Promise<ProjectFacts> {
  const files = listProjectFiles(root);
  const guards = [RUNTIME, PARITY];
  const request = { root, policy: WIDE_POLICY, guards, tracked: files, baseLock: null };
  return {
    manifests: MANIFEST_PATHS.filter((path) => files.some((file) => file.path === path))
      .map((path) => readManifest(root, path)),
    origin: gatherOrigin(root.path),
    repository: await gatherRepository(request),
    denoRange: SUPPORTED_DENO,
  };
}

/**
 * Lists what git tracks and is there, and the files of the root and of the workflows that it does
 * not track yet.
 */
function listProjectFiles(root: Root): TrackedEntry[] {
  const index = gatherTrackedFiles(root.path);
  const entries = new Map<string, TrackedEntry>();
  for (const entry of "code" in index ? [] : index) {
    if (entry.kind === "submodule" || isThere(root, entry.path)) entries.set(entry.path, entry);
  }
  for (const directory of OWN_DIRECTORIES) {
    for (const name of listFiles(join(root.path, directory))) {
      const path = `${directory}${name}`;
      if (!entries.has(path)) entries.set(path, { path, kind: "file" });
    }
  }
  return [...entries.values()].toSorted((a, b) => a.path < b.path ? -1 : 1);
}

function isThere(root: Root, path: string): boolean {
  try {
    Deno.lstatSync(join(root.path, path));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function listFiles(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile).map(({ name }) => name);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function readManifest(root: Root, path: string): ProjectManifest {
  const content = readTracked(root.path, path);
  if (!content.ok) return refuseManifest(path, content.reason);
  const decoded = decodeText(content.bytes);
  return decoded.ok ? parseManifest(path, decoded.text) : refuseManifest(path, decoded.reason);
}
