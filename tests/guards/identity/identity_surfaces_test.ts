import { IDENTITY } from "../../../src/guards/identity/identity.ts";
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
