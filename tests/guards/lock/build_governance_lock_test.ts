import fc from "fast-check";
import { sha256Hex } from "../../../src/base/canonical_json.ts";
import {
  buildGovernanceLock,
  compareLockedFiles,
  describeLockFault,
  parseGovernanceLock,
  parseProjectVersion,
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

Deno.test("compareLockedFiles() tells what was added, removed and changed, by path", PURE, () => {
  const locked = [{ path: "z", sha256: A }, { path: "c", sha256: A }, { path: "b", sha256: A }];
  const current = [{ path: "c", sha256: B }, { path: "b", sha256: A }, { path: "a", sha256: A }];
  assertEquals(compareLockedFiles(locked, current), [
    { path: "a", change: "added" },
    { path: "c", change: "changed" },
    { path: "z", change: "removed" },
  ]);
});

const VERSIONS: readonly (readonly [text: string, major: number | null, isPrerelease: boolean])[] =
  [
    ["1.2.3", 1, false],
    ["2.0.0-rc.1", 2, true],
    ["2.0.0+rc.1", 2, false],
    ["2.0", 2, false],
    ["2.0rc1", 2, true],
    ["2.0a1", 2, true],
    ["0.4.dev0", 0, true],
    ["2024.1.post1", 2024, false],
    ["2024.1.post1.dev2", 2024, true],
    ["2!1.0", null, false],
    ["one", null, false],
    ["", null, false],
  ];

for (const [text, major, isPrerelease] of VERSIONS) {
  Deno.test(`parseProjectVersion() reads ${JSON.stringify(text)}`, PURE, () => {
    const version = parseProjectVersion(text);
    assertEquals(version.ok ? version.major : null, major);
    assertEquals(version.ok && version.isPrerelease, isPrerelease);
  });
}
