import type { Permissions, PermissionState, RunSummary } from "../../evidence/run_summary.ts";
import { renderDataTable } from "./data_table.ts";
import { renderBadge, renderDigest, renderFacts, renderOptional, type Tone } from "./figures.ts";
import { type Html, markup } from "./markup.ts";
import type { ReportedRun } from "./reported_run.ts";

const PERMISSIONS: readonly (readonly [key: keyof Permissions, meaning: string])[] = [
  ["read", "Reading files"],
  ["write", "Writing files"],
  ["run", "Starting programs"],
  ["net", "Using the network"],
  ["env", "Reading environment variables"],
];

const STATES: Readonly<Record<PermissionState, readonly [tone: Tone, meaning: string]>> = {
  denied: ["good", "kprov could not do this at all."],
  partial: ["good", "kprov could do this for named paths, programs or variables only."],
  granted: ["open", "kprov could do this without any limit."],
};

/**
 * Under which conditions the run was made: what kprov was permitted to do, which policy and runtime
 * range were in force, where the inputs came from.
 *
 * @param run The run
 */
export function renderCircumstances({ documents }: ReportedRun): Html {
  const summary = documents["run_summary.json"];
  if (summary === undefined) {
    return markup`<p>Cannot be told: run_summary.json cannot be read.</p>\n`;
  }
  const table = renderDataTable(PERMISSIONS, {
    id: "permissions-table",
    caption: "Permissions that kprov ran with",
    columns: [
      { title: "To do", kind: "text" },
      { title: "State", kind: "text" },
      { title: "Meaning", kind: "text" },
    ],
    toCells: ([key, meaning]) => {
      const state = summary.permissions[key];
      return [meaning, renderBadge(STATES[state][0], state), STATES[state][1]];
    },
    whole: "run_summary.json",
  });
  return markup`${table}<p>A command that kprov starts is not bound by these permissions.</p>
${renderFacts(listFacts(summary))}`;
}

function listFacts({ runtime_policy, policy, source }: RunSummary): [string, Html][] {
  return [
    [
      "Deno range in force",
      markup`<code>${runtime_policy.range}</code> ${
        runtime_policy.satisfied
          ? renderBadge("good", "satisfied")
          : renderBadge("bad", "not satisfied")
      }`,
    ],
    [
      "Policy",
      policy === null
        ? markup`<span class="muted">none: the built-in range held</span>`
        : markup`<code>${policy.path}</code><br>${renderDigest(policy.sha256)}`,
    ],
    ["Source repository", renderOptional(source?.repository ?? null)],
    ["Source commit", renderOptional(source?.commit ?? null)],
  ];
}
