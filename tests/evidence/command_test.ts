import {
  notePrivateArguments,
  redactArguments,
  REDACTED_ARGUMENT,
} from "../../src/evidence/command.ts";
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
