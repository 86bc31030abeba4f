import { assert, assertEquals } from "../assert.ts";
import { assertVerdict, callKprov } from "./call_kprov.ts";
import { FILES, judge, makeRepository, trackedOf, writeIndex } from "./hostile_repository.ts";

/** Names that a file system takes, and that terminals, shells and CI systems act on. */
const ODD_NAMES: readonly string[] = [
  ...Array.from({ length: 0xa0 }, (_, code) => `a${String.fromCharCode(code)}b`)
    .filter((name) => !name.includes("\0") && !name.includes("/") && !name.includes("\\")),
  "a\u202eb",
  "a\u200bb",
  "\u{e0041}",
  "##[error]a",
  "::error::a",
  "a".repeat(255),
  "-rf",
  "$(id)",
  "__proto__",
  "constructor",
  "AcmeTool",
  "acmet\u043eol",
];

Deno.test({
  name:
    "a repository whose names hold every control character is recorded, verified, guarded and shown",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using tree = makeRepository(
      Object.fromEntries(ODD_NAMES.map((name) => [`odd/${name}`, "forbidden"])),
    );
    for (const format of ["text", "json", "sarif", "github"]) {
      const ended = await callKprov(["guard", "--root", tree.path, "--format", format]);
      assertVerdict(ended, format);
      assertEquals(ended.code, 1);
    }
    const args = [tree.at("odd"), "--root", tree.path, "--out", tree.at("runs")];
    assertVerdict(await callKprov(args), "run");
    const verified = await callKprov(["verify", tree.at("runs"), "--root", tree.path]);
    assertVerdict(verified, "verify");
    assertEquals(verified.code, 0);
    for (const name of ODD_NAMES) Deno.writeTextFileSync(tree.at(`odd/${name}`), "changed");
    const changed = await callKprov([
      "verify",
      tree.at("runs"),
      "--root",
      tree.path,
      "--format",
      "json",
    ]);
    assertVerdict(changed, "verify");
    assertEquals(changed.code, 1);
  },
});

Deno.test("the guards name a tracked path that is longer than the system's, and end", async () => {
  using tree = makeRepository();
  for (const path of ["a/".repeat(2047) + "a", "a".repeat(256), "a".repeat(100_000)]) {
    writeIndex(tree, [...trackedOf(FILES), path]);
    const { code } = await judge(tree, path.slice(0, 20));
    assert([65, 74].includes(code), `${code}`);
  }
});

Deno.test({
  name: "links that go round in circles are recorded as links, and followed by no guard",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using tree = makeRepository({ "loop/a/file": "a" });
    Deno.symlinkSync("two", tree.at("loop/one"));
    Deno.symlinkSync("one", tree.at("loop/two"));
    Deno.symlinkSync("..", tree.at("loop/a/up"));
    Deno.symlinkSync(".", tree.at("loop/self"));
    const links = ["loop/one", "loop/two", "loop/a/up", "loop/self"];
    writeIndex(tree, [...trackedOf(FILES), "loop/a/file", ...links]);
    assertEquals((await judge(tree, "circles")).code, 1);
    const args = [
      tree.at("loop"),
      "--root",
      tree.path,
      "--out",
      tree.at("runs"),
      "--format",
      "json",
    ];
    const ended = await callKprov(args);
    assertEquals(ended.code, 0, ended.stderr);
    const { run_dir: run } = JSON.parse(ended.stdout);
    const summary = JSON.parse(Deno.readTextFileSync(`${run}/run_summary.json`));
    assertEquals(summary.inputs.count, 5);
  },
});
