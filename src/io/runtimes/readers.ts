import { resolve } from "../../base/std.ts";
import type { RecordedPackage } from "../../evidence/toolchain.ts";
import { findAnswer, toObject, toText } from "./ask.ts";
import { gatherDenoPackages, gatherNodePackages, type Packages } from "./lockfiles.ts";
import { askPython, readPythonPackage } from "./python.ts";
import R_PROBE from "./r_probe.R" with { type: "text" };

/** How a command starts a runtime. */
export interface RuntimeCall {
  /** The arguments that it gives it. */
  readonly args: readonly string[];
  /** Where it runs. */
  readonly root: string;
  /** Whether its packages are to be told. */
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
    return { ok: false, reason: toText(reason) ?? "it does not tell its packages" };
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

/** The front end of R passes a blank in an expression on, but no line's end. */
function askR({ args, wantsPackages }: RuntimeCall): readonly string[] {
  // .Rprofile and .Renviron say where R looks for packages; those that the command does without count not.
  const options = args.filter((arg) => /^--(vanilla|no-(init-file|site-file|environ))$/.test(arg));
  const probe = R_PROBE.split("\n").filter((line) => !line.startsWith("#")).join(" ").trim();
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
