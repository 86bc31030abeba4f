import { sha256Hex } from "../../src/base/canonical_json.ts";
import { digestFile, type DigestOutcome, PIECE } from "../../src/io/hash/digest.js";
import { CLOCK_TICK_MS, pause } from "../../src/io/regular_file.js";
import { assert, assertEquals } from "../assert.ts";
import { decode } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";

const CHANGED: DigestOutcome = { state: "fault", what: "changed" };

/** Digests a file of some size, and answers the look after the reading as the test says. */
function digestSeenAs(
  size: number,
  change: (seen: Deno.FileInfo) => Partial<Deno.FileInfo>,
): DigestOutcome {
  using tree = makeTree({ "a.bin": new Uint8Array(size) });
  const path = tree.at("a.bin");
  const original = Deno.lstatSync;
  // A file that was just written is looked at twice before it is opened.
  pause(2 * CLOCK_TICK_MS);
  let looks = 0;
  Deno.lstatSync = (looked) => {
    const seen = original(looked);
    return looks++ === 0 ? seen : { ...seen, ...change(seen) };
  };
  try {
    return digestFile(path);
  } finally {
    Deno.lstatSync = original;
  }
}

const OTHERWISE: readonly (readonly [string, (seen: Deno.FileInfo) => Partial<Deno.FileInfo>])[] = [
  ["of another kind", () => ({ isFile: false })],
  ["on another device", ({ dev }) => ({ dev: dev + 1 })],
  ["another file", ({ ino }) => ({ ino: (ino ?? 0) + 1 })],
  ["of another size", ({ size }) => ({ size: size + 1 })],
  ["modified at another time", () => ({ mtime: new Date(0) })],
  ["changed at another time", () => ({ ctime: new Date(0) })],
];

for (const [what, change] of OTHERWISE) {
  Deno.test(`digestFile() refuses a file that is ${what}, once it is read`, () => {
    for (const size of [0, 10, PIECE]) assertEquals(digestSeenAs(size, change), CHANGED);
  });
}

Deno.test("digestFile() waits until a change after its look would show in the file's times", () => {
  using tree = makeTree({ "a.bin": "first" });
  const { mtime } = Deno.statSync(tree.at("a.bin"));
  assert(mtime !== null);
  const original = Deno.lstatSync;
  let looks = 0;
  Deno.lstatSync = (path) => {
    const seen = original(path);
    // The times are those of a clock that ticks slowly: another content, and back, within one tick.
    Deno.writeTextFileSync(path, looks++ === 0 ? "other" : "first");
    Deno.utimeSync(path, mtime, mtime);
    return seen;
  };
  try {
    const outcome = digestFile(tree.at("a.bin"));
    // Where a second ended meanwhile, the change shows.
    const isTrue = outcome.state === "file" && outcome.sha256 === sha256Hex("first");
    assert(isTrue || outcome.state === "fault", JSON.stringify(outcome));
  } finally {
    Deno.lstatSync = original;
  }
});

/** What no test may read that has not every permission. */
const PROGRAM = `
import { digestFile, PIECE } from ${
  JSON.stringify(new URL("../../src/io/hash/digest.js", import.meta.url).href)
};
const look = Deno.lstatSync;
const digestAs = (path, size) => {
  Deno.lstatSync = () => ({ ...look("/etc/hostname"), size });
  try { return digestFile(path); } finally { Deno.lstatSync = look; }
};
const countFiles = () => [...Deno.readDirSync("/proc/self/fd")].length;
const before = countFiles();
const outcomes = [
  digestAs("/dev/zero", 10),
  digestAs("/dev/zero", PIECE),
  digestAs("/dev/zero", 3 * PIECE),
  digestAs("/proc/self/mem", 10),
  digestFile("/etc/hostname").state,
];
console.log(JSON.stringify({ outcomes, left: countFiles() - before }));
`;

Deno.test({
  name:
    "digestFile() reads no file without end, tells what the system refuses, and closes what it opens",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using tree = makeTree({ "program.js": PROGRAM });
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", tree.at("program.js")],
    }).output();
    assertEquals(decode(stderr), "");
    const { outcomes, left } = JSON.parse(decode(stdout));
    const { message: _, ...refused } = outcomes[3];
    assertEquals(outcomes.toSpliced(3, 1), [CHANGED, CHANGED, CHANGED, "file"]);
    assertEquals(refused, { state: "fault", what: "refused", name: "Error", code: "EIO" });
    assertEquals(left, 0);
  },
});
