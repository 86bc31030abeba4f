import { sha256Hex } from "../../src/base/canonical_json.ts";
import type { TrackedEntry } from "../../src/guards/guard.ts";
import {
  type GovernanceFacts,
  parseProjectVersion,
} from "../../src/guards/lock/governance_lock.ts";
import type { LockPolicy } from "../../src/guards/policy.ts";
import { gatherGovernance } from "../../src/io/governance.ts";
import { assert, assertEquals } from "../assert.ts";
import { lockOf } from "../guards/lock/lock_facts.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const POLICY: LockPolicy = {
  path: "rules/lock.json",
  version_from: { path: "deno.jsonc", pointer: "/version" },
  governs: ["rules/**"],
};
const LOCK = lockOf({ "rules/a": "a" }, 1);
const FILES = {
  "deno.jsonc": '{ "version": "1.2.0", // now\n}',
  "rules/a": "a",
  "rules/lock.json": JSON.stringify(LOCK),
  "other": "x",
};

function entriesOf(...paths: string[]): TrackedEntry[] {
  return paths.map((path) => ({ path, kind: "file" }));
}

function gather(
  tree: TemporaryTree,
  options: {
    readonly policy?: LockPolicy;
    readonly tracked?: readonly TrackedEntry[];
    readonly base?: string;
  } = {},
): GovernanceFacts {
  return gatherGovernance(
    { given: tree.path, path: tree.path },
    options.policy ?? POLICY,
    options.tracked ?? entriesOf(...Object.keys(FILES)),
    options.base ?? null,
  );
}

Deno.test("gatherGovernance() reads the governed files, the locks and the version", () => {
  using tree = makeTree({ ...FILES, "base.json": JSON.stringify(LOCK) });
  assertEquals(gather(tree, { base: tree.at("base.json") }), {
    files: [{ path: "rules/a", sha256: sha256Hex("a") }],
    unreadable: [],
    lock: { state: "read", lock: LOCK },
    baseLock: { state: "read", lock: LOCK },
    version: "1.2.0",
  });
  assertEquals(gather(tree).baseLock, null);
});

Deno.test("gatherGovernance() takes what is tracked and gone for removed, and reports what lies behind a link", () => {
  using tree = makeTree({ ...FILES, "elsewhere/c": "c" });
  Deno.symlinkSync("../elsewhere", tree.at("rules/sub"));
  const { files, unreadable } = gather(tree, {
    tracked: entriesOf("rules/a", "rules/gone", "rules/gone/too", "rules/sub/c"),
  });
  assertEquals(files.map(({ path }) => path), ["rules/a"]);
  assertEquals(unreadable, [
    { path: "rules/sub/c", reason: 'it lies behind the symbolic link "rules/sub"' },
  ]);
});

Deno.test("gatherGovernance() reports a governed link, submodule and directory as unreadable", () => {
  using tree = makeTree({ ...FILES, "rules/dir/x": "x" });
  Deno.symlinkSync("a", tree.at("rules/link"));
  const { files, unreadable } = gather(tree, {
    tracked: [
      ...entriesOf("rules/dir", "rules/link"),
      { path: "rules/module", kind: "submodule" },
    ],
  });
  assertEquals(files, []);
  assertEquals(unreadable, [
    { path: "rules/dir", reason: "it is a directory" },
    { path: "rules/link", reason: "it is a symbolic link" },
    { path: "rules/module", reason: "it is a submodule" },
  ]);
});

const LOCKS: readonly (readonly [string, string | null, GovernanceFacts["lock"]])[] = [
  ["none", null, { state: "missing" }],
  ["no JSON", "{", { state: "invalid", reason: "it is not JSON" }],
  ["a key twice", '{"major": 1, "major": 2}', {
    state: "invalid",
    reason: 'it has the key "major" twice',
  }],
  ["another schema", "{}", {
    state: "invalid",
    reason:
      'Cannot parse the governance lock at /schema: expected "kprovengine.governance_lock.v1"',
  }],
];

for (const [what, text, expected] of LOCKS) {
  Deno.test(`gatherGovernance() tells of a lock that is ${what}`, () => {
    using tree = makeTree(FILES);
    if (text === null) Deno.removeSync(tree.at("rules/lock.json"));
    else Deno.writeTextFileSync(tree.at("rules/lock.json"), text);
    assertEquals(gather(tree).lock, expected);
    Deno.writeTextFileSync(tree.at("base.json"), text ?? "");
    if (text === null) Deno.removeSync(tree.at("base.json"));
    assertEquals(gather(tree, { base: tree.at("base.json") }).baseLock, expected);
  });
}

const VERSIONS: readonly (readonly [string, string, GovernanceFacts["version"]])[] = [
  ["no such value", "{}", { fault: "it has no such value" }],
  ["a number", '{"version": 1}', { fault: '"1" is not a text' }],
  ["twice", '{"version": "1.0.0", "version": "2.0.0"}', {
    fault: 'it has the key "version" twice',
  }],
  ["no JSON", "version = 1", { fault: "it is not JSON: InvalidSymbol" }],
];

for (const [what, text, expected] of VERSIONS) {
  Deno.test(`gatherGovernance() tells of a version that is ${what}`, () => {
    using tree = makeTree({ ...FILES, "deno.jsonc": text });
    assertEquals(gather(tree).version, expected);
  });
}

const PLACES: readonly (readonly [
  path: string,
  pointer: string | null,
  text: string,
  GovernanceFacts["version"],
])[] = [
  ["pyproject.toml", "/project/version", '[project]\nversion = "1.2.0rc1"\n', "1.2.0rc1"],
  ["Cargo.toml", "/package/version", '[package]\nversion = "0.4.1"\n', "0.4.1"],
  ["Cargo.toml", "/package/version", "[package]\nversion.workspace = true\n", {
    fault: "it is not a text",
  }],
  ["Cargo.toml", "/package/version", "[package]\n", { fault: "it has no such value" }],
  ["Cargo.toml", "/*/version", '[package]\nversion = "1.0.0"\n', {
    fault: "it has no such value",
  }],
  ["VERSION", null, "\n 1.2.0 \n", "1.2.0"],
  ["VERSION", null, "", { fault: "it is empty" }],
  ["VERSION", null, "1.2.0\n1.3.0\n", {
    fault: "it has more than one line, and no pointer says where",
  }],
];

for (const [path, pointer, text, expected] of PLACES) {
  Deno.test(`gatherGovernance() reads a version from ${path} ${JSON.stringify(text)}`, () => {
    using tree = makeTree({ ...FILES, [path]: text });
    const version_from = pointer === null ? { path } : { path, pointer };
    assertEquals(gather(tree, { policy: { ...POLICY, version_from } }).version, expected);
  });
}

Deno.test("gatherGovernance() says why a TOML file gives no version", () => {
  using tree = makeTree({ ...FILES, "a.toml": "[a\n" });
  const version_from = { path: "a.toml", pointer: "/a" };
  const { version } = gather(tree, { policy: { ...POLICY, version_from } });
  assert(typeof version === "object" && version.fault.startsWith("it is not TOML: "));
});

Deno.test("parseProjectVersion() reads versions as Python writes them as well", () => {
  const cases: readonly (readonly [string, number | null, boolean])[] = [
    ["1.2.0", 1, false],
    ["2.0.0-rc.1", 2, true],
    ["2.0rc1", 2, true],
    ["2.0.0a1.dev3", 2, true],
    ["0.4.dev0", 0, true],
    ["2024.1", 2024, false],
    ["3", 3, false],
    ["1.0.post1", 1, false],
    ["1!2.0", null, false],
    ["one", null, false],
    ["1.x", null, false],
  ];
  for (const [text, major, isPrerelease] of cases) {
    const version = parseProjectVersion(text);
    assertEquals(version.ok ? version.major : null, major, text);
    assertEquals(version.ok && version.isPrerelease, isPrerelease, text);
  }
});

Deno.test("gatherGovernance() reads nothing outside the repository for the policy", () => {
  using tree = makeTree({ "lock.json": JSON.stringify(LOCK), "repo/rules/a": "a" });
  const root = { given: "repo", path: tree.at("repo") };
  for (const path of ["../lock.json", tree.at("lock.json"), ".git/lock.json"]) {
    const policy: LockPolicy = { ...POLICY, path, version_from: { path, pointer: "" } };
    const facts = gatherGovernance(root, policy, [], null);
    assertEquals(facts.lock.state, "invalid");
    assertEquals(typeof facts.version, "object");
  }
  Deno.symlinkSync("../lock.json", tree.at("repo/lock.json"));
  const { lock } = gatherGovernance(root, { ...POLICY, path: "lock.json" }, [], null);
  assertEquals(lock, { state: "invalid", reason: "it is a symbolic link" });
});
