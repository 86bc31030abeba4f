/** Where tests are run, and how long a mutant may keep one busy. */
export interface TestRun {
  /** The copy of the tree that is broken. */
  readonly directory: string;
  /** Where no test ends for so many milliseconds, a mutant is taken for one that has no end. */
  readonly patience: number;
}

/** What noticed: a test, by its file and name, or the tests that had no end. Null where none did. */
export type Killer = string | null;

/**
 * The tests that see evidence and guards from outside: the laws, and the command line's transcripts.
 * Others would notice more, and take so long that nobody would ask a hundred times; a survivor gets a
 * test near the code.
 */
const ELSEWHERE = ["tests/laws_test.ts", "tests/commands/scripts_test.ts"];

/** How `deno test` names a test that fails, by its place. */
const FAILED_TEST = /^(.+) => \.\/(.+?):\d+:\d+$/m;

/**
 * Which tests to ask about a file, the narrow ones first: those named after it, those of its room,
 * those of its area, and those that use it from further away.
 *
 * @param file Such as `src/guards/lock/lock.ts`
 * @param exists Tells whether something is in the tree
 */
export function listStages(file: string, exists: (path: string) => boolean): string[][] {
  const path = file.replace(/^src\//, "tests/");
  const own = path.replace(/\.ts$/, "_test.ts");
  const room = path.slice(0, path.lastIndexOf("/"));
  const area = path.split("/").slice(0, 2).join("/");
  const stages = [[own], [room], [area], ELSEWHERE];
  const seen = new Set<string>();
  return stages
    .map((stage) => stage.filter((test) => exists(test) && !seen.has(test) && seen.add(test)))
    .filter((stage) => stage.length > 0);
}

/**
 * Runs tests over a broken tree, stage by stage, until one fails.
 *
 * @param stages The tests
 * @param run Where, and how long
 * @returns The first test that fails
 */
export async function findKiller(stages: readonly string[][], run: TestRun): Promise<Killer> {
  for (const stage of stages) {
    const killer = await findFailure(stage, run);
    if (killer !== null) return killer;
  }
  return null;
}

/**
 * Tells whether the type checker takes a file.
 *
 * @param file Its path in the tree
 * @param directory The tree
 */
export async function isTyped(file: string, directory: string): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--lock=tests/deno.lock", file],
    cwd: directory,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

async function findFailure(
  tests: readonly string[],
  { directory, patience }: TestRun,
): Promise<Killer> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--lock=tests/deno.lock",
      "-P",
      "--quiet",
      "--no-check",
      "--parallel",
      "--fail-fast",
      ...tests,
    ],
    cwd: directory,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  // Not a test's sleep: a broken loop has no end that could be awaited.
  const stop = (): void => child.kill("SIGKILL");
  let timer = setTimeout(stop, patience);
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    clearTimeout(timer);
    timer = setTimeout(stop, patience);
  }
  const { success, signal } = await child.status;
  clearTimeout(timer);
  if (success) return null;
  if (signal !== null) return `no end of ${tests.join(" ")}`;
  const [, name, file] = FAILED_TEST.exec(output) ?? [];
  return file === undefined ? `an error in ${tests.join(" ")}` : `${file}: ${name}`;
}
