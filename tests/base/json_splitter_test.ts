import fc from "fast-check";
import { KprovError, LimitError } from "../../src/base/error.ts";
import { type JsonItem, JsonSplitter, type SplitLimits } from "../../src/base/strict_json.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };
const LISTS = [["list"], ["deep", "er", "list"]];
const LIMITS: SplitLimits = { maxOutline: 200, maxItem: 40, maxItems: 5, maxDepth: 6 };

function split(parts: Iterable<string>, limits = LIMITS): {
  readonly outline: string;
  readonly items: readonly string[];
  readonly lines: readonly number[];
  readonly cuts: readonly number[];
} {
  const items: JsonItem[] = [];
  const splitter = new JsonSplitter(LISTS, limits, (item) => items.push(item));
  for (const part of parts) splitter.write(part);
  const { text, cuts } = splitter.end();
  return {
    outline: text,
    items: items.map(({ list, index, text, isLast }) =>
      `${list}/${index}${isLast ? "." : ""}${text}`
    ),
    lines: items.map(({ line }) => line),
    cuts: cuts.map(({ offset, lines }) => {
      assertEquals(text.slice(offset, offset + 2), "[]");
      return lines;
    }),
  };
}

const SPLIT: readonly (readonly [string, string, string, readonly string[]])[] = [
  ["a list", '{"list":[1, 2]}', '{"list":[]}', ["0/01", "0/1. 2"]],
  ["an empty list", '{"list":[ ]}', '{"list":[]}', ["0/0. "]],
  [
    "two lists, one of them deeper",
    '{"deep":{"er":{"list":[{"a":[1]}]}},"list":["]"]}',
    '{"deep":{"er":{"list":[]}},"list":[]}',
    ['1/0.{"a":[1]}', '0/0."]"'],
  ],
  ["a key in another spelling", '{"l\\u0069st":[1]}', '{"l\\u0069st":[]}', ["0/0.1"]],
  ["brackets, commas and quotation marks in strings", '{"list":["[,\\"]","\\\\"]}', '{"list":[]}', [
    '0/0"[,\\"]"',
    '0/1."\\\\"',
  ]],
  ["what is no array", '{"list":{"a":[1,2]}}', '{"list":{"a":[1,2]}}', []],
  ["the same key elsewhere", '{"a":{"list":[1]}}', '{"a":{"list":[1]}}', []],
  ["the same key in an array", '[{"list":[1]}]', '[{"list":[1]}]', []],
  ["the same word as a value", '{"a":"list","b":[1]}', '{"a":"list","b":[1]}', []],
  ["a list behind another value of its key", '{"list":1,"b":[1]}', '{"list":1,"b":[1]}', []],
  ["lists in a list", '{"list":[[1,[2]],{"list":[3]}]}', '{"list":[]}', [
    "0/0[1,[2]]",
    '0/1.{"list":[3]}',
  ]],
];

for (const [what, text, outline, items] of SPLIT) {
  Deno.test(`JsonSplitter parts ${what}, wherever the text is cut`, PURE, () => {
    const whole = split([text]);
    assertEquals([whole.outline, whole.items], [outline, items]);
    assertEquals(split(text), whole);
    fc.assert(fc.property(fc.nat({ max: text.length }), (i) => {
      assertEquals(split([text.slice(0, i), text.slice(i)]), whole);
    }));
  });
}

Deno.test("JsonSplitter counts lines, those that it leaves out too", PURE, () => {
  const { lines, cuts, outline } = split('{\n"list":[\n1,\n2\n],\n"deep":{"er":{"list":[1]}}\n}\n');
  assertEquals(lines, [2, 3, 6]);
  assertEquals(cuts, [3, 0]);
  assertEquals(outline, '{\n"list":[],\n"deep":{"er":{"list":[]}}\n}\n');
});

const REFUSED: readonly (readonly [string, string, string])[] = [
  ["a list that ends otherwise", '{"list":[1}', "it is not JSON"],
  ["a list without an end", '{"list":[1', "it is not JSON"],
  ["a string without an end", '{"list', "it is not JSON"],
  ["more items than the limit", '{"list":[1,2,3,4,5,6]}', "it lists more than 5 files"],
  [
    "an item beyond the limit",
    `{"list":["${"a".repeat(40)}"]}`,
    "it has more than 40 characters in one item of a list",
  ],
  [
    "more around the lists than the limit",
    `{"list":[1],"b":"${"a".repeat(200)}"}`,
    "it has more than 200 characters outside of its lists of files",
  ],
  ["depth in an item", '{"list":[[[[[[1]]]]]]}', "it is nested deeper than 6"],
  ["depth outside of lists", "[[[[[[[1]]]]]]]", "it is nested deeper than 6"],
];

for (const [what, text, message] of REFUSED) {
  Deno.test(`JsonSplitter refuses ${what}, wherever the text is cut`, PURE, () => {
    for (const parts of [[text], text]) {
      const error = assertThrows(() => split(parts), KprovError);
      assertEquals([error.code, error.message], ["data", message]);
      assertEquals(error instanceof LimitError, message.includes("more than"));
    }
  });
}

Deno.test("JsonSplitter takes what is just inside the limits", PURE, () => {
  const item = `"${"a".repeat(38)}"`;
  const around = `{"list":[],"deep":"${"a".repeat(179)}"}`;
  assertEquals(around.length, 200);
  assertEquals(split([around.replace("[]", `[${item},2,3,4,5]`)]).items.length, 5);
  assert(split(["[[[[[[1]]]]]]"]).items.length === 0);
});
