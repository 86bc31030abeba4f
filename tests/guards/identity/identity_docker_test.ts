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
  ["in an indented line", ` FROM a\n  LABEL ${TITLE}=kprovengine`, []],
  ["wrong in an indented line", ` FROM a\n  LABEL ${TITLE}=x`, ["2:40"]],
  ["wrong on a second line", `FROM a\nLABEL a=b \\\n  ${TITLE}=x`, ["3:34"]],
  ["in a keyword over two lines", `FROM a\nLA\\\nBEL ${TITLE}=kprovengine`, []],
  ["wrong in a keyword over two lines", `FROM a\nLA\\\nBEL ${TITLE}=x`, ["3:36"]],
  ["in the old form with an equals sign", `FROM a\nLABEL ${TITLE} kprovengine=x`, ["2:38"]],
  ["behind white space of Unicode", `FROM a\nLABEL a=b\x85${TITLE}=x`, ["2:42"]],
  ["behind what is no white space", `FROM a\nLABEL a=b\ufeff${TITLE}=kprovengine`, ["1:1"]],
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

/** Lines of which some readers say that they set the label anew, and others not. */
const UNCERTAIN: readonly (readonly [what: string, lines: string, place: string])[] = [
  ["a carriage return alone", `RUN x\rLABEL ${TITLE}=x`, ""],
  ["a carriage return at the end", `RUN x\r`, ""],
  ["a no-break space before it", `\u00a0LABEL ${TITLE}=x`, ""],
  ["a next line before it", ` \t\x85LABEL ${TITLE}=x`, ""],
  ["a form feed before it", `\fLABEL ${TITLE}=x`, ""],
  ["a byte order mark before it", `\ufeffLABEL ${TITLE}=x`, ""],
  ["two escape characters before it", `RUN x\\\\\nLABEL ${TITLE}=x`, ":3:1"],
  ["two escape characters and white space before it", `RUN x\\\\ \n\tlabel ${TITLE}=x`, ":3:1"],
  ["two escape characters before another stage", `RUN x\\\\\n\\\nFROM x`, ":3:1"],
];

for (const [what, lines, place] of UNCERTAIN) {
  Deno.test(`IDENTITY does not pass a Dockerfile with ${what}`, PURE, () => {
    const dockerfile = `FROM a\nLABEL ${TITLE}=kprovengine\n${lines}`;
    assertEquals(check({ "Dockerfile": dockerfile }), [`identity.docker_label Dockerfile${place}`]);
  });
}

const CERTAIN: readonly string[] = [
  "RUN x \\\n LABEL a=b",
  "RUN x\\\\\nRUN LABEL a=b",
  "RUN x\u00a0 # LABEL a=b\r\n\r\n",
  "RUN LABEL a\\\\\n",
];

for (const lines of CERTAIN) {
  Deno.test(`IDENTITY passes a Dockerfile with ${JSON.stringify(lines)}`, PURE, () => {
    assertEquals(check({ "Dockerfile": `FROM a\nLABEL ${TITLE}=kprovengine\n${lines}` }), []);
  });
}

Deno.test("IDENTITY reads a Dockerfile as large as may be", PURE, () => {
  const comment = "#".repeat(2 ** 18 - new TextEncoder().encode(`${CLEAN["Dockerfile"]}`).length);
  assertEquals(check({ "Dockerfile": `${CLEAN["Dockerfile"]}${comment}` }), []);
});

Deno.test(
  "IDENTITY takes no name without a value for an empty value, nor a name for a comment",
  PURE,
  () => {
    const labelled = (labels: Readonly<Record<string, string>>, line: string): string[] =>
      checkUnder({ docker_labels: labels }, { ...CLEAN, "Dockerfile": `FROM a\n${line}\n` });
    assertEquals(labelled({ t: "" }, "LABEL a=b t="), []);
    assertEquals(labelled({ t: "" }, "LABEL a=b t"), ["identity.docker_label Dockerfile:2:11"]);
    assertEquals(labelled({ "#a": "b" }, "LABEL #a=b"), []);
  },
);

/** Values that a label must have, as a Dockerfile may write them, and as it may not. */
const VALUES:
  readonly (readonly [value: string, right: readonly string[], wrong: readonly string[]])[] = [
    ["$N", ["'$N'", "\\$N", '"\\$N"'], ["$N", '"$N"', "'\\$N'"]],
    ['a"b', ['"a\\"b"', "'a\"b'", 'a\\"b'], ['"a"b"', 'a"b']],
    ["a'b", [`"a'b"`, "a\\'b", `a"'"b`], ["a'b", "'a\\'b'"]],
    ["a\\b", ['"a\\b"', "'a\\b'", "a\\\\b", '"a\\\\b"'], ["a\\b", "'a\\\\b'"]],
    ["a\\", ["'a\\'", '"a\\\\"', "a\\\\"], ["a\\", '"a\\"']],
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

Deno.test(
  "IDENTITY takes whatever is called like a Dockerfile for one, where no glob says",
  PURE,
  () => {
    const isDockerfile = (path: string, dockerfiles?: readonly string[]): boolean =>
      IDENTITY.wantsContent(path, {
        schema: "kprovengine.policy.v1",
        identity: dockerfiles === undefined ? {} : { dockerfiles },
      });
    const paths = [
      "Dockerfile",
      "a/dockerfile",
      "Dockerfile.dev",
      "api.Dockerfile",
      "Containerfile",
    ];
    for (const path of paths) assert(isDockerfile(path), path);
    const others = [
      "Dockerfile.md",
      "src/dockerfile.ts",
      "src/dockerfile.test.ts",
      "Dockerfile.dockerignore",
      "Dockerfile.dev.dockerignore",
      "Dockerfiles",
      "Dockerfile/x",
    ];
    for (const path of others) assert(!isDockerfile(path), path);
    assert(!isDockerfile("Dockerfile", ["images/*"]) && isDockerfile("images/a", ["images/*"]));
    assertEquals(check({ "Dockerfile.dev": "FROM a\n" }), [
      "identity.docker_label Dockerfile.dev:1:1",
    ]);
  },
);

Deno.test("IDENTITY asks no Dockerfile for labels that the policy does not name", PURE, () => {
  const files = { ...CLEAN, "Dockerfile": "FROM a\nLABEL x=$Y\n", "a/Dockerfile": "LABEL $X=y" };
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
  const facts = factsOf({ ...CLEAN, "x/Dockerfile": `FROM a\nLABEL ${TITLE}=kprovengine` });
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

Deno.test(
  "IDENTITY drops the display name of a description beside many forbidden tokens",
  PURE,
  () => {
    const tokens = "# carcodez1/KProvEngin\n".repeat(101);
    const policy = { forbidden_tokens: ["carcodez1/KProvEngin"] };
    const files = { ...CLEAN, "Dockerfile": `${CLEAN["Dockerfile"]}${tokens}` };
    const found = checkUnder(policy, files);
    assertEquals(found.length, 101);
    assert(found.every((finding) => finding.startsWith("identity.forbidden_token")));
  },
);
