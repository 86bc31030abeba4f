import type { Policy } from "../../../src/guards/policy.ts";
import { assertEquals } from "../../assert.ts";
import {
  change,
  check,
  CI,
  CLEAN,
  codes,
  POLICY,
  policyFor,
  PURE,
  withJob,
  withScript,
  withStep,
} from "./parity_facts.ts";

/** The clean workflow with a step before the command. */
function before(script: string): string {
  return change(["      - run: deno task", `      - run: ${script}\n      - run: deno task`]);
}

/** The clean workflow with another checkout. */
function checkout(ref: string, more = ""): string {
  return change(["persist-credentials: false", `{ ref: "${ref}"${more} }`]);
}

/** Two jobs that are needed, the second of which a condition can skip. */
const NEEDED = "  a:\n    runs-on: ubuntu-latest\n    steps: []\n" +
  "  b:\n    if: github.actor != 'x'\n    runs-on: ubuntu-latest\n    steps: []\n";

/** Ways to skip or swallow the gate. */
const SWALLOWED: readonly (readonly [string, string])[] = [
  ["a part of what is checked out only the run knows", checkout("${{ github.sha }}${{ vars.X }}")],
  ["what is checked out is computed", checkout("${{ hashFiles('a') }}")],
  ["a part of the repository is checked out", checkout("", ", sparse-checkout: src")],
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
  ["a shell that reads and runs nothing", withStep("shell: bash -n {0}")],
  ["a shell that runs something else", withStep('shell: "bash -c : {0}"')],
  ["a shell that tells its version", withStep("shell: bash --version {0}")],
  ["a shell without errexit", withStep("shell: bash +e {0}")],
  ["a shell with GitHub's own options, written out", withStep("shell: bash -e {0}")],
  ["a shell that GitHub gives no options", withStep("shell: zsh")],
  ["a shell of Windows", withStep("shell: cmd")],
  [
    "a line that goes on, which is two to PowerShell",
    withScript("deno task \\\n  preflight", "        shell: pwsh\n"),
  ],
  ["no shell", withStep("shell: python")],
  ["a shell that only the run knows", withStep("shell: ${{ vars.SHELL }}")],
  [
    "a shell in the job's defaults",
    withJob("defaults: { run: { shell: bash -n {0} } }".replace("bash -n {0}", "'bash -n {0}'")),
  ],
  [
    "a shell in the workflow's defaults",
    change(["jobs:", "defaults: { run: { shell: 'bash -c : {0}' } }\njobs:"]),
  ],
  ["BASH_ENV at the step", withStep("env: { BASH_ENV: x }")],
  ["PATH at the step", withStep("env: { PATH: /tmp }")],
  ["NODE_OPTIONS at the step", withStep("env: { NODE_OPTIONS: '--require ./x.js' }")],
  ["Path at the step, in other letters", withStep("env: { Path: /tmp }")],
  ["LD_PRELOAD at the job", withJob("env: { LD_PRELOAD: x.so }")],
  ["DYLD_INSERT_LIBRARIES at the job", withJob("env: { DYLD_INSERT_LIBRARIES: x }")],
  ["ENV at the job", withJob("env: { ENV: x }")],
  ["MAKEFLAGS at the job", withJob("env: { MAKEFLAGS: -n }")],
  ["SHELLOPTS at the workflow", change(["jobs:", "env: { SHELLOPTS: noexec }\njobs:"])],
  ["PATH at the workflow", change(["jobs:", "env: { PATH: /tmp }\njobs:"])],
  [
    "a function of bash at the workflow",
    change(["jobs:", "env: { 'BASH_FUNC_deno%%': '() { :; }' }\njobs:"]),
  ],
  [
    "BASH_ENV in the container",
    withJob("container: { image: 'denoland/deno:2.9.6', env: { BASH_ENV: x } }"),
  ],
  [
    "an entry point of the container",
    withJob("container: { image: x, options: --entrypoint true }"),
  ],
  ["variables that only the run knows", withStep("env: ${{ fromJSON(vars.ENV) }}")],
  ["a setting of the step that is not known", withStep("background: true")],
  ["a setting of the job that is not known", withJob("retry: 3")],
  [
    "the matrix leaves out what only the run knows",
    change(["        os:", "        exclude: ${{ fromJSON(vars.X) }}\n        os:"]),
  ],
  [
    "the matrix leaves out a value that only the run knows",
    change(["        os:", "        exclude: [{ os: '${{ vars.X }}' }]\n        os:"]),
  ],
  ...[
    'echo "BASH_ENV<<EOF" >> $GITHUB_ENV',
    "{\necho A=1\necho BASH_ENV=x\n} >> $GITHUB_ENV",
    "cat >> $GITHUB_ENV <<EOF\nA=1\nBASH_ENV=x\nEOF",
    "cat <<EOF | tee -a $GITHUB_ENV\nBASH_ENV=x\nEOF",
    'for it in a b; do echo "LD_PRELOAD=$it"; done >> $GITHUB_ENV',
    'echo "BASH_ENV=x" \\\n  >> "${GITHUB_ENV}"',
    "printf 'A=1\\nBASH_ENV=%s\\n' x >> $GITHUB_ENV",
    "echo BASH_ENV=x >> ${{ github.env }}",
    "echo ${{ matrix.os && 'BASH_ENV' }}=x >> $GITHUB_ENV",
    'Add-Content -Path $env:GITHUB_ENV -Value "BASH_ENV=x"',
    "echo 'open\necho BASH_ENV=x >> $GITHUB_ENV",
  ].map((script): readonly [string, string] => [
    `a variable set for the steps that follow: ${script.replaceAll("\n", "; ")}`,
    before(`|\n${script.replaceAll(/^/gm, "          ")}`),
  ]),
  ...["-eBASH_ENV=x", "-te BASH_ENV=x", "--env=BASH_ENV=x", "--env-file x", "--entrypoint=x"]
    .map((options): readonly [string, string] => [
      `the container's option ${options}`,
      withJob(`container: { image: x, options: "${options}" }`),
    ]),
  [
    "a setting of the strategy that is not known",
    change([
      "      matrix:",
      "      continue-on-error: true\n      matrix:",
    ]),
  ],
  ["defaults that only the run knows", withJob("defaults: { run: '${{ fromJSON(vars.X) }}' }")],
  ["variables merged into others", withStep("env: { '<<': { BASH_ENV: x } }")],
  ["inputs of an action, for a script", withStep("with: { a: b }")],
  ["the index of git", withStep("env: { GIT_INDEX_FILE: x }")],
  ["another checkout, at the root by a detour", checkout("v1", ", path: ./x/..")],
  ["another checkout, where only the run knows", checkout("v1", ", path: '${{ vars.X }}'")],
  [
    "a job before those that it needs is skipped, and one between them runs all the same",
    `${withJob("needs: a")}  a:
    needs: b
    if: always()
    runs-on: ubuntu-latest
    steps: []
  b:
    needs: c
    if: "!cancelled()"
    runs-on: ubuntu-latest
    steps: []
  c:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    steps: []
`,
  ],
  ["the second of the jobs that it needs can be skipped", `${withJob("needs: [a, b]")}${NEEDED}`],
  [
    "the second of the jobs that one needs can be skipped, and that one runs all the same",
    `${
      withJob("needs: c")
    }  c:\n    needs: [a, b]\n    if: always()\n    runs-on: ubuntu-latest\n    steps: []\n${NEEDED}`,
  ],
  [
    "a variable is a text, whatever it says",
    change(["jobs:", "env: { RUN: true }\njobs:"], [
      "- run: deno task preflight\n",
      "- run: deno task preflight\n        if: env.RUN == true\n",
    ]),
  ],
  [
    "another checkout, of whose place the run knows a part",
    checkout("v1", ", path: 'x/${{ vars.X }}'"),
  ],
  ["another checkout, at the root behind white space", checkout("v1", ", path: ' x/.. '")],
  [
    "another checkout on push",
    checkout("${{ github.event_name == 'push' && 'v1' || github.sha }}"),
  ],
  [
    "the default branch is checked out for a pull request",
    checkout("${{ github.event_name == 'push' && github.sha || 'refs/heads/main' }}"),
  ],
  [
    "requests from the repository are let off, and pushes to its branches",
    `${
      withJob(
        "if: github.ref == 'refs/heads/main' || github.event.pull_request.head.repo.fork",
      ).replace("\n    branches: [main]", "")
    }`,
  ],
  ["the push of a deleted branch alone is gated", withJob("if: github.event.deleted")],
  ["a directory elsewhere", withStep("working-directory: /tmp")],
  ["a directory above", withStep("working-directory: packages/../../other")],
  [
    "a directory of the job's defaults",
    withJob("defaults:\n      run:\n        working-directory: ${{ runner.temp }}"),
  ],
  ["a checkout of something else", change(["persist-credentials: false", "ref: main"])],
  ["a checkout of the branch that a request is to change", checkout("${{ github.base_ref }}")],
  [
    "a checkout of the default branch",
    checkout("${{ github.event.repository.default_branch }}"),
  ],
  ["a checkout of a part", change(["persist-credentials: false", "sparse-checkout: docs"])],
  ["a checkout by a name in brackets", checkout("${{ github['base_ref'] }}")],
  ["a checkout that only the run knows", checkout("${{ vars.REF }}")],
  [
    "a checkout of something else, at the root by name",
    change(["persist-credentials: false", "{ repository: acme/other, path: ./ }"]),
  ],
  [
    "the matrix may leave out what is another type",
    change(["        os:", "        exclude: [{ n: 3.1 }]\n        n: ['3.1']\n        os:"]),
  ],
  [
    "BASH_ENV, set for the steps that follow",
    before('echo "BASH_ENV=x.sh" >> "$GITHUB_ENV"'),
  ],
  ["MAKEFLAGS, set for the steps that follow", before("echo MAKEFLAGS=-n >> $GITHUB_ENV")],
  ["Python without assertions", withStep("env: { PYTHONOPTIMIZE: 1 }")],
  ["one of tox's environments", withJob("env: { TOXENV: lint }")],
  ["a program that runs the tests of cargo", withJob("env: { CARGO_TARGET_X_RUNNER: 'true' }")],
  ["another project of uv's", withStep("env: { UV_PROJECT: other }")],
  ["a directory below", withStep("working-directory: packages/a")],
  ["a directory below the workspace", withStep("working-directory: ${{ github.workspace }}/b")],
  ["a directory below and back, since it may be a link", withStep("working-directory: a/..")],
  [
    "a directory below, in the workflow's defaults",
    change(["jobs:", "defaults: { run: { working-directory: packages } }\njobs:"]),
  ],
  ["push to another branch", change(["branches: [main]", "branches: [mian]"])],
  [
    "a pull request to another branch",
    change(["pull_request:", "pull_request:\n    branches: [develop]"]),
  ],
  ["a draft, decided by text", withJob("if: '!github.event.pull_request.draft'")],
  ["paths", change(["branches: [main]", "paths: ['src/**']"])],
  ["paths that leave one out", change(["branches: [main]", "paths: ['**', '!docs/**']"])],
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

/** Ways to put the command into a longer script, where only a shell could tell what becomes of it. */
const EMBEDDED: readonly (readonly [string, string])[] = [
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
  ["an array and an exit before it", withScript("opts=()\nexit 0\ndeno task preflight")],
  ["an array and a trap before it", withScript('opts=()\ntrap "exit 0" EXIT\ndeno task preflight')],
  ["set -n", withScript("set -n\ndeno task preflight")],
  ["set -en", withScript("set -en\ndeno task preflight")],
  ["set -o noexec", withScript("set -o noexec\ndeno task preflight")],
  ["shopt -uo errexit", withScript("shopt -uo errexit\ndeno task preflight\ntrue")],
  ["hash -p", withScript("hash -p /bin/true deno\ndeno task preflight")],
  ["a script that is read in", withScript(". ./x\ndeno task preflight")],
  ["eval", withScript('eval "$SETUP"\ndeno task preflight')],
  ["eval of the command", withScript('x=1\neval "deno task preflight"')],
  ["cd", withScript("cd elsewhere\ndeno task preflight")],
  ["pushd", withScript("pushd elsewhere\ndeno task preflight")],
  ["set -euo pipefail", withScript("set -euo pipefail\ndeno task preflight")],
  ["a bare exit that passes a failure on", withScript("cd packages || exit\ndeno task preflight")],
  [
    "a failure that is told and passed on",
    withScript("deno task preflight || { echo failed; exit 1; }"),
  ],
  ["a pipe with pipefail", withScript("set -o pipefail\ndeno task preflight | tee log")],
  ["an assignment", withScript("NO_COLOR=1 deno task preflight")],
  ["env", withScript("env PATH=/tmp deno task preflight")],
  ["time", withScript("time deno task preflight")],
  ["timeout", withScript("timeout 60 deno task preflight")],
  ["a redirection", withScript("deno task preflight > log")],
  ["bash -c", withScript('bash -c "deno task preflight"')],
  ["a substitution", withScript("echo $(deno task preflight)")],
  ["twice", withScript("deno task preflight\ndeno task preflight")],
];

for (const [what, text] of EMBEDDED) {
  Deno.test(`PARITY finds the command inside a longer script: ${what}`, PURE, () => {
    const findings = check(text);
    assertEquals(findings.map(({ code, message, hint }) => [code, message, hint]), [[
      "parity.missing",
      '"deno task preflight" is part of a longer script',
      "give it a step of its own: - run: deno task preflight",
    ]]);
  });
}

for (const [what, text] of SWALLOWED) {
  Deno.test(`PARITY finds swallowed, and nothing else: ${what}`, PURE, () => {
    assertEquals(codes(text, POLICY, "main"), ["swallowed"]);
  });
}

/** Ways to write the gate that look like those and are none. */
const FINE: readonly (readonly [string, string])[] = [
  ["more white space", change(["run: deno task preflight", "run: '  deno   task preflight '"])],
  ["comments", withScript("# all that we check\ndeno task preflight # and nothing else\n")],
  ["a line that goes on", withScript("deno task \\\n  preflight")],
  ["bash by its name", withStep("shell: bash")],
  ["sh by its name", withStep("shell: sh")],
  ["pwsh by its name", withStep("shell: pwsh")],
  [
    "a shell from the matrix",
    change(["        os:", "        shell: [bash]\n        os:"], [
      "- run: deno task preflight\n",
      "- run: deno task preflight\n        shell: ${{ matrix.shell }}\n",
    ]),
  ],
  ["PowerShell on Windows", change(["os: [ubuntu-latest]", "os: [windows-latest]"])],
  ["a shell in which nothing stands", withStep("shell:")],
  ["a directory in which nothing stands", withStep("working-directory:")],
  ["needs in which nothing stands", withJob("needs:")],
  ["defaults in which nothing stands", withJob("defaults:")],
  ["defaults for scripts in which nothing stands", withJob("defaults: { run: }")],
  [
    "a branch that is not deleted",
    withJob("if: github.event_name != 'push' || !github.event.deleted"),
  ],
  ["a request that is not merged", withJob("if: '!github.event.pull_request.merged'")],
  ["a request that is not closed", withJob("if: github.event.action != 'closed'")],
  ["a checkout of another in ./x", checkout("v1", ", repository: acme/x, path: ./x")],
  ["a sparse checkout of white space", checkout("", ', sparse-checkout: " "')],
  ...["main", "refs/heads/main"].map((ref): readonly [string, string] => [
    `a checkout of ${ref} where it was pushed`,
    checkout(`\${{ github.event_name == 'push' && '${ref}' || github.sha }}`),
  ]),
  [
    "a variable that another line writes elsewhere",
    before(
      '|\n          Add-Content -Path $env:GITHUB_ENV -Value "A=1"\n          echo "PATH=x" > log',
    ),
  ],
  ["the root by its name", withStep("working-directory: .")],
  ["the root by another name", withStep("working-directory: ./")],
  ["the workspace by its name", withStep("working-directory: ${{ github.workspace }}")],
  ["variables that steer nothing", withStep("env: { NO_COLOR: 1, DENO_DIR: cache, MY_PATH: x }")],
  [
    "a name, an id and a time limit",
    withStep("name: gate\n        id: gate\n        timeout-minutes: 5"),
  ],
  [
    "a script with arrays elsewhere",
    change([
      "      - run: deno task preflight",
      '      - run: |\n          a=(x y)\n          echo "${a[@]}"\n      - run: deno task preflight',
    ]),
  ],
  ["a condition that only scheduled runs fail", withJob("if: '!github.event.schedule'")],
  ["a condition that only forks fail", withJob("if: '!github.event.repository.fork'")],
  [
    "another Deno that is never set up",
    change([
      "      - run: deno task preflight",
      "      - uses: denoland/setup-deno@v2\n        if: false\n        with: { deno-version: 1.x }\n" +
      "      - run: deno task preflight",
    ]),
  ],
  ["every path", change(["branches: [main]", "paths: ['**']"])],
  [
    "a condition on the default branch",
    withJob("if: github.event_name == 'pull_request' || github.ref == 'refs/heads/main'"),
  ],
  [
    "another step that may fail, beside it",
    change([
      "      - run: deno task preflight",
      "      - run: deno task preflight\n        continue-on-error: true\n      - run: deno task preflight",
    ]),
  ],
  [
    "an expression in a block, which GitHub takes for a text that is true",
    withStep("if: |\n          ${{ false }}"),
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
  ...[
    "${{ github.sha }}",
    "${{ github.ref }}",
    "${{ github.head_ref || github.ref_name }}",
    "${{ github.event.pull_request.head.sha || github.sha }}",
    "${{ github.event_name == 'pull_request' && github.event.pull_request.head.sha || github.sha }}",
    "${{ inputs.ref || github.sha }}",
    "${{ inputs.ref }}",
  ].map((ref): readonly [string, string] => [`a checkout of ${ref}`, checkout(ref)]),
  [
    "a checkout of the repository by its name",
    checkout("", ", repository: '${{ github.repository }}'"),
  ],
  ["other variables, set for the steps that follow", before('echo "MY_PATH=x" >> $GITHUB_ENV')],
  ["a variable of an earlier step alone", before("PATH=x echo A=1 >> $GITHUB_ENV")],
  ["a checkout of another, beside it", checkout("v1", ", repository: acme/x, path: x")],
  ...[
    'echo "A=1" >> $GITHUB_ENV; echo "PATH=x"',
    'echo "INFO=PATH=x" >> $GITHUB_ENV',
    "cat >> $GITHUB_ENV <<EOF\nMY_PATH=x\nEOF\ncat <<EOF\nPATH=x\nEOF",
    "{ echo A=1; PATH=x true; } >> $GITHUB_ENV",
  ].map((script): readonly [string, string] => [
    `variables that steer nothing, set by ${script.replaceAll("\n", "; ")}`,
    before(`|\n${script.replaceAll(/^/gm, "          ")}`),
  ]),
  [
    "options of a container that have an e",
    withJob(
      "container: { image: x, options: --privileged -u node --name env }",
    ),
  ],
  ["a first line that names a shell", withScript("#!/bin/sh\ndeno task preflight")],
  [
    "a job behind one that runs though another is skipped, and runs as well",
    `${withJob("needs: a\n    if: '!failure()'")}  a:
    needs: b
    if: always()
    runs-on: ubuntu-latest
    steps: []
  b:
    if: false
    runs-on: ubuntu-latest
    steps: []
`,
  ],
  ["an env in which nothing stands", withStep("env:")],
  ["options of a container that do nothing to it", withJob("container: { options: --cpus 1 }")],
  [
    "a variable that a step which never runs sets",
    before('echo "PATH=x" >> $GITHUB_ENV\n        if: false'),
  ],
  [
    "a variable of another line",
    before('|\n          echo "PATH=x"\n          echo A=1 >> $GITHUB_ENV'),
  ],
  ["a variable that is only spoken of", before('echo "PATH=x in GITHUB_ENV"')],
  ["a variable set behind it", `${CLEAN}      - run: echo "PATH=x" >> $GITHUB_ENV\n`],
  [
    "another checkout behind it",
    `${CLEAN}      - uses: actions/checkout@v4\n        with: { ref: v1 }\n`,
  ],
  [
    "the ref of what is no checkout",
    change([
      "      - run: deno task",
      "      - uses: a/b@v1\n        with: { ref: v1 }\n      - run: deno task",
    ]),
  ],
  ["a sparse checkout of nothing in particular", checkout("", ', sparse-checkout: ""')],
  ["types in which nothing stands", change(["pull_request:", "pull_request: { types: }"])],
  ["a task that prepares tests", `${CLEAN}      - run: make test-deps\n`],
];

for (const [what, text] of FINE) {
  Deno.test(
    `PARITY finds nothing wrong with ${what}`,
    PURE,
    () => assertEquals(check(text, POLICY, "main"), []),
  );
}

/** A workflow that calls another, with settings of the job that calls it. */
function call(settings: string, called: string): Readonly<Record<string, string>> {
  return {
    [CI]: change([
      CLEAN.slice(CLEAN.indexOf("    runs-on")),
      `    uses: ./.github/workflows/called.yml\n${settings}`,
    ]),
    ".github/workflows/called.yml": called + CLEAN.slice(CLEAN.indexOf("jobs:")),
  };
}

Deno.test("PARITY decides the inputs of what is called by their types", PURE, () => {
  const declare = (input: string): string =>
    `on: { workflow_call: { inputs: { skip: ${input} } } }\n`;
  const skipped = (files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(files).map(([path, text]) => [
        path,
        text.replace("- run: deno task", "- if: '!inputs.skip'\n        run: deno task"),
      ]),
    );
  const off = declare("{ type: boolean, default: false }");
  assertEquals(codes(skipped(call("", off))), []);
  assertEquals(codes(skipped(call("    with: { skip: true }\n", off))), ["swallowed"]);
  assertEquals(codes(skipped(call("", declare("{ type: number, default: 0 }")))), []);
  // A text is true, whatever it says.
  assertEquals(codes(skipped(call("", declare("{ type: string, default: false }")))), [
    "swallowed",
  ]);
  // An action's inputs are texts, whatever they are declared to be.
  const action =
    "inputs: { skip: { type: boolean, default: false } }\nruns:\n  using: composite\n  steps:\n" +
    "    - if: '!inputs.skip'\n      run: deno task preflight\n      shell: bash\n";
  const calling = change(["- run: deno task preflight", "- uses: ./gate"]);
  assertEquals(codes({ [CI]: calling, "gate/action.yml": action }), ["swallowed"]);
});

Deno.test(
  "PARITY does not know what a caller's matrix leaves out, where only the run does",
  PURE,
  () => {
    const matrix = (exclude: string): string =>
      `    strategy: { matrix: { x: [1], exclude: ${exclude} } }\n`;
    assertEquals(codes(call(matrix("[{ x: 2 }]"), "on: workflow_call\n")), []);
    const known = [
      "",
      "[{ x: 2, y: 1 }]",
      "[{ x: '1', y: 1 }]",
      "[{ x: [1, 2] }, { x: { a: 1 } }]",
    ];
    for (const exclude of known) {
      assertEquals(codes(call(matrix(exclude), "on: workflow_call\n")), [], exclude);
    }
    for (const exclude of ["[{ x: [2] }]", "[{ x: [1, 2] }]", "[{ x: { a: 1 } }]"]) {
      const lists = matrix(exclude).replace("x: [1]", "x: [[1]]");
      assertEquals(codes(call(lists, "on: workflow_call\n")), [], exclude);
    }
    const unknown = [
      "'${{ fromJSON(vars.X) }}'",
      "x",
      "['${{ fromJSON(vars.X) }}']",
      "[{ x: '${{ vars.X }}' }]",
      "[{ x: 2, y: '${{ vars.X }}' }]",
      "[{ x: 2 }, { x: [1, '${{ vars.X }}'] }]",
      "[{ x: { a: 1, b: '${{ vars.X }}' } }]",
      // Whether GitHub takes the text for the number is not sure.
      "[{ x: '1' }]",
    ];
    for (const exclude of unknown) {
      assertEquals(codes(call(matrix(exclude), "on: workflow_call\n")), ["swallowed"], exclude);
    }
  },
);

Deno.test("PARITY lets composite actions have none of the job's defaults", PURE, () => {
  const action = ".github/actions/gate/action.yml";
  const text = change(["- run: deno task preflight", "- uses: ./.github/actions/gate"], [
    "    strategy:",
    "    defaults: { run: { working-directory: packages } }\n    strategy:",
  ]);
  const runs =
    "runs:\n  using: composite\n  steps:\n    - run: deno task preflight\n      shell: bash\n";
  assertEquals(check({ [CI]: text, [action]: runs }), []);
});

Deno.test("PARITY reads no steps of an action that runs something else", PURE, () => {
  const text = change(["- run: deno task preflight", "- uses: ./gate"]);
  const runs = "runs:\n  using: node20\n  main: x.js\n  steps:\n    - run: deno task preflight\n";
  assertEquals(codes({ [CI]: text, "gate/action.yml": runs }), ["missing"]);
});

Deno.test("PARITY follows the actions of the repository alone, and to an end", PURE, () => {
  const run = (uses: string, files: Readonly<Record<string, string>>): string[] =>
    check({ [CI]: change(["- run: deno task preflight", `- uses: ${uses}`]), ...files })
      .map(({ message }) => message);
  const action = (step: string): string => `runs:\n  using: composite\n  steps:\n    - ${step}\n`;
  const gate = action("run: deno task preflight\n      shell: bash");
  const missing = ['no step runs "deno task preflight"'];
  assertEquals(run("./gate", { "gate/action.yml": gate }), []);
  assertEquals(run("./", { "action.yml": gate }), []);
  assertEquals(run("x/gate", { "gate/action.yml": gate }), missing);
  assertEquals(run("./gate", { "gate/action.yml": action("uses: ./gate") }), missing);
  assertEquals(run("./gate", { "gate/action.yml": "runs:\n  using: composite\n" }), missing);
});

Deno.test(
  "PARITY refuses actions that call each other for more steps than anyone judges",
  PURE,
  () => {
    const action = (step: string): string =>
      `runs:\n  using: composite\n  steps: [${`${step}, `.repeat(17)}]\n`;
    const files = {
      [CI]: change(["- run: deno task preflight", "- uses: ./1"]),
      "1/action.yml": action("{ uses: ./2 }"),
      "2/action.yml": action("{ uses: ./3 }"),
      "3/action.yml": action("{ uses: ./4 }"),
      "4/action.yml": action("{ run: a, shell: bash }"),
    };
    assertEquals(check(files).map(({ message }) => message), [
      "it has too many steps to be judged",
    ]);
  },
);

Deno.test("PARITY lets the steps of an action off with the step that calls it", PURE, () => {
  const action = (script: string): string =>
    `runs:\n  using: composite\n  steps:\n    - run: ${script}\n      shell: bash\n`;
  const beside = (script: string, settings: string): readonly string[] =>
    codes({
      [CI]: change([
        "      - run: deno task",
        `      - uses: ./a\n${settings}      - run: deno task`,
      ]),
      "a/action.yml": action(script),
    });
  assertEquals(beside("pytest", ""), ["extra_gate"]);
  assertEquals(beside("pytest", "        if: false\n"), []);
  assertEquals(beside("pytest", "        continue-on-error: true\n"), []);
  assertEquals(beside("echo PATH=x >> $GITHUB_ENV", ""), ["swallowed"]);
  assertEquals(beside("echo PATH=x >> $GITHUB_ENV", "        if: false\n"), []);
});

Deno.test("PARITY does not take for the command what has more around it", PURE, () => {
  const run = (step: string, command: string): readonly string[] =>
    codes(
      `on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - ${step}\n`,
      policyFor(command),
    );
  assertEquals(run("run: npm t", "npm test"), []);
  for (const script of ["CI=1 npm t", "npm t > log", "npm t &"]) {
    assertEquals(run(`run: ${script}`, "npm test"), ["missing"], script);
  }
  for (const command of ["CI=1 npm test", "npm test > log"]) {
    assertEquals(run("run: npm t", command), ["missing"], command);
  }
  assertEquals(run("run: pnpm t", "npm test"), ["extra_gate", "missing"]);
  const all = "pre-commit run --all-files";
  const given = (input: string): readonly string[] =>
    run(`uses: pre-commit/action@v3\n        with: { extra_args: ${input} }`, all);
  assertEquals(given("--all-files"), []);
  assertEquals(given("' --all-files '"), []);
  assertEquals(given("'${{ vars.X }}'"), ["extra_gate", "missing"]);
});

Deno.test("PARITY speaks of a longer script only where the command is in one", PURE, () => {
  const tell = (script: string, command: string): string[] =>
    check(withScript(script), policyFor(command)).map(({ message }) => message);
  for (const command of ["deno task preflight", "make lint && make test"]) {
    const none = [`no step runs ${JSON.stringify(command)}`];
    for (const script of ["deno task build", "echo 'open", `echo '${command}'`]) {
      assertEquals(tell(script, command), none, script);
    }
    assertEquals(tell(`(${command}) || true`, command), [
      `${JSON.stringify(command)} is part of a longer script`,
    ]);
  }
});

Deno.test("PARITY tells which job keeps the command from running, and how surely", PURE, () => {
  const tell = (text: string): string => check(text)[0]?.message ?? "";
  const other = (condition: string): string =>
    `${
      withJob("needs: other")
    }  other:\n    if: ${condition}\n    runs-on: ubuntu-latest\n    steps: []\n`;
  assertEquals(
    [withJob("if: false"), withJob("if: vars.X"), other("false"), other("vars.X")].map(tell),
    [
      'the "if" of its job keeps it from running on pull_request',
      'the "if" of its job can keep it from running on pull_request',
      'the job "other" that it needs keeps it from running on pull_request',
      'the job "other" that it needs can keep it from running on pull_request',
    ],
  );
});

Deno.test("PARITY follows chains of jobs to an end, and asks each job once", PURE, () => {
  const job = (name: string, needs: string, settings: string): string =>
    `  ${name}:\n    needs: [${needs}]\n${settings}    runs-on: ubuntu-latest\n    steps: []\n`;
  const chain = (length: number, settings: string): string =>
    withJob("needs: [a0, b0]") + Array.from({ length }, (_, i) => {
      const needs = i + 1 < length ? `a${i + 1}, b${i + 1}` : "";
      return job(`a${i}`, needs, settings) + job(`b${i}`, needs, settings);
    }).join("");
  for (const settings of ["", "    if: always()\n"]) {
    assertEquals(codes(chain(40, settings)), [], settings);
    assertEquals(codes(chain(100, settings)), ["swallowed"], settings);
  }
});

Deno.test("PARITY calls no workflow that cannot be called", PURE, () => {
  assertEquals(codes(call("", "on: [push, workflow_call]\n")), []);
  assertEquals(codes(call("", "on: { push: { branches: [main] }, workflow_call: }\n")), []);
  assertEquals(codes(call("", "on: push\n")), ["missing"]);
  assertEquals(codes(call("", "on: { push: { branches: [main] } }\n")), ["missing"]);
  const reasonOf = (files: Readonly<Record<string, string>>): boolean =>
    check(files).some(({ message }) => message.includes("it does not run on workflow_call"));
  assertEquals(reasonOf(call("", "on: push\n")), true);
  const foreign = call("", "on: workflow_call\n")[CI]?.replace("./.github", "a/b/.github") ?? "";
  assertEquals([codes(foreign), reasonOf({ [CI]: foreign })], [["missing"], false]);
});

Deno.test("PARITY knows the repository's own name in a checkout", PURE, () => {
  const policy: Policy = { ...POLICY, identity: { repository: "https://github.com/acme/etl" } };
  const own = change(["persist-credentials: false", "repository: Acme/etl"]);
  assertEquals(codes(own, policy), []);
  assertEquals(codes(own), ["swallowed"]);
});

Deno.test("PARITY takes a command of several parts as a whole", PURE, () => {
  const policy = policyFor("make lint && make test");
  const run = (script: string, os = "ubuntu-latest"): string =>
    `on: [push, pull_request]\njobs:\n  a:\n    runs-on: ${os}\n    steps:\n      - run: |\n${
      script.replaceAll(/^/gm, "          ")
    }\n`;
  assertEquals(check(run("make lint && make test"), policy), []);
  assertEquals(check(run("make lint &&\n  make test"), policy), []);
  for (const script of ["make lint\nmake test", "make lint && make test || true"]) {
    assertEquals(codes(run(script), policy), ["missing"], script);
  }
  assertEquals(
    check(run("echo 'open\nmake lint && make test"), policy).map(({ message }) => message),
    ['"make lint && make test" is part of a longer script'],
  );
  // PowerShell goes on behind a command that fails.
  const both = policyFor("make lint; make test");
  assertEquals(codes(run("make lint; make test"), both), []);
  assertEquals(codes(run("make lint; make test", "windows-latest"), both), ["swallowed"]);
  const bash = `${run("make lint; make test", "windows-latest")}        shell: bash\n`;
  assertEquals(codes(bash, both), []);
});

Deno.test("PARITY knows by all labels of a job whether PowerShell may be its shell", PURE, () => {
  const policy = policyFor("make lint; make test");
  const on = (labels: string, more = ""): readonly string[] =>
    codes(
      `on: [push, pull_request]\njobs:\n  a:\n    runs-on: ${labels}\n${more}    steps:\n      - run: make lint; make test\n`,
      policy,
    );
  const unix = [
    "ubuntu-24.04",
    "[self-hosted, linux, x64]",
    "[self-hosted, macOS]",
    "{ group: g, labels: [ubuntu-24.04-16core] }",
    "{ labels: Linux }",
  ];
  for (const labels of unix) assertEquals(on(labels), [], labels);
  const others = [
    "windows-latest",
    "[self-hosted, windows]",
    "{ group: g, labels: [windows-2025] }",
    "{ group: g }",
    "${{ vars.RUNNER }}",
    "[self-hosted, '${{ vars.RUNNER }}']",
  ];
  for (const labels of others) assertEquals(on(labels), ["swallowed"], labels);
  // Containers run on Linux.
  assertEquals(on("self-hosted", "    container: debian\n"), []);
});

Deno.test("PARITY knows nothing of a matrix that only the run knows", PURE, () => {
  const job = (strategy: string, settings: string): readonly string[] =>
    codes(
      `on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    strategy: ${strategy}\n${settings}    steps:\n      - run: make check\n`,
      policyFor("make check"),
    );
  const soft = "    continue-on-error: ${{ matrix.soft }}\n";
  const unknown = [
    "${{ fromJSON(vars.X) }}",
    "{ matrix: '${{ fromJSON(vars.X) }}' }",
  ];
  for (const strategy of unknown) {
    assertEquals(job(strategy, ""), [], strategy);
    assertEquals(job(strategy, soft), ["swallowed"], strategy);
  }
  for (const strategy of ["", "{ matrix: { x: [1], exclude: [{ x: 2 }] } }"]) {
    assertEquals(job(strategy, soft), [], strategy);
  }
  const excluded = "    continue-on-error: ${{ matrix.exclude != null }}\n";
  assertEquals(job("{ matrix: { x: [1], exclude: [{ x: 2 }] } }", excluded), []);
  // A matrix that is too large to be expanded is one of which nothing is known.
  const large = (values: string): string => `{ matrix: { x: [${`${values}, `.repeat(520)}] } }`;
  for (const values of ["1", "[]", "{ a: 1 }"]) {
    assertEquals(job(large(values), soft), ["swallowed"], values);
  }
  const deep = `{ ${Array.from({ length: 100 }, (_, i) => `k${i}: 1`).join(", ")} }`;
  const objects = `[${`${deep}, `.repeat(30)}]`;
  const strategy = `{ matrix: { x: [${"1, ".repeat(100)}], include: ${objects} } }`;
  assertEquals(job(strategy, soft), ["swallowed"]);
});

Deno.test("PARITY knows all settings of a job that calls a workflow", PURE, () => {
  const on = "on: workflow_call\n";
  for (const settings of ["continue-on-error: true", "env: { A: 1 }", "strategy: { retry: 1 }"]) {
    assertEquals(codes(call(`    ${settings}\n`, on)), ["swallowed"], settings);
  }
  const fine = "    permissions: { contents: read }\n    concurrency: x\n    name: x\n";
  assertEquals(codes(call(fine, on)), []);
});

Deno.test("PARITY says how to write what is on the way of the command", PURE, () => {
  const hintOf = (text: string): string | null | undefined => check(text)[0]?.hint;
  assertEquals(hintOf(withStep("shell: zsh")), "write shell: bash, or no shell");
  assertEquals(
    hintOf(withStep("working-directory: a")),
    "remove working-directory, or set it to .",
  );
  assertEquals(
    hintOf(withStep("env: { PATH: x }")),
    "set it inside the command, so that people have it as well",
  );
});

Deno.test("PARITY knows the system that a job runs on by its label", PURE, () => {
  const on = (label: string, condition: string): readonly string[] =>
    codes(
      withStep(`if: ${condition}`).replace("[ubuntu-latest]", `[${label}]`),
    );
  assertEquals(on("ubuntu-24.04", "runner.os == 'Linux'"), []);
  assertEquals(on("macos-15", "runner.OS == 'macOS'"), []);
  assertEquals(on("ubuntu-24.04", "runner.os == 'Windows'"), ["swallowed"]);
  assertEquals(on("windows-2025", "runner.os == 'Linux'"), ["swallowed"]);
  // Nothing is known of other labels, and of what else a runner tells.
  assertEquals(on("self-hosted", "runner.os == 'Linux'"), ["swallowed"]);
  assertEquals(on("ubuntu-24.04", "runner.arch == 'Linux'"), ["swallowed"]);
});
