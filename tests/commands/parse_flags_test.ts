import { KprovError } from "../../src/base/error.ts";
import { type NamedCommand, type ParsedFlags, parseFlags } from "../../src/commands/command.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const SAMPLE: NamedCommand = {
  name: "sample",
  summary: "",
  usage: [],
  description: [],
  flags: [
    { name: "quiet", summary: "" },
    { name: "no-capture", summary: "" },
    { name: "out", value: "DIR", summary: "" },
    { name: "format", value: "FORMAT", summary: "" },
    { name: "output", short: "o", value: "DIR", summary: "" },
    { name: "silent", short: "q", summary: "" },
    { name: "tool", value: "NAME", isRepeatable: true, summary: "" },
    { name: "from", value: "FILE", takesDash: true, summary: "" },
  ],
  refusedFlags: { shard: "a command takes its inputs whole" },
  permissions: "none.",
  examples: [],
  exitCodes: [],
  execute: () => 0,
};

function parse(...args: readonly string[]): ParsedFlags {
  return parseFlags(args, SAMPLE);
}

Deno.test("flags and words are told apart, wherever they stand", () => {
  const flags = parse("a", "--out", "runs", "b", "--tool=x", "--quiet", "c", "--tool", "y=z");
  assertEquals(flags.positionals, ["a", "b", "c"]);
  assertEquals(flags.value("out"), "runs");
  assertEquals(flags.values("tool"), ["x", "y=z"]);
  assertEquals([flags.has("quiet"), flags.has("no-capture"), flags.has("out")], [
    true,
    false,
    false,
  ]);
  assertEquals(flags.values("quiet"), []);
  assertEquals(flags.rest, null);
});

Deno.test("a letter behind one dash stands for its flag, before -- and alone", () => {
  const flags = parse("a", "-o", "runs", "-q", "b", "--", "-o", "x");
  assertEquals([flags.value("output"), flags.has("silent")], ["runs", true]);
  assertEquals([flags.positionals, flags.rest], [["a", "b"], ["-o", "x"]]);
  assertEquals(parse("-o=-x").value("output"), "-x");
  assertEquals(parse("-q", "true").positionals, ["true"]);
  assertThrows(() => parse("-o", "a", "--output", "b"), KprovError, "--output: it is given twice");
  assertThrows(() => parse("-q=no"), KprovError, "Cannot use --silent: it takes no value");
  assertThrows(() => parse("-qo", "runs"), KprovError, 'Cannot use "-qo": no such flag');
});

Deno.test("what follows -- is no flag of kprov", () => {
  const flags = parse("a", "--", "sh", "--out", "-h", "--", "--bogus");
  assertEquals(flags.rest, ["sh", "--out", "-h", "--", "--bogus"]);
  assertEquals([flags.positionals, flags.value("out"), flags.has("help")], [["a"], null, false]);
  assertEquals(parse("--").rest, []);
});

Deno.test("no switch takes the word behind it, whatever that is", () => {
  for (const word of ["true", "false", "0", "", "a"]) {
    for (const flag of ["--quiet", "--no-capture", "-h"]) {
      assertEquals(parse(flag, word).positionals, [word], `${flag} ${word}`);
    }
  }
});

Deno.test("words and values stay as they were given", () => {
  const words = ["1e3", "0x10", "007", "-", "a=b", "a.b", "__proto__", "true"];
  assertEquals(parse(...words).positionals, words);
  for (const word of words.filter((candidate) => candidate !== "-")) {
    assertEquals(parse("--out", word).value("out"), word);
  }
  assertEquals(parse("--out=-x").value("out"), "-x");
  assertEquals(parse("--out=--quiet").value("out"), "--quiet");
  assertEquals(parse("--out=a\nb=c").value("out"), "a\nb=c");
});

Deno.test("a dash is the value of a flag that reads standard input, and of no other", () => {
  const flags = parse("a", "--from", "-", "b");
  assertEquals([flags.value("from"), flags.positionals], ["-", ["a", "b"]]);
  assertEquals(parse("--from=-").value("from"), "-");
  assertThrows(() => parse("--out", "-"), KprovError, "Cannot use --out: it needs a value, DIR");
});

Deno.test("words behind a flag's value are told with it, up to the next flag", () => {
  const flags = parse("a", "--tool", "x", "y", "z", "--quiet", "b", "--tool=v", "w", "--", "sh");
  assertEquals(flags.behind("tool").map(({ value, words }) => [value, ...words]), [
    ["x", "y", "z"],
    ["v", "w"],
  ]);
  assert(flags.behind("tool").every(({ isAfterOthers }) => isAfterOthers));
  assert(!parse("--tool", "x", "y").behind("tool")[0]?.isAfterOthers);
  assertEquals(parse("a").behind("tool"), []);
});

const REFUSED: readonly (readonly [args: readonly string[], message: string])[] = [
  [["--quiet=no"], "Cannot use --quiet: it takes no value"],
  [["--quiet="], "Cannot use --quiet: it takes no value"],
  [["--no-capture=x"], "Cannot use --no-capture: it takes no value"],
  [["--out"], "Cannot use --out: it needs a value, DIR"],
  [["--out", "--", "sh"], "Cannot use --out: it needs a value, DIR"],
  [["--out="], "Cannot use --out: it needs a value, DIR"],
  [["--out", ""], "Cannot use --out: it needs a value, DIR"],
  [["--out", "--quiet"], "Cannot use --out: it needs a value, DIR"],
  [["--from", "--", "-"], "Cannot use --from: it needs a value, FILE"],
  [["--out", "a", "--out=b"], "Cannot use --out: it is given twice"],
  [["--tool", "\uFFFD"], 'Cannot use "\uFFFD": it is not valid UTF-8'],
  [["--tool=\uFFFD"], 'Cannot use "\uFFFD": it is not valid UTF-8'],
  [["-abc"], 'Cannot use "-abc": no such flag'],
  [["-x=x"], 'Cannot use "-x=x": no such flag'],
  [["---"], 'Cannot use "---": no such flag'],
  [["--=x"], 'Cannot use "--=x": no such flag'],
  [["--no-out=x"], 'Cannot use "--no-out=x": no such flag'],
  [["--no-quiet"], 'Cannot use "--no-quiet": no such flag'],
  [["--__proto__=x"], 'Cannot use "--__proto__=x": no such flag'],
  [["--out.a=x"], 'Cannot use "--out.a=x": no such flag; did you mean --out?'],
  [["--shard", "1/2"], 'Cannot use "--shard": a command takes its inputs whole'],
  [["--fromat", "json"], 'Cannot use "--fromat": no such flag; did you mean --format?'],
  [["--quite"], 'Cannot use "--quite": no such flag; did you mean --quiet?'],
  [["--form=json"], 'Cannot use "--form=json": no such flag; did you mean --format?'],
  [["--capture"], 'Cannot use "--capture": no such flag'],
  [["--xy"], 'Cannot use "--xy": no such flag'],
];

Deno.test("a value that begins with a dash is refused with the way to write it", () => {
  for (
    const [args, written] of [[["--out", "-x"], "--out=-x"], [
      ["--tool", "-1 $"],
      "'--tool=-1 $'",
    ]] as const
  ) {
    const error = assertThrows(() => parse(...args), KprovError, "it needs a value");
    assertEquals(error.hint, `a value that begins with a dash goes behind =, as in ${written}`);
  }
  assertEquals(parse("--out=-x").value("out"), "-x");
});

Deno.test("a flag of Deno behind kprov is told as one", () => {
  for (
    const flag of ["--allow-run=sort", "--allow-read", "--deny-net", "--no-config", "--no-prompt"]
  ) {
    const error = assertThrows(() => parse("a", flag), KprovError, "no such flag");
    assert(error.hint?.startsWith("it is a flag of Deno"), flag);
  }
  const other = assertThrows(() => parse("--allowed"), KprovError, "no such flag");
  assertEquals(other.hint, "kprov sample --help lists the flags");
});

Deno.test("what could mean two things, or nothing, is refused", () => {
  for (const [args, message] of REFUSED) {
    const error = assertThrows(() => parse(...args), KprovError);
    assertEquals([error.code, error.message], ["usage", message]);
    assertEquals(error.hint, "kprov sample --help lists the flags");
  }
});
