import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { caseOf, CI, DENO, job, NODE, PYTHON, setup } from "../workflow_text.ts";
import { assertCases, checkDeclared } from "./runtime_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

Deno.test("runtime judges the version that a setup action asks for", PURE, () => {
  assertCases([
    caseOf(DENO, "deno-version: 2.9.6"),
    caseOf(DENO, "deno-version: v2.8.2"),
    caseOf(DENO, "deno-version: 2.9.x"),
    caseOf(DENO, "deno-version: ~2.9.1"),
    caseOf(DENO, "deno-version: 2.8.1", "out_of_range 8:25"),
    caseOf(DENO, "deno-version: 2.10.0", "out_of_range 8:25"),
    caseOf(DENO, "deno-version: 2.9.6-rc.1", "out_of_range 8:25"),
    caseOf(DENO, "deno-version: v2.x", "out_of_range 8:25"),
    caseOf(DENO, "deno-version: 2.8.x", "out_of_range 8:25"),
    caseOf(DENO, "deno-version: latest", "unpinned 8:25"),
    caseOf(DENO, "deno-version: canary", "unpinned 8:25"),
    caseOf(DENO, "deno-version: rc", "unpinned 8:25"),
    caseOf(DENO, `deno-version: ${"0123456789".repeat(4)}`, "unpinned 8:25"),
    caseOf(DENO, `deno-version: ${"a1b2c3d4e5".repeat(4)}`, "unpinned 8:25"),
    caseOf(NODE, "node-version: 20"),
    caseOf(NODE, "node-version: '20'"),
    caseOf(NODE, "node-version: 22.x"),
    caseOf(NODE, 'node-version: ">=20"'),
    caseOf(NODE, "node-version: 18", "out_of_range 8:25"),
    caseOf(NODE, "node-version: 18.20.4", "out_of_range 8:25"),
    caseOf(NODE, "node-version: '>=18'", "out_of_range 8:25"),
    caseOf(NODE, "node-version: lts/*", "unpinned 8:25"),
    caseOf(NODE, "node-version: 'lts/iron'"),
    caseOf(NODE, "node-version: 'lts/hydrogen'", "out_of_range 8:25"),
    caseOf(NODE, "node-version: node", "unpinned 8:25"),
    caseOf(NODE, "node-version: current", "unpinned 8:25"),
    caseOf(NODE, "node-version: '*'", "unpinned 8:25"),
    caseOf(NODE, "node-version: ''", "unpinned 8:25"),
    caseOf(NODE, "node-version:", "unpinned 8:24"),
    caseOf(NODE, "node-version: [20, 22]", "unpinned 8:25"),
    caseOf(PYTHON, "python-version: '3.12'"),
    caseOf(PYTHON, "python-version: 3.12"),
    caseOf(PYTHON, "python-version: 3.11.9"),
    caseOf(PYTHON, "python-version: 3.12t"),
    caseOf(PYTHON, "python-version: '>=3.11 <3.13'"),
    caseOf(PYTHON, "python-version: '3.13'", "out_of_range 8:27"),
    caseOf(PYTHON, "python-version: 3.x", "out_of_range 8:27"),
    caseOf(PYTHON, "python-version: 3", "out_of_range 8:27"),
    caseOf(PYTHON, "python-version: 3.12.0rc1", "out_of_range 8:27"),
    caseOf(PYTHON, "python-version: 3.12-dev", "unpinned 8:27"),
    caseOf(PYTHON, "python-version: pypy3.11"),
    caseOf(PYTHON, "python-version: '>=3.11,<3.13'"),
    caseOf(PYTHON, "Python-Version: 3.9", "out_of_range 8:27"),
    caseOf("Actions/Setup-Python@0123abc", "python-version: 3.9", "out_of_range 8:27"),
    caseOf("actions/setup-java@v4", "java-version: 8"),
  ]);
});

Deno.test("runtime reads each line of setup-python's list", PURE, () => {
  const list = "python-version: |\n            3.11\n            3.12.1\n            pypy3.10\n";
  assertEquals(checkDeclared({ [CI]: setup(PYTHON, list) }), [
    `runtime.out_of_range ${CI}:8:27 actions/setup-python declares python "pypy3.10", which is ` +
    'not inside the policy\'s ">=3.11 <3.13"',
  ]);
});

Deno.test(
  "runtime takes no list of setup-node's, and no input of an action for one of another",
  PURE,
  () => {
    assertCases([
      // Two lines are one version to setup-node: none is in it.
      caseOf(NODE, 'node-version: "20\\n21"', "unpinned 8:25"),
      caseOf(PYTHON, 'python-version: " 3.12\\n  \\n 3.11 "'),
      caseOf(NODE, "node-version: 20\n          python-version: 3.9"),
      caseOf("someone/setup@v1", "create-args: python=3.9"),
      caseOf("mamba-org/setup-micromamba@v2", "create-args: python=3.9", "out_of_range 8:24"),
      caseOf("someone/setup@v1", "node-version: 18", "out_of_range 8:25"),
      caseOf("someone/setup@v1", "node-version: ${{ inputs.any }}"),
    ]);
    const action =
      "inputs: {node-version: {}}\nruns: {using: composite, steps: [{run: make, shell: sh}]}\n";
    assertEquals(
      checkDeclared({ [CI]: setup("./tool", "node-version: 18"), "tool/action.yml": action }),
      [],
      "what an action of the repository does with its input is known",
    );
  },
);

Deno.test("runtime says where a workflow has more steps than it reads", PURE, () => {
  const numbers = Array.from({ length: 32 }, (_, i) => i).join(", ");
  const matrix = `{a: [${numbers}], b: [${numbers}]}`;
  const more = Array.from({ length: 64 }, (_, i) => `  j${i}: *job\n`).join("");
  const text = `on: push\njobs:\n  j: &job {runs-on: x, strategy: {matrix: ${matrix}}}\n${more}`;
  assertEquals(checkDeclared({ [CI]: text }), [
    `runtime.unpinned ${CI}:null:null it may declare a runtime and cannot be read: it has too ` +
    "many steps",
  ]);
});

Deno.test("runtime says what YAML makes of an unquoted 3.10", PURE, () => {
  assertEquals(checkDeclared({ [CI]: setup(PYTHON, "python-version: 3.10") }), [
    `runtime.out_of_range ${CI}:8:27 actions/setup-python declares python "3.1", which is not ` +
    `inside the policy's ">=3.11 <3.13"; YAML reads the number "3.10" as 3.1`,
  ]);
  // A number that YAML reads as it is written takes no explanation, nor does a text.
  for (const version of ["3.9", "'3.10'"]) {
    const [found = ""] = checkDeclared({ [CI]: setup(PYTHON, `python-version: ${version}`) });
    assertEquals(found.endsWith(`inside the policy's ">=3.11 <3.13"`), true, found);
  }
});

Deno.test("runtime finds a setup action without a version", PURE, () => {
  for (const action of [DENO, NODE, PYTHON]) {
    assertCases([
      [CI, job(`    steps:\n      - uses: ${action}\n`), ["unpinned 6:15"]],
      [CI, setup(action, "check-latest: true"), ["unpinned 6:15"]],
    ]);
  }
});

Deno.test("runtime follows anchors, and leaves merge keys alone as GitHub does", PURE, () => {
  const text = `on: push
jobs:
  a:
    steps: &steps
      - uses: ${NODE}
        with: &node
          node-version: 18
  b:
    steps: *steps
  c:
    steps:
      - uses: ${NODE}
        with: *node
  d:
    steps:
      - uses: ${NODE}
        with:
          <<: *node
`;
  // One place is one finding, however often it is used.
  assertCases([[CI, text, ["out_of_range 7:25", "unpinned 16:15"]]]);
});

Deno.test("runtime reads the images of containers, services and steps", PURE, () => {
  assertCases([
    [CI, job("    container: node:20-alpine\n"), []],
    [CI, job("    container: node:18\n"), ["out_of_range 5:16"]],
    [CI, job("    container:\n      image: python\n"), ["unpinned 6:14"]],
    [CI, job("    container: ubuntu:latest\n"), []],
    [CI, job("    container: ${{ matrix.image }}\n"), []],
    [CI, job("    container: ${{ inputs.image }}\n"), ["unpinned 5:16"]],
    [CI, job("    container: node:${{ inputs.tag }}\n"), ["unpinned 5:16"]],
    [CI, job("    container: postgres:${{ inputs.tag }}\n"), []],
    [CI, job("    services:\n      db:\n        image: postgres\n"), []],
    [CI, job("    services:\n      db: {image: 'denoland/deno:2.7.0'}\n"), ["out_of_range 6:19"]],
    [CI, job("    services: ${{ fromJSON(inputs.x) }}\n"), ["unpinned 5:15"]],
    [CI, job("    steps:\n      - uses: docker://node:18\n"), ["out_of_range 6:15"]],
    [CI, job("    steps:\n      - uses: docker://alpine:3\n"), []],
    [
      CI,
      job(
        "    strategy: {matrix: {v: ['20', '18']}}\n    container: 'node:${{ matrix.v }}-slim'\n",
      ),
      ["out_of_range 6:16"],
    ],
  ]);
});

Deno.test(
  "runtime shows images as they are written, and why they cannot be determined",
  PURE,
  () => {
    const find = (container: string): string => {
      const [found = "", ...more] = checkDeclared({ [CI]: job(`    container: ${container}\n`) });
      assertEquals(more, []);
      return found.slice(found.indexOf("container"));
    };
    assertEquals([find("node"), find("node:${{ inputs.tag }}"), find("docker://node:18")], [
      'container "node" does not pin node: it has no tag',
      'container "node:${{ inputs.tag }}" does not pin node: its tag cannot be determined: ' +
      '"${{ inputs.tag }}" is known only at run time',
      'container declares node "node:18", which is not inside the policy\'s ">=20"',
    ]);
  },
);

Deno.test("runtime reads actions of the repository wherever they stand", PURE, () => {
  const action = (version: string): string =>
    `runs:\n  using: composite\n  steps:\n    - uses: ${NODE}\n      with:\n        node-version: ${version}\n`;
  for (const path of ["action.yml", ".github/actions/setup/action.yaml", "ci/x/action.yml"]) {
    assertCases([
      [path, action("20"), []],
      [path, action("18"), ["out_of_range 6:23"]],
      [path, action("${{ inputs.node }}"), ["unpinned 6:23"]],
      [path, action("${{ matrix.node }}"), ["unpinned 6:23"]],
    ]);
  }
  assertCases([
    ["action.yml", "runs: {using: docker, image: 'docker://node:18'}\n", ["out_of_range 1:30"]],
    ["action.yml", "runs: {using: docker, image: Dockerfile}\n", []],
    ["docs/workflow.yml", setup(NODE, "node-version: 18"), []],
    ["environment.yml", setup(NODE, "node-version: 18"), []],
    [".github/workflows/more/ci.yml", setup(NODE, "node-version: 18"), []],
    ["node_modules/x/action.yml", action("18"), []],
  ]);
});

Deno.test("runtime holds a version file that an action names to its own declarations", PURE, () => {
  const files = (file: string, input = "node-version-file"): Record<string, string> => ({
    [CI]: setup(NODE, `${input}: ${file}`),
    ".nvmrc": "20\n",
    "package.json": '{"engines": {"deno": "2.9.6"}}',
    "app/package.json": '{"engines": {"node": ">=20"}}',
  });
  assertEquals(checkDeclared(files(".nvmrc")), []);
  // A version that stands beside a file counts.
  assertEquals(checkDeclared(files("none\n          node-version: 22")), []);
  assertEquals(checkDeclared(files("./.nvmrc")), []);
  assertEquals(checkDeclared(files("app/package.json")), []);
  assertEquals(checkDeclared(files('" .nvmrc "')), []);
  for (const file of ["package.json", ".node-version", "${{ inputs.file }}"]) {
    const [found = "", ...more] = checkDeclared(files(file));
    assertStringIncludes(found, `runtime.unpinned ${CI}:8:30 actions/setup-node`);
    assertEquals(more, []);
  }
  assertEquals(checkDeclared({ ...files(".nvmrc"), ".nvmrc": "18" }), [
    'runtime.out_of_range .nvmrc:1:1 .nvmrc declares node "18", which is not inside the ' +
    'policy\'s ">=20"',
  ]);
});

Deno.test("runtime knows that setup-python reads .python-version by itself", PURE, () => {
  const text = job(`    steps:\n      - uses: ${PYTHON}\n`);
  assertEquals(checkDeclared({ [CI]: text, ".python-version": "3.12\n" }), []);
  assertEquals(checkDeclared({ [CI]: text, "sub/.python-version": "3.12\n" }).length, 1);
  // An input that is empty says nothing, and what the file says is judged where it stands, once.
  for (const file of ['""', '" "', "${{ matrix.file }}"]) {
    const empty = setup(PYTHON, `python-version-file: ${file}`);
    assertEquals(checkDeclared({ [CI]: empty, ".python-version": "3.12\n" }), [], file);
  }
  assertEquals(checkDeclared({ [CI]: text, ".python-version": "3.9\n" }), [
    'runtime.out_of_range .python-version:1:1 .python-version declares python "3.9", which is ' +
    'not inside the policy\'s ">=3.11 <3.13"',
  ]);
});

Deno.test("runtime passes a workflow as GitHub's starter workflows write it", PURE, () => {
  const text = `# This workflow will install Python dependencies, run tests and lint
name: Python package

on:
  push:
    branches: [ $default-branch ]
  pull_request:
    branches: [ $default-branch ]

jobs:
  build:

    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix:
        python-version: ["3.9", "3.11", "3.12"]

    steps:
    - uses: actions/checkout@v4
    - name: Set up Python \${{ matrix.python-version }}
      uses: actions/setup-python@v3
      with:
        python-version: \${{ matrix.python-version }}
    - name: Lint with flake8
      run: |
        # stop the build if there are Python syntax errors
        flake8 . --count --select=E9,F63,F7,F82 --show-source --statistics
    - uses: actions/setup-node@v4
      if: \${{ matrix.python-version == '3.12' }}
      with:
        node-version: 20.x
        cache: 'npm'
`;
  assertCases([[".github/workflows/python.yaml", text, ["out_of_range 17:26"]]]);
  assertCases([[".github/workflows/python.yaml", text.replace('"3.9", ', ""), []]]);
});
