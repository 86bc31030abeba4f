import { assertEquals } from "../../assert.ts";
import {
  change,
  check,
  CLEAN,
  codes,
  PURE,
  withJob,
  withScript,
  withStep,
} from "./parity_facts.ts";

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
  ["a group that goes on behind ||", withScript("(deno task preflight; echo done) || exit 1")],
  ["errexit in a subshell only", withScript("set +e\n(set -e)\ndeno task preflight\necho done")],
  [
    "a shell that gets no options",
    withScript("deno task preflight\necho x", "        shell: zsh\n"),
  ],
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

/** Ways to write the gate that look like those and are none. */
const FINE: readonly (readonly [string, string])[] = [
  ["a bare exit that passes a failure on", withScript("cd packages || exit\ndeno task preflight")],
  [
    "a failure that is told and passed on",
    withScript(
      "deno task preflight || { echo failed; exit 1; }",
    ),
  ],
  ["a pipe with pipefail", withScript("set -o pipefail\ndeno task preflight | tee log")],
  [
    "PowerShell that stops at failures",
    change(["os: [ubuntu-latest]", "os: [windows-latest]"], [
      "- run: deno task preflight",
      "- run: |\n          $PSNativeCommandUseErrorActionPreference = $true\n          deno task preflight\n          deno --version",
    ]),
  ],
  [
    "a job that runs though one that it needs is skipped",
    `${
      withJob("needs: [other]\n    if: '!cancelled()'")
    }  other:\n    if: github.actor == 'x'\n    runs-on: ubuntu-latest\n    steps: []\n`,
  ],
  [
    "drafts that are gated when they are ready",
    change(
      [
        "pull_request:",
        "pull_request:\n    types: [opened, synchronize, reopened, ready_for_review]",
      ],
      ["    strategy:", "    if: '!github.event.pull_request.draft'\n    strategy:"],
    ),
  ],
  ["a task that prepares tests", `${CLEAN}      - run: make test-deps\n`],
  ["a directory above the step's own", withStep("working-directory: a/../b")],
  ["the workspace by its name", withStep("working-directory: ${{ github.workspace }}/b")],
];

for (const [what, text] of FINE) {
  Deno.test(`PARITY finds nothing wrong with ${what}`, PURE, () => assertEquals(check(text), []));
}
