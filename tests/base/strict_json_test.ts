import fc from "fast-check";
import { KprovError } from "../../src/base/error.ts";
import { parseStrictJson, SMALL_JSON } from "../../src/base/strict_json.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { hasMisreadKey } from "../misread_key.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test(
  "parseStrictJson() agrees with JSON.parse() on everything that JSON.stringify() writes",
  PURE,
  () => {
    // Both are refused on purpose; tests of their own show that.
    const texts = fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify(value))
      .filter((text) => !text.includes("__proto__") && !hasMisreadKey(text));
    fc.assert(fc.property(texts, (text) => {
      assertEquals(parseStrictJson(encode(text), SMALL_JSON), JSON.parse(text));
    }));
  },
);

const REFUSED: readonly (readonly [string, string | Uint8Array, string])[] = [
  ["a byte order mark", "\uFEFF{}", "it starts with a byte order mark"],
  ["invalid UTF-8", new Uint8Array([0x22, 0xff, 0x22]), "it is not valid UTF-8"],
  ["UTF-16", new Uint8Array([0x7b, 0, 0x7d, 0]), "it is not JSON"],
  ["a key twice", '{"a":1,"b":{"a":1},"a":2}', 'it has the key "a" twice'],
  ["a key twice in two spellings", '{"a":1,"\\u0061":2}', 'it has the key "a" twice'],
  ["__proto__", '{"__proto__":{}}', 'it has a key "__proto__"'],
  ["__proto__ spelt otherwise", '[{"\\u005f_proto__" : {}}]', 'it has a key "__proto__"'],
  [
    "a key that engines misread",
    '[{"\\\\":1},{"\\n":1}]',
    'it has the key "\\\\", which is read in two ways',
  ],
  ["such a key by its number", '{"\\u0061":1}', 'it has the key "a", which is read in two ways'],
  ["a lone surrogate", '["\\ud800"]', 'it holds a lone surrogate in "\\ud800"'],
  ["nesting beyond the limit", "[".repeat(65) + "]".repeat(65), "it is nested deeper than 64"],
  ["a million brackets", "[".repeat(1_000_000), "it is nested deeper than 64"],
  ["a comment", "{} // a", "it is not JSON"],
  ["two values", "{} {}", "it is not JSON"],
  ["a string without its end", '{"a', "it is not JSON"],
  ["nothing", "", "it is not JSON"],
  [
    "more bytes than the limit",
    `"${"a".repeat(SMALL_JSON.maxBytes)}"`,
    "it is larger than 16777216 bytes",
  ],
];

for (const [what, input, message] of REFUSED) {
  Deno.test(`parseStrictJson() refuses ${what}`, PURE, () => {
    const bytes = typeof input === "string" ? encode(input) : input;
    const error = assertThrows(() => parseStrictJson(bytes, SMALL_JSON), KprovError);
    assertEquals(error.message, message);
  });
}

Deno.test(
  "parseStrictJson() takes equal keys in different objects, and brackets in strings",
  PURE,
  () => {
    const text = '[{"a":"[{"},{"a":"}]"},{"b":{"a":1}}]';
    assertEquals(parseStrictJson(encode(text), SMALL_JSON), JSON.parse(text));
  },
);
