import type { Finding } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { waitUntil } from "../await_process.ts";
import { CLI, decode, type Ended, runKprov } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { lacks, unless } from "../unless.ts";

const AT = ["--at", "2026-02-15T20:13:00Z"];
const RUN = "runs/2026-02-15T20-13-00Z";

/** What `reproduce --format json` prints, as far as the tests look at it. */
interface Reproduced extends Ended {
  readonly reproducible: boolean;
  readonly isolated: boolean;
  readonly findings: readonly Finding[];
  readonly runs: readonly { readonly variation: { readonly kind: string } | null }[];
}

/** How kprov is called. */
interface Call {
  readonly env?: Readonly<Record<string, string>>;
  readonly permissions?: readonly string[];
}

async function kprov(
  tree: TemporaryTree,
  args: readonly string[],
  { env = {}, permissions = ["--allow-all"] }: Call = {},
): Promise<Ended> {
  Deno.mkdirSync(tree.at("tmp"), { recursive: true });
  const options = { cwd: tree.path, env: { TMPDIR: tree.at("tmp"), ...env }, permissions };
  return await runKprov([...args], options);
}

async function record(
  tree: TemporaryTree,
  args: readonly string[],
  call: Call = {},
): Promise<void> {
  const ended = await kprov(tree, ["run", ...AT, "--quiet", ...args], call);
  assertEquals([ended.code, ended.stderr], [0, ""]);
}

async function reproduce(
  tree: TemporaryTree,
  args: readonly string[],
  call: Call = {},
): Promise<Reproduced> {
  const ended = await kprov(tree, ["reproduce", RUN, "--format", "json", ...args], call);
  // Nothing stays, whatever came of it.
  assertEquals(listNames(tree.at("tmp")), []);
  return { ...ended, ...JSON.parse(ended.stdout) };
}

function codesOf({ findings }: Reproduced): string[] {
  return findings.map(({ path, code }) => path === null ? code : `${path} ${code}`);
}

const SANDBOX = lacks("bwrap");

Deno.test(
  ...unless(lacks("bwrap", "strace"), "--isolate --observe names the files that a command misses"),
  async () => {
    using outside = makeTree({ "hidden.txt": "hidden\n", "home/.toolrc": "rc\n" });
    const script = `cat lib/b.txt ${outside.at("hidden.txt")} ~/.toolrc absent.txt >> out.txt
cd lib && cat c.txt >> ../out.txt
test -e ../work || echo made > ../work
cat ../out/never.txt
exit 0
`;
    using tree = makeTree({
      ...{ "a.txt": "a\n", "s.sh": script, "lib/b.txt": "b\n", "lib/c.txt": "c\n" },
      "lib/unused.txt": "u\n",
    });
    const env = { HOME: outside.at("home") };
    const inputs = ["a.txt", "s.sh", "--products", "out.txt", "--", "sh", "s.sh"];
    const made = await kprov(tree, ["run", ...AT, "--quiet", ...inputs], { env });
    assertEquals(made.code, 0, made.stderr);
    const found = await reproduce(tree, ["--isolate", "--observe"], { env });
    const missed = found.findings.filter(({ code }) => code === "input.missed");
    assertEquals(missed.map(({ path, level }) => [path, level]), [
      [null, "note"],
      ["lib", "note"],
      ["lib/b.txt", "note"],
    ]);
    assertEquals(
      missed[0]?.message,
      `the isolated command looked outside of the root for "${
        outside.at("hidden.txt")
      }", "~/.toolrc"`,
    );
    const refused = await kprov(tree, ["reproduce", RUN, "--observe"]);
    assertEquals(
      [refused.code, refused.stderr],
      [64, "error: Cannot use --observe: it needs --isolate\n"],
    );
  },
);

Deno.test(
  ...unless(SANDBOX, "--isolate fails what a hidden input feeds, and passes what is all declared"),
  async () => {
    using outside = makeTree({ "hidden.txt": "hidden\n" });
    const script = `cat a.txt ${outside.at("hidden.txt")} > out.txt\n`;
    using tree = makeTree({ "a.txt": "a\n", "s.sh": script });
    await record(tree, ["a.txt", "s.sh", "--products", "out.txt", "--", "sh", "s.sh"]);
    const open = await reproduce(tree, []);
    assertEquals([open.code, open.reproducible, open.isolated], [0, true, false]);
    const isolated = await reproduce(tree, ["--isolate"]);
    assertEquals([isolated.code, isolated.isolated], [1, true]);
    assertEquals(codesOf(isolated), ["command.exit_code", "out.txt product.changed"]);
    assertStringIncludes(isolated.stderr, "hidden.txt: No such file or directory");
    assertStringIncludes(isolated.findings[0]?.hint ?? "", "--observe names");
    Deno.writeTextFileSync(tree.at("s.sh"), "cat a.txt > out.txt\n");
    Deno.removeSync(tree.at(RUN), { recursive: true });
    await record(tree, ["a.txt", "s.sh", "--products", "out.txt", "--", "sh", "s.sh"]);
    const clean = await reproduce(tree, ["--isolate"]);
    assertEquals([clean.code, clean.reproducible, clean.stderr], [0, true, ""]);
  },
);

/** What a command finds around it, a line each; the products of a run that is never compared. */
const LOOK = `
ls -A "$HOME" /tmp > home.txt
ls -A "$ROOT" > root.txt 2>&1
env | sort > env.txt
ls /proc | grep -c '^[0-9]' > processes.txt
ls /sys/class/net /proc/net/dev > /dev/null 2>&1; grep -c : /proc/net/dev > network.txt
id -u > user.txt
: > usr.txt
for place in /usr /etc / /proc; do
  test "$HOME" != /home/kprov || mkdir "$place/kprov-test" || echo refused >> usr.txt
done
hostname > host.txt
grep CapEff /proc/self/status > rights.txt
`;

Deno.test(
  ...unless(SANDBOX, "an isolated command has no home, no network, no other process and no right"),
  async () => {
    using tree = makeTree({ "look.sh": LOOK, "secret.txt": "s" });
    const env = { ROOT: tree.path, SECRET: "s3cret", LANG: "C" };
    await record(tree, [
      ...["look.sh", "--env", "ROOT", "--products", "home.txt", "--products", "root.txt"],
      ...["--products", "env.txt", "--products", "processes.txt", "--products", "network.txt"],
      ...["--products", "user.txt", "--products", "usr.txt", "--products", "host.txt"],
      ...["--products", "rights.txt", "--", "sh", "-c", "sh look.sh 2> /dev/null; true"],
    ], { env });
    await reproduce(tree, ["--isolate", "--keep", "kept"], { env });
    const read = (name: string): string => Deno.readTextFileSync(tree.at(`kept/run-1/${name}`));
    const home = read("home.txt").split("\n");
    assertEquals(home[0], "/home/kprov:");
    // The scratch directory, where that is in /tmp.
    assert(
      !home.some((name) => name !== "" && !/^(\/home\/kprov:|\/tmp:|kprov-test-.*)$/.test(name)),
    );
    assertMatch(read("root.txt"), /^tmp\n$|No such file/);
    assertEquals(
      read("env.txt").split("\n").map((line) => line.replace(/=.*/, "")).filter((name) => name),
      ["HOME", "LANG", "OLDPWD", "PATH", "PWD", "ROOT"].filter((name) =>
        read("env.txt").includes(`${name}=`)
      ),
    );
    assert(!read("env.txt").includes("s3cret"));
    // bubblewrap itself, two shells, ls and grep.
    assert(Number(read("processes.txt")) <= 6, read("processes.txt"));
    assertEquals(read("network.txt"), "1\n");
    assertEquals(read("host.txt"), "localhost\n");
    assertMatch(read("rights.txt"), /^CapEff:\s*0+\n$/);
    assertEquals(read("usr.txt"), "refused\n".repeat(4));
  },
);

Deno.test(
  ...unless(
    lacks("bwrap", "python3"),
    "an isolated Python has its environment in the root, and nothing beside it",
  ),
  async () => {
    using tree = makeTree({
      "use.py": "import own\nopen('out.txt', 'w').write(own.TEXT)\n",
      "own_src/own.py": "TEXT = 'own'\n",
    });
    const venv = await new Deno.Command("python3", {
      args: ["-m", "venv", "--without-pip", ".venv"],
      cwd: tree.path,
    }).output();
    assert(venv.success, decode(venv.stderr));
    const [library] = [...Deno.readDirSync(tree.at(".venv/lib"))].map(({ name }) => name);
    const site = tree.at(`.venv/lib/${library}/site-packages`);
    Deno.copyFileSync(tree.at("own_src/own.py"), `${site}/own.py`);
    const command = ["--", ".venv/bin/python", "use.py"];
    await record(tree, ["use.py", "--products", "out.txt", ...command]);
    const installed = await reproduce(tree, ["--isolate"]);
    assertEquals([installed.code, codesOf(installed)], [0, []], installed.stderr);
    // The same module by way of a path in the root, which is no input.
    Deno.removeSync(`${site}/own.py`);
    Deno.writeTextFileSync(`${site}/own.pth`, `${tree.at("own_src")}\n`);
    Deno.removeSync(tree.at(RUN), { recursive: true });
    await record(tree, ["use.py", "--products", "out.txt", ...command]);
    const hidden = await reproduce(tree, ["--isolate"]);
    assertEquals(codesOf(hidden), ["command.exit_code", "out.txt product.missing"]);
    assertStringIncludes(hidden.stderr, "No module named 'own'");
  },
);

Deno.test(
  ...unless(SANDBOX, "a variable of --env is passed to an isolated command, and none else"),
  async () => {
    using tree = makeTree({ "s.sh": 'echo "$GIVEN $OTHER" > out.txt\n' });
    const env = { GIVEN: "given", OTHER: "" };
    await record(tree, ["s.sh", "--env", "GIVEN", "--products", "out.txt", "--", "sh", "s.sh"], {
      env,
    });
    const alike = await reproduce(tree, ["--isolate"], { env: { ...env, OTHER: "other" } });
    assertEquals([alike.code, codesOf(alike)], [0, []]);
    const open = await reproduce(tree, [], { env: { ...env, OTHER: "other" } });
    assertEquals(codesOf(open), ["out.txt product.changed"]);
  },
);

Deno.test(
  ...unless(SANDBOX, "--isolate takes the permissions that it names, and no other"),
  async () => {
    using tree = makeTree({ "a.txt": "a\n" });
    await record(tree, ["a.txt", "--products", "out.txt", "--", "cp", "a.txt", "out.txt"]);
    const run = (run: string, env: string): Promise<Ended> =>
      kprov(tree, ["reproduce", RUN, "--isolate"], {
        permissions: [
          "--allow-read",
          "--allow-write=tmp",
          `--allow-run=${run}`,
          `--allow-env=${env}`,
        ],
      });
    const steps = [
      ["cp", "TMPDIR", "--allow-run=bwrap"],
      ["cp,bwrap", "TMPDIR", "--allow-env=PATH"],
      ["cp,bwrap", "TMPDIR,PATH", "--allow-env=LANG"],
    ] as const;
    for (const [programs, variables, flag] of steps) {
      const { code, stderr } = await run(programs, variables);
      assertEquals(
        [code, stderr.endsWith(`hint: run with ${flag}, or use the command kprov-run\n`)],
        [77, true],
        stderr,
      );
    }
    const { code, stderr } = await run("cp,bwrap", "TMPDIR,PATH,LANG");
    assertEquals([code, stderr], [0, ""]);
  },
);

Deno.test(
  ...unless(
    lacks("bwrap", "unshare"),
    "--isolate is refused in one line where namespaces are not to be had",
  ),
  async () => {
    using tree = makeTree({ "a.txt": "a\n" });
    await record(tree, ["a.txt", "--products", "out.txt", "--", "cp", "a.txt", "out.txt"]);
    const limit = 'echo 0 > /proc/sys/user/max_mnt_namespaces && exec "$@"';
    const ended = await new Deno.Command("unshare", {
      args: ["-r", "sh", "-c", limit, "sh", Deno.execPath(), "run", "--quiet", "--allow-all", CLI]
        .concat("reproduce", RUN, "--isolate"),
      cwd: tree.path,
    }).output();
    assertEquals([ended.code, decode(ended.stdout)], [126, ""]);
    assertMatch(
      decode(ended.stderr),
      /^error: Cannot isolate the command: bubblewrap does not work here: [^\n]+\nhint: [^\n]+\n$/,
    );
    using bin = makeTree();
    Deno.symlinkSync(Deno.realPathSync("/bin/cp"), bin.at("cp"));
    const absent = await kprov(tree, ["reproduce", RUN, "--isolate"], { env: { PATH: bin.path } });
    assertEquals(absent.code, 127);
    assertEquals(
      absent.stderr,
      'error: Cannot isolate the command: --isolate needs "bwrap", and it is not in PATH\n' +
        "hint: install it, such as with apt-get install bubblewrap\n",
    );
  },
);

Deno.test(
  ...unless(lacks("bwrap", "pkill"), "an isolated command cannot outlive its end"),
  async () => {
    using tree = makeTree({ "s.sh": "sleep 4793 & echo a > out.txt\n" });
    await record(tree, [
      "s.sh",
      "--products",
      "out.txt",
      "--",
      "sh",
      "-c",
      "sh s.sh; pkill -P $$ sleep; true",
    ]);
    const { code } = await reproduce(tree, ["--isolate"]);
    assertEquals(code, 0);
  },
);

for (const [signal, expected] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
  for (const options of [["--isolate"], ["--vary", "order"], ["--isolate", "--vary", "time"]]) {
    const missing = lacks("bwrap", "disorderfs", "faketime", "ps");
    const name = `${signal} ends reproduce ${options.join(" ")}, and leaves nothing`;
    Deno.test(...unless(missing, name), async () => {
      using tree = makeTree({ "s.sh": 'test -e "$MARK" && exec sleep 4794\necho a > out.txt\n' });
      const env = { MARK: tree.at("mark"), TMPDIR: tree.at("tmp") };
      await record(tree, ["s.sh", "--env", "MARK", "--products", "out.txt", "--", "sh", "s.sh"], {
        env,
      });
      // In a sandbox the root is not there, and so the system's own file is the mark.
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-prompt", "--allow-all", CLI, "reproduce", RUN, ...options],
        cwd: tree.path,
        env: { ...env, MARK: "/usr/bin/env" },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      let sleeper: string | undefined;
      for (let i = 0; i < 2400 && sleeper === undefined; i++) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        sleeper = findProcess("sleep 4794", child.pid);
      }
      assert(sleeper !== undefined, "the command was not started");
      child.kill(signal);
      const ended = await child.output();
      assertEquals(decode(ended.stderr), `error: Interrupted by ${signal}\n`);
      assertEquals([ended.code, listNames(tree.at("tmp"))], [expected, []]);
      for (let i = 0; i < 800 && isAlive(sleeper); i++) {
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      assert(!isAlive(sleeper), "the command still runs");
    });
  }
}

Deno.test(
  ...unless(lacks(), "a signal while disorderfs is tried leaves nothing"),
  async () => {
    using tree = makeTree({
      "a.txt": "a",
      "bin/disorderfs": '#!/bin/sh\n: > "$MARK"\nexec sleep 4\n',
    });
    Deno.chmodSync(tree.at("bin/disorderfs"), 0o755);
    Deno.mkdirSync(tree.at("tmp"));
    await record(tree, ["a.txt", "--products", "out.txt", "--", "cp", "a.txt", "out.txt"]);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--allow-all",
        CLI,
        "reproduce",
        RUN,
        "--vary",
        "order",
      ],
      cwd: tree.path,
      env: {
        MARK: tree.at("mark"),
        PATH: `${tree.at("bin")}:${Deno.env.get("PATH")}`,
        TMPDIR: tree.at("tmp"),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    while (!listNames(tree.path).includes("mark")) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    child.kill("SIGTERM");
    const { code } = await child.output();
    assertEquals([code, listNames(tree.at("tmp"))], [143, []]);
  },
);

/** The process of a command line below another process. */
function findProcess(command: string, ancestor: number): string | undefined {
  const { stdout } = new Deno.Command("ps", { args: ["-eo", "pid=,ppid=,args="] }).outputSync();
  const rows = decode(stdout).split("\n").map((line) =>
    /^ *([0-9]+) +([0-9]+) (.*)$/.exec(line) ?? []
  );
  const parents = new Map(rows.map(([, pid, parent]) => [pid, parent]));
  const isBelow = (pid: string | undefined): boolean => {
    for (let next = pid; next !== undefined && next !== "0"; next = parents.get(next)) {
      if (next === String(ancestor)) return true;
    }
    return false;
  };
  return rows.find(([, pid, , args]) => args === command && isBelow(pid))?.[1];
}

function isAlive(pid: string): boolean {
  return new Deno.Command("ps", { args: ["-p", pid], stdout: "null" }).outputSync().success;
}

/** A product for each thing that may be varied, and one that follows none. */
const FOLLOWS = `
mkdir -p out
date +%Y > out/time
date +%Z > out/zone
printf 'z\\nä\\nt\\n' | sort > out/steady
locale 2> /dev/null | sed -n 's/^LC_ALL=//p' > out/locale
basename "$(dirname "$PWD")" | sed 's/^kprov-.*/area/' > out/cwd
ls -U many > out/order
nproc > out/cores
`;

/** The memory that the clocks of faketime share. */
function listClocks(): readonly string[] {
  const { stdout } = new Deno.Command("ls", { args: ["/dev/shm"] }).outputSync();
  return decode(stdout).split("\n").filter((name) => name.includes("faketime"));
}

const VARY = lacks("bwrap", "faketime", "disorderfs", "locale", "taskset");

for (const isolation of [[], ["--isolate"]]) {
  Deno.test(
    ...unless(VARY, `--vary says which variation changed which product ${isolation.join("")}`),
    async () => {
      const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`many/${i}`, "x"]));
      using tree = makeTree({ "s.sh": FOLLOWS, ...many });
      const older = new Set(listClocks());
      const env = { LC_ALL: "", LANG: "C", TZ: "" };
      const script = FOLLOWS.replace("| sort", "| LC_ALL=C sort");
      Deno.writeTextFileSync(tree.at("s.sh"), script);
      await record(tree, ["s.sh", "many", "--products", "out", "--", "sh", "s.sh"], { env });
      const found = await reproduce(tree, [
        ...isolation,
        ...["--times", "2", "--vary", "time,locale", "--vary", "cwd,order,cores"],
      ], { env });
      const codes = new Set(codesOf(found).filter((code) => !code.endsWith("product.changed")));
      assertEquals([...codes].sort(), [
        ...(navigator.hardwareConcurrency > 1 ? ["out/cores variation.cores"] : []),
        "out/cwd variation.cwd",
        "out/locale variation.locale",
        "out/order variation.order",
        "out/time variation.time",
        "out/zone variation.time",
      ]);
      assertEquals(found.runs.slice(0, 2).map(({ variation }) => variation), [null, null]);
      // Other tests start clocks too, which end by themselves.
      await waitUntil("an end of the clocks", () => listClocks().every((name) => older.has(name)));
    },
  );
}

const PROGRAMS = [["time", "faketime"], ["order", "disorderfs"], ["locale", "locale"], [
  "cores",
  "taskset",
]] as const;

for (const [kind, program] of PROGRAMS) {
  Deno.test(
    ...unless(lacks(), `--vary ${kind} is refused in one line without ${program}`),
    async () => {
      using tree = makeTree({ "a.txt": "a\n" });
      await record(tree, ["a.txt", "--products", "out.txt", "--", "cp", "a.txt", "out.txt"]);
      using bin = makeTree();
      Deno.symlinkSync(Deno.realPathSync("/bin/cp"), bin.at("cp"));
      const call = { env: { PATH: bin.path } };
      const { code, stdout, stderr } = await kprov(tree, ["reproduce", RUN, "--vary", kind], call);
      assertEquals([code, stdout], [127, ""]);
      assertMatch(
        stderr,
        /^error: Cannot vary [^\n]+ needs "[a-z]+", and it is not in PATH\nhint: [^\n]+\n$/,
      );
      assertStringIncludes(stderr, `needs "${program}"`);
    },
  );
}

Deno.test(
  ...unless(lacks("diffoscope"), "--explain hands both versions to diffoscope"),
  async () => {
    using tree = makeTree({ "s.sh": 'echo "$WORD" > out.txt\n' });
    await record(tree, ["s.sh", "--products", "out.txt", "--", "sh", "s.sh"], {
      env: { WORD: "one" },
    });
    const args = ["reproduce", RUN, "--explain", "diffoscope"];
    const { code, stdout } = await kprov(tree, args, { env: { WORD: "two" } });
    assertEquals(code, 1);
    assertMatch(stdout, /\n--- .*\/recorded\/out\.txt\n\+\+\+ .*\/run-1\/out\.txt\n/);
    assertMatch(stdout, /-one\n.*\+two\n/);
    assertEquals(listNames(tree.at("tmp")), []);
  },
);
