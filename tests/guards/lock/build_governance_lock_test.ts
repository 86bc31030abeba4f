import fc from "fast-check";
import { sha256Hex } from "../../../src/base/canonical_json.ts";
import {
  buildGovernanceLock,
  describeLockFault,
  parseGovernanceLock,
} from "../../../src/guards/lock/governance_lock.ts";
import { assert, assertEquals } from "../../assert.ts";
import { PURE } from "./lock_facts.ts";

const A = sha256Hex("a");
const B = sha256Hex("b");

Deno.test(
  "buildGovernanceLock() digests the lines that sha256sum prints, in the order of bytes",
  PURE,
  () => {
    const files = [{ path: "\u{1F600}", sha256: A }, { path: "\uFF5E", sha256: B }];
    const lock = buildGovernanceLock(files, 3);
    assertEquals(lock, {
      schema: "kprovengine.governance_lock.v1",
      major: 3,
      files: [{ path: "\uFF5E", sha256: B }, { path: "\u{1F600}", sha256: A }],
      sha256: sha256Hex(`${B}  \uFF5E\n${A}  \u{1F600}\n`),
    });
  },
);

Deno.test(
  "buildGovernanceLock() makes one lock of the same files in every order, and no other",
  PURE,
  () => {
    const file = fc.record({
      path: fc.string({ minLength: 1 }),
      sha256: fc.constantFrom(A, B),
    });
    const files = fc.uniqueArray(file, {
      selector: ({ path }) => path,
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(fc.property(files, fc.nat(), (given, seed) => {
      const lock = buildGovernanceLock(given, 1);
      assertEquals(describeLockFault(lock), null);
      assertEquals(parseGovernanceLock(JSON.parse(JSON.stringify(lock))), lock);
      assertEquals(buildGovernanceLock(given.toReversed(), 1), lock);
      const flipped = given.map((one, index) =>
        index === seed % given.length ? { ...one, sha256: one.sha256 === A ? B : A } : one
      );
      assert(buildGovernanceLock(flipped, 1).sha256 !== lock.sha256);
    }));
  },
);

Deno.test("describeLockFault() names what a lock of other making has wrong", PURE, () => {
  const files = [{ path: "a", sha256: A }, { path: "b", sha256: B }];
  const lock = buildGovernanceLock(files, 1);
  const [first = { path: "", sha256: "" }, second = first] = lock.files;
  const faults = [
    { ...lock, files: [second, first] },
    { ...lock, files: [first, first] },
    { ...lock, files: [first] },
    { ...lock, sha256: A },
  ].map(describeLockFault);
  assertEquals(faults, [
    'its files are not sorted at "a"',
    'it holds "a" twice',
    "its sha256 is not that of its files",
    "its sha256 is not that of its files",
  ]);
});
