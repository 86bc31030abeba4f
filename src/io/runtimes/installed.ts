import { sha256Hex } from "../../base/sha256.ts";
import { dirname, join } from "../../base/std.ts";
import { compareUtf8 } from "../../base/text.ts";
import type { RecordedPackage, RecordedRuntime } from "../../evidence/toolchain.ts";
import type { Root } from "../paths.ts";
import { isPermitted } from "../permissions.ts";
import { readFile } from "../read_file.ts";
import type { FoundTool } from "../tools.ts";
import { gatherDenoPackages, gatherNodePackages, parseObject } from "./lockfiles.ts";
import { readPythonPackage } from "./readers.ts";
import { findReader } from "./runtimes.ts";

/** Larger than any record of one package. */
const MOST_METADATA_BYTES = 64 * 2 ** 20;

/** Reads what is installed for a runtime; see {@linkcode makeInstalledReader}. */
export type InstalledReader = (
  recorded: RecordedRuntime,
  tools: readonly FoundTool[],
) => RecordedRuntime | null;

/**
 * Makes a reader that tells, without running anything, what is installed for a runtime that a run
 * records: of Python in a virtual environment what stands in its site-packages, of Node and Deno what
 * their lockfiles say. It takes the tools of the run that are at hand, and gives the runtime with what is
 * installed now, or null where that cannot be told so. Each place is read once.
 *
 * @param root Where commands run
 */
export function makeInstalledReader(root: Root): InstalledReader {
  const known = new Map<string, readonly RecordedPackage[] | null>();
  return (recorded, tools) => {
    const tool = findTool(recorded, tools, root);
    if (tool === undefined || recorded.packages === null) return null;
    const key = JSON.stringify([recorded.name, tool.path, recorded.name === "node" && tool.args]);
    const found = known.has(key) ? known.get(key) : readPackages(recorded.name, tool, root);
    known.set(key, found ?? null);
    if (found === null || found === undefined) return null;
    const names = new Set(found.map(({ name }) => name));
    const elsewhere = recorded.packages.filter((entry) =>
      !names.has(entry.name) && standsElsewhere(recorded, entry)
    );
    return { ...recorded, packages: [...found, ...elsewhere] };
  };
}

function findTool(
  { name, sha256 }: RecordedRuntime,
  tools: readonly FoundTool[],
  root: Root,
): FoundTool | undefined {
  const same = tools.filter((tool) => findReader(tool, root)?.name === name);
  return same.find((tool) => tool.sha256 === sha256) ?? (same.length === 1 ? same[0] : undefined);
}

/** What conda installed, and of Python an egg beside the script, is recorded and not in the place. */
function standsElsewhere({ name }: RecordedRuntime, entry: RecordedPackage): boolean {
  if (entry.manager === "conda") return true;
  return name === "python" && entry.sha256 === undefined && entry.editable !== true;
}

function readPackages(
  name: string,
  tool: FoundTool,
  root: Root,
): readonly RecordedPackage[] | null {
  if (name === "python") return readSitePackages(tool.path);
  if (name !== "node" && name !== "deno") return null;
  const packages = name === "node"
    ? gatherNodePackages(tool.args ?? [], root.path)
    : gatherDenoPackages(root.path);
  return packages.ok ? packages.packages : null;
}

/** https://docs.python.org/3/library/site.html: pyvenv.cfg says where an environment starts. */
function readSitePackages(program: string): readonly RecordedPackage[] | null {
  const home = dirname(dirname(program));
  const config = readText(join(home, "pyvenv.cfg"));
  if (config === null || !/^include-system-site-packages *= *false *$/mi.test(config)) return null;
  const places = Deno.build.os === "windows"
    ? [join(home, "Lib", "site-packages")]
    : listNames(join(home, "lib"))?.filter((name) => /^(python|pypy)[0-9.]+t?$/.test(name))
      .map((name) => join(home, "lib", name, "site-packages"));
  const [place, ...more] = places ?? [];
  const names = place === undefined || more.length > 0 ? null : listNames(place);
  if (place === undefined || names === null) return null;
  const packages = names.filter((name) => /\.(dist|egg)-info$/.test(name))
    .map((name) => readDistribution(join(place, name)));
  const known = packages.filter((entry) => entry !== null);
  return known.length === packages.length ? known : null;
}

function listNames(directory: string): string[] | null {
  if (!isPermitted("read", directory)) return null;
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  if (!isPermitted("read", path)) return null;
  const file = readFile(path, { action: "Cannot read a package", maxBytes: MOST_METADATA_BYTES });
  return file.state === "read" ? new TextDecoder().decode(file.bytes) : null;
}

/** As python_probe.py tells it of itself. */
function readDistribution(path: string): RecordedPackage | null {
  const text = readText(join(path, "METADATA")) ?? readText(join(path, "PKG-INFO")) ??
    readText(path);
  const [head = ""] = text?.split(/\r?\n\r?\n/, 1) ?? [];
  const field = (name: string): string | null =>
    new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "mi").exec(head)?.[1] || null;
  const name = field("name");
  const record = readText(join(path, "RECORD"));
  return name === null ? null : readPythonPackage({
    name: name.replace(/[-_.]+/g, "-").toLowerCase(),
    version: field("version"),
    direct_url: parseObject(readText(join(path, "direct_url.json")) ?? "{}"),
    sha256: record === null || record === "" ? null : digestRecord(record),
  });
}

/** What the installer writes beside what the package holds; some of it says where the environment is. */
const OWN: ReadonlySet<string> = new Set([
  ...["INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "provenance_url.json"],
  ...["uv_build.json", "uv_cache.json"],
]);

function digestRecord(record: string): string {
  const rows = record.split(/\r\n|\n|\r/).filter((line) => line !== "").flatMap((line) => {
    const row = parseRow(line);
    const path = row[0]?.replaceAll("\\", "/") ?? "";
    const cut = path.lastIndexOf("/");
    const [folder, name] = [path.slice(0, Math.max(cut, 0)), path.slice(cut + 1)];
    // Scripts stand outside of site-packages and name their interpreter.
    const isOutside = /^(\/|\.\.\/|.:)/.test(path);
    const isOwn = folder.endsWith(".dist-info") && !folder.includes("/") && OWN.has(name);
    if (path === "" || isOutside || isOwn || path.endsWith(".pyc")) return [];
    return [[row[0], row[1] ?? "", row[2] ?? ""].join(",")];
  });
  return sha256Hex(rows.sort(compareUtf8).map((row) => `${row}\n`).join(""));
}

/** The fields of a row of RECORD, which is CSV. */
function parseRow(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted?.replaceAll('""', '"') ?? plain ?? ""
  );
}
