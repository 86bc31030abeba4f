import { KprovError } from "../../src/base/error.ts";
import { compareUtf8 } from "../../src/base/text.ts";
import type { ContentHit } from "../../src/guards/guard.ts";
import { createContentScanner } from "../../src/guards/identity/scanner.ts";
import type { Policy } from "../../src/guards/policy.ts";
import { ParallelScan, SCAN_CODE } from "../../src/io/scan.ts";
import { CURRENT, NEXT } from "../../src/io/shared_work.js";
import { assertEquals, assertRejects } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { waitUntil } from "./spread_work.ts";

const POLICY: Policy = {
  schema: "kprovengine.policy.v1",
  identity: { technical_name: "kprovengine", forbidden_tokens: ["acme/DEMO"] },
};

/** So many files that several threads are worth it. */
const MANY = 40_000;

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
        'Cannot read tracked file "src/0/file_0.txt": git tracks it, but it does not exist',
        "restore it, or remove it from git's index",
      ],
    );
  }
});

/** So many files are taken at once where no more are left than these. */
const CHUNK = 256;

/** The code of a worker that takes the first chunk before the main thread does, and ends so. */
function takeFirst(end: string): typeof SCAN_CODE {
  const script = `
    let isFirst = null;
    globalThis.onmessage = ({ data: { work: { control }, thread } }) => {
      isFirst ??= Atomics.compareExchange(control, ${NEXT}, 0, 1) === 0;
      Atomics.store(control, ${CURRENT} + thread, isFirst ? 0 : -3);
      if (!isFirst) return globalThis.postMessage({ share: [], failure: null });
      ${end}
    };`;
  return {
    ...SCAN_CODE,
    script,
    doShare: (work, help) => {
      waitUntil(() => Atomics.load(work.control, NEXT) > 0);
      return SCAN_CODE.doShare(work, help);
    },
  };
}

function answer(share: unknown): typeof SCAN_CODE {
  return takeFirst(`globalThis.postMessage({ share: ${JSON.stringify(share)}, failure: null });`);
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
    const share = [{ chunk: 0, hits: [first], failure: null }];
    using scan = new ParallelScan(answer(share));
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
    const failure = { code: "io", message: "Cannot read it", hint: "try" };
    using scan = new ParallelScan(answer([{ chunk: 0, hits: [], failure }]));
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
    using scan = new ParallelScan(takeFirst('throw new Error("no");'));
    scan.prepare(MANY);
    const hits = await scan.run(taskOf(tree, tree.paths));
    assertEquals(hits, await scanOn(1, tree, tree.paths));
  },
);

Deno.test("ParallelScan finds nothing in no files", async () => {
  using tree = makeTree();
  assertEquals(await scanOn(0, tree, []), []);
});
