import { parseGuide, runGuideStep } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { succeeds } from "./python_tools.ts";
import type { ReadmeStep } from "./readme.ts";
import { decode } from "./run_kprov.ts";
import { installBoth } from "./run_script.ts";
import { startSlurm } from "./slurm.ts";
import { listBelow, makeTree } from "./temporary_tree.ts";

const DIRECTORY = fromFileUrl(new URL("../docs/examples", import.meta.url));

/** The projects of docs/examples/. */
export const EXAMPLES: readonly string[] = [...Deno.readDirSync(DIRECTORY)]
  .filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();

/** What an example needs beside git, sh and coreutils. */
const TOOLS: Readonly<Record<string, readonly string[]>> = { python: ["python3"], node: ["node"] };

/** A project: its page, where that is, and its files by their paths. */
interface Example {
  readonly page: string;
  readonly path: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/**
 * Reads a project.
 *
 * @param name Its directory
 */
export function readExample(name: string): Example {
  const path = `${DIRECTORY}/${name}.md`;
  const names = listBelow(`${DIRECTORY}/${name}`)
    .filter((file) => !file.endsWith("/"));
  const files = names.map((file) => [file, Deno.readFileSync(`${DIRECTORY}/${name}/${file}`)]);
  return { page: Deno.readTextFileSync(path), path, files: Object.fromEntries(files) };
}

/**
 * Runs every command of a project's page in a copy of the project.
 *
 * @param name Its directory
 * @returns What each printed, or why none can be run here
 */
export async function runExample(name: string): Promise<readonly ReadmeStep[] | string> {
  const { page, files } = readExample(name);
  using tree = makeTree(files);
  using bin = makeTree();
  installBoth(bin.path);
  for (const tool of TOOLS[name] ?? []) {
    if (!await succeeds(tool, ["--version"])) return `${tool} is missing here`;
    if (tool === "python3") continue;
    const { stdout } = await new Deno.Command("which", { args: [tool] }).output();
    Deno.symlinkSync(Deno.realPathSync(decode(stdout).trim()), bin.at(tool));
  }
  const slurm = name === "slurm" ? await startSlurm() : null;
  if (typeof slurm === "string") return slurm;
  try {
    const exported = Object.entries(slurm?.env ?? {}).map(([key, value]) =>
      `export ${key}='${value}'\n`
    );
    const ran: ReadmeStep[] = [];
    for (const { command, output } of parseGuide(page).steps) {
      const line = `${exported.join("")}${command}`;
      ran.push({ command, shown: output, printed: await runGuideStep(line, tree.path, bin.path) });
    }
    return ran;
  } finally {
    slurm?.[Symbol.dispose]();
  }
}
