/**
 * Workflows as Deno projects write them that call other files or bring Deno in other ways. In none of
 * them the guard has anything to find.
 *
 * @module
 */

import { POLICY } from "./parity_facts.ts";
import { type Style, style } from "./workflow_style.ts";

/** The styles. */
export const DENO_CALL_STYLES: readonly Style[] = [
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
          # the same as locally
          deno task preflight
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
      - run: apk add git || apt-get install -y git
      - run: deno task preflight
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
      - run: npm ci
      - run: deno task preflight
        working-directory: \${{ github.workspace }}
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
          $versions = @("deno", "git")
          foreach ($one in $versions) { & $one --version }
      - run: deno task preflight
`,
  ),
];
