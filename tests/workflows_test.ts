import { parse } from "yaml";
import config from "../deno.json" with { type: "json" };
import policy from "../docs/governance/policy.json" with { type: "json" };
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { parseGuide } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";

/** What the tests look at of a workflow. */
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly "timeout-minutes"?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly needs?: string | readonly string[];
  readonly steps: readonly Step[];
  readonly strategy?: { readonly matrix: { readonly include?: readonly Record<string, string>[] } };
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly "working-directory"?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

const DIRECTORY = fromFileUrl(new URL("../.github/workflows", import.meta.url));
const SCALE = fromFileUrl(new URL("../docs/scale.md", import.meta.url));
const COMPILE = fromFileUrl(new URL("../.github/release/compile_targets.ts", import.meta.url));

function read(name: string): string {
  return Deno.readTextFileSync(`${DIRECTORY}/${name}`);
}

/** Read as YAML 1.2 has it; kprov's own guards judge the form. */
function parseWorkflow(text: string): Workflow {
  return parse(text) as Workflow;
}

function readWorkflow(name: string): Workflow {
  return parseWorkflow(read(name));
}

/** The project's own workflows, and the one that docs/scale.md gives to others. */
const WORKFLOWS: ReadonlyMap<string, string> = new Map([
  ...[...Deno.readDirSync(DIRECTORY)].map(({ name }) => [name, read(name)] as const),
  [
    "the workflow of docs/scale.md",
    parseGuide(Deno.readTextFileSync(SCALE)).files["evidence.yml"] ?? "",
  ],
]);

for (const [name, text] of WORKFLOWS) {
  Deno.test(`${name} pins every action by its commit, with its version beside it`, () => {
    const uses = text.split("\n").filter((line) => /\buses: (?!\.\/ )/.test(line));
    assert(uses.length > 0);
    for (const line of uses) assertMatch(line, / uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  Deno.test(`${name} has no more permissions than its jobs need, and every job a time limit`, () => {
    const { permissions, jobs } = parseWorkflow(text);
    assert(Object.values(permissions).every((permission) => permission === "read"));
    for (const [job, { "timeout-minutes": limit, steps }] of Object.entries(jobs)) {
      assert(limit !== undefined && limit <= 30, job);
      for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
        assertEquals(step.with?.["persist-credentials"], false, job);
      }
    }
  });

  Deno.test(`${name} puts no expression into a script, where it could be code`, () => {
    const steps = Object.values(parseWorkflow(text).jobs).flatMap((job) => job.steps);
    for (const { run = "" } of steps) assert(!run.includes("${{"), run);
  });
}

Deno.test("only the jobs of the release that publish may, each what it publishes", () => {
  const { jobs } = readWorkflow("release.yml");
  const writes = Object.entries(jobs).map(([name, { permissions = {} }]) => [
    name,
    Object.keys(permissions).filter((key) => permissions[key] === "write"),
  ]);
  assertEquals(Object.fromEntries(writes), {
    preflight: [],
    binaries: [],
    portable: [],
    attest: ["id-token", "attestations"],
    jsr: ["id-token"],
    release: ["contents"],
  });
});

Deno.test("nothing of a release comes before the preflight and the tag that names deno.json's version", () => {
  const { jobs } = readWorkflow("release.yml");
  const order = Object.entries(jobs).map(([name, { needs }]) => [name, needs ?? null]);
  assertEquals(order, [
    ["preflight", null],
    ["binaries", "preflight"],
    ["portable", "preflight"],
    ["attest", ["binaries", "portable"]],
    ["jsr", "attest"],
    ["release", "jsr"],
  ]);
  const runs = jobs["preflight"]?.steps.flatMap(({ run }) => run ?? []);
  assertEquals(runs, [
    'test "$GITHUB_REF_NAME" = "v$(jq --raw-output .version deno.json)"',
    "deno task preflight",
  ]);
});

Deno.test("the preflight ends with all tests, of which a developer leaves out the slow ones and the examples", () => {
  const { test, "test:all": all } = config.tasks;
  // The slow ones begin, so that quick ones fill the threads at the end.
  assertEquals(
    test.command.replace(" --ignore='**/*_slow_test.ts'", " --doc tests/**/*_slow_test.ts"),
    all.command,
  );
  assertEquals(policy.preflight.steps.at(-1), ["deno", "task", "test:all"]);
});

Deno.test("a release publishes the staged package, and nothing else", () => {
  const steps = readWorkflow("release.yml").jobs["jsr"]?.steps.filter(({ run }) => run) ?? [];
  assertEquals(steps.map(({ run, "working-directory": directory }) => [directory, run]), [
    [undefined, 'deno task publish:stage "$RUNNER_TEMP/package"'],
    ["${{ runner.temp }}/package", "deno publish --no-check"],
  ]);
});

Deno.test("a release has the bundle, the manual page and the bill of materials beside the binaries", () => {
  const { jobs } = readWorkflow("release.yml");
  const runs = jobs["portable"]?.steps.flatMap(({ run }) => run ?? []) ?? [];
  for (const task of ["bundle", "man", "sbom"]) {
    assert(runs.includes(`deno task ${task}`), task);
    const { command } = config.tasks[task as "bundle" | "man" | "sbom"];
    // What a release keeps, adds up and attests is called kprov and something.
    assertMatch(command, / dist\/kprov\.[\w.]+$/);
  }
  const names = Object.values(jobs).flatMap(({ steps }) =>
    steps.flatMap((step) => step.uses?.startsWith("actions/upload-artifact@") ? [step.with] : [])
  );
  assertEquals(names.map((options) => [options?.["name"], options?.["path"]]), [
    ["files-${{ matrix.os }}", "dist/kprov*"],
    ["files-portable", "dist/kprov*"],
    ["sums", "dist/SHA256SUMS"],
  ]);
});

Deno.test("a release has binaries for every target that the task compiles", () => {
  const known = [...Deno.readTextFileSync(COMPILE).matchAll(/^ {2}"([\w-]+)",$/gm)]
    .map(([, target]) => target);
  assertEquals(known.length, 6);
  const rows = readWorkflow("release.yml").jobs["binaries"]?.strategy?.matrix.include ?? [];
  const released = rows.flatMap(({ native, other }) => [native, other]);
  assertEquals(released.toSorted(), known.toSorted());
});

Deno.test("only the binary that is named for it may start programs, and neither may use the network", () => {
  const { compile, "compile:run": compileRun } = config.tasks;
  const flags = ({ command }: { command: string }): string[] => command.match(/--allow-\S+/g) ?? [];
  assertEquals(flags(compile), ["--allow-read", "--allow-write"]);
  assertEquals(flags(compileRun), ["--allow-read", "--allow-write", "--allow-run", "--allow-env"]);
  for (const { command } of [compile, compileRun]) assertMatch(command, / --no-prompt /);
});
