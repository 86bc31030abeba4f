import fc from "fast-check";
import { compareUtf8, sha256Hex } from "../../mod.ts";
import { digestInputs } from "../../src/evidence/provenance.ts";
import { assert, assertEquals } from "../assert.ts";
import { CLI, decode } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";
import { digestOf } from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

type Kind = "file" | "symlink";

Deno.test("digestInputs() of nothing is the digest of nothing", PURE, () => {
  assertEquals(digestInputs([]), { dirHash: sha256Hex(""), sha256: sha256Hex("") });
});

const LINES: readonly (readonly [name: string, kind: Kind, line: string, isDirectory: boolean])[] =
  [
    ["a/b c.csv", "file", `${digestOf("1")}  a/b c.csv\n`, true],
    ["\u{1F600}", "file", `${digestOf("1")}  \u{1F600}\n`, true],
    ["a\nb", "file", `\\${digestOf("1")}  a\\nb\n`, false],
    ["a\rb", "file", `\\${digestOf("1")}  a\\rb\n`, false],
    ["a", "symlink", `${digestOf("1")}  a\n`, false],
  ];

for (const [name, kind, line, isDirectory] of LINES) {
  Deno.test(
    `digestInputs() digests a ${kind} ${JSON.stringify(name)} as sha256sum prints it`,
    PURE,
    () => {
      const sha256 = sha256Hex(line);
      const expected = isDirectory ? { dirHash: sha256, sha256 } : { sha256 };
      assertEquals(digestInputs([{ name, kind, sha256: digestOf("1") }]), expected);
    },
  );
}

Deno.test("digestInputs() is the digest of all lines, however many", PURE, () => {
  const names = fc.uniqueArray(
    fc.string({ minLength: 1 }).filter((name) => !/[\\\n\r]/.test(name)),
    {
      maxLength: 3000,
    },
  );
  fc.assert(
    fc.property(names, (all) => {
      const files = all.map((name) => ({ name, kind: "file" as const, sha256: sha256Hex(name) }));
      const text = files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
      assertEquals(digestInputs(files).sha256, sha256Hex(text));
    }),
    { numRuns: 20 },
  );
});

/** What anyone can run, without kprov; links by `readlink`, since `sha256sum` follows them. */
const RECOMPUTE = `
  find "$1" \\( -type f -o -type l \\) -print0 | LC_ALL=C sort -z | while IFS= read -r -d '' name; do
    if [ -L "$name" ]; then
      printf '%s  %s\\n' "$(readlink -n -- "$name" | sha256sum | cut -c1-64)" "$name"
    else
      sha256sum -- "$name"
    fi
  done | sha256sum | cut -c1-64`;

interface Recorded {
  readonly subject: readonly [{ readonly digest: Readonly<Record<string, string>> }];
}

Deno.test({
  name: "the subject of a run is what find, sort and sha256sum compute",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using tree = makeTree({
      "plain/a/z.csv": "a",
      "plain/a-b.csv": "b",
      "plain/a b/-n": "c",
      "plain/\uFF5E": "d",
      "plain/\u{1F600}": "e",
      "plain/empty": "",
      "odd/a": "a",
      "odd/line\nbreak": "b",
      "linked/file": "a",
    });
    Deno.symlinkSync("../plain", tree.at("linked/link"));
    for (const [directory, isDirectory] of [["plain", true], ["odd", false], ["linked", false]]) {
      const { subject: [{ digest }] } = await recordSubject(tree.path, String(directory));
      const { stdout } = await new Deno.Command("bash", {
        args: ["-c", RECOMPUTE, "bash", String(directory)],
        cwd: tree.path,
      }).output();
      assertEquals(digest["sha256"], decode(stdout).trim());
      assertEquals(digest["dirHash"], isDirectory === true ? digest["sha256"] : undefined);
    }
  },
});

async function recordSubject(cwd: string, input: string): Promise<Recorded> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", CLI, input, "--out", `runs-${input}`, "--quiet"],
    cwd,
  }).output();
  assertEquals(code, 0);
  const [run] = [...Deno.readDirSync(`${cwd}/runs-${input}`)];
  assert(run !== undefined);
  return JSON.parse(Deno.readTextFileSync(`${cwd}/runs-${input}/${run.name}/provenance.json`));
}

Deno.test("the order of the lines is that of UTF-8 bytes, as LC_ALL=C sorts", PURE, () => {
  assertEquals(["\u{1F600}", "\uFF5E", "a/z", "a-b"].toSorted(compareUtf8), [
    "a-b",
    "a/z",
    "\uFF5E",
    "\u{1F600}",
  ]);
});
