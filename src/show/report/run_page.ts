import { shellQuote } from "../../base/quote.ts";
import { DOCUMENT_NAMES } from "../../evidence/documents.ts";
import type { PermissionState, RunSummary, RuntimeCheck } from "../../evidence/run_summary.ts";
import type { RecordedRuntime, RecordedTool, Toolchain } from "../../evidence/toolchain.ts";
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
  type Tone,
} from "./html.ts";
import {
  listReportedProducts,
  renderPage,
  renderReview,
  renderSource,
  renderUnreadable,
  renderVerdict,
  type ReportedRun,
} from "./verdict.ts";

/** Renders a run as a page for people. Equal runs give equal bytes. */
export function renderRunReport(run: ReportedRun, kprov: string): string {
  return renderPage({
    kind: "kprov: report of one run",
    title: `Run ${run.name}`,
    source: renderSource(run.documents["run_summary.json"]?.source, null),
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

const TOOLCHAIN = "toolchain.json";

const PERMISSIONS = [
  ["read", "Reading files"],
  ["write", "Writing files"],
  ["run", "Starting programs"],
  ["net", "Using the network"],
  ["env", "Reading environment variables"],
] as const;

const STATES: Readonly<Record<PermissionState, readonly [tone: Tone, meaning: string]>> = {
  denied: ["good", "kprov could not do this at all."],
  partial: ["good", "kprov could do this for named paths, programs or variables only."],
  granted: ["open", "kprov could do this without any limit."],
};

/**
 * Under which conditions the run was made: what kprov was permitted to do, which policy and runtime
 * range were in force, where the inputs came from.
 */
function renderCircumstances({ documents }: ReportedRun): Html {
  const summary = documents["run_summary.json"];
  if (summary === undefined) return renderUnreadable("run_summary.json");
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
    ["Inputs compared with the commit", renderOptional(source && SOURCE_STATES[source.state])],
  ];
}

const SOURCE_STATES = {
  committed: "the same",
  modified: "not all are the same",
  unknown: "not compared",
} as const;

function renderRuntimeCheck({ runtime, range, version, satisfied }: RuntimeCheck): Html {
  const found = version ?? "an unknown version";
  const badge = satisfied ? renderBadge("good", "satisfied") : renderBadge("bad", "not satisfied");
  return markup`${runtime} <code>${range}</code>: ${found} ${badge}`;
}

/**
 * The commands that re-check everything on the page. They hold in the directory that the run was
 * made in, with the run where kprov puts runs by default: a path of one machine would make the page
 * another on the next.
 */
function renderRecheck(run: ReportedRun): Html {
  const path = shellQuote(`runs/${run.name}`);
  const differing = "Say how this run differs from another one; replace OTHER by its name";
  return markup`
    <p>Type these in the directory that the recorded paths start from, with the run in
      <code>runs</code>. If either is elsewhere, replace <code>.</code> and <code>runs</code> by its path.</p>
    <h3>Check the documents again, as this page shows it</h3>
    <pre tabindex="0"><code>kprov verify ${path}\n</code></pre>
    <h3>Read every input and product again, and compare it with the evidence</h3>
    <pre tabindex="0"><code>kprov verify ${path} --root .\n</code></pre>
    <h3>Check the documents without kprov; human_review.json changes with every decision</h3>
    <pre tabindex="0"><code>${renderDigestCheck(run, path)}</code></pre>
    ${isReproducible(run) ? [renderReproduction(path)] : []}<h3>${differing}</h3>
    <pre tabindex="0"><code>kprov diff ${path} runs/OTHER\n</code></pre>
    ${renderDocuments(run)}`;
}

function renderReproduction(path: string): Html {
  return markup`
    <h3>Run the command again in a copy of the inputs, and compare (needs --allow-run). This runs \
whatever command the evidence holds: read it first, and run it only if you trust its origin</h3>
    <pre tabindex="0"><code>kprov reproduce ${path} --root .\n</code></pre>
  `;
}

/** `sha256sum` reads the list from standard input, so that nothing has to be saved first. */
function renderDigestCheck({ digests }: ReportedRun, path: string): Html[] {
  const present = DOCUMENT_NAMES.filter((name) => digests[name] !== undefined);
  const sums = present.map((name) => `${digests[name]}  ${name}`);
  const lines = [`(cd ${path} && sha256sum -c) <<'END'`, ...sums, "END"];
  return lines.map((line) => markup`${line}\n`);
}

function isReproducible(run: ReportedRun): boolean {
  const provenance = run.documents["provenance.json"];
  const command = provenance?.predicate.buildDefinition.externalParameters.command;
  return command !== undefined && (listReportedProducts(run)?.length ?? 0) > 0;
}

/** What the command ran on, then what made the evidence: kprov, its runtime and its packages. */
function renderToolchain({ documents }: ReportedRun): Html {
  const toolchain = documents["toolchain.json"];
  if (toolchain === undefined) return renderUnreadable("toolchain.json");
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
  return markup`${table}${renderPackages(runtimes)}`;
}

function renderPackages(runtimes: readonly RecordedRuntime[]): Html | "" {
  const packages = runtimes.flatMap(({ name, packages }) =>
    (packages ?? []).map((entry) => ({ ...entry, runtime: name }))
  );
  return packages.length === 0 ? "" : renderDataTable(packages, {
    id: "runtime-packages-table",
    caption: "Packages of the command",
    columns: [
      ...[NAME, "Version", "Of"],
      ...[{ title: "From", kind: "prose" }, { title: "Content", kind: "digest" }] as const,
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
  const { lockfile, standalone } = toolchain;
  const facts = renderFacts([
    ["kprov", markup`${toolchain.kprov}, ${standalone ? "a compiled binary" : "on Deno"}`],
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
