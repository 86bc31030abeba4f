import { assertEquals } from "../../assert.ts";
import { CI, DENO } from "../workflow_text.ts";
import { checkDeclared } from "./runtime_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const CALLED = ".github/workflows/called.yml";
const ACTION = ".github/actions/setup/action.yml";

/** A workflow whose job sets Deno up by an expression. */
function deno(version: string, job = ""): string {
  return `on: push
jobs:
  a:
    runs-on: ubuntu-latest
${job}    steps:
      - uses: ${DENO}
        with:
          deno-version: ${version}
`;
}

/** A reusable workflow that sets Deno up as its input says. */
function called(input = "{ type: string, required: true }", on = "workflow_call:"): string {
  return `on:
  ${on}
    inputs:
      v: ${input}
${deno("${{ inputs.v }}").slice("on: push\n".length)}`;
}

/** A workflow that calls another with an input, from a job with a matrix. */
function caller(given: string, path = CALLED, matrix = "[2.9.6]"): string {
  return `on: push
jobs:
  a:
    strategy: { matrix: { v: ${matrix} } }
    uses: ./${path}
    with: { ${given} }
`;
}

/** A composite action that sets Deno up as its input says. */
function action(input: string): string {
  return `inputs:
  v: ${input}
runs:
  using: composite
  steps:
    - uses: ${DENO}
      with: { deno-version: "\${{ inputs.v }}" }
`;
}

/** A workflow that uses the composite action. */
function user(given: string): string {
  return `on: push
jobs:
  a:
    runs-on: ubuntu-latest
    strategy: { matrix: { v: [2.9.6, 1.46.0] } }
    steps:
      - uses: ./.github/actions/setup
        with: { ${given} }
`;
}

function find(files: Readonly<Record<string, string>>): string[] {
  return checkDeclared(files).map((line) => line.split(" ", 2).join(" ").replace("runtime.", ""));
}

Deno.test("runtime judges an input by what the caller gives, at its place", PURE, () => {
  const yes = { [CI]: caller("v: 2.9.6"), [CALLED]: called() };
  assertEquals(find(yes), []);
  assertEquals(find({ ...yes, [CI]: caller("v: '${{ matrix.v }}'") }), []);
  assertEquals(find({ ...yes, [CI]: caller("v: 1.46.0") }), [`out_of_range ${CI}:6:16`]);
  assertEquals(
    find({ ...yes, [CI]: caller("v: '${{ matrix.v }}'", CALLED, "[2.9.6, 1.46.0, 1.45.5]") }),
    [`out_of_range ${CI}:4:38`, `out_of_range ${CI}:4:46`],
  );
  assertEquals(find({ ...yes, [CI]: caller("V: '${{ vars.X }}'") }), [`unpinned ${CI}:6:16`]);
  // Every caller counts.
  const other = ".github/workflows/other.yml";
  assertEquals(find({ ...yes, [other]: caller("v: 1.46.0") }), [`out_of_range ${other}:6:16`]);
});

Deno.test("runtime judges an input's default where nothing is given", PURE, () => {
  const declared = "{ type: string, default: 2.9.6 }";
  assertEquals(find({ [CALLED]: called(declared) }), []);
  assertEquals(find({ [CI]: caller("other: 1"), [CALLED]: called(declared) }), []);
  assertEquals(find({ [CALLED]: called("{ type: string, default: 1.46.0 }") }), [
    `out_of_range ${CALLED}:4:35`,
  ]);
  assertEquals(find({ [CALLED]: called(declared, "workflow_dispatch:") }), []);
  assertEquals(find({ [CALLED]: called() }), [`unpinned ${CALLED}:11:25`]);
  // A default that a caller replaces says nothing.
  const outside = called("{ type: string, default: 1.46.0 }");
  assertEquals(find({ [CI]: caller("v: 2.9.6"), [CALLED]: outside }), []);
});

Deno.test("runtime judges the inputs of composite actions", PURE, () => {
  assertEquals(find({ [ACTION]: action("{ default: 2.9.6 }") }), []);
  assertEquals(find({ [ACTION]: action("{ default: 1.46.0 }") }), [`out_of_range ${ACTION}:2:17`]);
  assertEquals(find({ [ACTION]: action("{ required: true }") }), [`unpinned ${ACTION}:7:29`]);
  const declared = action("{ required: true }");
  assertEquals(find({ [CI]: user("v: 2.9.6"), [ACTION]: declared }), []);
  assertEquals(find({ [CI]: user("v: '${{ matrix.v }}'"), [ACTION]: declared }), [
    `out_of_range ${CI}:5:38`,
  ]);
  assertEquals(find({ [CI]: user("x: 1"), [ACTION]: declared }), [`unpinned ${ACTION}:7:29`]);
});

Deno.test("runtime reads what calls itself, once", PURE, () => {
  const loop = called("{ type: string, default: 1.46.0 }") +
    `  b:\n    uses: ./${CALLED}\n    with: { v: 2.9.6 }\n`;
  assertEquals(find({ [CALLED]: loop }), [`out_of_range ${CALLED}:4:35`]);
});

Deno.test(
  "runtime reads what starts by itself as well as by a call, and what only calls each other",
  PURE,
  () => {
    const both = called("{ type: string, default: 1.46.0 }", "push:\n  workflow_call:");
    assertEquals(find({ [CI]: caller("v: 2.9.6"), [CALLED]: both }), [
      `out_of_range ${CALLED}:5:35`,
    ]);
    const other = ".github/workflows/other.yml";
    const circle = (path: string): string =>
      `on: workflow_call\njobs:\n  a:\n    uses: ./${path}\n  b:\n    container: denoland/deno:1.46.0\n`;
    assertEquals(find({ [CALLED]: circle(other), [other]: circle(CALLED) }), [
      `out_of_range ${CALLED}:6:16`,
      `out_of_range ${other}:6:16`,
    ]);
  },
);

/** Ways to write the version, and whether it is decided to be one inside the range. */
const WRITTEN: readonly (readonly [version: string, codes: readonly string[], job?: string])[] = [
  ["${{ matrix.deno || '2.9.6' }}", []],
  ["${{ matrix.deno || '2.9.6' }}", [], "    strategy: { matrix: { deno: [2.8.3] } }\n"],
  ["${{ matrix.deno || '1.46.0' }}", ["out_of_range"]],
  ["${{ format('2.{0}.6', 9) }}", []],
  ["${{ format('{0}.x', 1) }}", ["out_of_range"]],
  ['${{ fromJSON(\'{"y": "2.9.6"}\').y }}', []],
  ['${{ fromJson(\'{"y": "2.9.6"}\').y }}', []],
  ["${{ fromJSON(env.X).y }}", [], '    env: { X: \'{"y": "2.9.6"}\' }\n'],
  ["${{ fromJSON(env.X).y }}", ["out_of_range"], '    env: { X: \'{"y": "1.46.0"}\' }\n'],
  ["${{ fromJson(vars.X).y }}", ["unpinned"]],
  ["${{ vars.X || '2.9.6' }}", ["unpinned"]],
  ["${{ github.event_name == 'push' && '2.9.6' || '2.8.3' }}", ["unpinned"]],
  ["${{ true && '2.9.6' || '1.46.0' }}", []],
  [
    "${{ matrix.d }}",
    [],
    '    strategy: { matrix: { d: "${{ fromJSON(\'[\\"2.9.6\\"]\') }}" } }\n',
  ],
  [
    "${{ matrix.d }}",
    ["out_of_range"],
    '    strategy: { matrix: "${{ fromJSON(\'{\\"d\\": [\\"2.9.6\\", \\"1.46.0\\"]}\') }}" }\n',
  ],
];

for (const [version, codes, job] of WRITTEN) {
  Deno.test(
    `runtime decides ${version} to be ${codes.join() || "inside"}: ${job?.trim() ?? ""}`,
    PURE,
    () => {
      const found = find({
        [CI]: deno(version.includes('"') ? `'${version.replaceAll("'", "''")}'` : version, job),
      });
      assertEquals(found.map((line) => line.split(" ", 1).join()), [...codes]);
    },
  );
}
