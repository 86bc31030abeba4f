import { type Finding, makeFinding, sortFindings } from "../base/finding.ts";
import { compileGlobFinder, compileGlobs } from "../base/glob.ts";
import { quote, shellQuote } from "../base/quote.ts";
import type { Guard, IndexFault, RepositoryFacts, TrackedEntry } from "./guard.ts";
import type { ArtifactsPolicy, Policy } from "./policy.ts";

/**
 * The guard against build products, caches and secrets that git tracks.
 *
 * @example Without a list of what git tracks it fails
 * ```ts
 * import { ARTIFACTS, type Policy, type RepositoryFacts } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = { schema: "kprovengine.policy.v1", artifacts: { deny: ["runs/**"] } };
 * function check(tracked: RepositoryFacts["tracked"]) {
 *   const facts: RepositoryFacts = {
 *     tracked,
 *     contents: new Map(),
 *     yaml: new Map(),
 *     hits: [],
 *     runningDeno: "2.9.6",
 *     governance: null,
 *   };
 *   return ARTIFACTS.check(facts, policy).map(({ code, path }) => [code, path]);
 * }
 *
 * assertEquals(check([{ path: "README.md", kind: "file" }, { path: "runs/1", kind: "symlink" }]), [
 *   ["artifacts.tracked", "runs/1"],
 * ]);
 * assertEquals(check({ code: "artifacts.index_missing", message: "there is no git metadata" }), [
 *   ["artifacts.index_missing", null],
 * ]);
 * ```
 */
export const ARTIFACTS: Guard = {
  name: "artifacts",
  isConfigured: (policy) => policy.artifacts !== undefined,
  wantsContent: () => false,
  wantsYaml: () => false,
  check: checkArtifacts,
};

const HINT_OF_FAULT: Readonly<Record<IndexFault["code"], string>> = {
  "artifacts.index_missing":
    "for a tree without git's metadata, give its list with --files-from, as git ls-files -z prints it",
  "artifacts.index_invalid":
    "see that git status works here, or give the list of git ls-files -z with --files-from",
};

/**
 * Finds what git tracks and the policy denies. Where the policy has no `deny`, the built-in list
 * stands in, with what it allows.
 *
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 */
function checkArtifacts(facts: RepositoryFacts, policy: Policy): Finding[] {
  const findDenial = compileDenials(policy.artifacts ?? {});
  const { tracked } = facts;
  if ("code" in tracked) {
    return [makeFinding(tracked.code, tracked.message, { hint: HINT_OF_FAULT[tracked.code] })];
  }
  return sortFindings(tracked.flatMap((entry) => {
    const message = findDenial(entry.path);
    return message === null ? [] : [makeTracked(entry, message)];
  }));
}

/** Why a path must not be tracked, or null where it may be. */
function compileDenials(policy: ArtifactsPolicy): (path: string) => string | null {
  const isAllowed = compileGlobs(policy.allow ?? [], "/artifacts/allow");
  if (policy.deny === undefined) return compileBuiltIn(isAllowed);
  const deny = policy.deny;
  const find = compileGlobFinder(deny, "/artifacts/deny");
  return (path) => {
    const glob = deny[find(path) ?? -1];
    if (glob === undefined || isAllowed(path)) return null;
    return `it is tracked, and the policy denies ${quote(glob)}`;
  };
}

function compileBuiltIn(isAllowed: (path: string) => boolean): (path: string) => string | null {
  const find = compileGlobFinder(BUILT_IN_DENY.map(globOf));
  const isAllowedToo = compileGlobs(BUILT_IN_ALLOW.map(globOf));
  return (path) => {
    const denial = BUILT_IN_DENY[find(path) ?? -1];
    if (denial === undefined || isAllowed(path) || isAllowedToo(path)) return null;
    return `it is tracked, and the built-in list denies ${quote(denial.glob)}: ${denial.reason}`;
  };
}

function globOf({ glob }: ReasonedGlob): string {
  return glob;
}

function makeTracked({ path }: TrackedEntry, message: string): Finding {
  // Git takes these characters as a pattern, which could remove more than this one path.
  const isPattern = /^:|[*?[\\]/.test(path);
  const git = isPattern ? "git --literal-pathspecs" : "git";
  return makeFinding("artifacts.tracked", message, {
    path,
    hint: `${git} rm --cached -- ${shellQuote(path)}`,
  });
}

/** A glob with the reason why it is in a list. */
interface ReasonedGlob {
  /** The glob. */
  readonly glob: string;
  /** Why git should not track it, or may. */
  readonly reason: string;
}

/** What git must not track where the policy does not say: what is nearly never tracked on purpose. */
export const BUILT_IN_DENY: readonly ReasonedGlob[] = [
  { glob: "runs/**", reason: "evidence of runs, which kprov writes" },

  { glob: "dist/**", reason: "build output" },
  { glob: "target/{debug,release,classes}/**", reason: "build output of Cargo and Maven" },
  { glob: "**/*.egg-info/**", reason: "build output of Python packages" },
  { glob: "**/{.next,.nuxt,.svelte-kit}/**", reason: "build output of web frameworks" },
  { glob: "**/*.tsbuildinfo", reason: "state of TypeScript's incremental builds" },

  { glob: "coverage/**", reason: "coverage reports" },
  { glob: "**/{htmlcov,.nyc_output}/**", reason: "coverage reports" },
  { glob: "**/.coverage", reason: "coverage data of Python" },

  { glob: "**/node_modules{,/**}", reason: "installed packages of Node" },
  { glob: "**/.venv{,/**}", reason: "an installed Python environment" },
  { glob: "**/{.tox,.nox,.eggs}/**", reason: "Python environments of test runners" },
  { glob: "**/.terraform/**", reason: "installed Terraform providers" },

  { glob: "**/__pycache__/**", reason: "compiled Python" },
  { glob: "**/*.{pyc,pyo}", reason: "compiled Python" },
  { glob: "**/{.mypy,.pytest,.ruff}_cache/**", reason: "caches of Python tools" },
  { glob: "**/.ipynb_checkpoints/**", reason: "automatic copies of notebooks" },
  { glob: "**/{.eslintcache,.stylelintcache}", reason: "caches of linters" },
  { glob: "**/{.gradle,.parcel-cache,.turbo}/**", reason: "caches of build tools" },
  { glob: "**/{npm-debug,yarn-error}.log", reason: "logs of failed installations" },

  { glob: "**/.DS_Store", reason: "folder settings of macOS" },
  { glob: "**/Thumbs.db", reason: "picture previews of Windows" },
  { glob: "**/.*.sw[op]", reason: "swap files of Vim" },
  { glob: "**/*~", reason: "backups of editors" },
  { glob: "**/#*#", reason: "automatic copies of Emacs" },
  { glob: "**/.#*", reason: "locks of Emacs" },
  { glob: "**/.idea/workspace.xml", reason: "personal state of JetBrains editors" },
  { glob: "**/*.{orig,rej}", reason: "left by a merge or patch that failed" },

  { glob: "**/.env", reason: "secrets of a deployment" },
  { glob: "**/.env.*", reason: "secrets of a deployment" },
  {
    glob: "**/id_{rsa,dsa,ecdsa,ecdsa_sk,ed25519,ed25519_sk}",
    reason: "private keys of SSH",
  },
  { glob: "**/*.ppk", reason: "private keys of PuTTY" },
  { glob: "**/*.{p12,pfx}", reason: "private keys with their certificates" },
  { glob: "**/*.kdbx", reason: "password databases" },
  { glob: "**/{.netrc,_netrc,.pgpass,.pypirc,.git-credentials}", reason: "stored passwords" },
  { glob: "**/.aws/credentials", reason: "access keys of AWS" },
  { glob: "**/*.tfstate{,.backup}", reason: "Terraform's state, which holds secrets" },
  {
    glob: "**/.{bash,zsh,python,node_repl,psql,mysql}_history",
    reason: "commands typed, with any secrets in them",
  },
];

/** What git may track all the same, beside {@linkcode BUILT_IN_DENY}. */
export const BUILT_IN_ALLOW: readonly ReasonedGlob[] = [
  {
    glob: "**/.env.{example,sample,template}",
    reason: "shows which settings there are, without their values",
  },
];
