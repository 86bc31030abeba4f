import fc from "fast-check";
import {
  type Change,
  compareUtf8,
  diffRuns,
  type EndedCommand,
  type RecordedPackage,
  type RecordedRuntime,
  type Run,
  type RunFacts,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { nameUpstreamRuns } from "../../src/evidence/diff.ts";
import { makeRun } from "../make_run.ts";
import { makeLineage } from "./sample_lineage.ts";
import {
  digestOf,
  SAMPLE_CIRCUMSTANCES,
  SAMPLE_COMMAND_FACTS,
  SAMPLE_FACTS,
} from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const BASE: RunFacts = { ...SAMPLE_FACTS, inputs: ["README.md", "data"] };
const COMMAND: RunFacts = { ...SAMPLE_COMMAND_FACTS, inputs: ["README.md", "data"] };
const [first, ...rest] = BASE.materials;
assert(first !== undefined && COMMAND.command !== undefined);

const [python, ...more] = COMMAND.toolchain.runtimes ?? [];
const [pandas, ...others] = python?.packages ?? [];
assert(python !== undefined && pandas !== undefined);
const PYTHON = python;
const PANDAS = { ...pandas, version: "2.1.1" };

function withPython(change: Partial<RecordedRuntime>): RunFacts {
  const runtimes = [{ ...PYTHON, ...change }, ...more];
  return { ...COMMAND, toolchain: { ...COMMAND.toolchain, runtimes } };
}

function withEnd(change: Partial<EndedCommand>): RunFacts {
  assert(COMMAND.command !== undefined);
  return { ...COMMAND, command: { ...COMMAND.command, ...change } };
}

const CASES: readonly (readonly [
  what: string,
  before: RunFacts,
  after: RunFacts,
  changes: readonly (readonly [kind: string, change: string, name: string])[],
])[] = [
  ["nothing for the same facts", BASE, BASE, []],
  ["a changed input once, though it is the subject too", BASE, {
    ...BASE,
    materials: [{ ...first, sha256: digestOf("0") }, ...rest],
  }, [["input", "changed", first.name]]],
  ["an input that became a link to the same bytes", BASE, {
    ...BASE,
    materials: [{ ...first, kind: "symlink" }, ...rest],
  }, [["input", "changed", first.name]]],
  ["an input that is gone", BASE, { ...BASE, materials: rest }, [["input", "removed", first.name]]],
  ["an exclusion that is new", BASE, { ...BASE, exclude: [...BASE.exclude, "*.bak"] }, [
    ["parameter", "added", "exclude *.bak"],
  ]],
  ["a shard of the same content", BASE, { ...BASE, shard: { count: 1, index: 1 } }, [
    ["parameter", "added", "shard"],
  ]],
  ["a runtime that was updated", BASE, {
    ...BASE,
    toolchain: { ...BASE.toolchain, runtime: { ...BASE.toolchain.runtime, deno: "2.9.5" } },
  }, [["toolchain", "changed", "deno"]]],
  ["a package that was updated", BASE, {
    ...BASE,
    toolchain: {
      ...BASE.toolchain,
      lockfile: {
        sha256: digestOf("0"),
        packages: [{ name: "zod", version: "4.7.0", integrity: "sha512-BBBB" }],
      },
    },
  }, [["toolchain", "changed", "lockfile"], ["toolchain", "changed", "package zod"]]],
  ["a product that came out otherwise", COMMAND, {
    ...COMMAND,
    command: {
      ...COMMAND.command,
      products: [
        { name: "out/clean.csv", kind: "file", size: 9, sha256: digestOf("8") },
        { name: "out/latest", kind: "file", size: 9, sha256: digestOf("8") },
      ],
    },
  }, [["product", "changed", "out/clean.csv"], ["product", "changed", "out/latest"]]],
  ["a command that failed, whose products are the same", COMMAND, {
    ...COMMAND,
    command: { ...COMMAND.command, exitCode: 3 },
  }, [["outcome", "changed", "command"]]],
  ["a file of another size, whatever its digest", BASE, {
    ...BASE,
    materials: [{ ...first, size: first.size + 1 }, ...rest],
  }, [["input", "changed", first.name]]],
  ["a runtime that was updated, with one of its packages", COMMAND, {
    ...COMMAND,
    toolchain: {
      ...COMMAND.toolchain,
      runtimes: [{ ...PYTHON, version: "3.12.2", packages: [PANDAS, ...others] }, ...more],
    },
  }, [["runtime", "changed", "python"], ["package", "changed", "pandas"]]],
  ["packages that are left out", COMMAND, {
    ...COMMAND,
    toolchain: {
      ...COMMAND.toolchain,
      runtimes: [{ ...PYTHON, packages: null, packages_omitted: true }, ...more],
    },
  }, [["runtime", "changed", "python"]]],
  ["a digest that stands for an argument", {
    ...COMMAND,
    command: { ...COMMAND.command, argv: ["sh", `sha256:${digestOf("4")}`] },
  }, {
    ...COMMAND,
    command: { ...COMMAND.command, argv: ["sh", `sha256:${digestOf("4")}`], redacted: [1] },
  }, [["parameter", "added", "redacted argument 1"]]],
  ["what came on standard input", {
    ...COMMAND,
    command: { ...COMMAND.command, stdin: { sha256: digestOf("4"), size: 1 } },
  }, {
    ...COMMAND,
    command: { ...COMMAND.command, stdin: { sha256: digestOf("4"), size: 2 } },
  }, [["parameter", "changed", "standard input"]]],
  [
    "a command whose end nobody saw",
    withEnd({ argv: null, output: null }),
    withEnd({
      argv: null,
      output: null,
      exitCode: null,
    }),
    [["outcome", "changed", "command"]],
  ],
  [
    "a signal that ended the command",
    withEnd({ exitCode: 143 }),
    withEnd({ exitCode: 143, signal: "SIGTERM" }),
    [["outcome", "changed", "command"]],
  ],
  ["links that were followed", BASE, { ...BASE, links: "follow" }, [
    ["parameter", "added", "links"],
  ]],
  ["an order of exclusions that counts", { ...BASE, exclude: ["*.a", "!b.a"] }, {
    ...BASE,
    exclude: ["!b.a", "*.a"],
  }, [["parameter", "changed", "order of exclude"]]],
  ["packages that are unknown", withPython({ packages: [] }), withPython({ packages: null }), [
    ["runtime", "changed", "python"],
  ]],
  [
    "packages that are unknown and not left out",
    withPython({ packages: null }),
    withPython({
      packages: null,
      packages_omitted: true,
    }),
    [["runtime", "changed", "python"]],
  ],
  ["another implementation", COMMAND, withPython({ implementation: "pypy" }), [
    ["runtime", "changed", "python"],
  ]],
  ["another command with another tool", COMMAND, {
    ...COMMAND,
    command: { ...COMMAND.command, argv: ["bash", "clean.sh"] },
    toolchain: { ...COMMAND.toolchain, tools: [{ name: "bash", sha256: digestOf("4") }] },
  }, [
    ["parameter", "changed", "command"],
    ["toolchain", "added", "tool bash"],
    ["toolchain", "removed", "tool sh"],
  ]],
];

function outline(changes: readonly Change[]): (readonly [string, string, string])[] {
  return changes.map(({ kind, change, name }) => [kind, change, name] as const);
}

const MIRRORED: Readonly<Record<string, string>> = { added: "removed", removed: "added" };

for (const [what, before, after, expected] of CASES) {
  Deno.test(`diffRuns() reports ${what}`, PURE, () => {
    const changes = diffRuns(makeRun(before), makeRun(after));
    assertEquals(outline(changes), [...expected]);
  });

  Deno.test(`diffRuns() reports the same from the other side: ${what}`, PURE, () => {
    const changes = diffRuns(makeRun(before), makeRun(after));
    const mirrored = diffRuns(makeRun(after), makeRun(before));
    const expectedMirror = changes.map((change) => ({
      ...change,
      change: MIRRORED[change.change] ?? change.change,
      before: change.after,
      after: change.before,
    }));
    assertEquals<unknown>(mirrored, expectedMirror);
  });
}

Deno.test(
  "diffRuns() names versions, and what else differs only where they are equal",
  PURE,
  () => {
    const withPackage = (change: Partial<RecordedPackage>): Run =>
      makeRun({
        ...COMMAND,
        toolchain: {
          ...COMMAND.toolchain,
          runtimes: [{ ...PYTHON, packages: [{ ...pandas, ...change }] }],
        },
      });
    const [updated] = diffRuns(withPackage({}), withPackage({ version: "2.1.1" }));
    assertEquals([updated?.before, updated?.after], ["2.1.0", "2.1.1"]);
    const [rebuilt] = diffRuns(withPackage({}), withPackage({ sha256: digestOf("0") }));
    assertEquals([rebuilt?.before, rebuilt?.after], [
      `2.1.0 (of python, sha256:${digestOf("5")})`,
      `2.1.0 (of python, sha256:${digestOf("0")})`,
    ]);
  },
);

/** Everything that may differ between two packages of one name and version. */
const PACKAGES: readonly Partial<RecordedPackage>[] = [
  {},
  { sha256: digestOf("1") },
  { integrity: "sha512-AAAA" },
  { manager: "conda" },
  { editable: true },
  { source: { url: "https://example.org/a" } },
  { source: { commit: "0123456789".repeat(4) } },
  { source: { url: "https://example.org/b", commit: "0123456789".repeat(4) } },
];

Deno.test("diffRuns() finds whatever differs in a package of the same version", PURE, () => {
  const runs = PACKAGES.map((change) =>
    makeRun(withPython({ packages: [{ name: "a", version: "1", ...change }] }))
  );
  for (const [i, before] of runs.entries()) {
    for (const [j, after] of runs.entries()) {
      const expected = i === j ? [] : [["package", "changed", "a"] as const];
      assertEquals(outline(diffRuns(before, after)), expected, `${i} ${j}`);
    }
  }
});

Deno.test(
  "diffRuns() takes two inputs of one content for renamed where it is certain",
  PURE,
  () => {
    const names = (materials: readonly string[]): Run =>
      makeRun({
        ...BASE,
        inputs: ["data"],
        materials: materials.map((name) => ({ ...first, name })),
      });
    const renames = (before: readonly string[], after: readonly string[]): readonly string[] =>
      diffRuns(names(before), names(after)).flatMap(({ renamed_to, name }) =>
        renamed_to === undefined ? [] : [`${name} ${renamed_to}`]
      );
    assertEquals(renames(["data/a"], ["data/b"]), ["data/a data/b"]);
    assertEquals(renames(["data/a", "data/b"], ["data/c"]), []);
    assertEquals(renames(["data/a", "data/b"], ["data/x/a", "data/x/b"]), [
      "data/a data/x/a",
      "data/b data/x/b",
    ]);
    assertEquals(renames(["data/x", "data/a", "data/b"], ["data/x", "data/c", "data/d"]), []);
  },
);

Deno.test("diffRuns() tells packages of one name apart by their runtimes", PURE, () => {
  const withVersions = (ofPython: string, ofNode: string): Run => {
    const [node] = more;
    assert(node !== undefined);
    const { packages_omitted: _, ...bare } = node;
    const runtimes = [
      { ...PYTHON, packages: [{ name: "yaml", version: ofPython }] },
      { ...bare, packages: [{ name: "yaml", version: ofNode }] },
    ];
    return makeRun({ ...COMMAND, toolchain: { ...COMMAND.toolchain, runtimes } });
  };
  assertEquals(
    diffRuns(withVersions("6.0", "2.9"), withVersions("2.9", "6.0")).map(({ name }) => name),
    ["node yaml", "python yaml"],
  );
});

Deno.test("diffRuns() reports a policy only beside a difference that it may explain", PURE, () => {
  const other = { ...SAMPLE_CIRCUMSTANCES, policy: null };
  assertEquals(diffRuns(makeRun(BASE), makeRun(BASE, other)), []);
  const changes = diffRuns(makeRun(BASE), makeRun({ ...BASE, materials: rest }, other));
  assertEquals(outline(changes), [
    ["input", "removed", first.name],
    ["policy", "removed", "docs/governance/policy.json"],
  ]);
});

Deno.test("diffRuns() is empty exactly when the evidence digests are equal", PURE, () => {
  const materials = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("data/a", "data/b", "data/c"),
      kind: fc.constantFrom("file" as const, "symlink" as const),
      size: fc.constant(1),
      sha256: fc.constantFrom(digestOf("1"), digestOf("2")),
    }),
    { minLength: 1, selector: ({ name }) => name },
  );
  const deno = fc.constantFrom("2.9.5", "2.9.6");
  const facts = fc.record({ materials, deno }).map(({ materials, deno }): RunFacts => ({
    ...BASE,
    inputs: ["data"],
    materials,
    toolchain: { ...BASE.toolchain, runtime: { ...BASE.toolchain.runtime, deno } },
  }));
  fc.assert(fc.property(facts, facts, (a, b) => {
    const [before, after] = [makeRun(a), makeRun(b)];
    const isEqual = before.digests["provenance.json"] === after.digests["provenance.json"];
    assertEquals(diffRuns(before, after).length === 0, isEqual);
  }));
});

Deno.test("diffRuns() finds each input that was added, removed or changed, in order", PURE, () => {
  const files = fc.dictionary(
    fc.constantFrom("a", "a-", "a/b", "b", "c", "\uFF5E", "\u{1F600}"),
    fc.constantFrom("1", "2"),
    { minKeys: 1, noNullPrototype: true },
  );
  const record = (content: Readonly<Record<string, string>>): RunFacts => ({
    ...BASE,
    inputs: ["data"],
    materials: Object.entries(content).map(([name, digit]) => (
      { name: `data/${name}`, kind: "file", size: 1, sha256: digestOf(digit) }
    )),
  });
  const isPossible = (content: Readonly<Record<string, string>>): boolean =>
    !("a" in content && "a/b" in content);
  fc.assert(fc.property(files.filter(isPossible), files.filter(isPossible), (before, after) => {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareUtf8);
    const expected = names.filter((name) => before[name] !== after[name]).map((name) => [
      `data/${name}`,
      before[name] === undefined ? "added" : after[name] === undefined ? "removed" : "changed",
    ]);
    const changes = diffRuns(makeRun(record(before)), makeRun(record(after)));
    assertEquals(changes.map(({ name, change }) => [name, change]), expected);
  }));
});

/** Names and contents before and after, with the names that are joined. */
const RENAMES: readonly (readonly [
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  renames: readonly (readonly [from: string, to: string])[],
])[] = [
  ["a file of another name", { a: "1", b: "2" }, { a: "1", c: "2" }, [["b", "c"]]],
  ["a directory of another name", { "a/x": "0", "a/y": "0" }, { "b/x": "0", "b/y": "0" }, [
    ["a/x", "b/x"],
    ["a/y", "b/y"],
  ]],
  ["nothing where the content is another", { a: "1" }, { b: "2" }, []],
  ["nothing where the old name is still there", { a: "1" }, { a: "1", b: "1" }, []],
  ["nothing where the last part of the name alone is the same", { "a/x": "1" }, { "b/x": "2" }, []],
  ["nothing where both are gone", { a: "1", b: "1" }, { c: "2" }, []],
  ["a file beside one of that content that was changed", { a: "1", b: "1" }, { a: "2", c: "1" }, [
    ["b", "c"],
  ]],
  ["nothing where it could be either", { a: "1" }, { b: "1", c: "1" }, []],
];

Deno.test("diffRuns() takes products for renamed too, and nothing but files", PURE, () => {
  assert(COMMAND.command !== undefined);
  const [product] = COMMAND.command.products;
  assert(product !== undefined);
  const renames = (before: RunFacts, after: RunFacts): unknown[] =>
    diffRuns(makeRun(before), makeRun(after)).map(({ name, renamed_from, renamed_to }) => [
      name,
      renamed_from ?? renamed_to,
    ]);
  const named = (name: string): RunFacts => withEnd({ products: [{ ...product, name }] });
  assertEquals(renames(named("out/a"), named("out/b")), [["out/a", "out/b"], ["out/b", "out/a"]]);
  const excluding = (glob: string): RunFacts => ({ ...BASE, exclude: [glob] });
  assertEquals(renames(excluding("*.bak"), excluding("*.old")), [
    ["exclude *.bak", undefined],
    ["exclude *.old", undefined],
  ]);
});

Deno.test(
  "diffRuns() shows how a command ended, what it was given, and what a package is",
  PURE,
  () => {
    const show = (before: RunFacts, after: RunFacts): string[] =>
      diffRuns(makeRun(before), makeRun(after))
        .map(({ kind, name, before, after }) => `${kind} ${name}: ${before} -> ${after}`);
    assertEquals(
      show(COMMAND, withEnd({ exitCode: 143, signal: "SIGTERM" }))
        .filter((text) => text.startsWith("outcome")),
      ["outcome command: exit code 0 -> exit code 143 by SIGTERM"],
    );
    assertEquals(
      show(COMMAND, withEnd({ argv: null, exitCode: null, output: null }))
        .filter((text) => text.startsWith("outcome")),
      ["outcome command: exit code 0 -> not observed"],
    );
    assertEquals(show(COMMAND, withEnd({ env: ["A"] })), ["parameter env A: null -> set"]);
    assertEquals(
      show({ ...BASE, toolchain: COMMAND.toolchain }, COMMAND)
        .filter((text) => text.startsWith("parameter")),
      [
        'parameter command: null -> ["sh","clean.sh","data/in.csv"]',
        "parameter product out: null -> given",
      ],
    );
    assertEquals(show(COMMAND, withPython({ packages: null })), [
      `runtime python: 3.12.1 (cpython, sha256:${digestOf("4")}) -> ` +
      `3.12.1 (cpython, sha256:${digestOf("4")}, packages unknown)`,
    ]);
    const [url, commit] = ["https://example.org/mylib", "0123456789".repeat(4)];
    const packages = [
      pandas,
      { name: "mylib", version: null, source: { url, commit } },
      ...others
        .filter(({ name }) => name !== "mylib"),
    ];
    assertEquals(show(COMMAND, withPython({ packages })), [
      `package mylib: unknown version (of python, from ${commit}, from ${url}, editable) -> ` +
      `unknown version (of python, from ${commit}, from ${url})`,
    ]);
  },
);

for (const [what, before, after, expected] of RENAMES) {
  Deno.test(`diffRuns() takes for renamed ${what}`, PURE, () => {
    const [from, to] = [before, after].map((files) =>
      makeRun({
        ...BASE,
        inputs: ["."],
        materials: Object.entries(files).map(([name, digit]) => ({
          name,
          kind: "file",
          size: 1,
          sha256: digestOf(digit),
        })),
      })
    );
    assert(from !== undefined && to !== undefined);
    const changes = diffRuns(from, to);
    assertEquals(
      changes.flatMap(({ name, renamed_to }) =>
        renamed_to === undefined ? [] : [[name, renamed_to]]
      ),
      expected.map((names) => [...names]),
    );
    assertEquals(
      changes.flatMap(({ name, renamed_from }) =>
        renamed_from === undefined ? [] : [[renamed_from, name]]
      ),
      expected.map((names) => [...names]),
    );
  });
}

Deno.test(
  "nameUpstreamRuns() names the runs that made a changed input, the newest before each run",
  PURE,
  () => {
    const [clean, train, cleanAgain, trainAgain, edited] = [
      { inputs: { raw: "1" }, products: { clean: "c1" } },
      { inputs: { clean: "c1", "train.py": "t" }, products: { model: "m1" } },
      { inputs: { raw: "2" }, products: { clean: "c2" } },
      { inputs: { clean: "c2", "train.py": "u" }, products: { model: "m2" } },
      { inputs: { clean: "c3", "train.py": "u" }, products: { model: "m3" } },
    ];
    const lineage = makeLineage([clean, train, cleanAgain, trainAgain, edited]);
    const nameOf = (run: number): string => lineage.runs[run]?.run ?? "";
    const changed = (name: string): Change => ({
      kind: "input",
      name,
      change: "changed",
      before: "x",
      after: "y",
    });
    const ask = (before: number, after: number): unknown[] =>
      nameUpstreamRuns([changed("clean"), changed("train.py")], lineage, {
        before: nameOf(before),
        after: nameOf(after),
      }).map(({ made_by }) => made_by);
    assertEquals(ask(1, 3), [{ before: nameOf(0), after: nameOf(2) }, undefined]);
    assertEquals(ask(3, 1), [{ before: nameOf(2), after: nameOf(0) }, undefined]);
    // What was edited by hand was made by no run.
    assertEquals(ask(3, 4), [{ before: nameOf(2), after: null }, undefined]);
    assertEquals(ask(4, 3), [{ before: null, after: nameOf(2) }, undefined]);
    // The order in which runs are read is not that in which they were made.
    const turned = makeLineage([
      { id: "2026-02-15T20-13-09Z", inputs: { clean: "c1" } },
      { id: "2026-02-15T20-13-00Z", products: { clean: "c1" } },
    ]);
    const [taker = "", maker = ""] = turned.runs.map(({ run }) => run);
    const [found] = nameUpstreamRuns([changed("clean")], turned, { before: taker, after: maker });
    assertEquals(found?.made_by, { before: maker, after: null });
    const product = { ...changed("clean"), kind: "product" } as const;
    const paths = { before: nameOf(1), after: nameOf(3) };
    assertEquals(nameUpstreamRuns([product], lineage, paths), [product]);
  },
);
