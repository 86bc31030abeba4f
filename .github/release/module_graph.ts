/**
 * What a bundle of kprov holds: the modules that are loaded, their packages, and the licences of these.
 *
 * @module
 */

/** The top of the checkout. */
export const TOP: URL = new URL("../../", import.meta.url);

/** Packages without a licence file: the notice that each of their modules carries. */
const NOTICES: Readonly<Record<string, string>> = {
  "deno-std":
    "Copyright 2018-2026 the Deno authors. MIT license.\nThe terms are those of LICENSE.\n",
};

/** What `deno info --json` says of a module graph, as far as it is used here. */
export interface GraphInfo {
  /** The modules, with the package that each is of. */
  readonly modules: readonly { readonly specifier: string; readonly npmPackage?: string }[];
  /** The packages, by name and version. */
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

/** A package, as `deno info` tells of it. */
export interface NpmPackage {
  /** Its name. */
  readonly name: string;
  /** What it needs, by name and version. */
  readonly dependencies: readonly string[];
  /** Where it is; Deno 2.8, with which the package cannot be published, does not tell. */
  readonly localPath?: string;
}

/**
 * Runs this Deno at the top of the checkout.
 *
 * @param args Its arguments
 * @returns What it printed
 * @throws {Error} With what it said, where it failed
 */
export function runDeno(args: readonly string[]): Promise<string> {
  return runProgram(Deno.execPath(), args);
}

/**
 * Runs a program at the top of the checkout.
 *
 * @param program The program
 * @param args Its arguments
 * @returns What it printed
 * @throws {Error} With what it said, where it failed
 */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: TOP,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/**
 * Refuses a bundle that loads anything but files beside it and what is part of Deno.
 *
 * @param path The bundle's entry
 * @returns How many modules of its own it loads
 */
export async function checkStandsAlone(path: string): Promise<number> {
  const { modules } = await readGraph(["--no-config", "--no-lock", path]);
  const foreign = modules.find(({ specifier }) => !/^(file|node):/.test(specifier));
  if (foreign !== undefined) throw new Error(`${path} loads ${foreign.specifier}`);
  return modules.filter(({ specifier }) => specifier.startsWith("file:")).length;
}

/**
 * Reads a module graph.
 *
 * @param args What follows `deno info --json`
 */
export async function readGraph(args: readonly string[]): Promise<GraphInfo> {
  return JSON.parse(await runDeno(["info", "--json", ...args]));
}

/**
 * The licences of the libraries in a module graph, those that they need included.
 *
 * @param graph The graph
 */
export function renderLicences({ modules, npmPackages }: GraphInfo): string {
  const ids = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  // A set is walked to its end, what is added on the way included.
  for (const id of ids) npmPackages[id]?.dependencies.forEach((dependency) => ids.add(dependency));
  const texts = [...ids].sort().map((id) => `${id}\n\n${readLicence(id, npmPackages[id])}`);
  return `The licences of what is bundled.\n\n${texts.join(`\n${"-".repeat(72)}\n\n`)}`;
}

function readLicence(id: string, library: NpmPackage | undefined): string {
  if (library === undefined) throw new Error(`deno info does not say what ${id} is`);
  const { name, localPath } = library;
  if (localPath === undefined) return "";
  const file = [...Deno.readDirSync(localPath)].find((entry) => /^licen[cs]e\b/i.test(entry.name));
  if (file !== undefined) return Deno.readTextFileSync(`${localPath}/${file.name}`);
  const notice = NOTICES[name];
  if (notice === undefined) throw new Error(`${id} has no licence file`);
  return notice;
}

/**
 * A file of a package.
 *
 * @param id The package, by name and version
 * @param library What `deno info` says of it
 * @param file The file's name
 */
export function readPackageFile(id: string, { localPath }: NpmPackage, file: string): string {
  if (localPath === undefined) throw new Error(`this Deno does not say where ${id} is`);
  return Deno.readTextFileSync(`${localPath}/${file}`);
}
