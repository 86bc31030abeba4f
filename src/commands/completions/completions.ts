import { renderCanonicalJson } from "../../base/canonical_json.ts";
import { KprovError } from "../../base/error.ts";
import { quote } from "../../base/quote.ts";
import type { Host } from "../../io/host.ts";
import type { Command, CommandEntry, Flag, NamedCommand, ParsedFlags } from "../command.ts";
import { EXITS, loadCommand } from "../command.ts";
import { FORMAT_FLAG, NO_PROGRESS_FLAG, readFormat } from "../flags.ts";
import BASH from "./kprov.bash" with { type: "text" };
import FISH from "./kprov.fish" with { type: "text" };
import ZSH from "./kprov.zsh" with { type: "text" };

const RENDERERS: Readonly<Record<string, (commands: readonly NamedCommand[]) => string>> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
};

/** The shells that completions are made for. */
export const SHELL_NAMES: readonly string[] = Object.keys(RENDERERS);

/** `kprov completions`, of the command table, which this module cannot import, as it is in it. */
export function createCompletions(commands: readonly CommandEntry[]): Command {
  return {
    usage: ["kprov completions bash|zsh|fish [--format text|json]"],
    description: [
      "Prints a script that completes commands, flags and their values, the names of guards and schemas, " +
      "the run directories below --out (default: runs), and the command behind --. It completes kprov and kprov-run.",
    ],
    flags: [FORMAT_FLAG, NO_PROGRESS_FLAG],
    operands: SHELL_NAMES,
    permissions: "none.",
    examples: [
      [
        "source <(kprov completions bash)",
        "Complete in this shell; put it into ~/.bashrc for every shell",
      ],
      ["source <(kprov completions zsh)", "Complete in zsh, after compinit in ~/.zshrc"],
      ["kprov completions fish > ~/.config/fish/completions/kprov.fish", "Complete in every fish"],
    ],
    exitCodes: [
      [0, "printed"],
      [64, "the command line is wrong, or there is no such shell"],
      EXITS.printing,
    ],
    execute: (flags, host) => printCompletions(commands, flags, host),
  };
}

async function printCompletions(
  commands: readonly CommandEntry[],
  flags: ParsedFlags,
  host: Host,
): Promise<number> {
  const [shell, ...more] = flags.positionals;
  const hint = `one of ${SHELL_NAMES.join(", ")}`;
  if (shell === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot print completions: expected one shell", { hint });
  }
  const render = Object.hasOwn(RENDERERS, shell) ? RENDERERS[shell] : undefined;
  if (render === undefined) {
    const reason = `Cannot print completions for ${quote(shell)}: not known`;
    throw new KprovError("usage", reason, { hint });
  }
  const format = readFormat(flags.value("format"));
  const script = render(await Promise.all(commands.map(loadCommand)));
  host.writeStdout(format === "json" ? renderCanonicalJson({ shell, script }) : script);
  return 0;
}

/** What a shell completes a word with; words that can be listed need no quoting in any shell. */
type CompletedValue = "directories" | "files" | "runs" | "nothing" | readonly string[];

/** Tells what the value of a flag is completed with, from what the help calls it. */
function completedValueOf(flag: Flag): CompletedValue {
  if (flag.choices !== undefined) return flag.choices;
  if (flag.value === "DIR") return "directories";
  if (flag.value === "RUNS") return "runs";
  return flag.value === "FILE" || flag.value === "PATH" ? "files" : "nothing";
}

/** What is completed where no flag is: the words that the command lists, or what its usage names. */
function completedOperandsOf({ operands, usage }: Command): CompletedValue {
  if (operands !== undefined) return operands;
  const words = usage.join(" ");
  if (/\bINPUT\b/.test(words)) return "files";
  return /\b(?:[A-Z]+_)?RUNS?(?:_[A-Z])?\b/.test(words) ? "runs" : "nothing";
}

/** Puts the rows of the table where a script has its marked place. */
function fillTable(script: string, rows: readonly string[]): string {
  return script.replace(/^# @table[\s\S]*?^# @end\n/m, () => `${rows.join("\n")}\n`);
}

function renderBash(commands: readonly NamedCommand[]): string {
  const choose = (list: (command: NamedCommand) => string): (readonly [string, string])[] =>
    commands.map((command) => [command.name, list(command)]);
  return fillTable(BASH, [
    `_kprov_commands='${commands.map(({ name }) => name).join(" ")}'`,
    ...renderSwitch("_kprov_forms", choose(({ forms = [] }) => forms.join(" "))),
    ...renderSwitch(
      "_kprov_flags",
      choose(({ flags }) => [...flags.map(({ name }) => `--${name}`), "--help"].join(" ")),
    ),
    ...renderSwitch("_kprov_operands", choose((command) => toWord(completedOperandsOf(command)))),
    ...renderSwitch("_kprov_value", commands.flatMap(listValues)),
  ]);
}

function renderSwitch(name: string, rows: readonly (readonly [string, string])[]): string[] {
  const filled = rows.filter(([, words]) => words !== "");
  return [
    `${name}() {`,
    "  case $1 in",
    ...filled.map(([pattern, words]) => `    '${pattern}') echo '${words}' ;;`),
    "  esac",
    "}",
  ];
}

function listValues({ name, flags }: NamedCommand): (readonly [string, string])[] {
  // The word behind a flag whose value is optional is not its value.
  const taking = flags.filter(({ value, isOptional }) => value !== undefined && !isOptional);
  return taking.flatMap((flag) =>
    listNames(flag).map((word) => [`${name} ${word}`, toWord(completedValueOf(flag))] as const)
  );
}

/** A flag as it is typed: behind one dash where it has a letter, and behind two. */
function listNames({ name, short }: Flag): string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
}

function toWord(what: CompletedValue): string {
  return typeof what === "string" ? what : what.join(" ");
}

function renderFish(commands: readonly NamedCommand[]): string {
  return fillTable(FISH, [
    `set -g __kprov_commands ${commands.map(({ name }) => name).join(" ")}`,
    ...commands.map(({ name, summary }) =>
      `complete -c kprov -n __kprov_first -a ${name} -d ${quoteFish(summary)}`
    ),
    ...commands.flatMap(renderFishCommand),
  ]);
}

function renderFishCommand(command: NamedCommand): string[] {
  const { name, flags, forms } = command;
  const operands = completedOperandsOf(command);
  const start = `complete -c kprov -n '__kprov_is ${name}'`;
  return [
    "",
    ...flags.map((flag) =>
      `${start}${flag.short === undefined ? "" : ` -s ${flag.short}`} -l ${flag.name}` +
      `${renderFishValue(flag)} -d ${quoteFish(flag.summary)}`
    ),
    `${start} -s h -l help -d 'Show this help'`,
    ...forms === undefined
      ? []
      : [`complete -c kprov -n '__kprov_is_form ${name}' -f -a '${forms.join(" ")}'`],
    ...operands === "files" ? [] : [`${start} -f`],
    ...operands === "runs" ? [`${start} -a '(__kprov_runs)'`] : [],
    ...typeof operands === "object" ? [`${start} -a '${operands.join(" ")}'`] : [],
  ];
}

function renderFishValue(flag: Flag): string {
  if (flag.value === undefined) return "";
  const what = completedValueOf(flag);
  if (flag.isOptional && typeof what === "object") return ` -a '${what.join(" ")}'`;
  if (typeof what === "object") return ` -x -a '${what.join(" ")}'`;
  return {
    files: " -r -F",
    directories: " -x -a '(__fish_complete_directories)'",
    runs: " -x -a '(__kprov_runs)'",
    nothing: " -x",
  }[what];
}

function quoteFish(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}

function renderZsh(commands: readonly NamedCommand[]): string {
  return fillTable(ZSH, [
    "_kprov_list() {",
    "  kprov_commands=(",
    ...commands.map(({ name, summary }) => `    ${quoteZsh(`${name}:${summary}`)}`),
    "  )",
    "}",
    "",
    "_kprov_arguments() {",
    "  case $command in",
    ...commands.flatMap(renderZshCommand),
    "  esac",
    "}",
  ]);
}

function renderZshCommand(command: NamedCommand): string[] {
  const { name, flags, forms } = command;
  const operands = completedOperandsOf(command);
  const specs = [
    ...flags.flatMap(renderZshFlag),
    "'(- *)'{-h,--help}'[Show this help]'",
    ...name === "run" ? ["'--version[Show the version]'"] : [],
    ...forms === undefined ? [] : [quoteZsh(`1:${name}:(${forms.join(" ")})`)],
    ...operands === "nothing" ? [] : [quoteZsh(`*:${name}:${renderZshAction(operands)}`)],
  ];
  return [
    `    ${name})`,
    "      _arguments -S \\",
    ...specs.map((spec, i) => `        ${spec}${i < specs.length - 1 ? " \\" : ""}`),
    "      ;;",
  ];
}

function renderZshFlag(flag: Flag): string[] {
  const summary = flag.summary.replace(/[[\]\\:]/g, "\\$&");
  const names = listNames(flag);
  // What is given already is not offered again, under neither name.
  const start = flag.isRepeatable ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
  if (flag.value === undefined) return names.map((name) => quoteZsh(`${start}${name}[${summary}]`));
  const value = `${flag.value}:${renderZshAction(completedValueOf(flag))}`;
  const [sign, colon] = flag.isOptional ? ["=-", "::"] : ["=", ":"];
  return names.map((name) => quoteZsh(`${start}${name}${sign}[${summary}]${colon}${value}`));
}

function renderZshAction(what: CompletedValue): string {
  if (typeof what === "object") return `(${what.join(" ")})`;
  return {
    files: "_files",
    directories: "_path_files -/",
    runs: "_kprov_runs",
    nothing: " ",
  }[what];
}

function quoteZsh(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
