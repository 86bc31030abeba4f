import fc from "fast-check";
import { join } from "../../../src/base/std.ts";
import { compareUtf8 } from "../../../src/base/text.ts";
import { checkTrackedPath } from "../../../src/io/git/index_entries.ts";
import { hashHex } from "../../../src/io/git/object_store.ts";
import { gatherTrackedFiles } from "../../../src/io/git/index_file.ts";
import { assert, assertEquals } from "../../assert.ts";
import { decodeHex, encodeNumber } from "./build_index.ts";
import { withRepository } from "./git_repository.ts";
import { VARIANTS } from "./index_variants.ts";

/** A change of some bytes: what to remove at a place, and what to put there. */
interface Edit {
  /** The place; where `isWord`, that of a word, counted from the first. */
  readonly at: number;
  readonly isWord?: boolean;
  readonly remove: number;
  readonly insert: readonly number[];
}

/** Numbers of 32 bits that a reader of lengths, counts and flags gets wrong. */
const NUMBERS = [0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 0x0fff, 0x4000, 0xa000]
  .map((value) => [...encodeNumber(value, 4)]);

const TEXTS = ["..", "/", ".git", "../", "//", "\0", "\xff\xff", "link", "sdir", "TREE", "FSMN"]
  .map((text) => [...text].map((character) => character.charCodeAt(0)));

/** What no path begins with. */
const FORBIDDEN = ["../", "/", ".git/", "./", "a//"]
  .map((text) => [...text].map((character) => character.charCodeAt(0)));

const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.oneof(
    // A number in the place of another, which keeps everything behind it where it was.
    fc.record({ at: fc.nat(), remove: fc.constant(4), insert: fc.constantFrom(...NUMBERS) }),
    fc.record({
      at: fc.nat({ max: 15 }),
      remove: fc.constant(4),
      insert: fc.constantFrom(...NUMBERS),
    }),
    fc.record({ at: fc.nat(), remove: fc.nat({ max: 3 }), insert: fc.constantFrom(...TEXTS) }),
    // In the place of a name's own bytes, which leaves its length right.
    fc.record({ at: fc.nat(), insert: fc.constantFrom(...TEXTS) })
      .map(({ at, insert }) => ({ at, insert, remove: insert.length })),
    // Exactly where a name begins.
    fc.record({ at: fc.nat(), insert: fc.constantFrom(...FORBIDDEN) })
      .map(({ at, insert }) => ({ at, insert, remove: insert.length, isWord: true })),
    fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 80 }),
      insert: fc.array(fc.nat({ max: 255 }), { maxLength: 80 }),
    }),
  ),
  { minLength: 1, maxLength: 3 },
);

function apply(bytes: Uint8Array, list: readonly Edit[]): Uint8Array {
  return list.reduce((all, { at, isWord, remove, insert }) => {
    const words = isWord ? findWords(all) : [];
    const start = words[at % words.length] ?? at % Math.max(all.length, 1);
    return Uint8Array.from([...all.subarray(0, start), ...insert, ...all.subarray(start + remove)]);
  }, bytes);
}

/** Where text begins that looks like a name. */
function findWords(bytes: Uint8Array): number[] {
  const text = new TextDecoder("latin1").decode(bytes);
  return [...text.matchAll(/[\w./-]{3,}/g)].map(({ index }) => index);
}

/** The index with a right checksum, so that it stops nothing. */
function seal(body: Uint8Array, format: "sha1" | "sha256"): Uint8Array {
  return Uint8Array.from([...body, ...decodeHex(hashHex(body, format))]);
}

/** Either why the index cannot be read, or a list with nothing in it that git would not track. */
function assertFaultOrSoundList(path: string): boolean {
  const tracked = gatherTrackedFiles(path);
  if ("code" in tracked) {
    assertEquals(tracked.code, "artifacts.index_invalid");
    assert(/^cannot read git's index: [^\n]+$/.test(tracked.message), tracked.message);
    return false;
  }
  for (const [i, entry] of tracked.entries()) {
    checkTrackedPath(entry.path);
    assert(!entry.path.startsWith("/"));
    if (i > 0) assert(compareUtf8(tracked[i - 1]?.path ?? "", entry.path) < 0, entry.path);
  }
  return true;
}

for (const variant of VARIANTS) {
  const format = variant.init.includes("--object-format=sha256") ? "sha256" : "sha1";

  Deno.test(`gatherTrackedFiles() gives a fault or a sound list of any index: ${variant.name}`, () => {
    withRepository(variant.init, (repo) => {
      variant.build(repo);
      const index = join(repo.path, ".git/index");
      const bytes = Deno.readFileSync(index);
      const body = bytes.subarray(0, bytes.length - (format === "sha1" ? 20 : 32));
      assert(assertFaultOrSoundList(repo.path));
      fc.assert(
        fc.property(edits, (list) => {
          Deno.writeFileSync(index, seal(apply(body, list), format));
          assertFaultOrSoundList(repo.path);
        }),
        { numRuns: 150 },
      );
    });
  });
}
