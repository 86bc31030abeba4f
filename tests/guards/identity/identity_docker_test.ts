import fc from "fast-check";
import type { TrackedEntry } from "../../../src/guards/guard.ts";
import { IDENTITY } from "../../../src/guards/identity/identity.ts";
import { assert, assertEquals } from "../../assert.ts";
import { check, CLEAN, factsOf, POLICY, PURE, summarize } from "./identity_facts.ts";

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
