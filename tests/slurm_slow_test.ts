import { assert, assertEquals } from "./assert.ts";
import { parseGuide } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { decode } from "./run_kprov.ts";
import { installKprov } from "./run_script.ts";
import { type Slurm, startSlurm } from "./slurm.ts";
import { listNames, makeTree, type TemporaryTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

const { files: FILES } = parseGuide(
  Deno.readTextFileSync(fromFileUrl(new URL("../docs/scale.md", import.meta.url))),
);

const started = await startSlurm();
const slurm: Slurm | null = typeof started === "string" ? null : started;
globalThis.addEventListener("unload", () => slurm?.[Symbol.dispose]());
const missing = typeof started === "string" ? started : null;

/** Files enough for every shard, in the directory that all nodes share, with the page's own scripts. */
function makeShared(): TemporaryTree {
  const names = [...Array.from({ length: 40 }, (_, i) => `${i}.csv`), "a b.csv"];
  const tree = makeTree(Object.fromEntries(names.map((name) => [`project/data/${name}`, name])));
  for (const name of ["submit.sh", "shard.sbatch", "merge.sbatch"]) {
    const text = FILES[name]?.replaceAll("/shared/", `${tree.path}/`);
    assert(text !== undefined, name);
    Deno.writeTextFileSync(tree.at(name), text);
  }
  return tree;
}

async function run(line: string, directory: string, bin: TemporaryTree): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line],
    cwd: directory,
    env: {
      ...slurm?.env,
      KPROV_PERMISSIONS: "--allow-read --allow-write",
      PATH: `${bin.path}:${Deno.env.get("PATH") ?? ""}`,
    },
    stdin: "null",
  }).output();
  assertEquals(code, 0, decode(stdout) + decode(stderr));
  return decode(stdout).trim();
}

function readRun(directory: string): Readonly<Record<string, string>> {
  const [name, ...more] = listNames(directory);
  assert(name !== undefined && more.length === 0, directory);
  return Object.fromEntries(
    ["provenance.json", "toolchain.json", "human_review.json"].map((document) => [
      document,
      Deno.readTextFileSync(`${directory}/${name}/${document}`),
    ]),
  );
}

function explain(shared: TemporaryTree): string {
  return listNames(shared.at("project")).filter((name) => name.startsWith("slurm-"))
    .map((name) => Deno.readTextFileSync(shared.at(`project/${name}`))).join("");
}

Deno.test(
  ...unless(
    missing,
    "the Slurm jobs of docs/scale.md, run by Slurm, merge into the run of one machine",
  ),
  async () => {
    using shared = makeShared();
    using bin = makeTree();
    installKprov(bin.path);
    await run("kprov data --out ../whole --quiet", shared.at("project"), bin);
    await run("sh submit.sh", shared.path, bin);
    const states = await slurm?.waitForJobs() ?? [];
    assertEquals(states, Array.from({ length: 9 }, () => "COMPLETED"), explain(shared));
    assertEquals(readRun(shared.at("evidence/runs")), readRun(shared.at("whole")));
  },
);

Deno.test(
  ...unless(
    missing,
    "a task of a Slurm array that is submitted again by itself completes the shards",
  ),
  async () => {
    using shared = makeShared();
    using bin = makeTree({});
    installKprov(bin.path);
    Deno.mkdirSync(shared.at("evidence/shards"), { recursive: true });
    const shards = shared.at("evidence/shards");
    await run("kprov data --out ../whole --quiet", shared.at("project"), bin);
    for (const tasks of ["0-2,4-7", "3"]) {
      await run(`sbatch --array=${tasks} shard.sbatch 8 '${shards}'`, shared.path, bin);
      await slurm?.waitForJobs();
    }
    await run(`sbatch merge.sbatch '${shards}'`, shared.path, bin);
    const states = await slurm?.waitForJobs() ?? [];
    assert(states.every((state) => state === "COMPLETED"), explain(shared));
    assertEquals(readRun(shared.at("evidence/runs")), readRun(shared.at("whole")));
  },
);
