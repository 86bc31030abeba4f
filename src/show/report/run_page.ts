import { shellQuote } from "../../base/quote.ts";
import type { ReviewDecision } from "../../evidence/human_review.ts";
import { DOCUMENT_NAMES } from "../../evidence/documents.ts";
import type {
  Permissions,
  PermissionState,
  RunSummary,
  RuntimeCheck,
  Source,
} from "../../evidence/run_summary.ts";
import type {
  RecordedPackage,
  RecordedRuntime,
  RecordedTool,
  Toolchain,
} from "../../evidence/toolchain.ts";
import { renderDocuments, renderFlow, renderInputs, renderProducts } from "./files.ts";
import {
  DIGEST,
  formatCount,
  type Html,
  joinHtml,
  markup,
  NAME,
  renderBadge,
  renderDataTable,
  renderDigest,
  renderFacts,
  renderOptional,
  renderTime,
  type Tone,
} from "./html.ts";
import {
  describeReviewCommand,
  listReportedProducts,
  renderPage,
  renderSource,
  renderStanding,
  renderVerdict,
  type ReportedRun,
} from "./verdict.ts";

/**
 * Renders a run as a page for people. Equal runs give equal bytes.
 *
 * @param run The run
 * @param kprov The version of the kprov that writes the page
 * @returns An HTML document
 */
export function renderRunReport(run: ReportedRun, kprov: string): string {
  return renderPage({
    kind: "kprov: report of one run",
    title: `Run ${run.name}`,
    source: renderSource(findSource(run), null),
    kprov,
    sections: [
      { id: "verdict", title: "Verdict", content: renderVerdict(run) },
      { id: "flow", title: "What happened", content: renderFlow(run) },
      { id: "inputs", title: "What went in", content: renderInputs(run) },
      { id: "products", title: "What came out", content: renderProducts(run) },
      { id: "toolchain", title: "Toolchain", content: renderToolchain(run) },
      { id: "circumstances", title: "Permissions and policy", content: renderCircumstances(run) },
      { id: "review", title: "Review", content: renderReview(run) },
      { id: "recheck", title: "Check it yourself", content: renderRecheck(run) },
    ],
  });
}

function findSource({ documents }: ReportedRun): Source | null | undefined {
  return documents["run_summary.json"]?.source;
}

const TOOLCHAIN = "toolchain.json";

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
function renderCircumstances({ documents }: ReportedRun): Html {
  const summary = documents["run_summary.json"];
  if (summary === undefined) {
    return markup`<p>Unknown: run_summary.json cannot be read.</p>\n`;
  }
  const table = renderDataTable(PERMISSIONS, {
    id: "permissions-table",
    caption: "Permissions that kprov ran with",
    columns: ["To do", "State", "Meaning"],
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
    ["Versions that the policy allows", joinHtml(runtime_policy.map(renderRuntimeCheck), "<br>\n")],
    [
      "Policy",
      policy === null
        ? markup`<span class="muted">none: the built-in range applied</span>`
        : markup`<code>${policy.path}</code><br>${renderDigest(policy.sha256)}`,
    ],
    ["Source repository", renderOptional(source?.repository ?? null)],
    ["Source commit", renderOptional(source?.commit ?? null)],
    [
      "Inputs compared with the commit",
      renderOptional(source === null ? null : SOURCE_STATES[source.state]),
    ],
  ];
}

const SOURCE_STATES: Readonly<Record<Source["state"], string>> = {
  committed: "the same",
  modified: "not all are the same",
  unknown: "not compared",
};

function renderRuntimeCheck({ runtime, range, version, satisfied }: RuntimeCheck): Html {
  const found = version ?? "an unknown version";
  const badge = satisfied ? renderBadge("good", "satisfied") : renderBadge("bad", "not satisfied");
  return markup`${runtime} <code>${range}</code>: ${found} ${badge}`;
}

/** A command with what it is for. */
interface Step {
  readonly purpose: string;
  readonly lines: readonly string[];
}

/**
 * The commands that re-check everything on the page. They hold in the directory that the run was made
 * in, with the run where kprov puts runs by default: a path of one machine would make the page another
 * on the next.
 *
 * @param run The run
 */
function renderRecheck(run: ReportedRun): Html {
  return markup`<p>Type these in the directory that the recorded paths start from, with the run in
<code>runs</code>. If either is elsewhere, replace <code>.</code> and <code>runs</code> by its path.</p>
${listSteps(run).map(renderStep)}${renderDocuments(run)}`;
}

function listSteps(run: ReportedRun): Step[] {
  const path = shellQuote(`runs/${run.name}`);
  return [
    {
      purpose: "Check the documents again, as this page shows it",
      lines: [`kprov verify ${path}`],
    },
    {
      purpose: "Read every input and product again, and compare it with the evidence",
      lines: [`kprov verify ${path} --root .`],
    },
    {
      purpose: "Check the documents without kprov; human_review.json changes with every decision",
      lines: renderDigestCheck(run, path),
    },
    ...(isReproducible(run)
      ? [{
        purpose:
          "Run the command again in a copy of the inputs, and compare (needs --allow-run). This runs " +
          "whatever command the evidence holds: read it first, and run it only if you trust its origin",
        lines: [`kprov reproduce ${path} --root .`],
      }]
      : []),
    {
      purpose: "Say how this run differs from another one; replace OTHER by its name",
      lines: [`kprov diff ${path} runs/OTHER`],
    },
  ];
}

/** `sha256sum` reads the list from standard input, so that nothing has to be saved first. */
function renderDigestCheck({ digests }: ReportedRun, path: string): string[] {
  const present = DOCUMENT_NAMES.filter((name) => digests[name] !== undefined);
  return [
    `(cd ${path} && sha256sum -c) <<'END'`,
    ...present.map((name) => `${digests[name]}  ${name}`),
    "END",
  ];
}

function isReproducible(run: ReportedRun): boolean {
  const provenance = run.documents["provenance.json"];
  const command = provenance?.predicate.buildDefinition.externalParameters.command;
  return command !== undefined && (listReportedProducts(run)?.length ?? 0) > 0;
}

function renderStep({ purpose, lines }: Step): Html {
  return markup`
    <h3>${purpose}</h3>
    <pre tabindex="0"><code>${lines.map((line) => markup`${line}\n`)}</code></pre>
  `;
}

/**
 * Which decision stands, and which ones were taken before it.
 *
 * @param run The run
 */
function renderReview({ name, findings, documents }: ReportedRun): Html {
  const review = documents["human_review.json"];
  if (review === undefined) {
    return markup`<p>Unknown: human_review.json cannot be read.</p>\n`;
  }
  const facts = renderFacts([
    ["The current decision", renderStanding(review)],
    ...(review.status === "PENDING" ? [] : [
      ["Meaning", renderOptional(review.meaning)] as [string, Html],
      ["Note", renderOptional(review.note)] as [string, Html],
    ]),
  ]);
  if (review.status === "PENDING" && findings.length === 0) {
    return markup`${facts}<h3>Approve or reject it</h3>
<pre tabindex="0"><code>${describeReviewCommand(name)}</code></pre>
<pre tabindex="0"><code>${describeReviewCommand(name, "reject")}</code></pre>
`;
  }
  if (review.history.length === 0) return markup`${facts}<p>There was no earlier decision.</p>\n`;
  const table = renderDataTable(review.history, {
    id: "history-table",
    caption: "Earlier decisions",
    columns: ["When", "Decision", "Reviewer", "Meaning", "Note"],
    toCells: ({ status, reviewer, reviewed_at, meaning, note }: ReviewDecision) => [
      renderTime(reviewed_at),
      status,
      reviewer,
      renderOptional(meaning),
      renderOptional(note),
    ],
    whole: "human_review.json",
  });
  return markup`${facts}${table}`;
}

/**
 * What the command ran on, then what made the evidence: kprov, its runtime and the packages in it.
 *
 * @param run The run
 */
function renderToolchain({ documents }: ReportedRun): Html {
  const toolchain = documents["toolchain.json"];
  if (toolchain === undefined) {
    return markup`<p>Unknown: toolchain.json cannot be read.</p>\n`;
  }
  const { tools = [], runtimes = [] } = toolchain;
  return markup`${runtimes.length === 0 ? [] : renderRuntimes(runtimes)}${
    tools.length === 0 ? [] : renderTools(tools)
  }${renderOwnToolchain(toolchain)}`;
}

function renderRuntimes(runtimes: readonly RecordedRuntime[]): Html {
  const table = renderDataTable(runtimes, {
    id: "runtimes-table",
    caption: "Runtimes of the command",
    columns: [NAME, "Version", "Implementation", "Packages", DIGEST],
    toCells: ({ name, version, implementation, packages, packages_omitted, sha256 }) => [
      name,
      version ?? "not known",
      implementation ?? "not known",
      packages_omitted === true
        ? "left out"
        : packages === null
        ? "not known"
        : formatCount(packages.length),
      sha256,
    ],
    whole: TOOLCHAIN,
  });
  const packages = runtimes.flatMap(({ name, packages }) =>
    (packages ?? []).map((entry) => ({ ...entry, runtime: name }))
  );
  return packages.length === 0 ? table : markup`${table}${renderPackages(packages)}`;
}

function renderPackages(
  packages: readonly (RecordedPackage & { readonly runtime: string })[],
): Html {
  return renderDataTable(packages, {
    id: "runtime-packages-table",
    caption: "Packages of the command",
    columns: [
      NAME,
      "Version",
      "Of",
      { title: "From", kind: "prose" },
      { title: "Content", kind: "digest" },
    ],
    toCells: ({ name, version, runtime, manager, source, editable, sha256, integrity }) => [
      name,
      version ?? "not known",
      runtime,
      [
        ...(manager === undefined ? [] : [manager]),
        ...Object.values(source ?? {}),
        ...(editable === undefined ? [] : ["edited in place"]),
      ].join(", "),
      sha256 ?? integrity ?? "",
    ],
    whole: TOOLCHAIN,
  });
}

function renderTools(tools: readonly RecordedTool[]): Html {
  return renderDataTable(tools, {
    id: "tools-table",
    caption: "Tools of the command",
    columns: [NAME, DIGEST],
    toCells: ({ name, sha256 }) => [name, sha256],
    whole: TOOLCHAIN,
  });
}

function renderOwnToolchain(toolchain: Toolchain): Html {
  const { lockfile } = toolchain;
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
  const packages = renderDataTable(lockfile.packages, {
    id: "packages-table",
    caption: "Packages inside this kprov",
    columns: [NAME, "Version", { title: "Integrity", kind: "digest" }],
    toCells: ({ name, version, integrity }) => [name, version, integrity],
    whole: TOOLCHAIN,
  });
  return markup`${facts}${packages}`;
}
