/**
 * Workflows as projects write them, in the styles of GitHub's starter workflows and of well-known
 * Deno, Node and Python projects. In none of them the guard has anything to find.
 *
 * @module
 */
import type { Policy } from "../../../src/guards/policy.ts";
import { CI, POLICY, policyFor } from "./parity_facts.ts";

/** A workflow and what it calls, with the policy that it keeps. */
export interface Style {
  readonly name: string;
  readonly policy: Policy;
  readonly files: Readonly<Record<string, string>>;
}

function style(name: string, policy: Policy, text: string, more: Style["files"] = {}): Style {
  return { name, policy, files: { [CI]: text, ...more } };
}

/** The styles. */
export const STYLES: readonly Style[] = [
  style(
    "the starter workflow of Deno",
    POLICY,
    `# This workflow uses actions that are not certified.
name: Deno

on:
  push:
    branches: [ $default-branch ]
  pull_request:
    branches: [ $default-branch ]

permissions:
  contents: read

jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        deno-version: ["2.8", "2.9"]
    steps:
      - name: Setup repo
        uses: actions/checkout@v4
      - name: Setup Deno
        uses: denoland/setup-deno@61fe2df320078202e33d7d5ad347e7dcfa0e8f31  # v1.1.2
        with:
          deno-version: \${{ matrix.deno-version }}
      # Uncomment this step to verify the use of 'deno fmt' on each commit.
      # - name: Verify formatting
      #   run: deno fmt --check
      - name: Run the gate
        run: deno task preflight
`,
  ),
  style(
    "the starter workflow of Node.js",
    policyFor("npm test"),
    `name: Node.js CI
on:
  push:
    branches: [ "main" ]
  pull_request:
    branches: [ "main" ]
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        node-version: [18.x, 20.x, 22.x]
        # See supported Node.js release schedule at https://nodejs.org/en/about/releases/
    steps:
    - uses: actions/checkout@v4
    - name: Use Node.js \${{ matrix.node-version }}
      uses: actions/setup-node@v4
      with:
        node-version: \${{ matrix.node-version }}
        cache: 'npm'
    - run: npm ci
    - run: npm run build --if-present
    - run: npm test
`,
  ),
  style(
    "the starter workflow of a Python package",
    policyFor("tox"),
    `name: Python package
on: [push, pull_request]
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix:
        python-version: ["3.11", "3.12"]
    steps:
    - uses: actions/checkout@v4
    - name: Set up Python \${{ matrix.python-version }}
      uses: actions/setup-python@v3
      with:
        python-version: \${{ matrix.python-version }}
    - name: Install dependencies
      run: |
        python -m pip install --upgrade pip
        python -m pip install flake8 pytest tox
        if [ -f requirements.txt ]; then pip install -r requirements.txt; fi
    - name: Test
      run: |
        # stop the build if there are Python syntax errors or undefined names
        tox
`,
  ),
  style(
    "two systems, a canary that may fail, and coverage",
    POLICY,
    `name: ci
on:
  push:
  pull_request:
    types: [opened, synchronize, reopened, ready_for_review]
  merge_group:
concurrency:
  group: \${{ github.workflow }}-\${{ github.ref }}
  cancel-in-progress: true
env:
  DENO_DIR: my_cache
jobs:
  test:
    if: |
      github.event_name == 'push' ||
      !startsWith(github.event.pull_request.head.label, 'denoland:')
    runs-on: \${{ matrix.os }}
    timeout-minutes: 30
    continue-on-error: \${{ matrix.deno == 'canary' }}
    strategy:
      fail-fast: false
      matrix:
        deno: [v2.8.x, v2.9.x, canary]
        os: [ubuntu-22.04, windows-2022, macOS-latest]
        include:
          - deno: v2.8.2
            os: ubuntu-latest
    steps:
      - name: Clone repository
        uses: actions/checkout@v4
        with:
          submodules: true
      - uses: denoland/setup-deno@v2
        with:
          deno-version: \${{ matrix.deno }}
      - name: Cache
        uses: actions/cache@v4
        with:
          path: \${{ env.DENO_DIR }}
          key: deno-\${{ runner.os }}-\${{ hashFiles('deno.lock') }}
      - run: git config --global core.autocrlf false
        if: runner.os == 'Windows'
      - name: Preflight
        run: NO_COLOR=1 deno task preflight
      - uses: codecov/codecov-action@v4
        if: matrix.os == 'ubuntu-22.04' && matrix.deno == 'v2.9.x'
`,
  ),
  style(
    "requests from forks only, beside pushes to every branch",
    POLICY,
    `on: [push, pull_request]
jobs:
  ci:
    if: github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name != github.event.pull_request.base.repo.full_name
    runs-on: ubuntu-latest
    strategy: { matrix: { deno: ["~2.8.2", "~2.9"] } }
    steps:
      - { uses: actions/checkout@v4 }
      - { uses: denoland/setup-deno@v2, with: { deno-version: "\${{ matrix.deno }}" } }
      - { run: deno task preflight }
`.replace("github.event.pull_request.base.repo.full_name", "github.repository"),
  ),
  style(
    "a reusable workflow with inputs",
    POLICY,
    `on:
  push: { branches: [main, "release/**"] }
  pull_request: { branches: [main, "release/**"] }
jobs:
  test:
    strategy:
      matrix:
        version: [2.8.5, 2.9.6]
    uses: ./.github/workflows/test.yml
    with:
      deno-version: \${{ matrix.version }}
    secrets: inherit
  deploy:
    needs: test
    if: github.ref == 'refs/heads/main' && github.event_name == 'push'
    runs-on: ubuntu-latest
    permissions: { id-token: write, contents: read }
    steps:
      - uses: actions/checkout@v4
      - uses: denoland/deployctl@v1
        with: { project: x, entrypoint: main.ts }
`,
    {
      ".github/workflows/test.yml": `on:
  workflow_call:
    inputs:
      deno-version: { type: string, default: 2.9.x }
      extra: { type: boolean, default: false }
jobs:
  run:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: denoland/setup-deno@v2
        with: { deno-version: "\${{ inputs.deno-version }}" }
      - run: deno bench
        if: inputs.extra
      - run: deno task preflight
`,
    },
  ),
  style(
    "a composite action that sets up",
    POLICY,
    `on:
  push:
  pull_request:
jobs:
  gate:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        include:
          - { deno: "2.8.x" }
          - { deno: "2.9.x", upload: true }
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/actions/setup
        with:
          deno: \${{ matrix.deno }}
      - name: gate
        shell: bash
        run: |
          set -euo pipefail
          deno task preflight | tee preflight.log
      - uses: actions/upload-artifact@v4
        if: always() && matrix.upload
        with: { name: log, path: preflight.log }
`,
    {
      ".github/actions/setup/action.yml": `name: setup
inputs:
  deno: { required: true }
runs:
  using: composite
  steps:
    - uses: denoland/setup-deno@v2
      with:
        deno-version: \${{ inputs.deno }}
    - run: deno install --frozen
      shell: bash
`,
    },
  ),
  style(
    "Deno from npm, and jobs that wait for each other",
    POLICY,
    `on:
  push: { branches: ["**"], tags: ["v*"] }
  pull_request: {}
defaults:
  run:
    shell: bash
jobs:
  prepare:
    runs-on: ubuntu-latest
    outputs:
      key: \${{ steps.key.outputs.key }}
    steps:
      - id: key
        run: echo "key=$(date +%F)" >> "$GITHUB_OUTPUT"
  preflight:
    needs: prepare
    runs-on: ubuntu-latest
    strategy:
      matrix: { deno: [2.8.2, 2.9.6] }
    steps:
      - uses: actions/checkout@v4
        with: { ref: "\${{ github.event.pull_request.head.sha }}" }
      - uses: actions/setup-node@v4
        with: { node-version: 22 }
      - run: npm install --global deno@\${{ matrix.deno }}
      - run: deno task preflight
  all-green:
    if: always()
    needs: [preflight]
    runs-on: ubuntu-latest
    steps:
      - run: test "\${{ needs.preflight.result }}" = success
`,
  ),
  style(
    "containers",
    POLICY,
    `on: [pull_request, push, workflow_dispatch]
jobs:
  gate:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        image: ["denoland/deno:2.8.3", "denoland/deno:alpine-2.9.6"]
    container:
      image: \${{ matrix.image }}
    steps:
      - uses: actions/checkout@v4
      - run: |
          apk add git || apt-get install -y git
          deno task preflight
`,
  ),
  style(
    "one job for each version, and version files",
    {
      ...POLICY,
      runtime: { deno: ">=2.9 <2.10" },
    },
    `on:
  pull_request:
    branches-ignore: ["dependabot/**"]
  push:
    branches: [main]
jobs:
  gate:
    runs-on: [self-hosted, linux]
    defaults:
      run:
        working-directory: ./packages/core
    steps:
      - uses: actions/checkout@v4
      - uses: denoland/setup-deno@v2
        with:
          deno-version-file: .dvmrc
      - run: cd ../.. && deno task preflight
`,
    { ".dvmrc": "2.9.4\n" },
  ),
  style(
    "Windows, in PowerShell",
    POLICY,
    `on: [push, pull_request]
jobs:
  gate:
    runs-on: windows-latest
    strategy: { matrix: { deno: [2.8.x, 2.9.x] } }
    steps:
      - uses: actions/checkout@v4
      - uses: denoland/setup-deno@v2
        with: { deno-version: "\${{ matrix.deno }}" }
      - run: |
          $env:NO_COLOR = "1"
          deno --version
          deno task preflight
`,
  ),
  style(
    "a Python project with uv",
    policyFor("make check"),
    `name: CI
on:
  push: { branches: [main] }
  pull_request:
  schedule: [{ cron: "0 4 * * 1" }]
jobs:
  check:
    strategy:
      matrix:
        os: [ubuntu-latest, macos-latest]
        python: ["3.11", "3.12", "3.13"]
        experimental: [false]
        include:
          - { os: ubuntu-latest, python: "3.14-dev", experimental: true }
    runs-on: \${{ matrix.os }}
    continue-on-error: \${{ matrix.experimental }}
    steps:
      - uses: actions/checkout@v4
      - uses: astral-sh/setup-uv@v5
        with: { enable-cache: true }
      - run: uv sync --all-extras --dev
      - run: make check
      - uses: dorny/test-reporter@v1
        if: success() || failure()
  nightly:
    if: github.event_name == 'schedule'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: uv run pytest --slow
  publish:
    if: startsWith(github.ref, 'refs/tags/')
    needs: check
    runs-on: ubuntu-latest
    steps:
      - run: uv build && uv run pytest dist
`,
  ),
  style(
    "a monorepo with pnpm and advisory checks",
    policyFor("pnpm run ci"),
    `on:
  push:
    branches: [main, next, '!next-old']
  pull_request:
    branches: [main, next]
jobs:
  ci:
    runs-on: \${{ matrix.os }}
    strategy:
      matrix: { os: [ubuntu-latest, windows-latest], node: [20, 22] }
    steps:
      - uses: actions/checkout@v4
        with: { fetch-depth: 0 }
      - uses: pnpm/action-setup@v4
      - uses: actions/setup-node@v4
        with: { node-version: "\${{ matrix.node }}", cache: pnpm }
      - run: corepack enable
      - run: pnpm install --frozen-lockfile
      - run: pnpm run ci
        env: { CI: "true" }
      - run: pnpm run lint:next || true
      - run: pnpm audit
        continue-on-error: true
  docs:
    needs: ci
    if: \${{ github.repository == 'owner/name' && github.ref == 'refs/heads/main' }}
    runs-on: ubuntu-latest
    steps:
      - run: pnpm run docs:build
      - uses: peaceiris/actions-gh-pages@v4
`,
  ),
  style(
    "the name of the repository, as the policy has it",
    {
      ...POLICY,
      identity: { repository: "https://github.com/Owner/name" },
    },
    `on: [push, pull_request]
jobs:
  gate:
    if: github.repository == 'owner/name' || github.event_name == 'pull_request'
    strategy: { matrix: { deno: [v2.8.x, v2.9.x] } }
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: denoland/setup-deno@v2
        with: { deno-version: "\${{ matrix.deno }}" }
      - if: contains(fromJSON('["push", "pull_request"]'), github.event_name)
        run: >-
          deno task
          preflight
`,
  ),
];
