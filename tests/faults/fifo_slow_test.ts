import { assert, assertEquals, assertMatch } from "../assert.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { callKprov } from "./call_kprov.ts";
import { meddle } from "./meddle.ts";

const POLICY = JSON.stringify({
  schema: "kprovengine.policy.v1",
  identity: {
    technical_name: "sample",
    display_name: "Sample",
    repository: "https://example.org/a/sample",
    surfaces: [],
    forbidden_tokens: ["forbidden"],
  },
  artifacts: { deny: ["*.tmp"] },
  lock: {
    path: "docs/governance/lock.json",
    version_from: { path: "package.json", pointer: "/version" },
    governs: ["governed.txt"],
  },
});

const FILES = {
  "docs/governance/policy.json": POLICY,
  "docs/governance/lock.json": "{}",
  "package.json": '{"version":"1.0.0"}',
  "governed.txt": "a",
  "list": "governed.txt\0",
  "in/a.txt": "a",
  "run.sh": "#!/bin/sh\n",
};

/** A file that kprov reads, and that a FIFO takes the place of behind a look at it. */
interface Site {
  readonly what: string;
  readonly path: string;
  readonly args: readonly string[];
  /** What is done before. */
  readonly prepare?: readonly (readonly string[])[];
  /** Behind which look at it; default: the first. */
  readonly look?: number;
  readonly code: number;
}

const RUN = [
  "run",
  "in",
  "--root",
  ".",
  "--out",
  "runs",
  "--at",
  "2026-01-01T00:00:00Z",
  "--quiet",
];
const PLACE = "runs/2026-01-01T00-00-00Z";

const SITES: readonly Site[] = [
  { what: "an input", path: "in/a.txt", args: RUN, code: 65 },
  { what: "the policy of a run", path: "docs/governance/policy.json", args: RUN, code: 78 },
  {
    what: "the policy of a guard",
    path: "docs/governance/policy.json",
    args: ["guard", "artifacts", "--root", "."],
    code: 78,
  },
  {
    what: "a policy that is named",
    path: "list",
    look: 1,
    args: ["guard", "artifacts", "--root", ".", "--policy", "list"],
    code: 78,
  },
  { what: "git's index", path: ".git/index", args: ["guard", "artifacts", "--root", "."], code: 1 },
  { what: "git's HEAD", path: ".git/HEAD", args: RUN, code: 0 },
  { what: "git's configuration", path: ".git/config", args: RUN, code: 0 },
  {
    what: "the list of files",
    path: "list",
    look: 1,
    args: ["guard", "artifacts", "--root", ".", "--files-from", "list"],
    code: 65,
  },
  {
    what: "the lock",
    path: "docs/governance/lock.json",
    args: ["guard", "lock", "--root", "."],
    code: 1,
  },
  {
    what: "the base lock",
    path: "list",
    look: 1,
    args: ["guard", "lock", "--root", ".", "--base-lock", "list"],
    code: 1,
  },
  { what: "the version", path: "package.json", args: ["guard", "lock", "--root", "."], code: 1 },
  {
    what: "a governed file",
    path: "governed.txt",
    args: ["guard", "lock", "--root", "."],
    code: 1,
  },
  {
    what: "a tracked file",
    path: "governed.txt",
    args: ["guard", "identity", "--root", "."],
    code: 65,
  },
  {
    what: "a manifest",
    path: "package.json",
    args: ["init", "--root", ".", "--dry-run"],
    look: 1,
    code: 65,
  },
  {
    what: "a document",
    path: `${PLACE}/toolchain.json`,
    prepare: [RUN],
    args: ["verify", "runs"],
    look: 1,
    code: 1,
  },
  {
    what: "a document that is reviewed",
    path: `${PLACE}/human_review.json`,
    prepare: [RUN],
    args: ["review", PLACE, "--approve", "--reviewer", "somebody"],
    code: 65,
  },
  {
    what: "the state of a record",
    path: "state",
    prepare: [["record", "start", "in", "--root", ".", "--state", "state", "--quiet"]],
    args: ["record", "finish", "--root", ".", "--state", "state", "--products", "run.sh"],
    code: 65,
  },
  {
    what: "a product",
    path: "run.sh",
    prepare: [["record", "start", "in", "--root", ".", "--state", "state", "--quiet"]],
    args: ["record", "finish", "--root", ".", "--state", "state", "--products", "run.sh"],
    look: 2,
    code: 65,
  },
];

function makeFifo(path: string): void {
  Deno.removeSync(path);
  assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
}

function git(tree: TemporaryTree, ...args: readonly string[]): void {
  const options = { args: [...args], cwd: tree.path };
  assert(new Deno.Command("git", options).outputSync().success);
}

/** Ends whoever waits for somebody to write to a FIFO, so that a reader that does fails the test. */
function writeLater(path: string): Deno.ChildProcess {
  const script = 'sleep 30; exec timeout 1 sh -c ": > \\"$0\\"" "$0"';
  return new Deno.Command("sh", { args: ["-c", script, path], stderr: "null" }).spawn();
}

for (const { what, path, args, prepare = [], look = 0, code } of SITES) {
  Deno.test({
    name: `a FIFO in the place of ${what} keeps nobody waiting, and is not read`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      using tree = makeTree(FILES);
      git(tree, "init", "--quiet");
      git(tree, "add", "--all");
      if (args[0] === "init") Deno.removeSync(tree.at("docs/governance/policy.json"));
      const absolute = (arg: string): string =>
        arg === "." || /^(in|runs|list|state|run\.sh)\b/.test(arg) ? tree.at(arg) : arg;
      for (const words of prepare) {
        const { code, stderr } = await callKprov(words.map(absolute));
        assertEquals([code, stderr], [0, ""]);
      }
      // What was just written is looked at twice before it is opened.
      await new Promise((resolve) => setTimeout(resolve, 50));
      let looks = 0;
      const after = (looked: string): void => {
        if (looked === tree.at(path) && looks++ === look) makeFifo(tree.at(path));
      };
      const writer = writeLater(tree.at(path));
      const started = Date.now();
      const ended = await meddle({ after }, () => callKprov(args.map(absolute)));
      const isInTime = Date.now() < started + 29_000;
      writer.kill();
      await writer.status;
      assert(looks > look);
      assertEquals([isInTime, ended.code], [true, code], ended.stdout + ended.stderr);
      if (code === 0) return;
      if (code > 1) assertMatch(ended.stderr, /^error: Cannot [^\n]+[^.\n]\n(hint: [^\n]+\n)?$/);
      assertMatch(
        ended.stdout + ended.stderr,
        /changed while it was read|does not verify|it is a FIFO/,
      );
      if (args === RUN) assertEquals(listNames(tree.at("runs")), []);
    },
  });
}

/** So many files beside it that a guard lists the directory in place of a look at each. */
const MANY = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`many/${i}.txt`, "fine"]));

Deno.test({
  name:
    "a FIFO in the place of a file that a guard saw in a listing is not taken for an empty file",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using tree = makeTree({ ...FILES, ...MANY });
    git(tree, "init", "--quiet");
    git(tree, "add", "--all");
    // No directory is listed in place of its files before a later look at it would tell of a change.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    let calls = 0;
    const after = (looked: string): void => {
      if (looked === `${tree.path}/many/` && ++calls === 2) makeFifo(tree.at("many/5.txt"));
    };
    const writer = writeLater(tree.at("many/5.txt"));
    const args = ["guard", "identity", "--root", tree.path];
    const { code, stdout, stderr } = await meddle({ after }, () => callKprov(args));
    writer.kill();
    await writer.status;
    assertEquals([code, stdout, stderr], [
      65,
      "",
      'error: Cannot read tracked file "many/5.txt": it is neither a file nor a link\n' +
      "hint: restore it, or remove it from git's index\n",
    ]);
  },
});
