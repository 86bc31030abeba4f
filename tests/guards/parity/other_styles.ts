/**
 * Workflows as Node and Python projects, and organisations with rules of their own, write them. In none
 * of them the guard has anything to find.
 *
 * @module
 */

import { POLICY, policyFor } from "./parity_facts.ts";
import { type Style, style } from "./workflow_style.ts";

/** The styles. */
export const OTHER_STYLES: readonly Style[] = [
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
