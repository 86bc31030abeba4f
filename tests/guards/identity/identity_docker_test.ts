import fc from "fast-check";
import type { TrackedEntry } from "../../../src/guards/guard.ts";
import { IDENTITY } from "../../../src/guards/identity/identity.ts";
import { assert, assertEquals } from "../../assert.ts";
import { check, checkUnder, CLEAN, factsOf, POLICY, PURE, summarize } from "./identity_facts.ts";

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

/** Values that a label must have, as a Dockerfile may write them, and as it may not. */
const VALUES:
  readonly (readonly [value: string, right: readonly string[], wrong: readonly string[]])[] = [
    ["$N", ["'$N'", "\\$N", '"\\$N"'], ["$N", '"$N"', "'\\$N'"]],
    ['a"b', ['"a\\"b"', "'a\"b'", 'a\\"b'], ['"a"b"', 'a"b']],
    ["a'b", [`"a'b"`, "a\\'b", `a"'"b`], ["a'b", "'a\\'b'"]],
    ["a\\b", ['"a\\b"', "'a\\b'", "a\\\\b", '"a\\\\b"'], ["a\\b", "'a\\\\b'"]],
    ["a b", ['"a b"', "'a b'", "a\\ b", 'a" "b'], ["a b", "a\\\\ b"]],
    ["ab", ["ab", '"ab"', "a\\b", "''ab", '""ab""'], ['"a\\b"', "'a\\b'", "ab'"]],
    ["", ["''", '""'], ["' '"]],
    ["a=b", ["a=b", '"a=b"', "'a=b'"], ["a==b", "=a=b"]],
  ];

for (const [value, right, wrong] of VALUES) {
  Deno.test(`IDENTITY takes ${JSON.stringify(value)} for a label as BuildKit does`, PURE, () => {
    const find = (written: string): number =>
      checkUnder({ docker_labels: { t: value } }, {
        ...CLEAN,
        "Dockerfile": `FROM a\nLABEL x='y z' t=${written} z=w`,
      }).length;
    for (const written of right) assertEquals(find(written), 0, written);
    for (const written of wrong) assertEquals(find(written), 1, written);
  });
}

const DESCRIPTIONS: readonly (readonly [line: string, column: number | null])[] = [
  ["LABEL a.description=KProvEngine", null],
  ["LABEL a.description='KProvEngine x' b=KProvEngine", 39],
  ["LABEL b=KProvEngine a.description=KProvEngine", 9],
  ["LABEL a.description=x KProvEngine=y", 23],
  ["LABEL KProvEngine=y a.description=x", 7],
  ["LABEL a.description KProvEngine and more", null],
  ["LABEL b=x a.description=a\\ KProvEngine c=d", null],
];

for (const [line, column] of DESCRIPTIONS) {
  Deno.test(`IDENTITY lets the display name stand in the description of ${line}`, PURE, () => {
    const found = check({ "Dockerfile": `${CLEAN["Dockerfile"]}${line}\n` });
    const expected = `identity.display_name Dockerfile:4:${column}`;
    assertEquals(found, column === null ? [] : [expected]);
  });
}

Deno.test("IDENTITY keeps other hits where the display name may stand", PURE, () => {
  const text = "LABEL a.description=carcodez1/KProvEngine\n";
  assertEquals(check({ "Dockerfile": `${CLEAN["Dockerfile"]}${text}` }), [
    "identity.forbidden_token Dockerfile:4:21",
  ]);
});

Deno.test("IDENTITY asks no Dockerfile for labels that the policy does not name", PURE, () => {
  const files = { ...CLEAN, "Dockerfile": "FROM a\nLABEL x=$Y\n" };
  assertEquals(checkUnder({ docker_labels: {} }, files), []);
});

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
    { numRuns: 200 },
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
    assertEquals(check(files).length, 101);
  },
);
