import { assert, assertEquals } from "./assert.ts";
import { EXAMPLES, runExample } from "./examples.ts";
import { maskRun } from "./readme.ts";
import { unless } from "./unless.ts";

/** What each prints, or why it cannot be run here; the names of tests say which. */
const ran = Deno.build.os === "windows"
  ? EXAMPLES.map((name) => [name, "its commands are those of a Unix shell"] as const)
  : await Promise.all(EXAMPLES.map(async (name) => [name, await runExample(name)] as const));

for (const [name, steps] of ran) {
  const missing = typeof steps === "string" ? steps : null;
  Deno.test(
    ...unless(missing, `every command of docs/examples/${name}.md prints what it shows`),
    () => {
      assert(typeof steps !== "string" && steps.length >= 2);
      for (const { command, shown, printed } of steps) {
        assertEquals(maskRun(printed), maskRun(shown), command);
      }
    },
  );
}

Deno.test("every example has its row in docs/examples/README.md", () => {
  assertEquals(EXAMPLES, ["guards", "node", "python", "shell", "slurm"]);
  const index = Deno.readTextFileSync(new URL("../docs/examples/README.md", import.meta.url));
  for (const name of EXAMPLES) assert(index.includes(`[${name}](${name}.md)`), name);
});
