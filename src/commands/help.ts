import { type Flag, HELP_FLAG, type NamedCommand } from "./command.ts";
import { COMMANDS } from "./command_table.ts";

const WIDTH = 80;

/** The overview: `kprov --help`. */
export function renderOverview(): string {
  return [
    "kprov: evidence of what a pipeline did, and guards over its repository",
    "",
    "Usage:",
    "  kprov [run] INPUT... [--out DIR]   record files and directories",
    "  kprov [run] INPUT... -- COMMAND    run a command, and record it",
    "  kprov COMMAND --help               what a command does, and how",
    "",
    "Commands:",
    ...renderTable(COMMANDS.map(({ name, summary }) => [name, summary])),
    "",
    "Flags:",
    ...renderTable([["--help", HELP_FLAG.summary], ["--version", "Show the version"]]),
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

/**
 * The help of one command.
 *
 * @param command Whose help
 */
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
  return `--${flag.name}${value}${flag.isRepeatable ? " ..." : ""}`;
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
