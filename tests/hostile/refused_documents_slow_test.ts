import { DOCUMENT_NAMES, type DocumentName } from "../../mod.ts";
import { DOCUMENT_LIMITS } from "../../src/evidence/documents.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { RUN_ID } from "../make_run.ts";
import { runKprov } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { assertVerdict, callKprov } from "./call_kprov.ts";
import { forgeRun, GENUINE, makeGenuineTree } from "./forged_run.ts";
import { RUN_READERS } from "./run_readers.ts";

/** Holds each command to its verdict over a run in which one thing is hostile. */
async function holdReaders(tree: TemporaryTree, run: string, what: string): Promise<void> {
  for (const { name, args, isList } of RUN_READERS) {
    const genuine = tree.at(`genuine/${RUN_ID}`);
    const ended = await callKprov(args({ run, genuine, root: tree.at("root"), out: tree.path }));
    assertVerdict(ended, `kprov ${name}: ${what}`);
    const isMarked = isList === true && ended.stdout.includes('"verifies": false');
    assert(
      isMarked || [1, 65].includes(ended.code),
      `kprov ${name}: ${what}: exit code ${ended.code}`,
    );
  }
}

type Damage = (path: string, tree: TemporaryTree, name: DocumentName) => void;

function replace(path: string, make: () => void): void {
  Deno.removeSync(path);
  make();
}

/** Text of many equal parts. */
function writeRepeated(path: string, head: string, part: string, times: number): void {
  Deno.writeTextFileSync(path, head + part.repeat(times));
}

const DAMAGES: readonly (readonly [what: string, damage: Damage, message: RegExp])[] = [
  [
    "5 GiB of nothing",
    (path) => Deno.truncateSync(path, 5 * 2 ** 30),
    /it is larger than [0-9]+ bytes/,
  ],
  [
    "one byte more than the limit",
    (path, _, name) => Deno.truncateSync(path, DOCUMENT_LIMITS[name].maxBytes + 1),
    /it is larger than [0-9]+ bytes/,
  ],
  [
    "a million brackets",
    (path) => writeRepeated(path, "", "[", 1_000_000),
    /it is nested deeper than 16/,
  ],
  [
    "objects nested a hundred thousand times",
    (path) => writeRepeated(path, "", '{"a":', 100_000),
    /it is nested deeper than 16/,
  ],
  [
    "twenty thousand unknown keys",
    (path) =>
      Deno.writeTextFileSync(
        path,
        `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":0`).join()}}`,
      ),
    /unknown key/,
  ],
  [
    "the same key a hundred thousand times",
    (path) => writeRepeated(path, '{"a":0', ',"a":0', 100_000),
    /it is not JSON|has the key "a" twice/,
  ],
  ["no byte", (path) => Deno.truncateSync(path, 0), /it is not JSON/],
  ["a directory", (path) => replace(path, () => Deno.mkdirSync(path)), /it is a directory/],
  [
    "a FIFO",
    (path) => replace(path, () => new Deno.Command("mkfifo", { args: [path] }).outputSync()),
    /it is a FIFO/,
  ],
  [
    "a link to a file outside",
    (path, tree) => replace(path, () => Deno.symlinkSync(tree.at("outside/secret.json"), path)),
    /it is a symbolic link/,
  ],
  [
    "a link to a device without an end",
    (path) => replace(path, () => Deno.symlinkSync("/dev/zero", path)),
    /it is a symbolic link/,
  ],
  [
    "a link to itself",
    (path, _, name) => replace(path, () => Deno.symlinkSync(name, path)),
    /it is a symbolic link/,
  ],
];

for (const [what, damage, message] of DAMAGES) {
  Deno.test({
    name: `every command refuses a run with ${what} in the place of a document`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      for (const name of DOCUMENT_NAMES) {
        using tree = makeGenuineTree();
        const run = tree.at(`hostile/${RUN_ID}`);
        damage(`${run}/${name}`, tree, name);
        const { code, stdout } = await callKprov(["verify", run]);
        assertEquals(code, 1, name);
        assert(message.test(stdout), `${name}: ${stdout.slice(0, 300)}`);
        await holdReaders(tree, run, `${what}: ${name}`);
      }
    },
  });
}

const BAD_PLACES: readonly (readonly [what: string, make: (tree: TemporaryTree) => string])[] = [
  ["a file", (tree) => tree.at("outside/secret.json")],
  ["a device", () => "/dev/zero"],
  ["nothing", (tree) => tree.at("nothing")],
  ["an empty text", () => ""],
  ["a NUL character", () => "a\0b"],
  ["a link to itself", (tree) => {
    Deno.symlinkSync("loop", tree.at("loop"));
    return tree.at("loop");
  }],
  ["a name that is too long", (tree) => tree.at("a".repeat(300))],
  ["a path that is too long", (tree) => tree.at("a/".repeat(4000))],
  ["a name full of control characters", (tree) => tree.at("\x1b[2J\u202e\r\n##[error]")],
  ["a directory that holds nothing", (tree) => {
    Deno.mkdirSync(tree.at("empty"));
    return tree.at("empty");
  }],
];

for (const [what, make] of BAD_PLACES) {
  Deno.test({
    name: `every command refuses a run that is ${what}`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      using tree = makeGenuineTree();
      const run = make(tree);
      for (const { name, args, isList } of RUN_READERS) {
        const genuine = tree.at(`genuine/${RUN_ID}`);
        const places = { run, genuine, root: tree.at("root"), out: tree.at("out") };
        const ended = await callKprov(args(places));
        assertVerdict(ended, `kprov ${name}: ${what}`);
        const isMarked = isList === true && ended.stdout.includes('"verifies": false');
        assert(
          isMarked || [1, 64, 65, 74].includes(ended.code),
          `kprov ${name}: exit code ${ended.code}`,
        );
      }
    },
  });
}

Deno.test({
  name: "kprov verify names each file that does not belong into a run, whatever its name",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using tree = makeGenuineTree();
    const run = tree.at(`hostile/${RUN_ID}`);
    const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code))
      .filter((character) => character !== "\0" && character !== "/" && character !== ".");
    const names = [...controls, "\u202e", "\u{e0041}", "a".repeat(255), "__proto__", "..."];
    for (const name of names) Deno.writeTextFileSync(`${run}/${name}`, "");
    const ended = await callKprov(["verify", run]);
    assertVerdict(ended, "odd names");
    assertEquals(ended.code, 1);
    const said = ended.stdout.split("\n").filter((line) => line.includes("document.unexpected"));
    assertEquals(said.length, names.length);
    await holdReaders(tree, run, "odd names");
  },
});

Deno.test({
  name: "kprov verify --root follows no link on the way to an input, and leaves the root by none",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using tree = makeTree({ "root/data/a.txt": "a\n", "outside/a.txt": "a\n" });
    const record = [
      tree.at("root/data"),
      "--root",
      tree.at("root"),
      "--out",
      tree.at("runs"),
      "--quiet",
    ];
    assertEquals((await callKprov(record)).code, 0);
    const verify = ["verify", tree.at("runs"), "--root", tree.at("root")];
    assertEquals((await callKprov(verify)).code, 0);
    Deno.removeSync(tree.at("root/data"), { recursive: true });
    // The very bytes that were recorded, behind a link.
    Deno.symlinkSync("../outside", tree.at("root/data"));
    const ended = await callKprov(verify);
    assertVerdict(ended, "a directory that became a link");
    assertEquals(ended.code, 1);
    assertStringIncludes(ended.stdout, "file.missing");
  },
});

Deno.test({
  name: "kprov verify reads nothing outside of the run, wherever its names and links lead",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using tree = makeGenuineTree();
    const run = tree.at(`hostile/${RUN_ID}`);
    const place = ["predicate", "buildDefinition", "resolvedDependencies", 0, "name"];
    const value = "../../outside/secret.json";
    for (const [name, bytes] of forgeRun(GENUINE.command, "provenance.json", place, { value })) {
      Deno.writeFileSync(`${run}/${name}`, bytes);
    }
    Deno.symlinkSync(tree.at("outside/secret.json"), `${run}/link.json`);
    // With the permission for the run alone, a look anywhere else would end with 77.
    const ended = await runKprov(["verify", run], {
      cwd: tree.path,
      permissions: [`--allow-read=${run}`],
    });
    assertEquals({ code: ended.code, stderr: ended.stderr }, { code: 1, stderr: "" });
    assertStringIncludes(ended.stdout, "document.schema");
  },
});
