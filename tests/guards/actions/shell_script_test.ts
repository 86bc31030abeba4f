import fc from "fast-check";
import {
  parseShell,
  type ShellCommand,
  type ShellScript,
} from "../../../src/guards/workflow/shell_script.ts";
import { tokenizeShell } from "../../../src/guards/workflow/shell_tokens.ts";
import { assert, assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** A script on one line, with brackets for words. */
function show(script: ShellScript | null): string {
  if (script === null) return "null";
  return script.map(({ pipelines, operators, isBackground }) => {
    const shown = pipelines.map(({ isNegated, commands }) =>
      (isNegated ? "! " : "") + commands.map(showCommand).join(" | ")
    );
    const text = shown.map((one, index) => one + (operators[index] ? ` ${operators[index]} ` : ""));
    return text.join("") + (isBackground ? " &" : "");
  }).join("; ");
}

function showCommand(command: ShellCommand): string {
  if (command.kind === "simple") return command.words.map((word) => `[${word}]`).join("");
  const name = command.kind === "group" ? "" : `${command.keyword} ${command.name ?? ""}`;
  return `${name.trim()}{${show(command.body)}}`;
}

const SCRIPTS: readonly (readonly [string, string])[] = [
  ["a b\nc;d", "[a][b]; [c]; [d]"],
  ["a && b || c &", "[a] && [b] || [c] &"],
  ["a &&\n\n b |\n c", "[a] && [b] | [c]"],
  ["! a | b |& c", "! [a] | [b] | [c]"],
  ['a \'b c\' "d $(e ")" f) g" h\\ i', '[a][b c][d $(e ")" f) g][h i]'],
  ["a \\\n  b", "[a][b]"],
  ["a # b\n# c\nd#e", "[a]; [d#e]"],
  ["a > f 2>&1 < g &> h", "[a]"],
  ["a <<EOF; b\n(c\nEOF\nd", "[a]; [b]; [d]"],
  ["a <<-'X'\n\tX\nd", "[a]; [d]"],
  ["a <<< b c", "[a][c]"],
  ["a <(b; c) d", "[a][<(b; c)][d]"],
  ["a ${{ b && 'c' }} ${d:-e f} `g h`", "[a][${{ b && 'c' }}][${d:-e f}][`g h`]"],
  ["(a; b) && { c; }", "{[a]; [b]} && {[c]}"],
  ["if a; then b; elif c; then d; else e; fi", "if{[a]; [b]; [c]; [d]; [e]}"],
  ["while a; do b; done < f | c", "while{[a]; [b]} | [c]"],
  ["for x in 1 2; do a; done", "for{[a]}"],
  ["for ((i=0; i<3; i++)); do a; done", "for{[a]}"],
  ["case $x in\n  a|b) c ;;\n  (*) d\nesac\ne", "case{[c]; [d]}; [e]"],
  ["f() { a; }\nfunction g { b; }", "function f{{[a]}}; function g{{[b]}}"],
  ["[[ a && (b < c) ]] && d", "[[[] && [d]"],
  ["echo if then fi", "[echo][if][then][fi]"],
  ["'if' a", "[if][a]"],
  ["a\r\nb", "[a]; [b]"],
  ["", ""],
];

for (const [text, expected] of SCRIPTS) {
  Deno.test(`parseShell() reads ${JSON.stringify(text)}`, PURE, () => {
    assertEquals(show(parseShell(text)), expected);
  });
}

Deno.test("parseShell() gives nothing where a script does not end or makes no sense", PURE, () => {
  const broken = [
    "a 'b",
    'a "b',
    "$(a",
    "`a",
    "${a",
    "if a; then b",
    "(a",
    "a)",
    "fi",
    "a &&",
    "| a",
    "{ a",
  ]
    .concat(["(".repeat(60) + "a" + ")".repeat(60), "a".repeat(2 ** 16 + 1), "case a in b"]);
  for (const text of broken) assertEquals(parseShell(text), null, text.slice(0, 40));
});

Deno.test("parseShell() reads what is nested forty-nine times, and nothing deeper", PURE, () => {
  const nest = (times: number): string => "(".repeat(times) + "a" + ")".repeat(times);
  assertEquals([49, 50].map((times) => parseShell(nest(times)) === null), [false, true]);
  const functions = (times: number): string => `${"f() ".repeat(times)}a`;
  assertEquals([49, 50].map((times) => parseShell(functions(times)) === null), [false, true]);
});

Deno.test("parseShell() and tokenizeShell() take any text without an error", PURE, () => {
  const part = fc.constantFrom(
    ..."a b ; & | && || ( ) { } if then fi do done case esac in for ' \" ` $ $( ${{ }} \\ # < > << \n ! [["
      .split(" "),
    " ",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const text = parts.join(" ");
      const tokens = tokenizeShell(text);
      const script = parseShell(text);
      assert(tokens !== null || script === null);
    }),
    { numRuns: 2000 },
  );
});
