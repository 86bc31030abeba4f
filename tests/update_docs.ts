/**
 * Writes what docs/ shows of the code: docs/cli.md from the commands' own help, and the built-in
 * lists in docs/governance.md. `deno run --allow-read --allow-write tests/update_docs.ts`; a test holds
 * the files against the code.
 *
 * @module
 */

import { loadCommand, renderCommandHelp, renderOverview } from "../src/commands/command.ts";
import { COMMANDS } from "../src/commands/main.ts";
import { fromFileUrl } from "./paths.ts";
import { renderBuiltInDeny } from "./render_built_in_deny.ts";
import { renderCheckers } from "./render_checkers.ts";
import { renderRuntimeSources } from "./render_runtime_sources.ts";

const path = fromFileUrl(new URL("../docs/cli.md", import.meta.url));
const [intro = ""] = Deno.readTextFileSync(path).split("\n```text\n");
const sections = await Promise.all(
  COMMANDS.map(async (entry) =>
    `## kprov ${entry.name}\n\n\`\`\`text\n${renderCommandHelp(await loadCommand(entry))}\`\`\`\n`
  ),
);
Deno.writeTextFileSync(
  path,
  [`${intro}\n\`\`\`text\n${renderOverview(COMMANDS)}\`\`\`\n`, ...sections].join("\n"),
);

const governance = fromFileUrl(new URL("../docs/governance.md", import.meta.url));
Deno.writeTextFileSync(
  governance,
  Deno.readTextFileSync(governance).replace(
    /(<!-- built-in deny list -->\n)[\s\S]*(<!-- end of the list -->)/,
    (_, start: string, end: string) => `${start}\n${renderBuiltInDeny()}\n${end}`,
  ).replace(
    /(<!-- known checkers -->\n)[\s\S]*(<!-- end of the checkers -->)/,
    (_, start: string, end: string) => `${start}\n${renderCheckers()}\n${end}`,
  ).replace(
    /(<!-- runtime sources -->\n)[\s\S]*(<!-- end of the sources -->)/,
    (_, start: string, end: string) => `${start}\n${renderRuntimeSources()}\n${end}`,
  ),
);
