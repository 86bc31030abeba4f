import { sha256Hex } from "../../mod.ts";
import { letGo } from "../../src/io/host.ts";
import { assert, assertEquals } from "../assert.ts";
import { CLI, decode } from "../run_kprov.ts";
import { listNames, makeTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN = "runs/2026-02-15T20-13-00Z";
const KPROV = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-all", CLI];

/**
 * Runs a program with one of its streams a pipe of one page that does not block, begins to read only
 * when it is full, and prints the number of bytes, their digest and the exit code. Where a file is
 * named, it begins when that is there, and reads slowly, so that all who wait to write get their turn.
 */
const READ_LATE = `
import fcntl, hashlib, os, select, subprocess, sys, time
stream, awaited, *command = sys.argv[1:]
reader, writer = os.pipe()
fcntl.fcntl(writer, 1031, 4096)
fcntl.fcntl(writer, fcntl.F_SETFL, fcntl.fcntl(writer, fcntl.F_GETFL) | os.O_NONBLOCK)
child = subprocess.Popen(command, stdin=subprocess.DEVNULL, **{stream: writer})
while select.select([], [writer], [], 0)[1] and child.poll() is None:
    time.sleep(0.01)
time.sleep(0.3)
latest = time.monotonic() + 20
while awaited and not os.path.exists(awaited) and time.monotonic() < latest:
    time.sleep(0.01)
os.close(writer)
content = bytearray()
while piece := os.read(reader, 4096 if awaited else 65536):
    content += piece
    time.sleep(0.06 if awaited else 0)
print(len(content), hashlib.sha256(content).hexdigest(), child.wait())
`;

const reason = await (async () => {
  if (Deno.build.os !== "linux") return "pipes of one page are Linux's";
  try {
    await new Deno.Command("python3", { args: ["--version"] }).output();
    return null;
  } catch {
    return "python3 is not installed";
  }
})();

async function readLate(
  stream: "stdout" | "stderr",
  args: readonly string[],
  cwd: string,
  { program = KPROV, awaited = "" } = {},
) {
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", READ_LATE, stream, awaited, ...program, ...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { told: decode(stdout).trim(), others: decode(stderr) };
}

for (const stream of ["stdout", "stderr"] as const) {
  Deno.test(
    ...unless(reason, `a command's ${stream} passes whole through a pipe that does not block`),
    async () => {
      using tree = makeTree({ "a.txt": "a" });
      // Words without a line, short lines, one that is longer than any buffer, ends of lines.
      const script = 'i=0; while [ $i -lt 2000 ]; do printf "$i "; i=$((i+1)); done; ' +
        "seq 60000; head -c 100000 /dev/zero; seq 9; head -c 700 /dev/zero; printf end";
      const printed = new Deno.Command("sh", { args: ["-c", script] }).outputSync().stdout;
      const redirected = stream === "stdout" ? script : `{ ${script}; } >&2`;
      const args = ["a.txt", "--quiet", "--at", AT, "--", "sh", "-c", redirected];
      const digest = sha256Hex(printed);
      const { told, others } = await readLate(stream, args, tree.path);
      assertEquals([told, others], [`${printed.length} ${digest} 0`, ""]);
      const summary = JSON.parse(Deno.readTextFileSync(tree.at(`${RUN}/run_summary.json`)));
      assertEquals(summary.command_output[stream], digest);
    },
  );
}

/** Prints on both streams, the second when the first is taken, and makes a file when that is taken too. */
const PRINT_IN_TURN = `
import array, fcntl, os, termios, time
def print_on(stream, text):
    assert os.write(stream, text) == len(text)
    left = array.array("i", [1])
    while left[0]:
        time.sleep(0.01)
        fcntl.ioctl(stream, termios.FIONREAD, left)
print_on(1, b"".join(b"%d\\n" % i for i in range(9999)))
print_on(2, b"last\\n")
open("taken", "w").close()
`;

Deno.test(
  ...unless(reason, "what comes first gets there first, where both streams lead to one place"),
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const kprov = [...KPROV, "a.txt", "--quiet", "--", "python3", "-c", PRINT_IN_TURN];
    const args = ["-c", 'exec "$@" 2>&1', "sh", ...kprov];
    // Nothing is read before kprov has both in its hands.
    const options = { program: ["sh"], awaited: tree.at("taken") };
    const { told } = await readLate("stdout", args, tree.path, options);
    assertEquals(listNames(tree.path).includes("taken"), true);
    const numbers = Array.from({ length: 9999 }, (_, i) => `${i}\n`).join("");
    const printed = `${numbers}last\n`;
    assertEquals(told, `${printed.length} ${sha256Hex(printed)} 0`);
  },
);

Deno.test(
  ...unless(reason, "a result is printed whole on a pipe that does not block"),
  async () => {
    using tree = makeTree();
    const args = ["schema", "provenance.json"];
    const printed = new Deno.Command(KPROV[0] ?? "", { args: [...KPROV.slice(1), ...args] })
      .outputSync().stdout;
    const { told, others } = await readLate("stdout", args, tree.path);
    assertEquals([told, others], [`${printed.length} ${sha256Hex(printed)} 0`, ""]);
  },
);

Deno.test(
  ...unless(reason, "a message is printed whole on a pipe that does not block"),
  async () => {
    using tree = makeTree();
    // The name stands in the message.
    const name = "n".repeat(9000);
    const { told } = await readLate("stderr", [name], tree.path);
    const message = `error: Cannot read input "${name}": its name is too long\n`;
    const digest = sha256Hex(message);
    assertEquals(told, `${message.length} ${digest} 74`);
  },
);

Deno.test(...unless(reason, "output that cannot be passed on refuses the run"), async () => {
  using tree = makeTree({ "a.txt": "a" });
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", 'exec "$@" > /dev/full', "sh", ...KPROV, "a.txt", "--quiet", "--", "echo", "lost"],
    cwd: tree.path,
    env: { NO_COLOR: "1" },
  }).output();
  const message = "Cannot write to standard output: no space is left on the device";
  assertEquals([code, decode(stderr)], [74, `error: ${message}\n`]);
  assertEquals(listNames(tree.at("runs")), []);
});

Deno.test(...unless(reason, "a reader that takes a part and goes is no error"), async () => {
  using tree = makeTree();
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", '{ "$@"; echo $? > code; } | head -c 600', "sh", ...KPROV, "schema"]
      .concat("provenance.json"),
    cwd: tree.path,
  }).output();
  const code = Deno.readTextFileSync(tree.at("code"));
  assertEquals([stdout.length, decode(stderr), code], [600, "", "0\n"]);
});

Deno.test("letGo() lets go of what is not in use, once the process has grown much", async () => {
  const grown = new Uint8Array(400 * 2 ** 20).fill(1);
  const unused = new WeakRef({});
  // What a reference was made of lives until this turn of the event loop ends.
  await new Promise((resolve) => setTimeout(resolve));
  assert(letGo().rss > 0 && grown.length > 0);
  assertEquals(unused.deref(), undefined);
});
