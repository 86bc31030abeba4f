/**
 * Commands that install or choose a runtime, wherever a script stands: in workflows, in other CI
 * systems' files, in Dockerfiles. Nothing is interpreted: a version that a variable holds floats, but
 * for the variables that the file itself sets for the script.
 *
 * @module
 */

import { listCommands } from "../actions/steps.ts";
import { unwrapOnce } from "../parity/commands.ts";
import { type Claim, claimFloating, claimVersion, type RuntimeName } from "./declaration.ts";
import { claimCondaSpec } from "./python_manifests.ts";

/** What a command of a script declares. */
interface InstallClaim {
  readonly runtime: RuntimeName;
  /** The command, such as `uv python install`. */
  readonly source: string;
  /** The version as the command has it. */
  readonly text: string;
  readonly claim: Claim;
}

/** A command whose operands, or the value of whose option, are versions. */
interface InstallCommand {
  readonly runtime: RuntimeName;
  readonly words: string;
  /** Options that a version stands behind; without any, every operand is one. */
  readonly options?: readonly string[];
  /** What stands before the version in an operand, such as `node@`. */
  readonly prefix?: string;
}

const PYTHON_OPTIONS = ["--python", "-p"];

/** The commands that are known; docs/governance.md names them. */
export const INSTALL_COMMANDS: readonly InstallCommand[] = [
  { runtime: "python", words: "uv python install" },
  { runtime: "python", words: "uv python pin" },
  { runtime: "python", words: "uv run", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv sync", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv venv", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv tool run", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv pip install", options: ["--python", "--python-version"] },
  { runtime: "python", words: "uvx", options: PYTHON_OPTIONS },
  { runtime: "python", words: "pyenv install" },
  { runtime: "python", words: "pyenv global" },
  { runtime: "python", words: "pyenv local" },
  { runtime: "node", words: "nvm install" },
  { runtime: "node", words: "nvm use" },
  { runtime: "node", words: "fnm install" },
  { runtime: "node", words: "fnm use" },
  { runtime: "node", words: "volta install", prefix: "node@" },
  { runtime: "deno", words: "deno upgrade", options: ["--version"] },
  { runtime: "deno", words: "npm install", prefix: "deno@" },
  { runtime: "deno", words: "npm i", prefix: "deno@" },
];

/** Commands whose operands are specs of conda packages. */
const CONDA = /^(?:conda|mamba|micromamba) (?:create|install)$/;

/**
 * Lists what the commands of a script declare.
 *
 * @param script A shell script
 * @param findVariable What a variable holds where the script starts, or null where that is not known
 */
export function readInstallCommands(
  script: string,
  findVariable: (name: string) => string | null = () => null,
): InstallClaim[] {
  // To parse every script costs more than to look for a word.
  if (!/\b(?:uvx?|pyenv|nvm|fnm|volta|deno|conda|mamba|micromamba)\b/.test(script)) return [];
  const fill = (word: string): string => fillVariable(word, script, findVariable);
  return listCommands(script).map(({ words }) => words.map(fill)).flatMap((words) => [
    ...INSTALL_COMMANDS.flatMap((command) => readCommand(words, command)),
    ...readConda(words),
  ]);
}

/** The value of a variable that is all of a word, or all behind its `=`; nothing else sets it. */
function fillVariable(
  word: string,
  script: string,
  findVariable: (name: string) => string | null,
): string {
  const [, before = "", braced, bare] = /^([^$`]*=)?\$(?:\{(\w+)\}|(\w+))$/.exec(word) ?? [];
  const name = braced ?? bare;
  const value = name === undefined ? null : findVariable(name);
  const isSet = new RegExp(`(?<![$\\w]|\\$\\{)${name}\\b`).test(script);
  return value === null || isSet ? word : `${before}${value}`;
}

function readCommand(words: readonly string[], command: InstallCommand): InstallClaim[] {
  const { runtime, words: source, options, prefix = "" } = command;
  const name = source.split(" ");
  if (!name.every((word, index) => words[index] === word)) return [];
  // What a command runs has options of its own: `uv run pytest -p xdist`.
  const rest = words.slice(name.length, words.length - (unwrapOnce(words)?.length ?? 0));
  const versions = options === undefined ? listOperands(rest) : listValues(rest, options);
  return versions.filter((word) => word.startsWith(prefix)).map((word) => {
    const text = word.slice(prefix.length);
    return { runtime, source, text, claim: claimWord(text, () => claimVersion(runtime, text)) };
  });
}

/** What a variable holds, nobody knows before it runs. */
function claimWord(word: string, claim: () => Claim): Claim {
  return /[$`]/.test(word) ? claimFloating("only the run knows the version") : claim();
}

/** The words behind options; a value that stands apart from its option starts with no digit. */
function listOperands(words: readonly string[]): string[] {
  return words.filter((word) => !word.startsWith("-"));
}

function listValues(words: readonly string[], options: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    const [name = "", value] = word.split("=", 2);
    if (!options.includes(name)) return [];
    return value ?? words[index + 1] ?? [];
  }).filter((value) => !/[/\\]/.test(value));
}

function readConda(words: readonly string[]): InstallClaim[] {
  const source = words.slice(0, 2).join(" ");
  if (!CONDA.test(source)) return [];
  return words.slice(2).flatMap((word) => {
    const spec = claimCondaSpec(word);
    return spec === null ? [] : [{ ...spec, source, claim: claimWord(word, () => spec.claim) }];
  });
}
