import { sha256Hex } from "../../mod.ts";
import { KprovError } from "../../src/base/error.ts";
import type { Progress } from "../../src/base/progress.ts";
import {
  DIGEST_CODE,
  hashFiles,
  type HashOptions,
  lookAtFiles,
} from "../../src/io/hash/hash_files.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";
import { exists, leaveToWorkers, listFiles, makeFiles, spread, waitUntil } from "./spread_work.ts";

/** Counts the workers that are started meanwhile. */
async function countWorkers(work: () => Promise<unknown>): Promise<number> {
  const original = globalThis.Worker;
  let count = 0;
  globalThis.Worker = class extends original {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      count++;
    }
  };
  try {
    await work();
  } finally {
    globalThis.Worker = original;
  }
  return count;
}

Deno.test("hashFiles() gives the same records for every number of threads", async () => {
  using tree = makeFiles(60);
  Deno.symlinkSync("nowhere/\u{1F600}", tree.at("f/\u{1F600}"));
  Deno.symlinkSync("000", tree.at("f/link"));
  const files = listFiles(tree);
  const expected = files.names.map((name) => {
    if (!/[0-9]$/.test(name)) {
      const target = Deno.readLinkSync(tree.at(name));
      return {
        name,
        kind: "symlink",
        size: new TextEncoder().encode(target).length,
        sha256: sha256Hex(target),
      };
    }
    const bytes = Deno.readFileSync(tree.at(name));
    return { name, kind: "file", size: bytes.length, sha256: sha256Hex(bytes) };
  });
  for (const jobs of [1, 2, 7]) {
    assertEquals(await hashFiles(files, { role: "input", ...spread(jobs) }), expected, `${jobs}`);
  }
});

Deno.test("lookAtFiles() tells what each name is by now", async () => {
  using tree = makeTree({ "f/a": "a", "f/b": "b", "f/directory/c": "c" });
  Deno.symlinkSync("a", tree.at("f/link"));
  assert(new Deno.Command("mkfifo", { args: [tree.at("f/pipe")] }).outputSync().success);
  const names = ["f/a", "f/b", "f/directory", "f/gone", "f/link", "f/pipe"];
  const files = { directory: tree.path, names };
  for (const jobs of [1, 2]) {
    const seen = await lookAtFiles(files, spread(jobs));
    const shown = names.map((_, i) => {
      const one = seen.faults.get(i);
      if (one === undefined) return seen.recordAt(i).kind;
      return one.what === "kind" ? one.kind : one.what === "refused" ? one.code : one.what;
    });
    assertEquals(shown, ["file", "file", "a directory", "ENOENT", "symlink", "a FIFO"]);
  }
});

Deno.test("hashFiles() gives the same records where the workers do nearly everything", async () => {
  using tree = makeFiles(40);
  const files = listFiles(tree);
  const expected = await hashFiles(files, { role: "input", ...spread(1) });
  const small = expected.filter(({ size }) => size <= 65_536).length;
  const effort = { jobs: 3, progress: leaveToWorkers(small) };
  assertEquals(await hashFiles(files, { role: "input", ...spread(3, { effort }) }), expected);
});

Deno.test("a worker gets every name as it is, wherever it stands among the others", async () => {
  // More than two blocks of names; each starts with what a decoder takes for a byte order mark.
  const names = Array.from({ length: 600 }, (_, i) => `\uFEFF${i}${"\u{1F600}".repeat(i % 3)}`)
    .sort();
  using tree = makeTree(Object.fromEntries(names.map((name) => [`f/${name}`, name])));
  const effort = { jobs: 2, progress: leaveToWorkers(599) };
  const files = { directory: tree.at("f"), names };
  const records = await hashFiles(files, { role: "input", ...spread(2, { effort }) });
  assertEquals(
    records.map(({ name, sha256 }) => [name, sha256]),
    names.map((name) => [name, sha256Hex(name)]),
  );
});

Deno.test("hashFiles() starts no worker for little work, and as many as are worth it for much", async () => {
  using tree = makeFiles(60);
  const files = listFiles(tree);
  const start = (jobs: number, changes: Partial<HashOptions>): Promise<number> =>
    countWorkers(() => hashFiles(files, { role: "input", ...spread(jobs, changes) }));
  const little = { filesPerThread: 61, bytesPerThread: 1e9 };
  assertEquals(await start(7, little), 0);
  assertEquals(await start(1, {}), 0);
  assertEquals(await start(7, { ...little, filesPerThread: 20 }), 3);
  assertEquals(await start(3, { ...little, filesPerThread: 20 }), 2);
  // Large files count by their bytes: each of them takes longer than many small ones.
  assertEquals(await start(7, { ...little, bytesPerThread: 2_000_000 }), 2);
  const effort = { jobs: 7, progress: null };
  assertEquals(await countWorkers(() => hashFiles(files, { role: "input", effort })), 0);
});

Deno.test("hashFiles() reads a single large file beside small ones", async () => {
  using tree = makeTree({ "f/a": "small", "f/b": new Uint8Array(200_000), "f/c": "small" });
  const records = await hashFiles(listFiles(tree), { role: "input", ...spread(2) });
  const expected = [sha256Hex("small"), sha256Hex(new Uint8Array(200_000)), sha256Hex("small")];
  assertEquals(records.map(({ sha256 }) => sha256), expected);
});

Deno.test("hashFiles() gives two large files to two threads", async () => {
  using tree = makeTree({ "f/a": new Uint8Array(200_000), "f/b": new Uint8Array(200_000) });
  const files = listFiles(tree);
  const records = (await hashFiles(files, {
    role: "input",
    ...spread(2, { effort: { jobs: 2, progress: leaveToWorkers(0) } }),
  })).map(({ sha256 }) => sha256);
  assertEquals(records, [sha256Hex(new Uint8Array(200_000)), sha256Hex(new Uint8Array(200_000))]);
  assertEquals(await countWorkers(() => hashFiles(files, { role: "input", ...spread(2) })), 1);
});

Deno.test("of several faulty files the first in order is told, whatever the number of threads", async () => {
  using tree = makeFiles(60);
  const files = listFiles(tree);
  const gone = ["f/031", "f/017", "f/055", "f/023"];
  for (const name of gone) Deno.removeSync(tree.at(name));
  // Of a file that is large, it is known only late that it is faulty.
  const names = files.names.map((name) => name === "f/023" ? "f" : name);
  for (const jobs of [1, 2, 7]) {
    const error = await assertRejects(
      () => hashFiles({ ...files, names }, { role: "product", ...spread(jobs) }),
      KprovError,
    );
    assertEquals([error.code, error.message], [
      "data",
      'Cannot read product "f/017": it does not exist',
    ]);
  }
});

Deno.test("of several faulty files the first in order is told, also where it is found last", async () => {
  using tree = makeFiles(10);
  const files = listFiles(tree);
  for (const name of ["f/001", "f/002"]) Deno.removeSync(tree.at(name));
  // The worker takes the second file, and looks at it when the main thread has failed at the third.
  const script = `const look = Deno.lstatSync;
const isThere = (path) => { try { return look(path).isFile; } catch { return false; } };
Deno.lstatSync = (path) => {
  Deno.writeTextFileSync(${JSON.stringify(tree.at("taken"))}, "");
  while (!isThere(${JSON.stringify(tree.at("failed"))}));
  return look(path);
};
${DIGEST_CODE.script}`;
  let ticks = 0;
  const progress: Progress = {
    tick: () => {
      if (ticks++ === 0) waitUntil(() => exists(tree.at("taken")));
      else Deno.writeTextFileSync(tree.at("failed"), "");
    },
    end: () => {},
  };
  const options = spread(2, {
    code: { ...DIGEST_CODE, script },
    effort: { jobs: 2, progress },
  });
  const error = await assertRejects(
    () => hashFiles(files, { role: "input", ...options }),
    KprovError,
  );
  assertEquals(error.message, 'Cannot read input "f/001": it does not exist');
});

Deno.test("lookAtFiles() tells of every file what it is, with any number of threads", async () => {
  using tree = makeFiles(30);
  const files = listFiles(tree);
  Deno.removeSync(tree.at("f/007"));
  Deno.removeSync(tree.at("f/011"));
  Deno.mkdirSync(tree.at("f/011"));
  for (const jobs of [1, 2, 7]) {
    const seen = await lookAtFiles(files, spread(jobs));
    assertEquals([...seen.faults.keys()].sort((a, b) => a - b), [7, 11]);
    const [gone, directory] = [seen.faults.get(7), seen.faults.get(11)];
    assert(gone?.what === "refused" && gone.code === "ENOENT");
    assertEquals(directory, { state: "fault", what: "kind", kind: "a directory" });
  }
});
