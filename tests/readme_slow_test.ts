import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { maskRun, parseGuardExamples, README, runGuardExample, runReadme } from "./readme.ts";

const text = Deno.readTextFileSync(README);

Deno.test({
  name: "every command of README.md prints what the page shows",
  // Its commands are those of a Unix shell.
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const steps = await runReadme(text);
    assert(steps.length >= 5);
    for (const { command, shown, printed } of steps) {
      assertEquals(maskRun(printed), maskRun(shown), command);
    }
  },
});

Deno.test("README.md has an example of every guard", () => {
  assertEquals(
    parseGuardExamples(text).map(({ guard }) => guard),
    ["artifacts", "identity", "runtime", "parity", "lock"],
  );
});

for (const example of parseGuardExamples(text)) {
  Deno.test(`the guard ${example.guard} finds what its example in README.md says`, async () => {
    const lines = (await runGuardExample(example)).split("\n");
    assertStringIncludes(lines[0] ?? "", `FAILED  ${example.guard}: 1 finding`);
    assert(lines.includes(`  ${example.finding}`), lines.join("\n"));
  });
}
