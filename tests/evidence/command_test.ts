import type { Finding } from "../../mod.ts";
import {
  checkObservation,
  isObservationComplete,
  LARGEST_EXIT_CODE,
  nameOutcome,
  notePrivateArguments,
  type ObservationWishes,
  type ObservedFiles,
  parseCommandEnd,
  redactArguments,
  REDACTED_ARGUMENT,
  type UndeclaredFile,
} from "../../src/evidence/command.ts";
import { renderCanonicalJson } from "../../src/base/canonical_json.ts";
import { assertEquals, assertMatch } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const NOTHING = { redacted: [], values: new Map<string, string>() };

function listReasons(...argv: readonly string[]): string[] {
  return notePrivateArguments(["run", ...argv], NOTHING).map(({ message }) => message);
}

const PATHS = [
  "/home/ann/raw.csv",
  "--in=/data/x",
  "cat /etc/hosts",
  "C:\\Users\\ann",
  "host:/srv",
  "~/x",
  "file:///home/ann",
];

const SECRETS = [
  "--password=hunter2",
  "--db-passwd=x",
  "--pass=x",
  "PGPASSWORD=x",
  "env API_KEY=x run",
  "https://ann:pw@example.org/a",
  "postgres://:pw@db/x",
  "Authorization: Bearer abcdefgh.1",
  "https://example.org/?token=abc",
  '{"secret": "x"}',
  `AKIA${"A".repeat(16)}`,
  `ghp_${"a".repeat(36)}`,
  "-----BEGIN OPENSSH PRIVATE KEY-----",
  `eyJ${"a".repeat(9)}.eyJ${"b".repeat(9)}.c`,
];

const PLAIN = [
  "raw.csv",
  "-n",
  "s/a/b/",
  "2>/dev/null",
  "a/b/c",
  "../x",
  "https://example.org/a/b",
  "ssh://git@example.org/x",
  "--max-tokens=5",
  "--tokenizer=bert",
  "--compass=5",
  "--key=a",
  "a == b",
  "12:30",
  "1/2",
];

for (const word of PATHS) {
  Deno.test(`notePrivateArguments() finds the path in ${word}`, PURE, () => {
    assertEquals(listReasons(word), ["argument 1 is recorded and holds an absolute path"]);
  });
}

for (const word of SECRETS) {
  Deno.test(`notePrivateArguments() finds the credential in ${word}`, PURE, () => {
    assertEquals(listReasons(word), [
      "argument 1 is recorded and holds what looks like a credential",
    ]);
  });
}

Deno.test("notePrivateArguments() has nothing to say of what many commands have", PURE, () => {
  assertEquals(PLAIN.filter((word) => listReasons(word).length > 0), []);
});

Deno.test(
  "notePrivateArguments() knows an option's value, variables and what is redacted",
  PURE,
  () => {
    assertEquals(listReasons("--token", "abc", "--token", "--verbose"), [
      "argument 2 is recorded and holds what looks like a credential",
    ]);
    const values = new Map([["LANG", "C"], ["WHO", "ann@example"]]);
    // Shorter values stand in too many words.
    const short = { redacted: [], values: new Map([["A", "anna"], ["B", "bob"]]) };
    assertEquals(notePrivateArguments(["run", "anna", "bob"], short).map((it) => it.message), [
      "argument 1 is recorded and holds the value of A",
    ]);
    const notes = notePrivateArguments(["/bin/x", "--who=ann@example", "-C", "--password=x"], {
      redacted: [3],
      values,
    });
    assertEquals(notes.map(({ level, message, hint }) => [level, message, hint]), [
      [
        "note",
        "the program's name is recorded and holds an absolute path",
        "start it by its name in PATH, or by its path from the root",
      ],
      [
        "note",
        "argument 1 is recorded and holds the value of WHO",
        "--redact-arg 1 records its digest alone",
      ],
    ]);
  },
);

Deno.test(
  "notePrivateArguments() takes no longer for an argument that is as long as can be",
  PURE,
  () => {
    for (const part of ["a", "eyJ-", "token ", "://a:", "-----BEGIN ", "pass_"]) {
      assertEquals(listReasons(part.repeat(2 ** 17 / part.length)), []);
    }
  },
);

Deno.test("redactArguments() puts digests of their text in the place of arguments", PURE, () => {
  const [program, kept, redacted] = redactArguments(["run", "a", "abc"], [2]);
  assertEquals([program, kept], ["run", "a"]);
  assertMatch(redacted ?? "", REDACTED_ARGUMENT);
  // FIPS 180-2, B.1.
  assertEquals(
    redacted,
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

const NO_FILES = { undeclared: [], outside: [], products: [] };
const ALL_SEEN = { connections: new Map<string, number>(), gaps: [], running: 0, isWhole: true };
const NO_WISHES = { declares: false, isStrict: false, namesOutside: false };

type Observed = readonly [
  files: Partial<ObservedFiles>,
  processes: Partial<Parameters<typeof checkObservation>[1]>,
  wishes?: Partial<ObservationWishes>,
];

function observe([files, processes, wishes = {}]: Observed): readonly Finding[] {
  return checkObservation(
    { ...NO_FILES, ...files },
    { ...ALL_SEEN, ...processes },
    { ...NO_WISHES, ...wishes },
  );
}

const OBSERVATIONS: readonly (readonly [what: string, Observed, readonly string[]])[] = [
  ["nothing where all is recorded", [{}, {}], []],
  ["a file that was read", [{ undeclared: [{ name: "a", state: "unchanged" }] }, {}], [
    "error input.undeclared a: the command read it, and it is not an input",
  ]],
  ["a file that became a product", [{ undeclared: [{ name: "a", state: "moved" }] }, {}], [
    "error input.undeclared a: the command made a product of it, and it is not an input",
  ]],
  ["what lies behind a link", [{ undeclared: [{ name: "a", state: "behind" }] }, {}], [
    "error input.undeclared a: the command read what is behind it, outside of the root, and it is recorded as a link",
  ]],
  ["a file that is gone", [{ undeclared: [{ name: "a", state: "gone" }] }, {}], [
    "error input.undeclared a: the command read it, and it is not an input, and it no longer exists",
  ]],
  ["no change that does not matter", [{ undeclared: [{ name: "a", state: "changed" }] }, {}], [
    "error input.undeclared a: the command read it, and it is not an input",
  ]],
  ["a change of what is to be declared", [
    { undeclared: [{ name: "a", state: "changed" }] },
    {},
    { declares: true },
  ], [
    "error input.undeclared a: the command read it, and it is not an input, and it may have changed since",
  ]],
  ["a name that is not UTF-8", [{ undeclared: [{ name: "a\udcff", state: "unfit" }] }, {}], [
    "error input.undeclared a\\xff: the command read it, and it is not an input, and it cannot be an input",
  ]],
  ["one file elsewhere", [{ outside: ["/etc/hosts"] }, {}], [
    "note input.outside : the command read 1 file outside of the root, which is not recorded",
  ]],
  ["files elsewhere that were forbidden", [{ outside: ["/a", "/b"] }, {}, { isStrict: true }], [
    "error input.outside : the command read 2 files outside of the root, which are not recorded",
  ]],
  ["files elsewhere by their names", [{ outside: ["/a"] }, {}, { namesOutside: true }], [
    "note input.outside : the command read 1 file outside of the root, which is not recorded",
    'note input.outside : the command read "/a"',
  ]],
  ["a file that was left", [{ products: ["log"] }, {}], [
    "note product.undeclared log: the command wrote it, and it is not a product",
  ]],
  ["connections", [{}, { connections: new Map([["local", 2], ["internet", 1]]) }], [
    "note network.used : the command opened 3 connections: 1 over IP, 2 to local sockets; the data is not recorded",
  ]],
  ["connections in whatever order", [
    {},
    { connections: new Map([["internet", 1], ["vsock", 1], ["local", 2]]) },
  ], [
    "note network.used : the command opened 4 connections: 1 over IP, 2 to local sockets, 1 to the host of a virtual machine; the data is not recorded",
  ]],
  ["one connection", [{}, { connections: new Map([["internet", 1]]) }], [
    "note network.used : the command opened 1 connection: 1 over IP; the data is not recorded",
  ]],
  ["a broken trace", [{}, { isWhole: false }], [
    "error observation.incomplete : the trace of the command is incomplete",
  ]],
  ["what could not be seen", [{}, { gaps: ["b", "a"], running: 1 }], [
    "note observation.incomplete : not everything was seen: a",
    "note observation.incomplete : not everything was seen: b",
    "note observation.incomplete : not everything was seen: a program that the command started was still running at the end",
  ]],
];

for (const [what, observed, expected] of OBSERVATIONS) {
  Deno.test(`checkObservation() tells ${what}`, PURE, () => {
    assertEquals(
      observe(observed).map(({ level, code, path, message }) =>
        `${level} ${code} ${path ?? ""}: ${message}`
      ),
      [...expected],
    );
  });
}

Deno.test("checkObservation() tells more files than can be read by their directories", PURE, () => {
  const names = [...Array.from({ length: 20 }, (_, i) => `out/${i}`), "log"];
  const told = observe([{ products: names }, {}]);
  assertEquals(told.map(({ path, message }) => `${path}: ${message}`), [
    "out: the command wrote 20 files below it that are not products",
    "log: the command wrote it, and it is not a product",
  ]);
  assertEquals(observe([{ products: names.slice(1) }, {}]).length, 20);
});

Deno.test(
  "checkObservation() hints at the inputs to name, and at directories of many",
  PURE,
  () => {
    const hintOf = (count: number): string => {
      const undeclared = Array.from({ length: count }, (_, i) => ({
        name: `d${i % 2}/${i} x`,
        state: "unchanged" as const,
      }));
      const gone = { name: "gone", state: "gone" as const };
      return observe([{ undeclared: [...undeclared, gone] }, {}])[0]?.hint?.split(";")[0] ?? "";
    };
    assertEquals(hintOf(2), "name them as inputs: 'd0/0 x' 'd1/1 x'");
    assertEquals(hintOf(10).includes("'d1/9 x'"), true);
    assertEquals(hintOf(11), "name them as inputs: d0 d1");
    assertEquals(hintOf(0), "");
    const hintAt = (state: UndeclaredFile["state"]): string | null | undefined =>
      observe([{ undeclared: [{ name: "l", state }] }, {}])[0]?.hint;
    assertEquals(hintAt("link")?.startsWith("--follow"), true);
    assertEquals(hintAt("behind")?.startsWith("--follow"), true);
    assertEquals(hintAt("changed")?.startsWith("name them as inputs: l;"), true);
    assertEquals(hintAt("gone"), null);
    // Of many directories only the first are named.
    const apart = (count: number): string | null | undefined =>
      observe([{
        undeclared: Array.from({ length: count }, (_, i) => ({
          name: `d${i}/x`,
          state: "unchanged" as const,
        })),
      }, {}])[0]?.hint?.split(";")[0];
    assertEquals(apart(10)?.endsWith(" d9/x"), true);
    assertEquals(apart(11), "name them as inputs: d0 d1 d2 d3 d4 d5 d6 d7 d8 d9 …");
  },
);

Deno.test("isObservationComplete() takes notes, but for what could not be seen", PURE, () => {
  const isComplete = (...observed: Observed): boolean => isObservationComplete(observe(observed));
  assertEquals(isComplete({}, {}), true);
  assertEquals(isComplete({ products: ["a"], outside: ["/a"] }, {}), true);
  assertEquals(isComplete({}, { connections: new Map([["internet", 1]]) }), true);
  assertEquals(isComplete({ undeclared: [{ name: "a", state: "unchanged" }] }, {}), false);
  assertEquals(isComplete({ outside: ["/a"] }, {}, { isStrict: true }), false);
  assertEquals(isComplete({}, { gaps: ["a"] }), false);
  assertEquals(isComplete({}, { running: 1 }), false);
  assertEquals(isComplete({}, { isWhole: false }), false);
});

const ENDS: readonly (readonly [exitCode: unknown, signal: unknown, isRead: boolean])[] = [
  [0, null, true],
  [3, null, true],
  [null, null, true],
  [LARGEST_EXIT_CODE, null, true],
  [129, "SIGHUP", true],
  [LARGEST_EXIT_CODE + 1, null, false],
  [-1, null, false],
  [1.5, null, false],
  ["0", null, false],
  [undefined, null, false],
  [143, undefined, false],
  [143, 15, false],
  [143, ["SIGTERM"], false],
  [143, "", false],
  [143, "TERM", false],
  [128, "SIGHUP", false],
  [0, "SIGTERM", false],
  [null, "SIGTERM", false],
];

for (const [exitCode, signal, isRead] of ENDS) {
  const value = {
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(signal === undefined ? {} : { signal }),
  };
  const text = renderCanonicalJson(value).replace(/\s+/g, " ");
  Deno.test(`parseCommandEnd() ${isRead ? "reads" : "refuses"} ${text}`, PURE, () => {
    const end = parseCommandEnd(btoa(renderCanonicalJson(value)));
    assertEquals(end === null ? null : { ...end }, isRead ? { exitCode, signal } : null);
  });
}

Deno.test("parseCommandEnd() refuses what is nothing of the kind", PURE, () => {
  for (const text of ["null", "1", "[]", "{", "{}", '{"exit_code": 0, "signal": null}']) {
    assertEquals(parseCommandEnd(btoa(text)), null, text);
  }
  assertEquals(parseCommandEnd("not base64!"), null);
});

Deno.test(
  "nameOutcome() takes an end that nobody saw neither for success nor for failure",
  PURE,
  () => {
    const name = (exitCode: number | null): string => nameOutcome({ exitCode, signal: null });
    assertEquals([name(0), name(1), name(null), nameOutcome(null)], [
      "completed",
      "command_failed",
      "not_observed",
      "completed",
    ]);
  },
);
