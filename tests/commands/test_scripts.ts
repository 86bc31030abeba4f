import { assertEquals, assertMatch } from "../assert.ts";
import { fromFileUrl } from "../paths.ts";
import { compileExpectation, installKprov, parseScript, runStep } from "../run_script.ts";
import { makeTree } from "../temporary_tree.ts";

/**
 * Makes a test of each transcript in a directory.
 *
 * @param directory The directory, below this file's
 */
export function testScripts(directory: string): void {
  const scripts = fromFileUrl(new URL(directory, import.meta.url));
  const names = [...Deno.readDirSync(scripts)].filter(({ isFile }) => isFile).map(({ name }) =>
    name
  );
  for (const name of names.sort()) {
    Deno.test({
      name: `the transcript ${name} holds`,
      // The transcripts are shell commands.
      ignore: Deno.build.os === "windows",
      fn: () => testScript(`${scripts}/${name}`, name),
    });
  }
}

async function testScript(path: string, name: string): Promise<void> {
  const script = parseScript(Deno.readTextFileSync(path));
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
}
