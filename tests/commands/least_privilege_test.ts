import { COMMANDS } from "../../src/commands/command_table.ts";
import { locateExecutable } from "../../src/gather/executable.ts";
import { dirname } from "../../src/std.ts";
import { shellQuote } from "../../src/shell_quote.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { callKprov } from "../faults/call_kprov.ts";
import { whyNotTraced } from "../faults/strace.ts";
import { CLI, decode } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN = "runs/2026-02-15T20-13-00Z";
const OTHER_RUN = `${RUN}-2`;
const WRAPPED_RUN = "runs/2026-02-15T20-13-01Z";

/** A command as its help says that it may be run. */
interface Row {
  /** Its name. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** What its help says of its permissions, for this form: the kind and what it is for. */
  readonly permissions: readonly Permission[];
}

/** Kind and value of one of Deno's flags. */
type Permission = readonly [kind: "read" | "write" | "run" | "env", value: string];

const PATH = dirname(locate("true"));

function locate(program: string): string {
  const located = locateExecutable(program, "/");
  assert(located.state === "found", program);
  return located.path;
}

const READ: Permission = ["read", "."];
const WRITE: Permission = ["write", "runs"];
const RUN_TRUE: readonly Permission[] = [["run", "true"], [
  "read",
  Deno.realPathSync(`${PATH}/true`),
]];

const POLICY = {
  schema: "kprovengine.policy.v1",
  artifacts: {},
  preflight: { steps: [["true"]] },
  lock: {
    path: "docs/governance/governance.lock.json",
    version_from: { path: "package.json", pointer: "/version" },
    governs: ["docs/governance/policy.json"],
  },
};

const project = makeTree({
  "w/a.txt": "a",
  "w/data/b.txt": "b",
  "w/package.json": `{"name": "acme", "version": "1.0.0-rc.1"}`,
  "w/docs/governance/policy.json": JSON.stringify(POLICY),
  "w/fresh/package.json": `{"name": "acme", "version": "1.0.0"}`,
  "w/unlocked/package.json": `{"name": "acme", "version": "1.0.0"}`,
  "w/unlocked/docs/governance/policy.json": JSON.stringify(POLICY),
  "w/state/other": "",
  "result/other": "",
});

const ROWS: readonly Row[] = [
  { command: "run", args: ["a.txt"], permissions: [READ, WRITE] },
  {
    command: "run",
    args: ["a.txt", "data", "--root", "data/..", "--out", "o/p", "--exclude", "*.tmp"],
    permissions: [READ, ["write", "o/p"]],
  },
  {
    command: "run",
    args: ["a.txt", "--shard", "1/2", "--out", "../shards"],
    permissions: [READ, ["read", "../shards"], ["write", "../shards"]],
  },
  { command: "run", args: ["a.txt", "--", "true"], permissions: [READ, WRITE, ...RUN_TRUE] },
  {
    command: "run",
    args: ["a.txt", "--env", "NO_COLOR", "--tool", "false", "--", "true"],
    permissions: [
      READ,
      WRITE,
      ...RUN_TRUE,
      ["env", "NO_COLOR"],
      ["env", "PATH"],
      ["read", Deno.realPathSync(`${PATH}/false`)],
    ],
  },
  {
    command: "run",
    args: ["a.txt", "--result", "../result/r.json"],
    permissions: [READ, WRITE, ["read", "../result"], ["write", "../result"]],
  },
  {
    command: "record",
    args: ["record", "start", "a.txt", "--state", "state/s.json"],
    permissions: [READ, ["write", "state"]],
  },
  {
    command: "record",
    args: ["record", "start", "a.txt", "--state", "../result/s.json"],
    permissions: [READ, ["read", "../result"], ["write", "../result"]],
  },
  {
    command: "record",
    args: ["record", "finish", "--state", "../state.json", "--products", "data/b.txt"],
    permissions: [READ, WRITE, ["read", "../state.json"]],
  },
  {
    command: "merge",
    args: ["merge", "../parts", "--out", "merged"],
    permissions: [["read", "../parts"], ["read", "merged"], ["write", "merged"]],
  },
  { command: "verify", args: ["verify", RUN], permissions: [["read", RUN]] },
  {
    command: "verify",
    args: ["verify", "../runs", "--root", "."],
    permissions: [READ, ["read", "../runs"]],
  },
  {
    command: "diff",
    args: ["diff", RUN, OTHER_RUN],
    permissions: [["read", RUN], ["read", OTHER_RUN]],
  },
  {
    command: "review",
    args: ["review", RUN, "--approve", "--reviewer", "Ada"],
    permissions: [["read", "runs"], WRITE],
  },
  { command: "guard", args: ["guard", "artifacts"], permissions: [READ] },
  {
    command: "guard",
    args: ["guard", "lock", "--base-lock", "../lock.json"],
    permissions: [READ, ["read", "../lock.json"]],
  },
  { command: "preflight", args: ["preflight"], permissions: [READ, ["run", "true"]] },
  {
    command: "init",
    args: ["init", "--root", "fresh"],
    permissions: [["read", "fresh"], ["write", "fresh/docs/governance"]],
  },
  {
    command: "init",
    args: ["init", "--root", "unlocked", "--renew-lock"],
    permissions: [["read", "unlocked"], ["write", "unlocked/docs/governance"]],
  },
  {
    command: "reproduce",
    args: ["reproduce", WRAPPED_RUN],
    permissions: [
      // Where the project is in /tmp, as temporary trees mostly are, that is the root too.
      ...(project.path.startsWith("/tmp/") ? [] : [READ]),
      ["read", "/tmp"],
      ["read", `${PATH}/cp`],
      ["write", "/tmp"],
      ["run", "cp"],
    ],
  },
  { command: "report", args: ["report", RUN], permissions: [["read", RUN]] },
  {
    command: "report",
    args: ["report", "../runs", "--out", "../result/r.html"],
    permissions: [["read", "../runs"], ["read", "../result"], ["write", "../result"]],
  },
  { command: "schema", args: ["schema", "provenance"], permissions: [] },
  { command: "toolchain", args: ["toolchain"], permissions: [] },
  { command: "completions", args: ["completions", "bash"], permissions: [] },
];

/** The flags of Deno that grant permissions. */
function toFlags(permissions: readonly Permission[]): string[] {
  const values = Map.groupBy(permissions, ([kind]) => kind);
  return [...values].map(([kind, list]) => `--allow-${kind}=${list.map(([, value]) => value)}`);
}

/** A project in `w` with runs, others in it, and something of everything beside it. */
async function fillProject(tree: TemporaryTree): Promise<void> {
  const script = "for d in . fresh unlocked; do git init -q $d; git -C $d add -A . ; done";
  const git = new Deno.Command("sh", { args: ["-c", script], cwd: tree.at("w") });
  const { success, stderr } = await git.output();
  assert(success, decode(stderr));
  const common = ["--root", tree.at("w"), "--quiet", "--at", AT];
  const input = tree.at("w/a.txt");
  const copy = ["--products", tree.at("w/c.txt"), "--", "cp", "a.txt", "c.txt"];
  for (
    const args of [
      ["init", "--root", tree.at("w"), "--renew-lock"],
      [input, ...common, "--out", tree.at("w/runs")],
      [input, ...common, "--out", tree.at("w/runs")],
      [input, ...common, "--out", tree.at("runs")],
      [input, ...common, "--out", tree.at("parts"), "--shard", "1/2"],
      [input, ...common, "--out", tree.at("parts"), "--shard", "2/2"],
      [input, ...common.slice(0, -1), "2026-02-15T20:13:01Z", "--out", tree.at("w/runs"), ...copy],
      [
        "record",
        "start",
        input,
        "--root",
        tree.at("w"),
        "--quiet",
        "--state",
        tree.at("state.json"),
      ],
    ]
  ) {
    const { code, stderr } = await callKprov(args);
    assertEquals([code, stderr], [0, ""], args.join(" "));
  }
  Deno.copyFileSync(tree.at("w/docs/governance/governance.lock.json"), tree.at("lock.json"));
}

/** Runs kprov on a terminal, where Deno would ask for what it may not do. */
async function runOnTerminal(
  words: readonly string[],
  cwd: string,
): Promise<{ readonly code: number; readonly shown: string }> {
  const { code, stdout } = await new Deno.Command("timeout", {
    args: ["60", "script", "--quiet", "--return", "--command", words.map(shellQuote).join(" ")]
      .concat("/dev/null"),
    cwd,
    env: { NO_COLOR: "1", PATH, DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  const shown = decode(stdout);
  assert(!shown.includes("Deno requests"), shown);
  return { code, shown };
}

async function whyNoTerminal(): Promise<string | null> {
  if (Deno.build.os !== "linux") return `there is no such terminal on ${Deno.build.os}`;
  try {
    const args = ["--quiet", "--return", "--command", "exit 3", "/dev/null"];
    const { code } = await new Deno.Command("script", { args, stdin: "null" }).output();
    return code === 3 ? null : "script makes no terminal here";
  } catch {
    return "script is not installed";
  }
}

Deno.test("every command has a row, with the kinds of permissions that its help tells of", async () => {
  for (const { name, load } of COMMANDS) {
    const rows = ROWS.filter(({ command }) => command === name);
    assert(rows.length > 0, `${name} has no row`);
    const { permissions } = await load();
    for (const kind of ["read", "write", "run", "env"] as const) {
      const isUsed = rows.some((row) => row.permissions.some(([used]) => used === kind));
      const isTold = new RegExp(`--allow-${kind}\\b|\\b${kind} (and|access)`).test(permissions);
      assert(isUsed === isTold || kind === "env", `${name}: ${kind}: ${permissions}`);
    }
    assertEquals(permissions === "none.", rows.every((row) => row.permissions.length === 0));
  }
});

const noTerminal = await whyNoTerminal();
const untraced = await whyNotTraced();
globalThis.addEventListener("unload", () => project[Symbol.dispose]());
if (noTerminal === null) await fillProject(project);

for (const { command, args, permissions } of ROWS) {
  const name = `kprov ${args.join(" ")} takes ${toFlags(permissions).join(" ") || "no permission"}`;
  Deno.test({
    name: noTerminal === null ? `${name}, and asks for none` : `${name} (${noTerminal})`,
    ignore: noTerminal !== null,
    fn: async () => {
      const start = [Deno.execPath(), "run", "--quiet"];
      for (const taken of permissions) {
        const rest = toFlags(permissions.filter((permission) => permission !== taken));
        const words = [...start, ...rest, CLI, ...args];
        const { code, shown } = await runOnTerminal(words, project.at("w"));
        assertEquals(code, 77, `${command} without ${taken.join("=")}: ${shown}`);
        assertStringIncludes(shown, "error: Cannot ");
        assertStringIncludes(shown, `run with --allow-${taken[0]}`);
      }
      const words = [...start, ...toFlags(permissions), "--deny-net", CLI, ...args];
      const trace = project.at("trace");
      const strace = ["strace", "-f", "-q", "--seccomp-bpf", "-e", "trace=%network", "-o", trace];
      const traced = untraced === null ? [...strace, ...words] : words;
      const { code, shown } = await runOnTerminal(traced, project.at("w"));
      assertEquals(code, 0, shown);
      if (untraced === null) assert(!Deno.readTextFileSync(trace).includes("AF_INET"), name);
    },
  });
}
