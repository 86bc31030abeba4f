import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { ROWS } from "../commands/permission_rows.ts";
import { fillProject, PROJECT } from "../commands/sample_project.ts";
import { CLI, decode, type Ended, runKprov } from "../run_kprov.ts";

const IGNORE = { ignore: Deno.build.os !== "linux" };

/** Every form of every command that prints its result; around a command, that goes to standard error. */
const PRINTING = ROWS.filter(({ args }) => !args.includes("--result"));

if (!IGNORE.ignore) await fillProject();

/** Runs kprov where what it prints goes nowhere; `%` stands for it in the shell's line. */
async function runInto(line: string, args: readonly string[]): Promise<Ended> {
  const kprov = `'${Deno.execPath()}' run -q --no-prompt --allow-all '${CLI}' "$@"`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", line.replaceAll("%", kprov), "bash", ...args],
    cwd: PROJECT.at("w"),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

for (const { args } of PRINTING) {
  Deno.test(
    `kprov ${args.join(" ")} never ends with 0 where its result is lost`,
    IGNORE,
    async () => {
      const isWrapped = args[0] !== "toolchain" && args.includes("--");
      const full = await runInto(isWrapped ? "% > /dev/full 2>&1" : "% > /dev/full", args);
      const gone = await runInto(
        isWrapped ? "% 2>&1 | true; exit $PIPESTATUS" : "% | true; exit $PIPESTATUS",
        args,
      );
      for (const ended of [full, gone]) {
        // What is made only once is there the second time, which comes first.
        assert(
          ended.code === 74 || (ended === gone && ended.code === 73),
          `${ended.code} ${ended.stderr}`,
        );
        if (!isWrapped) assertStringIncludes(ended.stderr, "error: Cannot ");
      }
    },
  );
}

Deno.test("a run that stands is named where its result is lost", IGNORE, async () => {
  const place = PROJECT.at("lost");
  const { code, stderr } = await runInto("% > /dev/full", [
    "a.txt",
    "--out",
    place,
    "--at",
    "2026-02-15T20:13:00Z",
  ]);
  const path = `${place}/2026-02-15T20-13-00Z`;
  assertEquals(code, 74);
  assertEquals(
    stderr,
    "error: Cannot write to standard output: no space is left on the device\n" +
      `hint: the run "${path}" is complete, and only its result is lost\n`,
  );
  assertEquals(
    (await runKprov(["verify", path], { cwd: place, permissions: ["--allow-read"] })).code,
    0,
  );
});

Deno.test(
  "a result that a slow reader takes from a pipe that does not block comes whole",
  IGNORE,
  async () => {
    const whole = await runInto("%", ["schema", "provenance"]);
    const unblock =
      "python3 -c 'import os, sys; os.set_blocking(1, False); os.execvp(sys.argv[1], sys.argv[1:])'";
    const slow = await runInto(`${unblock} % | (sleep 2; cat); exit $PIPESTATUS`, [
      "schema",
      "provenance",
    ]);
    assertEquals(slow, whole);
    assert(whole.stdout.length > 5000);
  },
);
