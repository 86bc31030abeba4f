import { dirname, resolve } from "../../base/std.ts";
import type { PackageSource, RecordedPackage } from "../../evidence/toolchain.ts";
import { toObject, toPublicUrl, toText } from "./ask.ts";
import PROBE from "./python_probe.py" with { type: "text" };

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

/**
 * Reads the arguments of Python (https://docs.python.org/3/using/cmdline.html).
 *
 * @param args All of them
 */
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

/**
 * The arguments that make a Python tell about itself, as it is when a command starts it.
 *
 * @param args The arguments that the command gives it
 * @param root Where the command runs
 * @param wantsPackages Whether its packages are to be told
 */
export function askPython(
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

/**
 * Reads one of the packages that the probe lists.
 *
 * @param value Of the answer
 * @returns The package, or null where it is none
 */
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
