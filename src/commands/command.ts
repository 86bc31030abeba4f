import { EXIT_CODE_OF_ERROR, KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import type { Host } from "../io/host.ts";

/** A flag of a command. */
export interface Flag {
  /** Its name, without the dashes. */
  readonly name: string;
  /** What its value is called in the help; a flag without one is a switch. */
  readonly value?: string;
  /** The values that it takes, where they can be listed. */
  readonly choices?: readonly string[];
  /** Whether it is also given without its value, which then stands behind `=` alone. */
  readonly isOptional?: boolean;
  /** Whether it may be given more than once. */
  readonly isRepeatable?: boolean;
  /** Whether `-` is a value, which stands for standard input. */
  readonly takesDash?: boolean;
  /** What it does, in one line. */
  readonly summary: string;
}

/** The arguments of a command, sorted. */
export interface ParsedFlags {
  /** What stands by itself. */
  readonly positionals: readonly string[];
  /** The last value of a flag, or null where it is not given. */
  readonly value: (name: string) => string | null;
  /** Every value of a repeatable flag, in the order given. */
  readonly values: (name: string) => readonly string[];
  /** Whether a switch is given. */
  readonly has: (name: string) => boolean;
  /** What stands by itself right behind the values of a flag, once for each value. */
  readonly behind: (name: string) => readonly WordsBehind[];
  /** What follows `--`, or null without one. */
  readonly rest: readonly string[] | null;
}

/** Words that stand by themselves behind the value of a flag, as they do where a shell expands a glob. */
export interface WordsBehind {
  /** The value. */
  readonly value: string;
  /** The words, up to the next flag. */
  readonly words: readonly string[];
  /** Whether others stand before the flag. */
  readonly isAfterOthers: boolean;
}

/** The words of a command to run: the program and its arguments. */
export type Argv = readonly [program: string, ...args: string[]];

/** One exit code of a command with what it means there. */
type ExitCodeMeaning = readonly [code: number, meaning: string];

/** Exit codes whose meaning several commands share; what a code means for one command, that one says. */
export const EXITS = {
  usage: [EXIT_CODE_OF_ERROR.usage, "the command line is wrong"],
  repository: [EXIT_CODE_OF_ERROR.data, "the root or a tracked file is missing"],
  output: [
    EXIT_CODE_OF_ERROR.cannot_create,
    "the output directory or the result file cannot be used",
  ],
  reading: [EXIT_CODE_OF_ERROR.io, "reading failed"],
  writing: [EXIT_CODE_OF_ERROR.io, "reading or writing failed"],
  permission: [
    EXIT_CODE_OF_ERROR.permission,
    "a permission of Deno is missing; the message names its flag",
  ],
  policy: [EXIT_CODE_OF_ERROR.policy, "the policy cannot be used"],
  rootPolicy: [EXIT_CODE_OF_ERROR.policy, "the root's policy cannot be used"],
  notStarted: [EXIT_CODE_OF_ERROR.cannot_start, "the command cannot be started"],
  notFound: [EXIT_CODE_OF_ERROR.not_found, "the command cannot be found"],
} as const satisfies Readonly<Record<string, ExitCodeMeaning>>;

/** A command: what its help says, and what it does. Its name and its summary stand in the table. */
export interface Command {
  /** How it is called, one line a form. */
  readonly usage: readonly string[];
  /** What it does, in paragraphs. */
  readonly description: readonly string[];
  /** Its flags, but for `--help`. */
  readonly flags: readonly Flag[];
  /** Flags of its sisters that it has no use for, by name, each with the reason. */
  readonly refusedFlags?: Readonly<Record<string, string>>;
  /** The words of which the first of its arguments is one, where it has several forms. */
  readonly forms?: readonly string[];
  /** The words that can stand by themselves in its arguments, where they can be listed. */
  readonly operands?: readonly string[];
  /** The permissions it needs. */
  readonly permissions: string;
  /** Commands to try, each with what it does. */
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Its exit codes. */
  readonly exitCodes: readonly ExitCodeMeaning[];
  /** Does it; returns the exit code. */
  readonly execute: (flags: ParsedFlags, host: Host) => number | Promise<number>;
}

/** A row of the command table: enough for the overview, the rest is loaded when it is called. */
export interface CommandEntry {
  /** The command's name. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Loads it. */
  readonly load: () => Promise<Command>;
}

/** A command with what the table says of it. */
export interface NamedCommand extends Command, Pick<CommandEntry, "name" | "summary"> {}

/**
 * Loads a command of the table.
 *
 * @param entry Its row
 */
export async function loadCommand({ name, summary, load }: CommandEntry): Promise<NamedCommand> {
  return { name, summary, ...await load() };
}

/** `--help`, which every command has. */
export const HELP_FLAG: Flag = { name: "help", summary: "Show this help" };

/**
 * Reads what follows `--` as a command to run.
 *
 * @param words The words
 * @throws {KprovError} `usage` where there is none, or one is not text
 */
export function readArgv(words: readonly string[]): Argv {
  const [program, ...args] = words;
  if (program === undefined || program === "") {
    throw new KprovError("usage", "Cannot run a command: none is given behind --");
  }
  const unclear = words.find((word) => word.includes("\uFFFD") || !word.isWellFormed());
  if (unclear !== undefined) {
    throw new KprovError("usage", `Cannot use ${quote(unclear)}: it is not valid UTF-8`);
  }
  return [program, ...args];
}
