import { DOCUMENT_NAMES } from "../../evidence/documents.ts";
import { shellQuote } from "../../shell_quote.ts";
import { renderDocuments } from "./files_section.ts";
import { type Html, markup } from "./markup.ts";
import { listReportedProducts, type ReportedRun } from "./reported_run.ts";

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
export function renderRecheck(run: ReportedRun): Html {
  return markup`<p>For a shell in the directory that the names of the files start from, with the run in
<code>runs</code>; where either lies elsewhere, put its path for <code>.</code> and
<code>runs</code>.</p>
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
      purpose: "Read every input and product again, and hold it against the evidence",
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
          "whatever command the evidence holds: read it first, and trust where it comes from",
        lines: [`kprov reproduce ${path} --root .`],
      }]
      : []),
    {
      purpose: "Say in what this run differs from another one: put its name for OTHER",
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
