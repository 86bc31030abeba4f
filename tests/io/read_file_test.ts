import { KprovError } from "../../src/base/error.ts";
import { copyFile } from "../../src/io/atomic_file.ts";
import {
  lookAtFile,
  readFile,
  readHead,
  readPieces,
  readRequiredFile,
} from "../../src/io/read_file.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { meddle } from "../faults/meddle.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const ACTION = "Cannot read it";

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Every way to read the file `a`, with what comes of it as a text. */
const WAYS: readonly (readonly [string, (tree: TemporaryTree) => Promise<string>])[] = [
  ["readFile()", (tree) => {
    const file = readFile(tree.at("a"), { action: ACTION, maxBytes: 100 });
    return Promise.resolve(file.state === "read" ? decode(file.bytes) : file.reason);
  }],
  ["readFile() through links", (tree) => {
    const file = readFile(tree.at("a"), { action: ACTION, maxBytes: 100, follows: true });
    return Promise.resolve(file.state === "read" ? decode(file.bytes) : file.reason);
  }],
  ["readHead()", (tree) => Promise.resolve(decode(readHead(tree.at("a"), 100)))],
  ["readPieces()", (tree) => {
    const before = lookAtFile(tree.at("a"));
    if (typeof before === "string") return Promise.resolve(before);
    return Promise.resolve([...readPieces(tree.at("a"), before, 100)].map(decode).join(""));
  }],
  ["copyFile()", async (tree) => {
    await copyFile(tree.at("a"), tree.at("copy"), ACTION);
    return Deno.readTextFileSync(tree.at("copy"));
  }],
];

const SWAPS: readonly (readonly [string, (path: string) => void])[] = [
  ["a FIFO", (path) => {
    Deno.removeSync(path);
    assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
  }],
  ["a directory", (path) => {
    Deno.removeSync(path);
    Deno.mkdirSync(path);
  }],
  ["another file of that size", (path) => {
    Deno.writeTextFileSync(`${path}.new`, "other");
    Deno.renameSync(`${path}.new`, path);
  }],
  ["a larger file", (path) => Deno.writeTextFileSync(path, "larger")],
];

for (const [name, read] of WAYS) {
  Deno.test(`${name} reads a file`, async () => {
    using tree = makeTree({ "a": "first" });
    assertEquals(await read(tree), "first");
  });

  for (const [what, swap] of SWAPS) {
    Deno.test({
      name: `${name} does not read ${what} that takes the file's place behind the look`,
      ignore: IS_WINDOWS,
      fn: async () => {
        using tree = makeTree({ "a": "first" });
        let looks = 0;
        const after = (path: string): void => {
          if (path === tree.at("a") && looks++ === 0) swap(path);
        };
        const ended = await meddle({ after }, async () => {
          try {
            return await read(tree);
          } catch (error) {
            assert(error instanceof KprovError && error.code === "data");
            return error.message;
          }
        });
        assert(ended.endsWith("it changed while it was read"), ended);
      },
    });
  }
}

Deno.test({
  name: "readFile() tells what is no regular file, is too large, is missing, or is a link",
  ignore: IS_WINDOWS,
  fn: () => {
    using tree = makeTree({ "a": "first", "d/b": "" });
    Deno.symlinkSync("a", tree.at("link"));
    const reasonOf = (name: string, maxBytes = 5): string => {
      const file = readFile(tree.at(name), { action: ACTION, maxBytes });
      return file.state === "read" ? "read" : `${file.state}: ${file.reason}`;
    };
    assertEquals(["a", "d", "link", "gone", "a/b"].map((name) => reasonOf(name)), [
      "read",
      "unreadable: it is a directory",
      "unreadable: it is a symbolic link",
      "missing: it does not exist",
      "missing: a part of its path is not a directory",
    ]);
    assertEquals(reasonOf("a", 4), "unreadable: it is larger than 4 bytes");
    const followed = readFile(tree.at("link"), { action: ACTION, maxBytes: 5, follows: true });
    assert(followed.state === "read" && decode(followed.bytes) === "first");
  },
});

Deno.test("readRequiredFile() says what cannot be done, and why", () => {
  using tree = makeTree({ "a": "first", "d/b": "" });
  const refusal = (name: string, maxBytes = 5): readonly [string, string] => {
    const read = (): unknown => readRequiredFile(tree.at(name), { action: ACTION, maxBytes });
    const { code, message } = assertThrows(read, KprovError);
    return [code, message];
  };
  assertEquals(refusal("d"), ["data", "Cannot read it: it is a directory"]);
  assertEquals(refusal("a", 4), ["data", "Cannot read it: it is larger than 4 bytes"]);
  assertEquals(refusal("gone"), ["data", "Cannot read it: it does not exist"]);
});

Deno.test({
  name: "copyFile() keeps the mode, and replaces nothing",
  ignore: IS_WINDOWS,
  fn: async () => {
    const content = new Uint8Array(300_000).map((_, i) => i % 251);
    using tree = makeTree({ "a": content });
    Deno.chmodSync(tree.at("a"), 0o751);
    await copyFile(tree.at("a"), tree.at("copy"), ACTION);
    assertEquals(Deno.readFileSync(tree.at("copy")), content);
    assertEquals((Deno.statSync(tree.at("copy")).mode ?? 0) & 0o7777, 0o751);
    const copy = (): Promise<void> => copyFile(tree.at("a"), tree.at("copy"), ACTION);
    await assertRejects(copy, Deno.errors.AlreadyExists);
  },
});
