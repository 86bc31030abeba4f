import { dirname } from "../../../src/base/std.ts";
import { locateExecutable } from "../../../src/io/tools.ts";
import { decode } from "../../run_kprov.ts";

/** A package as an installer would leave it. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Rows of RECORD beside the usual ones; a row names a file, its hash and its size. */
  readonly rows?: readonly string[];
  /** The content of direct_url.json. */
  readonly directUrl?: unknown;
}

/** Why there is no Python here to test with; null where there is one. */
export function whyNoPython(): string | null {
  if (Deno.build.os === "windows") return "environments stand elsewhere on Windows";
  return locateExecutable("python3", "/").state === "found" ? null : "there is no python3";
}

/**
 * Makes a virtual environment without reaching for any package.
 *
 * @param path Where it goes
 * @returns Its site-packages
 */
export async function makeEnvironment(path: string): Promise<string> {
  await run("python3", ["-m", "venv", "--without-pip", path]);
  const code = "import sysconfig; print(sysconfig.get_path('purelib'))";
  return (await run(`${path}/bin/python`, ["-c", code])).trim();
}

/**
 * Puts packages into an environment as pip does: the rows of RECORD name a script and a .pyc file that
 * depend on where the environment stands.
 *
 * @param sitePackages As {@linkcode makeEnvironment} told it
 * @param packages The packages; an earlier version goes
 */
export function install(sitePackages: string, packages: readonly InstalledPackage[]): void {
  for (const { name, version, rows = [], directUrl } of packages) {
    for (const { name: other } of [...Deno.readDirSync(sitePackages)]) {
      if (!other.startsWith(`${name}-`)) continue;
      Deno.removeSync(`${sitePackages}/${other}`, { recursive: true });
    }
    const info = `${name}-${version}.dist-info`;
    const place = dirname(dirname(dirname(sitePackages)));
    const record = [
      `../../../bin/${name},sha256=${toHash(place)},${place.length}`,
      `${name}/__pycache__/__init__.cpython-312.pyc,,`,
      `${name}/__init__.py,sha256=${toHash(`${name} ${version}`)},10`,
      `${info}/INSTALLER,sha256=${toHash("pip")},4`,
      `${info}/direct_url.json,sha256=${toHash(place)},70`,
      `${info}/METADATA,sha256=${toHash(version)},20`,
      `${info}/RECORD,,`,
      ...rows,
    ];
    Deno.mkdirSync(`${sitePackages}/${info}`);
    const write = (file: string, text: string): void =>
      Deno.writeTextFileSync(`${sitePackages}/${info}/${file}`, text);
    write("METADATA", `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n\nText\n`);
    write("RECORD", `${record.join("\n")}\n`);
    if (directUrl !== undefined) write("direct_url.json", JSON.stringify(directUrl));
  }
}

function toHash(text: string): string {
  return btoa(text).replace(/[+/=]/g, "").slice(0, 43);
}

/** Runs a program to its end and returns what it printed. */
export async function run(program: string, args: readonly string[], cwd = "/"): Promise<string> {
  const command = new Deno.Command(program, { args: [...args], cwd, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${decode(stderr)}`);
  return decode(stdout);
}
