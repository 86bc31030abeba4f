import fc from "fast-check";
import { KprovError, renderCanonicalJson } from "../../mod.ts";
import {
  LazyList,
  listCanonicalPieces,
  renderCanonicalPart,
  streamCanonicalJson,
} from "../../src/base/canonical_json.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { hasMisreadKey } from "../misread_key.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** The values that canonical JSON represents. */
const values = fc.jsonValue({ stringUnit: "binary-ascii" }).filter((value) => {
  try {
    const text = JSON.stringify(value);
    return !text.includes("-0") && !hasMisreadKey(text) && renderCanonicalJson(value) !== "";
  } catch {
    return false;
  }
});

/** The same value with the keys of every object in another order. */
function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).reverse().map(([key, inner]) => [key, reverseKeys(inner)]),
  );
}

Deno.test("renderCanonicalJson() ignores the order of keys", PURE, () => {
  fc.assert(fc.property(values, (value) => {
    assertEquals(renderCanonicalJson(reverseKeys(value)), renderCanonicalJson(value));
  }));
});

Deno.test("JSON.parse() undoes renderCanonicalJson()", PURE, () => {
  fc.assert(fc.property(values, (value) => {
    assertEquals(JSON.parse(renderCanonicalJson(value)), value);
  }));
});

Deno.test(
  "renderCanonicalJson() is stable: rendering what was parsed gives the same text",
  PURE,
  () => {
    fc.assert(fc.property(values, (value) => {
      const text = renderCanonicalJson(value);
      assertEquals(renderCanonicalJson(JSON.parse(text)), text);
    }));
  },
);

/** The same value with every array made item by item. */
function makeLazy(value: unknown): unknown {
  if (Array.isArray(value)) return new LazyList(value.length, (i) => makeLazy(value[i]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, makeLazy(inner)]),
  );
}

Deno.test("streamCanonicalJson() gives the text of renderCanonicalJson() in pieces", PURE, () => {
  fc.assert(fc.property(values, (value) => {
    for (const some of [value, makeLazy(value)]) {
      let text = "";
      streamCanonicalJson(some, (piece) => text += piece);
      assertEquals(text, renderCanonicalJson(value));
      assertEquals([...listCanonicalPieces(some)].join(""), text);
    }
  }));
});

Deno.test(
  "streamCanonicalJson() gives a long list in many short pieces, made one by one",
  PURE,
  () => {
    let made = 0;
    const lengths: number[] = [];
    streamCanonicalJson(
      new LazyList(100_000, (i) => {
        made++;
        return { name: `file-${i}` };
      }),
      (piece) => {
        if (lengths.length === 0) assert(made < 3000, `${made} items for the first piece`);
        lengths.push(piece.length);
      },
    );
    assertEquals(made, 100_000);
    assert(lengths.length > 40);
    assert(lengths.every((length) => length < 100_000));
  },
);

Deno.test("renderCanonicalPart() renders a value as it stands inside a document", PURE, () => {
  fc.assert(fc.property(values, (value) => {
    assertEquals(
      `[\n  ${renderCanonicalPart(value, "  ")}\n]\n`,
      renderCanonicalJson([value]),
    );
  }));
});

const RENDERED: readonly (readonly [string, unknown, string])[] = [
  ["an empty object", {}, "{}\n"],
  ["an empty array", [], "[]\n"],
  [
    "two-space indentation",
    { a: [1, { b: null }] },
    '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ]\n}\n',
  ],
  [
    "keys by UTF-16 code unit",
    { "\uFF5E": 1, "\u{1F600}": 2, B: 3, a: 4 },
    '{\n  "B": 3,\n  "a": 4,\n  "\u{1F600}": 2,\n  "\uFF5E": 1\n}\n',
  ],
  ["integer-like keys as text", { 10: 1, 9: 2 }, '{\n  "10": 1,\n  "9": 2\n}\n'],
  [
    "numbers as ECMAScript prints them",
    [1e-7, 0.1, 1e21 / 10 / 1e6, -5],
    "[\n  1e-7,\n  0.1,\n  100000000000000,\n  -5\n]\n",
  ],
  [
    "control characters escaped, all else as it is",
    "\u0000\n\u007fé\u2028",
    '"\\u0000\\n\u007fé\u2028"\n',
  ],
];

for (const [what, value, expected] of RENDERED) {
  Deno.test(`renderCanonicalJson() renders ${what}`, PURE, () => {
    assertEquals(renderCanonicalJson(value), expected);
  });
}

const cycle: { self?: unknown } = {};
cycle.self = cycle;

const REFUSED: readonly (readonly [string, unknown])[] = [
  ["undefined", undefined],
  ["undefined in an object", { a: undefined }],
  ["undefined in an array", [undefined]],
  ["a hole in an array", new Array(1)],
  ["NaN", NaN],
  ["infinity", -Infinity],
  ["-0", -0],
  ["an integer beyond 2^53-1", 2 ** 53],
  ["an integer below -(2^53-1)", -(2 ** 53)],
  ["a large float, which is an integer", 1e300],
  ["a lone surrogate", "\ud800"],
  ["a lone surrogate in a key", { "\udc00": 1 }],
  ["a bigint", 1n],
  ["a function", () => 1],
  ["a symbol", Symbol("a")],
  ["a symbol key", { [Symbol("a")]: 1 }],
  ["a date", new Date(0)],
  ["a map", new Map()],
  ["a cycle", cycle],
];

for (const [what, value] of REFUSED) {
  Deno.test(`renderCanonicalJson() and listCanonicalPieces() refuse ${what}`, PURE, () => {
    for (const render of [renderCanonicalJson, (it: unknown) => [...listCanonicalPieces(it)]]) {
      const error = assertThrows(() => render(value), KprovError);
      assertEquals(error.code, "fault");
    }
  });
}
