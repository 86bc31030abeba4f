import { buildEvidence, buildRunDocuments } from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/std.ts";
import { assert, assertEquals } from "../assert.ts";
import { RUN_ID } from "../make_run.ts";
import { fromFileUrl } from "../paths.ts";
import { decode, NARROW } from "../run_kprov.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../sample_facts.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

/** Read in several pieces. */
const LARGE = 1_000_000;

const hasScript = await (async () => {
  try {
    return (await new Deno.Command("script", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
})();

const MAIN = new URL("../../src/commands/main.ts", import.meta.url).href;
const HOST = new URL("../../src/io/host.ts", import.meta.url).href;
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** A kprov for which every look at the clock is 600 ms after the last, longer than it shows nothing. */
const SLOW_KPROV = [
  `import { main } from "${MAIN}";`,
  `import { PROCESS_HOST } from "${HOST}";`,
  "let time = 0;",
  "performance.now = () => time += 600;",
  "Deno.exit(await main(Deno.args, PROCESS_HOST));",
].join("\n");

/** Runs it on a terminal, and gives all that came there. */
async function runOnTerminal(
  tree: TemporaryTree,
  args: readonly string[],
  { term = "xterm", permissions = NARROW } = {},
): Promise<string> {
  const start = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--config", CONFIG];
  const words = [...start, ...permissions, tree.at("slow_kprov.ts"), ...args];
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", `stty cols 80; unset NO_COLOR; '${words.join("' '")}'`, "/dev/null"],
    cwd: tree.path,
    env: { TERM: term },
    stdin: "null",
  }).output();
  return decode(stdout);
}

Deno.test({
  name: `a dumb terminal gets neither colours nor a line drawn anew, where kprov may read TERM${
    hasScript ? "" : " (script is not installed)"
  }`,
  ignore: !hasScript || Deno.build.os !== "linux",
  fn: async () => {
    using tree = makeTree({ "slow_kprov.ts": SLOW_KPROV, "large.bin": new Uint8Array(LARGE) });
    const args = ["large.bin", "--links"];
    const permissions = [...NARROW, "--allow-env=TERM"];
    const drawn = await runOnTerminal(tree, args, { permissions });
    assert(drawn.includes("\x1b[K"), JSON.stringify(drawn));
    const plain = await runOnTerminal(tree, args, { permissions, term: "dumb" });
    assert(plain.includes("Evidence") && !plain.includes("\x1b"), JSON.stringify(plain));
    const verify = ["verify", "runs"];
    const coloured = await runOnTerminal(tree, verify, { permissions });
    assert(coloured.includes("\x1b[32mok"), JSON.stringify(coloured));
    const dull = await runOnTerminal(tree, verify, { permissions, term: "dumb" });
    assert(dull.includes("ok ") && !dull.includes("\x1b"), JSON.stringify(dull));
  },
});

Deno.test({
  name: `long work shows one line on a terminal${hasScript ? "" : " (script is not installed)"}`,
  ignore: !hasScript || Deno.build.os !== "linux",
  fn: async () => {
    using tree = makeTree({ "slow_kprov.ts": SLOW_KPROV, "large.bin": new Uint8Array(LARGE) });
    const lines = (await runOnTerminal(tree, ["large.bin"])).split("\r");
    const drawn = lines.filter((line) =>
      // The last one may be drawn when the file is done.
      /^[01] of 1 file, [0-9.]+ [kM]?B of 1 MB, /.test(line) &&
      (line.endsWith("/s\x1b[K") || line.endsWith(" left\x1b[K"))
    );
    assert(drawn.length >= 1, lines.join("\n"));
    assert(drawn.every((line) => line.length < 80 + "\x1b[K".length));
    const end = lines.lastIndexOf(drawn.at(-1) ?? "");
    assert(lines[end + 1]?.startsWith("\x1b[K"), JSON.stringify(lines));
    assertEquals(await runOnTerminal(tree, ["large.bin", "--quiet"]), "");
  },
});

/** Their evidence is read in several pieces. */
const MANY_FILES = 1000;

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
    using tree = makeTree({ "slow_kprov.ts": SLOW_KPROV, ...makeLargeShard() });
    for (const command of [["verify", "shards"], ["merge", "shards"]]) {
      const lines = (await runOnTerminal(tree, command)).split("\r");
      const isDrawn = lines.some((line) =>
        line.endsWith("\x1b[K") &&
        /^[0-3] of 4 files, [0-9.]+ kB of [0-9.]+ kB, [0-9.]+ kB\/s, [0-9]:[0-9]{2} left.{3}$/.test(
          line,
        )
      );
      assert(isDrawn, JSON.stringify(lines));
    }
  },
});
