import { type Finding, makeFinding, sortFindings } from "../base/error.ts";
import { compileGlobFinder, compileGlobs } from "../base/glob.ts";
import { quote, shellQuote } from "../base/quote.ts";
import { detectTextStart } from "../base/text.ts";
import type { FileContent, Guard, IndexFault, RepositoryFacts } from "./guard.ts";
import type { Policy } from "./policy.ts";

/**
 * The guard against build products, caches and secrets that git tracks.
 *
 * @example Without a list of what git tracks it fails
 * ```ts
 * import { ARTIFACTS, type Policy, type RepositoryFacts } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = { schema: "kprovengine.policy.v1", artifacts: { deny: ["runs/**"] } };
 * const facts: RepositoryFacts = {
 *   tracked: { code: "artifacts.index_missing", message: "there is no git metadata" },
 *   contents: new Map(),
 *   yaml: new Map(),
 *   hits: [],
 *   runningDeno: "2.9.6",
 *   governance: null,
 * };
 * assertEquals(ARTIFACTS.check(facts, policy)[0]?.code, "artifacts.index_missing");
 * ```
 */
export const ARTIFACTS: Guard = {
  name: "artifacts",
  isConfigured: (policy) => policy.artifacts !== undefined,
  wantsContent: mayBeKey,
  contentMarker: () => KEY_MARKER,
  wantsYaml: () => false,
  check: checkArtifacts,
};

const HINT_OF_FAULT: Readonly<Record<IndexFault["code"], string>> = {
  "artifacts.index_missing":
    "for a tree without git's metadata, give its list with --files-from, as git ls-files -z prints it",
  "artifacts.index_invalid":
    "see that git status works here, or give the list of git ls-files -z with --files-from",
};

/** Why a path must not be tracked, or null where it may be. */
type FindDenial = (path: string) => string | null;

/** Where the policy has no `deny`, the built-in list stands in, and keys are told by their first line. */
function checkArtifacts({ tracked, contents }: RepositoryFacts, policy: Policy): Finding[] {
  const paths = "code" in tracked ? [] : tracked.map(({ path }) => path);
  const isAllowed = compileGlobs(policy.artifacts?.allow ?? [], "/artifacts/allow");
  const findDenial = compileDenials(policy.artifacts?.deny, isAllowed, paths);
  if ("code" in tracked) {
    return [makeFinding(tracked.code, tracked.message, { hint: HINT_OF_FAULT[tracked.code] })];
  }
  const denied = tracked.flatMap(({ path, kind }) => {
    // A submodule has no content here.
    const isKey = kind !== "submodule" && mayBeKey(path, policy) && !isAllowed(path);
    const reason = findDenial(path) ?? (isKey ? describeKey(contents.get(path)) : null);
    return reason === null ? [] : [{ path, reason, directory: findWhole(path, findDenial) }];
  });
  const groups = Map.groupBy(denied, ({ directory }) => directory);
  const findings = [...groups].flatMap(([directory, members]) =>
    directory === null || members.length <= MOST_LISTED
      ? members.map(({ path, reason }) => makeTracked(path, reason))
      : [reportDirectory(directory, members, paths)]
  );
  return sortFindings(findings);
}

/** So many files of one directory that is denied as a whole are told one by one. */
const MOST_LISTED = 10;
/** Names that no glob is about. */
const ANY_NAME = "\u{10fffd}";

/** The outermost directory on the way to a path of which all is denied, or null. */
function findWhole(path: string, findDenial: FindDenial): string | null {
  const parts = path.split("/").slice(0, -1);
  const directories = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
  return directories.find((directory) =>
    findDenial(`${directory}/${ANY_NAME}`) !== null &&
    findDenial(`${directory}/${ANY_NAME}/${ANY_NAME}`) !== null
  ) ?? null;
}

function reportDirectory(
  directory: string,
  denied: readonly { readonly path: string; readonly reason: string }[],
  paths: readonly string[],
): Finding {
  const gone = new Set(denied.map(({ path }) => path));
  const kept = paths.filter((path) => path.startsWith(`${directory}/`) && !gone.has(path));
  const [first = ""] = kept;
  const again = kept.length === 1
    ? `${gitFor(first)} add -f -- ${shellQuote(first)}`
    : `add the ${kept.length} allowed files again`;
  const remove = `${gitFor(directory)} rm -r --cached -- ${shellQuote(directory)}`;
  const hint = kept.length === 0 ? remove : `${remove}, and then ${again}`;
  const message = `${denied.length} files below it: each ${denied[0]?.reason}`;
  return makeFinding("artifacts.tracked", message, { path: directory, hint });
}

function compileDenials(
  deny: readonly string[] | undefined,
  isAllowed: (path: string) => boolean,
  paths: readonly string[],
): FindDenial {
  if (deny === undefined) return compileBuiltIn(isAllowed, paths);
  const find = compileGlobFinder(deny, "/artifacts/deny");
  return (path) => {
    const glob = deny[find(path) ?? -1];
    if (glob === undefined || isAllowed(path)) return null;
    return `is tracked, and the policy denies ${quote(glob)}`;
  };
}

function compileBuiltIn(
  isAllowed: (path: string) => boolean,
  paths: readonly string[],
): FindDenial {
  const find = compileGlobFinder(BUILT_IN_DENY.map(({ glob }) => glob));
  const isAllowedToo = compileGlobs(BUILT_IN_ALLOW.map(({ glob }) => glob));
  const isInstalled = compileEnvironments(paths);
  return (path) => {
    if (isAllowed(path)) return null;
    if (isInstalled(path)) {
      return "is tracked, and the built-in list denies it: an installed Python environment";
    }
    const denial = BUILT_IN_DENY[find(path) ?? -1];
    if (denial === undefined || isAllowedToo(path)) return null;
    return `is tracked, and the built-in list denies ${quote(denial.glob)}: ${denial.reason}`;
  };
}

/** Everything beside a `pyvenv.cfg` and below it was installed, whatever the directory is called. */
function compileEnvironments(paths: readonly string[]): (path: string) => boolean {
  const directories = paths.filter((path) => path.endsWith("/pyvenv.cfg"))
    .map((path) => path.slice(0, -"pyvenv.cfg".length));
  return (path) => directories.some((directory) => path.startsWith(directory));
}

/** Git takes these characters as a pattern, which could remove more than this one path. */
function gitFor(path: string): string {
  return /^:|[*?[\\]/.test(path) ? "git --literal-pathspecs" : "git";
}

function makeTracked(path: string, reason: string): Finding {
  return makeFinding("artifacts.tracked", `it ${reason}`, {
    path,
    hint: `${gitFor(path)} rm --cached -- ${shellQuote(path)}`,
  });
}

/** Extensions of what never starts as a key: source code, documents, data, pictures and archives. */
const OTHER_KINDS =
  "astro bash c cc cjs clj cpp cs css cts cu cxx dart erl ex exs f90 fish go gradle " +
  "graphql groovy h hpp hs htm html ipynb java jl js jsx kt kts less lua m mjs ml mm mts nf php pl pm " +
  "proto ps1 py pyi pyx r rb rmd rs sass scala scss sh smk sol sql svelte swift tex toml ts tsx v vb " +
  "vue wdl zig zsh adoc csv docx json jsonc jsonl lock map md mdx ndjson parquet pdf rst svg tsv xlsx " +
  "xml yaml yml avif bmp eot gif ico jpeg jpg mp3 mp4 otf png tif tiff ttf wav webm webp woff woff2 " +
  "bz2 gz jar tar tgz wasm whl xz zip zst";
const OTHER_NAME = new RegExp(`\\.(?:${OTHER_KINDS.replaceAll(" ", "|")})$`, "i");
/** A copy of a key has any extension: `deploy_key.json`. */
const KEY_NAME = /(?:key|secret|rsa|ed25519)[^/]*$/i;
/** Every first line of a private key holds it, but for PuTTY's, whose extension is denied. */
const KEY_MARKER = "PRIVATE KEY";
/** As OpenSSL, OpenSSH, GnuPG, and with four hyphens SSH Tectia begin one. */
const KEY_START = /^(?:-----|---- )BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?(?:-----| ----)/;
/** What may stand before: empty lines, comments, OpenSSL's own, parameters and certificates. */
const BEFORE_KEY =
  /^(?:[\ufeff\s]+|#.*\n|(?:Bag|Key) Attributes.*\n(?:[ \t].*\n)*|(?:subject|issuer) ?=.*\n|-----BEGIN (?!.*PRIVATE)([A-Z0-9 ]+)-----[^]*?-----END \1-----)*/;
/** No more of a file is looked at for it, in bytes: a chain of certificates takes some thousand. */
const LONGEST_START = 65_536;

function mayBeKey(path: string, { artifacts }: Policy): boolean {
  return artifacts !== undefined && artifacts.deny === undefined &&
    (KEY_NAME.test(path) || !OTHER_NAME.test(path));
}

/** Why a file that may be a private key must not be tracked, or null where it is none. */
function describeKey(content: FileContent | undefined): string | null {
  if (content === undefined) return "may be a private key, and its content was not gathered";
  if (!content.ok) return `may be a private key, and cannot be read: ${content.reason}`;
  const bytes = content.bytes.subarray(0, LONGEST_START);
  const text = new TextDecoder(detectTextStart(bytes).encoding).decode(bytes);
  return KEY_START.test(text.replace(BEFORE_KEY, ""))
    ? "is tracked, and starts like a private key, which the built-in list denies"
    : null;
}

/** A glob with the reason why git should not track it, or may. */
type ReasonedGlob = Readonly<Record<"glob" | "reason", string>>;

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
  { glob: "**/pyvenv.cfg", reason: "marks an installed Python environment, with all beside it" },
  { glob: "**/{.tox,.nox,.eggs}/**", reason: "Python environments of test runners" },
  { glob: "**/.terraform/**", reason: "installed Terraform providers" },
  { glob: "**/__pycache__/**", reason: "compiled Python" },
  { glob: "**/*.{pyc,pyo}", reason: "compiled Python" },
  { glob: "**/{.mypy,.pytest,.ruff}_cache/**", reason: "caches of Python tools" },
  { glob: "**/.ipynb_checkpoints/**", reason: "automatic copies of notebooks" },
  { glob: "**/{.eslintcache,.stylelintcache}", reason: "caches of linters" },
  { glob: "**/{.gradle,.parcel-cache,.turbo}/**", reason: "caches of build tools" },
  { glob: "**/.snakemake/**", reason: "state and environments of Snakemake" },
  { glob: "**/.dvc/{tmp,cache}/**", reason: "state and cache of DVC" },
  { glob: "**/mlruns/**", reason: "recorded runs of MLflow" },
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
  { glob: "**/.dev.vars{,.*}", reason: "secrets of a worker at Cloudflare" },
  { glob: "**/id_{rsa,dsa,ecdsa,ecdsa_sk,ed25519,ed25519_sk}", reason: "private keys of SSH" },
  { glob: "**/*.ppk", reason: "private keys of PuTTY" },
  { glob: "**/*.{p12,pfx}", reason: "private keys with their certificates" },
  { glob: "**/*.kdbx", reason: "password databases" },
  { glob: "**/{.netrc,_netrc,.pgpass,.pypirc,.git-credentials}", reason: "stored passwords" },
  { glob: "**/.aws/credentials", reason: "access keys of AWS" },
  { glob: "**/*.tfstate{,.backup}", reason: "Terraform's state, which holds secrets" },
  {
    glob: "**/.{{bash,zsh,python,node_repl,psql,mysql}_history,Rhistory}",
    reason: "commands typed, with any secrets in them",
  },
];

/** What git may track all the same, beside {@linkcode BUILT_IN_DENY}. */
export const BUILT_IN_ALLOW: readonly ReasonedGlob[] = [
  {
    glob: "**/.{env,dev.vars}{,.*}.{example,sample,template,dist,schema}",
    reason: "shows which settings there are, without their values",
  },
  { glob: "**/.env.vault", reason: "holds its values encrypted" },
];
