import { KprovError } from "../base/error.ts";
import { findNearest } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { parseArgs } from "../base/std.ts";
import type { Host } from "../io/host.ts";

/** A flag of a command. */
export interface Flag {
  /** Its name, without the dashes. */
  readonly name: string;
  /** What its value is called in the help; a flag without one is a switch. */
  readonly value?: string;
  /** The values that it takes, where they can be listed. */
  readonly choices?: readonly string[];
  /** Whether it may be given more than once. */
  readonly isRepeatable?: boolean;
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
  /** What follows `--`, or null without one. */
  readonly rest: readonly string[] | null;
}

/** One exit code of a command with what it means there. */
type ExitCodeMeaning = readonly [code: number, meaning: string];

/** A command: what its help says, and what it does. */
export interface Command {
  /** Its name. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** How it is called, one line a form. */
  readonly usage: readonly string[];
  /** What it does, in paragraphs. */
  readonly description: readonly string[];
  /** Its flags, but for `--help`. */
  readonly flags: readonly Flag[];
  /** Flags of its sisters that it has no use for, by name, each with the reason. */
  readonly refusedFlags?: Readonly<Record<string, string>>;
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

/** What a shell completes a word with; words that can be listed need no quoting in any shell. */
export type CompletedValue = "directories" | "files" | "runs" | "nothing" | readonly string[];

/** What stands for files in the help. */
const FILE_WORDS: readonly string[] = ["FILE", "PATH"];

/**
 * Tells what the value of a flag is completed with.
 *
 * @param flag Of a command; its value is named as in the help
 */
export function completedValueOf(flag: Flag): CompletedValue {
  if (flag.choices !== undefined) return flag.choices;
  if (flag.value === "DIR") return "directories";
  return FILE_WORDS.includes(flag.value ?? "") ? "files" : "nothing";
}

/**
 * Tells what is completed where no flag is: the words that the command lists, or what its usage
 * names, files to record or runs.
 *
 * @param command Of the table
 */
export function completedOperandsOf({ operands, usage }: Command): CompletedValue {
  if (operands !== undefined) return operands;
  const words = usage.join(" ");
  if (/\bINPUT\b/.test(words)) return "files";
  return /\b(?:[A-Z]+_)?RUN(?:_[A-Z])?\b/.test(words) ? "runs" : "nothing";
}

const HELP: Flag = { name: "help", summary: "Show this help" };

/**
 * Sorts the arguments of a command. Stricter than most parsers: an unknown flag, a flag without
 * its value, and a second value where one is meant are errors.
 *
 * @param args What follows the command's name
 * @param command Whose flags they are
 * @throws {KprovError} `usage`
 */
export function parseFlags(args: readonly string[], command: Command): ParsedFlags {
  const flags = listFlags(command);
  const refuse = (message: string): KprovError =>
    new KprovError("usage", message, { hint: `kprov ${command.name} --help lists the flags` });
  checkFlags(args, command, refuse);

  const withValue = flags.filter((flag) => flag.value !== undefined).map((flag) => flag.name);
  const parsed = parseArgs(expandShortHelp(args), {
    string: [...withValue, "_"],
    boolean: flags.filter((flag) => flag.value === undefined).map((flag) => flag.name),
    collect: withValue,
    "--": true,
    unknown: () => true,
  });
  const values = (name: string): readonly string[] => toStrings(parsed[name]);
  for (const flag of flags.filter((candidate) => candidate.value !== undefined)) {
    const given = values(flag.name);
    if (given.includes("")) {
      throw refuse(describeMissingValue(flag));
    }
    if (given.length > 1 && !flag.isRepeatable) {
      throw refuse(`Cannot use --${flag.name}: it is given twice`);
    }
  }
  return {
    positionals: parsed._.map(String),
    value: (name) => values(name).at(-1) ?? null,
    values,
    has: (name) => parsed[name] === true,
    rest: args.includes("--") ? parsed["--"] ?? [] : null,
  };
}

function listFlags(command: Command): readonly Flag[] {
  return [...command.flags, HELP];
}

/** The parser passes over what it does not know and takes `--quiet=no` for a yes; both are errors here. */
function checkFlags(
  args: readonly string[],
  command: Command,
  refuse: (message: string) => KprovError,
): void {
  const flags = listFlags(command);
  const refused = new Map(Object.entries(command.refusedFlags ?? {}));
  let waiting: Flag | null = null;
  for (const argument of args) {
    if (argument === "--") return;
    // The parser takes for a value only what starts otherwise, and this for a flag or for several.
    if (waiting !== null && argument.startsWith("-")) throw refuse(describeMissingValue(waiting));
    if (waiting !== null || !/^-./s.test(argument)) {
      if (waiting !== null && argument.includes("\uFFFD")) {
        throw refuse(`Cannot use ${quote(argument)}: it is not valid UTF-8`);
      }
      waiting = null;
      continue;
    }
    const [name, value] = splitFlag(argument);
    const flag = flags.find((candidate) => candidate.name === name);
    if (flag === undefined) {
      const reason = refused.get(name) ?? `no such flag${suggest(name, flags)}`;
      throw refuse(`Cannot use ${quote(argument)}: ${reason}`);
    }
    if (value !== null && flag.value === undefined) {
      throw refuse(`Cannot use --${name}: it takes no value`);
    }
    waiting = value === null && flag.value !== undefined ? flag : null;
  }
}

function describeMissingValue({ name, value }: Flag): string {
  return `Cannot use --${name}: it needs a value, ${value}`;
}

function expandShortHelp(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.map((argument, i) => argument === "-h" && (end < 0 || i < end) ? "--help" : argument);
}

function splitFlag(argument: string): readonly [name: string, value: string | null] {
  if (argument === "-h") return ["help", null];
  const match = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
  return match === null ? [argument, null] : [match[1] ?? "", match[2] ?? null];
}

function suggest(name: string, flags: readonly Flag[]): string {
  const nearest = findNearest(name.replace(/^-+/, ""), flags.map((flag) => flag.name));
  return nearest === null ? "" : `; did you mean --${nearest}?`;
}

function toStrings(value: unknown): readonly string[] {
  // A switch has no values.
  if (value === undefined || typeof value === "boolean") return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}
