import { assertEquals, assertStringIncludes } from "../assert.ts";
import { assertVerdict, callKprov } from "./call_kprov.ts";
import { judge, makeRepository, POLICY, READ_FILES, WORKFLOW } from "./hostile_repository.ts";

Deno.test("the repository that is made hostile is read before, and its lock alone is missing", async () => {
  using tree = makeRepository({ [WORKFLOW]: "on: [push, pull_request]\njobs: {}\n" });
  const { stdout } = await judge(tree, "nothing");
  assertStringIncludes(stdout, "lock.missing");
  assertStringIncludes(stdout, "parity.missing");
  assertStringIncludes(stdout, "identity.docker_label");
});

/** Text with much of everything. */
function repeat(head: string, part: string, times: number, tail = ""): string {
  return head + part.repeat(times) + tail;
}

const ALIAS_BOMB = Array.from(
  { length: 40 },
  (_, i) => `l${i}: &l${i} [${Array(10).fill(i === 0 ? "x" : `*l${i - 1}`).join()}]\n`,
).join("");

const RANDOM = Uint8Array.from(
  { length: 100_000 },
  (_, i) => (i * i * 31 + i * 17 + (i >> 3)) % 256,
);
const UTF16 = Uint8Array.from([
  0xff,
  0xfe,
  ...[..."FROM scratch\n"].flatMap((c) => [c.charCodeAt(0), 0]),
]);

/** What no reader of text may take for an answer, whatever the kind of file. */
const NO_TEXT: readonly (readonly [what: string, content: string | Uint8Array])[] = [
  ["bytes that are no text", RANDOM],
  ["UTF-16", UTF16],
  ["nothing but NUL", new Uint8Array(100_000)],
  ["no line end", "a".repeat(2_000_000)],
  ["nothing but line ends", "\r\n\r".repeat(300_000)],
  ["nothing but white space", " \t".repeat(500_000)],
  ["100,000 nested brackets", "[".repeat(100_000)],
  ["100,000 nested objects", '{"a":'.repeat(100_000)],
  ["100,000 nested brackets, closed", "[".repeat(100_000) + "]".repeat(100_000)],
  [
    "every control character",
    Array.from({ length: 0xa0 }, (_, i) => String.fromCharCode(i)).join(""),
  ],
  ["a key twice", '{"name": 1, "name": 2, "schema": 1, "schema": 2}'],
  ["__proto__", '{"__proto__": {"schema": "kprovengine.policy.v1"}}'],
  ["an alias bomb", ALIAS_BOMB],
  ["an alias to what is around it", "on: &a [*a]\njobs: &b {c: *b}\n"],
];

for (const [what, content] of NO_TEXT) {
  Deno.test(`the guards give a verdict on a file that holds ${what}`, async () => {
    for (const name of READ_FILES) {
      using tree = makeRepository({ [name]: content });
      const { code } = await judge(tree, `${name}: ${what}`);
      if (name === POLICY) assertEquals(code, 78, what);
    }
  });
}

/** Files that are long in the way of their kind. */
const LONG: readonly (readonly [name: string, what: string, content: string])[] = [
  ["Dockerfile", "stages", repeat("", "FROM denoland/deno:2.9.6 AS a\n", 20_000)],
  ["Dockerfile", "continued lines", repeat("FROM a\nLABEL a=b", " \\\n", 50_000, "c=d\n")],
  ["Dockerfile", "labels", repeat("FROM a\nLABEL", " a=b", 50_000)],
  ["Dockerfile", "label instructions", repeat("FROM a\n", "LABEL a=b\n", 10_000)],
  ["Dockerfile", "quotes", repeat('FROM a\nLABEL a="', '\\"', 100_000)],
  ["Dockerfile", "comments", repeat("", "# escape=`\n", 50_000)],
  ["Dockerfile", "heredocs", repeat("FROM a\nRUN", " <<A", 10_000)],
  ["Dockerfile", "a heredoc without an end", repeat("FROM a\nRUN <<A\n", "a\n", 100_000)],
  ["Dockerfile", "variables", repeat("FROM ", "${a:-", 20_000)],
  [WORKFLOW, "jobs", repeat("on: push\njobs:\n", "  a: {}\n", 20_000)],
  [
    WORKFLOW,
    "steps",
    repeat("on: push\njobs:\n  a:\n    steps:\n", "      - run: deno test\n", 20_000),
  ],
  [
    WORKFLOW,
    "expressions",
    `on: push\njobs:\n  a:\n    steps:\n      - run: x\n        if: ${repeat("", "(", 50_000)}`,
  ],
  [
    WORKFLOW,
    "operators",
    `on: push\njobs:\n  a:\n    if: \${{ ${repeat("", "a && ", 20_000)} a }}\n`,
  ],
  [WORKFLOW, "negations", `on: push\njobs:\n  a:\n    if: \${{ ${repeat("", "!", 100_000)}a }}\n`],
  [
    WORKFLOW,
    "a script",
    `on: push\njobs:\n  a:\n    steps:\n      - run: "${repeat("", "$( ", 100_000)}"\n`,
  ],
  [
    WORKFLOW,
    "quoted script",
    `on: push\njobs:\n  a:\n    steps:\n      - run: ${repeat("", "'\\", 100_000)}\n`,
  ],
  [
    WORKFLOW,
    "a matrix",
    `on: push\njobs:\n  a:\n    strategy:\n      matrix:\n${
      Array.from({ length: 30 }, (_, i) => `        k${i}: [1, 2, 3, 4, 5, 6, 7, 8]\n`).join("")
    }    steps: [{run: deno task preflight}]\n`,
  ],
  [
    WORKFLOW,
    "branches",
    `on: {push: {branches: [${repeat("", "'*a*a*a*a*b', ", 5000)}]}}\njobs: {}\n`,
  ],
  ["package.json", "a range", `{"engines": {"node": "${repeat("1", " ", 100_000, "1")}"}}`],
  [
    "package.json",
    "a range of alternatives",
    `{"engines": {"node": "${repeat("", "||", 100_000)}"}}`,
  ],
  ["pyproject.toml", "tables", repeat("", "[a.b]\n", 20_000)],
  ["pyproject.toml", "dots", repeat("", "a.", 100_000, "b = 1\n")],
  [
    "pyproject.toml",
    "a specifier",
    `[project]\nrequires-python = "${repeat("", ">=3,", 100_000)}"\n`,
  ],
  [".tool-versions", "versions", repeat("deno", " 2.9.6", 100_000)],
  [".tool-versions", "lines", repeat("", "deno 2.9.6\n", 100_000)],
];

for (const [name, what, content] of LONG) {
  Deno.test(`the guards give a verdict on ${name} with far too many of one thing: ${what}`, async () => {
    using tree = makeRepository({ [name]: content });
    await judge(tree, `${name}: ${what}`);
  });
}

const MADE: readonly (readonly [what: string, make: (path: string) => void])[] = [
  ["a directory", (path) => Deno.mkdirSync(path)],
  ["a FIFO", (path) => void new Deno.Command("mkfifo", { args: [path] }).outputSync()],
  ["a link to itself", (path) => Deno.symlinkSync(path, path)],
  ["a link to a device without an end", (path) => Deno.symlinkSync("/dev/zero", path)],
  ["a link that leads nowhere", (path) => Deno.symlinkSync("nowhere", path)],
];

for (const [what, make] of MADE) {
  Deno.test({
    name: `the guards give a verdict where a file is ${what}`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      for (
        const name of [...READ_FILES, ".git/HEAD", ".git/config", ".git/index", ".git/commondir"]
      ) {
        using tree = makeRepository();
        if (name !== ".git/commondir") Deno.removeSync(tree.at(name));
        make(tree.at(name));
        await judge(tree, `${name}: ${what}`);
        const args = ["deno.json", "--root", tree.path, "--out", tree.at("runs"), "--quiet"];
        const ended = await callKprov([tree.at("deno.json"), ...args.slice(1)]);
        assertVerdict(ended, `${name}: ${what}`);
      }
    },
  });
}
