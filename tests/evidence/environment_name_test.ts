import { describeVariableFault } from "../../src/evidence/command.ts";
import { assertEquals } from "../assert.ts";

const NAMES: readonly (readonly [name: string, fault: string | null])[] = [
  ["PATH", null],
  ["npm_config_//registry", null],
  ["\u00e9 with a space", null],
  ["", "is empty"],
  ["\ud800", "is not valid Unicode"],
  ["A\uFFFD", "is not valid Unicode"],
  ["A\0", "holds a NUL character"],
  ["A=B", 'holds "=", which ends a name'],
  ["=", 'holds "=", which ends a name'],
];

for (const [name, fault] of NAMES) {
  Deno.test(`describeVariableFault() says of ${JSON.stringify(name)}: ${fault ?? "good"}`, () => {
    assertEquals(describeVariableFault(name), fault);
  });
}
