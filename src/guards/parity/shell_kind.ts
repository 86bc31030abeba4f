/** How a script is run, as far as its exit status goes. */
export type ShellKind =
  | {
    readonly kind: "posix";
    /** Whether it stops at the first failure (`-e`). */
    readonly errexit: boolean;
    /** Whether a pipe fails with any of its commands. */
    readonly pipefail: boolean;
  }
  /** PowerShell or cmd: the last program's exit status is the script's. */
  | { readonly kind: "windows" }
  /** No shell, such as `python`. */
  | { readonly kind: "other" };

const POSIX = /^(?:.*[\\/])?(?:bash|sh|dash|ash|zsh|ksh)(?:\.exe)?$/;
const WINDOWS = /^(?:.*[\\/])?(?:pwsh|powershell|cmd)(?:\.exe)?$/i;

/**
 * Tells how GitHub runs a step's script.
 *
 * @param shell The step's `shell`, or null where it names none
 * @param runsOn The label that the job runs on, or null where only the run knows
 */
export function classifyShell(shell: string | null, runsOn: string | null): ShellKind {
  const words = (shell ?? "").trim().split(/\s+/).filter((word) => word !== "");
  const [first] = words;
  if (first === undefined) {
    return /^windows/i.test(runsOn ?? "")
      ? { kind: "windows" }
      : { kind: "posix", errexit: true, pipefail: false };
  }
  if (words.length === 1) return classifyBuiltIn(first);
  if (WINDOWS.test(first)) return { kind: "windows" };
  const index = words.findIndex((word) => POSIX.test(word));
  return index < 0 ? { kind: "other" } : readOptions(words.slice(index + 1));
}

function classifyBuiltIn(name: string): ShellKind {
  if (WINDOWS.test(name)) return { kind: "windows" };
  if (!POSIX.test(name)) return { kind: "other" };
  // Only these two get options from GitHub; any other name is run as it is.
  const errexit = name === "bash" || name === "sh";
  return { kind: "posix", errexit, pipefail: name === "bash" };
}

/** Reads options as `set` and the shells take them: `-e`, `-euo pipefail`, `-o errexit`. */
function readOptions(words: readonly string[]): ShellKind {
  const { errexit = false, pipefail = false } = readShellOptions(words);
  return { kind: "posix", errexit, pipefail };
}

/** What options switch on or off; what they leave alone is missing. */
export interface ShellOptions {
  errexit?: boolean;
  pipefail?: boolean;
}

/**
 * Reads the options of a POSIX shell.
 *
 * @param words The words behind the shell's name, or behind `set`
 */
export function readShellOptions(words: readonly string[]): ShellOptions {
  const options: ShellOptions = {};
  for (const [index, word] of words.entries()) {
    const [, sign, letters = ""] = /^([-+])([a-zA-Z]+)$/.exec(word) ?? [];
    if (sign === undefined) continue;
    const isOn = sign === "-";
    if (letters.includes("e")) options.errexit = isOn;
    if (!letters.endsWith("o")) continue;
    const name = words[index + 1];
    if (name === "errexit") options.errexit = isOn;
    if (name === "pipefail") options.pipefail = isOn;
  }
  return options;
}
