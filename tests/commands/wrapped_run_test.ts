import { DOCUMENT_NAMES, type Finding, sha256Hex } from "../../mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { waitUntilTaken } from "../await_process.ts";
import { CLI, decode, runKprov } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN = "runs/2026-02-15T20-13-00Z";
const COMMAND = ["--allow-read", "--allow-write", "--allow-run"];

/** The tests of this file start programs of a POSIX system. */
const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

function start(tree: TemporaryTree, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...COMMAND, CLI, ...args],
    cwd: tree.path,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function isInstalled(program: string): Promise<boolean> {
  const args = ["-c", 'command -v "$1"', "sh", program];
  return (await new Deno.Command("sh", { args, stdout: "null" }).output()).success;
}

function readSummary(tree: TemporaryTree): Record<string, unknown> {
  return JSON.parse(Deno.readTextFileSync(tree.at(`${RUN}/run_summary.json`)));
}

/** Waits until a program says that it is there. */
async function waitForFile(path: string): Promise<void> {
  for (let i = 0; i < 2400; i++) {
    try {
      Deno.lstatSync(path);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error(`${path} did not come`);
}

function makeNoise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = 1; i < length; i++) {
    x = (x * 1103515245 + 12345) & 0x7fffffff;
    bytes[i] = x >> 16;
  }
  return bytes;
}

Deno.test(
  "ten megabytes of noise pass through standard input, output and error untouched",
  POSIX,
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const noise = makeNoise(10_000_000);
    const args = ["a.txt", "--quiet", "--at", AT, "--", "sh", "-c", "tee /dev/stderr"];
    const child = start(tree, args);
    const writer = child.stdin.getWriter();
    const [output] = await Promise.all([
      child.output(),
      writer.write(noise).then(() => writer.close()),
    ]);
    assertEquals(output.code, 0);
    assertEquals(sha256Hex(output.stdout), sha256Hex(noise));
    assertEquals(sha256Hex(output.stderr), sha256Hex(noise));
    const digest = sha256Hex(noise);
    assertEquals(readSummary(tree)["command_output"], { stdout: digest, stderr: digest });
  },
);

Deno.test("output comes when it is printed, not when the command ends", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const child = start(tree, ["a.txt", "--quiet", "--", "sh", "-c", "printf ready; read answer"]);
  const reader = child.stdout.getReader();
  const first = await reader.read();
  assertEquals(decode(first.value ?? new Uint8Array()), "ready");
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("go\n"));
  await writer.close();
  reader.releaseLock();
  assertEquals((await child.output()).code, 0);
});

Deno.test("the result begins on a line of its own, and only JSON comes on standard output", {
  ...POSIX,
}, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const options = { cwd: tree.path, permissions: COMMAND };
  const halves = ["--", "sh", "-c", "printf half; printf other >&2"];
  const text = await runKprov(["a.txt", ...halves], options);
  assertEquals([text.code, text.stdout], [0, "half"]);
  assertEquals(text.stderr.split("\n").map((line) => line.slice(0, 8).trim()), [
    "other",
    "Run",
    "Evidence",
    "Inputs",
    "Products",
    "Next",
    "",
  ]);
  const json = await runKprov(["a.txt", "--format", "json", ...halves], options);
  assertEquals(json.stderr, "other");
  assertEquals(JSON.parse(json.stdout.replace(/^half\n/, "")).outcome, "completed");
});

const SEES = "for n in 0 1 2; do test -t $n && echo $n; done; printf half >&2";

Deno.test("--no-capture leaves the terminal to the command, and records no digest", {
  ignore: Deno.build.os !== "linux" || !(await isInstalled("script")),
}, async () => {
  using tree = makeTree({ "a.txt": "a", "sees.sh": SEES });
  const kprov = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...COMMAND, CLI];
  const runOnTerminal = async (flags: readonly string[]): Promise<string> => {
    const args = [...kprov, "a.txt", "--quiet", "--at", AT, ...flags, "--", "sh", "sees.sh"];
    const { stdout } = await new Deno.Command("script", {
      args: ["-qec", `'${args.join("' '")}'`, "/dev/null"],
      cwd: tree.path,
    }).output();
    return decode(stdout).replaceAll("\r", "");
  };
  assertEquals(await runOnTerminal(["--no-capture"]), "0\n1\n2\nhalf");
  assertEquals(readSummary(tree)["command_output"], null);
  const verified = await runKprov(["verify", "runs", "--root", "."], { cwd: tree.path });
  assertEquals([verified.code, verified.stderr], [0, ""], verified.stdout);
  assertEquals(await runOnTerminal([]), "0\nhalf");
});

Deno.test("--no-capture leaves the outputs to the command, and the result comes after them", {
  ...POSIX,
}, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const script = "echo out; echo err >&2; exit 3";
  const { code, stdout, stderr } = await runKprov(
    ["a.txt", "--no-capture", "--format", "json", "--at", AT, "--", "sh", "-c", script],
    { cwd: tree.path, permissions: COMMAND },
  );
  assertEquals([code, stderr], [3, "err\n"]);
  const { outcome, exit_code } = JSON.parse(stdout.replace(/^out\n/, ""));
  assertEquals([outcome, exit_code], ["command_failed", 3]);
});

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
  Deno.test(
    `${signal} is passed on to the command, and its evidence is written`,
    POSIX,
    async () => {
      using tree = makeTree({ "a.txt": "a" });
      const script = "printf half; touch started; exec sleep 60";
      const args = ["a.txt", "--format", "json", "--quiet", "--at", AT, "--", "sh", "-c", script];
      const child = start(tree, args);
      await waitForFile(tree.at("started"));
      await waitUntilTaken(child, signal);
      child.kill(signal);
      const { code: ended, stdout, stderr } = await child.output();
      assertEquals([ended, decode(stderr)], [code, ""]);
      assertStringIncludes(decode(stdout), "half\n{\n");
      const summary = readSummary(tree);
      assertEquals([summary["outcome"], summary["exit_code"]], ["command_failed", code]);
      assertEquals((await runKprov(["verify", "runs"], { cwd: tree.path })).code, 0);
    },
  );
}

Deno.test("a command that takes a signal and ends well has ended well", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const script = `trap 'touch made; exit 0' TERM; touch started; while :; do sleep 0.1; done`;
  const args = ["a.txt", "--products", "made", "--quiet", "--at", AT, "--", "sh", "-c", script];
  const child = start(tree, args);
  await waitForFile(tree.at("started"));
  await waitUntilTaken(child, "SIGTERM");
  child.kill("SIGTERM");
  assertEquals((await child.output()).code, 0);
  assertEquals(readSummary(tree)["products"], { count: 1, bytes: 0 });
});

Deno.test(
  "what a command leaves running does not keep a signal from ending it",
  POSIX,
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const script = "(sleep 60; touch late) & echo $! > left; touch started; wait";
    const child = start(tree, ["a.txt", "--quiet", "--at", AT, "--", "sh", "-c", script]);
    await waitForFile(tree.at("started"));
    await waitUntilTaken(child, "SIGTERM");
    child.kill("SIGTERM");
    const { code } = await child.status;
    await Promise.all([child.stdout.cancel(), child.stderr.cancel(), child.stdin.close()]);
    assert(!listNames(tree.path).includes("late"));
    Deno.kill(Number(Deno.readTextFileSync(tree.at("left"))), "SIGKILL");
    assertEquals(code, 143);
    assertEquals(readSummary(tree)["exit_code"], 143);
  },
);

Deno.test(
  "a run ends with its command, though what that left running keeps its output open",
  POSIX,
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const script = "sleep 300 & echo $! > left; echo x";
    const ended = await runKprov(
      ["a.txt", "--format", "json", "--at", AT, "--", "sh", "-c", script],
      { cwd: tree.path, permissions: COMMAND },
    );
    Deno.kill(Number(Deno.readTextFileSync(tree.at("left"))), "SIGKILL");
    assertEquals(ended.code, 0);
    const { findings } = JSON.parse(ended.stdout.replace(/^x\n/, ""));
    const told = ["standard error", "standard output"].map((name) =>
      `${name} was still open when the command had ended: its digest covers what came until then`
    );
    assertEquals(
      findings.map(({ code, level, message }: Finding) => [code, level, message]),
      told.map((message) => ["output.open", "note", message]),
    );
    const notes = told.map((message) => `note: output.open: ${message}\n`).join("");
    const hint = "hint: let the command wait for what it starts, or give that another output\n";
    assertEquals(ended.stderr, notes + hint);
    assertEquals(readSummary(tree)["command_output"], {
      stdout: sha256Hex("x\n"),
      stderr: sha256Hex(""),
    });
  },
);

Deno.test(
  "what is in the pipe when the command ends is passed on, however late it is read",
  POSIX,
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    // The reader waits for longer than kprov waits for output of which there is no end.
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", '"$@" | { sleep 3; wc -c; }', "sh"].concat(
        [Deno.execPath(), "run", "--quiet", "--no-prompt", ...COMMAND, CLI],
        ["a.txt", "--quiet", "--at", AT, "--", "sh", "-c", "head -c 190000 /dev/zero"],
      ),
      cwd: tree.path,
    }).output();
    assertEquals(decode(stdout).trim(), "190000");
    assertEquals(readSummary(tree)["command_output"], {
      stdout: sha256Hex(new Uint8Array(190_000)),
      stderr: sha256Hex(""),
    });
  },
);

Deno.test("output without an end of what a command left running is left", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const { code } = await new Deno.Command("sh", {
    args: ["-c", 'exec "$@" > /dev/null', "sh"].concat(
      [Deno.execPath(), "run", "--quiet", "--no-prompt", ...COMMAND, CLI],
      ["a.txt", "--quiet", "--at", AT, "--", "sh", "-c", "yes & echo $! > left"],
    ),
    cwd: tree.path,
  }).output();
  assertEquals(code, 0);
  assertEquals(readSummary(tree)["outcome"], "completed");
});

Deno.test("where nobody reads its output, the command ends as without kprov", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const kprov = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...COMMAND, CLI];
  const script = `{ "$@"; echo $? > code; } | head -1`;
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", ...kprov, "a.txt", "--quiet", "--at", AT, "--", "yes"],
    cwd: tree.path,
  }).output();
  assertEquals(decode(stdout), "y\n");
  assertEquals(Deno.readTextFileSync(tree.at("code")), "141\n");
  assertEquals(readSummary(tree)["outcome"], "command_failed");
});

Deno.test(
  "no document holds a value of the environment, a path of the machine or its name",
  POSIX,
  async () => {
    const secret = "correct-horse-battery";
    using tree = makeTree({
      [`${secret}/a.txt`]: "a",
      [`${secret}/s.py`]: "#!/usr/bin/env sh\necho $TOKEN > out\n",
    });
    const home = tree.at(secret);
    Deno.chmodSync(`${home}/s.py`, 0o755);
    const variables = ["TOKEN", "HOME", "USER", "LOGNAME", "HOSTNAME", "PWD", "TMPDIR"];
    const env = {
      ...Object.fromEntries(variables.map((name) => [name, `${secret}-${name}`])),
      PATH: `/${secret}:${Deno.env.get("PATH")}`,
    };
    const flags = variables.flatMap((name) => ["--env", name]);
    const ended = await runKprov(
      ["a.txt", "--quiet", "--products", "out", "--tool", "sort", "--at", AT, ...flags]
        .concat("--", "./s.py"),
      { cwd: home, env, permissions: ["--allow-all"] },
    );
    assertEquals(ended, { code: 0, stdout: ended.stdout, stderr: "" });
    assertStringIncludes(Deno.readTextFileSync(`${home}/out`), secret);
    const texts = DOCUMENT_NAMES.map((name) => Deno.readTextFileSync(`${home}/${RUN}/${name}`));
    for (const word of [secret, tree.path, Deno.hostname(), Deno.execPath()]) {
      assert(!texts.join("").includes(word), `${word} is in a document`);
    }
    assertStringIncludes(texts.join(""), `"TOKEN"`);
  },
);

Deno.test("the command runs in the root, whatever the working directory", POSIX, async () => {
  using tree = makeTree({ "data/a.txt": "a", "data/deep/b.txt": "b" });
  const ended = await runKprov(
    ["b.txt", "--root", "..", "--products", "../made", "--out", "../../runs", "--at", AT]
      .concat("--quiet", "--", "sh", "-c", 'pwd > made; printf "%s\n" "$PWD" >> made'),
    { cwd: tree.at("data/deep"), permissions: COMMAND },
  );
  assertEquals(ended, { code: 0, stdout: "", stderr: "" });
  const directory = tree.at("data");
  assertEquals(Deno.readTextFileSync(tree.at("data/made")), `${directory}\n${directory}\n`);
  const provenance = JSON.parse(Deno.readTextFileSync(tree.at(`${RUN}/provenance.json`)));
  assertEquals(provenance.subject[0].name, "made");
});

Deno.test("the program is recorded as the file behind its links, and started by its own name", {
  ...POSIX,
}, async () => {
  using tree = makeTree({ "a.txt": "a", "real": '#!/bin/sh\necho "${0##*/}"\n' });
  Deno.chmodSync(tree.at("real"), 0o755);
  Deno.symlinkSync("real", tree.at("called"));
  const ended = await runKprov(["a.txt", "--quiet", "--at", AT, "--", "./called"], {
    cwd: tree.path,
    permissions: COMMAND,
  });
  assertEquals(ended.stdout, "called\n");
  const { tools } = JSON.parse(Deno.readTextFileSync(tree.at(`${RUN}/toolchain.json`)));
  const { name, sha256 } = tools[0];
  assertEquals([name, sha256], ["./called", sha256Hex(Deno.readFileSync(tree.at("real")))]);
});

Deno.test("a program that changes under the command is refused", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a", "self.sh": "#!/bin/sh\necho '#' >> self.sh\n" });
  Deno.chmodSync(tree.at("self.sh"), 0o755);
  const ended = await runKprov(["a.txt", "--", "./self.sh"], {
    cwd: tree.path,
    permissions: COMMAND,
  });
  assertEquals(ended.code, 65);
  assertStringIncludes(ended.stderr, `finding: tool.changed: "./self.sh"`);
  assertEquals(listNames(tree.at("runs")), []);
});

Deno.test("the same command gives the same evidence under every permission that it works with", {
  ...POSIX,
}, async () => {
  using tree = makeTree({ "a.txt": "b\na\n" });
  const forms = [
    ["--allow-all"],
    ["--allow-read", "--allow-write", "--allow-run"],
    ["--allow-read", "--allow-write", "--allow-run=sort"],
    ["--allow-read", "--allow-write", "--allow-run=sort", "--allow-env=PATH"],
  ];
  const digests = [];
  for (const permissions of forms) {
    const ended = await runKprov(
      ["a.txt", "--products", "b.txt", "--format", "json", "--", "sort", "a.txt", "-o", "b.txt"],
      { cwd: tree.path, permissions },
    );
    assertEquals([ended.code, ended.stderr], [0, ""]);
    digests.push(JSON.parse(ended.stdout).evidence_digest);
  }
  assertEquals(new Set(digests).size, 1);
});

Deno.test(
  "a signal that Deno has no name for ends a command as any other",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const command = ["sh", "-c", "kill -34 $$"];
    const { code, stderr } = await runKprov(
      ["a.txt", "--at", AT, "--", ...command],
      { cwd: tree.path, permissions: COMMAND },
    );
    assertEquals(code, 162, stderr);
    assertEquals(readSummary(tree)["outcome"], "command_failed");
    const verified = await runKprov(["verify", RUN, "--root", "."], { cwd: tree.path });
    assertEquals(verified.code, 0, verified.stdout);
  },
);
