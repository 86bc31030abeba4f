import { sha256Hex } from "../../../src/base/canonical_json.ts";
import type { GovernanceFacts } from "../../../src/guards/lock/governance_lock.ts";
import { compileGoverned, LOCK } from "../../../src/guards/lock/lock.ts";
import { assertEquals, assertStringIncludes } from "../../assert.ts";
import {
  checkWith,
  CLEAN,
  codesOf,
  digestsOf,
  factsOf,
  FILES,
  LOCK_POLICY,
  lockOf,
  policyOf,
  PURE,
  readingOf,
} from "./lock_facts.ts";

const EDITED = { ...FILES, "src/guards/a.ts": "other" };
const LOCK_PATH = LOCK_POLICY.path;

Deno.test("LOCK finds nothing where the lock, the base lock and the files agree", PURE, () => {
  assertEquals(checkWith({}), []);
  assertEquals(LOCK.isConfigured(policyOf()), true);
  assertEquals(LOCK.isConfigured({ schema: "kprovengine.policy.v1" }), false);
  assertEquals(LOCK.wantsContent("src/guards/a.ts", policyOf()), false);
  assertEquals(LOCK.wantsYaml("src/guards/a.yml", policyOf()), false);
});

const { "src/guards/b.ts": _, ...WITHOUT_B } = FILES;

/** What changes in the clean repository, and exactly what that brings. */
const CASES: readonly (readonly [string, Partial<GovernanceFacts>, readonly string[]])[] = [
  ["no base lock", { baseLock: null }, [`lock.not_proven ${LOCK_PATH}`]],
  ["no lock", { lock: { state: "missing" } }, [`lock.missing ${LOCK_PATH}`]],
  ["a lock that is no JSON", { lock: { state: "invalid", reason: "it is not JSON" } }, [
    `lock.missing ${LOCK_PATH}`,
  ]],
  ["a lock whose digest is not that of its files", {
    lock: readingOf({ ...lockOf(FILES, 1), sha256: sha256Hex("") }),
  }, [`lock.missing ${LOCK_PATH}`]],
  ["a lock that is not sorted", {
    lock: readingOf({ ...lockOf(FILES, 1), files: digestsOf(FILES).reverse() }),
  }, [`lock.missing ${LOCK_PATH}`]],
  ["a base lock that is not there", { baseLock: { state: "missing" } }, ["lock.missing"]],
  ["a base lock that is no lock", { baseLock: { state: "invalid", reason: "x" } }, [
    "lock.missing",
  ]],
  ["a version that cannot be read", { version: { fault: "it has no such value" } }, [
    "lock.missing deno.json",
  ]],
  ["a version that cannot be read, and an edited file", {
    version: { fault: "it has no such value" },
    files: digestsOf(EDITED),
    lock: readingOf(lockOf(EDITED, 1)),
  }, ["lock.missing deno.json", `lock.not_elevated ${LOCK_PATH}`]],
  ["a version that is none", { version: "one" }, ["lock.missing deno.json"]],
  ["a governed file that cannot be read", {
    files: digestsOf(WITHOUT_B),
    unreadable: [{ path: "src/guards/b.ts", reason: "it is a FIFO" }],
    baseLock: readingOf(lockOf(WITHOUT_B, 1)),
  }, ["lock.changed src/guards/b.ts"]],
  ["an edited file", { files: digestsOf(EDITED), baseLock: null }, [
    `lock.not_proven ${LOCK_PATH}`,
    "lock.changed src/guards/a.ts",
  ]],
  ["an added file", {
    files: digestsOf({ ...FILES, "src/guards/c.ts": "c" }),
    baseLock: readingOf(lockOf({ ...FILES, "src/guards/c.ts": "c" }, 1)),
  }, ["lock.changed src/guards/c.ts"]],
  ["a removed file", {
    files: digestsOf(WITHOUT_B),
    baseLock: readingOf(lockOf(WITHOUT_B, 1)),
  }, ["lock.changed src/guards/b.ts"]],
  ["a lock edited together with the file", {
    files: digestsOf(EDITED),
    lock: readingOf(lockOf(EDITED, 1)),
  }, [`lock.not_elevated ${LOCK_PATH}`]],
  ["a lock that claims a major version which the project has not", {
    lock: readingOf(lockOf(FILES, 2)),
  }, [`lock.not_elevated ${LOCK_PATH}`]],
  ["files and lock edited, under a major version that only the lock has", {
    files: digestsOf(EDITED),
    lock: readingOf(lockOf(EDITED, 2)),
  }, [`lock.not_elevated ${LOCK_PATH}`, `lock.not_elevated ${LOCK_PATH}`]],
  ["a base of a higher major version than the project", {
    baseLock: readingOf(lockOf(FILES, 2)),
  }, [`lock.not_elevated ${LOCK_PATH}`]],
  ["a higher major version and an old lock", { version: "2.0.0" }, [`lock.changed ${LOCK_PATH}`]],
  ["a higher major version, an edited file and an old lock", {
    version: "2.0.0",
    files: digestsOf(EDITED),
  }, [`lock.changed ${LOCK_PATH}`, "lock.changed src/guards/a.ts"]],
  ["a higher major version and a renewed lock", {
    version: "2.0.0",
    files: digestsOf(EDITED),
    lock: readingOf(lockOf(EDITED, 2)),
  }, []],
  ["a renewed lock of the major version of a pre-release", {
    version: "1.0.0-rc.2",
    files: digestsOf(EDITED),
    lock: readingOf(lockOf(EDITED, 1)),
  }, []],
  ["an old lock of a pre-release", {
    version: "1.0.0-rc.2",
    files: digestsOf(EDITED),
  }, ["lock.changed src/guards/a.ts"]],
  ["a pre-release of a lower major version than the base", {
    version: "1.0.0-rc.2",
    baseLock: readingOf(lockOf(FILES, 2)),
  }, [`lock.not_elevated ${LOCK_PATH}`]],
];

function describe(found: readonly string[]): string {
  return found.map((line) => line.split(" ")[0]).join(" and ") || "nothing";
}

for (const [what, change, expected] of CASES) {
  Deno.test(
    `LOCK finds ${describe(expected)} for ${what}`,
    PURE,
    () => {
      assertEquals(codesOf(checkWith(change)), [...expected]);
    },
  );
}

Deno.test("LOCK says what to do, by whether the lock may be renewed", PURE, () => {
  const [refused] = checkWith({ files: digestsOf(EDITED), baseLock: readingOf(lockOf(EDITED, 1)) });
  assertEquals(refused, {
    code: "lock.changed",
    level: "error",
    path: "src/guards/a.ts",
    line: null,
    column: null,
    message: "it differs from the lock: " +
      'the version is "1.2.0", and only a higher major version than 1 may change it',
    hint: "undo the change, or raise the major version and renew the lock",
  });
  const [free] = checkWith({ version: "1.0.0-rc.1", files: digestsOf(EDITED) });
  assertEquals(free?.hint, "kprov init --renew-lock renews the lock");
  assertEquals(checkWith({ baseLock: null })[0]?.level, "note");
});

Deno.test("LOCK names what differs from the base lock", PURE, () => {
  const files = { ...EDITED, "src/guards/c.ts": "c" };
  const [finding] = checkWith({ files: digestsOf(files), lock: readingOf(lockOf(files, 1)) });
  assertStringIncludes(finding?.message ?? "", '"src/guards/a.ts" changed and 1 more');
  const [one] = checkWith({ files: digestsOf(EDITED), lock: readingOf(lockOf(EDITED, 1)) });
  assertEquals(
    one?.message,
    'the version is "1.2.0" and the base lock is of major version 1, which has other files: ' +
      '"src/guards/a.ts" changed',
  );
});

Deno.test("LOCK reports a glob that governs nothing, and the lock itself is nothing", PURE, () => {
  for (const glob of ["src/gaurds/**", LOCK_PATH]) {
    const policy = policyOf({ ...LOCK_POLICY, governs: [...LOCK_POLICY.governs, glob] });
    const findings = LOCK.check(factsOf(CLEAN, [...Object.keys(FILES), LOCK_PATH]), policy);
    assertEquals(codesOf(findings), ["lock.missing"]);
    assertStringIncludes(findings[0]?.message ?? "", glob);
  }
});

Deno.test("LOCK fails closed without git's list and without the governed files", PURE, () => {
  assertEquals(codesOf(LOCK.check(factsOf(null), policyOf())), ["lock.missing"]);
  const tracked = { code: "artifacts.index_missing", message: "no index" } as const;
  assertEquals(codesOf(LOCK.check({ ...factsOf(CLEAN), tracked }, policyOf())), [
    "artifacts.index_missing",
  ]);
});

Deno.test("compileGoverned() governs what the globs name, and never the lock itself", PURE, () => {
  const isGoverned = compileGoverned({ ...LOCK_POLICY, governs: ["docs/**", "src/guards/**"] });
  const paths = ["docs/governance/policy.json", "src/guards/a.ts", "src/a.ts", LOCK_PATH];
  assertEquals(paths.map(isGoverned), [true, true, false, false]);
});

Deno.test("LOCK tells a lock that is not there from one that is broken", PURE, () => {
  const [missing] = checkWith({ lock: { state: "missing" } });
  const [broken] = checkWith({ lock: { state: "invalid", reason: "it is not JSON" } });
  assertStringIncludes(missing?.message ?? "", "it does not exist");
  assertStringIncludes(missing?.hint ?? "", "--renew-lock");
  assertStringIncludes(broken?.message ?? "", "it is not JSON");
  assertStringIncludes(broken?.hint ?? "", "restore it");
});
