import { buildEvidence, buildRunDocuments } from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/semver.ts";
import { assert, assertEquals } from "../assert.ts";
import { RUN_ID } from "../make_run.ts";
import { CLI, decode, NARROW } from "../run_kprov.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../sample_facts.ts";
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
      // The last one may be drawn when the file is done.
      /^[01] of 1 file, /.test(line) &&
      (line.endsWith("/s\x1b[K") || line.endsWith(" left\x1b[K"))
    );
    assert(drawn.length >= 1, lines.join("\n"));
    assert(drawn.every((line) => line.length < 80 + "\x1b[K".length));
    const end = lines.lastIndexOf(drawn.at(-1) ?? "");
    assert(lines[end + 1]?.startsWith("\x1b[K"), JSON.stringify(lines));
    assertEquals(await runOnTerminal(tree.path, ["large.bin", "--quiet"]), "");
  },
});

/** Their evidence takes more than half a second to read on any machine. */
const MANY_FILES = 150_000;

/** Makes the documents of a shard, without the files that it speaks of. */
function makeLargeShard(): Record<string, string> {
  const materials = Array.from({ length: MANY_FILES }, (_, i) => ({
    name: `data/${i}`,
    kind: "file" as const,
    size: 1,
    sha256: String(i).padStart(64, "0"),
  }));
  const toolchain = { ...SAMPLE_FACTS.toolchain, kprov: KPROV_VERSION };
  const evidence = buildEvidence({
    inputs: ["data"],
    exclude: [],
    materials,
    toolchain,
    shard: { count: 1, index: 1 },
  });
  const documents = buildRunDocuments(evidence, SAMPLE_CIRCUMSTANCES, RUN_ID);
  return Object.fromEntries(
    Object.entries(documents).map(([name, text]) => [`shards/${RUN_ID}/${name}`, text]),
  );
}

Deno.test({
  name: `reading documents shows one line on a terminal${
    hasScript ? "" : " (script is not installed)"
  }`,
  ignore: !hasScript || Deno.build.os !== "linux",
  fn: async () => {
    using tree = makeTree(makeLargeShard());
    for (const command of [["verify", "shards"], ["merge", "shards"]]) {
      const lines = (await runOnTerminal(tree.path, command)).split("\r");
      const isDrawn = lines.some((line) =>
        line.endsWith("\x1b[K") &&
        /^[0-3] of 4 files, [0-9.]+ MB, [0-9.]+ MB\/s, [0-9]:[0-9]{2} left.{3}$/.test(line)
      );
      assert(isDrawn, JSON.stringify(lines));
    }
  },
});
