import { findMissedFiles, readMisses } from "../../../src/io/trace/strace_log.ts";
import { assertEquals } from "../../assert.ts";
import { makeTree } from "../../temporary_tree.ts";

const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

function hex(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

const CWD = `AT_FDCWD<${hex("/copy")}>`;
const MISSED = "= -1 ENOENT (No such file or directory)";

const LINES: readonly (readonly [string, string, readonly string[]])[] = [
  ["a path", `openat(${CWD}, "${hex("/a/b")}", O_RDONLY) ${MISSED}`, ["/a/b"]],
  ["a path below a file", `openat(${CWD}, "${hex("/a/b")}", O_RDONLY) = -1 ENOTDIR (Not a)`, [
    "/a/b",
  ]],
  ["a relative name", `openat(${CWD}, "${hex("b\n")}", O_RDONLY) ${MISSED}`, ["/copy/b\n"]],
  [
    "a name below a descriptor",
    `newfstatat(3<${hex("/d")}>, "${hex("../b")}", 0x7f, 0) ${MISSED}`,
    [
      "/b",
    ],
  ],
  ["a relative name of an old call", `access("${hex("b")}", F_OK) ${MISSED}`, ["/copy/b"]],
  ["a call that others interrupted", `statx(${CWD}, "${hex("b")}", <unfinished ...>`, []],
  ["its end", `<... statx resumed>0) ${MISSED}`, ["/copy/b"]],
  ["what is there and closed", `openat(${CWD}, "${hex("/a")}", O_RDONLY) = -1 EACCES (No)`, []],
  ["an empty name", `newfstatat(${CWD}, "", 0x7f, 0) ${MISSED}`, []],
];

Deno.test("readMisses() reads what a command looked for in vain", POSIX, () => {
  using tree = makeTree();
  const seen: string[] = [];
  for (const [what, line, expected] of LINES) {
    seen.push(`2     ${line}\n`);
    Deno.writeTextFileSync(
      tree.at("trace"),
      what === "its end" ? seen.slice(-2).join("") : seen.at(-1) ?? "",
    );
    assertEquals([...readMisses(tree.at("trace"), "/copy") ?? []], expected, what);
  }
});

Deno.test("readMisses() tells a trace that saw nothing", POSIX, () => {
  using tree = makeTree({
    "empty": "",
    "broken": "strace: no\n",
    "ended": "2 +++ exited with 0 +++\n",
  });
  const read = (name: string): unknown => readMisses(tree.at(name), "/copy");
  assertEquals([read("empty"), read("broken"), read("ended")], [null, null, new Set()]);
});

Deno.test("findMissedFiles() names what is here, is no product and was not made", POSIX, () => {
  using here = makeTree({
    ...{ "root/a.txt": "", "root/dir/b.txt": "", "root/out/old.txt": "", "root/made.txt": "" },
    ...{ "held/made.txt": "", "home/.rc": "", "elsewhere.txt": "" },
  });
  const isolated = {
    copy: "/copy",
    held: here.at("held"),
    home: "/home/kprov",
    ownHome: here.at("home"),
    root: here.at("root"),
    products: ["out"],
  };
  const paths = [
    ...["/copy/dir/b.txt", "/copy/a.txt", "/copy/absent", "/copy/out/old.txt", "/copy/made.txt"],
    ...["/copy", "/home/kprov", "/home/kprov/.rc", "/home/kprov/absent", here.at("elsewhere.txt")],
    ...[here.at("absent.txt"), `${here.at("root")}/a.txt`, "/proc/self/status"],
  ];
  assertEquals(findMissedFiles(paths, isolated), {
    names: ["a.txt", "dir/b.txt"],
    outside: ["~/.rc", here.at("elsewhere.txt")].sort(),
  });
  assertEquals(findMissedFiles(["/home/kprov/.rc"], { ...isolated, ownHome: null }).outside, []);
});
