import { showName } from "../../src/base/quote.ts";
import { SHELL_NAMES } from "../../src/commands/completions/completions.ts";
import { COMMANDS } from "../../src/commands/main.ts";
import { SCHEMA_NAMES } from "../../src/commands/schema.ts";
import { assert, assertEquals } from "../assert.ts";
import { buildIndex } from "../io/git/build_index.ts";
import type { TemporaryTree } from "../temporary_tree.ts";
import { findUnsafe } from "../unsafe_output.ts";
import { callKprov } from "./call_kprov.ts";
import { EVERYTHING, makeRepository, POLICY, WORKFLOW } from "./hostile_repository.ts";

/** What CI systems act on, terminals obey and readers overlook. */
const HOSTILE_NAMES: readonly string[] = [
  "::stop-commands::x",
  " ::error::x",
  "a\n::error::b",
  "##vso[task.setvariable variable=PATH]evil",
  "a\r##[error]b",
  "##teamcity[x]",
  "+++ x",
  "~~~ x",
  "section_start:1:x",
  "travis_fold:start:x",
  "a\u202eb",
  "a\u3164b",
  "a\u034fb",
  "\u0301b",
  "\u{e0041}",
  "\u{e0100}x",
  "a\u2800b",
  "\x1b]0;title\x07\x9b2J",
];

/** Where a hostile name stands. */
interface Scene {
  /** The name. */
  readonly name: string;
  /** A repository with a file of that name, a policy that names it, and runs of it. */
  readonly tree: TemporaryTree;
  /** The repository. */
  readonly root: readonly string[];
  /** A run whose input and product have the name, and another one. */
  readonly runs: readonly [string, string];
}

/** The ways of a name into a command. */
const CALLS: Readonly<Record<string, (scene: Scene) => readonly (readonly string[])[]>> = {
  run: ({ name, tree, root }) => {
    const out = ["--out", tree.at(`new/${name}`)];
    const input = [tree.at(`in/${name}`), ...root];
    return [
      [...input, ...out],
      [...input, ...out, "--format", "json"],
      [...input, "--out", tree.at(`in/${name}`)],
      [tree.at(`gone/${name}`), ...root, ...out],
      ["run", `./${name}`, ...root],
      ["run", `./${name}`, "--root", `./${name}`],
      [`--${name}`],
      [`--out`, `--${name}`],
      ...["format", "at", "shard", "jobs"].map((flag) => [...input, `--${flag}`, name]),
      [...input, "--exclude", `[${name}`],
      [...input, ...out, "--result", tree.at(`in/${name}/x`)],
      [...input, ...out, "--", `./${name}`],
      [...input, ...out, "--tool", `./${name}`, "--", "true"],
      [...input, ...out, "--env", name, "--", "true"],
      [...input, ...out, "--products", tree.at(`made/${name}`), "--", "true"],
    ];
  },
  record: ({ name, tree, root }) => [
    ["record", name],
    ["record", "start", tree.at(`in/${name}`), ...root, "--state", tree.at(`new/${name}.state`)],
    ["record", "finish", ...root, "--state", tree.at(`gone/${name}`), "--products", name],
    ["record", "finish", ...root, "--state", tree.at(`in/${name}`), "--products", tree.at(name)],
  ],
  verify: ({ name, tree, root, runs: [run] }) => [
    ["verify", run, ...root],
    ["verify", run, ...root, "--format", "json"],
    ["verify", tree.at(`gone/${name}`)],
    ["verify", tree.at(`broken/${name}`)],
    ["verify", run, "--root", tree.at(`gone/${name}`)],
  ],
  diff: ({ name, tree, runs: [a, b] }) => [
    ["diff", a, b],
    ["diff", a, b, "--format", "json"],
    ["diff", a, tree.at(`broken/${name}`)],
  ],
  review: ({ name, tree, runs: [run] }) => [
    ["review", run, "--approve", "--reviewer", name],
    ["review", run, "--approve", "--reviewer", "Ada", "--note", name],
    ["review", tree.at(`broken/${name}`), "--reject", "--reviewer", "Ada"],
    ["review", tree.at(`signed/${name}`), "--reject", "--reviewer", "Ada"],
  ],
  reproduce: ({ name, tree, root, runs: [run] }) => [
    ["reproduce", run, ...root],
    ["reproduce", run, ...root, "--format", "json"],
    ["reproduce", tree.at(`broken/${name}`), ...root],
  ],
  merge: ({ name, tree, runs: [run, other] }) => [
    ["merge", run, other, "--out", tree.at(`new/${name}`)],
    ["merge", tree.at(`broken/${name}`), "--out", tree.at("new")],
  ],
  guard: ({ name, tree, root }) => [
    ...["text", "json", "sarif", "github"].map((format) => ["guard", ...root, "--format", format]),
    ["guard", name, ...root],
    ["guard", ...root, "--policy", tree.at(`gone/${name}`)],
    ["guard", ...root, "--policy", tree.at(`in/${name}`)],
    ["guard", ...root, "--files-from", tree.at(`in/${name}`)],
    ["guard", ...root, "--base-lock", tree.at(`in/${name}`)],
    ["guard", "--root", tree.at(`in/${name}`)],
  ],
  preflight: ({ root }) => [["preflight", ...root]],
  init: ({ tree, root }) => [
    ["init", ...root],
    ["init", "--renew-lock", ...root],
    ["init", "--renew-lock", ...root, "--dry-run"],
    ["init", "--root", tree.at("fresh"), "--dry-run"],
    ["init", "--root", tree.at("fresh")],
  ],
  report: ({ name, tree, runs: [run] }) => [
    ["report", run],
    ["report", run, "--out", tree.at(`new/${name}.html`)],
    ["report", tree.at(`broken/${name}`)],
    ["report", run, "--out", tree.at(`gone/${name}/x`)],
  ],
  log: ({ name, tree }) => [
    ["log", tree.at("runs")],
    ["log", tree.at("runs"), "--format", "json"],
    ["log", tree.at("runs"), "--product", name],
    ["log", tree.at(`broken/${name}`)],
  ],
  status: ({ name, tree, root }) => [
    ["status", tree.at("runs"), ...root],
    ["status", tree.at("runs"), ...root, "--format", "json"],
    ["status", tree.at("runs"), ...root, "--explain", tree.at(`made/${name}`)],
  ],
  trace: ({ name, tree }) => [
    ...["text", "json", "dot", "mermaid"].map((format) => [
      ...["trace", tree.at(`made/${name}`), "--runs", tree.at("runs"), "--format", format],
    ]),
    ["trace", tree.at(`gone/${name}`), "--runs", tree.at("runs")],
  ],
  toolchain: ({ name }) => [["toolchain"], ["toolchain", name]],
  schema: ({ name }) => [["schema", name], ...SCHEMA_NAMES.map((schema) => ["schema", schema])],
  completions: ({ name }) => [["completions", name], ...SHELL_NAMES.map((s) => ["completions", s])],
};

/** Makes a repository in which everything that can have the name has it. */
async function makeScene(name: string): Promise<Scene & Disposable> {
  const policy = {
    ...EVERYTHING,
    identity: {
      ...EVERYTHING.identity,
      forbidden_tokens: ["forbidden", name],
      surfaces: [{ path: `in/${name}`, contains: name }],
      docker_labels: { [name]: name },
    },
    artifacts: { deny: [`made/**`] },
    parity: { workflow: WORKFLOW, command: name },
    preflight: { steps: [[name, name]] },
    lock: {
      ...EVERYTHING.lock,
      path: `lock/${name}`,
      governs: [POLICY, `in/${name}`, `no ${name}`],
    },
  };
  const fresh = { name, version: "1.0.0" };
  const tree = makeRepository({
    [POLICY]: JSON.stringify(policy),
    [`in/${name}`]: "forbidden",
    [name]: "forbidden",
    [`made/${name}`]: name,
    [`broken/${name}/provenance.json`]: "{}",
    "deno.json": '{"name": "@kprov/cli", "version": "1.0.0-rc.1"}\n',
    ".tool-versions": `deno ${name}\n`,
    "package.json": JSON.stringify({ engines: { node: name } }),
    Dockerfile: `FROM denoland/deno:2.9.6\nLABEL "${name.replaceAll("\n", "")}"=a\n`,
    "fresh/package.json": JSON.stringify(fresh),
    "new/.keep": "",
    "lock/.keep": "",
  });
  for (const part of ["objects", "refs"]) {
    Deno.mkdirSync(tree.at(`fresh/.git/${part}`), { recursive: true });
  }
  Deno.writeTextFileSync(tree.at("fresh/.git/HEAD"), "ref: refs/heads/main\n");
  Deno.writeFileSync(
    tree.at("fresh/.git/index"),
    buildIndex({ entries: [{ path: "package.json" }] }),
  );
  const root = ["--root", tree.path];
  const product = ["--products", tree.at(`made/${name}`), "--", "cp", `in/${name}`, `made/${name}`];
  const record = async (out: string, ...more: readonly string[]): Promise<string> => {
    const inputs = [tree.at(`in/${name}`), tree.at(name)];
    const args = [...inputs, ...root, "--out", tree.at(out), "--format", "json"];
    const { stdout, stderr } = await callKprov([...args, ...more]);
    assert(stdout.startsWith("{"), stderr);
    return JSON.parse(stdout).run_dir;
  };
  const runs = [await record("runs", ...product), await record("others")] as const;
  await record(`signed/${name}`);
  for (const path of [`in/${name}`, name]) Deno.writeTextFileSync(tree.at(path), "changed");
  return { name, tree, root, runs, [Symbol.dispose]: () => tree[Symbol.dispose]() };
}

Deno.test("every command has its ways in for a hostile name", () => {
  assertEquals(Object.keys(CALLS).sort(), COMMANDS.map(({ name }) => name).sort());
});

for (const name of HOSTILE_NAMES) {
  Deno.test({
    name: `no command lets out as it is what stands for ${showName(name)}`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      using scene = await makeScene(name);
      for (const args of Object.values(CALLS).flatMap((listCalls) => listCalls(scene))) {
        const { code, stdout, stderr } = await callKprov(args);
        const what = JSON.stringify(args);
        assert(code !== 70, `${what}: ${stderr}`);
        // An annotation is a command itself; nothing in it may be another one.
        const shown = args.includes("github")
          ? stdout.replace(/^::(?=error |notice )/gm, "")
          : stdout;
        for (const text of [shown, stderr]) assertEquals(findUnsafe(text), null, what);
        if (args.includes("json")) assert(stderr !== "" || JSON.parse(stdout), what);
      }
    },
  });
}

Deno.test({
  name: "JSON holds a hostile name as it is, once it is parsed",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    for (const name of HOSTILE_NAMES) {
      using scene = await makeScene(name);
      const { stdout } = await callKprov([
        "verify",
        scene.runs[0],
        ...scene.root,
        "--format",
        "json",
      ]);
      const paths = JSON.parse(stdout).runs[0].findings.map(({ path }: { path: string }) => path);
      assertEquals(paths.toSorted(), [name, `in/${name}`].toSorted());
    }
  },
});
