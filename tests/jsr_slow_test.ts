import { sha256Hex } from "../src/base/canonical_json.ts";
import { SHIPPED_LOCKFILE } from "../src/commands/write_run.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { JSR_PACKAGE as PACKAGE, runDeno, serveJsr } from "./jsr_registry.ts";
import { runCheckout, WIDE } from "./run_kprov.ts";
import { listNames, makeTree } from "./temporary_tree.ts";

const POLICY = "docs/governance/policy.json";
const IDENTITY = {
  technical_name: "acmetool",
  display_name: "AcmeTool",
  repository: "https://example.org/acmetool",
  display_name_allowed: ["docs/**"],
};

/** Has libraries of its own, and none of kprov's. */
const NODE_PROJECT = {
  "work/package.json": '{"dependencies": {"zod": "3.25.76"}}',
  "work/node_modules/zod/package.json": '{"name": "zod", "version": "3.25.76", "main": "index.js"}',
  "work/node_modules/zod/index.js": "throw new Error('it is not for kprov');",
  // Without it, Deno checks no program there that uses node:, such as the library does.
  "work/node_modules/@types/node/package.json": '{"name": "@types/node", "version": "24.0.0"}',
  "work/node_modules/@types/node/index.d.ts": "",
};

function makeFiles(count: number): Record<string, string> {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return Object.fromEntries(numbers.map((i) => [`work/data/${i}.txt`, `content ${i}\n`]));
}

Deno.test("jsr:@kprov/cli records 300 files with read and write permission and an empty cache", async () => {
  await using registry = await serveJsr();
  using tree = makeTree(makeFiles(300));
  const args = [...WIDE, PACKAGE, "data", "--out", "runs/"];
  const { code, stdout, stderr } = await runDeno(args, tree, registry);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "300 files");

  const [run = ""] = listNames(tree.at("work/runs"));
  const text = Deno.readTextFileSync(tree.at(`work/runs/${run}/toolchain.json`));
  assertEquals(JSON.parse(text).lockfile.sha256, sha256Hex(SHIPPED_LOCKFILE));
  const verified = await runDeno(
    [...WIDE, PACKAGE, "verify", "runs", "--root", "."],
    tree,
    registry,
  );
  assertEquals([verified.code, verified.stderr], [0, ""]);
});

Deno.test("jsr:@kprov/cli and a checkout write the same evidence", async () => {
  await using registry = await serveJsr();
  using tree = makeTree({ "work/input.txt": "hello\n" });
  const args = ["input.txt", "--at", "2026-02-15T20:13:00Z", "--out"];
  const own = await runDeno([...WIDE, PACKAGE, ...args, "jsr"], tree, registry);
  assertEquals([own.code, own.stderr], [0, ""]);
  await runCheckout([...args, "checkout"], { cwd: tree.at("work"), permissions: WIDE });
  const read = (out: string): string[] =>
    ["provenance", "toolchain", "human_review", "run_summary"].map((name) =>
      Deno.readTextFileSync(tree.at(`work/${out}/2026-02-15T20-13-00Z/${name}.json`))
    );
  assertEquals(read("jsr"), read("checkout"));
});

Deno.test("jsr:@kprov/cli guards many files with a worker, and once it is cached without a registry", async () => {
  const files = makeFiles(40_000);
  const names = Object.keys(files).map((path) => path.slice("work/".length));
  using tree = makeTree({
    ...files,
    "work/data/7.txt": "AcmeTool",
    "work/data/10000.txt": "AcmeTool",
    [`work/${POLICY}`]: JSON.stringify({ schema: "kprovengine.policy.v1", identity: IDENTITY }),
    "work/files": names.map((name) => `${name}\0`).join(""),
  });
  const registry = await serveJsr();
  try {
    assertEquals((await runDeno([PACKAGE, "--version"], tree, registry)).code, 0);
    assert(registry.requests.some((path) => path.endsWith("/src/io/scan.js")));
  } finally {
    await registry[Symbol.asyncDispose]();
  }
  const args = ["--allow-read", PACKAGE, "guard", "--files-from", "files", "--format", "json"];
  const { code, stdout, stderr } = await runDeno(args, tree, registry);
  assertEquals([code, stderr], [1, ""]);
  const { findings } = JSON.parse(stdout).guards[0];
  assertEquals(findings.map(({ path }: { path: string }) => path), [
    "data/10000.txt",
    "data/7.txt",
  ]);
});

for (const [where, files] of [["a directory", {}], ["a Node project", NODE_PROJECT]] as const) {
  Deno.test(`a program in ${where} imports the library from JSR, checked, without permission`, async () => {
    await using registry = await serveJsr();
    const program = [
      `import { renderCanonicalJson, sha256Hex } from "${PACKAGE}";`,
      "const digest: string = sha256Hex(renderCanonicalJson({ b: 1, a: 2 }));",
      "console.log(digest);",
    ].join("\n");
    using tree = makeTree({
      ...files,
      "work/program.ts": program,
      "work/wrong.ts": program.replace("string", "number"),
    });
    assertEquals(await runDeno(["--no-prompt", "--check", "program.ts"], tree, registry), {
      code: 0,
      stdout: `${sha256Hex('{\n  "a": 2,\n  "b": 1\n}\n')}\n`,
      stderr: "",
    });
    const { code, stderr } = await runDeno(["--check", "wrong.ts"], tree, registry);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Type 'string' is not assignable to type 'number'");
  });
}

Deno.test("a program imports the guards and what takes permissions from JSR, checked", async () => {
  await using registry = await serveJsr();
  const program = [
    `import { recordRun } from "${PACKAGE}/fs";`,
    `import { parseYaml } from "${PACKAGE}/guards";`,
    'const run = await recordRun({ inputs: ["input.txt"] });',
    "const digest: string = run.evidenceDigest;",
    'console.log(digest.length, run.outcome, parseYaml("on: push").ok);',
  ].join("\n");
  using tree = makeTree({
    "work/input.txt": "hello\n",
    "work/program.ts": program,
    "work/wrong.ts": program.replace("string", "number"),
  });
  const permissions = ["--no-prompt", "--allow-read=.", "--allow-write=runs"];
  assertEquals(await runDeno([...permissions, "--check", "program.ts"], tree, registry), {
    code: 0,
    stdout: "64 completed true\n",
    stderr: "",
  });
  assertEquals((await runDeno(["--check", "wrong.ts"], tree, registry)).code, 1);
});

Deno.test("a program that is run from JSR loads the bundle and no source, and nothing of npm", async () => {
  await using registry = await serveJsr();
  using tree = makeTree({ "work/input.txt": "hello\n" });
  assertEquals((await runDeno([...WIDE, PACKAGE, "input.txt"], tree, registry)).code, 0);
  const code = registry.requests.filter((path) => !path.endsWith("meta.json"));
  assert(code.length > 10);
  assertEquals(code.filter((path) => !/\/bundle\/(\w+\/)*[\w-]+\.js$/.test(path)), []);
  assertEquals(listNames(tree.at("cache/npm")), []);
});

Deno.test("what is published reads none of its own files through the file system", async () => {
  await using registry = await serveJsr();
  using tree = makeTree({ "work/input.txt": "hello\n" });
  const permissions = ["--no-prompt", "--allow-read=.", "--allow-write=runs"];
  const { code, stderr } = await runDeno([...permissions, PACKAGE, "input.txt"], tree, registry);
  assertEquals([code, stderr], [0, ""]);
});
