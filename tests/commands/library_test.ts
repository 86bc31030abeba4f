import { KprovError } from "../../src/base/error.ts";
import { gatherRepository, recordRun, type RecordRunOptions } from "../../src/commands/library.ts";
import { ARTIFACTS, parsePolicy } from "../../src/guards/library.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { openRepository } from "../io/git/git_repository.ts";
import { decode, runKprov } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";

const AT = "2026-02-15T20:13:00Z";

Deno.test("recordRun() writes the documents that kprov run writes", async () => {
  using tree = makeTree({ "data/a.txt": "a", "data/b.tmp": "b" });
  const run = await recordRun({
    inputs: [tree.at("data")],
    root: tree.path,
    out: tree.at("runs"),
    exclude: ["*.tmp"],
    at: AT,
    jobs: 1,
  });
  const args = [
    "run",
    "data",
    "--exclude",
    "*.tmp",
    "--at",
    AT,
    "--out",
    "runs",
    "--format",
    "json",
  ];
  const ended = await runKprov(args, { cwd: tree.path });
  const told = JSON.parse(ended.stdout);
  assertEquals([run.evidenceDigest, run.outcome], [told.evidence_digest, told.outcome]);
  assertEquals(run.runDirectory, tree.at("runs/2026-02-15T20-13-00Z"));
  for (const name of ["provenance", "toolchain", "human_review"]) {
    assertEquals(
      Deno.readTextFileSync(`${run.runDirectory}/${name}.json`),
      Deno.readTextFileSync(tree.at(`${told.run_dir}/${name}.json`)),
    );
  }
});

const REFUSED: readonly (readonly [string, Partial<RecordRunOptions>, string, string])[] = [
  ["no input", { inputs: [] }, "usage", "Cannot record a run: no input is given"],
  ["a time that is none", { at: "today" }, "usage", 'Cannot use --at "today"'],
  ["half a job", { jobs: 0.5 }, "usage", "Cannot use 0.5 jobs"],
  ["an empty command", { command: [] }, "usage", "Cannot run a command: none is given"],
  ["a product of nothing", { products: ["x"] }, "usage", "Cannot use the option products"],
  ["a digest of no argument", { redacted: [1] }, "usage", "Cannot use the option redacted"],
  ["an empty output directory", { out: "" }, "usage", "Cannot use the option out: it is empty"],
  ["an empty root", { root: "" }, "usage", "Cannot use the option root: it is empty"],
  ["an input that is not there", { inputs: ["missing.txt"] }, "data", "Cannot read input"],
];

for (const [what, options, code, message] of REFUSED) {
  Deno.test(`recordRun() refuses ${what}, and writes nothing`, async () => {
    using tree = makeTree({ "a.txt": "a" });
    const inputs = (options.inputs ?? ["a.txt"]).map((name) => tree.at(name));
    const run = { root: tree.path, out: tree.at("runs"), ...options, inputs };
    const error = await assertRejects(() => recordRun(run), KprovError);
    assertEquals([error.code, error.message.startsWith(message)], [code, true], error.message);
    assertEquals([...Deno.readDirSync(tree.path)].map(({ name }) => name), ["a.txt"]);
  });
}

Deno.test("recordRun() prints nothing but what the command prints, under narrow permissions", async () => {
  using tree = makeTree({ "a.txt": "a" });
  const library = new URL("../../src/commands/library.ts", import.meta.url).href;
  Deno.writeTextFileSync(
    tree.at("program.ts"),
    `import { recordRun } from "${library}";
     const command = ["sh", "-c", "echo told; exit 3"];
     const run = await recordRun({ inputs: ["a.txt"], command, products: ["made"] });
     if (run.exitCode !== 3 || run.outcome !== "command_failed") throw new Error(run.outcome);
     if (run.findings[0].code !== "product.missing") throw new Error(run.findings[0].code);`,
  );
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--allow-read", "--allow-write=.", "--allow-run=sh"],
      ...["--config", new URL("../../deno.json", import.meta.url).pathname, "program.ts"],
    ],
    cwd: tree.path,
  }).output();
  assertEquals([code, decode(stdout), decode(stderr)], [0, "told\n", ""]);
});

Deno.test("gatherRepository() reads git's index, and the guards judge it", async () => {
  using tree = makeTree({ "README.md": "", "runs/a.json": "{}" });
  const { git } = openRepository(tree.path);
  git("init", "--quiet");
  git("add", ".");
  const policy = parsePolicy(
    { schema: "kprovengine.policy.v1", artifacts: { deny: ["runs/**"] } },
    "the policy",
  );
  const facts = await gatherRepository({ root: tree.path, policy, guards: [ARTIFACTS] });
  assertEquals(ARTIFACTS.check(facts, policy).map(({ path }) => path), ["runs/a.json"]);
});
