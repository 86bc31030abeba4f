import { assertEquals, assertMatch } from "../assert.ts";
import { runKprov } from "../run_kprov.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN = "runs/2026-02-15T20-13-00Z";

/** V8 is given so little that a list of this many files does not fit. */
const LITTLE = "--v8-flags=--max-old-space-size=32";
const PERMISSIONS = [LITTLE, "--allow-read", "--allow-write"];
const MANY = 120_000;
const LONG = "n".repeat(200);

Deno.test("a run of more files than fit into memory is not read, with one line", async () => {
  using tree = makeTree({ "a.txt": "a" });
  const record = ["a.txt", "--quiet", "--at", AT];
  assertEquals((await runKprov(record, { cwd: tree.path })).code, 0);
  const path = tree.at(`${RUN}/provenance.json`);
  const one = Deno.readTextFileSync(path);
  // What it says of the others need not be true: it is not read so far.
  const [item = ""] = /\n {8}\{\n {10}"annotations"[^]*?\n {8}\}/.exec(one) ?? [];
  const others = Array.from({ length: MANY }, (_, i) => `${item.replace("a.txt", `b${i}`)},`);
  Deno.writeTextFileSync(path, one.replace(item, () => others.join("") + item));
  const commands = [
    ["verify", "runs"],
    ["report", RUN],
    ["trace", "a.txt"],
    ["log"],
    ["status"],
    ["diff", RUN, RUN],
    ["merge", RUN, "--out", "merged"],
  ];
  for (const args of commands) {
    const { code, stdout, stderr } = await runKprov(args, {
      cwd: tree.path,
      permissions: PERMISSIONS,
    });
    assertEquals([code, stdout], [74, ""], `${args}: ${stderr}`);
    assertMatch(
      stderr,
      /^error: Cannot read [^\n]*provenance\.json": it takes more memory than Deno may use\nhint: [^\n]+\n$/,
    );
  }
  assertEquals(listNames(tree.path), ["a.txt", "runs"]);
});

Deno.test("more files than fit into memory are not recorded, with one line", async () => {
  using tree = makeTree();
  // A directory is listed in one piece, of which nobody can tell that it is too large.
  for (let i = 0; i < MANY / 2000; i++) {
    Deno.mkdirSync(tree.at(`in/${i}`), { recursive: true });
    for (let j = 0; j < 1000; j++) Deno.createSync(tree.at(`in/${i}/${j}${LONG}`)).close();
  }
  const { code, stdout, stderr } = await runKprov(["in", "--quiet"], {
    cwd: tree.path,
    permissions: PERMISSIONS,
  });
  assertEquals([code, stdout], [74, ""], stderr);
  assertMatch(
    stderr,
    /^error: Cannot [^\n]+: it takes more memory than Deno may use\nhint: [^\n]+\n$/,
  );
  assertEquals(listNames(tree.at("runs")), []);
});
