import config from "../deno.json" with { type: "json" };
import { assert, assertEquals } from "./assert.ts";
import plugin from "./lint/plugin.ts";
import { fromFileUrl } from "./paths.ts";
import { decode, runKprov } from "./run_kprov.ts";
import { makeTree } from "./temporary_tree.ts";

const TOP = new URL("..", import.meta.url);

function ruleHits(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ id }) => id);
}

const IMPURE: readonly (readonly [string, string])[] = [
  ["Deno's calls", "export const a = Deno.cwd();"],
  ["the clock", "export const a = new Date();"],
  ["the clock by another name", "export const a = Date.now();"],
  ["the clock as a call", "export const a = Date();"],
  ["chance", "export const a = Math.random();"],
  ["the console", 'console.log("a");'],
  ["the network", 'export const a = fetch("a");'],
  ["the locale", 'export const a = "a".localeCompare("b");'],
  ["the module's own place", "export const a = import.meta.url;"],
  ["globals by the back door", "export const a = globalThis;"],
  ["timers", "setTimeout(() => {}, 1);"],
];

for (const [what, source] of IMPURE) {
  Deno.test(`the lint rule kprov/pure refuses ${what} in the pure layers`, () => {
    for (const path of ["src/evidence/a.ts", "src/guards/a.ts", "src/base/a.ts"]) {
      assertEquals(ruleHits(path, source), ["kprov/pure"], path);
    }
    assertEquals(ruleHits("src/io/a.ts", source), []);
  });
}

const IMPORTS: readonly (readonly [path: string, source: string, isRefused: boolean])[] = [
  ["src/evidence/a.ts", 'import "../guards/policy.ts";', true],
  ["src/guards/a.ts", 'import "../evidence/merge.ts";', true],
  ["src/evidence/a.ts", 'import "../io/inputs.ts";', true],
  ["src/evidence/a.ts", 'export * from "../show/results.ts";', true],
  ["src/evidence/a.ts", 'import "node:fs";', true],
  ["src/evidence/a.ts", 'import "node:crypto";', true],
  ["src/base/canonical_json.ts", 'import "node:crypto";', false],
  ["src/evidence/a.ts", 'import "../base/text.ts";', false],
  ["src/evidence/a.ts", 'import "@std/semver/parse";', true],
  ["src/base/std.ts", 'import "@std/semver/parse";', false],
  ["src/guards/a.ts", 'import "yaml";', true],
  ["src/guards/a.ts", 'import "yaml-without-env";', false],
  ["src/guards/actions/yaml.ts", 'import "node:process";', true],
  ["src/io/a.ts", 'import "../show/results.ts";', true],
  ["src/io/a.ts", 'import "../evidence/merge.ts";', false],
  ["src/commands/a.ts", 'import "../../mod.ts";', true],
  ["src/commands/a.ts", 'import("../../cli.ts");', true],
  ["src/commands/a.ts", "import(a);", true],
  ["src/commands/a.ts", 'import("../show/results.ts");', false],
  ["src/new_layer/a.ts", 'import "../base/text.ts";', true],
];

for (const [path, source, isRefused] of IMPORTS) {
  Deno.test(`the lint rule kprov/layers ${isRefused ? "refuses" : "lets pass"} ${source} in ${path}`, () => {
    assertEquals(ruleHits(path, source), isRefused ? ["kprov/layers"] : []);
  });
}

/** A module of `deno info --json`. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    readonly code?: { readonly specifier: string };
    readonly type?: { readonly specifier: string };
  }[];
}

async function readModules(entry: string): Promise<readonly Module[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", fromFileUrl(new URL(entry, TOP))],
  }).output();
  return JSON.parse(decode(stdout)).modules;
}

async function readGraph(entry: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const modules = await readModules(entry);
  return new Map(modules.map(({ specifier, dependencies = [] }) => [
    specifier,
    dependencies.flatMap(({ code, type }) => [code, type].flatMap((to) => to?.specifier ?? [])),
  ]));
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const done = new Set<string>();
  const visit = (specifier: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(specifier)) return [...path, specifier];
    if (done.has(specifier)) return null;
    for (const next of graph.get(specifier) ?? []) {
      const cycle = visit(next, [...path, specifier]);
      if (cycle !== null) return cycle;
    }
    done.add(specifier);
    return null;
  };
  for (const specifier of graph.keys()) {
    const cycle = visit(specifier, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

Deno.test("findCycle() finds a cycle", () => {
  assertEquals(findCycle(new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]])), [
    "a",
    "b",
    "c",
    "b",
  ]);
  assertEquals(findCycle(new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", []]])), null);
});

for (const entry of ["mod.ts", "cli.ts"]) {
  Deno.test(`no module that ${entry} loads imports in a circle`, async () => {
    const graph = await readGraph(entry);
    assert(graph.size > 20);
    assertEquals(findCycle(graph), null);
  });
}

/** Everything that prints; in a comment it is only spoken of. */
const PRINTS = /\bDeno\.std(?:out|err)\b(?!,|\])|\bDeno\[|\bconsole\b|\bprocess\.std/;

function findPrinting(source: string): string | null {
  // What a runtime is asked to print about itself is a text for another program.
  const lines = source.split("\n").filter((line) => !/^\s*(?:\/\/|\/?\*)|nkprov:/.test(line));
  return lines.find((line) => PRINTS.test(line)) ?? null;
}

Deno.test("one module prints, and main() gives commands a host that escapes what they print", async () => {
  assertEquals(
    findPrinting("// Deno.stdout\n * console\nDeno.stderr.write(a)"),
    "Deno.stderr.write(a)",
  );
  const modules = [...(await readGraph("mod.ts")).keys()].filter((url) => url.startsWith(TOP.href));
  assert(modules.length > 100);
  const printing = modules.filter((url) =>
    findPrinting(Deno.readTextFileSync(new URL(url))) !== null
  );
  assertEquals(printing.map((url) => url.slice(TOP.href.length)), ["src/io/host.ts"]);
  const main = Deno.readTextFileSync(new URL("src/commands/main.ts", TOP));
  const body = main.slice(main.indexOf("export async function main("));
  // The host that does not escape is named twice: as the parameter, and where the other is made of it.
  const uses = body.slice(0, body.indexOf("\n}")).match(/\bhost\b.*/g);
  assertEquals(uses, ["host: Host): Promise<number> {", "host);"]);
});
/** What is loaded with a module, whether or not it is used. */
async function listLoaded(entry: string): Promise<ReadonlySet<string>> {
  const modules = new Map((await readModules(entry)).map((module) => [module.specifier, module]));
  const loaded = new Set<string>();
  const pending = [new URL(entry, TOP).href];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (loaded.has(next)) continue;
    loaded.add(next);
    for (const { code, isDynamic } of modules.get(next)?.dependencies ?? []) {
      if (isDynamic !== true && code !== undefined) pending.push(code.specifier);
    }
  }
  return loaded;
}

for (
  const entry of ["src/commands/main.ts", "src/commands/run.ts", "src/commands/wrapped_run.ts"]
) {
  Deno.test(`${entry} loads no schemas: a run reads no document`, async () => {
    const loaded = [...await listLoaded(entry)];
    assert(loaded.length > 5);
    assertEquals(loaded.filter((specifier) => specifier.includes("zod")), []);
  });
}

/**
 * Node's part of Deno, which takes as long to load as Deno to start, is loaded at the first look at
 * `process`.
 */
const FORBID_PROCESS = `Object.defineProperty(globalThis, "process", {
  get() { throw new Error("somebody looked at process"); },
});`;

Deno.test("kprov --version and kprov --help load nothing of Node", async () => {
  const loaded = [...await listLoaded("cli.ts"), ...await listLoaded("src/commands/command.ts")];
  assert(loaded.some((specifier) => specifier.endsWith("/src/base/std.ts")));
  assertEquals(loaded.filter((specifier) => specifier.startsWith("node:")), []);
  using tree = makeTree({ "forbid.js": FORBID_PROCESS });
  const permissions = ["--preload", tree.at("forbid.js")];
  const version = await runKprov(["--version"], { cwd: tree.path, permissions });
  assertEquals(version, { code: 0, stdout: `kprov ${config.version}\n`, stderr: "" });
  const help = await runKprov(["--help"], { cwd: tree.path, permissions });
  assertEquals([help.code, help.stderr], [0, ""]);
});

Deno.test("a program makes the documents of a run with no permission at all", async () => {
  const mod = new URL("mod.ts", TOP).href;
  const facts = new URL("tests/sample_facts.ts", TOP).href;
  using tree = makeTree({
    "program.ts": `
      import { buildEvidence, buildRunDocuments, sha256Hex } from "${mod}";
      import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "${facts}";
      const evidence = buildEvidence(SAMPLE_FACTS);
      const documents = buildRunDocuments(evidence, SAMPLE_CIRCUMSTANCES, "2026-02-15T20-13-00Z");
      console.log(sha256Hex(documents["provenance.json"]) === evidence.digest);
    `,
  });
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--config", fromFileUrl(new URL("deno.json", TOP))]
      .concat([tree.at("program.ts")]),
  }).output();
  assertEquals(decode(stdout), "true\n", decode(stderr));
});
