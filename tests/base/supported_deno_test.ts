import { isDenoInRange, SUPPORTED_DENO } from "../../src/base/std.ts";
import { hintAtFlag } from "../../src/io/permissions.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { fromFileUrl } from "../paths.ts";
import { decode, NARROW } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";

const MAIN = new URL("../../src/commands/main.ts", import.meta.url).href;
const HOST = new URL("../../src/io/host.ts", import.meta.url).href;
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

const HINT = "hint: npx -y deno@VERSION runs any version of Deno from npm; " +
  "deno upgrade VERSION installs one\n";

const VERSIONS: readonly (readonly [version: string, supported: boolean])[] = [
  ["2.8.1", false],
  ["2.8.2", true],
  ["2.8.3", true],
  ["2.9.6", true],
  ["2.9.99", true],
  ["2.10.0", false],
  ["3.0.0", false],
];

Deno.test({
  name: "kprov supports Deno from 2.8.2 on and below 2.10",
  permissions: "none",
  fn: () => {
    for (const [version, supported] of VERSIONS) {
      assertEquals(isDenoInRange(version, SUPPORTED_DENO), supported, version);
    }
  },
});

/** What a Deno of another version, or a compiled binary, says of a run. */
async function runOnOther(...says: readonly string[]): Promise<{ code: number; stderr: string }> {
  using tree = makeTree({
    "input.txt": "",
    "later.ts": [
      ...says,
      `const { main } = await import("${MAIN}");`,
      `const { PROCESS_HOST } = await import("${HOST}");`,
      `Deno.exit(await main(["input.txt"], PROCESS_HOST));`,
    ].join("\n"),
  });
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--config", CONFIG, ...NARROW, "later.ts"],
    cwd: tree.path,
  }).output();
  return { code, stderr: decode(stderr) };
}

// There is none yet: this Deno says that it is one.
const LATER =
  `Object.defineProperty(Deno, "version", { value: { ...Deno.version, deno: "2.10.0" } });`;
const COMPILED =
  `Object.defineProperty(Deno, "build", { value: { ...Deno.build, standalone: true } });`;
const REFUSED = `error: Cannot run on Deno 2.10.0: the supported range is ${SUPPORTED_DENO}\n`;

Deno.test("Deno 2.10 is refused with the range and how to get another", async () => {
  assertEquals(await runOnOther(LATER), { code: 1, stderr: `${REFUSED}${HINT}` });
});

Deno.test("a binary with another Deno in it names another release, and no way to change its Deno", async () => {
  const hint =
    "hint: another release of kprov holds another Deno; on a Deno of your own, kprov.js runs\n";
  assertEquals(await runOnOther(LATER, COMPILED), { code: 1, stderr: `${REFUSED}${hint}` });
});

Deno.test("a missing permission names its flag, and in a binary, which takes none, the binary that has it", () => {
  assertEquals(
    hintAtFlag("--allow-run=git", false),
    "run with --allow-run=git, or use the command kprov-run",
  );
  assertMatch(hintAtFlag("--allow-run=git", true), /^use kprov-run,/);
  assertMatch(hintAtFlag("--allow-env=PATH", true), /^use kprov-run,/);
  assertMatch(hintAtFlag("--allow-read=.", true), /^this binary was compiled without it/);
});
