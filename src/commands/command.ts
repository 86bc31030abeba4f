import { EXIT_CODE_OF_ERROR, KprovError } from "../base/error.ts";
import { findNearest, quote, shellQuote } from "../base/quote.ts";
import { parseArgs } from "../base/std.ts";
import type { Host } from "../io/host.ts";

/** A flag of a command. */
export interface Flag {
  /** Its name, without the dashes. */
  readonly name: string;
  /** The letter that stands for it behind one dash, where there is one. */
  readonly short?: string;
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
interface WordsBehind {
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
  printing: [EXIT_CODE_OF_ERROR.io, "the result cannot be printed"],
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

/** Loads a command of the table. */
export async function loadCommand({ name, summary, load }: CommandEntry): Promise<NamedCommand> {
  return { name, summary, ...await load() };
}

/** `--help`, which every command has. */
export const HELP_FLAG: Flag = { name: "help", short: "h", summary: "Show this help" };

/**
 * Reads what follows `--` as a command to run. Throws `usage` where there is none, or one is not
 * text.
 */
export function readArgv(words: readonly string[]): Argv {
  const [program, ...args] = words;
  if (program === undefined || program === "") {
    throw new KprovError("usage", "Cannot run a command: none is given after --");
  }
  const unclear = words.find((word) => word.includes("\uFFFD") || !word.isWellFormed());
  if (unclear !== undefined) {
    throw new KprovError("usage", `Cannot use ${quote(unclear)}: it is not valid UTF-8`);
  }
  return [program, ...args];
}

/** What `@std/cli` finds before `--`, in the order given: a word that stands by itself, or a flag. */
interface Argument {
  /** The argument; of a flag, the first of its words. */
  readonly text: string;
  /** Whether it is a flag. */
  readonly isFlag: boolean;
  /** The value of a flag, or null where none follows it. */
  readonly value: string | null;
}

/** A flag as it is given. */
interface GivenFlag {
  readonly name: string;
  /** Its value; empty for a switch. */
  readonly value: string;
  readonly words: string[];
  readonly isAfterOthers: boolean;
}

/**
 * Sorts the arguments of a command. Stricter than most parsers: an unknown flag, a flag without its
 * value, and a second value where one is meant are errors. Throws `usage`.
 */
export function parseFlags(args: readonly string[], command: NamedCommand): ParsedFlags {
  const flags = [...command.flags, HELP_FLAG];
  const { list, rest } = listArguments(args, flags);
  const positionals: string[] = [];
  const given: GivenFlag[] = [];
  for (let i = 0; i < list.length; i += 1) {
    const argument = list[i];
    if (argument === undefined) continue;
    if (!argument.isFlag) {
      positionals.push(argument.text);
      given.at(-1)?.words.push(argument.text);
      continue;
    }
    const flag = findFlag(argument, flags, command);
    // To @std/cli, a dash is no value.
    const isDash = flag.takesDash === true && argument.value === null && list[i + 1]?.text === "-";
    if (isDash) i += 1;
    const value = readValue(flag, isDash ? "-" : argument.value, command, list[i + 1]);
    if (!mayRepeat(flag) && given.some(({ name }) => name === flag.name)) {
      throw refuse(`--${flag.name}`, "it is given twice", command);
    }
    given.push({ name: flag.name, value, words: [], isAfterOthers: positionals.length > 0 });
  }
  return { positionals, ...makeReaders(given), rest };
}

function makeReaders(
  given: readonly GivenFlag[],
): Pick<ParsedFlags, "value" | "values" | "has" | "behind"> {
  const find = (name: string): readonly GivenFlag[] => given.filter((flag) => flag.name === name);
  const values = (name: string): string[] =>
    find(name).map(({ value }) => value).filter((value) => value !== "");
  return {
    values,
    value: (name) => values(name).at(-1) ?? null,
    has: (name) => find(name).some(({ value }) => value === ""),
    behind: (name): readonly WordsBehind[] => find(name),
  };
}

/** What a switch stands for in the parser. An argument of a process holds no NUL. */
const SWITCH = "=\0";

/**
 * The grammar is that of `@std/cli`: which arguments are flags, which word is a flag's value, and
 * what `--` ends. It is told of no flag, so that it hands each argument on in the order given.
 * Otherwise it would pass over `--quiet=no`, take the input of `--quiet true` for a value, and an
 * empty value and none would be the same. Only so that no switch takes the word behind it, each
 * gets a value.
 */
function listArguments(
  args: readonly string[],
  flags: readonly Flag[],
): { list: readonly Argument[]; rest: readonly string[] | null } {
  const end = args.indexOf("--");
  const switches = flags.filter(({ value, isOptional }) => value === undefined || isOptional)
    .map(({ name }) => `--${name}`);
  const marked = args.map((argument, i) => {
    if (end >= 0 && i >= end) return argument;
    const long = lengthenFlag(argument, flags);
    return switches.includes(long) ? `${long}${SWITCH}` : long;
  });
  const list: Argument[] = [];
  const { "--": rest = [] } = parseArgs(marked, {
    "--": true,
    unknown: (text, key, value) => {
      list.push({
        text,
        isFlag: key !== undefined,
        value: typeof value === "string" ? value : null,
      });
      return false;
    },
  });
  return { list, rest: end < 0 ? null : rest };
}

/** `-o` and `-o=runs` as `--out` and `--out=runs`. */
function lengthenFlag(argument: string, flags: readonly Flag[]): string {
  const letter = /^-([a-z])(?:=|$)/i.exec(argument)?.[1];
  const flag = letter === undefined ? undefined : flags.find(({ short }) => short === letter);
  return flag === undefined ? argument : `--${flag.name}${argument.slice(2)}`;
}

/** Flags of `deno run`, which people write behind kprov where they belong before it. */
const DENO_FLAG =
  /^--(?:(?:allow|deny)-[a-z]+|no-(?:config|lock|npm|remote|prompt)|cached-only)(?:=|$)/;

const DENO_HINT = "it is a flag of Deno: deno run takes it before the name of kprov; of the " +
  "installed commands, kprov-run may start programs";

function findFlag({ text }: Argument, flags: readonly Flag[], command: NamedCommand): Flag {
  // The parser's key is another: it takes -abc for three flags, and --no-out=x for a value of --out.
  const name = text.startsWith("--") ? text.slice(2).split("=", 1)[0] ?? "" : text;
  const flag = flags.find((candidate) => candidate.name === name);
  if (flag !== undefined) return flag;
  const refused = Object.entries(command.refusedFlags ?? {}).find(([sister]) => sister === name);
  const reason = refused?.[1] ?? `no such flag${suggest(name, flags)}`;
  throw refuse(quote(text), reason, command, DENO_FLAG.test(text) ? DENO_HINT : undefined);
}

function readValue(
  flag: Flag,
  value: string | null,
  command: NamedCommand,
  next: Argument | undefined,
): string {
  if (flag.value === undefined) {
    if (value === SWITCH.slice(1)) return "";
    throw refuse(`--${flag.name}`, "it takes no value", command);
  }
  if (flag.isOptional === true && value === SWITCH.slice(1)) return "";
  if (value === null || value === "") {
    const reason = `it needs a value, ${flag.value}`;
    const hint = value === null ? hintAtDash(flag, next) : undefined;
    throw refuse(`--${flag.name}`, reason, command, hint);
  }
  if (value.includes("\uFFFD")) throw refuse(quote(value), "it is not valid UTF-8", command);
  return value;
}

/** What follows a flag without its value may have been meant as one: it is unless it is a flag of kprov. */
function hintAtDash({ name }: Flag, next: Argument | undefined): string | undefined {
  if (next === undefined || !/^-[^-]/.test(next.text)) return undefined;
  return `a value that begins with a dash goes behind =, as in ${
    shellQuote(`--${name}=${next.text}`)
  }`;
}

/** A switch that is given twice says the same twice. */
function mayRepeat({ value, isRepeatable }: Flag): boolean {
  return value === undefined || isRepeatable === true;
}

function suggest(given: string, flags: readonly Flag[]): string {
  const name = given.toLowerCase();
  const names = flags.map((flag) => flag.name);
  // A flag that was only begun is likelier than a misspelt one.
  const near = names.find((known) => name.length > 2 && known.startsWith(name)) ??
    findNearest(name, names) ??
    names.find((known) => name.length > 2 && name.startsWith(known));
  return near === undefined ? "" : `; did you mean --${near}?`;
}

function refuse(
  what: string,
  reason: string,
  { name }: NamedCommand,
  hint: string = `kprov ${name} --help lists the flags`,
): KprovError {
  return new KprovError("usage", `Cannot use ${what}: ${reason}`, { hint });
}

const WIDTH = 80;

/** The overview: `kprov --help`. */
export function renderOverview(commands: readonly CommandEntry[]): string {
  return [
    "kprov: evidence of what a pipeline did, and guards over its repository",
    "",
    "Usage:",
    "  kprov [run] INPUT... [--out DIR]   record files and directories",
    "  kprov [run] INPUT... -- COMMAND    run a command, and record it",
    "  kprov COMMAND --help               show the help of a command",
    "",
    "Commands:",
    ...renderTable(commands.map(({ name, summary }) => [name, summary])),
    "",
    "Flags:",
    ...renderTable([
      [renderFlag(HELP_FLAG), HELP_FLAG.summary],
      ["-V, --version", "Show the version"],
    ]),
    "",
    ...wrap(
      "Permissions: --allow-read --allow-write, and --allow-run where kprov is to run a command; kprov " +
        "never asks for the network and never prompts.",
      WIDTH,
    ),
    "Documentation: https://github.com/carcodez1/kprovengine",
    "",
  ].join("\n");
}

/** The help of one command. */
export function renderCommandHelp(command: NamedCommand): string {
  const flags = [...command.flags, HELP_FLAG];
  return [
    `kprov ${command.name}: ${command.summary}`,
    "",
    "Usage:",
    ...command.usage.flatMap(wrapUsage),
    "",
    ...command.description.flatMap((paragraph) => [...wrap(paragraph, WIDTH), ""]),
    "Flags:",
    ...renderTable(flags.map((flag) => [renderFlag(flag), flag.summary])),
    "",
    ...wrap(`Permissions: ${command.permissions}`, WIDTH),
    "",
    "Examples:",
    ...command.examples.flatMap(([line, meaning]) => [`  ${line}`, `      ${meaning}`]),
    "",
    "Exit codes:",
    ...renderTable(command.exitCodes.map(([code, meaning]) => [String(code), meaning])),
    "",
  ].join("\n");
}

/** A flag as the help shows it, with what its value is called. */
export function renderFlag(flag: Flag): string {
  const value = flag.value === undefined
    ? ""
    : flag.isOptional
    ? `[=${flag.value}]`
    : ` ${flag.value}`;
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  return `${short}--${flag.name}${value}${flag.isRepeatable ? " ..." : ""}`;
}

function renderTable(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, right]) => {
    const lines = wrap(right, WIDTH - width - 2);
    return lines.map((line, i) => `  ${(i === 0 ? left : "").padEnd(width)}${line}`);
  });
}

/** One form of a command; what does not fit on its line goes below the first word behind the name. */
export function wrapUsage(usage: string): string[] {
  const indent = "  kprov ".length;
  // A flag in brackets stays on one line with its value, and a command with its --.
  const words = usage.match(/\[[^\]]*\]\S*|-- .*|\S+/g) ?? [];
  const [first = "", ...more] = wrapWords(words.slice(1), WIDTH - indent);
  return [`  ${words[0]} ${first}`, ...more.map((line) => " ".repeat(indent) + line)];
}

/** Text in lines of so many characters. */
export function wrap(text: string, width: number): string[] {
  return wrapWords(text.split(" "), width);
}

function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
