import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { assertCases, type Case, checkDeclared } from "./runtime_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

Deno.test("runtime judges version files of one runtime", PURE, () => {
  assertCases([
    [".dvmrc", "2.9.6\n", []],
    [".dvmrc", "v2.9.6", []],
    [".dvmrc", "2.7.0\n", ["out_of_range 1:1"]],
    [".nvmrc", "v20.1.0\n", []],
    [".nvmrc", "20", []],
    // npm's form of a range, which PEP 440 does not have.
    [".nvmrc", "~20.1", []],
    [".python-version", "~3.12", ["unpinned 1:1"]],
    [".nvmrc", "# the line below\n\n  18  # old\n", ["out_of_range 3:3"]],
    [".nvmrc", "lts/*\n", ["unpinned 1:1"]],
    [".nvmrc", "lts/iron\n", []],
    [".nvmrc", "lts/hydrogen\n", ["out_of_range 1:1"]],
    // Python's form of a pre-release, and Node's names, are theirs alone.
    [".nvmrc", "22.1.0rc1\n", ["unpinned 1:1"]],
    [".dvmrc", "iron\n", ["unpinned 1:1"]],
    [".nvmrc", "node\n", ["unpinned 1:1"]],
    [".nvmrc", "", ["unpinned 1:1"]],
    [".nvmrc", "# nothing\n", ["unpinned 1:1"]],
    [".node-version", "22.1.0\r\n", []],
    [".node-version", "18.x\r\n", ["out_of_range 1:1"]],
    [".python-version", "3.12\n", []],
    [".python-version", "3.12.1\n3.9\n3.11\n", ["out_of_range 2:1"]],
    [".python-version", "3.12t\n", []],
    [".python-version", "3.10\n", ["out_of_range 1:1"]],
    [".python-version", ">=3.11,<3.13\n", []],
    [".python-version", "~=3.11\n", ["out_of_range 1:1"]],
    [".python-version", "system\n", ["unpinned 1:1"]],
    [".python-version", "pypy3.11-7.3.19\n", []],
    [".python-version", "pypy3.10-7.3.19\n", ["out_of_range 1:1"]],
    [".python-version", "cpython@3.12\n", []],
    [".python-versions", "3.12.1\ncpython-3.9.1-linux-x86_64-gnu\n", ["out_of_range 2:1"]],
    [".python-version", "my-virtualenv\n", ["unpinned 1:1"]],
    ["deep/er/.nvmrc", "18", ["out_of_range 1:1"]],
    ["x.nvmrc", "18", []],
    ["node_modules/x/.nvmrc", "18", []],
  ]);
});

Deno.test("runtime judges every version of every tool in .tool-versions", PURE, () => {
  assertCases([
    [".tool-versions", "deno 2.9.6\nnodejs 20.1.0\npython 3.12.1 3.11.9\nruby 2.7\n", []],
    [".tool-versions", "deno 2.7.0 # why\n", ["out_of_range 1:6"]],
    [".tool-versions", "node 18\n", ["out_of_range 1:6"]],
    [".tool-versions", "python 3.12.1 3.10.4 system\n", ["out_of_range 1:15", "unpinned 1:22"]],
    [".tool-versions", "nodejs ref:v20\n", ["unpinned 1:8"]],
    [".tool-versions", "nodejs path:/opt/node\n", ["unpinned 1:8"]],
    [".tool-versions", "nodejs latest:22\n", ["unpinned 1:8"]],
    [".tool-versions", "nodejs\n", ["unpinned 1:1"]],
    [".tool-versions", "# deno 1.0.0\n\n", []],
  ]);
});

Deno.test("runtime judges engines and volta in package.json", PURE, () => {
  const engines = (node: string, ...findings: string[]): Case => [
    "package.json",
    `{\n  "name": "x",\n  "engines": {"node": ${node}}\n}\n`,
    findings,
  ];
  assertCases([
    engines('">=20"'),
    engines('"^20.1 || >=22"'),
    engines('"20 - 22"'),
    engines('">=18"', "out_of_range 3:23"),
    engines('"^18 || ^20"', "out_of_range 3:23"),
    engines('"*"', "unpinned 3:23"),
    engines('""', "unpinned 3:23"),
    engines('"lts"', "unpinned 3:23"),
    engines('">=22 <20"', "unpinned 3:23"),
    engines('" "', "unpinned 3:23"),
    // A name that version managers know is no range to npm.
    engines('"lts/iron"', "unpinned 3:23"),
    [
      "package.json",
      '{"devEngines": {"runtime": {"name": "node", "version": "lts/iron"}}}',
      ["unpinned 1:56"],
    ],
    engines("20", "unpinned 3:23"),
    ["package.json", "{}", []],
    ["package.json", "[]", []],
    ["package.json", '{"engines": null}', []],
    ["package.json", '{"engines": {"npm": "1", "deno": "2.9.x"}}', []],
    ["a/package.json", '{"engines": {"deno": "^2"}}', ["out_of_range 1:22"]],
    ["package.json", '{"volta": {"node": "20.1.0"}}', []],
    ["package.json", '{"volta": {"node": "18.1.0"}}', ["out_of_range 1:20"]],
    ["node_modules/a/package.json", '{"engines": {"node": "*"}}', []],
  ]);
});

Deno.test("runtime shows what a file declares, by its last name", PURE, () => {
  assertEquals(checkDeclared({ "a/.nvmrc": "18 # old\n" }), [
    'runtime.out_of_range a/.nvmrc:1:1 .nvmrc declares node "18", which is not inside the ' +
    'policy\'s ">=20"',
  ]);
  assertEquals(checkDeclared({ "package.json": '{"engines": {"node": [20]}, "name": "x"}' }), [
    'runtime.unpinned package.json:1:22 engines.node "[20]" does not pin node: it is not a text',
  ]);
  assertEquals(checkDeclared({ ".npmrc": " use-node-version = 18\n" }), [
    'runtime.out_of_range .npmrc:1:2 use-node-version declares node "18", which is not inside ' +
    'the policy\'s ">=20"',
  ]);
});

Deno.test("runtime judges requires-python and Poetry's python", PURE, () => {
  const project = (value: string, ...findings: string[]): Case => [
    "pyproject.toml",
    `[build-system]\nrequires = []\n\n[project]\nname = "x"\nrequires-python = ${value}\n`,
    findings,
  ];
  const poetry = (value: string, ...findings: string[]): Case => [
    "pyproject.toml",
    `[tool.poetry.dependencies]\n  python = ${value}\n`,
    findings,
  ];
  assertCases([
    project('">=3.11,<3.13"'),
    project("'~=3.11.4'"),
    project('">= 3.11, != 3.12.3, < 3.13"'),
    project('">=3.11"', "out_of_range 6:1"),
    project('"==3.10.*"', "out_of_range 6:1"),
    project('">=3.12.dev1"', "unpinned 6:1"),
    project('"===3.12"', "unpinned 6:1"),
    project('""', "unpinned 6:1"),
    project("3.12", "unpinned 6:1"),
    poetry('">=3.11,<3.13"'),
    poetry('"~3.12"'),
    poetry('"^3.11"', "out_of_range 2:3"),
    poetry('{version = "^3.11", optional = true}', "out_of_range 2:3"),
    poetry('{git = "x"}', "unpinned 2:3"),
    poetry('[{version = "~3.11"}, {version = "~3.10"}]', "out_of_range 2:3"),
    poetry('"*"', "unpinned 2:3"),
    ["pyproject.toml", 'project.requires-python = ">=3.9"\n', ["out_of_range 1:1"]],
    ["pyproject.toml", '["project"]\n"requires-python" = ">=3.9"', ["out_of_range 2:1"]],
    ["pyproject.toml", 'python = "3.9"\n[tool.poetry]\nname = "x"\n', []],
    ["pyproject.toml", "", []],
  ]);
});

Deno.test("runtime finds what it cannot read", PURE, () => {
  const latin1 = new Uint8Array([0x32, 0x30, 0xe4]);
  const cases: [string, string | Uint8Array, string][] = [
    [
      ".nvmrc",
      latin1,
      "null:null it may declare a runtime and cannot be read: it is not valid UTF-8",
    ],
    ["Dockerfile", latin1, "it is not valid UTF-8"],
    ["Dockerfile", "#".repeat(2 ** 20 + 1), "it is larger than 1048576 bytes"],
    ["package.json", "{", "it is not JSON"],
    ["package.json", '{"engines": 1, "engines": 2}', 'it has the key "engines" twice'],
    ["package.json", "[".repeat(100_000), "it is nested deeper than 64"],
    [".nvmrc", "\ufeff22\n", "it starts with a byte order mark"],
    ["pyproject.toml", "\ufeff", "it starts with a byte order mark"],
    ["pyproject.toml", "[project\n", "it is not TOML"],
    ["pyproject.toml", '[project]\nname = "a"\nname = "b"\n', "it is not TOML"],
    ["pyproject.toml", `a = ${"[".repeat(100_000)}`, "it is not TOML"],
    [".github/workflows/ci.yml", "jobs: [", "1:8 it may declare a runtime and cannot be read"],
    [
      ".github/workflows/ci.yml",
      "a: 1\na: 2\n",
      '2:1 it may declare a runtime and cannot be read: it has the key "a" twice',
    ],
    ["action.yml", latin1, "it is not valid UTF-8"],
  ];
  for (const [path, content, message] of cases) {
    const found = checkDeclared({ [path]: content });
    assertEquals(found.length, 1, `${path}: ${message}`);
    assertStringIncludes(found[0] ?? "", `runtime.unpinned ${path}:`);
    assertStringIncludes(found[0] ?? "", message);
  }
});
