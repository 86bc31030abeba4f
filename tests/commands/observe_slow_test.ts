import { DOCUMENT_NAMES, type Finding } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { CLI, decode, type Ended, runKprov } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";

const AT = ["--at", "2026-02-15T20:13:00Z"];
const RUN = "runs/2026-02-15T20-13-00Z";
const EVERYTHING = ["--allow-read", "--allow-write", "--allow-run", "--allow-env"];

const MISSING = Deno.build.os !== "linux"
  ? "not Linux"
  : await isInstalled("strace")
  ? null
  : "no strace";

async function isInstalled(program: string): Promise<boolean> {
  if (Deno.build.os === "windows") return false;
  const args = ["-c", 'command -v "$1"', "sh", program];
  return (await new Deno.Command("sh", { args, stdout: "null" }).output()).success;
}

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
    const script = "echo x > out.txt; (setsid sleep 4 < /dev/null > /dev/null 2>&1 &); sleep 0.2";
    const begin = Date.now();
    const { code, findings } = await watch(tree, [
      ...["a.txt", "--products", "out.txt", "--observe", "--", "sh", "-c", script],
    ]);
    assert(Date.now() - begin < 4000 + 20_000);
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
