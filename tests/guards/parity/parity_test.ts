import { PARITY } from "../../../src/guards/parity/parity.ts";
import { assertEquals, assertStringIncludes } from "../../assert.ts";
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
  withJob,
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

/** Ways to skip or swallow the gate. */
const SWALLOWED: readonly (readonly [string, string])[] = [
  ["the step continues on error", withStep("continue-on-error: true")],
  ["the step continues on error, as an expression", withStep("continue-on-error: ${{ true }}")],
  [
    "only the run knows whether the step continues",
    withStep("continue-on-error: ${{ vars.SOFT }}"),
  ],
  ["the job continues on error", withJob("continue-on-error: true")],
  [
    "every combination continues on error",
    change(["        os:", "        soft: [true]\n        os:"], [
      "    strategy:",
      "    continue-on-error: ${{ matrix.soft }}\n    strategy:",
    ]),
  ],
  ["the step is switched off", withStep("if: false")],
  ["the step is switched off, as an expression", withStep("if: ${{ false }}")],
  ["the job is switched off", withJob("if: ${{ 1 == 2 }}")],
  ["the step runs only after a failure", withStep("if: failure()")],
  ["the step does not run on push", withStep("if: github.event_name == 'pull_request'")],
  ["the job does not run on pull_request", withJob("if: github.event_name == 'push'")],
  [
    "a commit's message decides",
    withJob("if: \"!contains(github.event.head_commit.message, 'skip')\""),
  ],
  ["an actor is let off", withStep("if: github.actor != 'dependabot[bot]'")],
  ["drafts are let off", withJob("if: github.event.pull_request.draft == false")],
  [
    "requests from the repository are let off and not every push is gated",
    withJob(
      "if: github.event_name == 'push' || github.event.pull_request.head.repo.full_name != github.repository",
    ),
  ],
  ["the condition is no condition", withStep("if: ${{ true }} && ${{ false }}")],
  ["an output of another job decides", withJob("if: needs.changes.outputs.code == 'true'")],
  [
    "a job that it needs can be skipped",
    `${
      withJob("needs: [changes]")
    }  changes:\n    if: github.actor != 'x'\n    runs-on: ubuntu-latest\n    steps: []\n`,
  ],
  ["it needs a job that is not there", withJob("needs: nothing")],
  [
    "jobs need each other",
    `${
      withJob("needs: other")
    }  other:\n    needs: preflight\n    runs-on: ubuntu-latest\n    steps: []\n`,
  ],
  ["|| true", withScript("deno task preflight || true")],
  ["|| :", withScript("deno task preflight || :")],
  ["|| exit 0", withScript("deno task preflight || exit 0")],
  ["|| echo", withScript('deno task preflight || echo "::warning::failed"')],
  ["|| { …; exit; }", withScript("deno task preflight || { echo failed; exit; }")],
  ["; true", change(["run: deno task preflight", "run: deno task preflight; true"])],
  ["exit 0 behind it", withScript("deno task preflight\nexit 0")],
  ["; true, without errexit", withScript("set +e\ndeno task preflight; true")],
  ["set +e", withScript("set +e\ndeno task preflight\necho done")],
  ["set +o errexit", withScript("set +o errexit\ndeno task preflight\necho done")],
  [
    "a shell without errexit",
    withScript("deno task preflight\necho done", "        shell: bash {0}\n"),
  ],
  ["the background", withScript("deno task preflight &")],
  ["a pipe", withScript("deno task preflight 2>&1 | tee log")],
  ["a pipe, as one line", change(["run: deno task preflight", "run: deno task preflight | cat"])],
  ["!", withScript("! deno task preflight")],
  ["if", withScript("if ! deno task preflight; then\n  echo failed\nfi")],
  ["a condition around it", withScript('if [ -n "$RUN" ]; then deno task preflight; fi')],
  ["&& in the middle of a script", withScript("deno task preflight && echo good\necho done")],
  ["an earlier exit", withScript("[ -f deno.json ] || exit 0\ndeno task preflight")],
  ["an earlier exit in a block", withScript("if true; then exit; fi\ndeno task preflight")],
  ["a trap", withScript("trap 'exit 0' EXIT\ndeno task preflight")],
  ["a function of its name", withScript("deno() { :; }\ndeno task preflight")],
  ["a function that nobody calls", withScript("gate() {\n  deno task preflight\n}")],
  ["a command that fails first", withScript("false || deno task preflight")],
  ["a subshell that goes on", withScript("(set +e; deno task preflight; true)")],
  ["a script that cannot be read", withScript("deno task preflight\necho 'open")],
  [
    "PowerShell that goes on",
    change(["os: [ubuntu-latest]", "os: [windows-latest]"], [
      "- run: deno task preflight",
      "- run: |\n          deno task preflight\n          deno --version",
    ]),
  ],
  ["a directory elsewhere", withStep("working-directory: /tmp")],
  ["a directory above", withStep("working-directory: packages/../../other")],
  [
    "a directory of the job's defaults",
    withJob("defaults:\n      run:\n        working-directory: ${{ runner.temp }}"),
  ],
  ["a checkout of something else", change(["persist-credentials: false", "ref: main"])],
  ["paths", change(["branches: [main]", "paths: ['src/**']"])],
  ["paths-ignore", change(["pull_request:", "pull_request:\n    paths-ignore: ['**.md']"])],
  ["tags alone", change(["branches: [main]", "tags: ['v*']"])],
  ["branches-ignore of main", change(["branches: [main]", "branches-ignore: [ma*]"])],
  ["a negated branch", change(["branches: [main]", "branches: ['**', '!main']"])],
  ["no branch", change(["branches: [main]", "branches: []"])],
  [
    "branches that have none in common",
    change(["pull_request:", "pull_request:\n    branches: [develop]"]),
  ],
  [
    "types without synchronize",
    change(["pull_request:", "pull_request:\n    types: [opened, reopened]"]),
  ],
];

for (const [what, text] of SWALLOWED) {
  Deno.test(`PARITY finds swallowed, and nothing else: ${what}`, PURE, () => {
    assertEquals(codes(text), ["swallowed"]);
  });
}

Deno.test("PARITY tells where, what, and what to do", PURE, () => {
  assertEquals(check(withStep("continue-on-error: true")), [{
    code: "parity.swallowed",
    level: "error",
    path: CI,
    line: 23,
    column: 28,
    message: '"continue-on-error" takes its failure away',
    hint: "let nothing stand between the command and the workflow's result",
  }]);
  const [uncovered] = check(change(["v2.8.x, v2.9.x", "v2.9.x"]));
  assertEquals(
    uncovered?.message,
    '"deno task preflight" runs on no Deno that is surely 2.8, which ">=2.8.2 <2.10.0" supports',
  );
  assertEquals([uncovered?.line, uncovered?.column], [22, 14]);
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
