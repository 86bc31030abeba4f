import type { GovernanceFacts } from "../../../src/guards/lock/governance_lock.ts";
import { checkRenewal, LOCK, type Renewal } from "../../../src/guards/lock/lock.ts";
import { assert, assertEquals } from "../../assert.ts";
import {
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

function renew(change: Partial<GovernanceFacts>): Renewal {
  return checkRenewal({ ...CLEAN, ...change }, LOCK_POLICY);
}

function outcomeOf(renewal: Renewal): string | readonly string[] {
  return renewal.ok ? renewal.change : codesOf(renewal.findings);
}

const CASES: readonly (readonly [string, Partial<GovernanceFacts>, string | readonly string[]])[] =
  [
    ["nothing changed", {}, "unchanged"],
    ["there is no lock yet", { lock: { state: "missing" }, baseLock: null }, "created"],
    ["a file changed in the same major version", { files: digestsOf(EDITED), baseLock: null }, [
      "lock.changed src/guards/a.ts",
    ]],
    ["a file changed, and so did the base", { files: digestsOf(EDITED) }, [
      `lock.not_elevated ${LOCK_PATH}`,
      "lock.changed src/guards/a.ts",
    ]],
    ["the lock was thrown away to hide a change from the base", {
      files: digestsOf(EDITED),
      lock: { state: "missing" },
    }, [`lock.not_elevated ${LOCK_PATH}`]],
    ["the major version is higher", { files: digestsOf(EDITED), version: "2.0.0" }, "renewed"],
    ["the major version is higher and nothing changed", { version: "2.0.0" }, "renewed"],
    [
      "the version is a pre-release",
      { files: digestsOf(EDITED), version: "1.0.0-rc.1" },
      "renewed",
    ],
    [
      "the lock is of a later major version",
      { lock: readingOf(lockOf(FILES, 2)), baseLock: null },
      [
        `lock.not_elevated ${LOCK_PATH}`,
      ],
    ],
    ["the lock cannot be read", { lock: { state: "invalid", reason: "x" } }, [
      `lock.missing ${LOCK_PATH}`,
    ]],
    ["the lock of a pre-release cannot be read", {
      lock: { state: "invalid", reason: "x" },
      version: "1.0.0-rc.1",
    }, "renewed"],
    ["the base lock cannot be read", { baseLock: { state: "missing" } }, [
      `lock.missing ${LOCK_PATH}`,
    ]],
    ["the version is unknown", { version: { fault: "x" } }, ["lock.missing deno.json"]],
    ["a governed file cannot be read", {
      version: "2.0.0",
      unreadable: [{ path: "src/guards/z.ts", reason: "x" }],
    }, ["lock.changed src/guards/z.ts"]],
  ];

for (const [what, change, expected] of CASES) {
  Deno.test(
    `checkRenewal() ${
      typeof expected === "string" ? `gives "${expected}"` : "refuses"
    } where ${what}`,
    PURE,
    () => {
      assertEquals(outcomeOf(renew(change)), expected);
    },
  );
}

Deno.test(
  "a change is refused, the major version raised, the lock renewed, and it passes",
  PURE,
  () => {
    const check = (governance: GovernanceFacts): string[] =>
      codesOf(LOCK.check(factsOf(governance), policyOf()));
    assertEquals(check(CLEAN), []);

    const edited: GovernanceFacts = { ...CLEAN, files: digestsOf(EDITED) };
    assertEquals(check(edited), [
      `lock.not_elevated ${LOCK_PATH}`,
      "lock.changed src/guards/a.ts",
    ]);
    assertEquals(checkRenewal(edited, LOCK_POLICY).ok, false);

    const raised: GovernanceFacts = { ...edited, version: "2.0.0" };
    assertEquals(check(raised), [`lock.changed ${LOCK_PATH}`, "lock.changed src/guards/a.ts"]);

    const renewal = checkRenewal(raised, LOCK_POLICY);
    assert(renewal.ok);
    assertEquals(renewal.lock, lockOf(EDITED, 2));
    assertEquals(check({ ...raised, lock: readingOf(renewal.lock) }), []);
  },
);
