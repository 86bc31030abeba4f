import { toRecordedUrl } from "../git/source.ts";
import { describeSystemError } from "../os_error.ts";
import { refuseRun } from "../permissions.ts";

/** How long a program may take to tell about itself. */
const LONGEST_ANSWER_MS = 60_000;

/** The longest answer: that of ten thousand packages is a fiftieth of it. */
const MOST_BYTES = 64 * 2 ** 20;

/** Variables that make a program load something of the user's before it answers. */
const WITHOUT_START_UP: Readonly<Record<string, string>> = {
  BASH_ENV: "",
  ENV: "",
  JAVA_TOOL_OPTIONS: "",
  JDK_JAVA_OPTIONS: "",
  _JAVA_OPTIONS: "",
  NODE_OPTIONS: "",
  PERL5OPT: "",
  RUBYOPT: "",
};

/** A question to a program about itself. */
interface Question {
  /** The file to start, absolute. */
  readonly program: string;
  /** What it is called, for the message. */
  readonly name: string;
  /** The arguments that make it answer. */
  readonly args: readonly string[];
  /** Its working directory: that of the command. */
  readonly directory: string;
  /** Variables to set for it, as the command's own way to it sets them. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a program answered, or why it did not. */
type Answer =
  | { readonly ok: true; readonly stdout: string; readonly stderr: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Starts a program that tells about itself and ends. It runs where the command will run and with the
 * command's environment, but for the variables that would load the user's code into it.
 *
 * @param question What is started, and how
 * @throws {KprovError} `permission` where Deno does not start it although it was permitted to
 */
export async function askProgram(question: Question): Promise<Answer> {
  const { program, args, directory, env } = question;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      cwd: directory,
      env: { ...WITHOUT_START_UP, PWD: directory, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw refuseRun(question.name, error);
    return { ok: false, reason: `it cannot be started: ${describeSystemError(error)}` };
  }
  return await hear(child);
}

async function hear(child: Deno.ChildProcess): Promise<Answer> {
  const readers = [child.stdout.getReader(), child.stderr.getReader()] as const;
  let fault: string | null = null;
  // What it started may hold its output open after it ended.
  const stop = (reason: string): void => {
    fault ??= reason;
    kill(child);
    for (const reader of readers) reader.cancel().catch(() => {});
  };
  const timer = setTimeout(
    () => stop(`it did not answer within ${LONGEST_ANSWER_MS / 1000} s`),
    LONGEST_ANSWER_MS,
  );
  const limit = (): void => stop("its answer is too long");
  const [stdout, stderr, { success, code }] = await Promise.all([
    readText(readers[0], limit),
    readText(readers[1], limit),
    child.status,
  ]);
  clearTimeout(timer);
  if (fault !== null) return { ok: false, reason: fault };
  if (!success) return { ok: false, reason: `asked about itself, it ended with exit code ${code}` };
  return { ok: true, stdout, stderr };
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}

async function readText(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  onLimit: () => void,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > MOST_BYTES) onLimit();
    else text += decoder.decode(next.value, { stream: true });
  }
  return text;
}

/** Begins the one line of an answer that counts; what start-up code prints stands around it. */
const MARK = "kprov:";

/**
 * Finds the JSON value in an answer.
 *
 * @param stdout What the program printed
 * @returns The object behind the mark, or null where there is none
 */
export function findAnswer(stdout: string): Readonly<Record<string, unknown>> | null {
  const line = stdout.split("\n").findLast((text) => text.startsWith(MARK));
  return line === undefined ? null : parseObject(line.slice(MARK.length));
}

/**
 * Reads a JSON object.
 *
 * @param text Such as a file holds it
 * @returns The object, or null where the text is nothing of that kind
 */
export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return toObject(JSON.parse(text));
  } catch {
    return null;
  }
}

/** A value as an object, or null where it is none. */
export function toObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
}

/** A value as a text with something in it, or null where it is none. */
export function toText(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.isWellFormed() ? value : null;
}

/**
 * A URL as it may be recorded: without user, password, token and query.
 *
 * @param value Such as a package's metadata has it
 * @returns The URL, or null where it is a path of this machine or of no known kind
 */
export function toPublicUrl(value: unknown): string | null {
  const url = toText(value)?.replace(/^(git|hg|bzr|svn)\+(?=[a-z]+:\/\/)/, "") ?? null;
  // `file:` is a place on this machine, and not a host of that name.
  const stripped = url === null || url.startsWith("file:") ? null : toRecordedUrl(url);
  // Channels of conda carry their token in the path.
  return stripped === null || !/^[a-z]+:\/\//.test(stripped)
    ? null
    : stripped.replace(/\/t\/[^/]+\//, "/");
}
