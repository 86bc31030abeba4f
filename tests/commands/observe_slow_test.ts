import { DOCUMENT_NAMES, type Finding } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { installPythonTools } from "../python_tools.ts";
import { CLI, decode, type Ended, runKprov } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { lacks, unless } from "../unless.ts";

const AT = ["--at", "2026-02-15T20:13:00Z"];
const RUN = "runs/2026-02-15T20-13-00Z";
const EVERYTHING = ["--allow-read", "--allow-write", "--allow-run", "--allow-env"];

const MISSING = lacks("strace");

/** The result of a run that was watched. */
interface Watched extends Ended {
  readonly findings: readonly Finding[];
  readonly outcome: string;
}

async function watch(tree: TemporaryTree, args: readonly string[]): Promise<Watched> {
  const ended = await runKprov([
    ...["run", ...AT, "--result", "result.json"],
    ...args,
  ], { cwd: tree.path, permissions: EVERYTHING });
  const text = Deno.readTextFileSync(tree.at("result.json"));
  return { ...ended, ...JSON.parse(text) };
}

function pathsOf(findings: readonly Finding[], code: string): (string | null)[] {
  return findings.filter((finding) => finding.code === code).map(({ path }) => path);
}

function readDocument(tree: TemporaryTree, name: string): string {
  return Deno.readTextFileSync(tree.at(`${RUN}/${name}`));
}

function listToolNames(tree: TemporaryTree): string[] {
  const { tools } = JSON.parse(readDocument(tree, "toolchain.json"));
  return tools.map(({ name }: { readonly name: string }) => name);
}

const FILES = {
  "a.txt": "a\n",
  "b.txt": "b\n",
  "lib/c.txt": "c\n",
  "make.sh": "cat a.txt b.txt lib/c.txt > out.txt\necho x > left.txt\ncat left.txt > /dev/null\n",
};
const MAKE = ["--products", "out.txt"];

Deno.test(
  ...unless(MISSING, "--observe finds what a command reads and writes and nobody declared"),
  async () => {
    using tree = makeTree(FILES);
    const { code, stderr, findings, outcome } = await watch(tree, [
      ...["a.txt", ...MAKE, "--observe", "--", "sh", "make.sh"],
    ]);
    assertEquals([code, outcome], [1, "completed"]);
    assertEquals(pathsOf(findings, "input.undeclared"), ["b.txt", "lib/c.txt", "make.sh"]);
    assertEquals(pathsOf(findings, "product.undeclared"), ["left.txt"]);
    assertStringIncludes(stderr, "hint: name them as inputs: b.txt lib/c.txt make.sh; or");
    const { observation } = JSON.parse(readDocument(tree, "run_summary.json"));
    assertEquals(observation, { by: "strace", complete: false });
    assertEquals(listToolNames(tree), ["cat", "sh", "strace"]);
    const verified = await runKprov(["verify", RUN, "--root", "."], { cwd: tree.path });
    assertEquals(verified.code, 0, verified.stdout);
  },
);

Deno.test(
  ...unless(MISSING, "--observe=declare records what was read as if it had been named"),
  async () => {
    using tree = makeTree(FILES);
    const declared = await watch(tree, [
      ...["a.txt", ...MAKE, "--observe=declare", "--", "sh", "make.sh"],
    ]);
    assertEquals([declared.code, pathsOf(declared.findings, "input.undeclared")], [0, []]);
    assertEquals(
      JSON.parse(readDocument(tree, "run_summary.json")).observation,
      { by: "strace", complete: true },
    );
    const first = DOCUMENT_NAMES.map((name) => readDocument(tree, name));
    Deno.removeSync(tree.at(RUN), { recursive: true });
    const inputs = ["a.txt", "b.txt", "lib/c.txt", "make.sh"];
    const named = await watch(tree, [...inputs, ...MAKE, "--observe", "--", "sh", "make.sh"]);
    assertEquals(named.code, 0, named.stderr);
    assertEquals(DOCUMENT_NAMES.map((name) => readDocument(tree, name)), first);
  },
);

Deno.test(
  ...unless(MISSING, "what changed while the command ran is not declared by --observe=declare"),
  async () => {
    using tree = makeTree({ "a.txt": "a", "b.txt": "b" });
    const { code, findings } = await watch(tree, [
      ...["a.txt", "--products", "out.txt", "--observe=declare", "--"],
      ...["sh", "-c", "cat b.txt > out.txt; echo more >> b.txt"],
    ]);
    assertEquals(code, 1);
    const [finding] = findings.filter((found) => found.code === "input.undeclared");
    assertEquals(finding?.path, "b.txt");
    assertStringIncludes(finding?.message ?? "", "may have changed since");
  },
);

Deno.test(
  ...unless(
    MISSING,
    "a run with everything declared has the same provenance with --observe as without",
  ),
  async () => {
    using tree = makeTree(FILES);
    const inputs = ["a.txt", "b.txt", "lib/c.txt", "make.sh"];
    const tools = ["--tool", "cat", "--tool", "strace"];
    const texts: string[][] = [];
    for (const how of [["--observe"], ["--observe"], tools]) {
      const { code, stderr } = await watch(tree, [
        ...inputs,
        ...MAKE,
        ...how,
        "--",
        "sh",
        "make.sh",
      ]);
      assertEquals(code, 0, stderr);
      texts.push(["provenance.json", "toolchain.json"].map((name) => readDocument(tree, name)));
      Deno.removeSync(tree.at(RUN), { recursive: true });
    }
    assertEquals(texts[1], texts[0]);
    assertEquals(texts[2], texts[0]);
  },
);

Deno.test(
  ...unless(
    MISSING,
    "--observe notes files outside of the root by number, and names them where it is told to",
  ),
  async () => {
    using elsewhere = makeTree({ "secret.txt": "s" });
    using tree = makeTree({ "a.txt": "a" });
    const command = ["--", "sh", "-c", 'cat "$FILE" > out.txt'];
    const run = async (how: string): Promise<Ended> =>
      await runKprov(
        ["run", ...AT, "a.txt", "--products", "out.txt", how, ...command],
        { cwd: tree.path, permissions: EVERYTHING, env: { FILE: elsewhere.at("secret.txt") } },
      );
    const plain = await run("--observe");
    assertEquals(plain.code, 0, plain.stderr);
    assertStringIncludes(
      plain.stderr,
      "note: input.outside: the command read 1 file outside of the root",
    );
    assert(!plain.stderr.includes("secret"));
    const named = await run("--observe=names");
    assertEquals(named.code, 0);
    assertStringIncludes(named.stderr, `the command read "${elsewhere.at("secret.txt")}"`);
    const strict = await run("--observe=strict");
    assertEquals(strict.code, 1);
    assertStringIncludes(strict.stderr, "finding: input.outside: the command read 1 file");
    for (const run of listNames(tree.at("runs"))) {
      for (const name of DOCUMENT_NAMES) {
        assert(!Deno.readTextFileSync(tree.at(`runs/${run}/${name}`)).includes("secret"));
      }
    }
  },
);

Deno.test(
  ...unless(MISSING, "--observe tells what is read behind a link that is recorded as a link"),
  async () => {
    using elsewhere = makeTree({ "there.txt": "t" });
    using tree = makeTree({ "real.txt": "r", "d/a.txt": "a" });
    Deno.symlinkSync("../real.txt", tree.at("d/in"));
    Deno.symlinkSync(elsewhere.at("there.txt"), tree.at("d/out"));
    const { code, findings } = await watch(tree, [
      ...["d", ...MAKE, "--observe=declare", "--", "sh", "-c", "cat d/a.txt d/in > out.txt"],
    ]);
    assertEquals([code, pathsOf(findings, "input.undeclared")], [0, []]);
    assertStringIncludes(readDocument(tree, "provenance.json"), '"real.txt"');
    Deno.removeSync(tree.at(RUN), { recursive: true });
    const behind = await watch(tree, [
      ...["d", ...MAKE, "--observe", "--", "sh", "-c", "cat d/in d/out > out.txt"],
    ]);
    assertEquals(behind.code, 1);
    assertEquals(pathsOf(behind.findings, "input.undeclared"), ["d/out", "real.txt"]);
    assertStringIncludes(behind.stderr, "it is recorded as a link\nhint: --follow records");
  },
);

Deno.test(
  ...unless(MISSING, "--observe knows an input of --follow by whatever way a process reaches it"),
  async () => {
    using tree = makeTree({ "real/a.txt": "a" });
    Deno.symlinkSync("real", tree.at("d"));
    const { code, findings } = await watch(tree, [
      ...["d", "--follow", ...MAKE, "--observe", "--"],
      ...["sh", "-c", "cd d && cat a.txt > ../out.txt"],
    ]);
    assertEquals([code, pathsOf(findings, "input.undeclared")], [0, []]);
  },
);

Deno.test(
  ...unless(
    MISSING,
    "--observe says so where a program that ran was replaced before it was digested",
  ),
  async () => {
    for (const replace of ["cp b.txt one.sh", "mv b.txt one.sh", "chmod +x one.sh"]) {
      using tree = makeTree({
        "a.txt": "a",
        "b.txt": "b",
        "one.sh": "#!/bin/sh\ncat a.txt > out.txt\n",
      });
      Deno.chmodSync(tree.at("one.sh"), 0o755);
      const { findings } = await watch(tree, [
        ...["a.txt", ...MAKE, "--observe", "--", "sh", "-c", `./one.sh; ${replace}`],
      ]);
      const isReplaced = replace !== "chmod +x one.sh";
      assertEquals(pathsOf(findings, "observation.incomplete"), isReplaced ? [null] : [], replace);
      const { observation } = JSON.parse(readDocument(tree, "run_summary.json"));
      assertEquals(observation.complete && isReplaced, false, replace);
    }
  },
);

Deno.test(
  ...unless(MISSING ?? lacks("Rscript"), "--observe asks R once, and not the program inside of it"),
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const { code, findings, stderr } = await watch(tree, [
      ...["a.txt", ...MAKE, "--observe", "--"],
      ...["sh", "-c", 'Rscript --vanilla -e \'file.copy("a.txt", "out.txt")\' > log.txt'],
    ]);
    assertEquals([code, pathsOf(findings, "runtime.unknown_version")], [0, []], stderr);
    const { runtimes } = JSON.parse(readDocument(tree, "toolchain.json"));
    const found = runtimes.filter(({ name }: { readonly name: string }) => name === "r");
    assertEquals(found.length, 1);
  },
);

Deno.test(
  ...unless(
    MISSING,
    "--observe leaves a command its exit code, its signal, its output and its environment",
  ),
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const script = 'echo out; echo err >&2; cat; echo "$PPID" > ppid; exit 7';
    for (const how of [["--observe"], ["--observe", "--no-capture"]]) {
      const { code, stdout, stderr } = await runKprov(
        ["run", ...AT, "a.txt", "--quiet", ...how, "--", "sh", "-c", script],
        { cwd: tree.path, permissions: EVERYTHING },
      );
      assertEquals([code, stdout, stderr], [7, "out\n", "err\n"]);
    }
    const killed = await watch(tree, ["a.txt", "--observe", "--", "sh", "-c", "kill -TERM $$"]);
    assertEquals([killed.code, killed.outcome], [143, "command_failed"]);
    assertEquals(pathsOf(killed.findings, "observation.incomplete"), []);
  },
);

Deno.test(
  ...unless(MISSING, "--observe does not wait for what a command leaves running, and says so"),
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const script = "echo x > out.txt; (setsid sleep 20 < /dev/null > /dev/null 2>&1 &); sleep 0.2";
    const { code, findings } = await watch(tree, [
      ...["a.txt", "--products", "out.txt", "--observe", "--", "sh", "-c", script],
    ]);
    assertEquals(code, 0);
    assertEquals(pathsOf(findings, "observation.incomplete"), [null]);
    assertEquals(JSON.parse(readDocument(tree, "run_summary.json")).observation.complete, false);
  },
);

Deno.test(
  ...unless(
    MISSING,
    "--observe refuses before anything runs where strace is missing, or may not trace",
  ),
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const args = ["run", "a.txt", "--observe", "--", "touch", "ran"];
    const deno = Deno.execPath();
    const start = async (
      program: string,
      before: readonly string[],
      env: Readonly<Record<string, string>>,
    ): Promise<Ended> => {
      const command = new Deno.Command(program, {
        args: [...before, "run", "--quiet", "--no-prompt", ...EVERYTHING, CLI, ...args],
        cwd: tree.path,
        env: { NO_COLOR: "1", ...env },
        stdin: "null",
      });
      const { code, stdout, stderr } = await command.output();
      return { code, stdout: decode(stdout), stderr: decode(stderr) };
    };
    Deno.mkdirSync(tree.at("bin"));
    const touch = decode((await new Deno.Command("which", { args: ["touch"] }).output()).stdout);
    await new Deno.Command("ln", { args: ["-s", touch.trim(), tree.at("bin/touch")] }).output();
    const absent = await start(deno, [], { PATH: tree.at("bin") });
    assertEquals([absent.code, absent.stdout], [127, ""]);
    assertMatch(absent.stderr, /^error: Cannot observe the command: .*"strace".*\nhint: .*\n$/);
    // What is traced cannot be traced again.
    const traced = ["-f", "-qqq", "-e", "trace=none", "-e", "signal=none", "-o", "/dev/null", deno];
    const forbidden = await start("strace", traced, {});
    assertEquals([forbidden.code, forbidden.stdout], [126, ""]);
    assertMatch(forbidden.stderr, /^error: Cannot observe .*not permitted\nhint: .*\n$/);
    assertEquals(listNames(tree.path), ["a.txt", "bin"]);
  },
);

Deno.test(
  ...unless(MISSING, "--observe names the permissions that it needs before anything runs"),
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const args = ["run", "a.txt", "--observe", "--", "touch", "ran"];
    const rows = [
      [["--allow-read", "--allow-write", "--allow-run=touch"], "--allow-run=strace"],
      [["--allow-read=.", "--allow-write", "--allow-run=strace,touch"], "--allow-read"],
    ] as const;
    for (const [permissions, flag] of rows) {
      const { code, stderr } = await runKprov(args, { cwd: tree.path, permissions });
      assertEquals(code, 77, stderr);
      assertStringIncludes(stderr, `hint: run with ${flag}`);
    }
    const permissions = ["--allow-read", "--allow-write=runs", "--allow-run=strace,touch"];
    const { code, stderr } = await runKprov(args, { cwd: tree.path, permissions });
    assertEquals(code, 0, stderr);
    assertEquals(listNames(tree.at("runs")).length, 1);
  },
);

/** A pipeline of the kinds that people run, with one input declared of those that it reads. */
interface Pipeline {
  readonly name: string;
  readonly needs: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** Makes what else it takes. */
  readonly prepare?: (tree: TemporaryTree) => Promise<void>;
  readonly declared: string;
  readonly command: readonly string[];
  /** What it reads and nobody declared. */
  readonly undeclared: readonly string[];
  /** Programs that it starts. */
  readonly tools: readonly string[];
}

async function start(
  tree: TemporaryTree,
  program: string,
  ...args: readonly string[]
): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], cwd: tree.path })
    .output();
  assert(success, decode(stderr));
}

const PIPELINES: readonly Pipeline[] = [
  {
    name: "a Python package with imports",
    needs: ["python3"],
    files: {
      "app/__init__.py": "",
      "app/__main__.py":
        "from .sums import total\nprint(total(open('data.csv')), file=open('out.txt', 'w'))\n",
      "app/sums.py": "def total(lines): return sum(int(line) for line in lines)\n",
      "data.csv": "1\n2\n",
    },
    declared: "data.csv",
    command: ["python3", "-B", "-m", "app"],
    undeclared: ["app/__init__.py", "app/__main__.py", "app/sums.py"],
    tools: [],
  },
  {
    name: "a C build with make and gcc",
    needs: ["make", "gcc"],
    files: {
      "main.c": '#include "inc/say.h"\nint main(void) { return say(); }\n',
      "say.c": '#include "inc/say.h"\nint say(void) { return 0; }\n',
      "inc/say.h": "int say(void);\n",
      "Makefile": "out.txt: main.o say.o\n\tgcc -o $@ $^\n%.o: %.c inc/say.h\n\tgcc -c -o $@ $<\n",
    },
    declared: "main.c",
    command: ["make", "-j4"],
    undeclared: ["Makefile", "inc/say.h", "say.c"],
    tools: ["as", "cc1", "collect2", "gcc", "ld", "make"],
  },
  {
    name: "a shell pipeline",
    needs: [],
    files: {
      "run.sh": "cd in && sort words.txt | uniq -c | cat - ../more.txt > ../out.txt\n",
      "in/words.txt": "b\na\nb\n",
      "more.txt": "c\n",
    },
    declared: "in",
    command: ["sh", "run.sh"],
    undeclared: ["more.txt", "run.sh"],
    tools: ["cat", "sh", "sort", "uniq"],
  },
  {
    name: "node that runs a bundler",
    needs: ["node", "npm"],
    files: {
      "main.js": "import { part } from './part.js';\nconsole.log(part);\n",
      "part.js": "export const part = 1;\n",
      "package.json": '{"private": true, "type": "module"}\n',
    },
    prepare: async (tree) =>
      await start(tree, "npm", "install", "--silent", "--no-audit", "--no-fund", "rollup@4.53.3"),
    declared: "main.js",
    command: ["node", "node_modules/rollup/dist/bin/rollup", "main.js", "--file", "out.txt"],
    undeclared: ["part.js", "node_modules/rollup/dist/bin/rollup"],
    tools: ["node"],
  },
  {
    name: "sqlite3 on a database file",
    needs: ["sqlite3"],
    files: { "query.sql": "select sum(n) from t;\n" },
    prepare: async (tree) =>
      await start(
        tree,
        "sqlite3",
        "numbers.db",
        "create table t(n); insert into t values (1), (2)",
      ),
    declared: "query.sql",
    command: ["sh", "-c", "sqlite3 numbers.db < query.sql > out.txt"],
    undeclared: ["numbers.db"],
    tools: ["sh", "sqlite3"],
  },
];

/** The release that is known to trace these; 1.1, which Debian 12 has, stops at clone3() and never ends. */
const REPROZIP = "reprozip==1.3.2";

const reproZip = MISSING === null ? await installPythonTools(REPROZIP) : null;
globalThis.addEventListener("unload", () => reproZip?.[Symbol.dispose]());
const noReproZip = reproZip === null ? `${REPROZIP} is missing here` : null;

/** The files below a directory that ReproZip names and that the command did not write. */
async function traceWithReproZip(
  tree: TemporaryTree,
  command: readonly string[],
): Promise<string[]> {
  using place = makeTree();
  const { success, stderr } = await new Deno.Command(`${reproZip?.bin}/reprozip`, {
    args: ["trace", "-d", place.at("trace"), "--dont-identify-packages", ...command],
    cwd: tree.path,
    env: { HOME: place.path, REPROZIP_USAGE_STATS: "off" },
  }).output();
  assert(success, decode(stderr));
  const text = Deno.readTextFileSync(place.at("trace/config.yml"));
  const written = [...text.matchAll(/^ {2}path: (.*)\n {2}written_by_runs: \[.+\]$/gm)]
    .map(([, path]) => path);
  const read = [...text.matchAll(/^ {2}path: (.*)\n {2}written_by_runs: \[\]$/gm)];
  const other = [...text.matchAll(/^ {2}- "(.*)" # [0-9.]+ [a-zA-Z]+$/gm)];
  const prefix = `${tree.path}/`;
  const names = [...read, ...other].map(([, path = ""]) => path)
    .filter((path) => path.startsWith(prefix) && !written.includes(path))
    .map((path) => path.slice(prefix.length));
  return [...new Set(names)];
}

for (const pipeline of PIPELINES) {
  const reason = MISSING ?? lacks(...pipeline.needs);
  const products = ["--products", "out.txt"];
  Deno.test(...unless(reason, `--observe finds what ${pipeline.name} reads`), async () => {
    using tree = makeTree(pipeline.files);
    await pipeline.prepare?.(tree);
    const { code, findings, stderr } = await watch(tree, [
      ...[pipeline.declared, ...products, "--observe", "--", ...pipeline.command],
    ]);
    assertEquals(code, 1, stderr);
    const found = pathsOf(findings, "input.undeclared");
    for (const name of pipeline.undeclared) assert(found.includes(name), `${name}\n${stderr}`);
    const others = found.filter((name) => !name?.startsWith("node_modules/"));
    const expected = pipeline.undeclared.filter((name) => !name.startsWith("node_modules/"));
    assertEquals(others, expected);
    for (const name of pipeline.tools) assert(listToolNames(tree).includes(name), name);
    for (const name of listNames(tree.path)) {
      if (/^(out\.txt|result\.json|runs)$|\.o$/.test(name)) {
        Deno.removeSync(tree.at(name), { recursive: true });
      }
    }
    const again = await watch(tree, [
      ...[pipeline.declared, ...products, "--observe=declare", "--", ...pipeline.command],
    ]);
    assertEquals(again.code, 0, again.stderr);
    const verified = await runKprov(["verify", RUN, "--root", "."], { cwd: tree.path });
    assertEquals(verified.code, 0, verified.stdout);
  });

  Deno.test(
    ...unless(
      reason ?? noReproZip,
      `--observe finds what ReproZip finds of ${pipeline.name}`,
    ),
    async () => {
      using tree = makeTree({ "declared.txt": "", ...pipeline.files });
      await pipeline.prepare?.(tree);
      const named = await traceWithReproZip(tree, pipeline.command);
      // It sees what is known to be read, so that there is something to compare.
      for (const name of pipeline.undeclared) assert(named.includes(name), `${name}: ${named}`);
      for (const name of listNames(tree.path)) {
        if (/^out\.txt$|\.o$/.test(name)) Deno.removeSync(tree.at(name));
      }
      const { findings, stderr } = await watch(tree, [
        ...["declared.txt", ...products, "--observe", "--", ...pipeline.command],
      ]);
      const found = pathsOf(findings, "input.undeclared");
      const missed = named.filter((name) => !found.includes(name));
      assertEquals(missed, [], stderr);
    },
  );
}

Deno.test(
  ...unless(MISSING ?? lacks("python3"), "--observe sees 50,000 files, and names of any bytes"),
  async () => {
    using tree = makeTree({
      "a.txt": "a",
      "many.py": [
        "import os",
        "os.mkdir('many')",
        "for i in range(50000): open(f'many/{i}', 'w').close()",
        "names = [b'new\\nline', b'quo\"te', b'not\\xffutf8', b'a b', b'<x>', '\u00e4'.encode()]",
        "for name in names: open(name, 'wb').close()",
      ].join("\n"),
      "read.py": [
        "import os",
        "d = os.open('many', os.O_RDONLY | os.O_DIRECTORY)",
        "for name in os.listdir(d): os.close(os.open(name, os.O_RDONLY, dir_fd=d))",
        "for name in os.listdir(b'.'):",
        "  if not name.endswith((b'.py', b'.txt')) and os.path.isfile(name): open(name, 'rb').close()",
      ].join("\n"),
    });
    await start(tree, "python3", "many.py");
    const { code, findings, stderr } = await watch(tree, [
      ...["a.txt", "--observe", "--", "python3", "-B", "-I", "read.py"],
    ]);
    assertEquals(code, 1);
    const found = pathsOf(findings, "input.undeclared");
    assertEquals(found.filter((name) => name?.startsWith("many/")).length, 50_000);
    assertEquals(
      found.filter((name) => !name?.startsWith("many/")),
      ["<x>", "a b", "new\nline", "not\\xffutf8", 'quo"te', "read.py", "\u00e4"],
    );
    assertStringIncludes(stderr, "finding: and 49");
  },
);

Deno.test(
  ...unless(
    MISSING ?? lacks("setpriv") ?? (Deno.uid() === 0 ? null : "it takes root to be another user"),
    "--observe works as a plain user, and leaves nothing behind when it is interrupted",
  ),
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    Deno.mkdirSync(tree.at("tmp"));
    const user = 65534;
    for (const path of [tree.path, tree.at("tmp")]) Deno.chownSync(path, user, user);
    // A plain user reads neither root's Deno nor this checkout; both stand in the copy.
    await start(tree, "cp", Deno.execPath(), "deno");
    await start(tree, "chmod", "755", "deno");
    const bundle = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--output", tree.at("kprov.js"), CLI],
    }).output();
    assert(bundle.success, decode(bundle.stderr));
    const run = (...command: readonly string[]): Deno.ChildProcess =>
      new Deno.Command("setpriv", {
        args: [
          ...["--reuid", `${user}`, "--regid", `${user}`, "--clear-groups", tree.at("deno")],
          ...["run", "--quiet", "--no-prompt", "--no-config", ...EVERYTHING, "kprov.js"],
          ...["run", "a.txt", "--observe", "--", ...command],
        ],
        cwd: tree.path,
        env: { NO_COLOR: "1", HOME: tree.path, TMPDIR: tree.at("tmp"), DENO_DIR: tree.at("cache") },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    const ended = await run("cat", "a.txt").output();
    assertEquals([ended.code, decode(ended.stdout)], [0, "a"], decode(ended.stderr));
    for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
      const child = run("sh", "-c", `echo > begun-${signal}; exec sleep 30`);
      const output = child.output();
      while (!listNames(tree.path).includes(`begun-${signal}`)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
      child.kill(signal);
      await output;
      assertEquals(listNames(tree.at("tmp")), [], signal);
    }
  },
);

Deno.test(
  ...unless(
    MISSING ?? lacks("make", "gcc"),
    "an observed run is reproduced, though its programs stand not all in PATH",
  ),
  async () => {
    const [, build] = PIPELINES;
    if (build === undefined) throw new Error("there is no such pipeline");
    using tree = makeTree(build.files);
    const made = await watch(tree, [
      ...["main.c", "--products", "out.txt", "--observe=declare", "--", ...build.command],
    ]);
    assertEquals(made.code, 0, made.stderr);
    const again = await runKprov(["reproduce", RUN], { cwd: tree.path, permissions: EVERYTHING });
    assertEquals(again.code, 0, again.stdout);
    assertStringIncludes(again.stdout, 'tool.unseen: "cc1" ran, and is not in PATH');
  },
);

Deno.test(
  ...unless(
    MISSING,
    "an observed run whose program is gone is not reproduced with another program",
  ),
  async () => {
    using tree = makeTree({ "a.txt": "a", "one.sh": "#!/bin/sh\ncat a.txt > out.txt\n" });
    Deno.mkdirSync(tree.at("bin"));
    Deno.renameSync(tree.at("one.sh"), tree.at("bin/one"));
    Deno.chmodSync(tree.at("bin/one"), 0o755);
    const path = Deno.env.get("PATH") ?? "";
    const made = await runKprov(
      ["run", ...AT, "a.txt", ...MAKE, "--observe=declare", "--", "one"],
      { cwd: tree.path, permissions: EVERYTHING, env: { PATH: `${tree.at("bin")}:${path}` } },
    );
    assertEquals(made.code, 0, made.stderr);
    const again = await runKprov(["reproduce", RUN], { cwd: tree.path, permissions: EVERYTHING });
    assertEquals(again.code, 1, again.stdout);
    assertMatch(again.stdout, /^Not run [^]*tool.missing: "one" is recorded, but not found now/);
  },
);
