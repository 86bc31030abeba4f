import fc from "fast-check";
import { KprovError } from "../../../src/base/error.ts";
import type { RepositoryFacts } from "../../../src/guards/guard.ts";
import { RUNTIME } from "../../../src/guards/runtime/runtime.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../assert.ts";
import { CI, NODE, setup } from "../workflow_text.ts";
import { checkFiles, type Files, makeFacts, makePolicy } from "./runtime_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** A repository that declares every runtime in every way, and keeps to the policy. */
const CLEAN: Files = {
  ".github/workflows/ci.yml": `on: [push, pull_request]
jobs:
  test:
    strategy:
      matrix:
        deno: [v2.8.2, v2.9.6]
        python: ["3.11", "3.12"]
    container: node:22-bookworm
    steps:
      - uses: denoland/setup-deno@v2
        with: {deno-version: "\${{ matrix.deno }}"}
      - uses: actions/setup-python@v5
        with: {python-version: "\${{ matrix.python }}"}
      - uses: actions/setup-node@v4
        with: {node-version-file: .nvmrc}
`,
  "Dockerfile": "FROM denoland/deno:2.9.6\n",
  ".dvmrc": "2.9.6\n",
  ".nvmrc": "22\n",
  ".node-version": "22.1.0\n",
  ".python-version": "3.12\n",
  ".tool-versions": "deno 2.9.6\nnodejs 22.1.0\npython 3.12.1\n",
  "package.json": '{"engines": {"node": ">=20", "deno": "2.9.x"}}',
  "pyproject.toml": '[project]\nrequires-python = ">=3.11,<3.13"\n',
  "README.md": "FROM node:18\n",
};

Deno.test("RUNTIME passes a clean repository", PURE, () => {
  assertEquals(checkFiles(CLEAN), []);
});

Deno.test("RUNTIME finds the smallest change in each file of a clean repository", PURE, () => {
  const changes: [path: string, from: string, to: string, code: string][] = [
    [".github/workflows/ci.yml", "v2.8.2,", "v2.8.1,", "runtime.out_of_range"],
    [".github/workflows/ci.yml", "v2.8.2,", "v2,", "runtime.out_of_range"],
    [".github/workflows/ci.yml", "v2.8.2,", "lts,", "runtime.unpinned"],
    [".github/workflows/ci.yml", '"3.12"', '"3.13"', "runtime.out_of_range"],
    [".github/workflows/ci.yml", "node:22", "node:18", "runtime.out_of_range"],
    [".github/workflows/ci.yml", "node:22-bookworm", "node:bookworm", "runtime.unpinned"],
    [".github/workflows/ci.yml", ".nvmrc", ".missing", "runtime.unpinned"],
    ["Dockerfile", "2.9.6", "2.10.0", "runtime.out_of_range"],
    ["Dockerfile", ":2.9.6", "", "runtime.unpinned"],
    [".dvmrc", "2.9.6", "2.8.1", "runtime.out_of_range"],
    [".nvmrc", "22", "18", "runtime.out_of_range"],
    [".node-version", "22.1.0", "latest", "runtime.unpinned"],
    [".python-version", "3.12", "3.13", "runtime.out_of_range"],
    [".tool-versions", "3.12.1", "3.10.1", "runtime.out_of_range"],
    ["package.json", ">=20", ">=19", "runtime.out_of_range"],
    ["package.json", "2.9.x", "*", "runtime.unpinned"],
    ["pyproject.toml", ",<3.13", "", "runtime.out_of_range"],
  ];
  for (const [path, from, to, code] of changes) {
    const text = CLEAN[path];
    assert(typeof text === "string" && text.includes(from));
    const found = checkFiles({ ...CLEAN, [path]: text.replace(from, to) });
    assertEquals(found.map((line) => line.split(":", 1)[0]), [`${code} ${path}`]);
  }
});

Deno.test("RUNTIME judges the running Deno", PURE, () => {
  const policy = makePolicy({ deno: ">=2.8.2 <2.10.0" });
  const check = (runningDeno: string): string[] =>
    RUNTIME.check({ ...makeFacts({}, policy), runningDeno }, policy)
      .map((finding) => `${finding.code} ${finding.path} ${finding.message}`);
  assertEquals(check("2.9.6"), []);
  assertEquals(check("2.9.6+a1b2c3d"), []);
  assertEquals(check("2.10.0"), [
    'runtime.out_of_range null this run declares deno "2.10.0", which is not inside the ' +
    'policy\'s ">=2.8.2 <2.10.0"',
  ]);
  assertEquals(check("2.9.0-rc.1").length, 1);
  assertEquals(check("unknown").map((line) => line.split(" ")[0]), ["runtime.unpinned"]);
});

Deno.test("RUNTIME judges only the runtimes that the policy names", PURE, () => {
  const bad: Files = {
    ".nvmrc": "18",
    ".dvmrc": "1.0.0",
    ".python-version": "2.7",
    "package.json": "{",
    "pyproject.toml": "{",
    "Dockerfile": "FROM node:18\nFROM python:2\nFROM denoland/deno:1.0.0\n",
  };
  const places = (runtime: Record<string, string>): string[] =>
    checkFiles(bad, makePolicy(runtime)).map((line) => line.split(" ")[1] ?? "");
  assertEquals(places({ node: ">=20" }), [
    ".nvmrc:1:1",
    "Dockerfile:1:6",
    "package.json:null:null",
    "pyproject.toml:null:null",
  ]);
  assertEquals(places({ python: ">=3.11" }), [
    ".python-version:1:1",
    "Dockerfile:2:6",
    "pyproject.toml:null:null",
  ]);
  assertEquals(places({ deno: ">=2.8" }), [
    ".dvmrc:1:1",
    "Dockerfile:3:6",
    "package.json:null:null",
    "pyproject.toml:null:null",
  ]);
  assertEquals(places({}), []);
});

Deno.test("RUNTIME is configured and wants files where the policy names a runtime", PURE, () => {
  assertEquals(RUNTIME.isConfigured({ schema: "kprovengine.policy.v1" }), false);
  assertEquals(RUNTIME.isConfigured(makePolicy({})), false);
  assertEquals(RUNTIME.isConfigured(makePolicy({ node: ">=20" })), true);
  const wanted = (runtime: Record<string, string>): string[] =>
    Object.keys(CLEAN).filter((path) =>
      RUNTIME.wantsContent(path, makePolicy(runtime)) ||
      RUNTIME.wantsYaml(path, makePolicy(runtime))
    );
  assertEquals(wanted({}), []);
  assertEquals(wanted({ python: ">=3" }), [
    ".github/workflows/ci.yml",
    "Dockerfile",
    ".python-version",
    ".tool-versions",
    "pyproject.toml",
  ]);
});

Deno.test("RUNTIME fails closed where facts are missing", PURE, () => {
  const policy = makePolicy();
  const facts = makeFacts(CLEAN, policy);
  const check = (change: Partial<RepositoryFacts>): string[] =>
    RUNTIME.check({ ...facts, ...change }, policy).map(({ code, path }) => `${code} ${path}`);
  assertEquals(check({ yaml: new Map() }), ["runtime.unpinned .github/workflows/ci.yml"]);
  assertEquals(check({ contents: new Map() }).length, 9, "every file, and what refers to .nvmrc");
  const fault = { code: "artifacts.index_invalid", message: "it is cut off" } as const;
  assertEquals(check({ tracked: fault }), ["artifacts.index_invalid null"]);
  const contents = new Map(facts.contents)
    .set(".dvmrc", { ok: false, reason: "it is a symbolic link" });
  assertEquals(check({ contents }), ["runtime.unpinned .dvmrc"]);
});

Deno.test(
  "RUNTIME wants what it reads as text or as YAML, and scripts that say something",
  PURE,
  () => {
    const policy = makePolicy();
    const wanted = (path: string): unknown[] => [
      RUNTIME.wantsContent(path, policy),
      RUNTIME.wantsYaml(path, policy),
      RUNTIME.contentMarker?.(path, policy),
    ];
    assertEquals(wanted("README.md"), [false, false, null]);
    assertEquals(wanted(".nvmrc"), [true, false, null]);
    assertEquals(wanted(CI), [false, true, null]);
    assertEquals(wanted("a.py"), [true, false, "# /// script"]);
    // This one is read as two things.
    assertEquals(wanted("setup.py"), [true, false, null]);
  },
);

Deno.test("RUNTIME takes three bytes for a byte order mark, and no others", PURE, () => {
  const text = new TextEncoder().encode('{"engines": {"node": ">=20"}}');
  const find = (...start: readonly number[]): number =>
    checkFiles({ "package.json": Uint8Array.of(...start, ...text) }, makePolicy({ node: ">=20" }))
      .length;
  assertEquals(find(), 0);
  assertEquals(find(0xef, 0xbb, 0xbf), 0);
  assertEquals(find(0xef, 0xbb, 0xbc), 1);
  assertEquals(find(0xef, 0xb0, 0xbf), 1);
  assertEquals(find(0xe2, 0xbb, 0xbf), 1);
});

Deno.test("RUNTIME reads a script in any encoding that holds ASCII", PURE, () => {
  const script = (range: string): Uint8Array =>
    Uint8Array.of(
      ...[0x23, 0xe9, 0x0a],
      ...new TextEncoder().encode(`# /// script\n# requires-python = "${range}"\n# ///\n`),
    );
  const policy = makePolicy({ python: ">=3.11,<3.13" });
  assertEquals(checkFiles({ "a.py": script(">=3.11,<3.13") }, policy), []);
  assertEquals(checkFiles({ "a.py": script(">=3.8") }, policy).length, 1);
});

Deno.test("RUNTIME does not look into submodules", PURE, () => {
  const policy = makePolicy();
  const facts: RepositoryFacts = {
    ...makeFacts({}, policy),
    tracked: [{ path: "Dockerfile", kind: "submodule" }],
  };
  assertEquals(
    RUNTIME.check(facts, policy).map(({ code }) => code),
    ["runtime.undeclared", "runtime.undeclared"],
  );
});

Deno.test("RUNTIME finds a runtime that the policy names and nothing declares", PURE, () => {
  const python = makePolicy({ python: ">=3.11,<3.13" });
  assertEquals(checkFiles({ "README.md": "Python 3.12" }, python), [
    'runtime.undeclared null:null:null the policy names python ">=3.11,<3.13", and no tracked file ' +
    "declares one",
  ]);
  assertEquals(checkFiles({ ".python-version": "3.12\n" }, python), []);
  const both = makePolicy({ python: ">=3.11,<3.13", node: ">=20" });
  assertEquals(checkFiles({ ".nvmrc": "22" }, both).map((line) => line.slice(0, 55)), [
    "runtime.undeclared null:null:null the policy names pyth",
  ]);
  // A Node says nothing of a Python, and one that cannot be read may.
  assertEquals(checkFiles({ ".nvmrc": "22" }, python).length, 1);
  assertEquals(checkFiles({ "pyproject.toml": "[" }, python).map((line) => line.split(" ")[0]), [
    "runtime.unpinned",
  ]);
  // The Deno that runs the guard is one.
  assertEquals(checkFiles({}, makePolicy({ deno: ">=2.8.2 <2.10.0" })), []);
});

Deno.test("RUNTIME says what to write instead", PURE, () => {
  const policy = makePolicy({ node: ">=20" });
  const hints = (files: Files): (string | null)[] =>
    RUNTIME.check(makeFacts(files, policy), policy).map((finding) => finding.hint);
  assertEquals(hints({ ".nvmrc": "18" }), ["write a version or a range inside >=20"]);
  assertEquals(hints({ "Dockerfile": "FROM ${X}\nFROM node:22" }), [
    "write the image's name and version out",
  ]);
  assertEquals(hints({ ".nvmrc": "latest" }), ["write a version or a range inside >=20"]);
  assertEquals(hints({ [CI]: setup(NODE, "node-version: 18.10") }), [
    "Put the version between quotation marks and keep it inside >=20",
  ]);
  assertEquals(hints({}), [
    "declare a version inside >=20 where the project's tools look for it, or take node out of " +
    "the policy's runtime",
  ]);
});

Deno.test("RUNTIME shows nothing of a repository that a terminal could act on", PURE, () => {
  const evil = "\u001b[2J\u202e\u0007";
  const found = checkFiles({
    ".nvmrc": evil,
    ".dvmrc": `\u009b${evil}`,
    "Dockerfile": `FROM node:${evil}\nFROM \${${evil}}\n`,
    "package.json": `{"engines": {"node": "${JSON.stringify(evil).slice(1, -1)}"}}`,
    "pyproject.toml": `[project]\nrequires-python = "\\u202e"\n`,
    "action.yml": `a: "${evil}\n`,
    ".github/workflows/a.yml": 'jobs: {a: {container: "node:\\e[2J${{ x\\u202e }}"}}\n',
    ".github/workflows/b.yml": '"\\e[2J": 1\n"\\e[2J": 1\n',
  });
  assertEquals(found.length, 9);
  for (const line of found) {
    assertEquals(/[\p{Cc}\p{Cf}]/u.test(line), false, JSON.stringify(line));
  }
});

Deno.test("RUNTIME cuts what is too long to show", PURE, () => {
  const [found = ""] = checkFiles(
    { ".nvmrc": "x".repeat(100_000) },
    makePolicy({ node: ">=20" }),
  );
  assertStringIncludes(found, `.nvmrc "${"x".repeat(120)}…" does not pin node`);
});

Deno.test("RUNTIME refuses a range of the policy that it cannot read", PURE, () => {
  const policy = makePolicy({ node: ">=99999999999999999999" });
  const error = assertThrows(() => RUNTIME.check(makeFacts({}, policy), policy), KprovError);
  assertEquals(error.code, "policy");
  assertStringIncludes(error.message, 'range ">=99999999999999999999" for node');
});

Deno.test("RUNTIME has an answer to whatever a file holds", PURE, () => {
  const word = fc.oneof(
    fc.constantFrom(
      ..."FROM COPY RUN ARG ONBUILD AS --from= --mount=from= node:20 $ ${ } \\\n \n <<EOF \" ' # ="
        .split(" "),
      ..."jobs: steps: - uses: actions/setup-node@v4 with: node-version: ${{ matrix.a }} env: "
        .split(" "),
      ..."strategy: matrix: include: exclude: container: services: [ ] { } & * | > ? : ,".split(
        " ",
      ),
      ..."engines node [project] requires-python >=3.11 ~= ^ || - 1 1.2 1.2.3 x \u0000 \ud800"
        .split(" "),
      "\n  ",
      "\n    ",
      "\n      - ",
    ),
    fc.string({ maxLength: 5 }),
  );
  const text = fc.tuple(fc.array(word, { maxLength: 25 }), fc.constantFrom("", " ", "\n"))
    .map(([words, separator]) => words.join(separator));
  fc.assert(
    fc.property(text, (content) => {
      const files = Object.fromEntries(Object.keys(CLEAN).map((path) => [path, content]));
      const found = checkFiles(files);
      assertEquals(found, checkFiles(files));
      assert(found.length > 0, "an empty .nvmrc alone is a finding");
    }),
    { numRuns: 100 },
  );
});
