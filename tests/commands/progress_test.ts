import { assert, assertEquals } from "../assert.ts";
import { CLI, decode, NARROW } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";

/** Read in more than half a second by any machine: nothing is stored of it, and all is digested. */
const LARGE = 1.5 * 2 ** 30;

const hasScript = await (async () => {
  try {
    return (await new Deno.Command("script", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
})();

/** Runs kprov on a terminal, and gives all that came there. */
async function runOnTerminal(cwd: string, args: readonly string[]): Promise<string> {
  const kprov = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...NARROW, CLI, ...args];
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", `stty cols 80; '${kprov.join("' '")}'`, "/dev/null"],
    cwd,
    stdin: "null",
  }).output();
  return decode(stdout);
}

Deno.test({
  name: `long work shows one line on a terminal${hasScript ? "" : " (script is not installed)"}`,
  ignore: !hasScript || Deno.build.os !== "linux",
  fn: async () => {
    using tree = makeTree();
    Deno.createSync(tree.at("large.bin")).close();
    Deno.truncateSync(tree.at("large.bin"), LARGE);
    const lines = (await runOnTerminal(tree.path, ["large.bin"])).split("\r");
    const drawn = lines.filter((line) =>
      line.startsWith("0 of 1 file, ") &&
      (line.endsWith("/s\x1b[K") || line.endsWith(" left\x1b[K"))
    );
    assert(drawn.length >= 1, lines.join("\n"));
    assert(drawn.every((line) => line.length < 80 + "\x1b[K".length));
    const end = lines.lastIndexOf(drawn.at(-1) ?? "");
    assert(lines[end + 1]?.startsWith("\x1b[K"), JSON.stringify(lines));
    assertEquals(await runOnTerminal(tree.path, ["large.bin", "--quiet"]), "");
  },
});
