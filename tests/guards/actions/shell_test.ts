import fc from "fast-check";
import {
  containsStatement,
  formScript,
  listCommands,
  listWritten,
} from "../../../src/guards/actions/steps.ts";
import { assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** A script's commands, with brackets for words, `~` before what is lost, `/` where `cd` came before. */
function show(text: string): string {
  return listCommands(text).map(({ words, isLost, isElsewhere }) =>
    (isLost ? "~" : "") + (isElsewhere ? "/" : "") + words.map((word) => `[${word}]`).join("")
  ).join("; ");
}

const SCRIPTS: readonly (readonly [string, string])[] = [
  ["a b\nc;d", "[a][b]; [c]; [d]"],
  ["a && b | c &", "[a]; [b]; [c]"],
  ["a 'b c' \"d e\"f h\\ i", "[a][b c][d ef][h i]"],
  ["a \\\n  b", "[a][b]"],
  ["a # b\n# c\nd#e", "[a]; [d#e]"],
  ["A=1 a > f 2>&1 < g", "[a]"],
  ["a=(x y)\na b", "[a][b]"],
  ["a <<EOF; b\n(c\nEOF\nd", "[a]; [b]; [d]"],
  ["a $(b c) `d`", "[a][$(b c)][`d`]; [b][c]; [d]"],
  ["x=$(a) b", "[b]; [a]"],
  ["a <(b)", "[a][<(b)]; [b]"],
  ["a ${{ b && 'c' }} d", "[a][${{ b && 'c' }}][d]"],
  ["(a; b) && { c; }", "[a]; [b]; [c]"],
  ["if a; then b; elif c; then d; else e; fi", "~[a]; [b]; ~[c]; [d]; [e]"],
  // A branch that fails passes on what was asked.
  ["if a; then b; elif c; then d; else exit 1; fi", "[a]; [b]; [c]; [d]; [exit][1]"],
  ["if a; then exit 0; fi", "~[a]; [exit][0]"],
  ["for x in 1 2; do a; done", "[a]"],
  ["case $x in\n  a|b) c ;;\nesac", "[c]"],
  ["f() { a; }\nf", "[a]; [f]"],
  ["! a", "[a]"],
  ["time a b", "[a][b]"],
  ["a || true", "~[a]; [true]"],
  ["a && b || c", "~[a]; ~[b]; [c]"],
  ["a || exit 1", "[a]; [exit][1]"],
  ["a || exit", "[a]; [exit]"],
  ["a || { b; exit 2; }", "[a]; [b]; [exit][2]"],
  ["a || { b; exit; }", "~[a]; [b]; [exit]"],
  ["a || exit 0", "~[a]; [exit][0]"],
  ["a || exit 256", "~[a]; [exit][256]"],
  ["a || false", "[a]; [false]"],
  ["a || return 1", "[a]; [return][1]"],
  ["a || exit $?", "[a]; [exit][$?]"],
  ["a || { b; exit $?; }", "~[a]; [b]; [exit][$?]"],
  ["a || (exit 3)", "[a]; [exit][3]"],
  ["a || { b && exit 1; }", "~[a]; [b]; [exit][1]"],
  ["a || { exit; b; }", "~[a]; [exit]; [b]"],
  ["if a; then exit 256; fi", "~[a]; [exit][256]"],
  ["if a; then return 2; fi", "[a]; [return][2]"],
  ["if a; then b; elif c; then die x; fi", "[a]; [b]; [c]; [die][x]"],
  ["if a; then { b; (exit 1); }; fi", "[a]; [b]; [exit][1]"],
  ["a || false || b", "~[a]; ~[false]; [b]"],
  ["(a && b) || true", "~[a]; ~[b]; [true]"],
  ["a; cd x; b", "[a]; [cd][x]; /[b]"],
  ["pushd x && a", "[pushd][x]; /[a]"],
  ["a || { exit; }", "[a]; [exit]"],
  ["a || { if b; then c; fi; }", "~[a]; ~[b]; [c]"],
  ["bash <<E || true\na\nE", "~[bash]; ~[a]; [true]"],
  ["sh -e <<E > f\na\nb || true\nE", "[sh][-e]; [a]; ~[b]; [true]"],
  // What is broken is read line by line, and nothing in it is taken for lost.
  ["a 'b\nc", "[a][b\nc]; [a]['b]; [c]"],
  ["", ""],
];

for (const [text, expected] of SCRIPTS) {
  Deno.test(`listCommands() reads ${JSON.stringify(text)}`, PURE, () => {
    assertEquals(show(text), expected);
  });
}

Deno.test(
  "listCommands() reads what is no script of a POSIX shell line by line as well",
  PURE,
  () => {
    const words = (text: string): string[] =>
      listCommands(text).map(({ words }) => words.join(" "));
    assertEquals(words("if ($x) { pytest -x }").includes("pytest -x"), true);
    assertEquals(words("a 'b\npytest").includes("pytest"), true);
    assertEquals(words(`pytest\n${"#".repeat(2 ** 17)}`), ["pytest", "#".repeat(2 ** 17)]);
  },
);

Deno.test("formScript() takes away white space and comments, and nothing else", PURE, () => {
  const same = (a: string, b: string): boolean => formScript(a).key === formScript(b).key;
  for (const text of ["  a   b ", "a b # c", "# c\na b\n\n", "a \\\n b", "a b;"]) {
    assertEquals(same(text, "a b"), true, text);
  }
  const others = ["a  'b'", "a b c", "a b &", "a b; true", "! a b", "a b > c", "A=1 a b", "(a b)"]
    .concat(["a b || true", "a b | c", "time a b", "a b <<< c", "a $b", "a b\nc", "a 'b"]);
  for (const text of others) assertEquals(same(text, "a b"), false, text);
  assertEquals(same("a && b", "a || b"), false);
  assertEquals(same("a 2> b", "a 3> b"), false);
  assertEquals(same("A+=1 b", "A=1 b"), false);
  assertEquals(same("a 'x  y'", "a 'x y'"), false);
  assertEquals(same("cat <<E\na\nE", "cat <<E\nb\nE"), false);
  assertEquals(same("a ${x/ #1/}", "a ${x/ #2/}"), false);
  assertEquals(same("a 'b", " a 'b "), true);
});

Deno.test("containsStatement() finds a statement inside others", PURE, () => {
  const form = formScript("a && b");
  const holding = ["a && b", "x; a && b", "if x; then a && b; fi", "(a  &&  b) || true"]
    .concat(["echo $(a && b)"]);
  for (const text of holding) assertEquals(containsStatement(text, form), true, text);
  for (const text of ["a; b", "b && a", "echo 'a && b'", "# a && b"]) {
    assertEquals(containsStatement(text, form), false, text);
  }
  assertEquals(containsStatement("a; b", formScript("a; b")), false);
  assertEquals(containsStatement("x | y; a | b", formScript("a | b")), true);
  assertEquals(containsStatement("x && a", formScript("a")), true);
  assertEquals(containsStatement("a", formScript("a &")), false);
  assertEquals(containsStatement("x; if a; then b; fi", formScript("if a; then b; fi")), true);
});

Deno.test("what reads scripts comes back from whatever nests without end", PURE, () => {
  const parts = [
    "f() ",
    '"$(',
    "$(",
    "$((",
    "<(",
    "(",
    "{ a; ",
    "if a; then ",
    "${a:-",
    "case a in b) ",
  ];
  for (const part of parts) {
    const text = part.repeat(2 ** 14 / part.length);
    assertEquals([formScript(text).isExact, listCommands(`${text}\npytest`).length > 0], [
      false,
      true,
    ]);
    containsStatement(text, formScript("a && b"));
  }
  const deep = `${"$(a ".repeat(30)}b${")".repeat(30)}`;
  assertEquals(listCommands(deep).at(-1)?.words, ["a", "b"]);
});

Deno.test("what reads scripts misses no command, however deep it stands", PURE, () => {
  for (let depth = 10; depth < 300; depth += depth > 60 && depth < 70 ? 1 : 10) {
    const nest = (text: string): string => "{ ".repeat(depth) + text + "; }".repeat(depth);
    const found = listCommands(nest("pytest -x")).filter(({ words }) => words[0] === "pytest");
    assertEquals(found.length > 0, true, `${depth}`);
    // Too deep to be followed: the lines are all that counts.
    if (depth > 70) assertEquals([found.length, formScript(nest("a")).isExact], [1, false]);
    assertEquals(containsStatement(nest("a && b"), formScript("a && b")), depth < 67, `${depth}`);
    assertEquals(containsStatement(nest("a"), formScript("a && b")), false, `${depth}`);
    // A branch that cannot be followed may fail.
    const [asked] = listCommands(`if a; then ${nest("exit 0")}; fi`);
    assertEquals(asked?.isLost, depth < 66, `${depth}`);
  }
});

const WRITTEN: readonly (readonly [string, readonly string[] | null])[] = [
  ["echo A=1 > FILE", ["A=1"]],
  ["echo A=1 >> FILE", ["A=1"]],
  ["echo A=1 < FILE", []],
  ["echo A=1 > other", []],
  ["printf 'A=1\\nB=2' x > FILE", ["A=1", "B=2", "x"]],
  ["{ echo A=1; echo B=2; } > FILE; echo C=3", ["A=1", "B=2"]],
  ["cat A=1 > FILE", []],
  ["echo A=1 | tee -a FILE", ["A=1"]],
  ["echo A=1 | cat FILE", []],
  ["echo A=1 | tee other", []],
  ["tee FILE <<E\nA=1\nE", ["A=1", ""]],
  ["cat > FILE <<E\nA=1\nB=2\nE", ["A=1", "B=2", ""]],
  ["cat FILE <<E\nA=1\nE", []],
  ["echo 'A=1 > FILE", null],
];

for (const [text, expected] of WRITTEN) {
  Deno.test(`listWritten() knows what ${JSON.stringify(text)} writes`, PURE, () => {
    assertEquals(listWritten(text, /FILE$/), expected);
  });
}

Deno.test("what reads scripts takes any text without an error", PURE, () => {
  const part = fc.constantFrom(
    ..."a b ; & | && || ( ) { } if then fi do done case esac in for ' \" ` $ $( ${{ }} \\ # < > << \n ! [["
      .split(" "),
    " ",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const text = parts.join(" ");
      listCommands(text);
      containsStatement(text, formScript(text));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("what reads scripts knows a substitution that is broken, however deep", PURE, () => {
  const broken = [
    "a $(b 'c)",
    'a "$(if b; )"',
    "x=$(a; fi) b",
    "a <(if)",
    "if a; then b $(fi); fi",
  ];
  for (const text of broken) {
    assertEquals(formScript(text).isExact, false, text);
    const commands = listCommands(`${text}\npytest -x`).map(({ words }) => words.join(" "));
    assertEquals(commands.includes("pytest -x"), true, text);
  }
  assertEquals(formScript('a "$(if b; then c; fi)"').isExact, true);
});
