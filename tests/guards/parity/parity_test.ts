import { KprovError } from "../../../src/base/error.ts";
import { PARITY } from "../../../src/guards/parity/parity.ts";
import type { Policy } from "../../../src/guards/policy.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../../assert.ts";
import {
  change,
  check,
  CI,
  CLEAN,
  codes,
  factsOf,
  POLICY,
  policyFor,
  PURE,
  withScript,
  withStep,
} from "./parity_facts.ts";

Deno.test(
  "PARITY finds nothing in a workflow that is the command on every minor version",
  PURE,
  () => {
    assertEquals(check(CLEAN), []);
    assertEquals(PARITY.isConfigured(POLICY), true);
    assertEquals(PARITY.isConfigured({ schema: "kprovengine.policy.v1" }), false);
  },
);

/** Changes of the clean workflow, each with the one code that it brings. */
const CHANGES: readonly (readonly [string, string, string])[] = [
  ["missing", "the command is another", withScript("deno task build")],
  ["missing", "the command has arguments of its own", withScript("deno task preflight --quick")],
  ["missing", "the command is only echoed", withScript('echo "deno task preflight"')],
  ["missing", "the command is a comment", withScript("# deno task preflight\ntrue")],
  [
    "missing",
    "the command is in a here-document",
    withScript("cat <<EOF\ndeno task preflight\nEOF"),
  ],
  [
    "missing",
    "the script is no shell's",
    withStep("shell: python").replace("run: deno", "run: x deno"),
  ],
  ["missing", "push is not there", change(["  push:\n    branches: [main]\n", ""])],
  ["missing", "pull_request is not there", change(["  pull_request:\n", ""])],
  [
    "missing",
    "the base's own event stands for it",
    change(["pull_request:", "pull_request_target:"]),
  ],
  [
    "missing",
    "a workflow elsewhere is called",
    change([
      CLEAN.slice(CLEAN.indexOf("    runs-on")),
      "    uses: owner/shared/.github/workflows/ci.yml@v1\n",
    ]),
  ],
  ["missing", "a matrix leaves nothing over", change(["deno: [v2.8.x, v2.9.x]", "deno: []"])],
  ["uncovered_version", "a minor version is left out", change(["v2.8.x, v2.9.x", "v2.9.x"])],
  ["uncovered_version", "the version floats", change(["v2.8.x, v2.9.x", "v2.8.x, v2.x"])],
  ["uncovered_version", "a version is below the range", change(["v2.8.x", "2.8.1"])],
  [
    "uncovered_version",
    "nothing sets Deno up",
    change(["denoland/setup-deno@v2", "other/action@v1"]),
  ],
  [
    "swallowed",
    "the matrix leaves the command out for one version",
    withStep(
      "if: matrix.deno == 'v2.9.x'",
    ),
  ],
  [
    "uncovered_version",
    "only the run knows whether another Deno takes its place",
    change([
      "      - run: deno task preflight",
      "      - uses: denoland/setup-deno@v2\n        if: vars.NEXT\n        with: { deno-version: 2.9.x }\n" +
      "      - run: deno task preflight",
    ]),
  ],
  ["extra_gate", "a linter runs beside it", withStep("").trimEnd() + "\n      - run: deno lint\n"],
  [
    "extra_gate",
    "a test runs in another job",
    `${CLEAN}  unit:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm ci && npm test\n`,
  ],
  ["extra_gate", "an action scans", `${CLEAN}      - uses: github/codeql-action/analyze@v3\n`],
  ["extra_gate", "a tool is launched", `${CLEAN}      - run: npx --yes eslint .\n`],
];

for (const [code, what, text] of CHANGES) {
  Deno.test(`PARITY finds ${code} where ${what}`, PURE, () => assertEquals(codes(text), [code]));
}

Deno.test("PARITY judges a called workflow by its caller's condition", PURE, () => {
  const job = CLEAN.slice(CLEAN.indexOf("jobs:"));
  const called = { ".github/workflows/called.yml": `on: workflow_call\n${job}` };
  const caller = (condition: string): string =>
    change([
      CLEAN.slice(CLEAN.indexOf("    runs-on")),
      `    if: ${condition}\n    uses: ./.github/workflows/called.yml\n`,
    ]);
  assertEquals(codes({ [CI]: caller("true"), ...called }), []);
  assertEquals(codes({ [CI]: caller("false"), ...called }), ["swallowed"]);
  assertEquals(codes({ [CI]: caller("true") }), ["missing"]);
  const loop = { ".github/workflows/called.yml": caller("true") };
  assertEquals(codes({ [CI]: caller("true"), ...loop }), ["missing"]);
});

Deno.test(
  "PARITY asks for the workflow, and for what it can call and no package brings",
  PURE,
  () => {
    const wanted = [CI, ".github/workflows/a.yaml", "action.yml", ".github/actions/a/action.yaml"];
    for (const path of wanted) assertEquals(PARITY.wantsYaml(path, POLICY), true, path);
    for (const path of ["a.yml", "node_modules/a/action.yml", ".github/workflows/a/b.yml"]) {
      assertEquals(PARITY.wantsYaml(path, POLICY), false, path);
    }
    assertEquals(PARITY.wantsContent("a/.dvmrc", POLICY), true);
    assertEquals(PARITY.wantsContent(".nvmrc", POLICY), false);
    assertEquals(PARITY.wantsContent("Dockerfile", POLICY), false);
    const without: Policy = { schema: POLICY.schema };
    assertEquals(PARITY.wantsContent("a/.dvmrc", without), false);
    assertEquals(PARITY.wantsYaml(CI, without), false);
  },
);

Deno.test("PARITY refuses a workflow with more steps than anyone judges", PURE, () => {
  const axes = ["a", "b", "c", "d"].map((name) => `        ${name}: [1, 2, 3, 4, 5]\n`).join("");
  const job = `    runs-on: x\n    strategy:\n      matrix:\n${axes}    steps: [${
    "{ run: a }, ".repeat(60)
  }]\n`;
  assertEquals(check(`${CLEAN}  large:\n${job}`).map(({ message }) => message), [
    "it has too many steps to be judged",
  ]);
});

Deno.test("PARITY tells where, what, and what to do", PURE, () => {
  assertEquals(check(withStep("continue-on-error: true")), [{
    code: "parity.swallowed",
    level: "error",
    path: CI,
    line: 23,
    column: 28,
    message: '"continue-on-error" takes its failure away',
    hint: "remove everything that can hide the command's failure",
  }]);
  const [uncovered] = check(change(["v2.8.x, v2.9.x", "v2.9.x"]));
  assertEquals(
    uncovered?.message,
    '"deno task preflight" runs on no Deno that is surely 2.8, which ">=2.8.2 <2.10.0" supports',
  );
  assertEquals([uncovered?.line, uncovered?.column], [22, 14]);
  assertEquals(
    uncovered?.hint,
    "add 2.8.x to the versions that the job sets up, such as in its matrix",
  );
});

Deno.test("PARITY cannot cover a range that has no last minor version", PURE, () => {
  for (const deno of [">=2.8", "^2.8.2", ">=2.8.2 <3.0.0"]) {
    const findings = check(CLEAN, { ...POLICY, runtime: { deno } });
    assertEquals(findings.map(({ code }) => code), ["parity.uncovered_version"], deno);
    assertStringIncludes(findings[0]?.hint ?? "", "upper bound");
  }
});

Deno.test(
  "PARITY takes the built-in range for a command of Deno without a policy's range",
  PURE,
  () => {
    const policy = policyFor("deno task preflight");
    assertEquals(codes(CLEAN, policy), []);
    assertEquals(codes(change(["v2.8.x, v2.9.x", "v2.9.x"]), policy), ["uncovered_version"]);
  },
);

Deno.test("PARITY lets the steps of the policy's preflight stand beside the command", PURE, () => {
  const text = `${CLEAN}      - run: deno lint\n`;
  assertEquals(codes(text, { ...POLICY, preflight: { steps: [["deno", "lint"]] } }), []);
});

Deno.test("PARITY says why a workflow is missing", PURE, () => {
  const messages = [{}, { [CI]: "on: [\n" }, { [CI]: "jobs: 1" }].map((files) =>
    check(files).map(({ code, line, message }) => `${code} ${line} ${message}`)
  );
  assertEquals(messages[0], ["parity.missing null the workflow is not tracked by git"]);
  assertStringIncludes(messages[1]?.[0] ?? "", "the workflow cannot be read: it is not valid YAML");
  assertEquals(messages[2], [
    'parity.missing null no step runs "deno task preflight"',
    "parity.missing 1 it does not run on pull_request",
    "parity.missing 1 it does not run on push",
  ]);
  const facts = { ...factsOf({ [CI]: CLEAN }, POLICY), yaml: new Map() };
  assertEquals(PARITY.check(facts, POLICY).map(({ code }) => code), ["parity.missing"]);
  const tracked = { code: "artifacts.index_invalid", message: "x" } as const;
  assertEquals(PARITY.check({ ...facts, tracked }, POLICY)[0]?.code, "artifacts.index_invalid");
});

Deno.test("PARITY finds missing where GitHub runs no workflow", PURE, () => {
  const at = (workflow: string): readonly string[] =>
    codes({ [workflow]: CLEAN }, {
      ...POLICY,
      parity: { workflow, command: "deno task preflight" },
    });
  assertEquals(at(".github/workflows/check.yaml"), []);
  const others = [
    "ci/check.yml",
    ".github/workflows/sub/check.yml",
    "sub/.github/workflows/check.yml",
    ".github/workflows/check.txt",
    ".github/workflows/check.yml.off",
    ".github/Workflows/check.yml",
  ];
  for (const workflow of others) assertEquals(at(workflow), ["missing"], workflow);
  const parity = { workflow: "ci/check.yml", command: "deno task preflight" };
  const tell = (files: Readonly<Record<string, string>>, policy: Policy): string[] =>
    check(files, policy).map(({ message }) => message);
  assertEquals(tell({ "ci/check.yml": CLEAN }, { ...POLICY, parity }), [
    "GitHub runs no workflow at this path",
  ]);
  assertEquals(tell({ ".github/workflows/other.yml": CLEAN }, POLICY), [
    "the workflow is not tracked by git",
  ]);
});

Deno.test("PARITY judges an event only where the workflow starts on it", PURE, () => {
  const text = change(["  pull_request:\n", ""], [
    "- run: deno task preflight\n",
    "- if: github.event_name == 'push'\n        run: deno task preflight\n",
  ]);
  assertEquals(codes(text), ["missing"]);
});

Deno.test(
  "PARITY takes the gate of a push for that of a request from the same branch",
  PURE,
  () => {
    const gate = (condition: string, more = ""): readonly string[] =>
      codes(
        `${
          change(["\n    branches: [main]", ""], [
            "    strategy:",
            `    if: ${condition}\n    strategy:`,
          ])
        }${more}`,
        POLICY,
        "main",
      );
    const own = "github.event_name == 'push' || " +
      "github.event.pull_request.head.repo.full_name != github.repository";
    assertEquals(gate(own), []);
    // What is extra in the push is told, and takes nothing from its gate.
    assertEquals(gate(own, "      - run: deno lint\n"), ["extra_gate"]);
    const fork = "github.ref == 'refs/heads/main' || github.event.pull_request.head.repo.fork";
    assertEquals(gate(fork), ["swallowed"]);
  },
);

Deno.test("PARITY does not take a branch that it does not know for another", PURE, () => {
  const text = change(["    strategy:", "    if: github.ref != 'refs/heads/main'\n    strategy:"]);
  assertEquals(codes(text), ["swallowed"]);
});

Deno.test("PARITY tells the first of what it finds at a place", PURE, () => {
  const tell = (text: string): string[] => check(text).map(({ message }) => message);
  assertEquals(tell(withStep("if: false")), ['its "if" keeps it from running on pull_request']);
  const tool = "${{ github.event_name == 'push' && 'pytest' || 'mypy' }}";
  assertEquals(tell(`${CLEAN}      - run: ${tool} .\n`), [
    '"mypy ." checks something that the command does not',
  ]);
});

Deno.test("PARITY takes nothing for a gate in a job that cannot fail", PURE, () => {
  const job = (settings: string): string =>
    `${CLEAN}  unit:\n${settings}    runs-on: ubuntu-latest\n    steps:\n      - run: pytest\n`;
  assertEquals(codes(job("")), ["extra_gate"]);
  assertEquals(codes(job("    continue-on-error: true\n")), []);
  assertEquals(codes(job("    continue-on-error: ${{ vars.X }}\n")), ["extra_gate"]);
});

Deno.test("PARITY finds nothing extra in a command that goes elsewhere itself", PURE, () => {
  const text = "on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" +
    "      - run: cd web && npm test\n";
  assertEquals(check(text, policyFor("cd web && npm test")), []);
});

Deno.test("PARITY refuses a command that runs nothing", PURE, () => {
  for (const command of ["# check", " ", ";"]) {
    assertThrows(() => check(CLEAN, policyFor(command)), KprovError, "it runs nothing");
  }
});
