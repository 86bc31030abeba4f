/**
 * Writes the manual page of kprov from the command table: `deno task man` writes dist/kprov.1, which
 * `man -l dist/kprov.1` shows. It is in the language mdoc(7), which man reads on Linux, macOS and BSD.
 *
 * @module
 */

import {
  type Flag,
  HELP_FLAG,
  loadCommand,
  type NamedCommand,
  renderFlag,
  wrap,
  wrapUsage,
} from "../../src/commands/command.ts";
import { COMMANDS } from "../../src/commands/main.ts";
import { runProgram, TOP } from "./module_graph.ts";

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July"],
  ...["August", "September", "October", "November", "December"],
];

const VERSION_FLAG: Flag = { name: "version", summary: "Show the version" };

/** What kprov reads and writes, for people who look there. */
const FILES: readonly (readonly [path: string, meaning: string])[] = [
  ["runs/", "The default directory of runs."],
  ["docs/governance/policy.json", "The policy of a repository."],
];

const VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ["SOURCE_DATE_EPOCH", "The time to record in place of the clock's, where it may be read."],
  ["NO_COLOR", "Where it is set, nothing is printed in colour."],
  ["TERM", "Where it is dumb and may be read, nothing is coloured, and no progress is shown."],
  ["GITHUB_STEP_SUMMARY", "The file that guard --format github also writes its result to."],
];

/**
 * Renders the page.
 *
 * @param date Its date, such as `2026-02-15`
 */
export async function renderManPage(date: string): Promise<string> {
  const commands = await Promise.all(COMMANDS.map(loadCommand));
  return [
    ...[`.Dd ${renderDate(date)}`, ".Dt KPROV 1", ".Os", ".Sh NAME", ".Nm kprov"],
    ".Nd evidence of what a pipeline did, and guards over its repository",
    ...[".Sh SYNOPSIS", ".Nm", ".Op Cm run", ".Ar input ...", ".Op Fl Fl out Ar directory"],
    ...[".Nm", ".Op Cm run", ".Ar input ...", ".Fl Fl", ".Ar command ..."],
    ...[".Nm", ".Ar command", ".Fl Fl help", ".Nm", ".Fl Fl version"],
    ".Sh DESCRIPTION",
    ...renderText(
      "kprov records what a pipeline run was made of, as four small JSON documents that are the same to " +
        "the byte for the same content and that anyone can re-check offline. Its guards hold a " +
        "repository against its own policy.",
    ),
    ".Pp",
    ...renderText(
      "Started by Deno, it needs --allow-read and --allow-write, and --allow-run where it is to run a " +
        "command. It never asks for the network and never prompts.",
    ),
    ...[".Pp", "The flags that need no command:"],
    ...renderList([HELP_FLAG, VERSION_FLAG].map(renderFlagItem)),
    ...[".Pp", "The commands:"],
    ...renderList(commands.map(({ name, summary }) => [`Cm ${escape(name)}`, summary])),
    ".Sh COMMANDS",
    ...commands.flatMap(renderCommand),
    ".Sh ENVIRONMENT",
    ...renderList(VARIABLES.map(([name, meaning]) => [`Ev ${escape(name)}`, meaning])),
    ".Sh FILES",
    ...renderList(FILES.map(([path, meaning]) => [`Pa ${escape(path)}`, meaning])),
    ".Sh EXIT STATUS",
    ...renderText(
      "0 where everything is in order; 1 for findings, differences or a refused runtime; 64 and above, " +
        "after sysexits(3), for what could not be done. Each command above lists its own.",
    ),
    ".Sh SEE ALSO",
    ".Lk https://github.com/carcodez1/kprovengine",
    "",
  ].join("\n");
}

function renderDate(date: string): string {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date) ?? [];
  const name = MONTHS[Number(month) - 1];
  if (name === undefined) throw new Error(`${date} is no date`);
  return `${name} ${Number(day)}, ${year}`;
}

function renderCommand(command: NamedCommand): string[] {
  return [
    `.Ss kprov ${escape(command.name)}`,
    ...renderText(`${command.summary}.`),
    ...renderLines(command.usage.flatMap(wrapUsage).map((line) => line.slice(2))),
    ...command.description.flatMap((paragraph) => [".Pp", ...renderText(paragraph)]),
    ...renderList([...command.flags, HELP_FLAG].map(renderFlagItem)),
    ".Pp",
    ...renderText(`Permissions: ${command.permissions}`),
    ...[".Pp", "Examples:"],
    ...renderList(
      command.examples.map(([line, meaning]) => [`Li ${quoteArgument(line)}`, meaning]),
    ),
    ...[".Pp", "Exit codes:"],
    ...renderList(command.exitCodes.map(([code, meaning]) => [`Er ${code}`, meaning])),
  ];
}

function renderFlagItem(flag: Flag): readonly [string, string] {
  const words = renderFlag(flag).split(" ").map((word) => {
    const [, dashes, name, comma] = /^(--?)(.+?)(,?)$/.exec(word) ?? [];
    if (name === undefined) return `Ar ${escape(word)}`;
    return `${dashes === "--" ? "Fl Fl" : "Fl"} ${escape(name)}${comma === "" ? "" : " ,"}`;
  });
  return [words.join(" "), flag.summary];
}

function renderList(items: readonly (readonly [head: string, text: string])[]): string[] {
  return [
    ".Bl -tag -width Ds",
    ...items.flatMap(([head, text]) => [`.It ${head}`, ...renderText(text)]),
    ".El",
  ];
}

function renderLines(lines: readonly string[]): string[] {
  return [".Bd -literal -offset indent", ...lines.map(escapeLine), ".Ed"];
}

/** Text in short lines: mdoc wants a new one for each sentence, and none that is wide. */
function renderText(text: string): string[] {
  return text.split(/(?<=[.:;?!]) (?=\S)/).flatMap((sentence) => wrap(sentence, 66)).map(
    escapeLine,
  );
}

function quoteArgument(text: string): string {
  // What looks like the end of a sentence is none.
  return `"${escape(text).replaceAll('"', '""')}\\&"`;
}

/** A line of text: a first character that would make it a request is none. */
function escapeLine(line: string): string {
  return /^[.']/.test(line) ? `\\&${escape(line)}` : escape(line);
}

/** Hyphens are those that are typed, not those that are printed; other characters stand by their names. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha").replaceAll("`", "\\(ga");
}

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined) throw new Error("usage: deno task man");
  const date = await runProgram("git", ["log", "-1", "--format=%cs"]);
  Deno.mkdirSync(new URL("dist", TOP), { recursive: true });
  Deno.writeTextFileSync(new URL(path, TOP), await renderManPage(date.trim()));
}
