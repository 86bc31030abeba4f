import { bundleFile } from "../.github/release/bundle_file.ts";
import config from "../deno.json" with { type: "json" };
import { sha256Hex } from "../src/base/canonical_json.ts";
import { SHIPPED_LOCKFILE } from "../src/commands/write_run.ts";
import { ParallelScan, SCAN_CODE } from "../src/io/scan.ts";
import { NEXT } from "../src/io/shared_work.js";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { waitUntil } from "./io/spread_work.ts";
import { fromFileUrl } from "./paths.ts";
import { decode, type Ended, runCheckout, WIDE } from "./run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url));

/** What the docs give the bundle, so that nothing around it decides what it is. */
const FLAGS: readonly string[] = ["--no-config", "--no-npm", "--no-remote"];

/** From 10,000 files on, contents are searched and files digested by workers too. */
const MANY = 40_000;

const AT: readonly string[] = ["--at", "2026-02-15T20:13:00Z"];

/** Takes kprov's place where it is loaded, and finds everything in order. */
const EVIL = 'console.log("evil"); Deno.exit(0);\n';

const place = makeTree();
globalThis.addEventListener("unload", () => place[Symbol.dispose]());
await bundleFile(place.at("kprov.js"));
const CODE = Deno.readTextFileSync(place.at("kprov.js"));

/** A project of Node with packages of its own, the bundle in the midst of it. */
const NODE_PROJECT: Readonly<Record<string, string>> = {
  "kprov.js": CODE,
  "package.json": JSON.stringify({ type: "commonjs", dependencies: { zod: "3.25.76" } }),
  "node_modules/zod/package.json": JSON.stringify({ name: "zod", exports: { "./mini": "./e.js" } }),
  "node_modules/zod/e.js": EVIL,
  "deno.json": JSON.stringify({ imports: { "node:fs": "./evil.js" }, lock: { frozen: true } }),
  "deno.lock": JSON.stringify({ version: "5", specifiers: {} }),
  // What names a worker's module in a checkout would name these.
  "evil.js": EVIL,
  "scan.ts": EVIL,
  "digest.js": EVIL,
};

/** A project of Python, with what its tools leave. */
const PYTHON_PROJECT: Readonly<Record<string, string>> = {
  "tools/kprov.js": CODE,
  "pyproject.toml": '[project]\nname = "acme"\nversion = "1"\nrequires-python = ">=3.8"\n',
  "raw.csv": "2,Grace\n1,Ada\n",
  "clean.py": 'open("clean.csv", "w").writelines(sorted(open("raw.csv")))\n',
};

const POLICY = JSON.stringify({
  schema: "kprovengine.policy.v1",
  identity: {
    technical_name: "acmetool",
    display_name: "AcmeTool",
    repository: "https://example.org/acmetool",
    display_name_allowed: ["docs/**"],
  },
});

/** Files, by default enough for workers; every tenth has a finding. */
function makeMany(count = MANY): Record<string, string> {
  const names = Array.from({ length: count }, (_, i) => `data/${i}.txt`);
  return {
    ...Object.fromEntries(names.map((name, i) => [name, i % 10 === 9 ? "AcmeTool" : `${i}`])),
    "docs/governance/policy.json": POLICY,
    "list": names.map((name) => `${name}\0`).join(""),
  };
}

/** Runs the bundle with an empty cache, and with registries that nobody can reach. */
async function runBundle(
  tree: TemporaryTree,
  args: readonly string[],
  { bundle = "kprov.js", permissions = WIDE }: {
    readonly bundle?: string;
    readonly permissions?: readonly string[];
  } = {},
): Promise<Ended> {
  using cache = makeTree();
  const nowhere = "http://127.0.0.1:1/";
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...FLAGS, "--no-prompt", ...permissions, bundle, ...args],
    cwd: tree.path,
    env: {
      DENO_DIR: cache.path,
      NO_COLOR: "1",
      NPM_CONFIG_REGISTRY: nowhere,
      JSR_URL: nowhere,
      PATH: "/usr/bin:/bin",
    },
    clearEnv: true,
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

function readRun(tree: TemporaryTree, out: string): Readonly<Record<string, string>> {
  const [run = ""] = listNames(tree.at(out));
  return Object.fromEntries(
    listNames(tree.at(`${out}/${run}`)).map((name) => [
      name,
      Deno.readTextFileSync(tree.at(`${out}/${run}/${name}`)),
    ]),
  );
}

/** What a run says of the place where its out directory stands is left aside. */
function withoutOut(documents: Readonly<Record<string, string>>): string {
  return documents["provenance.json"]?.replaceAll(/"(own|others)\/\*\*"/g, '"out"') ?? "";
}

Deno.test("in a foreign project of Node the bundle records what a checkout records, to the byte", async () => {
  using tree = makeTree({ ...NODE_PROJECT, ...makeMany() });
  const args = ["data", ...AT, "--jobs", "2", "--quiet"];
  const own = await runBundle(tree, [...args, "--out", "own"]);
  assertEquals(own, { code: 0, stdout: "", stderr: "" });
  const options = { cwd: tree.path, permissions: WIDE };
  assertEquals((await runCheckout([...args, "--out", "others"], options)).code, 0);
  const [bundled, checkedOut] = [readRun(tree, "own"), readRun(tree, "others")];
  assertEquals(bundled["toolchain.json"], checkedOut["toolchain.json"]);
  assertEquals(withoutOut(bundled), withoutOut(checkedOut));
  const { lockfile } = JSON.parse(bundled["toolchain.json"] ?? "");
  assertEquals(lockfile.sha256, sha256Hex(SHIPPED_LOCKFILE));
  assertEquals((await runBundle(tree, ["verify", "own", "--root", ".", "--quiet"])).code, 0);
});

Deno.test("in a foreign project of Node the bundle finds in many files what a checkout finds", async () => {
  using tree = makeTree({ ...NODE_PROJECT, ...makeMany() });
  const args = ["guard", "identity", "--files-from", "list", "--format", "json"];
  const own = await runBundle(tree, args);
  assertEquals(own, await runCheckout(args, { cwd: tree.path, permissions: WIDE }));
  assertEquals(JSON.parse(own.stdout).guards[0].findings.length, MANY / 10);
});

Deno.test("the bundle needs no permission beyond the narrow ones for a run and its workers", async () => {
  using tree = makeTree({ ...NODE_PROJECT, "a.txt": "hello\n" });
  const permissions = ["--allow-read=.", "--allow-write=runs"];
  const { code, stderr } = await runBundle(tree, ["a.txt", "--jobs", "2"], { permissions });
  assertEquals([code, stderr], [0, ""]);
});

Deno.test({
  name: "in a foreign project of Python the bundle records the Python that transforms its data",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using tree = makeTree(PYTHON_PROJECT);
    const { code, stderr } = await runBundle(
      tree,
      ["raw.csv", "clean.py", "--products", "clean.csv", "--", "python3", "clean.py"],
      { bundle: "tools/kprov.js", permissions: [...WIDE, "--allow-run=python3"] },
    );
    assertEquals(code, 0, stderr);
    const { runtimes } = JSON.parse(readRun(tree, "runs")["toolchain.json"] ?? "");
    assertEquals(runtimes[0].name, "python");
    assertEquals(Deno.readTextFileSync(tree.at("clean.csv")), "1,Ada\n2,Grace\n");
    const verified = await runBundle(tree, ["verify", "runs", "--root", "."], {
      bundle: "tools/kprov.js",
    });
    assertEquals(verified.code, 0, verified.stdout);
  },
});

Deno.test("the bundle prints what a checkout prints: version, help, schemas, completions, pages", async () => {
  using tree = makeTree({ "kprov.js": CODE, "a.txt": "hello\n" });
  const options = { cwd: tree.path, permissions: WIDE };
  assertEquals((await runCheckout(["a.txt", ...AT], options)).code, 0);
  const lines = ["--version", "--help", "guard --help", "schema policy", "completions zsh"];
  for (const line of [...lines, "report runs", "toolchain"]) {
    const args = line.split(" ");
    assertEquals(await runBundle(tree, args), await runCheckout(args, options), line);
  }
});

Deno.test({
  name: "the worker in the bundle searches the contents of files by itself",
  ignore: navigator.hardwareConcurrency === 1,
  fn: async () => {
    const script: string = JSON.parse(/\bscript:("(?:[^"\\]|\\.)*"),url:/.exec(CODE)?.[1] ?? '""');
    assert(script.length > 10_000);
    const many = makeMany(700);
    using tree = makeTree(many);
    using scan = new ParallelScan({
      ...SCAN_CODE,
      script,
      // The main thread leaves everything to the workers.
      doShare: (work) => {
        waitUntil(() => Atomics.load(work.control, NEXT) >= work.turns);
        return [];
      },
    });
    // The threads of many files, for few: the main one waits meanwhile, and not for long.
    scan.prepare(MANY);
    const paths = Object.keys(many).filter((path) => path.startsWith("data/")).sort();
    const request = { root: tree.path, policy: JSON.parse(POLICY), paths };
    const hits = await scan.run({ ...request, areDirectoriesHeld: false });
    assertEquals(hits.length, 70);
  },
});

Deno.test("the bundle names no file that it could load, and is the same to the byte whenever it is made", async () => {
  assertEquals(CODE.match(/import\.meta\.(url|dirname|filename)/g) ?? [], []);
  assert(!CODE.includes(TOP), "it names the checkout");
  using tree = makeTree();
  await bundleFile(tree.at("a/b/other.js"));
  assertEquals(sha256Hex(Deno.readTextFileSync(tree.at("a/b/other.js"))), sha256Hex(CODE));
});

Deno.test("the bundle carries the licence of every library in it", () => {
  const locked: readonly string[] = Object.keys(JSON.parse(SHIPPED_LOCKFILE).npm);
  assert(locked.length > 5);
  for (const id of locked) assertStringIncludes(CODE, `\n${id}\n\n`);
});

async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

/** A home with nothing in it; the rest of the environment says how to reach the registry. */
function makeHome(): TemporaryTree & { readonly env: Readonly<Record<string, string>> } {
  const home = makeTree({ "project/input.txt": "hello\n" });
  const { PATH = "", ...others } = Deno.env.toObject();
  const kept = Object.entries(others).filter(([name]) => !/^(DENO_|npm_config_prefix$)/.test(name));
  const env = {
    ...Object.fromEntries(kept),
    HOME: home.path,
    PATH: `${home.at(".deno/bin")}:${home.at("npm/bin")}:${PATH}`,
    NPM_CONFIG_PREFIX: home.at("npm"),
    NO_COLOR: "1",
  };
  return { ...home, env };
}

async function runIn(
  cwd: string,
  env: Readonly<Record<string, string>>,
  line: string,
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line],
    cwd,
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

const NO_NPM = Deno.build.os === "windows" || !await isInstalled("npm") ? "npm is missing" : null;

Deno.test(
  ...unless(NO_NPM, "what docs/install.md says makes a command of a checkout, from an empty home"),
  async () => {
    const page = Deno.readTextFileSync(`${TOP}/docs/install.md`);
    const [, lines = ""] = /## As a command[\s\S]*?```sh\n([\s\S]*?)```/.exec(page) ?? [];
    assertStringIncludes(lines, "deno task install\n");
    using home = makeHome();
    const { env } = home;
    const installed = await runIn(TOP, env, `set -e\n${lines}`);
    assertEquals(installed.code, 0, installed.stdout + installed.stderr);

    const project = home.at("project");
    const version = await runIn(project, env, "kprov --version");
    assertEquals(version, { code: 0, stdout: `kprov ${config.version}\n`, stderr: "" });
    const guard = await runIn(project, env, "kprov guard");
    assertStringIncludes(guard.stderr, "docs/governance/policy.json");
    const run = await runIn(project, env, "kprov input.txt");
    assertEquals([run.code, run.stderr], [0, ""]);
    const refused = await runIn(project, env, "kprov input.txt -- cp input.txt copy.txt");
    assertEquals([refused.code, refused.stdout], [77, ""]);
    const wrapped = await runIn(
      project,
      env,
      "kprov-run input.txt --products copy.txt -- cp input.txt copy.txt",
    );
    assertEquals(wrapped.code, 0, wrapped.stderr);
    assertEquals(listNames(project), ["copy.txt", "input.txt", "runs"]);
  },
);

Deno.test(
  ...unless(
    NO_NPM,
    "with an empty home and npm alone, the README's run works in a fresh clone, and the bundle elsewhere",
  ),
  async () => {
    const [command = ""] = /^npx -y deno@\S+ run .*$/m.exec(
      Deno.readTextFileSync(`${TOP}/README.md`).replace(/^\$ /gm, ""),
    ) ?? [];
    using home = makeHome();
    const clone = home.at("clone");
    const cloned = await runIn(home.path, home.env, `git clone --quiet '${TOP}' clone`);
    assertEquals(cloned.code, 0, cloned.stderr);
    const run = await runIn(clone, home.env, command);
    assertEquals(run.code, 0, run.stderr);
    assertStringIncludes(run.stdout, "Inputs   1 file, 1.07 kB");

    Deno.writeTextFileSync(home.at("kprov.js"), CODE);
    const page = Deno.readTextFileSync(`${TOP}/docs/install.md`);
    const [line = ""] = /^deno run .* kprov\.js input\.txt .*$/m.exec(page) ?? [];
    const foreign = line.replace(/^deno/, "npx -y deno@2.9.6").replace("kprov.js", "../kprov.js");
    const elsewhere = await runIn(home.at("project"), home.env, foreign);
    assertEquals(elsewhere.code, 0, elsewhere.stderr);
    assertStringIncludes(elsewhere.stdout, "Evidence sha256:");
  },
);

Deno.test("the bundle loads Node's modules where a command needs them, and not to tell its version", async () => {
  using tree = makeTree({
    "kprov.js": CODE,
    "a.txt": "a",
    "forbid.js": `Object.defineProperty(globalThis, "process", {
      get() { throw new Error("somebody looked at process"); },
    });`,
  });
  // The texts of the workers begin theirs with a line break or a quotation mark.
  assertEquals(CODE.match(/[;}]import\s*\{[^}]*\}\s*from"node:/g)?.length ?? 0, 0);
  const permissions = [...WIDE, "--preload", "forbid.js"];
  const version = await runBundle(tree, ["--version"], { permissions });
  assertEquals(version, { code: 0, stdout: `kprov ${config.version}\n`, stderr: "" });
  const run = await runBundle(tree, ["a.txt"], { permissions });
  assertEquals(run.code, 70);
  assertStringIncludes(run.stderr, "somebody looked at process");
});

Deno.test("Deno keeps the code of the bundle that it compiled, though the command waits for nothing", async () => {
  using tree = makeTree({ "kprov.js": CODE });
  const permissions = ["--allow-read", "-L", "debug"];
  const { code, stderr } = await runBundle(tree, ["verify", "missing"], { permissions });
  assertEquals(code, 65);
  const kept = /Updating V8 code cache for ES module: file:\S*\/kprov\.js/.test(stderr);
  assert(kept, "nothing is kept");
});

Deno.test("a checkout without one of its modules says so, and calls it no fault in kprov", async () => {
  using tree = makeTree({ "a.txt": "" });
  for (const name of ["cli.ts", "deno.json", "deno.lock"]) {
    Deno.copyFileSync(`${TOP}/${name}`, tree.at(name));
  }
  copyDirectory(`${TOP}/src`, tree.at("src"));
  Deno.removeSync(tree.at("src/commands/diff.ts"));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-read", tree.at("cli.ts"), "diff", "a", "b"],
    cwd: tree.path,
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals([code, decode(stdout)], [74, ""]);
  const [error = "", hint = "", ...others] = decode(stderr).split("\n");
  assertStringIncludes(error, "error: Cannot load a module of kprov: Module not found ");
  assertStringIncludes(error, "src/commands/diff.ts");
  assertStringIncludes(hint, "docs/install.md");
  assertEquals(others, [""]);
});

function copyDirectory(from: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyDirectory(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}
