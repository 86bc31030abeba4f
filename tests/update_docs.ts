/**
 * Writes docs/cli.md from the commands' own help: `deno run --allow-read --allow-write
 * tests/update_docs.ts`. A test holds the file against the help.
 *
 * @module
 */
import { COMMANDS } from "../src/commands/command_table.ts";
import { renderCommandHelp, renderOverview } from "../src/commands/help.ts";
import { fromFileUrl } from "./paths.ts";

const path = fromFileUrl(new URL("../docs/cli.md", import.meta.url));
const [intro = ""] = Deno.readTextFileSync(path).split("\n```text\n");
const sections = await Promise.all(
  COMMANDS.map(async ({ name, load }) =>
    `## kprov ${name}\n\n\`\`\`text\n${renderCommandHelp(await load())}\`\`\`\n`
  ),
);
Deno.writeTextFileSync(
  path,
  [`${intro}\n\`\`\`text\n${renderOverview()}\`\`\`\n`, ...sections].join("\n"),
);
