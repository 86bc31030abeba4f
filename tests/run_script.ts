import { CLI, decode, NARROW } from "./run_kprov.ts";

/** One command of a transcript, with what it must do. */
export interface ScriptStep {
  /** The line of the transcript, from 1. */
  readonly line: number;
  /** The shell command. */
  readonly command: string;
  /** What it must print, with `<sha256>` and the like for what differs from run to run. */
  readonly stdout: string;
  /** What it must say. */
  readonly stderr: string;
  /** Its exit code. */
  readonly code: number;
}

/** A transcript: commands with what they must do, and the files that they start from. */
export interface Script {
  readonly steps: readonly ScriptStep[];
  readonly files: Readonly<Record<string, string>>;
}

/** What a placeholder in a transcript stands for. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  "<any>": ".*",
  "<deno>": "[0-9]+\\.[0-9]+\\.[0-9]+",
  "<run-id>": "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z",
  "<seconds>": " *[0-9]+\\.[0-9] s",
  "<sha256>": "[0-9a-f]{64}",
  "<version>": "[0-9]+\\.[0-9]+\\.[0-9]+(-rc\\.[0-9]+)?",
};

/**
 * Reads a transcript:
 *
 *     # a comment
 *     $ a shell command
 *     1> a line that it must print
 *     2> a line that it must say
 *     ?> 65
 *     -- a/file.txt --
 *     its content
 *
 * @param text The transcript
 */
export function parseScript(text: string): Script {
  const [commands = "", ...sections] = text.split(/^-- (?=.+ --$)/m);
  const files = Object.fromEntries(sections.map((section) => {
    const end = section.indexOf(" --\n");
    return [section.slice(0, end), section.slice(end + 4)];
  }));
  return { steps: parseSteps(commands), files };
}

function parseSteps(text: string): ScriptStep[] {
  const steps: ScriptStep[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("$ ")) {
      steps.push({ line: index + 1, command: line.slice(2), stdout: "", stderr: "", code: 0 });
      continue;
    }
    const step = steps.pop();
    if (step === undefined) throw new Error(`line ${index + 1} of a transcript answers nothing`);
    steps.push(addAnswer(step, line));
  }
  return steps;
}

function addAnswer(step: ScriptStep, line: string): ScriptStep {
  const content = line.slice(3);
  switch (line.slice(0, 2)) {
    case "1>":
      return { ...step, stdout: `${step.stdout}${content}\n` };
    case "2>":
      return { ...step, stderr: `${step.stderr}${content}\n` };
    case "?>":
      return { ...step, code: Number(content) };
    default:
      throw new Error(`a line of a transcript is neither command nor answer: ${line}`);
  }
}

/**
 * The pattern of an expected text.
 *
 * @param expected With placeholders
 */
export function compileExpectation(expected: string): RegExp {
  const parts = expected.split(/(<[a-z0-9-]+>)/).map((part) =>
    PLACEHOLDERS[part] ?? part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
  );
  return new RegExp(`^${parts.join("")}$`);
}

/**
 * Writes an executable `kprov` for transcripts: with exactly the permissions that a run needs,
 * or those that a variable names.
 *
 * @param directory Where it goes
 * @param variable The variable's name
 */
export function installKprov(directory: string, variable = "KPROV_PERMISSIONS"): void {
  writeCommand(`${directory}/kprov`, `\${${variable}-${NARROW.join(" ")}}`);
}

/**
 * Writes both commands as they are installed: `kprov`, which reads and writes files, and `kprov-run`,
 * which may also start programs.
 *
 * @param directory Where they go
 */
export function installBoth(directory: string): void {
  const files = "--allow-read --allow-write";
  writeCommand(`${directory}/kprov`, files);
  writeCommand(`${directory}/kprov-run`, `${files} --allow-run --allow-env`);
}

function writeCommand(path: string, permissions: string): void {
  const line = `exec '${Deno.execPath()}' run --quiet --no-prompt ${permissions} '${CLI}' "$@"`;
  Deno.writeTextFileSync(path, `#!/bin/sh\n${line}\n`);
  Deno.chmodSync(path, 0o755);
}

/**
 * Runs one command of a transcript.
 *
 * @param step The command
 * @param directory Where it runs
 * @param bin Where `kprov` is
 */
export async function runStep(
  step: ScriptStep,
  directory: string,
  bin: string,
): Promise<Pick<ScriptStep, "stdout" | "stderr" | "code">> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", step.command],
    cwd: directory,
    env: { NO_COLOR: "1", PATH: `${bin}:${Deno.env.get("PATH") ?? ""}` },
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}
