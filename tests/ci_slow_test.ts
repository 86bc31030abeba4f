import { parse } from "yaml";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { parseGuide } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { installPythonTools, succeeds } from "./python_tools.ts";
import { decode, type Ended } from "./run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url)).replace(/\/$/, "");

/** A step of the action or of a workflow, as far as the tests look at it. */
interface Step {
  readonly id?: string;
  readonly run?: string;
  readonly shell?: string;
}

const ACTION: {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
} = parse(Deno.readTextFileSync(`${TOP}/action.yml`));

/** Workflows that the docs give to others. */
const EXAMPLES: Readonly<Record<string, string>> = Object.fromEntries(
  ["ci", "scale"].flatMap((page) =>
    Object.entries(parseGuide(Deno.readTextFileSync(`${TOP}/docs/${page}.md`)).files)
      .filter(([, text]) => text.includes("runs-on:"))
  ),
);

const zizmor = await installPythonTools("zizmor==1.32.0");
globalThis.addEventListener("unload", () => zizmor?.[Symbol.dispose]());
const isWindows = Deno.build.os === "windows";
const noZizmor = zizmor === null ? "zizmor is missing here" : null;
const noActionlint = await succeeds("actionlint", ["-version"])
  ? null
  : "actionlint is missing here";
const noShellcheck = await succeeds("shellcheck", ["--version"])
  ? null
  : "shellcheck is missing here";
async function run(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

function makeExamples(): TemporaryTree {
  const workflows = Object.entries(EXAMPLES).map(([name, text]) => [
    `.github/workflows/${name}`,
    text,
  ]);
  return makeTree(Object.fromEntries(workflows));
}

Deno.test(
  ...unless(noZizmor, "zizmor finds nothing in the workflows, the action and the hooks"),
  async () => {
    using tree = makeExamples();
    assertEquals(listNames(tree.at(".github/workflows")), ["evidence.yml", "kprov.yml"]);
    const paths = [
      `${TOP}/.github/workflows`,
      `${TOP}/action.yml`,
      `${TOP}/.pre-commit-hooks.yaml`,
    ];
    const own = await run(`${zizmor?.bin}/zizmor`, ["--offline", "--no-progress", ...paths]);
    assertEquals(own.code, 0, own.stdout + own.stderr);
    const given = await run(`${zizmor?.bin}/zizmor`, ["--offline", "--no-progress", tree.path]);
    assertEquals(given.code, 0, given.stdout + given.stderr);
  },
);

Deno.test(
  ...unless(noActionlint, "actionlint finds nothing in the workflows, the docs' included"),
  async () => {
    const own = await run("actionlint", ["-no-color"], { cwd: TOP });
    assertEquals([own.code, own.stdout], [0, ""], own.stderr);
    using tree = makeExamples();
    const names = listNames(tree.at(".github/workflows"));
    const given = await run("actionlint", names, { cwd: tree.at(".github/workflows") });
    assertEquals([given.code, given.stdout], [0, ""], given.stderr);
  },
);

/** Every script of the project, by what it is called here. */
function listScripts(): Map<string, string> {
  const scripts = new Map([".ci/run", ".github/hooks/npm.sh"].map((path) => [
    path.replaceAll("/", "_"),
    Deno.readTextFileSync(`${TOP}/${path}`),
  ]));
  for (const [i, { run, shell }] of ACTION.runs.steps.entries()) {
    if (run === undefined) continue;
    assertEquals(shell, "bash");
    scripts.set(`action_${i}`, `#!/usr/bin/env bash\n${run}`);
  }
  return scripts;
}

Deno.test(
  ...unless(noShellcheck, "shellcheck finds nothing in the scripts and in the action's shell"),
  async () => {
    const scripts = listScripts();
    assertEquals(scripts.size, 6);
    using tree = makeTree(Object.fromEntries(scripts));
    const { code, stdout } = await run("shellcheck", [...scripts.keys()], { cwd: tree.path });
    assertEquals([code, stdout], [0, ""]);
  },
);

/** What a script of the action is given, and what it left. */
interface ActionRun extends Ended {
  readonly outputs: string;
  readonly summary: string;
}

/** Runs the script of the action's step as GitHub would, in a repository. */
async function runAction(
  command: string,
  tree: TemporaryTree,
  env: Readonly<Record<string, string>> = {},
): Promise<ActionRun> {
  using runner = makeTree({ output: "", summary: "" });
  const step = ACTION.runs.steps.find(({ id, run }) =>
    id === command || run?.includes(`cli.ts" ${command} `)
  );
  assert(step?.run !== undefined, command);
  const defaults = Object.entries(ACTION.inputs).map(([name, input]) => [
    { "upload-sarif": "UPLOAD" }[name] ?? name.toUpperCase(),
    input.default,
  ]);
  const ended = await run(
    "bash",
    ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step.run],
    {
      cwd: tree.path,
      env: {
        ...Object.fromEntries(defaults),
        GITHUB_ACTION_PATH: TOP,
        GITHUB_OUTPUT: runner.at("output"),
        GITHUB_STEP_SUMMARY: runner.at("summary"),
        RUNNER_TEMP: runner.path,
        PATH: `${fromFileUrl(new URL(".", `file://${Deno.execPath()}`))}:${Deno.env.get("PATH")}`,
        NO_COLOR: "1",
        ...env,
      },
    },
  );
  const outputs = Deno.readTextFileSync(runner.at("output"));
  if (outputs.includes("sarif=")) {
    const { version } = JSON.parse(Deno.readTextFileSync(runner.at("kprov-guard.sarif")));
    assertEquals(version, "2.1.0");
  }
  return { ...ended, outputs, summary: Deno.readTextFileSync(runner.at("summary")) };
}

async function makeRepository(files: Readonly<Record<string, string>>): Promise<TemporaryTree> {
  const tree = makeTree(files);
  for (const args of [["init", "--quiet"], ["add", "--all", "--force"]]) {
    assertEquals((await run("git", args, { cwd: tree.path })).code, 0);
  }
  return tree;
}

const POLICY = JSON.stringify({
  schema: "kprovengine.policy.v1",
  artifacts: {},
  preflight: { steps: [["git", "--version"]] },
});

const noBash = isWindows || !await succeeds("jq", ["--version"])
  ? "bash or jq is missing here"
  : null;

Deno.test(
  ...unless(noBash, "the action's guard annotates, sums up, and writes SARIF for what it found"),
  async () => {
    using clean = await makeRepository({ "docs/governance/policy.json": POLICY });
    const passed = await runAction("guard", clean);
    assertEquals([passed.code, passed.outputs], [0, ""], passed.stderr);
    using broken = await makeRepository({
      "docs/governance/policy.json": POLICY,
      "runs/a.json": "{}",
    });
    const failed = await runAction("guard", broken, { UPLOAD: "true", ARGUMENTS: "artifacts\n" });
    assertEquals(failed.code, 1, failed.stderr);
    assertStringIncludes(failed.stdout, "::error file=runs/a.json,title=artifacts.tracked::");
    assertStringIncludes(failed.summary, "runs/a.json");
    assertMatch(failed.outputs, /^sarif=\/.+\n$/);
    using empty = await makeRepository({ "a.txt": "" });
    const refused = await runAction("guard", empty, { UPLOAD: "true" });
    assertEquals([refused.code, refused.outputs], [78, ""]);
  },
);

Deno.test(
  ...unless(noBash, "the action's preflight runs the steps, ends as they do, and sums up"),
  async () => {
    using tree = await makeRepository({ "docs/governance/policy.json": POLICY });
    const passed = await runAction("preflight", tree);
    assertEquals(passed.code, 0, passed.stderr);
    assertMatch(passed.stdout, /^git version/m);
    assertStringIncludes(passed.summary, "### kprov preflight: exit code 0\n\n    ");
    Deno.writeTextFileSync(
      tree.at("docs/governance/policy.json"),
      POLICY.replace("--version", "no-such-command"),
    );
    const failed = await runAction("preflight", tree);
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.summary, "exit code 1");
  },
);

Deno.test(
  ...unless(noBash, "the action's run records files alone, and a command where -- comes before it"),
  async () => {
    using tree = await makeRepository({ "a b.txt": "hello\n" });
    const plain = await runAction("run", tree, {
      ARGUMENTS: "a b.txt\n--at\n2026-02-15T20:13:00Z\n",
    });
    assertEquals(plain.code, 0, plain.stderr);
    assertMatch(
      plain.outputs,
      /^run-dir=runs\/2026-02-15T20-13-00Z\nevidence-digest=sha256:[0-9a-f]{64}\n$/,
    );
    assertStringIncludes(plain.summary, "### kprov run: completed\n");
    assertStringIncludes(plain.summary, "    Inputs   1\n");
    const words = ["a b.txt", "--products", "copy.txt", "--", "cp", "a b.txt", "copy.txt"];
    const wrapped = await runAction("run", tree, { ARGUMENTS: words.join("\n") });
    assertEquals(wrapped.code, 0, wrapped.stderr);
    assertStringIncludes(wrapped.summary, "    Products 1\n");
    const failing = ["a b.txt", "--", "false"];
    const failed = await runAction("run", tree, { ARGUMENTS: failing.join("\n") });
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.summary, "### kprov run: command_failed\n");
    const refused = await runAction("run", tree, { ARGUMENTS: "" });
    assertEquals([refused.code, refused.outputs, refused.summary], [64, "", ""]);
  },
);
