/**
 * Files of other tools that the fuzzed inputs start from: what declares runtimes, and what says which
 * packages are installed.
 *
 * @module
 */

const PYPROJECT = `[project]
requires-python = ">=3.11,<3.13"
[tool.poetry.dependencies]
python = "^3.11 || ~3.12"
[tool.pixi.dependencies]
python = "3.12.*"
[tool.hatch.envs.test]
python = "3.12"
[tool.tox]
env_list = ["py312"]
[tool.tox.env.lint]
base_python = ["python3.12"]
[tool.mypy]
python_version = "3.12"
`;

const SETUP_CFG = `[options]
python_requires = >=3.11,
  <3.13
[testenv:lint]
basepython = python3.12
[tox]
envlist = py{311,312}-{a,b}, lint
`;

const SETUP_PY = `setup(name="a", python_requires='>=3.11,!=3.11.1')
# /// script
# requires-python = ">=3.11"
# ///
`;

const PACKAGE_JSON = `{"engines": {"node": ">=20 <23 || 24.x", "deno": "~2.9"},
 "volta": {"node": "22.1.0"}, "packageManager": "npm@10.0.0",
 "devEngines": {"runtime": [{"name": "node", "version": "^22"}]},
 "image": "node:22-slim", "features": {"ghcr.io/devcontainers/features/python:1": {"version": "3.12"}}}
`;

const GITLAB = `image: python:3.12
variables: &v { PY: "3.12" }
test:
  image: { name: "node:\${NODE:-22}" }
  services: [ "denoland/deno:2.9.6" ]
  parallel: { matrix: [ { NODE: ["20", "22"] } ] }
  script: [ "uv python install 3.12", "npx node@22 x" ]
`;

const CIRCLE = `version: 2.1
orbs: { node: circleci/node@5.1.0 }
parameters: { v: { type: string, default: "3.12" } }
jobs:
  a:
    docker: [ { image: "cimg/python:<< parameters.v >>" } ]
    steps: [ { node/install: { node-version: "22" } } ]
workflows: { w: { jobs: [ { a: { matrix: { parameters: { v: ["3.11"] } } } } ] } }
`;

const AZURE = `strategy: { matrix: { p: { python.version: "3.12" } } }
steps:
  - task: UsePythonVersion@0
    inputs: { versionSpec: "$(python.version)" }
  - task: NodeTool@0
    inputs: { versionSpec: 22.x }
`;

const OTHER_CI = `language: python
python: ["3.12", "nightly"]
node_js: [ 22 ]
jobs: { include: [ { python: "3.11" } ] }
build: { tools: { python: "3.12", nodejs: "22" } }
default_language_version: { python: python3.12 }
repos: [ { hooks: [ { id: a, language_version: python3.12 } ] } ]
services: { a: { image: "python:3.12@sha256:00", build: { dockerfile_inline: "FROM node:22" } } }
dependencies: [ "python=3.12", "conda-forge::nodejs>=20,<23", { pip: [ a ] } ]
useNodeVersion: 22.1.0
executionEnv: { nodeVersion: 22.1.0 }
`;

/** Files that declare runtimes, by a name that makes a reader take them. */
export const DECLARATIONS: Readonly<Record<string, string>> = {
  "pyproject.toml": PYPROJECT,
  "hatch.toml": '[envs.test]\npython = "3.12"\n[[envs.test.matrix]]\npython = ["3.11", "3.12"]\n',
  "Pipfile": '[requires]\npython_version = "3.12"\n',
  "pixi.toml":
    '[dependencies]\npython = ">=3.11,<3.13"\n[feature.a.target.b.dependencies]\nnodejs = "*"\n',
  "tox.toml": 'env_list = ["3.12"]\n[env_run_base]\nbase_python = ["py312"]\n',
  "mise.toml": '[tools]\nnode = ["22", "lts"]\npython = { version = "3.12" }\n',
  ".prototools": 'node = "~22"\n',
  "setup.cfg": SETUP_CFG,
  "tox.ini": SETUP_CFG,
  "setup.py": SETUP_PY,
  "script.py": SETUP_PY,
  ".nvmrc": "lts/iron\n",
  ".python-version": "3.12.1\npypy3.10 # other\n",
  ".tool-versions": "nodejs 22.1.0 20 # c\npython ref:abc system\n",
  "runtime.txt": "python-3.12.1\n",
  ".npmrc": "use-node-version=22.1.0\n",
  "package.json": PACKAGE_JSON,
  ".devcontainer.json": `// comment\n${PACKAGE_JSON}`,
  ".gitlab-ci.yml": GITLAB,
  ".circleci/config.yml": CIRCLE,
  "azure-pipelines.yml": AZURE,
  ".travis.yml": OTHER_CI,
  ".readthedocs.yaml": OTHER_CI,
  ".pre-commit-config.yaml": OTHER_CI,
  "compose.yaml": OTHER_CI,
  "environment.yml": OTHER_CI,
  "pnpm-workspace.yaml": OTHER_CI,
};

/** Words of what declares versions. */
export const DECLARATION_WORDS: readonly string[] = [
  ...[
    "[",
    "]",
    "[[",
    "{",
    "}",
    '"',
    "'",
    '"""',
    "=",
    ",",
    "#",
    "\n",
    "\\",
    "- ",
    ": ",
    "&a ",
    "*a",
  ],
  ...[
    ">=",
    "<",
    "==",
    "~=",
    "!=",
    "===",
    "^",
    "~",
    "||",
    " - ",
    ".*",
    "x",
    "*",
    "v",
    "rc1",
    ".dev0",
  ],
  ...[
    "99999999999999999999",
    "python",
    "node",
    "lts/*",
    "${",
    "$(",
    "<<",
    ">>",
    "inf",
    "1979-05-27",
  ],
];

const HASH = "sha512-" + "A".repeat(86) + "==";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Lockfiles, by the path at which they are found. */
export const LOCKFILES: Readonly<Record<string, string>> = {
  "package-lock.json": `{"lockfileVersion": 3, "packages": {"": {}, "w": {"version": "1.0.0"},
 "node_modules/a": {"version": "1.0.0", "integrity": "${HASH}"},
 "node_modules/@s/b": {"resolved": "git+ssh://git@x.example/b.git#${COMMIT}"},
 "node_modules/w": {"resolved": "w", "link": true}}}`,
  "npm-shrinkwrap.json":
    `{"dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}}}}`,
  "pnpm-lock.yaml": `lockfileVersion: '9.0'

packages:

  a@1.0.0(b@2.0.0):
    resolution: {integrity: ${HASH}}

  '@s/c@https://codeload.example/c/tar.gz/${COMMIT}':
    resolution: {tarball: https://codeload.example/c/tar.gz/${COMMIT}}
    version: 3.0.0
`,
  "yarn.lock": `# yarn lockfile v1

"@s/a@^1.0.0", "@s/a@~1.0.1":
  version "1.0.1"
  resolved "https://x.example/a.tgz#${COMMIT}"
  integrity ${HASH}

__metadata:
  version: 8

"b@workspace:b":
  version: 0.0.0-use.local
  resolution: "b@workspace:b"
`,
  "deno.lock": `{"version": "5", "specifiers": {"npm:zod@4": "4.0.0", "jsr:@std/a@1": "1.0.0"},
 "jsr": {"@std/a@1.0.0": {"integrity": "${"0".repeat(64)}"}},
 "npm": {"zod@4.0.0": {"integrity": "${HASH}"}}, "remote": {"https://x.example/a.ts": "00"}}`,
};

/** What an installer of Python leaves beside a package. */
export const RECORD = `a/__init__.py,sha256=AAAA,12
"a/with "" and ,.py",sha256=BBBB,1
../../bin/a,sha256=CCCC,3
a-1.0.dist-info/INSTALLER,,
a\\b.pyc,,
`;

/** What runtimes print about themselves. */
export const ANSWERS: readonly string[] = [
  `noise\nkprov:{"version": "3.12.1", "implementation": "CPython", "executable": "/usr/bin/python3",
 "conda": null, "packages": [{"name": "a", "version": "1", "direct_url": {"url": "https://u:p@x.example/a",
 "vcs_info": {"commit_id": "${COMMIT}"}}, "sha256": "00"}]}`.replaceAll("\n ", " "),
  `Property settings:\n    java.home = /usr/lib/jvm\n    java.version = 21.0.1\n    java.vendor = A\n\nopenjdk`,
  "go1.22.1\n/usr/local/go\n",
];

/** A script with what kprov looks for in scripts. */
export const SCRIPT = `set -euo pipefail
FOO=1 uv run --with a pytest -q "$X" || exit 1
for f in *.py; do ruff check "$f"; done
bash -c 'npm run test' && (cd a; deno task check) | tee log
cat <<EOF
make check
EOF
if [[ $a == b* ]]; then timeout 5 env -u X make check; fi
`;

/** Words of a shell. */
export const SHELL_WORDS: readonly string[] = [
  ...["$(", ")", "`", "'", '"', "${", "}", "((", "))", "<<EOF\n", "EOF\n", "<<-'E'\n", "\\\n", "|"],
  ...["&&", "||", ";", "case x in", "esac", "[[", "if ", "then ", "fi", "do ", "done", "#", ">&2"],
  ...[
    "bash -c '",
    "eval ",
    "$'\\",
    "make check",
    "uv run ",
    "function f {",
    "\0",
    "\r\n",
    "!",
    "&",
  ],
];

/** Expressions of GitHub's workflows. */
export const EXPRESSIONS: readonly string[] = [
  "github.ref == 'refs/heads/main' && !cancelled()",
  "matrix.deno || fromJSON('[1, 2]')[0]",
  "contains(github.event.pull_request.labels.*.name, 'x') && hashFiles('**') != ''",
  "format('{0} {{1}}', join(matrix.*, ',')) >= 0xff || -1.5e3 < inputs['a']",
];

/** Words of these expressions. */
export const EXPRESSION_WORDS: readonly string[] = [
  ...["(", ")", "[", "]", ".", "*", ",", "'", "''", "!", "==", "!=", "<=", "&&", "||", "null"],
  ...["NaN", "Infinity", "0x", "0o", "1e999", "github.", "matrix.", "fromJSON(", "toJSON("],
  ...["format(", "contains(", "startsWith(", "always()", "}}", "${{", "{0}", "{{", "__proto__"],
];

/** A configuration of git. */
export const GIT_CONFIG = `[core]
\trepositoryformatversion = 1
[extensions]
\tobjectformat = sha1 ; c
[remote "ori\\"gin"]
\turl = git@x.example:a/b.git # c
[remote "origin"] url = "https://u:p@x.example/a b\\t.git?token=1" \\
  x
\tbare
`;
