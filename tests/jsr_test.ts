import config from "../deno.json" with { type: "json" };
import { isDenoInRange } from "../src/base/semver.ts";
import { sha256Hex } from "../src/base/sha256.ts";
import { SHIPPED_LOCKFILE } from "../src/io/toolchain.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { type JsrRegistry, serveJsr } from "./jsr_registry.ts";
import { decode, type Ended, runKprov, WIDE } from "./run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "./temporary_tree.ts";

/** Deno 2.8 takes a package that has pre-releases only by its version, as the docs say. */
const MUST_NAME_VERSION = config.version.includes("-") &&
  !isDenoInRange(Deno.version.deno, ">=2.9.0");
const PACKAGE = `jsr:${config.name}${MUST_NAME_VERSION ? `@${config.version}` : ""}`;

const POLICY = "docs/governance/policy.json";
const IDENTITY = {
  technical_name: "acmetool",
  display_name: "AcmeTool",
  repository: "https://example.org/acmetool",
  display_name_allowed: ["docs/**"],
};

/** Runs Deno with nothing in its cache but what earlier calls with the same cache put there. */
async function runDeno(
  args: readonly string[],
  tree: TemporaryTree,
  registry: Pick<JsrRegistry, "url">,
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...args],
    cwd: tree.at("work"),
    env: { JSR_URL: registry.url, DENO_DIR: tree.at("cache"), NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

function makeFiles(count: number): Record<string, string> {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return Object.fromEntries(numbers.map((i) => [`work/data/${i}.txt`, `content ${i}\n`]));
}

Deno.test("jsr:@kprov/cli records 300 files with read and write permission and an empty cache", async () => {
  await using registry = serveJsr();
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
  await using registry = serveJsr();
  using tree = makeTree({ "work/input.txt": "hello\n" });
  const args = ["input.txt", "--at", "2026-02-15T20:13:00Z", "--out"];
  const own = await runDeno([...WIDE, PACKAGE, ...args, "jsr"], tree, registry);
  assertEquals([own.code, own.stderr], [0, ""]);
  await runKprov([...args, "checkout"], { cwd: tree.at("work"), permissions: WIDE });
  const read = (out: string): string[] =>
    ["provenance", "toolchain", "human_review", "run_summary"].map((name) =>
      Deno.readTextFileSync(tree.at(`work/${out}/2026-02-15T20-13-00Z/${name}.json`))
    );
  assertEquals(read("jsr"), read("checkout"));
});

Deno.test("jsr:@kprov/cli guards many files with a worker, and once it is cached without a registry", async () => {
  const files = makeFiles(5001);
  const names = Object.keys(files).map((path) => path.slice("work/".length));
  using tree = makeTree({
    ...files,
    "work/data/7.txt": "AcmeTool",
    "work/data/5000.txt": "AcmeTool",
    [`work/${POLICY}`]: JSON.stringify({ schema: "kprovengine.policy.v1", identity: IDENTITY }),
    "work/files": names.map((name) => `${name}\0`).join(""),
  });
  const registry = serveJsr();
  try {
    assertEquals((await runDeno([PACKAGE, "--version"], tree, registry)).code, 0);
    assert(registry.requests.some((path) => path.endsWith("/scan_worker.ts")));
  } finally {
    await registry[Symbol.asyncDispose]();
  }
  const args = ["--allow-read", PACKAGE, "guard", "--files-from", "files", "--format", "json"];
  const { code, stdout, stderr } = await runDeno(args, tree, registry);
  assertEquals([code, stderr], [1, ""]);
  const { findings } = JSON.parse(stdout).guards[0];
  assertEquals(findings.map(({ path }: { path: string }) => path), ["data/5000.txt", "data/7.txt"]);
});

Deno.test("a program that imports the library from JSR needs no permission", async () => {
  await using registry = serveJsr();
  const program = [
    `import { renderCanonicalJson, sha256Hex } from "${PACKAGE}";`,
    "console.log(sha256Hex(renderCanonicalJson({ b: 1, a: 2 })));",
  ];
  using tree = makeTree({ "work/program.ts": program.join("\n") });
  assertEquals(await runDeno(["--no-prompt", "--check", "program.ts"], tree, registry), {
    code: 0,
    stdout: `${sha256Hex('{\n  "a": 2,\n  "b": 1\n}\n')}\n`,
    stderr: "",
  });
  const asked = registry.requests.map((path) => path.replace(/^.*\/1\.[^/]*\//, ""));
  assert(asked.includes("mod.ts"), asked.join("\n"));
});

Deno.test("what is published reads none of its own files through the file system", async () => {
  await using registry = serveJsr();
  using tree = makeTree({ "work/input.txt": "hello\n" });
  const permissions = ["--no-prompt", "--allow-read=.", "--allow-write=runs"];
  const { code, stderr } = await runDeno([...permissions, PACKAGE, "input.txt"], tree, registry);
  assertEquals([code, stderr], [0, ""]);
});
