/**
 * Files and options for tests of the work that threads share.
 *
 * @module
 */

import type { Progress } from "../../src/base/progress.ts";
import type { HashOptions } from "../../src/io/hash/hash_files.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const SIZES = [0, 1, 1000, 65_536, 65_537, 131_072, 131_073, 300_000];

/** As many files, of every size around the buffer's and around what counts as large. */
export function makeFiles(count: number): TemporaryTree {
  const names = Array.from({ length: count }, (_, i) => `f/${String(i).padStart(3, "0")}`);
  return makeTree(Object.fromEntries(names.map((name, i) => [
    name,
    new Uint8Array(SIZES[i % SIZES.length] ?? 0).fill(i),
  ])));
}

/** The names of those files, sorted, and where they stand. */
export function listFiles(tree: TemporaryTree): { directory: string; names: string[] } {
  const names = [...Deno.readDirSync(tree.at("f"))].map(({ name }) => `f/${name}`).sort();
  return { directory: tree.path, names };
}

/** Threads for so little work that a test can do it. */
export function spread(jobs: number, changes: Partial<HashOptions> = {}): HashOptions {
  return { effort: { jobs, progress: null }, filesPerThread: 5, bytesPerThread: 1000, ...changes };
}

/** Keeps the main thread after its first file until so many files are done: workers do the others. */
export function leaveToWorkers(files: number): Progress {
  return { tick: (describe) => waitUntil(() => describe().files >= files), end: () => {} };
}

/** Holds this thread, as work would, until other threads are so far. */
export function waitUntil(isSo: () => boolean): void {
  const patience = 60_000;
  const start = performance.now();
  while (!isSo()) {
    if (performance.now() - start > patience) throw new Error("no worker came so far");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** Whether a file stands at a path by now. */
export function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch {
    return false;
  }
}
