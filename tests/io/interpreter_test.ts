import { gatherExecuted, parseProgramForm, type ProgramForm } from "../../src/io/tools.ts";
import { assertEquals } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";

const UNCLEAR: ProgramForm = { form: "unclear" };

function script(
  interpreter: string,
  searched: string | null = null,
  args: readonly string[] = [],
): ProgramForm {
  return { form: "script", interpreter, searched, args };
}

const CASES: readonly (readonly [string, string, ProgramForm])[] = [
  ["a plain line", "#!/bin/sh\n", script("/bin/sh")],
  ["a line that ends with the file", "#!/bin/sh", script("/bin/sh")],
  ["blanks around the path", "#! \t/bin/sh \t\nexit", script("/bin/sh")],
  ["an argument", "#!/usr/bin/python3 -I\n", script("/usr/bin/python3", null, ["-I"])],
  ["env", "#!/usr/bin/env python3\n", script("/usr/bin/env", "python3")],
  ["env at another place", "#!/opt/env\tperl \n", script("/opt/env", "perl")],
  ["env -S", "#!/usr/bin/env -S deno run -A\n", script("/usr/bin/env", "deno", ["run", "-A"])],
  [
    "env -S without a blank",
    "#!/usr/bin/env -Sdeno run\n",
    script("/usr/bin/env", "deno", ["run"]),
  ],
  ["env -S with a variable", "#!/usr/bin/env -S A=1 B= deno\n", script("/usr/bin/env", "deno")],
  [
    "a program that is only called like env",
    "#!/usr/bin/myenv x\n",
    script("/usr/bin/myenv", null, ["x"]),
  ],
  ["env with an option", "#!/usr/bin/env -i python3\n", UNCLEAR],
  ["env -S with an option", "#!/usr/bin/env -S -i python3\n", UNCLEAR],
  ["env -S with quotes", `#!/usr/bin/env -S "py thon"\n`, UNCLEAR],
  ["env -S with a variable to fill in", "#!/usr/bin/env -S ${PYTHON}\n", UNCLEAR],
  ["env with two words, which the system passes as one", "#!/usr/bin/env python3 -I\n", UNCLEAR],
  ["env with nothing", "#!/usr/bin/env\n", UNCLEAR],
  ["nothing", "#!\n", UNCLEAR],
  ["a carriage return, which is part of the name", "#!/bin/sh\r\n", UNCLEAR],
  ["a NUL", "#!/bin/sh\0\n", UNCLEAR],
  ["a line as long as may be", `#!/${"a".repeat(252)}\n`, script(`/${"a".repeat(252)}`)],
  ["a line that the system cuts off", `#!/${"a".repeat(253)}\n`, UNCLEAR],
  ["no #!", "echo hello\n", { form: "unknown" }],
  ["nothing at all", "", { form: "unknown" }],
  ["one character", "#", { form: "unknown" }],
  ["a byte order mark", "\uFEFF#!/bin/sh\n", { form: "unknown" }],
  ["ELF", "\x7fELF\x02\x01", { form: "binary" }],
  ["PE", "MZ\0", { form: "binary" }],
];

for (const [what, text, expected] of CASES) {
  Deno.test(`parseProgramForm() reads ${what}`, { permissions: "none" }, () => {
    const head = new TextEncoder().encode(text).subarray(0, 256);
    assertEquals(parseProgramForm(head), expected);
  });
}

Deno.test("parseProgramForm() knows Mach-O in every byte order and width", {
  permissions: "none",
}, () => {
  for (const magic of [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe]) {
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, magic);
    assertEquals(parseProgramForm(head), { form: "binary" });
  }
});

Deno.test(
  {
    name: "gatherExecuted() names the programs that cannot be read any more",
    ignore: Deno.build.os === "windows",
    fn: () => {
      using tree = makeTree({ "tool": "#!/bin/sh\n" });
      Deno.symlinkSync("loop", tree.at("loop"));
      const paths = ["tool", "loop", "gone"].map((name) => tree.at(name));
      const { tools, unknown } = gatherExecuted(paths, [], { given: ".", path: tree.path });
      assertEquals(tools.slice(0, 1).map(({ name, isScript }) => [name, isScript]), [[
        "./tool",
        true,
      ]]);
      assertEquals(tools.some(({ path }) => path === "/bin/sh"), true);
      assertEquals(unknown, [tree.at("gone"), tree.at("loop")]);
    },
  },
);
