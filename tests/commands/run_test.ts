import { DOCUMENT_NAMES, sha256Hex } from "../../mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { CLI, decode, keepCache, type KprovOptions, NARROW, runKprov, WIDE } from "../run_kprov.ts";
import { listNames, makeTree } from "../temporary_tree.ts";
import { lacks, unless } from "../unless.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";

const FILES = {
  "b.txt": "b",
  "a.txt": "a",
  "data/\uFF5E.csv": "x",
  "data/\u{1F600}.csv": "y",
  "data/deep/er/c.csv": "z",
};

/** Runs kprov and returns the text of the documents by their names. */
async function record(
  args: readonly string[],
  options: KprovOptions,
): Promise<Record<string, string>> {
  const ended = await runKprov([...args, "--format", "json"], options);
  assertEquals(ended.stderr, "");
  const directory = JSON.parse(ended.stdout).run_dir;
  return Object.fromEntries(DOCUMENT_NAMES.map((name) => [
    name,
    Deno.readTextFileSync(`${options.cwd}/${directory}/${name}`),
  ]));
}

Deno.test({
  name: "the same inputs give the same bytes in another place, order, zone, locale and umask",
  // It takes a shell to set a umask.
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using one = makeTree(FILES);
    using other = makeTree(Object.fromEntries(Object.entries(FILES).reverse()));
    const expected = await record(["a.txt", "b.txt", "data", "--at", AT], { cwd: one.path });
    const script = `umask 077; exec "$0" "$@"`;
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", script, Deno.execPath(), "run", "--quiet", "--no-prompt", ...NARROW, CLI]
        .concat(["./data/", "b.txt", "a.txt", "--at", AT, "--format", "json"]),
      cwd: other.path,
      env: keepCache({
        ...{ TZ: "Pacific/Chatham", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" },
        HOME: "/nowhere",
      }),
    }).output();
    const directory = JSON.parse(decode(stdout)).run_dir;
    for (const name of DOCUMENT_NAMES) {
      assertEquals(Deno.readTextFileSync(other.at(`${directory}/${name}`)), expected[name], name);
    }
  },
});

Deno.test("another second changes run_summary.json and nothing else", async () => {
  using tree = makeTree(FILES);
  const one = await record(["data", "--at", AT], { cwd: tree.path });
  const other = await record(["data", "--at", "2027-01-01T00:00:00Z"], { cwd: tree.path });
  assert(one["run_summary.json"] !== other["run_summary.json"]);
  assertEquals({ ...one, "run_summary.json": "" }, { ...other, "run_summary.json": "" });
});

Deno.test("no document holds a path of the machine, its user, its name or its environment", async () => {
  const secret = "correct-horse-battery";
  using tree = makeTree({ [`${secret}/a.txt`]: "a" });
  const env = { HOME: `/home/${secret}`, USER: secret, HOSTNAME: secret, TOKEN: secret };
  const documents = await record(["a.txt"], {
    cwd: tree.at(secret),
    env,
    permissions: ["--allow-all"],
  });
  const text = Object.values(documents).join("");
  for (const word of [secret, tree.path, Deno.hostname()]) {
    assert(!text.includes(word), `${word} is in a document`);
  }
});

Deno.test("SOURCE_DATE_EPOCH sets the time where its permission is granted, and only there", async () => {
  using tree = makeTree(FILES);
  const env = { SOURCE_DATE_EPOCH: "1771186380" };
  const granted = [...NARROW, "--allow-env=SOURCE_DATE_EPOCH"];
  const summary =
    (await record(["a.txt"], { cwd: tree.path, env, permissions: granted }))["run_summary.json"];
  assertStringIncludes(summary ?? "", `"created_at": "2026-02-15T20:13:00Z"`);
  const without = (await record(["a.txt"], { cwd: tree.path, env }))["run_summary.json"];
  assert(!without?.includes("2026-02-15T20:13:00Z"));
  const bad = await runKprov(["a.txt"], {
    cwd: tree.path,
    env: { SOURCE_DATE_EPOCH: "soon" },
    permissions: granted,
  });
  assertEquals(bad.code, 64);
});

Deno.test("six runs in one second make six whole runs with the same evidence", async () => {
  using tree = makeTree(FILES);
  const ended = await Promise.all(
    Array.from({ length: 6 }, () => runKprov(["data", "--at", AT], { cwd: tree.path })),
  );
  assertEquals(ended.map(({ code }) => code), [0, 0, 0, 0, 0, 0]);
  const runs = listNames(tree.at("runs"));
  assertEquals(runs, [RUN_ID, ...[2, 3, 4, 5, 6].map((n) => `${RUN_ID}-${n}`)]);
  const digests = runs.map((run) => {
    assertEquals(listNames(tree.at(`runs/${run}`)), [...DOCUMENT_NAMES]);
    const summary = JSON.parse(Deno.readTextFileSync(tree.at(`runs/${run}/run_summary.json`)));
    assertEquals(summary.run_id, run);
    return sha256Hex(Deno.readFileSync(tree.at(`runs/${run}/provenance.json`)));
  });
  assertEquals(new Set(digests).size, 1);
});

Deno.test({
  name: "kill -9 at any time leaves no run or a whole one, and the next run works",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`data/${i}`, "x"]));
    using tree = makeTree(files);
    for (const delay of [20, 40, 50, 60, 70, 80, 90, 100, 120]) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-prompt", ...NARROW, CLI, "data", "--quiet"],
        cwd: tree.path,
        stdout: "null",
        stderr: "null",
      }).spawn();
      await new Promise((resolve) => setTimeout(resolve, delay));
      try {
        child.kill("SIGKILL");
      } catch {
        // It had ended already.
      }
      await child.status;
    }
    const { code } = await runKprov(["data"], { cwd: tree.path });
    assertEquals(code, 0);
    const runs = listNames(tree.at("runs")).filter((name) => !name.startsWith("."));
    for (const run of runs) {
      assertEquals(listNames(tree.at(`runs/${run}`)), [...DOCUMENT_NAMES]);
      const summary = JSON.parse(Deno.readTextFileSync(tree.at(`runs/${run}/run_summary.json`)));
      const provenance = Deno.readFileSync(tree.at(`runs/${run}/provenance.json`));
      assertEquals(summary.evidence_digest, sha256Hex(provenance));
    }
  },
});

Deno.test(
  // Only the superuser can mount a file system, and in most containers not even that one.
  ...unless(lacks("mount"), "a full disk ends in exit 74 or 73 with one line and no run"),
  async () => {
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`data/${"n".repeat(100)}${i}`, "x"]),
    );
    using tree = makeTree(files);
    Deno.mkdirSync(tree.at("runs"));
    const mount = await new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=64k", "tmpfs", tree.at("runs")],
    }).output();
    assert(mount.success, decode(mount.stderr));
    try {
      const ended = await runKprov(["data"], { cwd: tree.path });
      assertEquals(ended.code, 74);
      assertStringIncludes(ended.stderr, "no space is left on the device");
      assertEquals(ended.stdout, "");
      assertEquals(listNames(tree.at("runs")), []);
    } finally {
      await new Deno.Command("umount", { args: [tree.at("runs")] }).output();
    }
  },
);

Deno.test("the policy's range decides which Deno may run, and is recorded", async () => {
  const policy = (range: string): string =>
    JSON.stringify({ schema: "kprovengine.policy.v1", runtime: { deno: range } });
  using tree = makeTree({ ...FILES, "docs/governance/policy.json": policy(">=99.0.0") });
  const refused = await runKprov(["a.txt"], { cwd: tree.path });
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "the range of docs/governance/policy.json is >=99.0.0");
  assertEquals(listNames(tree.at("runs")), []);

  Deno.writeTextFileSync(tree.at("docs/governance/policy.json"), policy(">=2.0.0"));
  const documents = await record(["a.txt"], { cwd: tree.path });
  const summary = JSON.parse(documents["run_summary.json"] ?? "");
  assertEquals(summary.runtime_policy, [
    { range: ">=2.0.0", runtime: "deno", satisfied: true, version: Deno.version.deno },
  ]);
  assertEquals(summary.policy, {
    path: "docs/governance/policy.json",
    sha256: sha256Hex(policy(">=2.0.0")),
  });
});

const BAD_POLICIES: readonly (readonly [string, string, string])[] = [
  ["not JSON", "{", "it is not JSON"],
  ["an unknown key", `{"schema":"kprovengine.policy.v1","x":1}`, "at /x: unknown key"],
  [
    "a key twice",
    `{"schema":"kprovengine.policy.v1","schema":"a"}`,
    'it has the key "schema" twice',
  ],
  ["a byte order mark", "\uFEFF{}", "it starts with a byte order mark"],
  ["another schema", `{"schema":"v9"}`, 'at /schema: expected "kprovengine.policy.v1"'],
  [
    "a range that is none",
    `{"schema":"kprovengine.policy.v1","runtime":{"deno":"soon"}}`,
    "at /runtime/deno: expected a range of versions",
  ],
];

for (const [what, text, message] of BAD_POLICIES) {
  Deno.test(`a policy with ${what} ends in exit 78 before anything is written`, async () => {
    using tree = makeTree({ ...FILES, "docs/governance/policy.json": text });
    const ended = await runKprov(["a.txt"], { cwd: tree.path });
    assertEquals(ended.code, 78);
    assertStringIncludes(ended.stderr, message);
    assertEquals(ended.stderr.split("\n").length, 2);
    assertEquals(listNames(tree.at("runs")), []);
  });
}

Deno.test("mod.ts started directly is the command line too", async () => {
  using tree = makeTree(FILES);
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...WIDE, CLI.replace(/cli\.ts$/, "mod.ts"), "a.txt"],
    cwd: tree.path,
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(code, 0);
  assertStringIncludes(decode(stdout), "Evidence sha256:");
});
