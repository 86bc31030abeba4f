import {
  evaluateScalar,
  isReference,
  parseExpression,
  readCondition,
  resolveText,
  type Scope,
} from "../../../src/guards/actions/expression.ts";
import {
  known,
  makeContext,
  makeObject,
  type Outcome,
  truthOf,
  UNKNOWN,
  type Value,
} from "../../../src/guards/actions/value.ts";
import type { YamlScalar } from "../../../src/guards/actions/yaml.ts";
import { assert, assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const SCOPE: Scope = {
  path: "ci.yml",
  contexts: new Map<string, Value>([
    [
      "github",
      makeContext({
        text: known("Push"),
        none: known(null),
        zero: known(0),
        ref: { kind: "prefix", prefix: "refs/heads/" },
        type: { kind: "one_of", values: ["opened", "reopened"] },
        base: { kind: "symbol", name: "base", text: "owner/name" },
        fork: { kind: "symbol", name: "fork", text: null },
        label: { kind: "foreign" },
        either: { kind: "one_of", values: ["refs/heads/a", "x"] },
        empty: { kind: "one_of", values: ["", "x"] },
        never: { kind: "one_of", values: [] },
        some: { kind: "array", items: [known("a"), UNKNOWN] },
        named: { kind: "array", items: [{ kind: "symbol", name: "fork", text: null }, known("b")] },
      }),
    ],
    [
      "matrix",
      makeObject([
        ["v", known("2.9.6")],
        ["n", known(3.1)],
        ["list", { kind: "array", items: [known("a"), known("b")] }],
        ["Nested", makeObject([["Key", known("x")]])],
        ["open", UNKNOWN],
      ]),
    ],
  ]),
};

function scalarOf(text: string): YamlScalar {
  return { kind: "scalar", value: text, source: text, position: { line: 1, column: 1 } };
}

/** What a condition comes to; `a.` stands for `github.`. */
function evaluate(text: string): Outcome {
  return readCondition(scalarOf(text.replaceAll(/\ba\./gi, "github.")), SCOPE, true).outcome;
}

const CASES: readonly (readonly [Outcome, readonly string[]])[] = [
  ["true", [
    "true",
    "${{ true }}",
    "'false'",
    "1 == 1.0",
    "!false && !cancelled()",
    "always() || vars.y",
    "vars.y || always()",
    "A.Text == 'pUSH'",
    "github['text'] == 'push'",
    "vars['a' || 'b'] || true",
    "${{ vars.y }}\n",
    "${{ false }}\n",
    "contains('abc', 'B')",
    'fromJSON(\'{"k": 1, "K": 2}\').k == 1',
    "contains(a.some, 'A')",
    "contains(a.named, a.fork)",
    "!startsWith(a.type, 'x')",
    "startsWith(a.label, '')",
    "a.label != 'owner:branch'",
    'contains(fromJSON(\'["opened", "reopened"]\'), a.type)',
    "case(a.text == 'push', 'x', false)",
    "a.none.deeper == null",
    "matrix.list[1] == 'b'",
    "matrix.nested.KEY == 'x'",
    "format('{0}-{1}', a.text, 1) == 'push-1'",
    "join(matrix.list, '-') == 'a-b'",
    'fromJSON(\'{"y": {"z": [1, true]}}\').y.z[1]',
    "fromJson('{\"constructor\": 1}').constructor == 1",
    "'b' > 'a'",
    "a.none == 0",
    "a.none == ''",
    "a.zero == false",
    "startsWith(a.ref, 'refs/')",
    "!startsWith(a.ref, 'refs/tags/')",
    "a.ref != 'refs/tags/v1'",
    "a.type != 'closed'",
    'contains(fromJSON(\'["pull", "push"]\'), a.text)',
    "contains(a.text, 'us') && endsWith(a.text, 'SH')",
    "a.base == 'Owner/Name'",
    "a.fork != a.base",
    "(1 < 2) == true",
    "'it''s' == 'it''s'",
    "0x10 == 16",
    "2 <= 2 && 2 >= 2 && !(2 < 2) && !(2 > 2)",
    "a.type && a.ref && a.base && a.fork && a.label",
    "contains(a.type, 'OPEN') && endsWith(a.type, 'ed')",
    "case(false, 'x', a.text == 'push', 'y', 'z') == 'y'",
    "case(false, 'x', true)",
    'contains(fromJSON(\'["opened", "x", "reopened"]\'), a.type)',
    "format('{0}', a.base) == 'owner/name'",
    "fromJSON('null') == null",
    "fromJSON('[1]')[0] >= 1",
    "!!1",
  ]],
  ["false", [
    "false",
    "${{ false }}",
    "''",
    "failure()",
    "cancelled() || false",
    "false && vars.y",
    "vars.y && false",
    "a.text == 'pull'",
    "a.ref == 'refs/tags/v1'",
    "a.type == 'closed'",
    "a.base != 'owner/name'",
    "'a' == 1",
    "2 <= 1",
    "startsWith(a.label, 'owner:')",
    "fromJSON('{}').y",
    "matrix.nothing",
    "'a' > 'b'",
    "true && false || false",
    "contains(a.type, 'x')",
    'contains(fromJSON(\'["closed", "edited"]\'), a.type)',
    "contains(fromJSON('[\"a\"]'), a.text)",
    "case(false, true, false)",
    "fromJSON('null')",
    "fromJSON('[]')[1]",
  ]],
  ["unknown", [
    "vars.y",
    "vars.y == 'z'",
    "!vars.y",
    "vars.y && true",
    "a.ref == 'refs/heads/main'",
    "a.type == 'opened'",
    "a.fork == 'owner/name'",
    "contains(vars.y, 'z')",
    "hashFiles('a') != ''",
    "a.text[vars.y]",
    "always('a' || 'b')",
    "nothing.at.all",
    "github.event.*.name",
    "matrix.open == 'x'",
    "a.label == vars.y",
    "fromJSON('{')",
    "unheardOf(1)",
    "contains(a.type, 're')",
    "contains(fromJSON('[\"opened\"]'), a.type)",
    "contains(fromJSON('[\"a\"]'), vars.y)",
    "contains(a.fork, 'x')",
    'contains(fromJSON(\'["opened", "closed"]\'), a.type)',
    "contains(a.some, 'b')",
    "startsWith(a.label, vars.y)",
    "a.either == a.ref",
    "a.empty",
    "a.never == 'x'",
    "toJSON(a.type) == '\"opened\"'",
    "join(a.type, ',') == 'opened'",
    "join(fromJSON('[\"a\"]'), a.label) == 'b'",
    "endsWith(fromJSON('[\"a\"]'), a.label)",
    "case(vars.y, true, true)",
    "startsWith(a.text, vars.y)",
    "startsWith(vars.y, 'a')",
    "join(fromJSON('[\"a\"]'), vars.y)",
    "case()",
    "format('{1}', 'a')",
    "format('{0}', a.fork)",
    "join(fromJSON('[{}]'))",
    "${{ true }} == 'true'",
    "${{ true",
    "${{ true }} ${{ true }}",
    "${{ true }}${{ true }}\n",
    "'open",
    "a ==",
    "(a",
    "a b",
    "a = b",
    "x".repeat(5000),
    "(".repeat(100) + "1" + ")".repeat(100),
  ]],
];

for (const [outcome, texts] of CASES) {
  Deno.test(`evaluateCondition() gives ${outcome} for conditions that are that`, PURE, () => {
    for (const text of texts) assertEquals(evaluate(text), outcome, text.slice(0, 80));
  });
}

Deno.test("parseExpression() reads a long chain of operators, and bounds what nests", PURE, () => {
  assert(parseExpression("1&&".repeat(1300) + "1") !== null);
  assertEquals(evaluate("1==".repeat(1300) + "1"), "true");
  assertEquals(parseExpression("!".repeat(4000) + "1"), null);
  assertEquals(parseExpression(" "), null);
  assertEquals(evaluate("true && ".repeat(600) + "true"), "unknown");
});

/** The text that a scalar becomes; what is not known stays as it is written. */
const TEXTS: readonly (readonly [text: string, resolved: string | null])[] = [
  ["plain", "plain"],
  ["${{ matrix.v }}", "2.9.6"],
  ["v${{matrix.v}}-${{ 'x' }}", "v2.9.6-x"],
  ["${{ matrix.n }}", "3.1"],
  ["${{ matrix.open || '2.9.6' }}", null],
  ["${{ matrix.nothing || '2.9.6' }}", "2.9.6"],
  ["${{ matrix.v || '2.8.2' }}", "2.9.6"],
  ["${{ matrix.open && '' || '2.9.6' }}", "2.9.6"],
  ["${{ vars.x && 'a' || 'b' }}", null],
  ["${{ '}}''' }}", "}}'"],
  ["${{ 'it''s ''quoted''' }}", "it's 'quoted'"],
  ["${{ format('{0}.{1}', 2, 'x') }}", "2.x"],
  ['${{ fromJSON(\'{"y": "2.9.6"}\').y }}', "2.9.6"],
  ["${{ fromJson('{\"y\": \"2.9.6\"}')['y'] }}", "2.9.6"],
  ["${{ matrix.list }}", null],
  ["${{ true }}", "true"],
  ["${{ null }}", ""],
  ["${{ matrix.v", null],
  ["${{ github.fork }}", null],
];

for (const [text, resolved] of TEXTS) {
  Deno.test(`resolveText() makes ${resolved} of ${text}`, PURE, () => {
    const found = resolveText(scalarOf(text), SCOPE);
    assertEquals(found.text, resolved);
    assertEquals(found.reason === null, resolved !== null);
    if (resolved === null) assertEquals(found.pieces.map((piece) => piece.text).join(""), text);
  });
}

Deno.test("truthOf() does not know whether a text counts as true that may be empty", PURE, () => {
  assertEquals(truthOf({ kind: "prefix", prefix: "" }), "unknown");
  assertEquals(truthOf({ kind: "prefix", prefix: "a" }), "true");
});

Deno.test("resolveText() does not know a text with an expression that is too long", PURE, () => {
  const text = `x\${{ vars.${"X".repeat(1100)} }}`;
  const pieces = [{ text, isKnown: false }];
  assertEquals(resolveText(scalarOf(text), SCOPE).pieces, pieces);
});

Deno.test("evaluateScalar() keeps what is no text as it is, with its place", PURE, () => {
  const position = { line: 2, column: 3 };
  const scalar: YamlScalar = { kind: "scalar", value: 3.1, source: "3.10", position };
  const origin = { path: "ci.yml", scalar };
  assertEquals(evaluateScalar(scalar, SCOPE), { kind: "known", value: 3.1, origin });
});

Deno.test(
  "evaluateScalar() makes a text of several parts, and knows nothing where one is unknown",
  PURE,
  () => {
    const valueOf = (text: string): unknown => {
      const value = evaluateScalar(scalarOf(text), SCOPE);
      return value.kind === "known" ? value.value : value.kind;
    };
    assertEquals(valueOf("v${{ matrix.v }}-${{ matrix.n }}"), "v2.9.6-3.1");
    assertEquals(valueOf("${{ matrix.v }}${{ matrix.v }}"), "2.9.62.9.6");
    assertEquals(valueOf("${{ matrix.n }}"), 3.1);
    assertEquals(valueOf("v${{ matrix.open }}"), "unknown");
    assertEquals(valueOf("${{ matrix.v }}${{ matrix.open }}"), "unknown");
  },
);

Deno.test("readCondition() takes a condition in which nothing stands for none", PURE, () => {
  const read = (text: string | null, fallback: boolean): Outcome =>
    readCondition({ ...scalarOf(text ?? ""), value: text }, SCOPE, fallback).outcome;
  for (const text of [null, "", "  "]) {
    assertEquals([read(text, true), read(text, false)], ["true", "false"]);
  }
  assertEquals(readCondition(null, SCOPE, false).outcome, "false");
});

Deno.test(
  "readCondition() tells which conditions hold where a job before was skipped",
  PURE,
  () => {
    const survives = (text: string): boolean =>
      readCondition(scalarOf(text), SCOPE, true).survivesSkips;
    for (const text of ["always()", "${{ !cancelled() }}", "Failure() || true"]) {
      assertEquals(survives(text), true, text);
    }
    for (const text of ["", "success()", "${{ true }}", "'always'"]) {
      assertEquals(survives(text), false, text);
    }
  },
);

Deno.test("isReference() takes one reference alone, in any spelling", PURE, () => {
  const takes = (piece: string): boolean => isReference(piece, "github.sha");
  assertEquals(["${{ github.sha }}", "${{GitHub . SHA}}"].map(takes), [true, true]);
  const others = ["${{ github.sha }}x", "${{ github.sha }}${{ github.sha }}", "github.sha"];
  assertEquals([...others, "${{ github.sha2 }}", "${{ github.sha || 'x' }}"].map(takes), [
    ...[false, false, false, false, false],
  ]);
});
