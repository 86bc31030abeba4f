import { isGate, parseGateCommand, stripPrefix } from "../../../src/guards/parity/gate_command.ts";
import { assertEquals } from "../../assert.ts";

const COMMANDS: readonly (readonly [text: string, words: readonly string[] | null])[] = [
  [" make check ", ["make", "check"]],
  ["make 'check all'", ["make", "check all"]],
  ["make check; make test", null],
  ["make check && make test", null],
  ["make check | tee log", null],
  ["make a | tee b | tee c", null],
  ["make check &", null],
  ["! make check", null],
  ["(make check)", null],
  ["", null],
  ["make 'check", null],
];

for (const [text, words] of COMMANDS) {
  Deno.test(`parseGateCommand() finds ${words === null ? "no single command" : "the words"} in ${JSON.stringify(text)}`, () => {
    assertEquals(parseGateCommand(text), { text: text.trim(), words });
  });
}

const PREFIXES: readonly (readonly [words: string, isGate: boolean])[] = [
  ["make check", true],
  ["env A=1 make check", true],
  ["A=1 exec time command make check", true],
  ["make", false],
  ["make check all", false],
  ["make all", false],
  ["nice make check", false],
  ["env", false],
];

for (const [text, expected] of PREFIXES) {
  Deno.test(`isGate() takes "${text}" for ${expected ? "" : "something else than "}the gate`, () => {
    assertEquals(isGate(text.split(" "), parseGateCommand("make check")), expected);
  });
}

Deno.test("isGate() takes nothing for a gate that is no single command", () => {
  assertEquals(isGate(["a", ";", "b"], parseGateCommand("a; b")), false);
  assertEquals(isGate(["a"], parseGateCommand("a; b")), false);
});

Deno.test("stripPrefix() ends where there is nothing more", () => {
  assertEquals([stripPrefix(["env", "A=1"]), stripPrefix([])], [[], []]);
});
