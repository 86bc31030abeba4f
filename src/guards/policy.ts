import * as z from "zod/mini";
import { type FindingLevel, KprovError } from "../base/error.ts";
import { parseIgnoreLine, parseIgnorePattern } from "../base/glob.ts";
import { findNearest } from "../base/quote.ts";
import { parseWithSchema } from "../base/strict_json.ts";
import { parsePolicyRange, type RuntimeName } from "./runtime/declaration.ts";

/** A file that must hold something of the project's identity. */
export type Surface =
  | { readonly path: string; readonly pointer: string; readonly equals: string }
  | { readonly path: string; readonly contains: string };

/** An exception from one rule at one path, with its reason. */
export interface Allowance {
  /** The finding that is allowed. */
  readonly code: string;
  /** Where, as a glob. */
  readonly path: string;
  /** Why. */
  readonly reason: string;
  /** The last day on which it holds, in UTC: `2027-06-30`. */
  readonly until?: string;
}

/** What the project is called, and where. */
export interface IdentityPolicy {
  /** The name that tools know it by. */
  readonly technical_name?: string;
  /** The name that people read. */
  readonly display_name?: string;
  /** The canonical URL of its repository. */
  readonly repository?: string;
  /** The files that must show it. */
  readonly surfaces?: readonly Surface[];
  /** Where the display name may be used, as globs. */
  readonly display_name_allowed?: readonly string[];
  /** Texts that must not appear anywhere. */
  readonly forbidden_tokens?: readonly string[];
  /** What a Dockerfile is, as globs. */
  readonly dockerfiles?: readonly string[];
  /** The labels that every image must have. */
  readonly docker_labels?: Readonly<Record<string, string>>;
}

/** What git must not track. */
export interface ArtifactsPolicy {
  /** What must not be tracked, as globs; default: the built-in list. */
  readonly deny?: readonly string[];
  /** Exceptions from `deny`, as globs. */
  readonly allow?: readonly string[];
}

/** Ranges of versions, one for each runtime. */
export interface RuntimePolicy {
  /** The range of Deno versions. */
  readonly deno?: string;
  /** The range of Python versions, as PEP 440 writes it: `>=3.11,<3.13`. */
  readonly python?: string;
  /** The range of Node versions. */
  readonly node?: string;
}

/** Which workflow must run which command. */
export interface ParityPolicy {
  /** The workflow's path. */
  readonly workflow: string;
  /** The command that people run locally. */
  readonly command: string;
  /** The first words of commands that check, beside those that are known to. */
  readonly checkers?: readonly string[];
}

/** What a review requires. */
export interface ReviewPolicy {
  /** How many different people must approve a run, 1 or more. */
  readonly approvals: number;
}

/** What runs before a commit is pushed, after the guards. */
export interface PreflightPolicy {
  /** Commands with their arguments, in order. */
  readonly steps: readonly (readonly string[])[];
}

/** The defaults of `kprov run` and `kprov record`, where the command line gives no others. */
export interface RunPolicy {
  /** Where run directories go, below the root; default: runs. */
  readonly out?: string;
  /** What is left out of directories, as lines of .gitignore, before the globs of the command line. */
  readonly exclude?: readonly string[];
  /** What commands make, below the root. */
  readonly products?: readonly string[];
}

/** The governed files, and the path of their lock. */
export interface LockPolicy {
  /** Where the lock stands. */
  readonly path: string;
  /**
   * Where the version is: a JSON or TOML file and a JSON Pointer into it, or a plain text file that
   * holds only the version, without a pointer.
   */
  readonly version_from: { readonly path: string; readonly pointer?: string };
  /** The files that make up the rules, as globs. */
  readonly governs: readonly string[];
}

/**
 * docs/governance/policy.json: the rules of a repository. Every section is optional.
 *
 * @example
 * ```ts
 * import { parsePolicy, type Policy } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = {
 *   schema: "kprovengine.policy.v1",
 *   identity: {
 *     technical_name: "acme-etl",
 *     surfaces: [{ path: "package.json", pointer: "/name", equals: "acme-etl" }],
 *     forbidden_tokens: ["acme-legacy"],
 *   },
 *   artifacts: { deny: ["runs/**"], allow: ["runs/README.md"] },
 *   runtime: { deno: ">=2.8.2 <2.10.0", node: "^22 || ^24" },
 *   parity: { workflow: ".github/workflows/ci.yml", command: "make check" },
 *   review: { approvals: 2 },
 *   preflight: { steps: [["make", "check"]] },
 *   run: { out: "evidence", exclude: ["*.tmp"], products: ["build"] },
 *   lock: {
 *     path: "docs/governance/governance.lock.json",
 *     version_from: { path: "package.json", pointer: "/version" },
 *     governs: ["docs/governance/policy.json"],
 *   },
 *   allowances: [{
 *     code: "identity.forbidden_token",
 *     path: "CHANGES.md",
 *     reason: "it quotes the old name",
 *     until: "2027-06-30",
 *   }],
 * };
 * assertEquals(parsePolicy(policy, "the policy"), policy);
 * ```
 */
export interface Policy {
  /** Where editors find the JSON Schema; kprov ignores it. */
  readonly $schema?: string;
  /** The document's schema. */
  readonly schema: "kprovengine.policy.v1";
  /** What the project is called. */
  readonly identity?: IdentityPolicy;
  /** What git must not track. */
  readonly artifacts?: ArtifactsPolicy;
  /** Which versions of which runtimes. */
  readonly runtime?: RuntimePolicy;
  /** What CI must run. */
  readonly parity?: ParityPolicy;
  /** What a review requires. */
  readonly review?: ReviewPolicy;
  /** What a preflight runs after the guards. */
  readonly preflight?: PreflightPolicy;
  /** Defaults for runs, where the command line gives no others. */
  readonly run?: RunPolicy;
  /** Which files make up the rules. */
  readonly lock?: LockPolicy;
  /** The exceptions, for every guard. */
  readonly allowances?: readonly Allowance[];
}

const textSchema = z.string().check(z.minLength(1, { error: "expected some text" }));
const textsSchema = z.array(textSchema);
const pointerSchema = z.string().check(
  z.regex(/^(\/([^~/]|~[01])*)*$/, { error: "expected a JSON Pointer such as /name" }),
);
const insideSchema = z.string().check(
  z.refine((text: string) => !/^$|^[/~]|^[A-Za-z]:|[\\\0]|(?:^|\/)\.{1,2}(?:\/|$)/.test(text), {
    error: "expected a path below the root such as runs",
  }),
);
const ignoreLineSchema = z.string().check(
  z.refine(isIgnoreLine, { error: "expected a glob as a line of .gitignore has it" }),
);
const codeSchema = z.string().check(
  z.refine((text: string) => RULES.some(({ code }) => code === text), {
    error: ({ input }) => `expected the code of a finding${suggestCode(`${input}`)}`,
  }),
);
const daySchema = z.string().check(
  z.refine(isDay, { error: "expected a day such as 2027-06-30" }),
);
const denoRangeSchema = makeRangeSchema("deno", "a range of versions such as >=2.8.2 <2.10.0");
const nodeRangeSchema = makeRangeSchema("node", "a range of versions such as ^22 || ^24");
const pythonRangeSchema = makeRangeSchema("python", "specifiers of PEP 440 such as >=3.11,<3.13");

const identitySchema: z.ZodMiniType<IdentityPolicy> = z.strictObject({
  technical_name: z.exactOptional(textSchema),
  display_name: z.exactOptional(textSchema),
  repository: z.exactOptional(textSchema),
  surfaces: z.exactOptional(z.array(z.union([
    z.strictObject({ path: textSchema, pointer: pointerSchema, equals: z.string() }),
    z.strictObject({ path: textSchema, contains: textSchema }),
  ], { error: "expected {path, pointer, equals} or {path, contains}" }))),
  display_name_allowed: z.exactOptional(textsSchema),
  forbidden_tokens: z.exactOptional(textsSchema),
  dockerfiles: z.exactOptional(textsSchema),
  docker_labels: z.exactOptional(z.record(textSchema, z.string())),
});

/** The schema of a policy. */
export const policySchema: z.ZodMiniType<Policy> = z.strictObject({
  $schema: z.exactOptional(z.string()),
  schema: z.literal("kprovengine.policy.v1"),
  identity: z.exactOptional(identitySchema),
  artifacts: z.exactOptional(z.strictObject({
    deny: z.exactOptional(textsSchema),
    allow: z.exactOptional(textsSchema),
  })),
  runtime: z.exactOptional(z.strictObject({
    deno: z.exactOptional(denoRangeSchema),
    python: z.exactOptional(pythonRangeSchema),
    node: z.exactOptional(nodeRangeSchema),
  })),
  parity: z.exactOptional(z.strictObject({
    workflow: textSchema,
    command: textSchema,
    checkers: z.exactOptional(textsSchema),
  })),
  review: z.exactOptional(z.strictObject({
    approvals: z.int({ error: "expected a whole number from 1 on" }).check(
      z.minimum(1, { error: "expected a whole number from 1 on" }),
    ),
  })),
  preflight: z.exactOptional(z.strictObject({
    steps: z.array(textsSchema.check(z.minLength(1, { error: "expected a command" }))),
  })),
  run: z.exactOptional(z.strictObject({
    out: z.exactOptional(insideSchema),
    exclude: z.exactOptional(z.array(ignoreLineSchema)),
    products: z.exactOptional(z.array(insideSchema)),
  })),
  lock: z.exactOptional(z.strictObject({
    path: textSchema,
    version_from: z.strictObject({
      path: textSchema,
      pointer: z.exactOptional(pointerSchema),
    }),
    governs: textsSchema,
  })),
  allowances: z.exactOptional(z.array(z.strictObject({
    code: codeSchema,
    path: textSchema,
    reason: textSchema,
    until: z.exactOptional(daySchema),
  }))),
});

function suggestCode(written: string): string {
  const nearest = findNearest(written, RULES.map(({ code }) => code));
  return nearest === null ? " such as identity.forbidden_token" : `; did you mean ${nearest}?`;
}

function isIgnoreLine(text: string): boolean {
  try {
    const glob = parseIgnoreLine(text);
    if (glob !== null) parseIgnorePattern(glob);
    return glob !== null;
  } catch (error) {
    if (error instanceof KprovError) return false;
    throw error;
  }
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) &&
    new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true;
}

function makeRangeSchema(runtime: RuntimeName, expected: string): z.ZodMiniType<string> {
  return z.string().check(
    z.refine((text: string) => text.trim() !== "" && parsePolicyRange(runtime, text).ok, {
      error: `expected ${expected}`,
    }),
  );
}

/**
 * Checks a value against the schema of a policy, and types it.
 *
 * @param value Such as `JSON.parse` returns it
 * @param path Where the policy stands, quoted, for the message
 * @returns The value, typed
 * @throws {KprovError} `policy` naming the first place that differs and what was expected there
 *
 * @example
 * ```ts
 * import { parsePolicy } from "@kprov/cli/guards";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const policy = parsePolicy(
 *   { schema: "kprovengine.policy.v1", runtime: { node: ">=20" } },
 *   "the policy",
 * );
 * assertEquals(policy.runtime?.node, ">=20");
 * assertThrows(
 *   () => parsePolicy({ schema: "kprovengine.policy.v1", runtime: { node: "new" } }, "the policy"),
 *   Error,
 *   "Cannot parse policy the policy at /runtime/node",
 * );
 * ```
 */
export function parsePolicy(value: unknown, path: string): Policy {
  return parseWithSchema(policySchema, value, `policy ${path}`, "policy");
}

/** What a finding's code stands for. */
export interface Rule {
  /** The code, `guard.what`. */
  readonly code: string;
  /** How its findings weigh. */
  readonly level: FindingLevel;
  /** What is wrong, in a few words, without a final period. */
  readonly title: string;
  /** What the rule demands, in sentences. */
  readonly description: string;
  /** What to do about a finding, in sentences. */
  readonly remedy: string;
}

/** Every code that a guard can report, in the order of the guards. */
export const RULES: readonly Rule[] = [
  {
    code: "artifacts.tracked",
    level: "error",
    title: "Git tracks a path that the policy denies",
    description: "Build products, runs, caches, editor files and secrets are not tracked.",
    remedy: "Run the git rm --cached line of the finding, and add the path to .gitignore.",
  },
  {
    code: "artifacts.index_missing",
    level: "error",
    title: "There is no git index to read",
    description: "The guards judge what git tracks, and there is no list of it.",
    remedy: "Run kprov at the root of a git worktree, or give the list with --files-from.",
  },
  {
    code: "artifacts.index_invalid",
    level: "error",
    title: "The git index cannot be read exactly",
    description: "The guards judge all that git tracks; a list that may be incomplete is refused.",
    remedy: "See that git status works, or give the list of git ls-files -z with --files-from.",
  },
  unusedAllowance("artifacts"),
  {
    code: "identity.surface_missing",
    level: "error",
    title: "A file that must show the project's identity is missing or cannot be read",
    description: "Every surface that the policy names is tracked, readable and holds its value.",
    remedy: "Restore the file or the value, or remove the surface from the policy.",
  },
  {
    code: "identity.surface_mismatch",
    level: "error",
    title: "A file shows another identity than the policy's",
    description: "What a surface holds equals or contains what the policy says, as a whole.",
    remedy: "Write the value that the finding names.",
  },
  {
    code: "identity.forbidden_token",
    level: "error",
    title: "A forbidden token is in a file or in a path",
    description: "No tracked content and no tracked path holds a token that the policy forbids.",
    remedy: "Remove the token, or allow it for this path, with the reason, in the policy.",
  },
  {
    code: "identity.display_name",
    level: "error",
    title: "The display name is used where it is not allowed",
    description: "The display name is for documents; everything technical has the technical name.",
    remedy: "Use the technical name, or allow the path under identity.display_name_allowed.",
  },
  {
    code: "identity.docker_label",
    level: "error",
    title: "A Docker label is missing or wrong",
    description: "The last stage of every Dockerfile sets the labels that the policy demands.",
    remedy: "Write the LABEL line of the finding into the last stage, without variables.",
  },
  {
    code: "identity.lookalike",
    level: "error",
    title: "A word looks like the project's name but is not",
    description:
      "No content and no path holds a name that can be mistaken for the technical, display " +
      "or repository name: confusable, zero-width, bidirectional or fullwidth characters (UTS #39).",
    remedy: "Write the name in its own characters; the finding lists the ones that differ.",
  },
  {
    code: "identity.behind_link",
    level: "error",
    title: "A tracked path lies behind a symbolic link",
    description: "No directory on the way to a tracked file is a link: what is behind one is not " +
      "what git tracks, is not read, and may lie outside of the repository.",
    remedy: "Replace the link by the directory, or remove the paths behind it from git's index.",
  },
  {
    code: "identity.missing_file",
    level: "error",
    title: "A tracked file does not exist",
    description: "The guard reads tracked files in the working tree; an absent one is not checked.",
    remedy: "Restore the file, or remove it from git's index.",
  },
  unusedAllowance("identity"),
  {
    code: "runtime.out_of_range",
    level: "error",
    title: "A runtime is declared outside the policy's range",
    description:
      "Every version of Deno, Node and Python that the repository declares or pins lies " +
      "inside the range that the policy names for it, and so does the Deno that runs the guard.",
    remedy: "Declare a version or a range inside the policy's.",
  },
  {
    code: "runtime.unpinned",
    level: "error",
    title: "A runtime is not pinned, or its version is unknown",
    description:
      "Every declaration of a runtime names a version that can be read without running anything.",
    remedy: "Write a version or a range inside the policy's.",
  },
  {
    code: "runtime.undeclared",
    level: "error",
    title: "A runtime that the policy names is declared nowhere",
    description:
      "Each of Node and Python that the policy names a range for is declared or pinned by a tracked " +
      "file. Deno is declared by the one that runs the guard.",
    remedy: "Declare a version inside the policy's range, or remove the runtime from the policy.",
  },
  unusedAllowance("runtime"),
  {
    code: "parity.missing",
    level: "error",
    title: "CI does not run the project's own check",
    description:
      "On push to the default branch and on pull request, a step of the workflow is the policy's " +
      "command and nothing else.",
    remedy: "Give the command a step of its own in the workflow that the policy names.",
  },
  {
    code: "parity.uncovered_version",
    level: "error",
    title: "CI does not check every supported version of a runtime",
    description:
      "The workflow runs the policy's command on every version that the policy names of each " +
      "runtime that the command uses.",
    remedy: "Add the version to the workflow's matrix.",
  },
  {
    code: "parity.swallowed",
    level: "error",
    title: "CI can pass although its check failed or did not run",
    description:
      "Nothing in the workflow can skip the command, change what it runs or hide its failure.",
    remedy:
      "Remove what the finding names: a condition, a filter, a shell, a variable, a directory.",
  },
  {
    code: "parity.extra_gate",
    level: "error",
    title: "CI checks something that nobody checks locally",
    description: "The workflow checks nothing that the policy's command does not check.",
    remedy: "Move the check into the command.",
  },
  unusedAllowance("parity"),
  {
    code: "lock.changed",
    level: "error",
    title: "A governed file differs from the governance lock",
    description: "The lock holds the digest of every governed file, and of no other.",
    remedy: "Undo the change, or raise the major version and renew the lock.",
  },
  {
    code: "lock.not_elevated",
    level: "error",
    title: "Governed files changed without a higher major version",
    description: "A change of a governed file comes with a higher major version.",
    remedy: "Raise the major version, then run kprov init --renew-lock.",
  },
  {
    code: "lock.missing",
    level: "error",
    title: "The governance lock is missing or cannot be read",
    description: "The lock that the policy names is there and well-formed.",
    remedy: "Run kprov init --renew-lock.",
  },
  {
    code: "lock.not_proven",
    level: "note",
    title: "The lock was not compared with the base branch's",
    description:
      "Only the base branch's lock shows that a lock was edited together with its files.",
    remedy: "Give the lock as the base branch has it with --base-lock.",
  },
  unusedAllowance("lock"),
];

/** Allowances are the policy's, and each is judged with the guard whose findings it allows. */
function unusedAllowance(guard: string): Rule {
  return {
    code: `${guard}.unused_allowance`,
    level: "error",
    title: "An allowance allows nothing",
    description: "Every allowance of the policy is needed by at least one finding.",
    remedy: "Remove the allowance from the policy.",
  };
}
