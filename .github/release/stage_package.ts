/**
 * Writes the package as JSR gets it: `deno task publish:stage DIRECTORY`. What runs of it is a bundle
 * with the libraries in it, because Deno looks for an `npm:` name in the package.json of the project
 * that kprov is started in. The sources go along as the types and the documentation of the bundle.
 *
 * @module
 */

import { dirname, relative } from "node:path/posix";
import config from "../../deno.json" with { type: "json" };
import {
  checkStandsAlone,
  type GraphInfo,
  readGraph,
  renderLicences,
  runDeno,
  TOP,
} from "./module_graph.ts";

/** What is published as it stands. */
const SOURCES: readonly string[] = ["mod.ts", "cli.ts", "src", "deno.lock", "LICENSE", "README.md"];

/** Modules that are started as workers, by an address that the bundler leaves as it is. */
const WORKERS: readonly string[] = ["src/io/hash/digest.js", "src/io/scan.ts"];

const ENTRIES: readonly string[] = [...Object.values(config.exports), ...WORKERS];

/**
 * Writes the package.
 *
 * @param path The directory; it must be empty or missing
 * @throws {Error} Where it holds something, or where the bundle needs more than itself
 */
export async function stagePackage(path: string): Promise<void> {
  Deno.mkdirSync(path, { recursive: true });
  const directory = Deno.realPathSync(path);
  if ([...Deno.readDirSync(directory)].length > 0) throw new Error(`${path} is not empty`);
  for (const source of SOURCES) copy(source, directory);
  await writeBundle(directory);
  const graph = await readGraph(["cli.ts"]);
  const libraries = Object.entries(config.imports).filter(([, target]) => isUsed(target, graph));
  for (const [, target] of libraries) writeStandIn(target, directory);
  Deno.writeTextFileSync(`${directory}/bundle/LICENSES.txt`, renderLicences(graph));
  Deno.writeTextFileSync(`${directory}/deno.json`, renderConfig(libraries));
}

function copy(path: string, directory: string): void {
  const source = new URL(path, TOP);
  if (Deno.statSync(source).isFile) return Deno.copyFileSync(source, `${directory}/${path}`);
  Deno.mkdirSync(`${directory}/${path}`);
  for (const { name } of Deno.readDirSync(source)) copy(`${path}/${name}`, directory);
}

async function writeBundle(directory: string): Promise<void> {
  await runDeno([
    // For Deno the bundler adds a `require` to each chunk, which works from the file system only. Many
    // chunks, so that a command loads no more than it needs.
    ...["bundle", "--quiet", "--platform", "browser", "--code-splitting", "--minify"],
    ...["--outdir", `${directory}/bundle`, ...ENTRIES],
  ]);
  for (const path of listFiles(directory, "bundle")) nameWorkers(directory, path);
  await Promise.all(ENTRIES.map((path) => checkStandsAlone(`${directory}/${bundled(path)}`)));
  for (const path of Object.values(config.exports)) nameTypes(directory, path);
}

function listFiles(directory: string, path: string): string[] {
  return [...Deno.readDirSync(`${directory}/${path}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? listFiles(directory, `${path}/${name}`) : [`${path}/${name}`]
  );
}

/**
 * Gives a chunk that starts a worker the address that the worker has in the bundle, and an import of it
 * that nobody calls: Deno fetches what an import names before the start, and what only `new Worker`
 * names in the middle of the work, where there may be no network.
 */
function nameWorkers(directory: string, path: string): void {
  const workers = new Set<string>();
  const code = Deno.readTextFileSync(`${directory}/${path}`).replace(
    /new URL\("\.\/([^"]+\.[jt]s)",\s*import\.meta\.url\)/g,
    (_, name: string) => {
      const worker = findWorker(name, path);
      workers.add(worker);
      return `new URL("${worker}",import.meta.url)`;
    },
  );
  const imports = [...workers].map((worker) => `()=>import("${worker}");\n`);
  Deno.writeTextFileSync(`${directory}/${path}`, code + imports.join(""));
}

function findWorker(name: string, from: string): string {
  const worker = WORKERS.find((path) => path.endsWith(`/${name}`));
  if (worker === undefined) throw new Error(`${from} starts ${name}, which is not in WORKERS`);
  return `./${relative(dirname(from), bundled(worker))}`;
}

/** Where the package has the bundled form of a source. */
function bundled(path: string): string {
  return `bundle/${path.replace(/^\.\//, "").replace(/\.ts$/, ".js")}`;
}

/** Says in an entry that its types and its documentation are those of its source. */
function nameTypes(directory: string, path: string): void {
  const entry = `${directory}/${bundled(path)}`;
  const types = relative(dirname(bundled(path)), path);
  const code = Deno.readTextFileSync(entry);
  Deno.writeTextFileSync(entry, `// @ts-self-types="${types}"\n${code}`);
}

/** Whether kprov runs on a library; the others are those of its tests. */
function isUsed(target: string, { modules }: GraphInfo): boolean {
  return modules.some(({ specifier }) => specifier.replace(/^npm:\//, "npm:") === target);
}

/**
 * Writes what the published sources import in place of a library. They are loaded for their types
 * alone, no type of a library is public, and `npm:` would again be looked for in the user's project.
 */
function writeStandIn(target: string, directory: string): void {
  const path = `${directory}/${standIn(target)}`;
  Deno.mkdirSync(dirname(path), { recursive: true });
  const text = path.endsWith(".json") ? "{}\n" : `// In place of ${target}, which is bundled.\n`;
  Deno.writeTextFileSync(path, text);
}

function standIn(target: string): string {
  const path = target.replace(/^npm:/, "libraries/");
  return path.endsWith(".json") ? path : `${path.replace(/\.js$/, "")}.d.ts`;
}

function renderConfig(libraries: readonly (readonly [string, string])[]): string {
  const { name, version, license } = config;
  const entries = Object.entries(config.exports).map(([key, path]) => [key, `./${bundled(path)}`]);
  const mapped = libraries.map(([key, target]) => [key, `./${standIn(target)}`]);
  const doors = Object.entries(config.imports).filter(([, target]) => target.startsWith("./src/"));
  const exports = Object.fromEntries(entries);
  const imports = Object.fromEntries([...mapped, ...doors]);
  return `${JSON.stringify({ name, version, license, exports, imports }, null, 2)}\n`;
}

if (import.meta.main) {
  const [directory] = Deno.args;
  if (directory === undefined) throw new Error("usage: deno task publish:stage DIRECTORY");
  await stagePackage(directory);
}
