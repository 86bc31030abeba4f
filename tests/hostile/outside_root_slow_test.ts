import { KprovError } from "../../src/base/error.ts";
import { listClaims } from "../../src/evidence/check_files.ts";
import { readRun } from "../../src/evidence/verify.ts";
import type { Guard } from "../../src/guards/guard.ts";
import { observeFiles } from "../../src/io/observe.ts";
import { gatherRepository } from "../../src/io/repository.ts";
import { gatherRun } from "../../src/io/run_files.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { callKprov } from "./call_kprov.ts";
import { EVERYTHING, makeRepository, POLICY, WORKFLOW } from "./hostile_repository.ts";

const POSIX = { ignore: Deno.build.os === "windows" };

/** Puts a link where a directory was, which goes elsewhere with what is in it. */
function linkAway(tree: TemporaryTree, name: string, elsewhere: TemporaryTree): void {
  Deno.renameSync(tree.at(name), elsewhere.at("taken"));
  Deno.symlinkSync(elsewhere.at("taken"), tree.at(name));
}

/** The findings of a guard, as `code path`. */
async function findBy(guard: string, tree: TemporaryTree, ...more: string[]): Promise<string[]> {
  const args = ["guard", guard, "--root", tree.path, "--format", "json", ...more];
  const { code, stdout, stderr } = await callKprov(args);
  assertEquals(code, 1, stderr);
  assert(!stdout.includes("outside secret"), stdout);
  const [{ findings }] = JSON.parse(stdout).guards;
  return findings.map((finding: { code: string; path: string }) =>
    `${finding.code} ${finding.path}`
  );
}

for (const count of [1, 50]) {
  Deno.test(
    `identity reads none of ${count} tracked files behind a link, and reports each`,
    POSIX,
    async () => {
      const names = Array.from({ length: count }, (_, i) => `d/sub/f${String(i).padStart(2, "0")}`);
      using tree = makeRepository(Object.fromEntries(names.map((name) => [name, "forbidden"])));
      using elsewhere = makeTree();
      const isOfThese = (finding: string): boolean => finding.includes(" d/sub/");
      assertEquals(
        (await findBy("identity", tree)).filter(isOfThese),
        names.map((name) => `identity.forbidden_token ${name}`),
      );
      linkAway(tree, "d", elsewhere);
      assertEquals(
        (await findBy("identity", tree)).filter(isOfThese),
        names.map((name) => `identity.behind_link ${name}`),
      );
    },
  );
}

/** For each guard, a file that it reads whole, and what it says where that lies behind a link. */
const READ_WHOLE:
  readonly (readonly [guard: string, path: string, content: string, code: string])[] = [
    ["identity", "d/Dockerfile", "FROM outside secret\n", "identity.docker_label"],
    ["identity", "d/surface.json", '{"name": "outside secret"}', "identity.surface_missing"],
    ["runtime", "d/package.json", '{"engines": {"node": "outside secret"}}', "runtime.unpinned"],
    ["runtime", "d/.tool-versions", "deno outside secret\n", "runtime.unpinned"],
    ["parity", WORKFLOW, "on: [push]\njobs: {outside secret: {}}\n", "parity.missing"],
    ["lock", "d/rules.json", "outside secret", "lock.changed"],
  ];

for (const [guard, path, content, code] of READ_WHOLE) {
  Deno.test(`${guard} does not read ${path} behind a link, and says so`, POSIX, async () => {
    const policy = {
      ...EVERYTHING,
      identity: {
        ...EVERYTHING.identity,
        surfaces: [{ path: "d/surface.json", pointer: "/name", equals: "x" }],
      },
      lock: { ...EVERYTHING.lock, governs: [POLICY, "d/rules.json"] },
    };
    using tree = makeRepository({ [POLICY]: JSON.stringify(policy), [path]: content });
    using elsewhere = makeTree();
    linkAway(tree, path.split("/")[0] ?? "", elsewhere);
    const args = ["guard", guard, "--root", tree.path];
    const { stdout } = await callKprov(args);
    assertStringIncludes(stdout, `${path}`);
    assertStringIncludes(stdout, "it lies behind the symbolic link");
    assert((await findBy(guard, tree)).includes(`${code} ${path}`), stdout);
  });
}

/** The policy's own files: where each stands, and what is said where it lies behind a link. */
const NAMED_BY_POLICY: readonly (readonly [what: string, lock: object])[] = [
  ["the lock", { path: "d/lock.json" }],
  ["the version", { version_from: { path: "d/version.json", pointer: "/version" } }],
];

for (const [what, lock] of NAMED_BY_POLICY) {
  Deno.test(`lock does not read ${what} behind a link`, POSIX, async () => {
    const policy = { ...EVERYTHING, lock: { ...EVERYTHING.lock, ...lock } };
    using tree = makeRepository({
      [POLICY]: JSON.stringify(policy),
      "d/version.json": '{"version": "1.0.0"}',
      "d/lock.json": '{"schema": "outside secret"}',
    });
    using elsewhere = makeTree();
    linkAway(tree, "d", elsewhere);
    const { stdout, code } = await callKprov(["guard", "lock", "--root", tree.path]);
    assertEquals(code, 1);
    assertStringIncludes(stdout, 'it lies behind the symbolic link "d"');
  });
}

Deno.test("no command reads a policy behind a link", POSIX, async () => {
  using tree = makeRepository({ "in.txt": "" });
  using elsewhere = makeTree();
  linkAway(tree, "docs", elsewhere);
  const root = ["--root", tree.path];
  const calls = [
    ["guard", ...root],
    ["preflight", ...root],
    ["init", "--renew-lock", ...root],
    ["run", tree.at("in.txt"), ...root, "--out", tree.at("runs")],
    ["record", "start", tree.at("in.txt"), ...root, "--state", tree.at("state")],
    ["guard", ...root, "--policy", tree.at("docs/governance/policy.json")],
  ];
  for (const args of calls) {
    const { code, stderr } = await callKprov(args);
    assertEquals(code, 78, args.join(" "));
    assertStringIncludes(stderr, 'it lies behind the symbolic link "docs"');
  }
  assertEquals(listNames(tree.at("runs")), []);
});

Deno.test(
  "guard follows no link below the root to a file that the command line names",
  POSIX,
  async () => {
    using tree = makeRepository({ "d/list": "README.md\0", "d/lock.json": "{}" });
    using elsewhere = makeTree();
    linkAway(tree, "d", elsewhere);
    const list = ["guard", "--root", tree.path, "--files-from"];
    const { code, stderr } = await callKprov([...list, tree.at("d/list")]);
    assertEquals(
      [code, stderr.includes('it lies behind the symbolic link "d"')],
      [65, true],
      stderr,
    );
    // What the caller names outside of the root, and with links of the caller's own, is read.
    Deno.symlinkSync(elsewhere.at("taken/list"), elsewhere.at("own"));
    assertEquals((await callKprov([...list, elsewhere.at("own")])).code, 1);

    const base = ["guard", "lock", "--root", tree.path, "--base-lock", tree.at("d/lock.json")];
    const { stdout } = await callKprov(base);
    assertStringIncludes(stdout, 'base lock cannot be used: it lies behind the symbolic link "d"');
  },
);

Deno.test("init writes nothing through a link", POSIX, async () => {
  using elsewhere = makeTree();
  for (const link of ["docs", "docs/governance"]) {
    using tree = makeTree({ "docs/.keep": "", "package.json": '{"name": "acme"}' });
    if (link === "docs") Deno.removeSync(tree.at("docs"), { recursive: true });
    Deno.symlinkSync(elsewhere.path, tree.at(link));
    const { code, stdout, stderr } = await callKprov(["init", "--root", tree.path]);
    assertEquals([code, stdout], [73, ""]);
    assertStringIncludes(stderr, `it lies behind the symbolic link "${link}"`);
    assertEquals(listNames(elsewhere.path), []);
  }
});

/** Where a policy could send its lock. */
const PLACES_OF_LOCK = [
  "d/lock.json",
  "../lock.json",
  ".git/hooks/pre-commit",
  "/tmp/kprov-lock.json",
];

for (const path of PLACES_OF_LOCK) {
  Deno.test(`init --renew-lock writes no lock at ${path}`, POSIX, async () => {
    const policy = { ...EVERYTHING, lock: { ...EVERYTHING.lock, path } };
    using tree = makeRepository({
      [POLICY]: JSON.stringify(policy),
      "deno.json": '{"name": "@kprov/cli", "version": "1.0.0-rc.1"}\n',
      "d/.keep": "",
      ".git/hooks/.keep": "",
    });
    using elsewhere = makeTree();
    linkAway(tree, "d", elsewhere);
    const { code, stdout, stderr } = await callKprov(["init", "--renew-lock", "--root", tree.path]);
    assertEquals([code, stdout], [73, ""], stderr);
    assertEquals(listNames(elsewhere.at("taken")), [".keep"]);
    assertEquals(listNames(tree.at(".git/hooks")), [".keep"]);
    assertEquals(listNames(`${tree.path}/..`).includes("lock.json"), false);
  });
}

Deno.test(
  "a directory that is swapped for a link while the guards read fails them",
  POSIX,
  async () => {
    using tree = makeRepository({ "d/file": "" });
    using elsewhere = makeTree();
    const swapping: Guard = {
      name: "swapping",
      isConfigured: () => true,
      wantsYaml: () => false,
      wantsContent: (path) => {
        if (path === "d/file") linkAway(tree, "d", elsewhere);
        return path === "d/file";
      },
      check: () => [],
    };
    const root = { given: tree.path, path: tree.path };
    const policy = { schema: "kprovengine.policy.v1" } as const;
    const request = { root, policy, guards: [swapping], tracked: null, baseLock: null };
    const error = await assertRejects(() => gatherRepository(request), KprovError);
    assertEquals(
      [error.code, error.message],
      [
        "data",
        'Cannot read tracked file "d/file": a directory on the way to it changed meanwhile',
      ],
    );
  },
);

function listWholeRun(path: string): Parameters<typeof observeFiles>[0] {
  const { run } = readRun(gatherRun(path));
  assert(run !== null);
  const given = run.documents["provenance.json"].predicate.buildDefinition.externalParameters;
  return { expected: listClaims(run).files, given };
}

Deno.test(
  "a directory that is swapped for a link while verify --root reads is told",
  POSIX,
  async () => {
    using tree = makeTree({ "in/d/file": "x" });
    using elsewhere = makeTree();
    const made = await callKprov([tree.at("in"), "--root", tree.path, "--out", tree.at("runs")]);
    assertEquals(made.code, 0, made.stderr);
    const [name] = listNames(tree.at("runs"));
    let ticks = 0;
    const progress = {
      tick: () => {
        if (ticks++ === 0) linkAway(tree, "in/d", elsewhere);
      },
      end: () => {},
    };
    const observation = await observeFiles(listWholeRun(tree.at(`runs/${name}`)), {
      root: { given: tree.path, path: tree.path },
      effort: { jobs: 1, progress },
    });
    assertEquals(observation.files.get("in/d/file"), {
      state: "unreadable",
      reason: "a directory on the way to it changed meanwhile",
    });
  },
);
