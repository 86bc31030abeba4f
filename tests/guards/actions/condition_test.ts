import { evaluateCondition, readCondition } from "../../../src/guards/workflow/condition.ts";
import { parseExpression } from "../../../src/guards/workflow/expression_parser.ts";
import {
  known,
  type Outcome,
  UNKNOWN,
  type Value,
} from "../../../src/guards/workflow/expression_value.ts";
import { assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const VALUES = new Map<string, Value>([
  ["a.text", known("Push")],
  ["a.none", known(null)],
  ["a.zero", known(0)],
  ["a.ref", { kind: "prefix", prefix: "refs/heads/" }],
  ["a.type", { kind: "one_of", values: ["opened", "reopened"] }],
  ["a.base", { kind: "symbol", name: "base", text: "owner/name" }],
  ["a.fork", { kind: "symbol", name: "fork", text: null }],
]);

function evaluate(text: string): Outcome {
  const condition = readCondition(
    { kind: "scalar", value: text, source: text, position: { line: 1, column: 1 } },
    true,
  );
  return evaluateCondition(condition, (path) => VALUES.get(path.join(".")) ?? UNKNOWN);
}

const CASES: readonly (readonly [Outcome, readonly string[]])[] = [
  ["true", [
    "true",
    "${{ true }}",
    "'false'",
    "1 == 1.0",
    "!false && !cancelled()",
    "always() || x.y",
    "x.y || always()",
    "A.Text == 'pUSH'",
    "a['text'] == 'push'",
    "x['a' || 'b'] || true",
    "always('a' || 'b')",
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
    "!!1",
  ]],
  ["false", [
    "false",
    "${{ false }}",
    "''",
    "failure()",
    "cancelled() || false",
    "false && x.y",
    "x.y && false",
    "a.text == 'pull'",
    "a.ref == 'refs/tags/v1'",
    "a.type == 'closed'",
    "a.base != 'owner/name'",
    "'a' == 1",
    "2 <= 1",
    "true && false || false",
  ]],
  ["unknown", [
    "x.y",
    "x.y == 'z'",
    "!x.y",
    "x.y && true",
    "a.ref == 'refs/heads/main'",
    "a.type == 'opened'",
    "a.fork == 'owner/name'",
    "contains(x.y, 'z')",
    "hashFiles('a') != ''",
    "a.text[x.y]",
    "${{ true }} == 'true'",
    "${{ true",
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

Deno.test("parseExpression() reads a long chain of operators and of negations", PURE, () => {
  assertEquals(parseExpression("1&&".repeat(1300) + "1").ok, true);
  assertEquals(parseExpression("!".repeat(4000) + "1").ok, true);
  assertEquals(evaluate("!".repeat(4001 - 2) + "1"), "false");
});
