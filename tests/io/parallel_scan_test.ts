import { KprovError } from "../../src/base/error.ts";
import { compareUtf8 } from "../../src/base/utf8_order.ts";
import type { ContentHit } from "../../src/guards/guard.ts";
import { createContentScanner } from "../../src/guards/identity/scanner.ts";
import type { Policy } from "../../src/guards/policy.ts";
import { ParallelScan, type ScanThread } from "../../src/io/parallel_scan.ts";
import type { ScanAnswer } from "../../src/io/scan_worker.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const POLICY: Policy = {
  schema: "kprovengine.policy.v1",
  identity: { technical_name: "kprovengine", forbidden_tokens: ["acme/DEMO"] },
};

/** So many files that several threads are worth it. */
const MANY = 5000;

/** More than threads take at once; every hundredth has something to find. */
function makeFiles(): Record<string, string> {
  const files: Record<string, string> = { "acme/DEMO": "what the link leads to" };
  for (let i = 0; i < 700; i++) {
    files[`src/${i % 7}/file_${i}.txt`] = i % 100 === 0
      ? `\nacme/DEMO and kpr\u043evengine ${i}`
      : "é";
  }
  return files;
}

function makeLinkedTree(): TemporaryTree & { readonly paths: readonly string[] } {
  const files = makeFiles();
  const tree = makeTree(files);
  Deno.symlinkSync("../../acme/DEMO", tree.at("src/3/link"));
  return { ...tree, paths: [...Object.keys(files), "src/3/link"].sort(compareUtf8) };
}

function taskOf(tree: TemporaryTree, paths: readonly string[], areDirectoriesHeld = true) {
  return { root: tree.path, policy: POLICY, paths, areDirectoriesHeld };
}

async function scanOn(
  files: number,
  tree: TemporaryTree,
  paths: readonly string[],
  areDirectoriesHeld = true,
): Promise<readonly ContentHit[]> {
  using scan = new ParallelScan();
  scan.prepare(files);
  return await scan.run(taskOf(tree, paths, areDirectoriesHeld));
}

Deno.test("ParallelScan finds on one thread and on several what a look at each file finds", async () => {
  using tree = makeLinkedTree();
  const scanner = createContentScanner(POLICY);
  const expected = tree.paths.flatMap((path) =>
    scanner.scan(
      path,
      path.endsWith("link")
        ? new TextEncoder().encode(Deno.readLinkSync(tree.at(path)))
        : Deno.readFileSync(tree.at(path)),
    )
  );
  assertEquals(expected.length, 15);
  assertEquals(await scanOn(1, tree, tree.paths), expected);
  assertEquals(await scanOn(MANY, tree, tree.paths), expected);
  assertEquals(await scanOn(MANY, tree, tree.paths, false), expected);
});

Deno.test("ParallelScan throws the first of several failures, whatever the number of threads", async () => {
  using tree = makeLinkedTree();
  for (const i of [699, 0, 350]) Deno.removeSync(tree.at(`src/${i % 7}/file_${i}.txt`));
  for (const files of [1, MANY]) {
    const error = await assertRejects(() => scanOn(files, tree, tree.paths), KprovError);
    assertEquals(
      [error.code, error.message, error.hint],
      [
        "data",
        'Cannot read tracked file "src/0/file_0.txt": git tracks it, and it is not there',
        "restore it, or take it out of git's index",
      ],
    );
  }
});

/** So many files are taken at once where no more are left than these. */
const CHUNK = 256;

/** A thread that takes the first files, and says of it what it is told to. */
function takeFirst(answer: Omit<ScanAnswer, "files">): ScanThread {
  return {
    ask: ({ next }) => {
      assertEquals(Atomics.add(next, 0, CHUNK), 0);
      return Promise.resolve({ files: CHUNK, ...answer });
    },
    [Symbol.dispose]: () => {},
  };
}

const IGNORE_ONE_CORE: Pick<Deno.TestDefinition, "ignore"> = {
  ignore: navigator.hardwareConcurrency === 1,
};

Deno.test(
  "ParallelScan puts what several threads found into the order of the files",
  IGNORE_ONE_CORE,
  async () => {
    using tree = makeLinkedTree();
    const first: ContentHit = {
      path: "first",
      code: "identity.forbidden_token",
      line: 1,
      column: 1,
      text: "acme/DEMO",
      token: "acme/DEMO",
    };
    const threads = [
      takeFirst({ found: [{ start: 0, hits: [first] }], failure: null }),
    ];
    using scan = new ParallelScan(() => threads.pop() ?? null);
    scan.prepare(MANY);
    const hits = await scan.run(taskOf(tree, tree.paths));
    assertEquals(hits, [first, ...await scanOn(1, tree, tree.paths.slice(CHUNK))]);
  },
);

Deno.test(
  "ParallelScan throws what stopped a thread, where this one was stopped later",
  IGNORE_ONE_CORE,
  async () => {
    using tree = makeLinkedTree();
    Deno.removeSync(tree.at(tree.paths[CHUNK]!));
    const failure = { start: 0, code: "io", message: "Cannot read it", hint: "try" } as const;
    const threads = [takeFirst({ found: [], failure })];
    using scan = new ParallelScan(() => threads.pop() ?? null);
    scan.prepare(MANY);
    const { code, message, hint } = await assertRejects(
      () => scan.run(taskOf(tree, tree.paths)),
      KprovError,
    );
    assertEquals([code, message, hint], ["io", "Cannot read it", "try"]);
  },
);

Deno.test(
  "ParallelScan does the work again where a thread dies with a part of it",
  IGNORE_ONE_CORE,
  async () => {
    using tree = makeLinkedTree();
    let isAsked = false;
    const dying: ScanThread = {
      ask: ({ next }) => {
        isAsked = true;
        Atomics.add(next, 0, CHUNK);
        return Promise.resolve(null);
      },
      [Symbol.dispose]: () => {},
    };
    using scan = new ParallelScan(() => dying);
    scan.prepare(MANY);
    const hits = await scan.run(taskOf(tree, tree.paths));
    assertEquals(hits, await scanOn(1, tree, tree.paths));
    assert(isAsked);
  },
);

Deno.test("ParallelScan finds nothing in no files", async () => {
  using tree = makeTree();
  assertEquals(await scanOn(0, tree, []), []);
});
