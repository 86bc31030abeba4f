import { makeFinding } from "../../src/base/error.ts";
import { basename } from "../../src/base/std.ts";
import { renderReproduceJson } from "../../src/show/results.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { callKprov } from "../faults/call_kprov.ts";
import { CLI, decode, runKprov } from "../run_kprov.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

const RUN = "runs/2026-02-15T20-13-00Z";
const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };
const SCRIPT = `test -e "$MARK" && : > "$MARK.again" && exec sleep 60
cp a.txt b.txt
`;

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
  Deno.test(`${signal} ends a reproduction, and its scratch copy goes`, POSIX, async () => {
    using tree = makeTree({ "a.txt": "a", "s.sh": SCRIPT });
    Deno.mkdirSync(tree.at("tmp"));
    const env = { MARK: tree.at("mark"), TMPDIR: tree.at("tmp") };
    const made = await runKprov(
      ["a.txt", "s.sh", "--products", "b.txt", "--quiet", "--at", "2026-02-15T20:13:00Z"]
        .concat("--", "sh", "s.sh"),
      { cwd: tree.path, env, permissions: ["--allow-all"] },
    );
    assertEquals(made.code, 0);
    Deno.writeTextFileSync(tree.at("mark"), "");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--allow-all", CLI, "reproduce", RUN],
      cwd: tree.path,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    for (let i = 0; i < 2400 && !listNames(tree.path).includes("mark.again"); i++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assertEquals(listNames(tree.at("tmp")).length, 1);
    child.kill(signal);
    const ended = await child.output();
    assertEquals([ended.code, decode(ended.stdout)], [code, ""]);
    assertEquals(decode(ended.stderr), `error: Interrupted by ${signal}\n`);
    assertEquals(listNames(tree.at("tmp")), []);
  });
}

Deno.test("the scratch copy goes also where its products cannot be read", POSIX, async () => {
  using tree = makeTree({
    "a.txt": "a",
    "s.sh": 'test -e "$MARK" && exec mkfifo b.txt\n: > b.txt\n',
  });
  Deno.mkdirSync(tree.at("tmp"));
  const options = {
    cwd: tree.path,
    env: { MARK: tree.at("mark"), TMPDIR: tree.at("tmp") },
    permissions: ["--allow-all"],
  };
  const args = ["a.txt", "s.sh", "--products", "b.txt", "--quiet", "--at", "2026-02-15T20:13:00Z"];
  assertEquals((await runKprov([...args, "--", "sh", "s.sh"], options)).code, 0);
  Deno.writeTextFileSync(tree.at("mark"), "");
  const ended = await runKprov(["reproduce", RUN], options);
  assertEquals(ended.code, 65);
  assertEquals(ended.stderr, 'error: Cannot read product "b.txt": it is a FIFO\n');
  assertEquals(listNames(tree.at("tmp")), []);
});

Deno.test("a reproduction's findings stand sorted in JSON, the notes among them", () => {
  const json = renderReproduceJson({
    run: RUN,
    isExecuted: true,
    isIsolated: false,
    repetitions: [],
    compared: [],
    kept: null,
    productCount: 1,
    notes: [makeFinding("tool.changed", "it is another", { level: "note", path: "z" })],
    findings: [makeFinding("product.changed", "it is another", { path: "a" })],
  });
  const { findings } = JSON.parse(json);
  assertEquals(findings.map(({ path }: { path: string }) => path), ["a", "z"]);
});

Deno.test(
  "why a run cannot be reproduced is told, also where its copy stays behind",
  POSIX,
  async () => {
    using tree = makeTree();
    Deno.symlinkSync("/etc", tree.at("link"));
    const place = ["--root", tree.path, "--out", tree.at("runs"), "--at", "2026-02-15T20:13:00Z"];
    const command = ["--products", tree.at("b"), "--", "touch", "b"];
    await callKprov(["run", tree.at("link"), "--links", ...place, "--quiet", ...command]);

    const remove = Deno.removeSync;
    const left = new Set<string>();
    using _restored = {
      [Symbol.dispose]: () => {
        Deno.removeSync = remove;
        for (const path of left) remove(path, { recursive: true });
      },
    };
    Deno.removeSync = (path, options) => {
      if (!basename(String(path)).startsWith("kprov-")) return remove(path, options);
      left.add(String(path));
      throw new Deno.errors.PermissionDenied("no");
    };
    const run = tree.at("runs/2026-02-15T20-13-00Z");
    const { code, stderr } = await callKprov(["reproduce", run, "--root", tree.path]);
    assertEquals([code, left.size], [65, 1], stderr);
    assertStringIncludes(stderr, "is a link that leads out of the scratch copy");
  },
);
