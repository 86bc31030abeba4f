import type { Program } from "./programs.ts";

/** What one execution took. */
export interface Sample {
  /** By the clock. */
  readonly wallMs: number;
  /** Of all processors together; null where Python is missing. */
  readonly cpuMs: number | null;
  /** The most memory at once; null where Python is missing. */
  readonly peakBytes: number | null;
}

/**
 * Exit codes that are an answer: `git grep` and `kprov diff` say by 1 that there is nothing, or
 * something.
 */
const ANSWERS: readonly number[] = [0, 1];

/** Starts a program and says what it took, to the microsecond; GNU time cuts at hundredths of a second. */
const METER = `
import os, sys, time
told, *command = sys.argv[1:]
start = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - start
with open(told, "w") as file:
    file.write(f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
`;

/** Whether Python is there, which tells what a child's processors and memory did. */
function hasPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["-c", ""] }).outputSync().success;
  } catch {
    return false;
  }
}

const HAS_PYTHON = hasPython();

/**
 * Executes a program once.
 *
 * @param program The program
 * @param cwd Its working directory
 */
export async function measureOnce(program: Program, cwd: string): Promise<Sample> {
  if (!HAS_PYTHON) return { wallMs: await time(program, cwd), cpuMs: null, peakBytes: null };
  const file = Deno.makeTempFileSync({ prefix: "kprov-bench-" });
  try {
    const args = ["-c", METER, file, program.command, ...program.args];
    await time({ ...program, command: "python3", args }, cwd);
    const [wall = NaN, cpu = NaN, peak = NaN] = Deno.readTextFileSync(file).split(" ").map(Number);
    return { wallMs: wall * 1000, cpuMs: cpu * 1000, peakBytes: peak * 1024 };
  } finally {
    Deno.removeSync(file);
  }
}

async function time(program: Program, cwd: string): Promise<number> {
  const command = new Deno.Command(program.command, {
    args: [...program.args],
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const start = performance.now();
  const { code, stderr } = await command.output();
  const wallMs = performance.now() - start;
  if (ANSWERS.includes(code)) return wallMs;
  throw new Error(`${program.name} ended with ${code}: ${new TextDecoder().decode(stderr)}`);
}

/**
 * Executes programs in turn, A B A B, so that what else the machine does falls on all alike.
 *
 * @param programs The programs
 * @param options Where, and how often each
 * @returns The samples of each program
 */
export async function measureInTurn(
  programs: readonly Program[],
  { cwd, rounds }: { readonly cwd: string; readonly rounds: number },
): Promise<readonly (readonly Sample[])[]> {
  const samples: Sample[][] = programs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, program] of programs.entries()) {
      samples[i]?.push(await measureOnce(program, cwd));
    }
  }
  return samples;
}

/**
 * The median of what samples hold.
 *
 * @param samples At least one
 * @param pick What of each
 * @returns Null where that is not known
 */
export function medianOf(
  samples: readonly Sample[],
  pick: (sample: Sample) => number | null,
): number | null {
  const values = samples.map(pick).filter((value) => value !== null).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? null;
}
