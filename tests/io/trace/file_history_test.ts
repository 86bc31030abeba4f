import { assert, assertEquals } from "@std/assert";
import { type FileHistory, FileReplay } from "../../../src/io/trace/file_history.ts";
import { LineSplitter, TraceReader } from "../../../src/io/trace/strace_log.ts";
import { testdata } from "../../paths.ts";

/** Replays a real trace, taken in /tmp/w, in pieces of some size. */
function replay(trace: Uint8Array | string, pieces = 1000): FileHistory {
  const bytes = typeof trace === "string" ? new TextEncoder().encode(trace) : trace;
  const pid = Number(/^[0-9]+/.exec(new TextDecoder().decode(bytes))?.[0]);
  const replayed = new FileReplay({ pid, directory: "/tmp/w", resolveLinks: (path) => path });
  const splitter = new LineSplitter();
  const reader = new TraceReader();
  for (let i = 0; i < bytes.length; i += pieces) {
    for (const line of splitter.take(bytes.subarray(i, i + pieces))) {
      const event = reader.read(line);
      if (event !== null) replayed.take(event);
    }
  }
  return replayed.finish();
}

function readTrace(name: string): Uint8Array {
  return Deno.readFileSync(testdata(`strace/${name}.trace`));
}

function below(paths: Iterable<string>): string[] {
  return [...paths].filter((path) => path.startsWith("/tmp/w/")).map((path) => path.slice(7))
    .sort();
}

Deno.test("FileReplay reads what a Python with threads, descriptors and links did", () => {
  const history = replay(readTrace("python"));
  // hl is another name of a.txt; old was renamed before what is in it was read.
  assertEquals(below(history.read.keys()), [
    "a.txt",
    "maybe.log",
    "old/inner",
    "rw.db",
    "s2",
    "th.py",
  ]);
  assertEquals(below(history.doubtful), ["maybe.log"]);
  assertEquals(
    below(history.written),
    ["hl", "maybe.log", "moved", "moved/f", "new", "thr0.txt", "thr1.txt"]
      .filter((name) => name !== "maybe.log"),
  );
  assertEquals(below(history.opened), ["maybe.log", "rw.db"]);
  assertEquals(below(history.executed), ["s2"]);
  assertEquals(history.moved.map(({ from, to }) => `${from} ${to}`), [
    "/tmp/w/a.txt /tmp/w/hl",
    "/tmp/w/old /tmp/w/new",
  ]);
  assertEquals([...history.connections], [["internet", 1]]);
  assertEquals([...history.gaps], []);
  assertEquals([history.running, history.isWhole], [0, true]);
});

Deno.test("FileReplay follows a shell with names of any bytes, and waits for what it left in the background", () => {
  const history = replay(readTrace("shell"));
  assertEquals(below(history.read.keys()), ["a.txt", "s.sh", 'sub/we"ird\n>\udcff<, )']);
  assertEquals(history.read.get("/tmp/w/a.txt"), "/tmp/w/l");
  assertEquals(below(history.written), []);
  assertEquals([...history.executed].map((path) => path.split("/").at(-1)).sort(), [
    "cat",
    "mv",
    "rm",
    "sh",
    "sleep",
  ]);
  assertEquals([history.running, history.isWhole], [0, true]);
});

Deno.test("FileReplay knows the program that a thread executed, though strace loses its result", () => {
  const history = replay(readTrace("thread_exec"));
  assertEquals([...history.executed].at(-1), "/bin/cat");
  assertEquals(below(history.read.keys()), ["a.txt", "thexec.py"]);
  assertEquals([history.running, history.isWhole], [0, true]);
});

Deno.test("FileReplay knows a process that a signal killed to be over", () => {
  const history = replay(readTrace("killed"));
  assertEquals([history.running, history.isWhole], [0, true]);
});

Deno.test("FileReplay gives the same for pieces of any size", () => {
  for (const name of ["python", "shell", "thread_exec"]) {
    const bytes = readTrace(name);
    assertEquals(replay(bytes, 7), replay(bytes, 1 << 20), name);
  }
});

Deno.test("FileReplay says so where the trace is cut anywhere", () => {
  const text = new TextDecoder().decode(readTrace("shell"));
  const lines = text.split("\n").slice(0, -1);
  for (let n = 1; n < lines.length; n++) {
    const { isWhole, running } = replay(`${lines.slice(0, n).join("\n")}\n`);
    assert(!isWhole || running > 0, `${n} lines pass for the whole trace`);
  }
});

const START = '7 execve("/bin/x", ["x"], 0x1 /* 1 var */) = 0\n';
const END = "7 +++ exited with 0 +++\n";

/** What each system call makes of a history, by itself. */
const CALLS: readonly {
  readonly name: string;
  readonly lines: readonly string[];
  readonly expected: Partial<Record<"read" | "doubtful" | "written" | "opened", readonly string[]>>;
}[] = [
  { name: "open reads", lines: ['open("a", O_RDONLY) = 3'], expected: { read: ["a"] } },
  {
    name: "a failed open reads nothing",
    lines: ['open("a", O_RDONLY) = -1 ENOENT (No such file or directory)'],
    expected: {},
  },
  {
    name: "O_PATH reads nothing",
    lines: ['openat(AT_FDCWD, "a", O_RDONLY|O_PATH) = 3'],
    expected: {},
  },
  {
    name: "a directory is no file",
    lines: [
      'open("d", O_RDONLY) = 3</tmp/w/d>',
      "getdents64(3</tmp/w/d>, 0x1 /* 2 entries */, 9) = 9",
    ],
    expected: {},
  },
  {
    name: "openat is relative to a descriptor",
    lines: ['openat(3<\\x2f\\x74\\x6d\\x70\\x2f\\x77\\x2fd>, "a", O_RDONLY) = 4'],
    expected: { read: ["d/a"] },
  },
  {
    name: "openat2 reads",
    lines: ['openat2(AT_FDCWD, "a", {flags=O_RDONLY, resolve=0}, 24) = 3'],
    expected: { read: ["a"] },
  },
  {
    name: "what was made anew is not read",
    lines: ['creat("a", 0666) = 3', 'open("a", O_RDONLY) = 3'],
    expected: { written: ["a"] },
  },
  {
    name: "what was read before it was made is",
    lines: ['open("a", O_RDONLY) = 3', 'creat("a", 0666) = 3'],
    expected: { read: ["a"], written: ["a"] },
  },
  {
    name: "appending makes what may not have been there",
    lines: ['open("a", O_WRONLY|O_CREAT|O_APPEND, 0666) = 3', 'open("a", O_RDONLY) = 3'],
    expected: { read: ["a"], doubtful: ["a"], opened: ["a"] },
  },
  {
    name: "what was read first was there",
    lines: ['open("a", O_RDWR|O_CREAT, 0666) = 3', 'unlink("a") = 0', 'open("a", O_RDONLY) = 3'],
    expected: { read: ["a"], doubtful: ["a"] },
  },
  {
    name: "opening for both reads",
    lines: ['open("a", O_RDWR) = 3'],
    expected: { read: ["a"], opened: ["a"] },
  },
  {
    name: "what is removed is not written",
    lines: ['creat("a", 0666) = 3', 'unlinkat(AT_FDCWD, "a", 0) = 0'],
    expected: {},
  },
  {
    name: "a renamed file is known by its first name",
    lines: ['rename("a", "b") = 0', 'open("b", O_RDONLY) = 3'],
    expected: { read: ["a"], written: ["b"] },
  },
  {
    name: "a made file stays made under another name",
    lines: [
      'creat("a", 0666) = 3',
      'renameat2(AT_FDCWD, "a", AT_FDCWD, "b", 0) = 0',
      'open("b", O_RDONLY) = 3',
    ],
    expected: { written: ["b"] },
  },
  {
    name: "exchanged files are known by their first names",
    lines: [
      'creat("a", 0666) = 3',
      'renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE) = 0',
      'open("a", O_RDONLY) = 3',
      'open("b", O_RDONLY) = 4',
    ],
    expected: { read: ["b"], written: ["a", "b"] },
  },
  {
    name: "a file in a renamed directory is known by its first name",
    lines: ['rename("d", "e") = 0', 'open("e/f/g", O_RDONLY) = 3'],
    expected: { read: ["d/f/g"], written: ["e"] },
  },
  {
    name: "a directory renamed twice",
    lines: ['rename("d", "e") = 0', 'rename("e", "f") = 0', 'open("f/g", O_RDONLY) = 3'],
    expected: { read: ["d/g"], written: ["f"] },
  },
  {
    name: "a file of a made directory that was renamed",
    lines: [
      'mkdir("d", 0777) = 0',
      'creat("d/a", 0666) = 3',
      'rename("d", "e") = 0',
      'open("e/a", O_RDONLY) = 3',
    ],
    expected: { written: ["e", "e/a"] },
  },
  {
    name: "a hard link is another name of a file",
    lines: ['link("a", "b") = 0', 'open("b", O_RDONLY) = 3'],
    expected: { read: ["a"], written: ["b"] },
  },
  {
    name: "a FIFO that was made is the command's own",
    lines: [
      'mknodat(AT_FDCWD, "a", S_IFIFO|0666) = 0',
      'mknod("b", S_IFIFO|0666) = 0',
      'open("a", O_RDONLY) = 3',
      'open("b", O_RDONLY) = 4',
    ],
    expected: {},
  },
  {
    name: "truncate to nothing makes anew",
    lines: ['truncate("a", 0) = 0', 'open("a", O_RDONLY) = 3'],
    expected: { written: ["a"] },
  },
  {
    name: "truncate to some length does not",
    lines: ['truncate("a", 5) = 0', 'open("a", O_RDONLY) = 3'],
    expected: { read: ["a"], written: ["a"] },
  },
  {
    name: "chdir holds for what follows",
    lines: [
      'chdir("d") = 0',
      'open("a", O_RDONLY) = 3',
      'chdir("..") = 0',
      'open("a", O_RDONLY) = 3',
    ],
    expected: { read: ["a", "d/a"] },
  },
  {
    name: "chdir of a thread holds for its process",
    lines: [
      "clone(child_stack=0x1, flags=CLONE_VM|CLONE_FS|CLONE_THREAD) = 8",
      'X8 chdir("d") = 0',
      'open("a", O_RDONLY) = 3',
      "X8 +++ exited with 0 +++",
    ],
    expected: { read: ["d/a"] },
  },
  {
    name: "a child inherits its directory",
    lines: [
      'chdir("d") = 0',
      "fork() = 8",
      'chdir("..") = 0',
      'X8 open("a", O_RDONLY) = 3',
      "X8 +++ exited with 0 +++",
    ],
    expected: { read: ["d/a"] },
  },
  {
    name: "a child inherits it also before its fork has ended",
    lines: [
      'chdir("d") = 0',
      "vfork( <unfinished ...>",
      'X8 open("a", O_RDONLY) = 3',
      "X8 +++ exited with 0 +++",
      "<... vfork resumed>) = 8",
    ],
    expected: { read: ["d/a"] },
  },
];

for (const { name, lines, expected } of CALLS) {
  Deno.test(`FileReplay: ${name}`, () => {
    const text = lines.map((line) => line.startsWith("X") ? line.slice(1) : `7 ${line}`).join("\n");
    const history = replay(`${START}${text}\n${END}`);
    const seen = {
      read: below(history.read.keys()),
      doubtful: below(history.doubtful),
      written: below(history.written),
      opened: below(history.opened),
    };
    assertEquals(seen, { read: [], doubtful: [], written: [], opened: [], ...expected });
    assertEquals([history.running, history.isWhole, [...history.gaps]], [0, true, []]);
  });
}

Deno.test("FileReplay tells what may have happened unseen", () => {
  const lines: readonly (readonly [line: string, gap: RegExp])[] = [
    ["io_uring_setup(8, {flags=0}) = 3", /io_uring/],
    ["unshare(CLONE_NEWNS|CLONE_NEWUSER) = 0", /namespace of its own/],
    ['chroot("/tmp") = 0', /root directory/],
    ["open(0x7f, O_RDONLY) = 3", /whose name is unknown/],
    ["what strace never writes", /line of the trace/],
    ["<... openat resumed>) = 3", /line of the trace/],
  ];
  for (const [line, gap] of lines) {
    const { gaps } = replay(`${START}7 ${line}\n${END}`);
    assertEquals([...gaps].filter((text) => gap.test(text)).length, 1, line);
  }
});

Deno.test("FileReplay tells why the system did not start a command", () => {
  const { startFault, isWhole } = replay(
    '7 execve("/x", ["x"], 0x1) = -1 ENOEXEC (Exec format error)\n7 +++ exited with 1 +++\n',
  );
  assertEquals([startFault, isWhole], ["Exec format error", false]);
});

Deno.test("LineSplitter holds no more than a line, however long one is", () => {
  const splitter = new LineSplitter();
  const piece = new Uint8Array(1 << 20).fill(0x61);
  for (let i = 0; i < 20; i++) assertEquals([...splitter.take(piece)], []);
  const [line = "", ...more] = splitter.take(new TextEncoder().encode("\nb\n"));
  assert(line.length < 1 << 21);
  assertEquals(more, ["b"]);
  assertEquals(new TraceReader().read(`7 open("${line}`), { kind: "unread" });
});
