import { KprovError } from "../base/error.ts";
import { findNearest, quote } from "../base/quote.ts";
import { parseArgs } from "../base/std.ts";
import {
  type Flag,
  HELP_FLAG,
  type NamedCommand,
  type ParsedFlags,
  type WordsBehind,
} from "./command.ts";

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
 * Sorts the arguments of a command. Stricter than most parsers: an unknown flag, a flag without
 * its value, and a second value where one is meant are errors.
 *
 * @param args What follows the command's name
 * @param command Whose flags they are
 * @throws {KprovError} `usage`
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
    const value = readValue(flag, isDash ? "-" : argument.value, command);
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
 * The grammar is that of `@std/cli`: which arguments are flags, which word is a flag's value, and what
 * `--` ends. It is told of no flag, so that it hands each argument on in the order given. Otherwise it
 * would pass over `--quiet=no`, take the input of `--quiet true` for a value, and an empty value and
 * none would be the same. Only so that no switch takes the word behind it, each gets a value.
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
    if (argument === "-h") return `--${HELP_FLAG.name}${SWITCH}`;
    return switches.includes(argument) ? `${argument}${SWITCH}` : argument;
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

function findFlag({ text }: Argument, flags: readonly Flag[], command: NamedCommand): Flag {
  // The parser's key is another: it takes -abc for three flags, and --no-out=x for a value of --out.
  const name = text.startsWith("--") ? text.slice(2).split("=", 1)[0] ?? "" : text;
  const flag = flags.find((candidate) => candidate.name === name);
  if (flag !== undefined) return flag;
  const refused = Object.entries(command.refusedFlags ?? {}).find(([sister]) => sister === name);
  throw refuse(quote(text), refused?.[1] ?? `no such flag${suggest(name, flags)}`, command);
}

function readValue(flag: Flag, value: string | null, command: NamedCommand): string {
  if (flag.value === undefined) {
    if (value === SWITCH.slice(1)) return "";
    throw refuse(`--${flag.name}`, "it takes no value", command);
  }
  if (flag.isOptional === true && value === SWITCH.slice(1)) return "";
  if (value === null || value === "") {
    throw refuse(`--${flag.name}`, `it needs a value, ${flag.value}`, command);
  }
  if (value.includes("\uFFFD")) throw refuse(quote(value), "it is not valid UTF-8", command);
  return value;
}

/** A switch that is given twice says the same twice. */
function mayRepeat({ value, isRepeatable }: Flag): boolean {
  return value === undefined || isRepeatable === true;
}

function suggest(name: string, flags: readonly Flag[]): string {
  const names = flags.map((flag) => flag.name);
  const near = findNearest(name, names) ??
    names.find((known) => name.length > 2 && (known.startsWith(name) || name.startsWith(known)));
  return near === undefined ? "" : `; did you mean --${near}?`;
}

function refuse(what: string, reason: string, { name }: NamedCommand): KprovError {
  return new KprovError("usage", `Cannot use ${what}: ${reason}`, {
    hint: `kprov ${name} --help lists the flags`,
  });
}
