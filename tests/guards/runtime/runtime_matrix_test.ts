import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { CI, job, NODE, setup } from "../workflow_text.ts";
import { assertCases, checkDeclared } from "./runtime_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

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

Deno.test(
  "runtime leaves out what exclude names whole, and nothing that differs in a part",
  PURE,
  () => {
    const excluding = (entry: string, axis: string): string =>
      matrix(
        `        env: [${axis}]\n        exclude: [{env: ${entry}}]\n`,
        `node-version: \${{ matrix.env${axis.startsWith("[") ? "[0]" : ".node"} }}`,
      );
    const bad = ["out_of_range"], good: string[] = [];
    const cases: readonly (readonly [entry: string, axis: string, found: readonly string[]])[] = [
      ["{node: 18}", "{node: 18}, {node: 20}", good],
      ["{node: 18, os: a}", "{os: a, node: 18}, {node: 20}", good],
      ["{node: 18, os: b}", "{node: 18, os: a}, {node: 20}", bad],
      ["{node: 18}", "{node: 18, os: a}, {node: 20}", bad],
      ["{node: 18, os: a}", "{node: 18}, {node: 20}", bad],
      ["{node: 18, arch: a}", "{node: 18, os: a}, {node: 20}", bad],
      ["[18, a]", "[18, a], [20, a]", good],
      ["[18]", "[18, a], [20, a]", bad],
      ["[18, b]", "[18, a], [20, a]", bad],
      ["{node: [18]}", "[18], [20]", bad],
    ];
    for (const [entry, axis, expected] of cases) {
      const found = checkDeclared({ [CI]: excluding(entry, axis) });
      const codes = found.map((line) => line.split(" ", 1)[0]?.replace("runtime.", ""));
      assertEquals(codes, [...expected], `${axis} without ${entry}`);
    }
  },
);

Deno.test("runtime takes a variable from the nearest env that can hold it", PURE, () => {
  const text = (env: string): string =>
    job(`    env: {NODE: "20"}\n    steps:\n      - uses: actions/setup-node@v4
${env}        with: {node-version: "\${{ env.NODE }}"}\n`);
  const find = (env: string): readonly (string | undefined)[] =>
    checkDeclared({ [CI]: text(env) }).map((line) => line.split(" ", 1)[0]);
  assertEquals(find(""), []);
  assertEquals(find("        env:\n"), []);
  assertEquals(find("        env: {OTHER: 18}\n"), []);
  assertEquals(find("        env: {NODE: 18}\n"), ["runtime.out_of_range"]);
  assertEquals(find("        env: {NODE: [18]}\n"), ["runtime.unpinned"]);
  assertEquals(find("        env: ${{ fromJSON(vars.ENV) }}\n"), ["runtime.unpinned"]);
});

Deno.test("runtime puts together text and expressions", PURE, () => {
  const lines = "        major: [18, 20]\n";
  assertCases([
    [CI, matrix(lines, "node-version: ${{ matrix.major }}.x"), ["out_of_range 11:25"]],
    [CI, matrix(lines, "node-version: ${{matrix.major}}.x"), ["out_of_range 11:25"]],
    [CI, matrix(lines, "node-version: v${{ matrix.major }}.1.${{ '0' }}"), ["out_of_range 11:25"]],
  ]);
  assertStringIncludes(
    checkDeclared({ [CI]: matrix(lines, "node-version: ${{ '}}''' }}") }).join("\n"),
    `"}}'" does not pin node: it is a name and not a version`,
  );
});

Deno.test("runtime finds expressions that only the run can decide", PURE, () => {
  const cases: [string, string][] = [
    ["        node: ${{ fromJSON(needs.x.outputs.y) }}\n", "node-version: ${{ matrix.node }}"],
    ['        node: ["${{ inputs.node }}"]\n', "node-version: ${{ matrix.node }}"],
    ["        node: [20]\n", "node-version: ${{ inputs.node }}"],
    ["        node: [20]\n", "node-version: ${{ vars.NODE || '20' }}"],
    ["        node: [20]\n", "node-version: ${{ matrix.node[0] }}"],
    ["        node: [20]\n", "node-version: ${{ vars.NODE }}"],
    ["        node: [20]\n", "node-version: ${{ matrix.node"],
    [
      "        node: [20]\n        include: ${{ fromJSON(x) }}\n",
      "node-version: ${{ matrix.node }}",
    ],
    [
      '        include: [{node: 20}, "${{ fromJSON(x) }}"]\n',
      "node-version: ${{ matrix.node }}",
    ],
  ];
  for (const [lines, input] of cases) {
    const found = checkDeclared({ [CI]: matrix(lines, input) });
    assertEquals(found.length, 1, `${lines}${input}`);
    assertStringIncludes(found[0] ?? "", "runtime.unpinned");
    assertStringIncludes(found[0] ?? "", "is known only at run time");
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
  const found = checkDeclared({ [CI]: matrix(lines) });
  assertStringIncludes(found.join("\n"), "runtime.unpinned");
});

Deno.test("runtime bounds what expressions and steps cost over a matrix", PURE, () => {
  const axis = (name: string): string =>
    `        ${name}: [${Array.from({ length: 30 }, (_, i) => i + 20).join(", ")}]\n`;
  const long = `node-version: \${{ matrix.node }}${"x".repeat(2000)}`;
  assertStringIncludes(
    checkDeclared({ [CI]: matrix(axis("node"), long) }).join("\n"),
    "its expressions are too long",
  );
  const text = matrix(axis("node") + axis("other"));
  const step = text.slice(text.indexOf("      - uses"));
  assertEquals(checkDeclared({ [CI]: text }), []);
  const found = checkDeclared({ [CI]: text + step.repeat(200) });
  assertEquals(found.length, 201);
  assertStringIncludes(found[0] ?? "", "is known only at run time");
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
