import fc from "fast-check";
import type { Finding } from "../../src/finding.ts";
import { createContentScanner } from "../../src/guards/content_scanner.ts";
import type { FileContent, RepositoryFacts, TrackedEntry } from "../../src/guards/facts.ts";
import { IDENTITY } from "../../src/guards/identity.ts";
import type { IdentityPolicy, Policy } from "../../src/guards/policy.ts";
import { assert, assertEquals } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

type Files = Readonly<Record<string, string | Uint8Array>>;

const POLICY: Policy = {
  schema: "kprovengine.policy.v1",
  identity: {
    technical_name: "kprovengine",
    display_name: "KProvEngine",
    repository: "https://github.com/carcodez1/kprovengine",
    surfaces: [
      { path: "deno.json", pointer: "/name", equals: "@kprov/cli" },
      { path: "README.md", contains: "https://github.com/carcodez1/kprovengine" },
    ],
    display_name_allowed: ["README.md", "docs/**"],
    forbidden_tokens: ["carcodez1/KProvEngine"],
    allowances: [{
      code: "identity.forbidden_token",
      path: "docs/governance/policy.json",
      reason: "the list itself",
    }],
    docker_labels: { "org.opencontainers.image.title": "kprovengine" },
  },
};

const CLEAN: Files = {
  "Dockerfile":
    'FROM scratch\nLABEL org.opencontainers.image.title="kprovengine" \\\n  org.opencontainers.image.description="KProvEngine in a box"\n',
  "README.md": "# KProvEngine\n\nSee https://github.com/carcodez1/kprovengine.\n",
  "deno.json": '{\n  // The package\n  "name": "@kprov/cli",\n}\n',
  "docs/governance/policy.json": '{"forbidden_tokens": ["carcodez1/KProvEngine"]}\n',
  "src/kprovengine.ts": "export const name = 'kprovengine';\n",
};

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** Facts as they are gathered from such files. */
function factsOf(files: Files, policy: Policy = POLICY): RepositoryFacts {
  const scanner = createContentScanner(policy);
  const paths = Object.keys(files);
  return {
    tracked: paths.map((path): TrackedEntry => ({ path, kind: "file" })),
    contents: new Map(
      paths.filter((path) => IDENTITY.wantsContent(path, policy))
        .map((path): [string, FileContent] => [
          path,
          { ok: true, bytes: toBytes(files[path] ?? "") },
        ]),
    ),
    hits: paths.flatMap((path) => scanner.scan(path, toBytes(files[path] ?? ""))),
    runningDeno: "2.9.6",
  };
}

/** Each finding on one line: `identity.surface_missing README.md:1:2`. */
function summarize(findings: readonly Finding[]): string[] {
  return findings.map(({ code, path, line, column }) =>
    `${code} ${path}${line === null ? "" : `:${line}:${column}`}`
  );
}

/** What the guard finds in the clean files with some changed, or taken out. */
function check(changes: Readonly<Record<string, string | Uint8Array | null>>): string[] {
  return summarize(IDENTITY.check(factsOf(change(changes)), POLICY));
}

function change(changes: Readonly<Record<string, string | Uint8Array | null>>): Files {
  return Object.fromEntries(
    Object.entries({ ...CLEAN, ...changes }).flatMap(([path, content]) =>
      content === null ? [] : [[path, content]]
    ),
  );
}

/** What the guard finds in the clean files under a policy with some parts changed. */
function checkUnder(changes: Partial<IdentityPolicy>, files: Files = CLEAN): string[] {
  const policy: Policy = { ...POLICY, identity: { ...POLICY.identity, ...changes } };
  return summarize(IDENTITY.check(factsOf(files, policy), policy));
}

function utf16(text: string): Uint8Array {
  return Uint8Array.from([0xff, 0xfe, ...[...text].flatMap((c) => [c.charCodeAt(0), 0])]);
}

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
  ["an allowance that allows nothing", { "docs/governance/policy.json": "{}" }, [
    "identity.unused_allowance null",
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

const TITLE = "org.opencontainers.image.title";

const LABELS: readonly (readonly [string, string, readonly string[]])[] = [
  ["bare", `FROM a\nLABEL ${TITLE}=kprovengine`, []],
  ["in quotes", `FROM a\nLABEL "${TITLE}"="kprovengine"`, []],
  ["in single quotes", `FROM a\nLABEL '${TITLE}'='kprovengine'`, []],
  ["half in quotes", `FROM a\nLABEL ${TITLE}=kprov"engine"`, []],
  ["with an escape", `FROM a\nLABEL ${TITLE}=kprov\\engine`, []],
  ["in the old form", `FROM a\nLABEL ${TITLE} kprovengine  \n`, []],
  ["in the old form with more", `FROM a\nLABEL ${TITLE} kprovengine x\n`, ["2:38"]],
  ["in small letters", `from a\nlabel ${TITLE}=kprovengine`, []],
  ["with others", `FROM a\nLABEL a=b ${TITLE}=kprovengine c="d e"`, []],
  ["behind a tab", `FROM a\nLABEL a="b"\t${TITLE}=kprovengine`, []],
  ["on a second line", `FROM a\r\nLABEL a=b \\\r\n  ${TITLE}=kprovengine\r\n`, []],
  ["behind a comment", `FROM a\nLABEL a=b \\\n  # c\n\n ${TITLE}=kprovengine`, []],
  ["over two lines", `FROM a\nLABEL ${TITLE}=kprov\\\nengine`, []],
  [
    "with another escape character",
    `# escape=\`\nFROM a\nLABEL a=b \`\n ${TITLE}=kprov\`engine`,
    [],
  ],
  ["with a mark before", `\ufeffFROM a\nLABEL ${TITLE}=kprovengine`, []],
  ["wrong", `FROM a\nLABEL ${TITLE}=kprov`, ["2:38"]],
  ["empty", `FROM a\nLABEL ${TITLE}=`, ["2:7"]],
  ["without a value", `FROM a\nLABEL a=b ${TITLE}`, ["2:11"]],
  ["with an open quotation mark", `FROM a\nLABEL ${TITLE}="kprovengine`, ["2:38"]],
  ["with a variable", `FROM a\nARG N=kprovengine\nLABEL ${TITLE}=$N`, ["3:38"]],
  ["with a variable in quotes", `FROM a\nARG N\nLABEL ${TITLE}="\${N}"`, ["3:38"]],
  ["with what is no variable", `FROM a\nLABEL ${TITLE}='$N'`, ["2:38"]],
  ["with an escaped dollar sign", `FROM a\nLABEL ${TITLE}=kprovengine x=\\$N`, []],
  ["with a variable in a name", `FROM a\nLABEL ${TITLE}=kprovengine $N=x`, ["2:50"]],
  ["in a comment", `FROM a\n# LABEL ${TITLE}=kprovengine`, ["1:1"]],
  ["in a heredoc", `FROM a\nRUN <<E\nLABEL ${TITLE}=kprovengine\nE`, ["1:1"]],
  ["for child images", `FROM a\nONBUILD LABEL ${TITLE}=kprovengine`, ["1:1"]],
  ["first right, then wrong", `FROM a\nLABEL ${TITLE}=kprovengine\nLABEL ${TITLE}=x`, ["3:38"]],
  ["first wrong, then right", `FROM a\nLABEL ${TITLE}=x\nLABEL ${TITLE}=kprovengine`, []],
  ["in an earlier stage", `FROM a AS b\nLABEL ${TITLE}=kprovengine\nFROM c`, ["3:1"]],
  ["in the last stage", `FROM a AS b\nLABEL ${TITLE}=x\nFROM c\nLABEL ${TITLE}=kprovengine`, []],
  ["taken over from an earlier stage", `FROM a AS Bb\nLABEL ${TITLE}=kprovengine\nFROM bB`, []],
  ["behind a line that may go on", `FROM a\nLABEL a=b\\\\\n ${TITLE}=kprovengine`, ["1:1", "2:1"]],
];

for (const [what, dockerfile, places] of LABELS) {
  Deno.test(`IDENTITY judges a label ${what}`, PURE, () => {
    const expected = places.map((place) => `identity.docker_label Dockerfile:${place}`);
    assertEquals(check({ "Dockerfile": dockerfile }), expected);
  });
}

Deno.test("IDENTITY judges any Dockerfile without fault", PURE, () => {
  const part = fc.constantFrom(
    ..."FROM a|LABEL|ONBUILD|RUN <<E|E| |\n|\r\n|\t|\\|\"|'|$|${|}|=|#|x|`|# escape=`\n|AS|é".split(
      "|",
    ),
    `${TITLE}=kprovengine`,
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 25 }).map((parts) => parts.join("")), (dockerfile) => {
      for (const finding of check({ "Dockerfile": dockerfile })) {
        assert(finding.startsWith("identity.docker_label Dockerfile"), finding);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("IDENTITY does not look through a symbolic link for labels", PURE, () => {
  const facts = factsOf({ ...CLEAN, "x/Dockerfile": "../Dockerfile" });
  const tracked = "length" in facts.tracked
    ? facts.tracked.map((entry): TrackedEntry =>
      entry.path === "x/Dockerfile" ? { ...entry, kind: "symlink" } : entry
    )
    : [];
  assertEquals(summarize(IDENTITY.check({ ...facts, tracked }, POLICY)), [
    "identity.docker_label x/Dockerfile",
  ]);
});

Deno.test(
  "IDENTITY drops no display name of a Dockerfile that has more than are told",
  PURE,
  () => {
    const description = `LABEL a.description="${"KProvEngine ".repeat(100)}"\n`;
    const files = { "Dockerfile": `${CLEAN["Dockerfile"]}${description}# KProvEngine` };
    assertEquals(check(files).length, 100);
  },
);

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

Deno.test("IDENTITY shows the characters of a look-alike escaped and by number", PURE, () => {
  const [finding] = IDENTITY.check(factsOf({ ...CLEAN, "a": "kprov\u202eengine" }), POLICY);
  assertEquals(
    finding?.message,
    '"kprov\\u202eengine" in the content looks like "kprovengine" but is not',
  );
  assert(finding?.hint?.includes("U+0076 U+202E U+0065"));
});

Deno.test("IDENTITY allows a code at a path, and nothing else there", PURE, () => {
  const allowances = [
    ...POLICY.identity?.allowances ?? [],
    { code: "identity.lookalike", path: "tests/**", reason: "samples" },
  ];
  const files = { ...CLEAN, "tests/a/b.ts": "kprоvengine", "tests/kprоvengine": "KProvEngine" };
  assertEquals(checkUnder({ allowances }, files), ["identity.display_name tests/kprоvengine:1:1"]);
});

Deno.test("IDENTITY counts an allowance as used where another allows the same", PURE, () => {
  const [allowance] = POLICY.identity?.allowances ?? [];
  assert(allowance !== undefined);
  assertEquals(checkUnder({ allowances: [allowance, { ...allowance, path: "docs/**" }] }), []);
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
