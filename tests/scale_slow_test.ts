import { parse, parseAllDocuments } from "yaml";
import { assert, assertEquals } from "./assert.ts";
import { parseGuide } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { CLI, decode } from "./run_kprov.ts";
import { installKprov } from "./run_script.ts";
import { makeTree, type TemporaryTree } from "./temporary_tree.ts";

const { files: FILES } = parseGuide(
  Deno.readTextFileSync(fromFileUrl(new URL("../docs/scale.md", import.meta.url))),
);

/** What the test looks at of a Job. */
interface Job {
  readonly spec: {
    readonly completions?: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly [
          { readonly args: readonly string[]; readonly workingDir?: string },
        ];
      };
    };
  };
}

/** What the test looks at of the workflow. */
interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
}

/** Names that the shell, YAML and kprov could stumble over, and enough of them for every shard. */
const PROJECT: Readonly<Record<string, string>> = Object.fromEntries(
  [...Array.from({ length: 40 }, (_, i) => `${i}.csv`), "a b.csv", "deep/\u{1F600}.csv"]
    .map((name) => [`project/data/${name}`, name]),
);

const DOCUMENTS = ["provenance.json", "toolchain.json", "human_review.json"];

/** Runs a shell script; a failure shows what it said. */
async function run(script: string, directory: string, bin: TemporaryTree): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script],
    cwd: directory,
    env: {
      KPROV_PERMISSIONS: "--allow-read --allow-write",
      PATH: `${bin.path}:${Deno.env.get("PATH") ?? ""}`,
    },
    stdin: "null",
  }).output();
  assertEquals(code, 0, decode(stdout) + decode(stderr));
}

function findRun(directory: string): string {
  const [first, ...more] = [...Deno.readDirSync(directory)].map(({ name }) => name);
  assert(first !== undefined && more.length === 0, directory);
  return `${directory}/${first}`;
}

function assertSameEvidence(merged: string, whole: string): void {
  for (const name of DOCUMENTS) {
    const [found, expected] = [merged, whole].map((directory) =>
      Deno.readTextFileSync(`${findRun(directory)}/${name}`)
    );
    assertEquals(found, expected, name);
  }
}

function makeBin(scripts: Readonly<Record<string, string>> = {}): TemporaryTree {
  const bin = makeTree(scripts);
  for (const name of Object.keys(scripts)) Deno.chmodSync(bin.at(name), 0o755);
  installKprov(bin.path);
  return bin;
}

function fileOf(name: string): string {
  const text = FILES[name];
  assert(text !== undefined, name);
  return text;
}

async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

const isUnix = Deno.build.os !== "windows";

for (const [name, text] of Object.entries(FILES).filter(([name]) => /\.ya?ml$/.test(name))) {
  Deno.test(`${name} of docs/scale.md is YAML`, () => {
    for (const document of parseAllDocuments(text)) {
      assert("errors" in document, name);
      assertEquals([...document.errors, ...document.warnings], []);
    }
  });
}

for (const [name, text] of Object.entries(FILES).filter(([name]) => /\.(sh|sbatch)$/.test(name))) {
  Deno.test({
    name: `${name} of docs/scale.md is a shell script`,
    ignore: !isUnix,
    fn: async () => {
      using tree = makeTree({ [name]: text });
      const { code, stderr } = await new Deno.Command("bash", { args: ["-n", tree.at(name)] })
        .output();
      assertEquals([code, decode(stderr)], [0, ""]);
    },
  });
}

const hasParallel = isUnix && await isInstalled("parallel");

Deno.test({
  name: "eight shards by GNU parallel, as docs/scale.md has it, merge into the run of one machine" +
    (hasParallel ? "" : " (parallel is not installed)"),
  ignore: !hasParallel,
  fn: async () => {
    using tree = makeTree(PROJECT);
    using bin = makeBin();
    const project = tree.at("project");
    await run("kprov data --out runs --quiet && mv runs ../whole", project, bin);
    await run(fileOf("parallel.sh"), project, bin);
    assertEquals([...Deno.readDirSync(`${project}/runs`)].length, 8);
    assertSameEvidence(`${project}/merged`, tree.at("whole"));
  },
});

/** Stands in for Slurm: does what its options say at once, one task after the other. */
const SBATCH = String.raw`#!/bin/sh
set -eu
tasks=none
while [ "$1" != "\${1#--}" ]; do
  case "$1" in
    --array=*) range=\${1#--array=}; tasks=$(seq "\${range%-*}" "\${range#*-}") ;;
    --dependency=afterok:4711 | --parsable) ;;
    *) exit 9 ;;
  esac
  shift
done
script=$PWD/$1; shift
cd "$(sed -n 's/^#SBATCH --chdir=//p' "$script")"
for task in $tasks; do SLURM_ARRAY_TASK_ID=$task sh "$script" "$@" >&2; done
echo '4711;cluster'
`.replaceAll("\\$", "$");

Deno.test({
  name: "the Slurm jobs of docs/scale.md, run by a stand-in, merge into the run of one machine",
  ignore: !isUnix,
  fn: async () => {
    using tree = makeTree(PROJECT);
    using bin = makeBin({ sbatch: SBATCH });
    for (const name of ["submit.sh", "shard.sbatch", "merge.sbatch"]) {
      Deno.writeTextFileSync(tree.at(name), fileOf(name).replaceAll("/shared/", `${tree.path}/`));
    }
    await run("kprov data --out ../whole --quiet", tree.at("project"), bin);
    await run("sh submit.sh", tree.path, bin);
    assertSameEvidence(tree.at("evidence/runs"), tree.at("whole"));
  },
});

Deno.test({
  name: "the Kubernetes containers of docs/scale.md merge into the run of one machine",
  ignore: !isUnix,
  fn: async () => {
    using tree = makeTree(PROJECT);
    using bin = makeBin();
    const place = (text: string): string =>
      text.replace(/^\/(?=project|evidence)/, `${tree.path}/`);
    const start = async ({ spec }: Job, index: number): Promise<void> => {
      const [{ args, workingDir = "/" }] = spec.template.spec.containers;
      const words = args.map((word) =>
        `'${place(word).replaceAll("$(JOB_COMPLETION_INDEX)", String(index))}'`
      );
      await run(`kprov ${words.join(" ")}`, place(workingDir), bin);
    };
    await run("kprov data --out ../whole --quiet", tree.at("project"), bin);
    const shards: Job | undefined = parseAllDocuments(fileOf("shards.yaml"))[1]?.toJS();
    assert(shards?.spec.completions === 8);
    await Promise.all(Array.from({ length: 8 }, (_, index) => start(shards, index)));
    await start(parse(fileOf("merge.yaml")) as Job, 0);
    assertSameEvidence(tree.at("evidence/runs"), tree.at("whole"));
  },
});

Deno.test({
  name:
    "the steps of the workflow of docs/scale.md, with their permissions, merge into the run of one machine",
  ignore: !isUnix,
  fn: async () => {
    using tree = makeTree(PROJECT);
    using bin = makeBin();
    const project = tree.at("project");
    const { jobs } = parse(fileOf("evidence.yml")) as Workflow;
    const start = async (job: string, before: string, after: string): Promise<void> => {
      const step = jobs[job]?.steps.find(({ run }) => run !== undefined)?.run ?? "exit 9";
      // A checkout stands for the package; it has its libraries by its own configuration.
      const local = step.replace("deno", `'${Deno.execPath()}'`)
        .replace("--no-config --no-lock ", "").replace(/jsr:\S+/, `'${CLI}'`);
      await run([before, local, after].join("\n"), project, bin);
    };
    await run("kprov data --out runs --quiet && mv runs ../whole && mkdir shards", project, bin);
    for (let shard = 1; shard <= 8; shard++) {
      await start("shard", `export SHARD=${shard}`, `mv runs shards/shard-${shard}`);
    }
    await start("merge", "", "");
    assertSameEvidence(`${project}/runs`, tree.at("whole"));
  },
});
