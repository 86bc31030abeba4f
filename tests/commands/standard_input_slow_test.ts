import { sha256Hex } from "../../mod.ts";
import { assertEquals } from "../assert.ts";
import { fromFileUrl } from "../paths.ts";
import { CLI, decode, runKprov } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const RUN = "runs/2026-02-15T20-13-00Z";
const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

/** What a shell runs, with `kprov` in it as a function, and what of it the evidence holds. */
async function record(
  tree: TemporaryTree,
  script: string,
): Promise<
  { readonly stdin: unknown; readonly code: number; readonly out: string; readonly said: string }
> {
  const kprov =
    `kprov() { '${Deno.execPath()}' run -q --no-prompt -RW --allow-run '${CLI}' "$@"; }`;
  const at = "--quiet --at 2026-02-15T20:13:00Z --format json --result result.json";
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `${kprov}\n${script.replaceAll("kprov a.txt", `kprov a.txt ${at}`)}`],
    cwd: tree.path,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const { predicate } = JSON.parse(Deno.readTextFileSync(tree.at(`${RUN}/provenance.json`)));
  const { findings } = JSON.parse(Deno.readTextFileSync(tree.at("result.json")));
  const verified = await runKprov(["verify", "runs", "--root", "."], { cwd: tree.path });
  assertEquals([verified.code, verified.stderr], [0, ""], verified.stdout);
  return {
    stdin: predicate.buildDefinition.externalParameters.command.stdin,
    code,
    out: decode(stdout),
    said:
      findings.map((found: { code: string; message: string }) =>
        `${found.code}: ${found.message}\n`
      ).join("") + decode(stderr),
  };
}

const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));
const LINES = Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join("");
const WHOLE = { sha256: sha256Hex(LINES), size: LINES.length };

Deno.test(
  "all that a pipe brings is recorded, also what the command does not read",
  POSIX,
  async () => {
    const table: readonly (readonly [string, string])[] = [
      ["seq 100000 | kprov a.txt -- sha256sum", `${WHOLE.sha256}  -\n`],
      ["seq 100000 | kprov a.txt -- head -1", "1\n"],
      ["seq 100000 | kprov a.txt -- true", ""],
      ["seq 100000 | kprov a.txt -- sh -c 'exec < /dev/null; sleep 1; echo x'", "x\n"],
      [
        "seq 100000 | kprov a.txt -- sh -c 'exec 3<&0; sleep 60 > /dev/null 2>&1 & echo $! > left; sleep 1'",
        "",
      ],
    ];
    for (const [script, out] of table) {
      using tree = makeTree({ "a.txt": "a" });
      const recorded = await record(tree, `${script}; test ! -e left || kill $(cat left)`);
      assertEquals(recorded, { stdin: WHOLE, code: 0, out, said: "" }, script);
    }
  },
);

Deno.test("a pipe that does not block is waited for", {
  ignore:
    (await new Deno.Command("sh", { args: ["-c", "command -v python3"] }).output()).code !== 0,
}, async () => {
  using tree = makeTree({
    "a.txt": "a",
    "unblock.py": "import os; os.set_blocking(0, False); os.execvp('sh', ['sh', 'k.sh'])",
    "k.sh": "exec kprov a.txt -- sha256sum",
  });
  const kprov = `'${Deno.execPath()}' run -q --no-prompt -RW --allow-run '${CLI}'`;
  Deno.writeTextFileSync(
    tree.at("k.sh"),
    `exec ${kprov} a.txt --at 2026-02-15T20:13:00Z --quiet --format json --result result.json -- sha256sum`,
  );
  const slow = "(sleep 2; seq 1000; sleep 1; seq 1001 100000)";
  const recorded = await record(tree, `${slow} | python3 unblock.py`);
  assertEquals(recorded, { stdin: WHOLE, code: 0, out: `${WHOLE.sha256}  -\n`, said: "" });
});

Deno.test(
  "a pipe that stays open longer than the command is not recorded, and that is said",
  POSIX,
  async () => {
    const said =
      "stdin.not_recorded: standard input is a pipe that did not end with the command, " +
      "and is not recorded\n";
    for (
      const script of [
        "yes | kprov a.txt -- head -1",
        "(echo y; until test -e end; do sleep 0.1; done) | { kprov a.txt -- head -1; : > end; }",
      ]
    ) {
      using tree = makeTree({ "a.txt": "a" });
      const recorded = await record(tree, script);
      assertEquals(recorded, { stdin: undefined, code: 0, out: "y\n", said });
    }
  },
);

Deno.test("a file on standard input stays the command's own, with its offset", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a", "list": "1\n2\n3\n" });
  const stdin = { sha256: sha256Hex("1\n2\n3\n"), size: 6 };
  const script = "(read first; kprov a.txt -- sh -c 'test -f /dev/stdin && head -c 2'; cat) < list";
  const { code, out, ...recorded } = await record(tree, script);
  assertEquals(recorded, { stdin, said: "" });
  assertEquals([code, out], [0, "2\n3\n"]);
});

Deno.test(
  "a file on standard input that changes is not recorded, and that is said",
  POSIX,
  async () => {
    // Under a new file the content decides, for times come in whole seconds.
    const changes = ["echo 4 >> list", "printf '9\\n2\\n3\\n' 1<> list"];
    for (const change of changes) {
      using tree = makeTree({ "a.txt": "a", "list": "1\n2\n3\n" });
      const recorded = await record(tree, `kprov a.txt -- sh -c "${change}" < list`);
      const said =
        "stdin.not_recorded: standard input is a file that changed, and is not recorded\n";
      assertEquals(recorded, { stdin: undefined, code: 0, out: "", said });
    }
  },
);

Deno.test("a change in the second of the last one shows by the content", POSIX, async () => {
  using tree = makeTree({ "list": "1\n" });
  const script = `
    import { digestStdin } from "${new URL("../../src/io/child.ts", import.meta.url)}";
    const second = () => Math.floor(Date.now() / 1000);
    for (let changed = 0; changed < 2;) {
      // The clock of files is some milliseconds late: at the beginning it shows the second before.
      const isEarly = () => Date.now() % 1000 > 20 && Date.now() % 1000 < 300;
      while (!isEarly()) await new Promise((resolve) => setTimeout(resolve, 5));
      const begun = second();
      Deno.writeTextFileSync("list", "1\\n");
      const { atime, mtime } = Deno.statSync("list");
      const file = digestStdin();
      if (changed === 1) Deno.writeTextFileSync("list", "2\\n");
      Deno.utimeSync("list", atime, mtime);
      const told = [file.size, file.hasChanged()];
      // Under load a second may pass meanwhile.
      if (second() !== begun) continue;
      console.log(...told);
      changed++;
    }`;
  Deno.writeTextFileSync(tree.at("script.ts"), script);
  const args = [
    "-c",
    `exec '${Deno.execPath()}' run -q --no-check -A --config '${CONFIG}' script.ts < list`,
  ];
  const { stdout } = await new Deno.Command("sh", { args, cwd: tree.path }).output();
  assertEquals(decode(stdout), "2 false\n2 true\n");
});

Deno.test(
  "nothing is recorded, and nothing said, where standard input brings nothing",
  POSIX,
  async () => {
    const table = [
      "kprov a.txt -- cat < /dev/null",
      "kprov a.txt -- cat <&-",
      "kprov a.txt -- cat < empty",
      ": | kprov a.txt -- cat",
      "until test -e end; do sleep 0.1; done | { kprov a.txt -- true; : > end; }",
    ];
    for (const script of table) {
      using tree = makeTree({ "a.txt": "a", "empty": "" });
      const recorded = await record(tree, script);
      assertEquals(recorded, { stdin: undefined, code: 0, out: "", said: "" }, script);
    }
  },
);

Deno.test(
  "a command that a signal without a name ends, fed by a pipe, is recorded",
  POSIX,
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const { code, stdin } = await record(tree, "echo x | kprov a.txt -- sh -c 'kill -34 $$'");
    assertEquals([code, stdin], [128 + 34, { sha256: sha256Hex("x\n"), size: 2 }]);
  },
);
