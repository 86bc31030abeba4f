import { IDENTITY } from "../../../src/guards/identity/identity.ts";
import type { Policy, Surface } from "../../../src/guards/policy.ts";
import { assertEquals } from "../../assert.ts";
import {
  check,
  checkUnder,
  CLEAN,
  factsOf,
  POLICY,
  PURE,
  summarize,
  utf16,
} from "./identity_facts.ts";

const README = "https://github.com/carcodez1/kprovengine";

const SURFACES: readonly (readonly [string, boolean])[] = [
  [README, true],
  [`(${README})`, true],
  [`<${README}>.`, true],
  [`${README}. Next`, true],
  [`${README}/`, true],
  [`${README}?a=b`, true],
  [`${README}#readme`, true],
  [`git+${README}`, true],
  [`${README}x`, false],
  [`${README}2`, false],
  [`${README}_x`, false],
  [`${README}-x`, false],
  [`${README}.git`, false],
  [`${README}/tree/main`, false],
  [`${README}é`, false],
  [`${README}\u0301`, false],
  [`${README}%2fx`, false],
  [`x${README}`, false],
  [`${README}x ${README}`, true],
];

for (const [text, passes] of SURFACES) {
  const verb = passes ? "takes" : "does not take";
  Deno.test(`IDENTITY ${verb} ${JSON.stringify(text)} for the whole text`, PURE, () => {
    assertEquals(check({ "README.md": text }).length, passes ? 0 : 1);
  });
}

const JSON_SURFACES: readonly (readonly [string, string, string])[] = [
  ["a pointer with escapes", '{"a/b": {"~c": "x"}}', "/a~1b/~0c"],
  ["a pointer into an array", '{"a": [1, "x",]}', "/a/1"],
  ["an empty key", '{"": "x"}', "/"],
  ["the whole document", '"x"', ""],
  ["an escaped value", '{"a": "\\u0078"}', "/a"],
  ["a byte order mark", '\ufeff{"a": "x"}', "/a"],
];

for (const [what, text, pointer] of JSON_SURFACES) {
  Deno.test(`IDENTITY reads a surface with ${what}`, PURE, () => {
    const surfaces = [{ path: "deno.json", pointer, equals: "x" }];
    const files = { ...CLEAN, "deno.json": text };
    assertEquals(checkUnder({ surfaces }, files), []);
    assertEquals(
      checkUnder({ surfaces: [{ path: "deno.json", pointer, equals: "y" }] }, files).length,
      1,
    );
  });
}

const OTHER_SURFACES: readonly (readonly [string, string, string, string, string])[] = [
  ["TOML", "pyproject.toml", '[project]\nname = "x"\n', "/project/name", "2:8"],
  ["a list of TOML", "uv.toml", 'a = [{ b = "y" }, { b = "x" }]\n', "/a/1/b", "1:5"],
  ["a quoted key of TOML", "a/b.toml", '"x/y" = 1\n[t]\n"a.b" = "x"', "/t/a.b", "3:9"],
  ["the second of two tables", "a.toml", '[a]\nb = "y"\n\n[c]\n\tb = "x"\n', "/c/b", "5:6"],
  ["a table of a list", "uv.lock", '[[p]]\nn = "y"\n[[p]]\nn = "x"\n', "/p/1/n", "4:5"],
  ["a lock of Cargo", "a/Cargo.lock", '[[package]]\nname = "x"\n', "/package/0/name", "2:8"],
  ["a Pipfile", "Pipfile", 'name = "x"', "/name", "1:8"],
  ["YAML", "a.yml", "a:\n  - b: y\n  - b: x\n", "/a/1/b", "3:8"],
  ["YAML that takes a value from an anchor", "a.yaml", "n: &n x\nm: *n\n", "/m", "1:7"],
  ["a lock of pixi", "pixi.lock", "version: 6\nname: x\n", "/name", "2:7"],
  ["a citation file", "CITATION.cff", "title: 'x'\n", "/title", "1:8"],
];

for (const [what, path, text, pointer, place] of OTHER_SURFACES) {
  Deno.test(`IDENTITY reads a surface in ${what} by pointer`, PURE, () => {
    const files = { ...CLEAN, [path]: text };
    const check = (equals: string, at = pointer): string[] =>
      checkUnder({ surfaces: [{ path, pointer: at, equals }] }, files);
    assertEquals(check("x"), []);
    const where = place === "" ? path : `${path}:${place}`;
    assertEquals(check("y"), [`identity.surface_mismatch ${where}`]);
    assertEquals(check("x", `${pointer}/z`), [`identity.surface_missing ${path}`]);
    assertEquals(check("x", "/toString"), [`identity.surface_missing ${path}`]);
  });
}

/** A host, what a file has of it, and whether it stands as a whole. */
const HOSTS: readonly (readonly [string, string, boolean])[] = [
  ["acme.org/etl", "https://acme.org/etl", true],
  ["acme.org/etl", "user@acme.org/etl", true],
  ["acme.org/etl", "See: ...acme.org/etl", true],
  ["acme.org/etl", "https://evil.acme.org/etl", false],
  ["acme.org", "evil.acme.org", false],
  ["https://acme.org", "see https://acme.org: it is there", true],
  ["https://acme.org", "https://acme.org/", true],
  ["https://acme.org", "https://acme.org:8443/", false],
  ["https://acme.org", "https://acme.org@evil.example/", false],
  ["https://acme.org", "https://acme.org:x@evil.example/", false],
  ["acme", "org.acme", true],
  ["acme", "acme@1.2.3, acme:latest", true],
];

for (const [contains, text, isWhole] of HOSTS) {
  const verb = isWhole ? "takes" : "does not take";
  Deno.test(`IDENTITY ${verb} ${text} for ${contains}`, PURE, () => {
    const surfaces = [{ path: "a.txt", contains }];
    const found = checkUnder({ surfaces }, { ...CLEAN, "a.txt": text });
    assertEquals(found.length, isWhole ? 0 : 1);
  });
}

Deno.test("IDENTITY does not take a table's name for the project's", PURE, () => {
  const text = '[project]\nname = "fuff"\n[tool.ruff]\nname = 1\n';
  const files = { ...CLEAN, "pyproject.toml": text };
  const surfaces = [{ path: "pyproject.toml", pointer: "/project/name", equals: "ruff" }];
  assertEquals(checkUnder({ surfaces }, files), ["identity.surface_mismatch pyproject.toml:2:8"]);
});

const BROKEN: readonly (readonly [string, string, string])[] = [
  ["pyproject.toml", '[project]\nname = "x', "pyproject.toml:2:8"],
  ["pyproject.toml", 'name = "x"\nname = "x"', "pyproject.toml:2:1"],
  ["a.yml", "name: [x\n", "a.yml:2:1"],
  ["a.yml", "name: x\nname: x\n", "a.yml:2:1"],
];

for (const [path, text, place] of BROKEN) {
  Deno.test(`IDENTITY finds a surface with ${JSON.stringify(text)} in ${path}`, PURE, () => {
    const surfaces = [{ path, pointer: "/name", equals: "x" }];
    const found = checkUnder({ surfaces }, { ...CLEAN, [path]: text });
    assertEquals(found, [`identity.surface_missing ${place}`]);
  });
}

Deno.test("IDENTITY takes a plain scalar of YAML as it is written", PURE, () => {
  const files = { ...CLEAN, "a.yml": "version: 1.10\n" };
  const check = (equals: string): number =>
    checkUnder({ surfaces: [{ path: "a.yml", pointer: "/version", equals }] }, files).length;
  assertEquals([check("1.10"), check("1.1")], [0, 1]);
});

Deno.test("IDENTITY reads a surface in UTF-16 with a mark", PURE, () => {
  assertEquals(check({ "README.md": utf16(`KProvEngine ${README}`) }), []);
  assertEquals(check({ "deno.json": utf16('{"name": "@kprov/cli"}') }), []);
});

Deno.test("IDENTITY finds a surface that could not be read or was not", PURE, () => {
  const facts = factsOf(CLEAN);
  const unreadable = new Map(facts.contents)
    .set("README.md", { ok: false, reason: "permission denied" });
  unreadable.delete("deno.json");
  assertEquals(summarize(IDENTITY.check({ ...facts, contents: unreadable }, POLICY)), [
    "identity.surface_missing README.md",
    "identity.surface_missing deno.json",
  ]);
});

Deno.test("IDENTITY tells the value expected and found", PURE, () => {
  const facts = factsOf({ ...CLEAN, "deno.json": '{"name": "@kprov/\\u202ecli"}' });
  const [finding] = IDENTITY.check(facts, POLICY);
  assertEquals(
    finding?.message,
    '"/name" must be "@kprov/cli", but is "@kprov/\\u202ecli"',
  );
});

/** What the guard says of one surface. */
function explain(surface: Surface, text: string): readonly (string | number | null)[][] {
  const policy: Policy = { ...POLICY, identity: { surfaces: [surface] } };
  const facts = factsOf({ [surface.path]: text }, policy);
  return IDENTITY.check(facts, policy).map(({ message, line, column }) => [message, line, column]);
}

const NUMBERS = `[${"1,".repeat(29)}`;

const VALUES: readonly (readonly [string, string, string, string])[] = [
  ["a.json", '{"a": 12}', "/a", "12"],
  ["a.json", '{"a": "1 2"}', "/a", '"1 2"'],
  ["a.json", `{"a": ${NUMBERS}1]}`, "/a", `"${NUMBERS}1]"`.replace("1]", "1…")],
  ["a.json", `{"a": ${NUMBERS}]}`, "/a", `"${NUMBERS}]"`],
  ["a.yml", "a: [1]\n", "/a", '"[…]"'],
  ["a.yml", "a: {b: 1}\n", "/a", '"{…}"'],
  ["a.toml", "a = [1]\n", "/a", '"[…]"'],
  ["a.toml", "a = { b = 1 }\n", "/a", '"{…}"'],
  ["a.toml", "[a]\nb = 1\n", "/a", '"{…}"'],
  ["a.toml", "a = 1.5\n", "/a", "1.5"],
  ["a.toml", "a = 2026-01-02\n", "/a", "2026-01-02"],
];

for (const [path, text, pointer, shown] of VALUES) {
  Deno.test(`IDENTITY shows the value ${shown} of ${path}`, PURE, () => {
    const [[message] = []] = explain({ path, pointer, equals: "x" }, text);
    assertEquals(message, `"${pointer}" must be "x", but is ${shown}`);
  });
}

Deno.test("IDENTITY finds nothing inside of a date of TOML", PURE, () => {
  const [[message] = []] = explain(
    { path: "a.toml", pointer: "/a/b", equals: "x" },
    "a = 2026-01-02",
  );
  assertEquals(message, 'Cannot find "/a/b": it has no such value');
});

const PARTS: readonly (readonly [string, string, string, number])[] = [
  ["acme", "the acmex.", "acmex.", 5],
  ["acme", "an xacme", "xacme", 4],
  ["acme", "a xacmey/z, b", "xacmey/z", 3],
  ["acme", "acmex acmey", "acmex", 1],
  ["acme", `${"x".repeat(60)}acme`, `${"x".repeat(50)}acme`, 11],
  ["acme", `acme${"x".repeat(300)}`, `acme${"x".repeat(200)}`, 1],
  ["a/", "a/b", "a/b", 1],
  ["acme.org/a", "https://x.y.acme.org/a", "x.y.acme.org/a", 9],
];

for (const [contains, text, longer, column] of PARTS) {
  Deno.test(`IDENTITY shows what stands in place of ${contains} in ${text}`, PURE, () => {
    assertEquals(explain({ path: "a.txt", contains }, text), [
      [`"a.txt" must contain "${contains}", but has only "${longer}"`, 1, column],
    ]);
  });
}

Deno.test("IDENTITY lets anything follow a text that ends with no name", PURE, () => {
  assertEquals(explain({ path: "a.txt", contains: "acme:" }, "acme:x"), []);
  assertEquals(explain({ path: "a.txt", contains: "acme/" }, "acme/x").length, 1);
});

Deno.test("IDENTITY says that a surface is not tracked", PURE, () => {
  const policy: Policy = {
    ...POLICY,
    identity: { surfaces: [{ path: "a.json", pointer: "/a", equals: "x" }] },
  };
  const [finding] = IDENTITY.check(factsOf({}, policy), policy);
  assertEquals(finding?.message, '"a.json" is not tracked by git');
});

Deno.test("IDENTITY looks for a text in YAML, and wants the tree for a pointer alone", PURE, () => {
  const surface = { path: "a.yml", contains: "acme" };
  const policy: Policy = { ...POLICY, identity: { surfaces: [surface] } };
  assertEquals(explain(surface, "b: [acme"), []);
  assertEquals(IDENTITY.wantsYaml("a.yml", policy), false);
  const both: Policy = {
    ...POLICY,
    identity: { surfaces: [surface, { path: "b.yml", pointer: "/a", equals: "x" }] },
  };
  assertEquals(
    ["a.yml", "b.yml", "c.yml"].map((path) => IDENTITY.wantsYaml(path, both)),
    [false, true, false],
  );
});
