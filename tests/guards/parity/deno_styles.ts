/**
 * Workflows as Deno projects write them. In none of them the guard has anything to find.
 *
 * @module
 */

import { POLICY } from "./parity_facts.ts";
import { type Style, style } from "./workflow_style.ts";

/** The styles. */
export const DENO_STYLES: readonly Style[] = [
  style(
    "the starter workflow of Deno",
    POLICY,
    `# This workflow uses actions that are not certified.
name: Deno

on:
  push:
    branches: [ main ]
  pull_request:
    branches: [ main ]

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
        run: deno task preflight
        env: { NO_COLOR: 1 }
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
];
