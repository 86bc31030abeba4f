import { DOCUMENT_NAMES, sha256Hex } from "../../mod.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { testdata } from "../paths.ts";
import { NARROW, runKprov, WIDE } from "../run_kprov.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

/** From this many files on, a second thread is worth its start. */
const FILES_FOR_WORKERS = 4000;

interface Recorded {
  readonly name: string;
  readonly annotations: { readonly kind: string };
}

/** Runs kprov, and returns its evidence digest and the kinds of its materials by their names. */
async function record(
  args: readonly string[],
  { cwd, permissions }: { readonly cwd: string; readonly permissions: readonly string[] },
): Promise<readonly [digest: string, kinds: Readonly<Record<string, string>>]> {
  const ended = await runKprov([...args, "--format", "json"], { cwd, permissions });
  assertEquals([ended.code, ended.stderr], [0, ""]);
  const result = JSON.parse(ended.stdout);
  const provenance = JSON.parse(Deno.readTextFileSync(`${cwd}/${result.run_dir}/provenance.json`));
  const materials: Recorded[] = provenance.predicate.buildDefinition.resolvedDependencies;
  return [
    result.evidence_digest,
    Object.fromEntries(materials.map(({ name, annotations }) => [name, annotations.kind])),
  ];
}

// Where Deno's permissions name paths, it follows links by itself: they must not be opened at all.
for (const permissions of [NARROW, WIDE]) {
  Deno.test(`links are recorded as links under ${permissions.join(" ")}`, async () => {
    using tree = makeTree({ "data/a.txt": "a" });
    Deno.symlinkSync("a.txt", tree.at("data/inner"));
    Deno.symlinkSync("data/a.txt", tree.at("given"));
    const [, kinds] = await record(["data", "given", "--links"], { cwd: tree.path, permissions });
    assertEquals(kinds, { "data/a.txt": "file", "data/inner": "symlink", "given": "symlink" });
  });
}

Deno.test("a product that the command makes a link is recorded as a link", async () => {
  using tree = makeTree({ "a.txt": "a" });
  const command = ["ln", "-s", "a.txt", "made"];
  const ended = await runKprov(
    ["run", "a.txt", "--quiet", "--products", "made", "--", ...command],
    {
      cwd: tree.path,
      permissions: [...NARROW, "--allow-run", "--allow-read=.,/usr,/bin"],
    },
  );
  assertEquals([ended.code, ended.stderr], [0, ""]);
  const [run] = listNames(tree.at("runs"));
  const { subject } = JSON.parse(Deno.readTextFileSync(tree.at(`runs/${run}/provenance.json`)));
  assertEquals(subject, [{
    annotations: { kind: "symlink", size: 5 },
    digest: { sha256: sha256Hex("a.txt") },
    name: "made",
  }]);
});

Deno.test("the number of jobs does not show in the evidence", async () => {
  const names = Array.from({ length: FILES_FOR_WORKERS }, (_, i) => `data/${i % 7}/${i}.txt`);
  using tree = makeTree(Object.fromEntries(names.map((name) => [name, name])));
  const digests = await Promise.all(["1", "2", "5"].map(async (jobs) => {
    const args = ["data", "--jobs", jobs, "--at", `2026-02-15T20:13:0${jobs}Z`];
    return (await record(args, { cwd: tree.path, permissions: NARROW }))[0];
  }));
  assertMatch(digests[0] ?? "", /^[0-9a-f]{64}$/);
  assertEquals(digests, [digests[0], digests[0], digests[0]]);
});

Deno.test("kprov diff refuses documents of another form with the reason", async () => {
  using tree = makeTree({ "a.txt": "a" });
  await record(["a.txt", "--at", "2026-02-16T20:13:00Z"], { cwd: tree.path, permissions: NARROW });
  Deno.mkdirSync(tree.at("old"));
  for (const name of DOCUMENT_NAMES) {
    Deno.copyFileSync(testdata(`old/2026-02-15T20-13-00Z/${name}`), tree.at(`old/${name}`));
  }
  for (const args of [["diff", "old", "runs/2026-02-16T20-13-00Z"], ["merge", "old"]]) {
    const ended = await runKprov(args, { cwd: tree.path, permissions: WIDE });
    assertEquals([ended.code, ended.stdout], [65, ""]);
    assertEquals(ended.stderr.split("\n"), [
      'error: Cannot use run "old": it has the form of kprov 1.0.0-rc.1, which this version does not read',
      "hint: kprov 1.0.0-rc.1 reads it; to compare the run, record it again",
      "",
    ]);
  }
});
