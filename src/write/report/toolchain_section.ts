import { renderDataTable } from "./data_table.ts";
import { renderDigest, renderFacts } from "./figures.ts";
import { type Html, markup } from "./markup.ts";
import type { ReportedRun } from "./reported_run.ts";

/**
 * Which tools made the evidence: kprov, its runtime, the packages in it, the tools of the command.
 *
 * @param run The run
 */
export function renderToolchain({ documents }: ReportedRun): Html {
  const toolchain = documents["toolchain.json"];
  if (toolchain === undefined) {
    return markup`<p>Cannot be told: toolchain.json cannot be read.</p>\n`;
  }
  const { tools = [], lockfile } = toolchain;
  const facts = renderFacts([
    [
      "kprov",
      markup`${toolchain.kprov}, ${toolchain.standalone ? "a compiled binary" : "on Deno"}`,
    ],
    ["Deno", markup`${toolchain.deno}`],
    ["V8", markup`${toolchain.v8}`],
    ["TypeScript", markup`${toolchain.typescript}`],
    ["Machine", markup`${toolchain.target} (${toolchain.os}, ${toolchain.arch})`],
    ["Lockfile (SHA-256)", renderDigest(lockfile.sha256)],
  ]);
  const table = tools.length === 0 ? [] : [renderDataTable(tools, {
    id: "tools-table",
    caption: "Tools of the command",
    columns: [{ title: "Name", kind: "name" }, { title: "SHA-256", kind: "digest" }],
    toCells: ({ name, sha256 }) => [name, sha256],
    whole: "toolchain.json",
  })];
  const packages = renderDataTable(lockfile.packages, {
    id: "packages-table",
    caption: "Packages inside this kprov",
    columns: [
      { title: "Name", kind: "name" },
      { title: "Version", kind: "text" },
      { title: "Integrity", kind: "digest" },
    ],
    toCells: ({ name, version, integrity }) => [name, version, integrity],
    whole: "toolchain.json",
  });
  return markup`${facts}${table}${packages}`;
}
