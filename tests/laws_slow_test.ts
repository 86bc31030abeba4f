/**
 * What holds for every input, whatever it is: laws of the whole, over files on the disk.
 *
 * @module
 */

import fc from "fast-check";
import { DOCUMENT_NAMES } from "../mod.ts";
import { chooseGuards } from "../src/commands/guard.ts";
import { type GuardResult, makeGuardResult } from "../src/guards/guard.ts";
import { parsePolicy } from "../src/guards/policy.ts";
import { gatherRepository } from "../src/io/repository.ts";
import { assert, assertEquals } from "./assert.ts";
import { callKprov } from "./hostile/call_kprov.ts";
import { EVERYTHING, makeRepository, trackedOf } from "./hostile/hostile_repository.ts";
import { makeTree, type TemporaryTree } from "./temporary_tree.ts";

/** Files by their names; a name is one part of three letters at most, or two of them. */
type Content = ReadonlyMap<string, string>;

const part = fc.string({ unit: fc.constantFrom(..."abä名😀 -"), minLength: 1, maxLength: 3 })
  .map((text) => `${text}x`);

/** A directory's part ends otherwise than a file's, so that none is both. */
const name = fc.oneof(
  part,
  fc.tuple(part, part).map(([directory, file]) => `${directory}.d/${file}`),
);

const contents: fc.Arbitrary<Content> = fc
  .uniqueArray(fc.tuple(name, fc.string({ maxLength: 20 })), {
    selector: ([path]) => path.normalize("NFC"),
    minLength: 1,
    maxLength: 8,
  })
  .map((files) => new Map(files));

/** Writes the files into a directory, in the order in which they are given. */
function plant(
  tree: TemporaryTree,
  directory: string,
  files: Iterable<readonly [string, string]>,
): void {
  for (const [path, text] of files) {
    const target = tree.at(`${directory}/in/${path}`);
    Deno.mkdirSync(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(target, text);
  }
}

interface Recorded {
  /** The run directory. */
  readonly run: string;
  /** The documents that depend on nothing but the content. */
  readonly documents: readonly string[];
}

/** Records what stands in a directory, or a part of it. */
async function record(
  tree: TemporaryTree,
  directory: string,
  more: readonly string[],
  inputs: readonly string[] = ["in"],
): Promise<Recorded> {
  const root = tree.at(directory);
  const given = inputs.map((input) => `${root}/${input}`);
  // Each run has a place of its own: two of one second in one place are told apart with a note.
  const out = tree.at(`runs/${crypto.randomUUID()}`);
  const args = ["--root", root, "--format", "json", "--out", out];
  return await finish(["run", ...given, ...args, ...more]);
}

async function finish(args: readonly string[]): Promise<Recorded> {
  const { code, stdout, stderr } = await callKprov(args);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const { run_dir: run } = JSON.parse(stdout);
  const documents = DOCUMENT_NAMES.filter((document) => document !== "run_summary.json");
  return {
    run,
    documents: documents.map((document) => Deno.readTextFileSync(`${run}/${document}`)),
  };
}

Deno.test("a run is a function of the content of its inputs, and verifies", async () => {
  const orders = contents.chain((files) =>
    fc.tuple(fc.constant(files), fc.shuffledSubarray([...files], { minLength: files.size }))
  );
  await fc.assert(
    fc.asyncProperty(orders, async ([files, shuffled]) => {
      using tree = makeTree();
      plant(tree, "here", files);
      plant(tree, "there", shuffled);
      // By one directory and by its files, in whatever order; early and late; with one thread and two.
      for (const isWhole of [true, false]) {
        const list = (some: Iterable<readonly [string, string]>): string[] =>
          isWhole ? ["in"] : [...some].map(([path]) => `in/${path}`);
        const early = ["--jobs", "1", "--at", "1999-12-31T23:59:59Z"];
        const late = ["--jobs", "2", "--at", "2026-02-15T20:13:00Z"];
        const here = await record(tree, "here", early, list(files));
        const there = await record(tree, "there", late, list(shuffled));
        assertEquals(there.documents, here.documents);
        for (const root of ["here", "there"]) {
          const { code, stdout } = await callKprov(["verify", here.run, "--root", tree.at(root)]);
          assertEquals(code, 0, stdout);
        }
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("kprov diff finds nothing exactly where the evidence digests are equal", async () => {
  const pairs = contents.chain((files) =>
    fc.tuple(
      fc.constant(files),
      fc.oneof(
        fc.constant(files),
        contents,
        // One file more, or one that is other than it was.
        fc.tuple(name, fc.string({ maxLength: 3 })).map((file): Content =>
          new Map([...files, file])
        ),
      ),
    )
  );
  let equal = 0;
  await fc.assert(
    fc.asyncProperty(pairs, async ([before, after]) => {
      using tree = makeTree();
      plant(tree, "before", before);
      plant(tree, "after", after);
      const [a, b] = [await record(tree, "before", []), await record(tree, "after", [])];
      const { code, stdout } = await callKprov(["diff", a.run, b.run, "--format", "json"]);
      const isEqual = String(a.documents) === String(b.documents);
      equal += isEqual ? 1 : 0;
      assertEquals({ code, identical: JSON.parse(stdout).identical }, {
        code: isEqual ? 0 : 1,
        identical: isEqual,
      });
    }),
    { numRuns: 30 },
  );
  assert(equal > 0 && equal < 30, `${equal} of 30 are equal`);
});

Deno.test("the merged shards of a run are the run, to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(contents, fc.integer({ min: 1, max: 5 }), async (files, count) => {
      using tree = makeTree();
      plant(tree, "all", files);
      const shards: string[] = [];
      for (let i = count; i > 0; i--) {
        shards.push((await record(tree, "all", ["--shard", `${i}/${count}`])).run);
      }
      const merged = await finish([
        "merge",
        ...shards,
        "--out",
        tree.at("merged"),
        "--format",
        "json",
      ]);
      assertEquals(merged.documents, (await record(tree, "all", [])).documents);
      assertEquals((await callKprov(["verify", merged.run, "--root", tree.at("all")])).code, 0);
    }),
    { numRuns: 15 },
  );
});

/** A repository in which every guard finds more than one thing, in more than one file. */
const FAULTY = {
  "a.txt": "forbidden\nkpr\u043Evengine\n",
  "b/AcmeTool.txt": "AcmeTool forbidden AcmeTool\n",
  "b/Dockerfile": "FROM node:18 AS a\nFROM python\n",
  "c/Dockerfile": "FROM node:19\nLABEL org.opencontainers.image.title=other\n",
  "c/package.json": '{"engines": {"node": "<20", "deno": "*"}}\n',
  "dist/a": "",
  "dist/b": "",
  ".github/workflows/other.yml":
    "on: push\njobs: {a: {steps: [{uses: denoland/setup-deno@v2, with: {deno-version: 1.x}}]}}\n",
  ".nvmrc": "18\n",
};

Deno.test("what the guards find does not depend on the order of the files", async () => {
  using tree = makeRepository(FAULTY);
  const policy = parsePolicy(EVERYTHING, "the policy");
  const guards = await chooseGuards([], policy);
  const root = { given: tree.path, path: tree.path };
  const facts = await gatherRepository({ root, policy, guards, tracked: null, baseLock: null });
  const { tracked, governance } = facts;
  assert("length" in tracked && tracked.length > trackedOf(FAULTY).length && governance !== null);
  const judge = (some: typeof facts): GuardResult[] =>
    guards.map((guard) => makeGuardResult(guard.name, guard.check(some, policy)));
  const expected = judge(facts);
  for (const { guard, findings } of expected) {
    assert(findings.length > (["lock", "parity"].includes(guard) ? 0 : 1), guard);
  }
  const shuffle = <T>(items: Iterable<T>): fc.Arbitrary<T[]> => {
    const all = [...items];
    return fc.shuffledSubarray(all, { minLength: all.length });
  };
  const orders = fc.record({
    tracked: shuffle(tracked),
    contents: shuffle(facts.contents).map((entries) => new Map(entries)),
    yaml: shuffle(facts.yaml).map((entries) => new Map(entries)),
    hits: shuffle(facts.hits),
    governance: shuffle(governance.files).map((files) => ({ ...governance, files })),
  });
  fc.assert(
    fc.property(
      orders,
      (order) => assertEquals(judge({ ...facts, ...order }), expected),
    ),
  );
});
