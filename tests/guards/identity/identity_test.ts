import fc from "fast-check";
import type { RepositoryFacts } from "../../../src/guards/guard.ts";
import { IDENTITY } from "../../../src/guards/identity/identity.ts";
import type { Policy } from "../../../src/guards/policy.ts";
import { assert, assertEquals } from "../../assert.ts";
import { change, check, CLEAN, factsOf, POLICY, PURE, summarize, utf16 } from "./identity_facts.ts";

Deno.test("IDENTITY passes a clean repository", PURE, () => {
  assertEquals(check({}), []);
});

Deno.test("IDENTITY is configured by the identity section alone", PURE, () => {
  assert(IDENTITY.isConfigured(POLICY));
  const bare: Policy = { schema: "kprovengine.policy.v1", artifacts: {} };
  assert(!IDENTITY.isConfigured(bare));
  assertEquals(IDENTITY.check(factsOf(CLEAN), bare), []);
  assert(!IDENTITY.wantsContent("README.md", bare));
});

Deno.test("IDENTITY wants the surfaces and the Dockerfiles whole", PURE, () => {
  const wanted = ["README.md", "deno.json", "Dockerfile", "a/b/Dockerfile", "a/x.Dockerfile"];
  for (const path of wanted) assert(IDENTITY.wantsContent(path, POLICY), path);
  for (const path of ["src/README.md", "Dockerfile.md", "package.json"]) {
    assert(!IDENTITY.wantsContent(path, POLICY), path);
  }
  const policy: Policy = { ...POLICY, identity: { dockerfiles: ["Containerfile"] } };
  assert(IDENTITY.wantsContent("Containerfile", policy));
  assert(!IDENTITY.wantsContent("Dockerfile", policy));
});

const README = "https://github.com/carcodez1/kprovengine";

const CASES: readonly (readonly [
  string,
  Readonly<Record<string, string | Uint8Array | null>>,
  readonly string[],
])[] = [
  ["a surface that git does not track", { "README.md": null }, [
    "identity.surface_missing README.md",
  ]],
  ["a surface without the pointer's value", { "deno.json": "{}" }, [
    "identity.surface_missing deno.json",
  ]],
  ["a surface that is not JSON", { "deno.json": '{"name" "@kprov/cli"}' }, [
    "identity.surface_missing deno.json:1:9",
  ]],
  ["a surface that is empty", { "deno.json": "" }, ["identity.surface_missing deno.json:1:1"]],
  ["a surface with the key twice", { "deno.json": '{"name": "@kprov/cli",\n"name": "x"}' }, [
    "identity.surface_missing deno.json:2:9",
  ]],
  ["a surface that is not UTF-8", { "README.md": Uint8Array.from([0x61, 0xff, 0x61]) }, [
    "identity.surface_missing README.md",
  ]],
  ["a surface in UTF-16 without a mark", { "README.md": utf16(README).subarray(2) }, [
    "identity.surface_missing README.md",
  ]],
  ["a surface nested without end", { "deno.json": "[".repeat(200_000) }, [
    "identity.surface_missing deno.json",
  ]],
  ["another value at the pointer", { "deno.json": '{"a": 1,\n "name": "@kprov/cl"}' }, [
    "identity.surface_mismatch deno.json:2:10",
  ]],
  ["a value at the pointer that is no text", { "deno.json": '{"name": ["@kprov/cli"]}' }, [
    "identity.surface_mismatch deno.json:1:10",
  ]],
  ["a surface without the text", { "README.md": "# KProvEngine\n" }, [
    "identity.surface_mismatch README.md",
  ]],
  ["a surface with more than the text", { "README.md": `\nsee ${README}-fork` }, [
    "identity.surface_mismatch README.md:2:5",
  ]],
  ["a forbidden token", { "docs/a.md": "x\n carcodez1/KProvEngine" }, [
    "identity.forbidden_token docs/a.md:2:2",
  ]],
  ["a forbidden token in a path", { "docs/carcodez1/KProvEngine": "" }, [
    "identity.forbidden_token docs/carcodez1/KProvEngine",
  ]],
  ["the display name where it is not allowed", { "src/a.ts": "// KProvEngine" }, [
    "identity.display_name src/a.ts:1:4",
  ]],
  ["the display name in a path where it is not allowed", { "src/KProvEngine.ts": "" }, [
    "identity.display_name src/KProvEngine.ts",
  ]],
  ["the display name in a Dockerfile's comment", {
    "Dockerfile": `# KProvEngine\n${CLEAN["Dockerfile"]}`,
  }, ["identity.display_name Dockerfile:1:3"]],
  ["the display name in a comment between the lines of a description", {
    "Dockerfile":
      'FROM x\nLABEL org.opencontainers.image.title=kprovengine \\\n a.description="KProvEngine \\\n # KProvEngine\n KProvEngine"',
  }, ["identity.display_name Dockerfile:4:4"]],
  ["the display name in another label", {
    "Dockerfile": `${CLEAN["Dockerfile"]}LABEL x.descriptions=KProvEngine`,
  }, ["identity.display_name Dockerfile:4:22"]],
  ["the display name as the name of a label", {
    "Dockerfile": `${CLEAN["Dockerfile"]}LABEL KProvEngine.description=x`,
  }, ["identity.display_name Dockerfile:4:7"]],
  ["a look-alike", { "src/a.ts": "kprоvengine" }, ["identity.lookalike src/a.ts:1:1"]],
  ["a look-alike in a path", { "src/kprоvengine.ts": "" }, [
    "identity.lookalike src/kprоvengine.ts",
  ]],
  ["a look-alike of ASCII in a path", { "src/kpr0vengine/a.ts": "" }, [
    "identity.lookalike src/kpr0vengine/a.ts",
  ]],
  ["an invisible character beside the name in a path", { "src/kprovengine\u200b.ts": "" }, [
    "identity.lookalike src/kprovengine\u200b.ts",
  ]],
  ["a label that is missing", { "Dockerfile": "FROM a\nFROM scratch\n" }, [
    "identity.docker_label Dockerfile:2:1",
  ]],
  ["a Dockerfile without a stage", { "Dockerfile": "# nothing\n" }, [
    "identity.docker_label Dockerfile",
  ]],
  ["a Dockerfile without end", { "Dockerfile": `${CLEAN["Dockerfile"]}#${"x".repeat(2 ** 18)}` }, [
    "identity.docker_label Dockerfile",
    "identity.display_name Dockerfile:3:41",
  ]],
  ["a Dockerfile that is not UTF-8", { "Dockerfile": Uint8Array.from([0x46, 0xff, 0x46]) }, [
    "identity.docker_label Dockerfile",
  ]],
];

for (const [what, changes, expected] of CASES) {
  Deno.test(`IDENTITY finds ${what}`, PURE, () => {
    assertEquals(check(changes), [...expected]);
  });
}

Deno.test(
  "IDENTITY shows a look-alike escaped, and names the character that differs alone",
  PURE,
  () => {
    const [finding] = IDENTITY.check(factsOf({ ...CLEAN, "a": "kprov\u202eengine" }), POLICY);
    assertEquals(
      finding?.message,
      '"kprov\\u202eengine" in the content looks like "kprovengine" but is not',
    );
    assertEquals(finding?.hint, "it has U+202E added");
  },
);

const HINTS: readonly (readonly [text: string, hint: string])[] = [
  ["kprоvengine", 'it has U+043E in place of "o"'],
  ["кprоvengine", 'it has U+043A in place of "k", U+043E in place of "o"'],
  ["kprovenglne", 'it has U+006C in place of "i"'],
  ["kprov\u200bengine\u0332", "it has U+200B U+0332 added"],
  ["https://github.corn/carcodez1/kprovengine", 'it has U+0072 U+006E in place of "m"'],
  [
    "ᴋᴘʀᴏᴠᴇɴɢɪɴᴇ",
    'it has U+1D0B in place of "k", U+1D18 in place of "p", U+0280 in place of "r", ' +
    'U+1D0F in place of "o", U+1D20 in place of "v" and 4 more',
  ],
];

for (const [text, hint] of HINTS) {
  Deno.test(`IDENTITY says of ${text} that ${hint}`, PURE, () => {
    const findings = IDENTITY.check(factsOf({ ...CLEAN, "a": text }), POLICY);
    assertEquals(findings.map((finding) => finding.hint), [hint]);
  });
}

Deno.test("IDENTITY tells how many places of a file are not listed", PURE, () => {
  const files = { ...CLEAN, "a": "kprоvengine\n".repeat(1000) };
  const findings = IDENTITY.check(factsOf(files), POLICY);
  assertEquals(findings.length, 101);
  assertEquals(findings.at(-1)?.line, 101);
  assertEquals(
    findings.at(-1)?.message,
    "a look-alike stands in 900 more places of the content, from here on",
  );
});

Deno.test("IDENTITY tells one more place as one", PURE, () => {
  const files = { ...CLEAN, "a": "kprоvengine\n".repeat(101) };
  assertEquals(
    IDENTITY.check(factsOf(files), POLICY).at(-1)?.message,
    "a look-alike stands in 1 more place of the content, from here on",
  );
});

const MESSAGES: readonly (readonly [path: string, content: string, message: string])[] = [
  ["docs/a", "carcodez1/KProvEngine", 'forbidden token "carcodez1/KProvEngine" in the content'],
  ["docs/carcodez1/KProvEngine", "", 'forbidden token "carcodez1/KProvEngine" in the path'],
  ["a", "KProvEngine", 'display name "KProvEngine" in the content, where it is not allowed'],
  ["KProvEngine", "", 'display name "KProvEngine" in the path, where it is not allowed'],
];

for (const [path, content, message] of MESSAGES) {
  Deno.test(`IDENTITY says: ${message}`, PURE, () => {
    const findings = IDENTITY.check(factsOf({ ...CLEAN, [path]: content }), POLICY);
    assertEquals(findings.map((finding) => finding.message), [message]);
  });
}

Deno.test("IDENTITY takes no hit of another guard for its own", PURE, () => {
  const facts = factsOf(CLEAN);
  const hits = [{ path: "a", code: "artifacts.key", line: 1, column: 1, text: "x", token: "x" }];
  assertEquals(IDENTITY.check({ ...facts, hits }, POLICY), []);
});

Deno.test("IDENTITY finds what lies behind a link, and what is missing", PURE, () => {
  const facts = factsOf(CLEAN);
  assert("length" in facts.tracked);
  const tracked = [...facts.tracked, { path: "l/a", kind: "file", behindLink: "l" } as const];
  assertEquals(
    summarize(IDENTITY.check({ ...facts, tracked, missing: ["src/kprovengine.ts"] }, POLICY)),
    ["identity.behind_link l/a", "identity.missing_file src/kprovengine.ts"],
  );
});

Deno.test("IDENTITY takes no submodule for a Dockerfile", PURE, () => {
  const facts = factsOf(CLEAN);
  assert("length" in facts.tracked);
  const tracked = [...facts.tracked, { path: "x/Dockerfile", kind: "submodule" } as const];
  assertEquals(summarize(IDENTITY.check({ ...facts, tracked }, POLICY)), []);
});

Deno.test("IDENTITY fails where git's list could not be read", PURE, () => {
  const facts: RepositoryFacts = {
    ...factsOf(CLEAN),
    tracked: { code: "artifacts.index_invalid", message: "Cannot read the index: it is cut off" },
  };
  assertEquals(summarize(IDENTITY.check(facts, POLICY)), ["artifacts.index_invalid null"]);
});

Deno.test("IDENTITY finds the same in whatever order the files come", PURE, () => {
  const files = change({
    "README.md": "x",
    "a.ts": "KProvEngine kprоvengine\nkpr0vengine",
    "docs/b.md": "carcodez1/KProvEngine",
    "x/Dockerfile": "FROM x\nLABEL a=$b",
    "kprоvengine": "",
  });
  const expected = IDENTITY.check(factsOf(files), POLICY);
  assert(expected.length > 5);
  fc.assert(
    fc.property(
      fc.shuffledSubarray(Object.keys(files), { minLength: Object.keys(files).length }),
      (paths) => {
        const shuffled = Object.fromEntries(paths.map((path) => [path, files[path] ?? ""]));
        assertEquals(IDENTITY.check(factsOf(shuffled), POLICY), expected);
      },
    ),
    { numRuns: 50 },
  );
});
