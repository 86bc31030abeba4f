import { sha256Hex } from "../src/base/canonical_json.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { EXAMPLES, runExample } from "./examples.ts";
import { parseGuide } from "./guide.ts";
import { succeeds } from "./python_tools.ts";
import { maskRun } from "./readme.ts";
import { decode, type Ended, runKprov } from "./run_kprov.ts";
import { makeTree, type TemporaryTree } from "./temporary_tree.ts";
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

/** What the page's program for Python makes of a run. */
async function checkInPython(tree: TemporaryTree): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: ["check_run.py", "runs/2026-02-15T20-13-00Z", "."],
    cwd: tree.path,
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

const noPython = await succeeds("python3", ["--version"]) ? null : "python3 is missing here";

Deno.test(
  ...unless(
    noPython,
    "the 15 lines of Python in docs/formats.md read a run and find a changed file",
  ),
  async () => {
    const page = Deno.readTextFileSync(new URL("../docs/formats.md", import.meta.url));
    const program = parseGuide(page).files["check_run.py"] ?? "";
    assert(program.trim().split("\n").length <= 15);
    using tree = makeTree({ "check_run.py": program, "data/ü.csv": "b", "data/a.csv": "a" });
    Deno.symlinkSync("a.csv", tree.at("data/link"));
    const run = await runKprov(
      [
        "data",
        "--products",
        "out",
        "--at",
        "2026-02-15T20:13:00Z",
        "--",
        "cp",
        "data/a.csv",
        "out",
      ],
      { cwd: tree.path, permissions: ["-A"] },
    );
    assertEquals(run.code, 0, run.stderr);
    const digest = sha256Hex(
      Deno.readTextFileSync(tree.at("runs/2026-02-15T20-13-00Z/provenance.json")),
    );
    const lines = (changed: string): string =>
      [`evidence ${digest} PENDING`]
        .concat(["out", "data/a.csv", "data/link", "data/ü.csv"].map((name) =>
          `${name === changed ? "CHANGED" : "ok     "} ${name}`
        )).join("\n") + "\n";
    assertEquals(await checkInPython(tree), { code: 0, stdout: lines(""), stderr: "" });
    Deno.removeSync(tree.at("data/link"));
    Deno.symlinkSync("ü.csv", tree.at("data/link"));
    assertEquals((await checkInPython(tree)).stdout, lines("data/link"));
    Deno.writeTextFileSync(tree.at("runs/2026-02-15T20-13-00Z/provenance.json"), "{}");
    assertStringIncludes((await checkInPython(tree)).stderr, "another run was reviewed");
  },
);
