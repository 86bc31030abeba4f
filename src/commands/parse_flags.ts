import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { parseArgs } from "../std.ts";
import type { Command, Flag, ParsedFlags } from "./command.ts";

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
  const near = flags.find((flag) =>
    name.length > 2 && (flag.name.startsWith(name) || name.startsWith(flag.name))
  );
  return near === undefined ? "" : `; did you mean --${near.name}?`;
}

function toStrings(value: unknown): readonly string[] {
  // A switch has no values.
  if (value === undefined || typeof value === "boolean") return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}
