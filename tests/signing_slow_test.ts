import { assert, assertEquals } from "./assert.ts";
import { maskMachine, parseGuide, runGuideStep } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { succeeds } from "./python_tools.ts";
import { decode } from "./run_kprov.ts";
import { installBoth } from "./run_script.ts";
import { makeTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

const PAGE = fromFileUrl(new URL("../docs/signing.md", import.meta.url));

const TOOLS: readonly (readonly [program: string, version: string])[] = [
  ["openssl", "version"],
  ["node", "--version"],
  ["npm", "--version"],
];

async function findMissing(): Promise<string | null> {
  if (Deno.build.os === "windows") return "the page is for a Unix shell";
  for (const [program, version] of TOOLS) {
    if (!await succeeds(program, [version])) return `${program} is missing here`;
  }
  return null;
}

/** Puts programs where the commands of the page look for them. */
async function linkTools(bin: string): Promise<void> {
  for (const [program] of TOOLS) {
    const { stdout } = await new Deno.Command("which", { args: [program] }).output();
    Deno.symlinkSync(decode(stdout).trim(), `${bin}/${program}`);
  }
}

Deno.test(
  ...unless(
    await findMissing(),
    "every command of docs/signing.md that can be run prints what the page shows",
  ),
  async () => {
    const { files, steps } = parseGuide(Deno.readTextFileSync(PAGE));
    assertEquals(steps.length, 13);
    using tree = makeTree(files);
    using bin = makeTree();
    installBoth(bin.path);
    await linkTools(bin.path);
    for (const { line, command, output } of steps) {
      const printed = await runGuideStep(command, tree.path, bin.path);
      assertEquals(maskMachine(printed), maskMachine(output), `line ${line}: ${command}`);
    }
    const bundle = JSON.parse(
      Deno.readTextFileSync(tree.at("signatures/2026-02-15T20-13-00Z.sigstore.json")),
    );
    const statement = Deno.readTextFileSync(tree.at("runs/2026-02-15T20-13-00Z/provenance.json"));
    assertEquals(atob(bundle.dsseEnvelope.payload), statement);
    assert(statement.endsWith("}\n"));
  },
);
