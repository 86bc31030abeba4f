/**
 * What the fuzzed inputs are made of: texts to start from, and words to put into them.
 *
 * @module
 */

/** Words of JSON, and numbers and names at its edges. */
export const JSON_WORDS: readonly string[] = [
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "null",
  "-0",
  "1e400",
  "\\u",
  "\\ud800",
  "__proto__",
];

/** Words of YAML and of the expressions of a workflow. */
export const YAML_WORDS: readonly string[] = [
  "&a ",
  "*a",
  "<<: ",
  "- ",
  "? ",
  ": ",
  "!!str ",
  "|\n",
  "#",
  "\t",
  "${{ ",
  " }}",
  "[",
  "{",
  "'",
  '"',
];

/** Words of a Dockerfile. */
export const DOCKER_WORDS: readonly string[] = [
  "FROM ",
  "LABEL ",
  "ARG ",
  "\\\n",
  "<<EOF\n",
  "${a:-",
  "}",
  "'",
  '"',
  " AS ",
  "# escape=`\n",
];

/** A policy with each of the guards that read a workflow or a Dockerfile. */
export const POLICY = {
  schema: "kprovengine.policy.v1",
  identity: {
    technical_name: "acme-etl",
    dockerfiles: ["Dockerfile"],
    docker_labels: { "org.opencontainers.image.title": "acme-etl" },
  },
  runtime: { deno: ">=2.8.2 <2.10.0", node: ">=20 <23 || ^24", python: ">=3.11 <3.13" },
  parity: { workflow: ".github/workflows/ci.yml", command: "make check" },
};

/** A workflow that the policy admits, with expressions and a matrix. */
export const WORKFLOW = `on: [push, pull_request]
jobs:
  check:
    if: \${{ github.ref == 'refs/heads/main' && !cancelled() }}
    strategy: { matrix: { deno: ["2.8.2", "2.9"], include: [{ deno: 2.9.6 }] } }
    steps:
      - uses: denoland/setup-deno@v2
        with: { deno-version: \${{ matrix.deno }} }
      - run: make check
`;

/** A Dockerfile with arguments, stages and a here-document. */
export const DOCKERFILE = `ARG version=2.9.6
FROM denoland/deno:\${version:-2.9.6} AS base
LABEL org.opencontainers.image.title="acme-etl" \\
  a=b
FROM python:3.12
COPY --from=base <<EOF /a
x
EOF
`;
