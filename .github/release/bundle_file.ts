/**
 * Writes the whole command line as one file that runs with Deno alone: `deno task bundle` writes
 * dist/kprov.js. It loads no other file: its libraries, its lockfile and its worker are in it.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { checkStandsAlone, readGraph, renderLicences, runDeno, TOP } from "./module_graph.ts";

/** Lets a Unix shell start the file by its name. `-S` parts the words, on Linux, macOS and BSD. */
const SHEBANG = "#!/usr/bin/env -S deno run --no-config --no-npm --no-remote --no-prompt " +
  "--allow-read --allow-write\n";

/** The worker that has no text of its own: in a checkout it is started as a module. */
const SCAN_WORKER = "src/io/scan.ts";

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
  const code = hideAddresses(embedScanWorker(await bundle("cli.ts"), worker));
  const licences = renderLicences(await readGraph(["cli.ts"])).replaceAll("*/", "* /");
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeTextFileSync(path, `${SHEBANG}${code}\n/*\n${licences}*/\n`);
  Deno.chmodSync(path, 0o755);
  const files = await checkStandsAlone(Deno.realPathSync(path));
  if (files !== 1) throw new Error(`${path} loads ${files - 1} other files`);
}

/** `browser`, because for Deno the bundler adds a `require`, which works from the file system only. */
function bundle(entry: string): Promise<string> {
  return runDeno(["bundle", "--quiet", "--platform", "browser", "--minify", entry]);
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
