import { describeDifference } from "../../../src/guards/identity/identity.ts";
import {
  foldConfusable,
  foldConfusables,
  foldNames,
  isEverydayLetter,
  isIgnorable,
  judgeLookalike,
  listProtectedNames,
  removeMarks,
} from "../../../src/guards/identity/lookalike.ts";
import { assert, assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const SAME: readonly (readonly [string, string])[] = [
  ["paypal", "раураl"],
  ["O0o", "оОο"],
  ["Il1|", "lIi1"],
  ["modern", "modem"],
  ["scope", "ѕсоре"],
  ["kappa", "кaррa"],
  ["ffi", "ﬃ"],
  ["office", "ｏｆｆｉｃｅ"],
  ["abc", "a\u200bb\u2066c\u00ad"],
  ["é", "e\u0301"],
  // Unicode 17 has these, Unicode 13 has them otherwise or not at all.
  ["paper", "þaþer"],
  ["wolf", "шolƒ"],
  ["pub.", "ⲣu\u{16eb6}."],
  ["host3", "h\u{1cce4}stⳄ"],
  ["abcdef", "ᴀʙᴄᴅᴇꜰ"],
  ["abc", "⒜🄑⒞"],
  ["abc", "🅰🅑🇨"],
  ["a.b", "a。b"],
  ["ab", "a\u2800b"],
];

for (const [a, b] of SAME) {
  Deno.test(`foldConfusables() gives the same for ${a} and ${JSON.stringify(b)}`, PURE, () => {
    assertEquals(foldConfusables(a), foldConfusables(b));
  });
}

const DIFFERENT: readonly (readonly [string, string])[] = [
  ["e", "é"],
  ["o", "ö"],
  ["strasse", "straße"],
  ["n", "ñ"],
  ["abc", "abd"],
  ["a", "я"],
  ["k", "口"],
];

for (const [a, b] of DIFFERENT) {
  Deno.test(`foldConfusables() tells ${a} from ${b}`, PURE, () => {
    assert(foldConfusables(a) !== foldConfusables(b));
  });
}

Deno.test("foldConfusable() folds each letter like its other case", PURE, () => {
  for (const letter of "abcdefghijklmnopqrstuvwxyz") {
    assertEquals(foldConfusable(letter), foldConfusable(letter.toUpperCase()));
  }
});

Deno.test("removeMarks() leaves the letters of what looks like them with marks", PURE, () => {
  const marked = "a̲ cç dḍ eé kƙ lł nŋ oø tƭ ṃ";
  assertEquals(removeMarks(foldConfusables(marked)), "a cc dd ee kk ll nn oo tt rn");
});

Deno.test("isIgnorable() knows what shows nothing", PURE, () => {
  const invisible =
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u202e\u2060\u2066\ufe0f\ufeff";
  for (const character of [...invisible, "\u{e0041}"]) assert(isIgnorable(character));
  for (const character of [..." a\né\u00a0\u0301\u{1F600}"]) assert(!isIgnorable(character));
});

Deno.test("foldConfusable() knows letters of other scripts by either case", PURE, () => {
  // Only the other case of each has a row of its own.
  for (
    const [letter, folded] of ["шw", "տs", "ⲃb", "ʀr", "Աw", "Ԛq", "Հh", "Ⅽc"].map((it) => [...it])
  ) {
    assertEquals(foldConfusable(letter ?? ""), folded, letter);
  }
});

Deno.test("foldConfusable() folds the alphabets in circles and squares from a to z", PURE, () => {
  for (const first of [0x1f150, 0x1f170, 0x1f1e6, 0x1ccd6]) {
    assertEquals(foldConfusable(String.fromCodePoint(first)), "a");
    assertEquals(foldConfusable(String.fromCodePoint(first + 25)), "z");
    assert(foldConfusable(String.fromCodePoint(first - 1)) !== "`");
    assert(foldConfusable(String.fromCodePoint(first + 26)) !== "{");
  }
});

const REPOSITORIES: readonly (readonly [string, readonly string[]])[] = [
  [
    "https://github.com/acme/etl.git",
    [
      "https://github.com/acme/etl",
      "github.com/acme/etl",
      "github.com/acme",
      "acme/etl",
      "github.com",
      "acme",
      "etl",
    ],
  ],
  [
    "git@github.com:acme/etl.git/",
    [
      "git@github.com:acme/etl",
      "github.com:acme/etl",
      "github.com/acme",
      "acme/etl",
      "github.com",
      "acme",
      "etl",
    ],
  ],
  [
    "https://gitlab.com/acme/team/etl/",
    [
      "https://gitlab.com/acme/team/etl",
      "gitlab.com/acme/team/etl",
      "gitlab.com/acme/team",
      "acme/team/etl",
      "gitlab.com",
      "team",
      "etl",
    ],
  ],
  ["https://host//etl", ["https://host//etl", "host//etl", "host", "etl"]],
  ["https://host", ["host"]],
  ["", []],
];

for (const [repository, names] of REPOSITORIES) {
  Deno.test(`listProtectedNames() takes ${JSON.stringify(repository)} apart`, PURE, () => {
    assertEquals(listProtectedNames({ repository }), names);
  });
}

Deno.test("listProtectedNames() lists each name once", PURE, () => {
  const identity = {
    technical_name: "etl",
    display_name: "ETL",
    repository: "https://h.org/etl/etl",
  };
  const names = [
    "etl",
    "ETL",
    "https://h.org/etl/etl",
    "h.org/etl/etl",
    "h.org/etl",
    "etl/etl",
    "h.org",
  ];
  assertEquals(listProtectedNames(identity), names);
});

const JUDGED: readonly (readonly [name: string, text: string, reach: string])[] = [
  // ASCII alone: five letters, of which one is a letter, and nothing of it but another way to write it.
  ["etlmi", "et1mi", "word"],
  ["etl2", "et12", "never"],
  ["10101", "l0101", "word"],
  ["10101", "|0|0|", "never"],
  ["etlmi", "ETLMI", "never"],
  ["etlmi", "etlmi", "never"],
  // Other scripts: mixed with Latin from three letters, by themselves from four.
  ["cop", "соp", "anywhere"],
  ["co", "сo", "never"],
  ["cop", "сор", "never"],
  ["cope", "соре", "word"],
  // What is not seen, other forms and marks count anywhere.
  ["cope", "co\u200bpe", "anywhere"],
  ["cope", "ｃope", "anywhere"],
  ["cope", "c\u0332ope", "anywhere"],
  // Marks of everyday spelling make another word, others do not.
  ["resume", "résumé", "never"],
  ["resume", "reṣume", "word"],
  ["resume", "réṣume", "word"],
  ["résumé", "RÉSUMÉ", "never"],
  ["résumé", "re\u0301sume\u0301", "never"],
  ["kelvin", "\u212aelvin", "word"],
  ["yacht", "\u024facht", "never"],
  // A letter that is neither its capital nor its small letter.
  ["\u01c5ungla", "\u01c5ungla", "never"],
  // Another form of a sign that is no letter may be prose.
  ["acme.org", "acme\u2024org", "word"],
];

for (const [name, text, reach] of JUDGED) {
  Deno.test(
    `judgeLookalike() lets ${JSON.stringify(text)} pass for ${name}: ${reach}`,
    PURE,
    () => {
      const [folded] = foldNames([name]);
      assert(folded !== undefined);
      assertEquals(judgeLookalike(text, folded, [name]), reach);
    },
  );
}

Deno.test("isEverydayLetter() knows the letters with a mark from \u00c0 to \u024f", PURE, () => {
  assertEquals([0xa2, 0xc0, 0xd7, 0x24f, 0x1e0d].map(isEverydayLetter), [
    false,
    true,
    false,
    true,
    false,
  ]);
});

Deno.test("judgeLookalike() takes no protected name for another", PURE, () => {
  const [name] = foldNames(["modern"]);
  assert(name !== undefined);
  assertEquals(judgeLookalike("modem", name, ["modern"]), "word");
  assertEquals(judgeLookalike("Modem", name, ["modern", "modem"]), "never");
});

Deno.test(
  "foldNames() keeps the first of names that fold alike, and none without a letter",
  PURE,
  () => {
    assertEquals(foldNames(["modern", "modem", "\u200b", "é"]), [
      { text: "modern", letters: "rnodern", marked: "rnodern" },
      { text: "é", letters: "e", marked: "e\u0301" },
    ]);
  },
);

const DIFFERENCES: readonly (readonly [text: string, name: string, difference: string])[] = [
  ["modem", "modern", 'U+006D in place of "rn"'],
  ["rnodern", "modern", 'U+0072 U+006E in place of "m"'],
  ["аcmeа", "acmea", 'U+0430 in place of "a"'],
  ["ac\u200bm\u200be", "acme", "U+200B added"],
  ["асmе", "acme", 'U+0430 in place of "a", U+0441 in place of "c", U+0435 in place of "e"'],
  ["modem", "moder\u200bn", 'U+006D in place of "rn"'],
  ["r\u200bnodern", "modern", 'U+0072 U+006E in place of "m", U+200B added'],
  [
    "асеху",
    "acexy",
    'U+0430 in place of "a", U+0441 in place of "c", U+0435 in place of "e", ' +
    'U+0445 in place of "x", U+0443 in place of "y"',
  ],
];

for (const [text, name, difference] of DIFFERENCES) {
  Deno.test(`describeDifference() says of ${JSON.stringify(text)}: ${difference}`, PURE, () => {
    assertEquals(describeDifference(text, name), difference);
  });
}
