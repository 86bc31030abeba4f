/**
 * Writes the whole command line as one file that runs with Deno alone: `deno task bundle` writes
 * dist/kprov.js. It loads no other file: its libraries, its lockfile and its worker are in it.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { checkStandsAlone, readGraph, renderLicences, runDeno, TOP } from "./module_graph.ts";

/** Lets a Unix shell start the file by its name. `-S` parts the words, on Linux, macOS and BSD. */
const SHEBANG = "#!/usr/bin/env -S deno run --no-config --no-npm --no-remote --no-prompt " +
  "--allow-read --allow-write\n";

/** The worker that has no text of its own: in a checkout it is started as a module. */
const SCAN_WORKER = "src/io/scan.ts";

/** What the sources import of Node's modules. */
const NODE_IMPORTS: Readonly<Record<string, string>> = {
  "node:crypto": "createHash, hash",
  "node:fs": "closeSync, constants, fstatSync, fsyncSync, openSync, readSync",
  "node:process": "default",
  "node:zlib": "inflateSync",
};

/** How a source names the module of a worker, as the bundler leaves it. */
const WORKER_ADDRESS = /new URL\("\.\/([\w.]+)",\s*import\.meta\.url\)/g;

/**
 * Writes the file.
 *
 * @param path Where to; its directory is made
 * @throws {Error} Where the file would need another one, or one that is not part of Deno
 */
export async function bundleFile(path: string): Promise<void> {
  const worker = hideAddresses(await bundle(SCAN_WORKER));
  const cli = escapeBeyondAscii(embedScanWorker(await bundleLazily("cli.ts"), worker));
  const code = hideAddresses(cli);
  const licences = renderLicences(await readGraph(["cli.ts"])).replaceAll("*/", "* /");
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeTextFileSync(path, `${SHEBANG}${code}\n/*\n${licences}*/\n`);
  Deno.chmodSync(path, 0o755);
  const files = await checkStandsAlone(Deno.realPathSync(path));
  if (files !== 1) throw new Error(`${path} loads ${files - 1} other files`);
}

/** `browser`, because for Deno the bundler adds a `require`, which works from the file system only. */
function bundle(entry: string, options: readonly string[] = []): Promise<string> {
  return runDeno(["bundle", "--quiet", "--platform", "browser", "--minify", ...options, entry]);
}

/**
 * Bundles an entry so that Node's modules are asked for where a command first needs one. As imports they
 * would all stand at the top of the file, and Deno takes longer to load them than to start.
 */
async function bundleLazily(entry: string): Promise<string> {
  const directory = Deno.makeTempDirSync({ prefix: "kprov-bundle-" });
  try {
    const own = Object.entries(config.imports).map(([name, target]) => [
      name,
      target.startsWith("./") ? new URL(target, TOP).href : target,
    ]);
    const node = Object.entries(NODE_IMPORTS).map(([name, names]) => {
      const file = `./${name.replace("node:", "")}.js`;
      Deno.writeTextFileSync(`${directory}/${file}`, askLater(name, names));
      return [name, file];
    });
    const imports = Object.fromEntries([...own, ...node]);
    Deno.writeTextFileSync(`${directory}/deno.json`, JSON.stringify({ imports }));
    // A copy, because Deno writes into a lockfile what another configuration imports.
    Deno.copyFileSync(new URL("deno.lock", TOP), `${directory}/deno.lock`);
    return await bundle(entry, ["--config", `${directory}/deno.json`]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** A module that takes what is imported from a module of Node when it is itself loaded. */
function askLater(module: string, names: string): string {
  const get = `process.getBuiltinModule(${JSON.stringify(module)})`;
  return names === "default" ? `export default ${get};\n` : `export const {${names}} = ${get};\n`;
}

/**
 * Deno keeps a text that has another character in twice the memory, and takes longer to read it. None
 * stands in a raw template, where the escape would be another text.
 */
function escapeBeyondAscii(code: string): string {
  return code.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Gives the search for names the text of its worker, as the digesting has it in a checkout too. */
function embedScanWorker(code: string, worker: string): string {
  const address = /\burl:(?=new URL\("\.\/scan\.ts",\s*import\.meta\.url\))/g;
  const places = code.match(address)?.length;
  if (places !== 1) throw new Error(`${SCAN_WORKER} has another form`);
  return code.replace(address, () => `script:${JSON.stringify(worker)},url:`);
}

/** Every worker has a text. What named its module would name a file of whoever runs the bundle. */
function hideAddresses(code: string): string {
  return code.replace(WORKER_ADDRESS, (_, name) => `new URL("kprov:${name}")`);
}

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined) throw new Error("usage: deno task bundle");
  await bundleFile(fileURLToPath(new URL(path, TOP)));
}
