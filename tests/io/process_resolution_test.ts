import { askResolution } from "../../src/io/tools.ts";
import { assertEquals } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";

/** The tests of this file look for programs of a POSIX system. */
const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

Deno.test("askResolution() names the file that the shell would start", POSIX, async () => {
  for (const name of ["sh", "sort", "env"]) {
    const { stdout } = await new Deno.Command("sh", { args: ["-c", 'command -v "$1"', "sh", name] })
      .output();
    const expected = new TextDecoder().decode(stdout).trimEnd();
    assertEquals(askResolution(name, "/"), { path: expected });
  }
});

Deno.test("askResolution() knows a name that is not in PATH", POSIX, () => {
  assertEquals(askResolution("no-such-program", "/"), { path: null });
});

Deno.test("askResolution() starts nothing", POSIX, () => {
  using tree = makeTree({ "bin/kprov-test-program": "#!/bin/sh\n: > started\n" });
  Deno.chmodSync(tree.at("bin/kprov-test-program"), 0o755);
  const before = Deno.env.get("PATH") ?? "";
  Deno.env.set("PATH", `${tree.at("bin")}:${before}`);
  try {
    const expected = { path: tree.at("bin/kprov-test-program") };
    assertEquals(askResolution("kprov-test-program", tree.path), expected);
  } finally {
    Deno.env.set("PATH", before);
  }
  assertEquals([...Deno.readDirSync(tree.path)].map(({ name }) => name), ["bin"]);
});
