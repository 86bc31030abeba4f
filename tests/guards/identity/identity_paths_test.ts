import { checkPaths } from "../../../src/guards/identity/identity.ts";
import { assertEquals } from "../../assert.ts";

const IDENTITY = { technical_name: "acme-etl", display_name: "AcmeETL" };

const HIDDEN = "\u200b";

/** Paths with what is shown of each look-alike in them: the name, and a character on each side. */
const PATHS: readonly (readonly [path: string, found: readonly string[]])[] = [
  ["src/acme-etl.ts", []],
  [`${HIDDEN}/src/acme-etl.ts`, []],
  [`src/${HIDDEN}acme-etl.ts`, ["\\u200bacme-etl."]],
  [`${HIDDEN}acme-etl`, ["\\u200bacme-etl"]],
  [`src/acme-etl${HIDDEN}.ts`, ["/acme-etl\\u200b"]],
  [`acme-etl${HIDDEN}`, ["acme-etl\\u200b"]],
  [`ACME-etl${HIDDEN}`, ["ACME-etl\\u200b"]],
  [`acme-etl/x/acme-etl${HIDDEN}`, ["/acme-etl\\u200b"]],
  [`acme-etl${HIDDEN}/acme-etl${HIDDEN}`, ["acme-etl\\u200b", "/acme-etl\\u200b"]],
  [`acme-etl-${HIDDEN}`, []],
  // Beyond the first plane, where a character takes two code units.
  ["src/acme-etl\u{e0041}.ts", ["/acme-etl\\u{e0041}"]],
  ["src/\u{e0100}acme-etl.ts", ["\\u{e0100}acme-etl."]],
  ["\u{1F600}acme-etl\u{1F600}", []],
  ["éacme-etl", []],
  // Its lower case is longer, which must not move what comes behind it.
  [`\u0130/${HIDDEN}acme-etl`, ["\\u200bacme-etl"]],
  [`\u0130\u0130\u0130/acme-etl${HIDDEN}`, ["/acme-etl\\u200b"]],
];

for (const [path, found] of PATHS) {
  Deno.test(`checkPaths() finds ${found.join(", ") || "nothing"} in ${JSON.stringify(path)}`, () => {
    const findings = checkPaths(IDENTITY, [{ path, kind: "file" }]);
    assertEquals(findings.map(({ code }) => code), found.map(() => "identity.lookalike"));
    assertEquals(findings.map(({ message }) => /"(.*?)"/.exec(message)?.[1]), [...found]);
  });
}

Deno.test("checkPaths() searches each path whole, and nothing of another", () => {
  const identity = { forbidden_tokens: ["acme-legacy"] };
  const paths = [
    `${"é".repeat(5000)}/acme-legacy`,
    "src/acme-legacy/a.ts",
    "src/b.ts",
    `${"\uFF5E".repeat(9000)}/acme-legacy.ts`,
    "c",
  ];
  const found = checkPaths(identity, paths.map((path) => ({ path, kind: "file" })));
  assertEquals(found.map(({ path }) => paths.indexOf(path ?? "")), [0, 1, 3]);
});

Deno.test("checkPaths() finds a name in whatever case beside what is not seen, once", () => {
  const identity = { technical_name: "Acme-ETL", display_name: "ACME-etl" };
  const found = checkPaths(identity, [
    { path: `acme-etl/b${HIDDEN}/acme-etl`, kind: "file" },
    { path: `acme-etl/aCme-etl${HIDDEN}`, kind: "file" },
  ]);
  assertEquals(found.map(({ code, path, message }) => [code, path, message]), [[
    "identity.lookalike",
    `acme-etl/aCme-etl${HIDDEN}`,
    '"/aCme-etl\\u200b" in the path looks like "Acme-ETL" but is not',
  ]]);
});

Deno.test("checkPaths() looks for each name beside what is not seen", () => {
  const identity = {
    technical_name: "masse",
    display_name: "maße",
    display_name_allowed: ["**"],
    repository: "https://h.org/acme/etl",
  };
  for (const name of ["masse", "maße", "h.org", "acme", "etl"]) {
    const found = checkPaths(identity, [{ path: name + HIDDEN, kind: "file" }]);
    assertEquals(found.map(({ message }) => message), [
      `"${name}\\u200b" in the path looks like "${name}" but is not`,
    ]);
  }
});

Deno.test("checkPaths() takes no letter for another whose capital is the same", () => {
  const found = checkPaths({ technical_name: "acme-kit" }, [
    { path: `acme-k\u0131t${HIDDEN}`, kind: "file" },
  ]);
  assertEquals(found.map(({ message }) => message), [
    '"acme-kıt" in the path looks like "acme-kit" but is not',
  ]);
});
