import { KprovError, makeFinding } from "../../src/base/error.ts";
import { renderFindings } from "../../src/commands/guard.ts";
import { makeGuardResult } from "../../src/guards/guard.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const RESULTS = [
  makeGuardResult("artifacts", [makeFinding("artifacts.tracked", "it is tracked")]),
  makeGuardResult("identity", [
    makeFinding("identity.lookalike", "one"),
    makeFinding("identity.lookalike", "two"),
  ]),
];

/** Longer than any text of JavaScript can be. */
function renderTooMuch(): string {
  return "x".repeat(2 ** 29).repeat(2);
}

Deno.test("renderFindings() gives what the findings are rendered to", () => {
  assertEquals(renderFindings((results) => `${results.length} guards`, RESULTS), "2 guards");
});

Deno.test("renderFindings() refuses more findings than one text holds, with their number", () => {
  const { code, message } = assertThrows(() => renderFindings(renderTooMuch, RESULTS), KprovError);
  assertEquals([code, message], ["data", "Cannot show 3 findings: they are too many for one text"]);
});

Deno.test("renderFindings() lets every other fault through", () => {
  assertThrows(() => renderFindings(() => JSON.parse("{"), RESULTS), SyntaxError);
});
