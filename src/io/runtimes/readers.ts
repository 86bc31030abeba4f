import { dirname, resolve } from "../../base/std.ts";
import type { PackageSource, RecordedPackage } from "../../evidence/toolchain.ts";
import {
  gatherDenoPackages,
  gatherNodePackages,
  type Packages,
  parseObject,
  toObject,
  toPublicUrl,
  toText,
} from "./lockfiles.ts";
import PROBE from "./python_probe.py" with { type: "text" };

/** How a command starts a runtime. */
export interface RuntimeCall {
  /** The arguments that it gives it. */
  readonly args: readonly string[];
  /** Where it runs. */
  readonly root: string;
  /** Whether its packages are wanted. */
  readonly wantsPackages: boolean;
}

/** What a runtime told about itself. */
export interface Told {
  /** Its version, as the policy's ranges compare it. */
  readonly version: string;
  /** Which implementation it is; null where there is one only. */
  readonly implementation: string | null;
  /** The real executable, absolute; null where it does not tell. */
  readonly executable: string | null;
  /** The conda-meta directory of the environment that it stands in; null outside of conda. */
  readonly conda: string | null;
  /** What is installed for it. */
  readonly packages: Packages;
}

/** How a runtime is recognised and asked. */
export interface RuntimeReader {
  /** What the policy and the evidence call it. */
  readonly name: string;
  /** What its executables are called, `.exe` aside. */
  readonly programs: RegExp;
  /** The arguments that make it tell about itself. */
  readonly ask: (call: RuntimeCall) => readonly string[];
  /** Reads what it told; null where that is not what such a runtime says. */
  readonly read: (answer: HeardAnswer, call: RuntimeCall) => Told | null;
}

/** What a program printed. */
interface HeardAnswer {
  readonly stdout: string;
  readonly stderr: string;
}

const NO_PACKAGES: Packages = { ok: true, packages: [] };
const UNREAD_PACKAGES: Packages = { ok: false, reason: "kprov does not read its packages" };

/** Every runtime that kprov knows; everything else is a tool with a digest. */
export const RUNTIME_READERS: readonly RuntimeReader[] = [
  {
    name: "python",
    programs: /^(python|pythonw|pypy|graalpy)([0-9]+(\.[0-9]+)*t?)?$/,
    ask: ({ args, root, wantsPackages }) => askPython(args, root, wantsPackages),
    read: ({ stdout }) => readMarked(stdout, readPythonPackage),
  },
  {
    name: "node",
    programs: /^(node|nodejs)([0-9]+)?$/,
    ask: () => ["-e", NODE_PROBE],
    read: ({ stdout }, { args, root, wantsPackages }) =>
      withPackages(
        readMarked(stdout, () => null),
        wantsPackages ? gatherNodePackages(args, root) : NO_PACKAGES,
      ),
  },
  {
    name: "deno",
    programs: /^deno$/,
    ask: () => ["eval", "--quiet", "--no-config", "--no-lock", DENO_PROBE],
    read: ({ stdout }, { root, wantsPackages }) =>
      withPackages(
        readMarked(stdout, () => null),
        wantsPackages ? gatherDenoPackages(root) : NO_PACKAGES,
      ),
  },
  {
    name: "r",
    programs: /^(R|Rscript)$/,
    ask: askR,
    read: ({ stdout }) => readMarked(stdout, readRPackage),
  },
  {
    name: "java",
    programs: /^java$/,
    ask: () => ["-XshowSettings:properties", "-version"],
    read: ({ stderr }) => readJava(stderr),
  },
  {
    name: "ruby",
    programs: /^(ruby|jruby|truffleruby)([0-9]+(\.[0-9]+)*)?$/,
    ask: () => ["-rrbconfig", "-rjson", "-e", RUBY_PROBE],
    read: ({ stdout }) => readMarked(stdout, readGem),
  },
  {
    name: "perl",
    programs: /^perl(5(\.[0-9]+)*)?$/,
    // -f: without sitecustomize.pl.
    ask: () => ["-f", "-e", PERL_PROBE],
    read: ({ stdout }) => withPackages(readMarked(stdout, () => null), UNREAD_PACKAGES),
  },
  {
    name: "julia",
    programs: /^julia(-?[0-9]+(\.[0-9]+)*)?$/,
    ask: () => ["--startup-file=no", "-e", JULIA_PROBE],
    read: ({ stdout }) => withPackages(readMarked(stdout, () => null), UNREAD_PACKAGES),
  },
  {
    name: "go",
    programs: /^go([0-9]+(\.[0-9]+)*)?$/,
    ask: () => ["env", "GOVERSION", "GOROOT"],
    read: ({ stdout }) => readGo(stdout),
  },
  {
    name: "bash",
    programs: /^bash(-?[0-9]+(\.[0-9]+)*)?$/,
    ask: () => ["--norc", "--noprofile", "-c", BASH_PROBE],
    read: ({ stdout }) => readMarked(stdout, () => null),
  },
];

const NODE_PROBE = `const { existsSync, realpathSync } = require("node:fs");
const executable = realpathSync(process.execPath);
const meta = require("node:path").join(executable, "..", "..", "conda-meta");
const conda = existsSync(meta) ? meta : null;
console.log("\\nkprov:" + JSON.stringify({ version: process.versions.node, executable, conda }));`;

const DENO_PROBE = `console.log("\\nkprov:" + JSON.stringify({
  version: Deno.version.deno, executable: Deno.execPath(),
}));`;

const RUBY_PROBE = `gems = defined?(Gem) ? Gem::Specification.map { |gem|
  { name: gem.name, version: gem.version.to_s }
} : nil
puts "\\nkprov:" + JSON.generate(
  version: RUBY_VERSION, implementation: RUBY_ENGINE, executable: RbConfig.ruby, packages: gems)`;

const PERL_PROBE = String
  .raw`printf "\nkprov:{\"version\":\"%vd\",\"executable\":\"%s\"}\n", $^V, $^X =~ s/(["\\])/\\$1/gr;`;

const JULIA_PROBE = String
  .raw`print("\nkprov:{\"version\":\"$VERSION\",\"executable\":", repr(joinpath(Sys.BINDIR, Base.julia_exename())), "}\n")`;

const BASH_PROBE = String
  .raw`printf '\nkprov:{"version":"%s","executable":"%s"}\n' "${"$"}{BASH_VERSINFO[0]}.${"$"}{BASH_VERSINFO[1]}.${"$"}{BASH_VERSINFO[2]}" "$BASH"`;

/** Reads the answer of a probe; without `packages` in it there are none. */
function readMarked(
  stdout: string,
  readPackage: (value: unknown) => RecordedPackage | null,
): Told | null {
  const answer = findAnswer(stdout);
  const version = toText(answer?.["version"]);
  if (answer === null || version === null) return null;
  return {
    version,
    implementation: toText(answer["implementation"]),
    executable: toText(answer["executable"]),
    conda: toText(answer["conda"]),
    packages: readPackages(answer, readPackage),
  };
}

function readPackages(
  answer: Readonly<Record<string, unknown>>,
  readPackage: (value: unknown) => RecordedPackage | null,
): Packages {
  const { packages = [], reason, unnamed } = answer;
  if (!Array.isArray(packages)) {
    return { ok: false, reason: toText(reason) ?? "it does not report its packages" };
  }
  const read = packages.map(readPackage);
  const known = read.filter((entry) => entry !== null);
  const isWhole = known.length === read.length && (unnamed === undefined || unnamed === 0);
  return isWhole ? { ok: true, packages: known } : { ok: false, reason: UNNAMED };
}

const UNNAMED = "a package that is installed for it has no name";

function withPackages(told: Told | null, packages: Packages): Told | null {
  return told && { ...told, packages };
}

/**
 * Asked of the R that a command runs on, with wants_packages set before it; it reads only. It goes to R
 * as one line.
 */
const R_PROBE = String.raw`
quoted <- function(x) ifelse(is.na(x), "null", paste0('"', gsub('(["\\\\])', '\\\\\\1', x), '"'));
told <- paste0('{"version":', quoted(as.character(getRversion())));
executable <- file.path(R.home("bin"), "exec", "R");
if (!file.exists(executable)) executable <- file.path(R.home("bin"), "R");
told <- paste0(told, ',"executable":', quoted(normalizePath(executable, mustWork = FALSE)));
conda <- file.path(R.home(), "..", "..", "conda-meta");
if (dir.exists(conda)) told <- paste0(told, ',"conda":', quoted(normalizePath(conda)));
if (wants_packages) { found <- installed.packages(fields = c("RemoteType", "RemoteSha"), noCache = TRUE); found <- found[!duplicated(found[, "Package"]), , drop = FALSE]; rows <- paste0('{"name":', quoted(found[, "Package"]), ',"version":', quoted(found[, "Version"]), ',"type":', quoted(found[, "RemoteType"]), ',"sha":', quoted(found[, "RemoteSha"]), '}'); told <- paste0(told, ',"packages":[', paste(rows[nrow(found) > 0], collapse = ","), ']') };
cat("\nkprov:", told, "}\n", sep = "")
`;

/** The front end of R passes a blank in an expression on, but no line's end. */
function askR({ args, wantsPackages }: RuntimeCall): readonly string[] {
  // .Rprofile and .Renviron say where R looks for packages; those that the command does without count
  // not.
  const options = args.filter((arg) => /^--(vanilla|no-(init-file|site-file|environ))$/.test(arg));
  const probe = R_PROBE.split("\n").join(" ").trim();
  const call = `wants_packages <- ${wantsPackages ? "TRUE" : "FALSE"}; ${probe}`;
  return ["--slave", "--no-save", "--no-restore", ...options, "-e", call];
}

function readRPackage(value: unknown): RecordedPackage | null {
  const entry = toObject(value);
  const name = toText(entry?.["name"]);
  if (entry === null || name === null) return null;
  const commit = /^[0-9a-f]{40,64}$/.exec(toText(entry["sha"]) ?? "")?.[0];
  return {
    name,
    version: toText(entry["version"]),
    ...(commit === undefined ? {} : { source: { commit } }),
  };
}

function readGem(value: unknown): RecordedPackage | null {
  const entry = toObject(value);
  const name = toText(entry?.["name"]);
  return name === null ? null : { name, version: toText(entry?.["version"]) };
}

function readJava(stderr: string): Told | null {
  const property = (name: string): string | null =>
    new RegExp(`^ +${name.replaceAll(".", "\\.")} = (.+?)\\r?$`, "m").exec(stderr)?.[1] ?? null;
  const version = property("java.version");
  const home = property("java.home");
  if (version === null) return null;
  const program = Deno.build.os === "windows" ? "bin/java.exe" : "bin/java";
  return {
    version,
    implementation: property("java.vm.name"),
    executable: home === null ? null : resolve(home, program),
    conda: null,
    packages: NO_PACKAGES,
  };
}

function readGo(stdout: string): Told | null {
  const [goVersion = "", goRoot = ""] = stdout.trim().split(/\r?\n/);
  const version = /^go([0-9]\S*)/.exec(goVersion)?.[1];
  if (version === undefined) return null;
  const program = Deno.build.os === "windows" ? "bin/go.exe" : "bin/go";
  return {
    version,
    implementation: null,
    executable: goRoot === "" ? null : resolve(goRoot, program),
    conda: null,
    packages: NO_PACKAGES,
  };
}

/** Options of Python that stand alone and decide where it looks for packages. */
const SEARCH_OPTIONS = /[EIPSs]/g;

/** Options that take the next argument where nothing follows them in their own. */
const OPTIONS_WITH_VALUE = /[QWX]$/;

/** How a command starts Python, as far as that decides where packages are looked for. */
interface PythonCall {
  /** Those of the options that count, such as `-s`. */
  readonly options: readonly string[];
  /** The script, where there is one; with `-c`, `-m` and without anything the working directory counts. */
  readonly script: string | null;
}

/** Reads the arguments of Python (https://docs.python.org/3/using/cmdline.html). */
export function parsePythonCall(args: readonly string[]): PythonCall {
  const options: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg.startsWith("--")) {
      if (arg === "--check-hash-based-pycs") i++;
      continue;
    }
    if (!arg.startsWith("-") || arg === "-") return { options, script: arg === "-" ? null : arg };
    const letters = /^-([^cmQWX]*)/.exec(arg)?.[1] ?? "";
    options.push(...(letters.match(SEARCH_OPTIONS) ?? []).map((letter) => `-${letter}`));
    if (/^[cm]/.test(arg.slice(1 + letters.length))) break;
    if (OPTIONS_WITH_VALUE.test(arg) && arg.length === letters.length + 2) i++;
  }
  return { options, script: null };
}

/** The arguments that make a Python tell about itself, as it is when a command starts it. */
function askPython(
  args: readonly string[],
  root: string,
  wantsPackages: boolean,
): readonly string[] {
  const { options, script } = parsePythonCall(args);
  const directory = script === null ? root : findSearchDirectory(resolve(root, script));
  // -B: it writes no .pyc files.
  return [...options, "-B", "-c", PROBE, directory, wantsPackages ? "1" : "0"];
}

/** What Python puts first on its search path for a script: a directory or archive itself. */
function findSearchDirectory(script: string): string {
  try {
    if (Deno.statSync(script).isDirectory || /\.(pyz|zip)$/.test(script)) return script;
    return dirname(Deno.realPathSync(script));
  } catch {
    return dirname(script);
  }
}

/** Reads one of the packages that the probe lists; null where it is none. */
export function readPythonPackage(value: unknown): RecordedPackage | null {
  const entry = toObject(value);
  const name = toText(entry?.["name"]);
  if (entry === null || name === null) return null;
  const direct = toObject(entry["direct_url"]) ?? {};
  const version = toText(entry["version"]);
  if (toObject(direct["dir_info"])?.["editable"] === true) return { name, version, editable: true };
  const sha256 = toText(entry["sha256"]);
  const source = readDirectUrl(direct);
  return {
    name,
    version,
    ...(sha256 === null ? {} : { sha256 }),
    ...(source === null ? {} : { source }),
  };
}

/** https://packaging.python.org/en/latest/specifications/direct-url-data-structure/ */
function readDirectUrl(direct: Readonly<Record<string, unknown>>): PackageSource | null {
  const url = toPublicUrl(direct["url"]);
  const commit = toText(toObject(direct["vcs_info"])?.["commit_id"]);
  const archive = readArchiveHash(toObject(direct["archive_info"]));
  const source = {
    ...(url === null ? {} : { url }),
    ...(commit === null ? {} : { commit }),
    ...(archive === null ? {} : { archive }),
  };
  return Object.keys(source).length === 0 ? null : source;
}

function readArchiveHash(info: Readonly<Record<string, unknown>> | null): string | null {
  const hashes = toObject(info?.["hashes"]);
  const sha256 = toText(hashes?.["sha256"]);
  const hash = sha256 === null ? toText(info?.["hash"])?.replace("=", ":") : `sha256:${sha256}`;
  return hash !== undefined && /^[a-z0-9_]+:[0-9a-f]+$/.test(hash) ? hash : null;
}

/** Begins the one line of an answer that counts; what start-up code prints stands around it. */
const MARK = "kprov:";

/** Finds the JSON object behind the mark in an answer. */
function findAnswer(stdout: string): Readonly<Record<string, unknown>> | null {
  const line = stdout.split("\n").findLast((text) => text.startsWith(MARK));
  return line === undefined ? null : parseObject(line.slice(MARK.length));
}
