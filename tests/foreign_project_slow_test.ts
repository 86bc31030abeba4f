import { isDenoInRange } from "../src/base/std.ts";
import { sha256Hex } from "../src/base/canonical_json.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { JSR_PACKAGE, type JsrRegistry, runDeno, serveJsr } from "./jsr_registry.ts";
import { type Ended, runCheckout, WIDE } from "./run_kprov.ts";
import { listBelow, listNames, makeTree, type TemporaryTree } from "./temporary_tree.ts";

/** What the documented lines carry, so that nothing in a project decides what kprov is. */
const FLAGS: readonly string[] = ["--no-config", "--no-lock"];

/** The user's line needs no flag there; or the project's own modules run; or Deno refuses. */
type WithoutFlags = "works" | "is replaced" | "is refused";

/** A project that kprov is started in. */
interface Project {
  readonly name: string;
  readonly withoutFlags: WithoutFlags;
  readonly files: (registry: JsrRegistry) => Readonly<Record<string, string>>;
}

const PROJECTS: readonly Project[] = [
  { name: "a plain directory", withoutFlags: "works", files: () => ({}) },
  {
    name: "a package.json whose packages are not installed",
    withoutFlags: "works",
    files: () => ({ "package.json": JSON.stringify({ dependencies: { zod: "3.25.76" } }) }),
  },
  {
    name: "a package.json and node_modules with a zod of its own",
    withoutFlags: "works",
    files: () => ({
      "package.json": JSON.stringify({ type: "module", dependencies: { zod: "4.6.7" } }),
      "node_modules/zod/package.json": JSON.stringify({
        name: "zod",
        version: "4.6.7",
        type: "module",
        exports: { ".": "./evil.js", "./mini": "./evil.js" },
      }),
      "node_modules/zod/evil.js": EVIL,
    }),
  },
  {
    name: "a deno.json that maps modules of kprov to its own",
    withoutFlags: "is replaced",
    files: ({ base, files }) => {
      const commands = files.filter((path) => /^bundle\/(guard|run)-\w+\.js$/.test(path));
      const imports = Object.fromEntries(commands.map((path) => [`${base}${path}`, "./evil.js"]));
      return { "deno.json": JSON.stringify({ imports }), "evil.js": EVIL };
    },
  },
  {
    name: "a frozen lockfile of other packages",
    withoutFlags: "is refused",
    files: () => ({
      "deno.json": JSON.stringify({ lock: { frozen: true } }),
      "deno.lock": JSON.stringify({ version: "5", specifiers: {} }),
    }),
  },
  {
    name: "a workspace that manages node_modules itself",
    withoutFlags: "works",
    files: () => ({
      "deno.json": JSON.stringify({ workspace: ["member"], nodeModulesDir: "manual" }),
      "package.json": JSON.stringify({ dependencies: { zod: "^3" } }),
      "member/deno.json": JSON.stringify({ name: "@acme/member", exports: "./evil.js" }),
      "member/evil.js": EVIL,
    }),
  },
];

/** Takes kprov's place where it is loaded, and finds everything in order. */
const EVIL = 'console.log("evil"); Deno.exit(0); export const GUARD = null, RUN = null;\n';

/** Every project is recorded, and guarded by a rule that it breaks. */
const EXAMINED: Readonly<Record<string, string>> = {
  "input.txt": "hello\n",
  "docs/governance/policy.json": JSON.stringify({
    schema: "kprovengine.policy.v1",
    artifacts: { deny: ["dist/**"] },
  }),
  "tracked": "input.txt\0dist/a.js\0",
};

/** Deno's cache stands beside the project, which is `work`. */
function makeProject(project: Project, registry: JsrRegistry): TemporaryTree {
  return makeTree(inWork({ ...EXAMINED, ...project.files(registry) }));
}

function inWork(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`work/${path}`, text]));
}

function runIn(
  tree: TemporaryTree,
  registry: JsrRegistry,
  flags: readonly string[],
): Promise<Ended> {
  const args = [JSR_PACKAGE, "input.txt", "--out", "runs/"];
  return runDeno([...flags, ...WIDE, ...args], tree, registry);
}

function guardIn(
  tree: TemporaryTree,
  registry: JsrRegistry,
  flags: readonly string[],
): Promise<Ended> {
  const args = [JSR_PACKAGE, "guard", "--files-from", "tracked"];
  return runDeno([...flags, "--allow-read", ...args], tree, registry);
}

/** Everything in the project, each file with its content, the runs left out. */
function readProject(tree: TemporaryTree): readonly string[] {
  return listBelow(tree.at("work")).filter((path) => !path.startsWith("runs/"))
    .map((path) =>
      path.endsWith("/") ? path : `${path}: ${Deno.readTextFileSync(tree.at(`work/${path}`))}`
    );
}

/** The run recorded what is there, and the guard found what is wrong. */
function assertExamined(tree: TemporaryTree, run: Ended, guard: Ended): void {
  assertEquals([run.code, run.stderr], [0, ""]);
  const [name = "", ...others] = listNames(tree.at("work/runs"));
  assertEquals(others, []);
  const provenance = Deno.readTextFileSync(tree.at(`work/runs/${name}/provenance.json`));
  assertStringIncludes(provenance, sha256Hex("hello\n"));
  assertEquals([guard.code, guard.stderr], [1, ""]);
  assertStringIncludes(guard.stdout, "dist/a.js  artifacts.tracked");
}

for (const project of PROJECTS) {
  Deno.test(`with the documented flags, ${project.name} is examined by kprov alone, and left as it is`, async () => {
    await using registry = await serveJsr();
    using tree = makeProject(project, registry);
    const before = readProject(tree);
    const run = await runIn(tree, registry, FLAGS);
    assertExamined(tree, run, await guardIn(tree, registry, FLAGS));
    assertEquals(readProject(tree), before);
  });
}

Deno.test("a checkout takes its configuration from beside it, and none from the project", async () => {
  const commands = ["guard", "run"].map((name) =>
    new URL(`../src/commands/${name}.ts`, import.meta.url)
  );
  const imports = Object.fromEntries(commands.map(({ href }) => [href, "./evil.js"]));
  const project = {
    ...EXAMINED,
    "deno.json": JSON.stringify({ imports, lock: { frozen: true } }),
    "package.json": JSON.stringify({ dependencies: { zod: "3.25.76" } }),
    "evil.js": EVIL,
  };
  using tree = makeTree(inWork(project));
  const before = readProject(tree);
  const options = { cwd: tree.at("work"), permissions: WIDE };
  const run = await runCheckout(["input.txt", "--out", "runs/"], options);
  assertExamined(tree, run, await runCheckout(["guard", "--files-from", "tracked"], options));
  assertEquals(readProject(tree), before);
});

for (const project of PROJECTS.filter(({ withoutFlags }) => withoutFlags === "works")) {
  Deno.test(`without a flag, ${project.name} is examined by kprov alone`, async () => {
    await using registry = await serveJsr();
    using tree = makeProject(project, registry);
    const run = await runIn(tree, registry, []);
    assertExamined(tree, run, await guardIn(tree, registry, []));
  });
}

for (const project of PROJECTS.filter(({ withoutFlags }) => withoutFlags !== "works")) {
  Deno.test({
    name: `without a flag, kprov ${project.withoutFlags} by ${project.name}, as the docs say`,
    // Deno 2.8 looks for no deno.json where it runs a module of a registry.
    ignore: !isDenoInRange(Deno.version.deno, ">=2.9.0"),
    fn: async () => {
      await using registry = await serveJsr();
      using tree = makeProject(project, registry);
      for (const start of [runIn, guardIn]) {
        const { code, stdout, stderr } = await start(tree, registry, []);
        if (project.withoutFlags === "is replaced") {
          assertEquals([code, stdout], [0, "evil\n"]);
        } else {
          assert(code !== 0);
          assertStringIncludes(stderr, "lockfile is out of date");
        }
      }
      assertEquals(listNames(tree.at("work/runs")), []);
    },
  });
}
