import { INSTALL_COMMANDS, INSTALLERS } from "../src/guards/runtime/install_command.ts";
import { SOURCES } from "../src/guards/runtime/sources.ts";
import { SETUP_ACTIONS, TELLING_INPUTS } from "../src/guards/runtime/workflow_runtime.ts";

/** What declares a runtime, as docs/governance.md shows it. */
export function renderRuntimeSources(): string {
  const rows = SOURCES.map(({ files, declares, runtimes }) =>
    `| ${files.map(toCode).join(", ")} | ${declares} | ${runtimes.join(", ")} |`
  );
  return [
    "| file | what in it | of |",
    "| --- | --- | --- |",
    ...rows,
    "",
    `Setup actions: ${
      SETUP_ACTIONS.map(({ name }) => toCode(name)).join(", ")
    }; of other actions, and of other repositories' workflows, the inputs`,
    `${Object.keys(TELLING_INPUTS).map(toCode).join(", ")}, where they are a version.`,
    `Commands: ${[...new Set(INSTALL_COMMANDS.map(showCommand))].map(toCode).join(", ")}, and the`,
    "specs of `conda`, `mamba` and `micromamba` `create` and `install`, of `setup-micromamba` too.",
    `Installers that a script loads: ${
      INSTALLERS.map(({ address }) => toCode(address)).join(", ")
    }.`,
    "",
  ].join("\n");
}

function showCommand({ words, options, prefix }: typeof INSTALL_COMMANDS[number]): string {
  return options === undefined ? `${words} ${prefix ?? ""}`.trim() : `${words} ${options[0]}`;
}

function toCode(text: string): string {
  return `\`${text}\``;
}
