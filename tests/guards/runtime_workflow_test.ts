import { assertEquals, assertStringIncludes } from "../assert.ts";
import { assertCases, type Case, checkFiles } from "./runtime_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };
const CI = ".github/workflows/ci.yml";

/** A workflow with one job; the text is what the job holds, indented by four. */
function job(text: string): string {
  return `on: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n${text}`;
}

/** A workflow whose only step sets up a runtime with one input; the value is at 8:25 and on. */
function setup(action: string, input: string): string {
  return job(`    steps:\n      - uses: ${action}\n        with:\n          ${input}\n`);
}

function caseOf(action: string, input: string, ...findings: string[]): Case {
  return [CI, setup(action, input), findings];
}

const NODE = "actions/setup-node@v4";
const PYTHON = "actions/setup-python@v5";
const DENO = "denoland/setup-deno@v2";

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
    caseOf(NODE, "node-version: 'lts/iron'", "unpinned 8:25"),
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
    caseOf(PYTHON, "python-version: pypy3.11", "unpinned 8:27"),
    caseOf(PYTHON, "python-version: '>=3.11,<3.13'", "unpinned 8:27"),
    caseOf(PYTHON, "Python-Version: 3.9", "out_of_range 8:27"),
    caseOf("Actions/Setup-Python@0123abc", "python-version: 3.9", "out_of_range 8:27"),
    caseOf("actions/setup-java@v4", "java-version: 8"),
  ]);
});

Deno.test("runtime reads each line of setup-python's list", PURE, () => {
  const list = "python-version: |\n            3.11\n            3.12.1\n            pypy3.10\n";
  assertEquals(checkFiles({ [CI]: setup(PYTHON, list) }), [
    `runtime.unpinned ${CI}:8:27 actions/setup-python "pypy3.10" does not pin python: it is a ` +
    "name and not a version",
  ]);
});

Deno.test("runtime says what YAML makes of an unquoted 3.10", PURE, () => {
  assertEquals(checkFiles({ [CI]: setup(PYTHON, "python-version: 3.10") }), [
    `runtime.out_of_range ${CI}:8:27 actions/setup-python declares python "3.1", which is not ` +
    `inside the policy's ">=3.11 <3.13"; YAML reads the number "3.10" as 3.1`,
  ]);
});

Deno.test("runtime finds a setup action without a version", PURE, () => {
  for (const action of [DENO, NODE, PYTHON]) {
    assertCases([
      [CI, job(`    steps:\n      - uses: ${action}\n`), ["unpinned 6:15"]],
      [CI, setup(action, "check-latest: true"), ["unpinned 6:15"]],
    ]);
  }
});

Deno.test("runtime judges a matrix value by value, each at its own place", PURE, () => {
  const text = job(`    strategy:
      matrix:
        python-version: ["3.10", "3.11", 3.12, "3.13"]
        os: [ubuntu-latest, windows-latest]
    steps:
      - uses: actions/checkout@v4
      - name: Set up Python \${{ matrix.python-version }}
        uses: actions/setup-python@v5
        with:
          python-version: \${{ matrix.python-version }}
`);
  assertCases([[CI, text, ["out_of_range 7:26", "out_of_range 7:48"]]]);
});

function matrix(lines: string, input = "node-version: ${{ matrix.node }}"): string {
  const steps = setup(NODE, input).split("\n").slice(4).join("\n");
  return job(`    strategy:\n      matrix:\n${lines}${steps}`);
}

Deno.test("runtime expands a matrix with include and exclude as GitHub does", PURE, () => {
  assertCases([
    // The bad version is left out everywhere.
    [CI, matrix("        node: [18, 20]\n        exclude:\n          - node: 18\n"), []],
    // Left out on one system only.
    [
      CI,
      matrix(
        "        node: [18, 20]\n        os: [a, b]\n        exclude:\n          - {node: 18, os: a}\n",
      ),
      ["out_of_range 7:16"],
    ],
    // A text is not the number.
    [
      CI,
      matrix("        node: [18, 20]\n        exclude:\n          - node: '18'\n"),
      ["out_of_range 7:16"],
    ],
    [
      CI,
      matrix("        node: [20]\n        include:\n          - node: 16\n"),
      ["out_of_range 9:19"],
    ],
    // Added to the combination that it fits.
    [
      CI,
      matrix(
        "        os: [a, b]\n        include:\n          - {os: a, node: 20}\n          - {os: b, node: 18}\n",
      ),
      ["out_of_range 10:27"],
    ],
    // One system is left without a version.
    [
      CI,
      matrix("        os: [a, b]\n        include:\n          - {os: a, node: 20}\n"),
      ["unpinned 13:25"],
    ],
    // What an axis gives stays, with its place.
    [
      CI,
      matrix("        node: [18]\n        include:\n          - {node: 18, os: a}\n"),
      ["out_of_range 7:16"],
    ],
    // A later include replaces what an earlier one added.
    [
      CI,
      matrix("        os: [a]\n        include:\n          - node: 18\n          - node: 20\n"),
      [],
    ],
    [CI, matrix("        include:\n          - node: 20\n          - node: 22\n"), []],
    [
      CI,
      matrix("        include:\n          - node: 18\n          - node: 22\n"),
      ["out_of_range 8:19"],
    ],
  ]);
});

Deno.test("runtime follows matrix values that are objects, in any spelling", PURE, () => {
  const nested = "        env:\n          - {name: x, node: 20}\n          - {name: y, node: 18}\n";
  for (
    const expression of [
      "matrix.env.node",
      "matrix['env'].node",
      "Matrix.Env.NODE",
      "matrix.env['node']",
    ]
  ) {
    assertCases([[CI, matrix(nested, `node-version: \${{ ${expression} }}`), [
      "out_of_range 9:29",
    ]]]);
  }
  assertCases([
    [CI, matrix(nested, "node-version: ${{ matrix.env }}"), ["unpinned 13:25"]],
    [CI, matrix(nested, "node-version: ${{ matrix.env.nope }}"), ["unpinned 13:25"]],
  ]);
});

Deno.test("runtime puts together text and expressions", PURE, () => {
  const lines = "        major: [18, 20]\n";
  assertCases([
    [CI, matrix(lines, "node-version: ${{ matrix.major }}.x"), ["out_of_range 11:25"]],
    [CI, matrix(lines, "node-version: v${{ matrix.major }}.1.${{ '0' }}"), ["out_of_range 11:25"]],
  ]);
  assertStringIncludes(
    checkFiles({ [CI]: matrix(lines, "node-version: ${{ '}}''' }}") }).join("\n"),
    `"}}'" does not pin node: it is a name and not a version`,
  );
});

Deno.test("runtime finds expressions that only the run can decide", PURE, () => {
  const cases: [string, string][] = [
    ["        node: ${{ fromJSON(needs.x.outputs.y) }}\n", "node-version: ${{ matrix.node }}"],
    ['        node: ["${{ inputs.node }}"]\n', "node-version: ${{ matrix.node }}"],
    ["        node: [20]\n", "node-version: ${{ inputs.node }}"],
    ["        node: [20]\n", "node-version: ${{ matrix.node || '20' }}"],
    ["        node: [20]\n", "node-version: ${{ matrix.node[0] }}"],
    ["        node: [20]\n", "node-version: ${{ vars.NODE }}"],
    ["        node: [20]\n", "node-version: ${{ matrix.node"],
    [
      "        node: [20]\n        include: ${{ fromJSON(x) }}\n",
      "node-version: ${{ matrix.node }}",
    ],
  ];
  for (const [lines, input] of cases) {
    const found = checkFiles({ [CI]: matrix(lines, input) });
    assertEquals(found.length, 1, `${lines}${input}`);
    assertStringIncludes(found[0] ?? "", "runtime.unpinned");
    assertStringIncludes(found[0] ?? "", 'only the run knows "${{');
  }
  const whole = job(`    strategy:
      matrix: \${{ fromJSON(inputs.matrix) }}
    steps:
      - uses: ${NODE}
        with:
          node-version: \${{ matrix.node }}
`);
  assertCases([[CI, whole, ["unpinned 10:25"]]]);
});

Deno.test("runtime does not expand a matrix that is too large", PURE, () => {
  const axis = (name: string): string =>
    `        ${name}: [${Array.from({ length: 40 }, (_, i) => i).join(", ")}]\n`;
  const lines = `        node: [20]\n${axis("a")}${axis("b")}`;
  const found = checkFiles({ [CI]: matrix(lines) });
  assertStringIncludes(found.join("\n"), "runtime.unpinned");
});

Deno.test("runtime bounds what expressions and steps cost over a matrix", PURE, () => {
  const axis = (name: string): string =>
    `        ${name}: [${Array.from({ length: 30 }, (_, i) => i + 20).join(", ")}]\n`;
  const long = `node-version: \${{ matrix.node }}${"x".repeat(2000)}`;
  assertStringIncludes(
    checkFiles({ [CI]: matrix(axis("node"), long) }).join("\n"),
    "its expressions are too long",
  );
  const text = matrix(axis("node") + axis("other"));
  const step = text.slice(text.indexOf("      - uses"));
  assertEquals(checkFiles({ [CI]: text }), []);
  const found = checkFiles({ [CI]: text + step.repeat(200) });
  assertEquals(found.length, 201);
  assertStringIncludes(found[0] ?? "", "only the run knows");
});

Deno.test("runtime resolves env from the step, the job and the workflow", PURE, () => {
  const workflow = (top: string, middle: string, inner: string): string =>
    `on: push
env: {${top}}
jobs:
  test:
    env: {${middle}}
    steps:
      - uses: ${NODE}
        env: {${inner}}
        with:
          node-version: \${{ env.NODE }}
`;
  assertCases([
    [CI, workflow("NODE: 20", "", ""), []],
    [CI, workflow("NODE: 18", "", ""), ["out_of_range 2:13"]],
    [CI, workflow("NODE: 18", "NODE: 20", ""), []],
    [CI, workflow("NODE: 18", "NODE: 20", "NODE: 16"), ["out_of_range 8:21"]],
    [CI, workflow("NODE: 18", "NODE: '${{ env.X }}'", ""), ["unpinned 5:17"]],
    [CI, workflow("V: 18", "NODE: '${{ env.V }}'", ""), ["out_of_range 2:10"]],
    [CI, workflow("", "NODE: '${{ inputs.x }}'", ""), ["unpinned 5:17"]],
    [CI, workflow("node: 20", "", ""), ["unpinned 10:25"]],
  ]);
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
  assertEquals(checkFiles(files(".nvmrc")), []);
  assertEquals(checkFiles(files("./.nvmrc")), []);
  assertEquals(checkFiles(files("app/package.json")), []);
  for (const file of ["package.json", ".node-version", "${{ inputs.file }}"]) {
    const [found = "", ...more] = checkFiles(files(file));
    assertStringIncludes(found, `runtime.unpinned ${CI}:8:30 actions/setup-node`);
    assertEquals(more, []);
  }
  assertEquals(checkFiles({ ...files(".nvmrc"), ".nvmrc": "18" }), [
    'runtime.out_of_range .nvmrc:1:1 .nvmrc declares node "18", which is not inside the ' +
    'policy\'s ">=20"',
  ]);
});

Deno.test("runtime knows that setup-python reads .python-version by itself", PURE, () => {
  const text = job(`    steps:\n      - uses: ${PYTHON}\n`);
  assertEquals(checkFiles({ [CI]: text, ".python-version": "3.12\n" }), []);
  assertEquals(checkFiles({ [CI]: text, "sub/.python-version": "3.12\n" }).length, 1);
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
