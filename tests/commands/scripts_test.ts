import { assertEquals, assertMatch } from "../assert.ts";
import { fromFileUrl } from "../paths.ts";
import { compileExpectation, installKprov, parseScript, runStep } from "../run_script.ts";
import { makeTree } from "../temporary_tree.ts";

const SCRIPTS = fromFileUrl(new URL("../scripts", import.meta.url));

for (const { name } of [...Deno.readDirSync(SCRIPTS)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  Deno.test({
    name: `the transcript ${name} holds`,
    // The transcripts are shell commands.
    ignore: Deno.build.os === "windows",
    fn: async () => {
      const script = parseScript(Deno.readTextFileSync(`${SCRIPTS}/${name}`));
      using tree = makeTree(script.files);
      using bin = makeTree();
      installKprov(bin.path);
      for (const step of script.steps) {
        const place = `${name}:${step.line}: ${step.command}`;
        const ended = await runStep(step, tree.path, bin.path);
        assertMatch(ended.stderr, compileExpectation(step.stderr), `${place}: ${ended.stderr}`);
        assertMatch(ended.stdout, compileExpectation(step.stdout), `${place}: ${ended.stdout}`);
        assertEquals(ended.code, step.code, place);
      }
    },
  });
}
