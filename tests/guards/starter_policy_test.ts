import type { FileContent, RepositoryFacts } from "../../src/guards/guard.ts";
import { parsePolicy } from "../../src/guards/policy.ts";
import {
  buildStarterPolicy,
  MANIFEST_PATHS,
  parseManifest,
  type StarterPolicy,
  toCanonicalUrl,
  WIDE_POLICY,
} from "../../src/guards/starter_policy.ts";
import { RUNTIME } from "../../src/guards/runtime/runtime.ts";
import { parseYamlFile } from "../../src/guards/actions/yaml.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const URLS: readonly (readonly [address: string, expected: string | null])[] = [
  ["https://github.com/acme/etl.git", "https://github.com/acme/etl"],
  ["https://github.com/acme/etl/", "https://github.com/acme/etl"],
  ["github.com:acme/etl.git", "https://github.com/acme/etl"],
  ["git@github.com:acme/etl.git", "https://github.com/acme/etl"],
  ["git@github.com:/acme/etl.git", "https://github.com/acme/etl"],
  ["ssh://git@example.org:2222/acme/etl", "https://example.org/acme/etl"],
  ["https://example.org:8443/acme/etl.git", "https://example.org:8443/acme/etl"],
  ["https://example.org:443/acme/etl", "https://example.org/acme/etl"],
  ["https://git.example.org/group/sub/etl", "https://git.example.org/group/sub/etl"],
  ["git+https://github.com/acme/etl.git", "https://github.com/acme/etl"],
  ["git+ssh://git@github.com/acme/etl.git#main", "https://github.com/acme/etl"],
  ["github:acme/etl", "https://github.com/acme/etl"],
  ["gitlab:acme/etl", "https://gitlab.com/acme/etl"],
  ["acme/etl", "https://github.com/acme/etl"],
  ["git@ssh.dev.azure.com:v3/acme/data/etl", "https://dev.azure.com/acme/data/_git/etl"],
  ["acme@vs-ssh.visualstudio.com:v3/acme/data/etl", "https://dev.azure.com/acme/data/_git/etl"],
  ["https://acme@dev.azure.com/acme/data/_git/etl", "https://dev.azure.com/acme/data/_git/etl"],
  [" https://github.com/acme/etl.git\n", "https://github.com/acme/etl"],
  ["git@example.org:v3/acme/data/etl", "https://example.org/v3/acme/data/etl"],
  ["git@ssh.dev.azure.com:acme/etl", "https://ssh.dev.azure.com/acme/etl"],
  ["localhost:acme", null],
  ["", null],
];

for (const [address, expected] of URLS) {
  Deno.test(`toCanonicalUrl() makes ${expected} of "${address}"`, PURE, () => {
    assertEquals(toCanonicalUrl(address), expected);
  });
}

type Files = Readonly<Record<string, string>>;

function build(files: Files, origin: string | null = null): StarterPolicy {
  const entries = Object.entries(files).map(([path, text]): readonly [string, FileContent] => [
    path,
    { ok: true, bytes: new TextEncoder().encode(text) },
  ]);
  const repository: RepositoryFacts = {
    tracked: entries.map(([path]) => ({ path, kind: "file" })),
    contents: new Map(entries.filter(([path]) => RUNTIME.wantsContent(path, WIDE_POLICY))),
    yaml: new Map(
      entries.filter(([path]) => RUNTIME.wantsYaml(path, WIDE_POLICY))
        .map(([path, content]) => [path, parseYamlFile(content, path)]),
    ),
    hits: [],
    runningDeno: "2.9.6",
    governance: null,
  };
  const manifests = MANIFEST_PATHS.flatMap((path) => {
    const text = files[path];
    return text === undefined ? [] : [parseManifest(path, text)];
  });
  const remote = origin === null ? null : { name: "origin", url: origin };
  const project = { manifests, origin: remote, repository, denoRange: ">=2.8.2 <2.10.0" };
  const starter = buildStarterPolicy(project, "docs/governance/policy.json");
  assertEquals(parsePolicy(starter.policy, "the policy"), starter.policy);
  return starter;
}

Deno.test("buildStarterPolicy() makes a policy of what there is", PURE, () => {
  const sections = (files: Files, origin: string | null = null): string =>
    Object.keys(build(files, origin).policy).slice(1).join(" ");
  assertEquals(sections({}), "artifacts");
  assertEquals(sections({}, "git@github.com:a/b.git"), "identity artifacts");
  assertEquals(
    sections({ "deno.json": '{"name": "@a/b", "version": "1.0.0"}' }),
    "identity artifacts runtime lock",
  );
  assertEquals(sections({ "pyproject.toml": '[project]\nname = "etl"\n' }), "identity artifacts");
  assertEquals(sections({ "package.json": "{}" }), "artifacts");
});

Deno.test(
  "buildStarterPolicy() takes the name of the manifest that the repository is called by",
  PURE,
  () => {
    const name = (files: Files, origin: string | null = null): string | undefined =>
      build(files, origin).policy.identity?.technical_name;
    const files = {
      "package.json": '{"name": "etl-docs", "private": true}',
      "pyproject.toml": '[project]\nname = "acme_etl"\n',
    };
    assertEquals(name(files), "acme_etl");
    assertEquals(name(files, "https://github.com/acme/acme-etl"), "acme_etl");
    assertEquals(name(files, "https://github.com/acme/etl-docs"), "etl-docs");
    // A scope is no part of it, and a manifest without a name or that is not published is passed over.
    const scoped = { "deno.json": '{"name": "another"}', "package.json": '{"name": "@acme/etl"}' };
    assertEquals(name(scoped, "https://github.com/acme/etl"), "@acme/etl");
    assertEquals(name({ "pyproject.toml": "", "package.json": '{"name": "b"}' }), "b");
    const monorepo = {
      "package.json": '{"name": "root", "private": true}',
      "setup.cfg": "[metadata]\nname = published\n",
    };
    assertEquals(name(monorepo), "published");
    assertEquals(name({ ...monorepo, "package.json": '{"name": "root", "private": "x"}' }), "root");
    assertEquals(name({ "package.json": '{"name": "a", "private": true}' }), "a");
    assertEquals(name({ "Cargo.toml": "[workspace]\n" }, "https://github.com/acme/tool"), "tool");
    assertEquals(name({ "setup.cfg": "[metadata]\nname = old\n[options]\nname = x\n" }), "old");
    assertEquals(name({ "pyproject.toml": '[tool.poetry]\nname = "p"\n' }), "p");
  },
);

const SETUP = `from setuptools import setup
# setup(name="old")
setup(
    name='acme-etl',
    url="https://github.com/acme/etl",
    version=read("VERSION"),
)
`;

/** Manifests that no pointer leads into, and pages that are repositories. */
const NAMED: readonly (readonly [string, string, string | undefined, string | undefined])[] = [
  ["setup.py", SETUP, "acme-etl", "acme/etl"],
  ["setup.py", "setup(name=NAME, url='https://acme.example/x')", undefined, undefined],
  ["setup.py", 'name = "x"\nsetup(**config)', undefined, undefined],
  ["setup.cfg", "[metadata]\nname = a\nurl = https://github.com/acme/etl\n", "a", "acme/etl"],
  ["setup.cfg", "[metadata]\nname = a\nurl = https://a.example/b/c\n", "a", undefined],
  [
    "setup.cfg",
    "[metadata]\nname = a\nurl = https://github.com/x/y\nproject_urls =\n" +
    "    Docs = https://github.com/acme/docs\n    Source Code = https://github.com/acme/etl\n",
    "a",
    "acme/etl",
  ],
  ["pixi.toml", '[workspace]\nname = "a"\nversion = "1.0.0"\n', "a", undefined],
  ["pixi.toml", '[project]\nname = "a"\nhomepage = "https://github.com/acme/etl"', "a", "acme/etl"],
  [
    "DESCRIPTION",
    "Package: acmeR\nVersion: 1.0\nURL: https://acme.example/,\n  https://github.com/acme/etl/\n",
    "acmeR",
    "acme/etl",
  ],
  ["DESCRIPTION", "What this is.\nURL: https://github.com/acme/etl\n", undefined, undefined],
  [
    "pyproject.toml",
    '[project]\nname = "a"\n[project.urls]\nHomepage = "https://github.com/acme/etl"\n',
    "a",
    "acme/etl",
  ],
  [
    "pyproject.toml",
    '[project]\nname = "a"\n[project.urls]\nHomepage = "https://acme.example/a/b"\n',
    "a",
    undefined,
  ],
  [
    "package.json",
    '{"name": "a", "homepage": "https://github.com/acme/etl#readme"}',
    "a",
    "acme/etl",
  ],
  ["package.json", '{"name": "a", "homepage": "https://github.com/acme"}', "a", undefined],
];

for (const [path, text, name, repository] of NAMED) {
  Deno.test(
    `buildStarterPolicy() takes ${name} of ${repository} from ${path}: ${text.slice(0, 60)}`,
    PURE,
    () => {
      const { identity } = build({ [path]: text }).policy;
      assertEquals(identity?.technical_name, name);
      const url = repository === undefined ? undefined : `https://github.com/${repository}`;
      assertEquals(identity?.repository, url);
    },
  );
}

Deno.test("buildStarterPolicy() takes a manifest's URL before that of a fork", PURE, () => {
  const url = (files: Files): string | undefined =>
    build(files, "git@github.com:me/fork.git").policy.identity?.repository;
  assertEquals(url({}), "https://github.com/me/fork");
  const theirs = "https://github.com/acme/etl";
  assertEquals(url({ "package.json": `{"name": "a", "repository": "acme/etl"}` }), theirs);
  assertEquals(
    url({ "package.json": `{"name": "a", "repository": {"url": "git+${theirs}.git"}}` }),
    theirs,
  );
  assertEquals(
    url({ "pyproject.toml": `[project]\nname = "a"\n[project.urls]\nSource = "${theirs}"\n` }),
    theirs,
  );
  assertEquals(
    url({ "Cargo.toml": `[package]\nname = "a"\nrepository = "${theirs}"\n` }),
    theirs,
  );
});

Deno.test("buildStarterPolicy() takes the repository of a manifest without a name", PURE, () => {
  const files = {
    "Cargo.toml": '[workspace.package]\nrepository = "https://github.com/acme/etl"\n',
  };
  assertEquals(build(files).policy.identity, { repository: "https://github.com/acme/etl" });
});

Deno.test("parseManifest() takes what is there", PURE, () => {
  const nothing = { name: null, namePointer: null, version: null, repository: null };
  const rest = { isPrivate: false, fault: null };
  assertEquals(
    parseManifest("package.json", '{"name": "", "version": "", "repository": {"url": ""}}'),
    { path: "package.json", ...nothing, ...rest },
  );
  const project = '[project]\nname = ""\n[project.urls]\nHomepage = "https://example.org/a"\n';
  assertEquals(parseManifest("pyproject.toml", `${project}Source = 1\n`), {
    ...{ path: "pyproject.toml", ...nothing, ...rest },
  });
  assertEquals(parseManifest("pyproject.toml", `${project}GitHub = "https://example.org/b"\n`), {
    ...{ path: "pyproject.toml", ...nothing, ...rest },
    repository: "https://example.org/b",
  });
  assertEquals(parseManifest("setup.cfg", "[metadata]\nname = attr: a.b\n"), {
    ...{ path: "setup.cfg", ...nothing, ...rest },
  });
});

const SCRIPT_BLOCK = '# /// script\n# requires-python = ">=3.6"\n# ///\n';

Deno.test("buildStarterPolicy() spans a range around what is declared", PURE, () => {
  const runtime = (files: Files): unknown => build(files).policy.runtime;
  assertEquals(
    runtime({ "pyproject.toml": '[project]\nrequires-python = ">=3.11,<3.13"\n' }),
    { python: ">=3.11,<3.13" },
  );
  assertEquals(runtime({ ".python-version": "3.12.4\n" }), { python: ">=3.12.4,<3.13" });
  assertEquals(
    runtime({ "package.json": '{"engines": {"node": ">=20"}}', ".nvmrc": "18.1.0\n" }),
    { node: ">=20" },
  );
  // A manifest says what the project means; what differs is a finding from the start.
  assertEquals(
    runtime({ "setup.cfg": "[options]\npython_requires = >=3.11\n", ".python-version": "3.9\n" }),
    { python: ">=3.11" },
  );
  assertEquals(
    runtime({
      "py/pyproject.toml": '[project]\nrequires-python = ">=3.10"\n',
      "docs/setup.cfg": "[options]\npython_requires = >=3.6\n",
      "a/b/setup.py": 'setup(python_requires=">=2.7")\n',
    }),
    { python: ">=3.10" },
  );
  // Neither fixtures nor examples do, as long as the root or a workflow says something.
  assertEquals(
    runtime({ ".python-version": "3.12\n", "tests/a.py": SCRIPT_BLOCK, "x/.nvmrc": "16\n" }),
    { node: ">=16 <17", python: ">=3.12,<3.13" },
  );
  assertEquals(runtime({ ".nvmrc": "22\n" }), { node: ">=22 <23" });
  // What a manifest pins is one version of several; what it allows counts alone.
  const pinned = '{"volta": {"node": "20.1.0"}}';
  assertEquals(runtime({ ".nvmrc": "22\n", "package.json": pinned }), { node: ">=20.1 <23" });
  const setup = (version: string): Files =>
    WORKFLOW(`      - uses: actions/setup-node@v4\n        with: {node-version: "${version}"}\n`);
  assertEquals(runtime({ "package.json": pinned }), { node: ">=20.1 <21" });
  assertEquals(runtime({ ...setup("22"), "web/package.json": pinned }), { node: ">=22 <23" });
  assertEquals(runtime({ ...setup("22"), "docs/.nvmrc": "18\n" }), { node: ">=22 <23" });
  // A pre-release is tried, not supported.
  assertEquals(runtime({ ".python-version": "3.13\n3.14.0rc1\n" }), { python: ">=3.13,<3.14" });
  assertEquals(runtime({ ".nvmrc": "lts/*\n" }), undefined);
  assertEquals(runtime({ "deno.json": "{}" }), { deno: ">=2.8.2 <2.10.0" });
});

const WORKFLOW = (steps: string, on = "[push, pull_request]"): Files => ({
  ".github/workflows/ci.yml":
    `on: ${on}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n${steps}`,
});

Deno.test(
  "buildStarterPolicy() finds the workflow and the command that is nearest to a gate",
  PURE,
  () => {
    const parity = (files: Files): unknown => build(files).policy.parity;
    const workflow = ".github/workflows/ci.yml";
    assertEquals(parity(WORKFLOW("      - run: make install\n      - run: make check\n")), {
      workflow,
      command: "make check",
    });
    assertEquals(parity(WORKFLOW("      - run: make install\n")), undefined);
    // The gate that only pushes pass is farther from one.
    assertEquals(
      parity({
        ".github/workflows/a.yml": WORKFLOW("      - run: npm test\n", "push")[workflow] ?? "",
        ...WORKFLOW("      - run: pytest\n"),
      }),
      { workflow, command: "pytest" },
    );
  },
);

Deno.test("buildStarterPolicy() takes the main workflow before one with fewer faults", PURE, () => {
  const parity = (files: Files): unknown => build(files).policy.parity;
  const workflow = ".github/workflows/ci.yml";
  const main = WORKFLOW("      - run: cargo test --all\n      - run: cargo test\n");
  const [text = ""] = Object.values(WORKFLOW("      - run: semgrep scan\n"));
  // Of commands with as many faults the shortest.
  assertEquals(parity({ ...main, ".github/workflows/audit.yml": text }), {
    workflow,
    command: "cargo test",
  });
  // A command whose output goes elsewhere is none that people run.
  const piped = WORKFLOW("      - run: cargo test > report\n      - run: cargo clippy\n");
  assertEquals(parity(piped), { workflow, command: "cargo clippy" });
  // What no push starts is no gate, whatever it is called.
  const [nightly = ""] = Object.values(WORKFLOW("      - run: cargo test\n", "schedule"));
  assertEquals(parity({ [workflow]: nightly, ".github/workflows/audit.yml": text }), {
    workflow: ".github/workflows/audit.yml",
    command: "semgrep scan",
  });
});

Deno.test("buildStarterPolicy() takes one command, in a block too", PURE, () => {
  const command = (steps: string): unknown => build(WORKFLOW(steps)).policy.parity?.command;
  assertEquals(command("      - run: |\n          deno test\n"), "deno test");
  assertEquals(command("      - run: deno lint; deno test\n"), undefined);
  // Of two as long, the one whose failure counts.
  const swallowed = "      - run: make check\n        continue-on-error: true\n";
  assertEquals(command(`${swallowed}      - run: make tests\n`), "make tests");
});

Deno.test("buildStarterPolicy() tries the main workflow's commands first", PURE, () => {
  const steps = Array.from({ length: 25 }, (_, i) => `      - run: make check-${i}\n`).join("");
  const [many = ""] = Object.values(WORKFLOW(steps));
  const files = { ".github/workflows/a.yml": many, ...WORKFLOW("      - run: make lint\n") };
  assertEquals(build(files).policy.parity?.command, "make lint");
});

Deno.test("buildStarterPolicy() points to the name, in TOML too", PURE, () => {
  const surfaces = (files: Files): unknown => build(files).policy.identity?.surfaces;
  assertEquals(surfaces({ "pyproject.toml": '[tool.poetry]\nname = "p"\n' }), [
    { path: "pyproject.toml", pointer: "/tool/poetry/name", equals: "p" },
  ]);
  assertEquals(surfaces({ "setup.cfg": "[metadata]\nname = old\n" }), [
    { path: "setup.cfg", contains: "old" },
  ]);
});

Deno.test("buildStarterPolicy() names three of many sources", PURE, () => {
  const paths = ["a", "b", "c", "d", "e"].map((name) => `${name}/.nvmrc`);
  const name = (paths: readonly string[]): string | undefined =>
    build(Object.fromEntries(paths.map((path) => [path, "22\n"]))).notes[0];
  assertEquals(name(paths), "node >=22 <23 is from a/.nvmrc, b/.nvmrc, c/.nvmrc and 2 more");
  assertEquals(name(paths.slice(2)), "node >=22 <23 is from c/.nvmrc, d/.nvmrc, e/.nvmrc");
  assertEquals(
    build({ "deno.json": "{}" }).notes[0],
    "deno >=2.8.2 <2.10.0 is from what kprov supports",
  );
});

Deno.test("buildStarterPolicy() governs the rules, and no workflow", PURE, () => {
  const files = {
    ...WORKFLOW("      - run: make check\n"),
    "pyproject.toml": '[project]\nname = "a"\nversion = "1.0"\n',
  };
  assertEquals(build(files).policy.lock, {
    path: "docs/governance/governance.lock.json",
    version_from: { path: "pyproject.toml", pointer: "/project/version" },
    governs: ["docs/governance/policy.json"],
  });
});

Deno.test(
  "buildStarterPolicy() says what it took from where, and what it could not read",
  PURE,
  () => {
    const { notes } = build({
      "package.json": '{"name": "etl"',
      "pyproject.toml": '[project]\nname = "etl"\nrequires-python = ">=3.11"\n',
      ...WORKFLOW("      - run: pytest\n"),
    }, "https://github.com/acme/etl");
    assertStringIncludes(notes[0] ?? "", "package.json cannot be read: it is not JSON");
    assertEquals(notes.slice(1), [
      'the name "etl" is from pyproject.toml',
      'the repository "https://github.com/acme/etl" is from git\'s remote origin',
      "python >=3.11 is from pyproject.toml",
      "no lock is taken, since no manifest has a version",
      'the command "pytest" is from .github/workflows/ci.yml',
    ]);
  },
);
