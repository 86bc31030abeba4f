/**
 * Commands that install or choose a runtime, wherever a script stands: in workflows, in other CI
 * systems' files, in Dockerfiles. Nothing is interpreted: a version that a variable holds floats, but
 * for the variables that the file itself sets for the script.
 *
 * @module
 */

import { listCommands } from "../actions/steps.ts";
import { unwrapCommand, unwrapOnce } from "../parity/commands.ts";
import {
  type Claim,
  claimFloating,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";
import { claimCondaSpec } from "./python_manifests.ts";

/** What a command of a script declares. */
type InstallClaim = Omit<Declaration, "path" | "position">;

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
  { runtime: "python", words: "uv python upgrade" },
  { runtime: "python", words: "uv run", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv sync", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv venv", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv lock", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv build", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv export", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv tool run", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv tool install", options: PYTHON_OPTIONS },
  { runtime: "python", words: "uv pip sync", options: ["--python", "--python-version"] },
  { runtime: "python", words: "uv pip compile", options: ["--python", "--python-version"] },
  { runtime: "python", words: "uv pip install", options: ["--python", "--python-version"] },
  { runtime: "python", words: "uvx", options: PYTHON_OPTIONS },
  { runtime: "python", words: "pipx run", options: ["--python"] },
  { runtime: "python", words: "poetry env use" },
  { runtime: "python", words: "pdm use" },
  { runtime: "python", words: "rye pin" },
  { runtime: "python", words: "hatch python install" },
  { runtime: "python", words: "apt-get install", prefix: "python3." },
  { runtime: "python", words: "apt install", prefix: "python3." },
  { runtime: "python", words: "brew install", prefix: "python@" },
  { runtime: "python", words: "mise use", prefix: "python@" },
  { runtime: "python", words: "mise install", prefix: "python@" },
  { runtime: "python", words: "asdf install python" },
  { runtime: "python", words: "pyenv install" },
  { runtime: "python", words: "pyenv global" },
  { runtime: "python", words: "pyenv local" },
  { runtime: "node", words: "nvm install" },
  { runtime: "node", words: "nvm use" },
  { runtime: "node", words: "fnm install" },
  { runtime: "node", words: "fnm use" },
  { runtime: "node", words: "volta install", prefix: "node@" },
  { runtime: "node", words: "volta pin", prefix: "node@" },
  { runtime: "node", words: "pnpm env use" },
  { runtime: "node", words: "brew install", prefix: "node@" },
  { runtime: "node", words: "mise use", prefix: "node@" },
  { runtime: "node", words: "mise install", prefix: "node@" },
  { runtime: "node", words: "asdf install nodejs" },
  { runtime: "deno", words: "mise use", prefix: "deno@" },
  { runtime: "deno", words: "mise install", prefix: "deno@" },
  { runtime: "deno", words: "npx", prefix: "deno@" },
  { runtime: "deno", words: "deno upgrade", options: ["--version"] },
  { runtime: "deno", words: "deno upgrade" },
  { runtime: "deno", words: "npm install", prefix: "deno@" },
  { runtime: "deno", words: "npm i", prefix: "deno@" },
];

/** Installers that a script loads: the version stands behind the address, or in it. */
export const INSTALLERS: readonly {
  readonly runtime: RuntimeName;
  readonly address: string;
  readonly pattern: RegExp;
}[] = [
  {
    runtime: "deno",
    address: "deno.land/install.sh",
    pattern: /deno\.land\/(?:x\/install\/)?install\.sh(?:[^\n]{0,60}?\s(v?\d+\.\d+\.\d+\S*))?/g,
  },
  {
    runtime: "node",
    address: "deb.nodesource.com",
    pattern: /(?:deb|rpm)\.nodesource\.com\/(?:setup_|node_|pub_)(\w+?)(?:\.x)?\b/g,
  },
];

function readInstallers(script: string): InstallClaim[] {
  return INSTALLERS.flatMap(({ runtime, address, pattern }) =>
    [...script.matchAll(pattern)].map(([, version]) => ({
      runtime,
      source: address,
      text: version ?? "",
      claim: version === undefined
        ? claimFloating("it installs whatever is newest")
        : claimVersion(runtime, version),
    }))
  );
}

/** Commands whose operands are specs of conda packages. */
const CONDA = /^(?:conda|mamba|micromamba) (?:create|install)$/;

/** What a variable holds where a script starts, or null where that is not known. */
type FindVariable = (name: string) => string | null;

/** Lists what the commands of a shell script declare. */
export function readInstallCommands(
  script: string,
  findVariable: FindVariable = () => null,
): InstallClaim[] {
  // To parse every script costs more than to look for a word.
  if (!NAMES.test(script)) return [];
  const fill = (word: string): string => fillVariable(word, script, findVariable);
  const commands = listCommands(script).flatMap(({ words }) => listRun(words))
    .map((words) => words.map(fill)).flatMap((words) => [
      ...INSTALL_COMMANDS.flatMap((command) => readCommand(words, command)),
      ...readConda(words),
    ]);
  return [...commands, ...readInstallers(script), ...readAssigned(script, fill)];
}

/** A command and what it runs: `sudo`, `time` and `bash -c` are seen through. */
function listRun(words: readonly string[]): (readonly string[])[] {
  const found = unwrapCommand(words).flat();
  return [...new Map(found.map((it) => [JSON.stringify(it), it])).values()];
}

/** `export UV_PYTHON=3.12`, `UV_PYTHON=3.12 uv sync`, `echo "UV_PYTHON=3.12" >> $GITHUB_ENV`. */
const ASSIGNED = /(?<![\w$])(?:\$env:)?UV_PYTHON(?:=|\s+=\s*)["']?([^\s"';&|)]+)/gi;

function readAssigned(script: string, fill: (word: string) => string): InstallClaim[] {
  return [...script.replaceAll(/^\s*#.*$/gm, "").matchAll(ASSIGNED)].map(([, word = ""]) => {
    const text = fill(word);
    const claim = claimWord(text, () => claimVersion("python", text));
    return { runtime: "python", source: "UV_PYTHON", text, claim };
  });
}

const NAMES =
  /\b(?:uvx?|pyenv|nvm|fnm|volta|deno|conda|mamba|micromamba|nodesource|pipx|poetry|pdm|rye|hatch|mise|asdf|(?:python|node)@|pnpm env|python3\.|UV_PYTHON=?)/;

/** The value of a variable that is all of a word, or all behind its `=`; nothing else sets it. */
function fillVariable(word: string, script: string, findVariable: FindVariable): string {
  const [, before = "", braced, bare] = /^([^$`]*=)?\$(?:\{(\w+)\}|(\w+))$/.exec(word) ?? [];
  const name = braced ?? bare;
  const value = name === undefined ? null : findVariable(name);
  const isSet = new RegExp(`(?<![$\\w]|\\$\\{)${name}\\b`).test(script);
  return value === null || isSet ? word : `${before}${value}`;
}

/** Commands that take the newest where a name has no version. */
const NEWEST_WITHOUT = /^(?:volta (?:install|pin)|mise use)$/;
/** The directories before an interpreter: `/usr/bin/python3.12`. */
const EXECUTABLE = /^.*\/(?=python\d[\d.]*$)/;
/** Packages of a system hold more than the interpreter: `python3.12-dev`. */
const SYSTEM_PACKAGE = /^python3\.\d+$/;

function readCommand(words: readonly string[], command: InstallCommand): InstallClaim[] {
  const { runtime, words: source, options, prefix = "" } = command;
  const isSystem = prefix === "python3.";
  const name = source.split(" ");
  // Options may stand between the words of the system's package managers.
  const bare = isSystem ? words.filter((word) => !word.startsWith("-")) : dropOwnOptions(words);
  if (!name.every((word, index) => bare[index] === word)) return [];
  // What a command runs has options of its own: `uv run pytest -p xdist`.
  const inner = source === "npx" ? 0 : unwrapOnce(bare)?.length ?? 0;
  const rest = bare.slice(name.length, bare.length - inner);
  const versions = options === undefined ? listOperands(rest) : listValues(rest, options);
  // `volta install node` installs the newest.
  const isNewest = (word: string): boolean => NEWEST_WITHOUT.test(source) && `${word}@` === prefix;
  const isVersion = (word: string): boolean =>
    isSystem ? SYSTEM_PACKAGE.test(word) : word.startsWith(prefix) || isNewest(word);
  const start = isSystem ? "python".length : prefix.length;
  return versions.filter(isVersion).map((word) => {
    const text = word.slice(start).replace(EXECUTABLE, "");
    return { runtime, source, text, claim: claimWord(text, () => claimVersion(runtime, text)) };
  });
}

/** What a variable holds, nobody knows before it runs. */
function claimWord(word: string, claim: () => Claim): Claim {
  return /[$`]/.test(word) ? claimFloating("the version is known only at run time") : claim();
}

/** Options of uv that stand before its subcommand: `uv --quiet python install`. */
function dropOwnOptions(words: readonly string[]): readonly string[] {
  const [program = "", ...rest] = words;
  if (program !== "uv") return words;
  let from = 0;
  while (rest[from]?.startsWith("-") === true) from += VALUED.includes(rest[from] ?? "") ? 2 : 1;
  return [program, ...rest.slice(from)];
}

/** Options of uv whose value stands behind them and is no version. */
const VALUED: readonly string[] = [
  ...["-i", "--install-dir", "--mirror", "--pypy-mirror", "--python-preference", "--cache-dir"],
  ...["--color", "--directory", "--project", "--config-file", "--allow-insecure-host", "--output"],
];
/** The same of conda. */
const CONDA_VALUED: readonly string[] = [
  ...["-n", "--name", "-p", "--prefix", "-c", "--channel", "-f", "--file", "--root-prefix"],
];
/** nvm and fnm take the newest of a line, or of all, by an option. */
const NEWEST_OPTION = /^--(?:(lts)(?:=(.+))?|(latest))$/;

/** The words that are neither options nor their values. */
function listOperands(words: readonly string[], valued = VALUED): string[] {
  return words.flatMap((word, index) => {
    const [, lts, line, latest] = NEWEST_OPTION.exec(word) ?? [];
    if (lts !== undefined) return `lts/${line ?? "*"}`;
    if (latest !== undefined) return latest;
    return word.startsWith("-") || valued.includes(words[index - 1] ?? "") ? [] : [word];
  });
}

function listValues(words: readonly string[], options: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    const [name = "", value] = word.split("=", 2);
    // `-p3.12`
    if (options.includes("-p") && /^-p[^=]/.test(word)) return word.slice(2);
    if (!options.includes(name)) return [];
    return value ?? words[index + 1] ?? [];
  }).filter((value) => !/[/\\]/.test(value));
}

function readConda(words: readonly string[]): InstallClaim[] {
  const source = words.slice(0, 2).join(" ");
  if (!CONDA.test(source)) return [];
  return listOperands(words.slice(2), CONDA_VALUED).flatMap((word) => {
    const spec = claimCondaSpec(word);
    return spec === null ? [] : [{ ...spec, source, claim: claimWord(word, () => spec.claim) }];
  });
}
