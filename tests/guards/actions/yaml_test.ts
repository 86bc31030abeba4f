import process from "node:process";
import {
  getYamlValue,
  parseYaml,
  parseYamlFile,
  resolveMergeKeys,
  textOfScalar,
  type YamlNode,
  type YamlResult,
} from "../../../src/guards/actions/yaml.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function parseGood(text: string): YamlNode {
  const result = parseYaml(text);
  if (!result.ok) throw new Error(`${result.line}:${result.column}: ${result.message}`);
  return result.node;
}

/** Drops the positions. */
function toPlain(node: YamlNode): unknown {
  switch (node.kind) {
    case "map":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, toPlain(value)]));
    case "seq":
      return node.items.map(toPlain);
    case "scalar":
      return node.value;
  }
}

function assertRefused(result: YamlResult, message: string, line: number | null): void {
  assert(!result.ok);
  assertStringIncludes(result.message, message);
  assertEquals(result.line, line);
}

Deno.test("parseYaml() reads YAML's core schema", PURE, () => {
  const cases: [string, unknown][] = [
    ["", null],
    ["# nothing\n", null],
    ["---\na: 1\n", { a: 1 }],
    ["on: push\n", { on: "push" }],
    ["on: {push: , pull_request: null}", { on: { push: null, pull_request: null } }],
    ["yes: no\n", { yes: "no" }],
    ["a: true\nb: ~\nc: 0x10\nd: .5\n", { a: true, b: null, c: 16, d: 0.5 }],
    ["a: 2026-01-01\nb: 12:30\n", { a: "2026-01-01", b: "12:30" }],
    ["a: '1'\nb: \"\\x31\"\n", { a: "1", b: "1" }],
    ["a: |\n  x\n  y\n", { a: "x\ny\n" }],
    ["a: >-\n  x\n  y\n", { a: "x y" }],
    ["a: ${{ matrix.os == 'x' && '1' || '2' }}", { a: "${{ matrix.os == 'x' && '1' || '2' }}" }],
    ["- ['18', 20, ]\n- {}\n", [["18", 20], {}]],
    ["1: a\ntrue: b\n3.10: c\n: d\n", { "1": "a", "true": "b", "3.10": "c", "": "d" }],
    ["%YAML 1.1\n---\non: yes\n", { on: "yes" }],
    ["\ufeffa: 1\n", { a: 1 }],
  ];
  for (const [text, expected] of cases) assertEquals(toPlain(parseGood(text)), expected, text);
});

Deno.test("parseYaml() keeps how a plain scalar is written", PURE, () => {
  const node = getYamlValue(parseGood("python-version: 3.10"), "python-version");
  assertEquals(node, {
    kind: "scalar",
    value: 3.1,
    source: "3.10",
    position: { line: 1, column: 17 },
  });
});

Deno.test("parseYaml() knows the positions of keys, values and items", PURE, () => {
  const steps = getYamlValue(parseGood("name: x\nsteps:\n  - 'a'\n  - b: [c]\n"), "steps");
  assert(steps?.kind === "seq");
  assertEquals(steps.items.map((item) => item.position), [
    { line: 3, column: 5 },
    { line: 4, column: 5 },
  ]);
  const inner = steps.items[1];
  assert(inner?.kind === "map");
  assertEquals(inner.entries[0]?.keyPosition, { line: 4, column: 5 });
  assertEquals(inner.entries[0]?.value.position, { line: 4, column: 8 });
});

Deno.test("parseYaml() resolves an alias to the last anchor of that name before it", PURE, () => {
  const text = "a: &x {v: 1}\nb: *x\nc: &x 2\nd: *x\n";
  assertEquals(toPlain(parseGood(text)), { a: { v: 1 }, b: { v: 1 }, c: 2, d: 2 });
  assertEquals(getYamlValue(parseGood(text), "d")?.position.line, 3);
});

Deno.test("parseYaml() takes << for a key, as GitHub does", PURE, () => {
  const text = "a: &x {v: 1}\nb:\n  <<: *x\n  w: 2\n";
  assertEquals(toPlain(parseGood(text)), { a: { v: 1 }, b: { "<<": { v: 1 }, w: 2 } });
});

Deno.test("resolveMergeKeys() leaves no merge key behind", PURE, () => {
  const text = "a: &x {v: 1, w: 0}\nb:\n  <<: *x\n  w: 2\nc:\n  <<: [{v: 3}, *x]\n";
  assertEquals(toPlain(resolveMergeKeys(parseGood(text))), {
    ...{ a: { v: 1, w: 0 }, b: { w: 2, v: 1 }, c: { v: 3, w: 0 } },
  });
});

Deno.test("textOfScalar() makes no text of what is empty", PURE, () => {
  const texts = ["a:", "a: ~", "a: null", "a: 3.10", "a: false"].map((text) => {
    const node = getYamlValue(parseGood(text), "a");
    assert(node?.kind === "scalar");
    return textOfScalar(node);
  });
  assertEquals(texts, ["", "", "", "3.1", "false"]);
});

Deno.test("parseYaml() refuses what two readers may read differently", PURE, () => {
  const cases: [string, string, number][] = [
    ["a: 1\nb: 2\na: 3\n", 'the key "a" twice', 3],
    ["a: 1\n'a': 2\n", 'the key "a" twice', 2],
    ["a: 1\n---\nb: 2\n", "more than one document", 2],
    ["spec: {}\n---\nb: 2\n", "more than one document", 2],
    ["a: 1\n? [b]\n: c\n", "a key that is no scalar", 2],
    ["a: *x\n", 'no anchor for the alias "x"', 1],
    ["a: *x\nb: &x 1\n", 'no anchor for the alias "x"', 1],
    ["a: 1\nb: !run rm\n", "Unresolved tag", 2],
    ["a: 1\nb: [\n", "not valid YAML", 3],
    ["a: 'x\n", "not valid YAML", 2],
    ["a: b: c\n", "not valid YAML", 1],
    ["a:\n\t- b\n", "not valid YAML", 2],
  ];
  for (const [text, message, line] of cases) assertRefused(parseYaml(text), message, line);
});

Deno.test("parseYaml() bounds nesting in every notation", PURE, () => {
  const hostile = [
    "[".repeat(20_000),
    "[".repeat(20_000) + "]".repeat(20_000),
    "{a: ".repeat(20_000),
    "- ".repeat(20_000),
    "? ".repeat(20_000),
    "[a, ".repeat(20_000),
  ];
  for (const text of hostile) assertRefused(parseYaml(text), "nested deeper than 100", 1);
  const deepest = "[".repeat(99) + "]".repeat(99);
  assertEquals(parseYaml(deepest).ok, true);
});

Deno.test("parseYaml() refuses aliases that grow without end", PURE, () => {
  const levels = Array.from({ length: 60 }, (_, i) => {
    const below = Array.from({ length: 10 }, () => i === 0 ? "x" : `*l${i - 1}`);
    return `- &l${i} [${below.join(", ")}]`;
  });
  assertRefused(parseYaml(levels.join("\n")), "more than 100000 nodes", 1);
  assertRefused(parseYaml("a: &x [1, *x]\n"), "nested deeper than 100", 1);
  assertRefused(parseYaml("a: &x\n  b: *x\n"), "nested deeper than 100", 2);
});

Deno.test("parseYaml() bounds size and number of nodes", PURE, () => {
  assertRefused(parseYaml(" ".repeat(2 ** 20 + 1)), "larger than", 1);
  assertRefused(parseYaml("{" + "a,".repeat(20_000)), "not valid YAML", 1);
  assertRefused(parseYaml("[" + "a,".repeat(110_000) + "]"), "more than 100000 nodes", 1);
});

Deno.test("parseYaml() leaves the environment as it was", () => {
  Deno.env.set("KPROV_TEST_YAML", "1");
  parseYaml("a: 1");
  parseYaml("a: [");
  assertEquals(process.env["KPROV_TEST_YAML"], "1");
  Deno.env.delete("KPROV_TEST_YAML");
});

Deno.test("parseYamlFile() says why there is no content", PURE, () => {
  assertEquals(parseYamlFile({ ok: false, reason: "it is a FIFO" }, "a.yml"), {
    ok: false,
    message: "it is a FIFO",
    line: null,
    column: null,
  });
  const latin1 = parseYamlFile(
    { ok: true, bytes: new Uint8Array([0x61, 0x3a, 0x20, 0xe4]) },
    "a.yml",
  );
  assertRefused(latin1, "not valid UTF-8", null);
  const parse = (text: string, path: string): boolean =>
    parseYamlFile({ ok: true, bytes: new TextEncoder().encode(text) }, path).ok;
  assertEquals(parse("a: 1", "a.yml"), true);
  // GitLab, compose, MkDocs and others have tags of their own, which GitHub refuses.
  assertEquals(parse("a: !!python/name:material.emoji\nb: !ENV x\nc: !Sub y", "mkdocs.yml"), true);
  assertEquals(parse("a: !reset []\nb: !reference [c, d]", "a.yml"), true);
  assertEquals(parse("a: !reset []", ".github/workflows/a.yml"), false);
  assertEquals(parse("a: !reset []", "x/action.yaml"), false);
  // A directive that is not known may change what is read.
  assertEquals(parse("%FOO bar\n---\na: !reset []", "a.yml"), false);
  assertEquals(parse("spec: {}\n---\nb: 2", ".gitlab-ci.yml"), true);
  assertEquals(parse("spec: {}\na: 1\n---\nb: 2", ".gitlab-ci.yml"), false);
  assertEquals(parse("a: 1\n---\nb: 2", ".gitlab-ci.yml"), false);
});
