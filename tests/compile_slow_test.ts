import { sha256Hex } from "../src/base/canonical_json.ts";
import { SHIPPED_LOCKFILE } from "../src/commands/write_run.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { compileKprov, whyNotCompiled } from "./compile_kprov.ts";
import { decode, type Ended, runCheckout, WIDE } from "./run_kprov.ts";
import { listNames, makeTree } from "./temporary_tree.ts";

/** The base of a binary may be an older Deno than the one that compiles. */
const ANY_DENO = { deno: ">=2.7.0" };

/** What kprov adds to the base binary: its modules, bundled. Far less than its packages, 11 MB. */
const MOST_EMBEDDED = 3_000_000;

/** From 40,000 files on, contents are searched by workers too. */
const MANY_FILES = 40_000;

const reason = await whyNotCompiled();
const bin = makeTree();
const BINARY = bin.at(Deno.build.os === "windows" ? "kprov.exe" : "kprov");
const RUN_BINARY = bin.at(Deno.build.os === "windows" ? "kprov-run.exe" : "kprov-run");
globalThis.addEventListener("unload", () => bin[Symbol.dispose]());
if (reason === null) {
  await compileKprov("compile", BINARY);
  await compileKprov("compile:run", RUN_BINARY);
}

function test(name: string, fn: () => Promise<void>): void {
  const shown = reason === null ? name : `${name} (cannot be compiled here: ${reason})`;
  Deno.test({ name: shown, ignore: reason !== null, fn });
}

async function run(
  binary: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(binary, {
    args: [...args],
    cwd,
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

function renderPolicy(sections: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ schema: "kprovengine.policy.v1", runtime: ANY_DENO, ...sections });
}

test("the compiled binary does the main job with an empty environment in an empty directory", async () => {
  using tree = makeTree({
    "input.txt": "hello\n",
    "docs/governance/policy.json": renderPolicy({}),
  });
  const { code, stdout, stderr } = await run(BINARY, ["input.txt"], tree.path);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "Evidence sha256:");
  const [name = ""] = listNames(tree.at("runs"));
  const toolchain = JSON.parse(Deno.readTextFileSync(tree.at(`runs/${name}/toolchain.json`)));
  assertEquals(toolchain.standalone, true);
  assertEquals(toolchain.lockfile.sha256, sha256Hex(SHIPPED_LOCKFILE));
  assertEquals((await run(BINARY, ["verify", "runs", "--root", "."], tree.path)).code, 0);
});

test("the compiled binary prints what a checkout prints: version, help, schemas, completions", async () => {
  using tree = makeTree();
  const lines = ["--version", "--help", "guard --help", "schema policy", "completions bash"];
  for (const args of lines.map((line) => line.split(" "))) {
    assertEquals(
      await run(BINARY, args, tree.path),
      await runCheckout(args, { cwd: tree.path, permissions: [] }),
    );
  }
});

test("the compiled binary guards a large repository as a checkout does, by its own worker", async () => {
  const names = Array.from({ length: MANY_FILES }, (_, i) => `data/${i}.txt`);
  const identity = {
    technical_name: "acmetool",
    display_name: "AcmeTool",
    repository: "https://example.org/acmetool",
    display_name_allowed: ["docs/**"],
  };
  using tree = makeTree({
    ...Object.fromEntries(names.map((name) => [name, name.endsWith("9.txt") ? "AcmeTool" : ""])),
    "docs/governance/policy.json": renderPolicy({ identity }),
    files: names.map((name) => `${name}\0`).join(""),
  });
  const args = ["guard", "identity", "--files-from", "files", "--format", "json"];
  const own = await run(BINARY, args, tree.path);
  assertEquals(own, await runCheckout(args, { cwd: tree.path, permissions: WIDE }));
  assertEquals(JSON.parse(own.stdout).guards[0].findings.length, MANY_FILES / 10);
  // One worker searches contents, the other digests files.
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(BINARY));
  assertEquals(new Set(text.match(/\.deno_compile_worker_[0-9a-z]+/g)).size, 2);
});

test("the compiled binary records the same inputs with one thread and with its worker", async () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `d/${i}`);
  using tree = makeTree({
    ...Object.fromEntries(names.map((name) => [name, name])),
    "docs/governance/policy.json": renderPolicy({}),
  });
  const digests: string[] = [];
  for (const jobs of ["1", "2"]) {
    const how = ["--jobs", jobs, "--out", `runs-${jobs}`, "--at", "2026-02-15T20:13:00Z"];
    const args = [...names, ...how, "--format", "json"];
    const { code, stdout, stderr } = await run(BINARY, args, tree.path);
    assertEquals([code, stderr], [0, ""]);
    digests.push(JSON.parse(stdout).evidence_digest);
  }
  assertEquals(digests[0], digests[1]);
});

test("dist/kprov starts no program, and dist/kprov-run does", async () => {
  const preflight = { steps: [["git", "--version"]] };
  using tree = makeTree({ "docs/governance/policy.json": renderPolicy({ preflight }) });
  const refused = await run(BINARY, ["preflight"], tree.path);
  assertEquals([refused.code, refused.stdout], [77, ""]);
  assertStringIncludes(refused.stderr, "hint: use kprov-run, the binary that may start programs");
  const env = { PATH: Deno.env.get("PATH") ?? "" };
  const { stdout } = await run(RUN_BINARY, ["preflight"], tree.path, env);
  assertMatch(stdout, /^git version/m);
});

test("the binary embeds kprov's own modules and not whole packages", async () => {
  const base = Deno.env.get("DENORT_BIN");
  using tree = makeTree();
  if (base === undefined) {
    // What was downloaded is not at a place that can be relied on: an empty program stands for it.
    Deno.writeTextFileSync(tree.at("empty.ts"), "");
    const args = ["compile", "--quiet", "--no-config", "--output", tree.at("empty")];
    await new Deno.Command(Deno.execPath(), { args: [...args, tree.at("empty.ts")] }).output();
  }
  const size = Deno.statSync(base ?? tree.at("empty")).size;
  const embedded = Deno.statSync(BINARY).size - size;
  assert(embedded > 0 && embedded < MOST_EMBEDDED, `${embedded} bytes are embedded`);
});
