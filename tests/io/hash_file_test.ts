import { createHash } from "node:crypto";
import { sha256Hex } from "../../mod.ts";
import { KprovError } from "../../src/base/error.ts";
import { hashFile } from "../../src/io/hash/hash_files.ts";
import { CLOCK_TICK_MS, pause } from "../../src/io/regular_file.js";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { runKprov } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";

Deno.test("hashFile() digests files of every size around its buffer's", () => {
  for (const size of [0, 1, 65536, 65537, 131071, 131072, 131073, 400_000]) {
    const bytes = new Uint8Array(size).map((_, i) => i % 251);
    using tree = makeTree({ "a.bin": bytes });
    assertEquals(hashFile(tree.at("a.bin"), "a.bin"), {
      name: "a.bin",
      kind: "file",
      size,
      sha256: sha256Hex(bytes),
    });
  }
});

Deno.test("hashFile() records a link by its target's text and does not follow it", () => {
  using tree = makeTree({ "a.txt": "content" });
  Deno.symlinkSync("nowhere/é", tree.at("dangling"));
  assertEquals(hashFile(tree.at("dangling"), "dangling"), {
    name: "dangling",
    kind: "symlink",
    size: 10,
    sha256: sha256Hex("nowhere/é"),
  });
});

Deno.test({
  name: "hashFile() refuses a link whose target is not UTF-8 instead of changing it",
  ignore: Deno.build.os !== "linux",
  fn: () => {
    using tree = makeTree();
    const script = `ln -s "$(printf 'a\\377')" link`;
    assert(new Deno.Command("sh", { args: ["-c", script], cwd: tree.path }).outputSync().success);
    const error = assertThrows(() => hashFile(tree.at("link"), "link"), KprovError);
    assertEquals([error.code, error.message], [
      "data",
      'Cannot record link "link": its target is not valid UTF-8',
    ]);
  },
});

/**
 * Digests a file and runs `change` in the middle: when the digest takes its first bytes, the file
 * is open and looked at once, and the last look is still to come.
 */
function hashWhile(path: string, change: () => void): void {
  const prototype = Object.getPrototypeOf(createHash("sha256"));
  const original = prototype.update;
  prototype.update = function (this: unknown, ...args: unknown[]): unknown {
    prototype.update = original;
    change();
    return original.apply(this, args);
  };
  try {
    hashFile(path, "a.bin");
  } finally {
    prototype.update = original;
  }
}

const CHANGES: readonly (readonly [string, (path: string) => void])[] = [
  ["appended to", (path) => Deno.writeTextFileSync(path, "more", { append: true })],
  ["truncated", (path) => Deno.truncateSync(path, 10)],
  ["rewritten in place with the same size", (path) => {
    Deno.writeFileSync(path, new Uint8Array(300_000).fill(7));
    Deno.utimeSync(path, new Date(), new Date(Date.now() + 5));
  }],
  ["replaced by rename", (path) => {
    Deno.writeFileSync(`${path}.new`, new Uint8Array(300_000));
    Deno.renameSync(`${path}.new`, path);
  }],
  ["deleted", (path) => Deno.removeSync(path)],
  ["replaced by a link", (path) => {
    Deno.renameSync(path, `${path}.old`);
    Deno.symlinkSync(`${path}.old`, path);
  }],
];

for (const [what, change] of CHANGES) {
  Deno.test(`hashFile() refuses a file that is ${what} while it is read`, () => {
    using tree = makeTree({ "a.bin": new Uint8Array(300_000) });
    const path = tree.at("a.bin");
    const error = assertThrows(() => hashWhile(path, () => change(path)), KprovError);
    assertEquals(error.code, "data");
  });
}

/** Digests a small file and runs `change` between the first look at it and its opening. */
function hashAfterLook(path: string, change: () => void): void {
  const original = Deno.lstatSync;
  Deno.lstatSync = (looked) => {
    const stats = original(looked);
    Deno.lstatSync = original;
    change();
    return stats;
  };
  try {
    hashFile(path, "a.bin");
  } finally {
    Deno.lstatSync = original;
  }
}

// But for a link to the very file that was looked at: what is read through that is what stood at the
// path.
const SWAPS: readonly (readonly [string, (path: string) => void])[] = [
  ...CHANGES.filter(([what]) => what !== "replaced by a link"),
  ["replaced by a directory", (path) => {
    Deno.removeSync(path);
    Deno.mkdirSync(path);
  }],
  ["replaced by a FIFO", (path) => {
    Deno.removeSync(path);
    assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
  }],
  ["replaced by a link to a file with the same content", (path) => {
    Deno.copyFileSync(path, `${path}.copy`);
    Deno.removeSync(path);
    Deno.symlinkSync(`${path}.copy`, path);
  }],
  ["moved away with its directory and replaced by its like", (path) => {
    const directory = path.slice(0, path.lastIndexOf("/"));
    Deno.renameSync(directory, `${directory}.old`);
    Deno.mkdirSync(directory);
    Deno.copyFileSync(`${directory}.old/a.bin`, path);
  }],
];

for (const [what, change] of SWAPS) {
  Deno.test({
    name: `hashFile() refuses a small file that is ${what} before it is opened`,
    ignore: Deno.build.os === "windows",
    fn: () => {
      using tree = makeTree({ "data/a.bin": new Uint8Array(3000) });
      const path = tree.at("data/a.bin");
      const error = assertThrows(() => hashAfterLook(path, () => change(path)), KprovError);
      assertEquals(error.code, "data");
    },
  });
}

Deno.test({
  name: "hashFile() refuses what stood at the path only while it was opened",
  ignore: Deno.build.os === "windows",
  fn: () => {
    using tree = makeTree({ "data/a.bin": "evidence", "other/a.bin": "anything" });
    const swap = (): void => {
      Deno.renameSync(tree.at("data"), tree.at("aside"));
      Deno.renameSync(tree.at("other"), tree.at("data"));
      Deno.renameSync(tree.at("aside"), tree.at("other"));
    };
    // A file that was just written is looked at twice before it is opened.
    pause(2 * CLOCK_TICK_MS);
    const original = Deno.lstatSync;
    const looks: string[] = [];
    Deno.lstatSync = (path) => {
      if (looks.length === 1) swap();
      const stats = original(path);
      looks.push(String(path));
      if (looks.length === 1) swap();
      return stats;
    };
    try {
      const error = assertThrows(() => hashFile(tree.at("data/a.bin"), "a.bin"), KprovError);
      assertEquals(error.message, 'Cannot read input "a.bin": it changed while it was read');
    } finally {
      Deno.lstatSync = original;
    }
  },
});

Deno.test("hashFile() reads a small file that nobody touches meanwhile", () => {
  using tree = makeTree({ "a.bin": new Uint8Array(3000) });
  hashAfterLook(tree.at("a.bin"), () => {});
});

Deno.test("hashFile() reads a file that nobody touches meanwhile", () => {
  using tree = makeTree({ "a.bin": new Uint8Array(300_000) });
  hashWhile(tree.at("a.bin"), () => {});
});

Deno.test({
  name: "hashFile() refuses what the system does not let it read",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn: () => {
    using tree = makeTree({ "a.txt": "secret" });
    Deno.chmodSync(tree.at("a.txt"), 0);
    const error = assertThrows(() => hashFile(tree.at("a.txt"), "a.txt"), KprovError);
    assertEquals(error.code, "io");
  },
});

Deno.test({
  name: "kprov says why it refuses files of the kernel, whatever way and permissions lead to them",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using tree = makeTree({ "data/a.txt": "a" });
    Deno.symlinkSync("/proc/cpuinfo", tree.at("data/link"));
    const reason = "it is in, or leads to, a virtual file system such as /proc\n" +
      "hint: use a copy in another directory\n";
    const out = ["--out", tree.at("runs")];
    for (const permissions of [["--allow-all"], ["--allow-read", "--allow-write"]]) {
      for (
        const [args, name] of [
          [["/proc/cpuinfo", "--root", "/"], "/proc/cpuinfo"],
          [["/sys/kernel/mm/ksm/run", "--root", "/"], "/sys/kernel/mm/ksm/run"],
          [["data", "--follow"], "data/link"],
        ] as const
      ) {
        const ended = await runKprov([...args, ...out], { cwd: tree.path, permissions });
        assertEquals(
          [ended.code, ended.stderr],
          [65, `error: Cannot read input "${name}": ${reason}`],
        );
      }
    }
  },
});
