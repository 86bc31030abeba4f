import { listDemands } from "../../../src/guards/parity/coverage.ts";
import { parseGate } from "../../../src/guards/parity/gate.ts";
import type { Policy, RuntimePolicy } from "../../../src/guards/policy.ts";
import { assertEquals } from "../../assert.ts";
import { check, CI, PURE } from "./parity_facts.ts";

Deno.test("listDemands() knows which runtimes a command uses", PURE, () => {
  const runtime: RuntimePolicy = { deno: "2.9.x", python: "==3.12.*", node: "22.x" };
  const used = (command: string, policy: RuntimePolicy = runtime): string =>
    listDemands(parseGate(command), { schema: "kprovengine.policy.v1", runtime: policy })
      .map(({ runtime }) => runtime).join(" ");
  const cases: readonly (readonly [string, string])[] = [
    ["deno task check", "deno"],
    ["pytest", "python"],
    ["python3.12 -m pytest", "python"],
    ["uv run acme", "python"],
    ["tox", "python"],
    ["npm test", "node"],
    ["npx eslint . && pytest", "node python"],
    ["bun run test", ""],
    ["cargo test", ""],
    ["make check", "deno node python"],
    ["./scripts/check", "deno node python"],
    ["pytest && make check", "deno node python"],
    ["timeout 60 pytest", "python"],
    [".venv/bin/pytest", "python"],
  ];
  for (const [command, expected] of cases) {
    assertEquals(used(command), expected.split(" ").toSorted().join(" "), command);
  }
  assertEquals(used("deno lint", {}), "deno");
  assertEquals(used("make check", { node: "22.x" }), "node");
  assertEquals(used("make check", {}), "");
});

/** What the guard finds in a job with some steps before the command, and a matrix. */
function findUncovered(
  command: string,
  runtime: RuntimePolicy,
  matrix: string,
  steps: string,
  files: Readonly<Record<string, string>> = {},
): string[] {
  const policy: Policy = {
    schema: "kprovengine.policy.v1",
    runtime,
    parity: { workflow: CI, command },
  };
  const text = `on: [push, pull_request]
jobs:
  a:
    runs-on: ubuntu-latest
    strategy: { matrix: { v: ${matrix} } }
    steps:
${steps}      - run: ${command}
`;
  return check({ [CI]: text, ...files }, policy).map(({ code, message }) =>
    `${code.replace("parity.", "")}: ${message}`
  );
}

const PYTHON: RuntimePolicy = { python: ">=3.11 <3.13" };
const setup = (action: string, input: string): string =>
  `      - uses: ${action}\n        with: { ${input} }\n`;
const SETUP_PYTHON = setup("actions/setup-python@v5", "python-version: '${{ matrix.v }}'");

Deno.test("PARITY asks for every minor version of Python", PURE, () => {
  assertEquals(findUncovered("pytest", PYTHON, "['3.11', '3.12']", SETUP_PYTHON), []);
  assertEquals(findUncovered("pytest", PYTHON, "['3.12']", SETUP_PYTHON), [
    'uncovered_version: "pytest" runs on no Python that is surely 3.11, which ">=3.11 <3.13" supports',
  ]);
  assertEquals(findUncovered("pytest", PYTHON, "['3.x']", SETUP_PYTHON), [
    'uncovered_version: "pytest" runs on no Python that is surely 3.11 or 3.12, which ' +
    '">=3.11 <3.13" supports',
  ]);
  assertEquals(findUncovered("pytest", PYTHON, "['3.11', '3.12']", "").length, 1);
  assertEquals(findUncovered("pytest", { python: ">=3.11" }, "['3.12']", SETUP_PYTHON), [
    'uncovered_version: no list of versions covers the range ">=3.11": it has no upper bound',
  ]);
});

Deno.test("PARITY asks for every major version of Node", PURE, () => {
  const node: RuntimePolicy = { node: "^20 || ^22" };
  const step = setup("actions/setup-node@v4", "node-version: '${{ matrix.v }}'");
  assertEquals(findUncovered("npm test", node, "[20.x, 22]", step), []);
  assertEquals(findUncovered("npm test", node, "[22.11.0]", step), [
    'uncovered_version: "npm test" runs on no Node that is surely 20, which "^20 || ^22" supports',
  ]);
});

Deno.test("PARITY asks for no runtime that the command does not use", PURE, () => {
  const deno: RuntimePolicy = { deno: ">=2.8.2 <2.10.0" };
  for (const command of ["pytest", "bun run test", "npm test", "cargo test"]) {
    assertEquals(findUncovered(command, deno, "[1]", ""), [], command);
  }
  assertEquals(findUncovered("make check", deno, "[1]", "").length, 1);
});

Deno.test("PARITY knows the ways in which a Python is set up", PURE, () => {
  const both = "['3.11', '3.12']";
  const ways: readonly (readonly [string, Readonly<Record<string, string>>?])[] = [
    [setup("astral-sh/setup-uv@v5", "python-version: '${{ matrix.v }}'")],
    ["      - run: uv python pin ${{ matrix.v }}\n"],
    [SETUP_PYTHON.replace("'${{ matrix.v }}'", "\"${{ format('{0}', matrix.v) }}\"")],
  ];
  for (const [steps] of ways) assertEquals(findUncovered("uv run pytest", PYTHON, both, steps), []);
  const only = { python: "==3.12.*" };
  const file = setup("actions/setup-python@v5", "python-version-file: .python-version");
  assertEquals(findUncovered("pytest", only, "[1]", file, { ".python-version": "3.12\n" }), []);
  assertEquals(
    findUncovered("pytest", only, "[1]", file, { ".python-version": "3.13\n" }).length,
    1,
  );
  const silent = "      - uses: actions/setup-python@v5\n";
  assertEquals(findUncovered("pytest", only, "[1]", silent, { ".python-version": "3.12\n" }), []);
  const range = setup("actions/setup-python@v5", "python-version-file: pyproject.toml");
  const project = { "pyproject.toml": '[project]\nrequires-python = ">=3.12,<3.13"\n' };
  assertEquals(findUncovered("pytest", only, "[1]", range, project), []);
});

Deno.test("PARITY knows which Python uv runs", PURE, () => {
  const both = "['3.11', '3.12']";
  const uv = (steps: string, files = {}, runtime = PYTHON, command = "uv run pytest"): number =>
    findUncovered(command, runtime, both, steps, files).length;
  const only = { python: "==3.12.*" };
  const file = { ".python-version": "3.12\n" };
  const setupUv = "      - uses: astral-sh/setup-uv@v5\n";
  assertEquals(uv("      - run: uv python install ${{ matrix.v }}\n"), 0);
  assertEquals(uv("      - run: uv python install 3.11 3.12\n"), 1);
  assertEquals(uv("      - run: uv sync --python ${{ matrix.v }}\n"), 0);
  assertEquals(uv("      - run: uv python install 3.12 3.12\n", {}, only), 0);
  assertEquals(uv("      - run: uv python install 3.12 3.13\n", {}, only), 1);
  // What is pinned is what runs, whatever else is installed.
  assertEquals(uv("      - run: uv python install 3.13 && uv python pin 3.12\n", {}, only), 0);
  assertEquals(uv("      - run: uv python pin 3.13 && uv python install 3.12\n", {}, only), 1);
  assertEquals(uv(setupUv, file, only), 0);
  assertEquals(uv(setupUv, file, only, "make check"), 0);
  assertEquals(uv(setupUv, {}, only), 1);
  assertEquals(uv(setupUv, {}, only, "uv run --python 3.12 pytest"), 0);
  // What only the run knows replaces what was known before.
  assertEquals(uv("      - run: uv python pin ${{ vars.V }}\n", file, only), 1);
  // What another tool installs is not what uv runs.
  assertEquals(uv("      - run: uv python pin 3.12 && pyenv install 3.9\n", {}, only), 0);
  assertEquals(uv("      - run: uv python install 3.12 && pyenv install 3.9\n", {}, only), 0);
  assertEquals(uv("      - run: uv sync --python ${{ vars.V }}\n", file, only), 1);
  assertEquals(uv("      - run: echo ${{ vars.V }}\n", file, only), 0);
  // uv reads the file, whichever Python another action brings.
  assertEquals(uv(SETUP_PYTHON, file), 1);
  assertEquals(uv(SETUP_PYTHON, file, PYTHON, "pytest"), 0);
  const told = setup("Astral-sh/setup-uv@v5", "python-version: '${{ matrix.v }}'");
  assertEquals(uv(told, file), 0);
  // What other tools install is not what uv or the path finds.
  const beside = "      - run: pipx install --python 3.8 ruff\n";
  assertEquals(uv(SETUP_PYTHON + beside, {}, PYTHON, "pytest"), 0);
  const command = "uv tool install --python 3.8 ruff && uv run pytest";
  assertEquals(uv(SETUP_PYTHON, {}, PYTHON, command), 0);
});

Deno.test("PARITY knows the Python that uv is told of by a variable", PURE, () => {
  const policy: Policy = {
    schema: "kprovengine.policy.v1",
    runtime: { python: "==3.12.*" },
    parity: { workflow: CI, command: "uv run pytest" },
  };
  const text = (version: string): string =>
    `on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    env: { UV_PYTHON: "${version}" }\n    steps:\n      - run: uv run pytest\n`;
  assertEquals(check(text("3.12"), policy), []);
  assertEquals(check(text("3.13"), policy).length, 1);
  assertEquals(check(text(""), policy).length, 1);
  const node = setup("actions/setup-node@v4", "node-version: 22");
  const python = setup("actions/setup-python@v5", "python-version: '3.12'");
  const both = "uv run pytest && npm test";
  const set = (version: string): number =>
    check(
      text(version).replace("      - run: uv run pytest", `${node}${python}      - run: ${both}`),
      {
        ...policy,
        runtime: { python: "==3.12.*", node: "22.x" },
        parity: { workflow: CI, command: both },
      },
    ).length;
  assertEquals([set("3.12"), set(""), set("3.13")], [0, 0, 1]);
});

Deno.test("PARITY does not know a Deno that only the run knows", PURE, () => {
  const deno: RuntimePolicy = { deno: "2.9.x" };
  const step = setup("denoland/setup-deno@v2", "deno-version: v2.9.x");
  const install = (version: string): string => `      - run: npm install -g deno@${version}\n`;
  const find = (steps: string): number => findUncovered("deno lint", deno, "[1]", steps).length;
  assertEquals([find(step), find(install("2.9.6")), find(install("2.8.2"))], [0, 0, 1]);
  assertEquals(find(step + install("${{ vars.V }}")), 1);
  assertEquals(find(`${step}      - run: echo \${{ vars.V }}\n`), 0);
  // Its version says nothing of Node.
  const node = setup("actions/setup-node@v4", "node-version: 22");
  assertEquals(findUncovered("npm test", { node: "22.x" }, "[1]", node + install("2.9.6")), []);
});

Deno.test(
  "PARITY counts what is set up before the command alone, and for its runtime",
  PURE,
  () => {
    const only: RuntimePolicy = { python: "==3.12.*" };
    const policy: Policy = {
      schema: "kprovengine.policy.v1",
      runtime: only,
      parity: { workflow: CI, command: "pytest" },
    };
    const python = setup("actions/setup-python@v5", "python-version: '3.12'");
    const node = setup("actions/setup-node@v4", "node-version: 22");
    const find = (before: string, after = "", job = ""): number =>
      check(
        `on: [push, pull_request]
jobs:
  a:
    runs-on: ubuntu-latest
${job}    steps:
${before}      - run: pytest
${after}`,
        policy,
      ).length;
    assertEquals([find(python), find(""), find("", python), find(node)], [0, 1, 1, 1]);
    assertEquals([find(python + node), find(node + python, node)], [0, 0]);
    const inside = (image: string): number => find("", "", `    container: ${image}\n`);
    assertEquals(["python:3.12-slim", "python:3.13", "node:3.12", "'${{ vars.X }}'"].map(inside), [
      ...[0, 1, 1, 1],
    ]);
    assertEquals(find("", "", "    container: { image: python:3.12 }\n"), 0);
    assertEquals(inside("'python:3.12-${{ vars.X }}'"), 1);
    assertEquals(inside("'python:3.1${{ vars.X }}'"), 1);
  },
);
