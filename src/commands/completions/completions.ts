import { KprovError } from "../../base/error.ts";
import { quote } from "../../base/quote.ts";
import type { Host } from "../../io/host.ts";
import {
  type Command,
  type CommandEntry,
  loadCommand,
  type NamedCommand,
  type ParsedFlags,
} from "../command.ts";
import { renderBash, renderFish, renderZsh } from "./render_completions.ts";

const RENDERERS: Readonly<Record<string, (commands: readonly NamedCommand[]) => string>> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
};

/** The shells that completions are made for. */
export const SHELL_NAMES: readonly string[] = Object.keys(RENDERERS);

/**
 * `kprov completions`.
 *
 * @param commands What is completed; the table, which this module cannot import, as it is in it
 */
export function createCompletions(commands: readonly CommandEntry[]): Command {
  return {
    usage: ["kprov completions bash|zsh|fish"],
    description: [
      "Prints a script that completes commands, flags and their values, the names of guards and schemas, " +
      "the run directories below --out (default: runs), and the command behind --. It completes kprov and kprov-run.",
    ],
    flags: [],
    operands: SHELL_NAMES,
    permissions: "none.",
    examples: [
      ["source <(kprov completions bash)", "Complete in this bash; in ~/.bashrc, in every one"],
      ["source <(kprov completions zsh)", "Complete in zsh, after compinit in ~/.zshrc"],
      ["kprov completions fish > ~/.config/fish/completions/kprov.fish", "Complete in every fish"],
    ],
    exitCodes: [[0, "printed"], [64, "the command line is wrong, or there is no such shell"]],
    execute: (flags, host) => printCompletions(commands, flags, host),
  };
}

async function printCompletions(
  commands: readonly CommandEntry[],
  flags: ParsedFlags,
  host: Host,
): Promise<number> {
  const [shell, ...more] = flags.positionals;
  if (shell === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot print completions: expected one shell", {
      hint: `one of ${SHELL_NAMES.join(", ")}`,
    });
  }
  const render = Object.hasOwn(RENDERERS, shell) ? RENDERERS[shell] : undefined;
  if (render === undefined) {
    throw new KprovError("usage", `Cannot print completions for ${quote(shell)}: not known`, {
      hint: `one of ${SHELL_NAMES.join(", ")}`,
    });
  }
  host.writeStdout(render(await Promise.all(commands.map(loadCommand))));
  return 0;
}
