import {
  BINARY_RUNNERS,
  CHECKING_ACTIONS,
  CHECKING_CALLS,
  CHECKING_COMMANDS,
  CHECKING_PROGRAMS,
  CHECKING_TASKS,
  TASK_RUNNERS,
  TOOLS,
  type Wrapper,
  WRAPPERS,
} from "../src/guards/parity/commands.ts";

function listWords(wrappers: readonly Wrapper[]): string {
  return wrappers.map(({ words }) => `\`${words}\``).join(", ");
}

function listAll(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}

/** The known checkers as docs/governance.md shows them. */
export function renderCheckers(): string {
  const commands = Object.entries(CHECKING_COMMANDS).flatMap(([program, rows]) =>
    rows.split("|").map((row) => `${program} ${row}`)
  );
  return [
    `- programs that check and do nothing else: ${listAll(CHECKING_PROGRAMS)}`,
    `- commands, options between their words skipped: ${listAll(commands)}`,
    `- code that \`Rscript -e\` and \`julia -e\` are given, with a call of ${
      listAll(CHECKING_CALLS)
    }`,
    `- tasks and scripts that are named for one of those programs, or whose names start with one of these ` +
    `words: ${listAll(CHECKING_TASKS.split(" "))}`,
    `- run by: ${listWords(TASK_RUNNERS)}`,
    `- seen through, with their options: ${
      listWords(WRAPPERS)
    }, \`python -m\`, \`bash -c\`, \`eval\`, and of ` +
    `known programs also ${listAll(BINARY_RUNNERS)}`,
    `- actions by those programs' names and ${
      listAll(TOOLS)
    }, by the words lint, test, check, scan, audit and analyze in ` +
    `their names, and ${listAll(CHECKING_ACTIONS)}`,
    "",
  ].join("\n");
}
