import { Buffer } from "node:buffer";
import { KprovError } from "../../src/base/error.ts";
import { IDENTITY } from "../../src/guards/identity/identity.ts";
import type { Policy } from "../../src/guards/policy.ts";
import { RUNTIME } from "../../src/guards/runtime/runtime.ts";
import { resolveRoot } from "../../src/io/paths.ts";
import { gatherRepository } from "../../src/io/repository.ts";
import { findHolders, readTracked, scanPlain, scanTracked } from "../../src/io/tracked_content.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const PIECE = 4 * 2 ** 20;

type Scan = typeof scanTracked;

const SCANS: readonly Scan[] = [scanTracked, scanPlain];

/** The pieces in which a file comes; one of them where it comes at once. */
function collect(scan: Scan, tree: TemporaryTree, path: string): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  scan(tree.at(path), path, {
    scan: (bytes) => pieces.push(bytes.slice()),
    scanPieces: (found) => {
      for (const piece of found) pieces.push(piece.slice());
    },
  });
  return pieces;
}

function refusal(read: () => unknown): readonly unknown[] {
  const { code, message, hint } = assertThrows(read, KprovError);
  return [code, message, hint];
}

for (const scan of SCANS) {
  Deno.test(`${scan.name}() gives a file at once, and one of many bytes in pieces`, () => {
    const sizes = [0, 1, 5000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE];
    const content = new Uint8Array(2 * PIECE).map((_, i) => i % 251);
    using tree = makeTree(
      Object.fromEntries(sizes.map((size) => [`${size}`, content.subarray(0, size)])),
    );
    for (const size of sizes) {
      const pieces = collect(scan, tree, `${size}`);
      assertEquals(pieces.length, Math.max(1, Math.ceil(size / PIECE)), `${size}`);
      const joined = new Uint8Array(size);
      let end = 0;
      for (const piece of pieces) {
        joined.set(piece, end);
        end += piece.length;
      }
      assertEquals(end, size);
      // At once: to compare them as values takes longer than everything else.
      assertEquals(Buffer.compare(joined, content.subarray(0, size)), 0, `${size}`);
    }
  });

  Deno.test(`${scan.name}() refuses what is missing, and what is a directory`, () => {
    using tree = makeTree({ "sub/file": "" });
    assertEquals(refusal(() => collect(scan, tree, "gone")), [
      "data",
      'Cannot read tracked file "gone": git tracks it, but it does not exist',
      "restore it, or remove it from git's index",
    ]);
    assertEquals(refusal(() => collect(scan, tree, "sub/file/below")), [
      "data",
      'Cannot read tracked file "sub/file/below": git tracks it, but it does not exist',
      "restore it, or remove it from git's index",
    ]);
    assertEquals(refusal(() => collect(scan, tree, "sub")), [
      "data",
      'Cannot read tracked file "sub": it is neither a file nor a link',
      "restore it, or remove it from git's index",
    ]);
  });
}

Deno.test("a link is read as its target's text and never followed", () => {
  using tree = makeTree({ "target": "secret" });
  for (const [name, target] of [["link", "target"], ["dangling", "nowhere/é"], ["loop", "loop"]]) {
    Deno.symlinkSync(target!, tree.at(name!));
    const bytes = new TextEncoder().encode(target);
    assertEquals(collect(scanTracked, tree, name!), [bytes]);
    assertEquals(readTracked(tree.path, name!), { ok: true, bytes });
  }
});

Deno.test({
  name: "a FIFO is refused without being opened",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using tree = makeTree();
    await new Deno.Command("mkfifo", { args: [tree.at("fifo")] }).output();
    // Opened, it would read as an empty file: nobody writes to it.
    const refused = [
      "data",
      'Cannot read tracked file "fifo": it is neither a file nor a link',
      "restore it, or remove it from git's index",
    ];
    assertEquals(refusal(() => collect(scanTracked, tree, "fifo")), refused);
    assertEquals(refusal(() => readTracked(tree.path, "fifo")), refused);
  },
});

Deno.test("readTracked() gives a file whole, but none that is larger than people write", () => {
  using tree = makeTree({ "a": "text", "large": new Uint8Array(16 * 2 ** 20 + 1) });
  assertEquals(readTracked(tree.path, "a"), { ok: true, bytes: new TextEncoder().encode("text") });
  assertEquals(readTracked(tree.path, "large"), {
    ok: false,
    reason: "it is larger than 16777216 bytes",
  });
});

Deno.test("findHolders() finds the files that hold a text", () => {
  using tree = makeTree({
    "a/no.py": "x",
    "a/yes.py": "x\n# here\n",
    "b/across.py": new Uint8Array(PIECE + 9).map((_, i) =>
      i < PIECE - 3 ? 0 : "# here".charCodeAt(i - PIECE + 3)
    ),
    "b/large.py": new Uint8Array(PIECE),
    "b/many.py": "# her",
  });
  Deno.symlinkSync("# here", tree.at("c"));
  const paths = ["a/no.py", "a/yes.py", "b/across.py", "b/large.py", "b/many.py", "c"];
  assertEquals([...findHolders(tree.path, paths, "# here")], ["a/yes.py", "b/across.py", "c"]);
  for (const [name, start] of [["le", "\xff\xfe"], ["be", "\xfe\xff\0"]] as const) {
    const spelled = `${start}${"# here".split("").join("\0")}\0`;
    const bytes = (before: number): Uint8Array<ArrayBuffer> =>
      Uint8Array.from(`${"x".repeat(before)}${spelled}`, (c) => c.charCodeAt(0));
    Deno.writeFileSync(tree.at(`b/${name}.py`), bytes(0));
    Deno.writeFileSync(tree.at(`b/${name}_across.py`), bytes(PIECE - 7));
    const encoded = [`b/${name}.py`, `b/${name}_across.py`];
    assertEquals([...findHolders(tree.path, encoded, "# here")], encoded);
  }
  // Nobody knows what a file holds that is gone.
  assertEquals([...findHolders(tree.path, ["a/no.py", "gone.py"], "# here")], ["gone.py"]);
});

Deno.test("gatherRepository() tells of files that are gone, and searches the others", async () => {
  using tree = makeTree({ "a.txt": "acme-legacy", ".nvmrc": "22" });
  Deno.removeSync(tree.at(".nvmrc"));
  const policy: Policy = {
    schema: "kprovengine.policy.v1",
    runtime: { node: ">=20" },
    identity: { forbidden_tokens: ["acme-legacy"] },
  };
  const { hits, missing, contents } = await gatherRepository({
    root: resolveRoot(tree.path),
    policy,
    guards: [IDENTITY, RUNTIME],
    tracked: [".nvmrc", "a.txt", "b/gone.txt"].map((path) => ({ path, kind: "file" })),
    baseLock: null,
  });
  assertEquals(hits.map(({ path }) => path), ["a.txt"]);
  assertEquals(missing, [".nvmrc", "b/gone.txt"]);
  assertEquals(contents.get(".nvmrc"), {
    ok: false,
    reason: "git tracks it, but it does not exist",
  });
});

Deno.test("gatherRepository() gives files without their marker as empty ones", async () => {
  const block = '# /// script\n# requires-python = ">=3.8"\n# ///\n';
  using tree = makeTree({ "a.py": "x = 1\n", "b.py": block, "setup.py": "y = 1\n" });
  const policy: Policy = {
    schema: "kprovengine.policy.v1",
    runtime: { python: ">=3.11" },
    identity: { forbidden_tokens: ["x = 1"] },
  };
  // Where every file is searched anyway, the marker is looked for in the same pass.
  for (const guards of [[RUNTIME], [RUNTIME, IDENTITY]]) {
    const { contents, hits } = await gatherRepository({
      root: resolveRoot(tree.path),
      policy,
      guards,
      tracked: ["a.py", "b.py", "gone.py", "setup.py"].map((path) => ({ path, kind: "file" })),
      baseLock: null,
    });
    const sizes = [...contents].map(([path, content]) =>
      `${path} ${content.ok ? content.bytes.length : content.reason}`
    );
    const gone = "gone.py git tracks it, but it does not exist";
    assertEquals(sizes, ["a.py 0", `b.py ${block.length}`, gone, "setup.py 6"]);
    assertEquals(
      hits.map(({ code }) => code),
      guards.slice(1).map(() => "identity.forbidden_token"),
    );
  }
});
