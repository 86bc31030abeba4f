import { shellQuote } from "../../base/quote.ts";
import { formatBytes } from "../../base/std.ts";
import { type FileDescriptor, formatShard, type Provenance } from "../../evidence/provenance.ts";
import { DOCUMENT_NAMES } from "../../evidence/documents.ts";
import {
  type Column,
  countOf,
  describeTotals,
  formatCount,
  type Html,
  joinHtml,
  markup,
  renderDataTable,
  renderDigest,
  renderFacts,
} from "./html.ts";
import { countLinks, listReportedProducts, type ReportedRun, totalInputs } from "./page.ts";
import { type Flow, renderFlowPicture } from "./pictures.ts";

const NAME: Column = { title: "Name", kind: "name" };
const KIND: Column = { title: "Kind", kind: "text" };
const BYTES: Column = { title: "Bytes", kind: "number" };
const DIGEST: Column = { title: "SHA-256", kind: "digest" };
const WHOLE = "provenance.json";

/**
 * The files that went in, as a table.
 *
 * @param run The run
 */
export function renderInputs({ documents }: ReportedRun): Html {
  const provenance = documents["provenance.json"];
  if (provenance === undefined) return renderUnreadable();
  const { resolvedDependencies, externalParameters } = provenance.predicate.buildDefinition;
  const { count, bytes } = totalInputs(provenance);
  const table = renderDataTable(resolvedDependencies, {
    id: "inputs-table",
    caption: "Inputs",
    columns: [NAME, KIND, BYTES, DIGEST],
    toCells: (file) => [file.name, ...describeContent(file), file.digest.sha256],
    whole: WHOLE,
  });
  const reading = externalParameters.links === "follow"
    ? "Links were followed: under the name of a link stands the content behind it."
    : "A link is recorded as a link: its digest and size are those of its target's text.";
  return markup`<p>${formatCount(count)} in all, ${
    formatCount(countLinks(resolvedDependencies))
  } of them links, ${formatCount(bytes)} bytes (${formatBytes(bytes)}). ${reading}</p>
${table}`;
}

/**
 * The files that came out, as a table, each held against the input of its name.
 *
 * @param run The run
 */
export function renderProducts(run: ReportedRun): Html {
  const provenance = run.documents["provenance.json"];
  const products = listReportedProducts(run);
  if (provenance === undefined || products === null) return renderUnreadable();
  if (products.length === 0) {
    return markup`<p>None. The evidence vouches for the inputs as they stood.</p>\n`;
  }
  const isLeft = provenance.predicate.runDetails.byproducts?.length !== 1;
  const before = findDigests(provenance.predicate.buildDefinition.resolvedDependencies, products);
  const table = renderDataTable(products, {
    id: "products-table",
    caption: isLeft ? "What the failed command left" : "Products",
    columns: [NAME, { title: "Against the inputs", kind: "text" }, KIND, BYTES, DIGEST],
    toCells: (file) => [
      file.name,
      describeChange(before.get(file.name), file.digest.sha256),
      ...describeContent(file),
      file.digest.sha256,
    ],
    whole: WHOLE,
  });
  if (!isLeft) return table;
  return markup`<p>The command failed: the evidence does not vouch for what it left of its products.</p>
${table}`;
}

function describeContent({ annotations }: FileDescriptor): [kind: string, bytes: string] {
  return [annotations.kind === "file" ? "file" : "link", formatCount(annotations.size)];
}

/** The documents of the run with the digests of their bytes, as they were read for this page. */
export function renderDocuments({ digests }: ReportedRun): Html {
  const present = DOCUMENT_NAMES.flatMap((name) => {
    const sha256 = digests[name];
    return sha256 === undefined ? [] : [{ name, sha256 }];
  });
  return renderDataTable(present, {
    id: "documents-table",
    caption: "Documents of the run",
    columns: [NAME, DIGEST],
    toCells: ({ name, sha256 }) => [name, sha256],
    whole: WHOLE,
  });
}

function findDigests(
  materials: readonly FileDescriptor[],
  products: readonly FileDescriptor[],
): ReadonlyMap<string, string> {
  const names = new Set(products.map(({ name }) => name));
  return new Map(
    materials.filter(({ name }) => names.has(name)).map((
      { name, digest },
    ) => [name, digest.sha256]),
  );
}

function describeChange(before: string | undefined, after: string): string {
  if (before === undefined) return "new";
  return before === after ? "unchanged input" : "changed input";
}

function renderUnreadable(): Html {
  return markup`<p>Cannot be told: the documents that list them cannot be read.</p>\n`;
}

/**
 * What went in, what ran and what came out: the picture, and what the run was asked to do.
 *
 * @param run The run
 */
export function renderFlow(run: ReportedRun): Html {
  const provenance = run.documents["provenance.json"];
  const digest = run.digests["provenance.json"];
  if (provenance === undefined || digest === undefined) {
    return markup`<p>Cannot be told: provenance.json cannot be read.</p>\n`;
  }
  return markup`${renderFlowPicture(describeFlow(run, provenance, digest))}
${renderFacts(listParameters(run, provenance))}`;
}

function describeFlow(run: ReportedRun, provenance: Provenance, evidenceDigest: string): Flow {
  const { inputs, command, products: given, shard } =
    provenance.predicate.buildDefinition.externalParameters;
  const products = listReportedProducts(run);
  return {
    inputs: {
      total: describeTotals(
        totalInputs(provenance),
        countLinks(provenance.predicate.buildDefinition.resolvedDependencies),
      ),
      paths: [...(shard === undefined ? [] : [`shard ${formatShard(shard)} of`]), ...inputs],
    },
    argv: command?.argv ?? null,
    hasCommand: given !== undefined,
    outcome: run.documents["run_summary.json"]?.outcome ?? null,
    tools: run.documents["toolchain.json"]?.tools ?? [],
    products: products === null ? null : {
      total: describeCounts(products),
      names: products.slice(0, 100).map(({ name }) => name),
    },
    evidenceDigest,
    review: run.documents["human_review.json"]?.status ?? null,
  };
}

function describeCounts(files: readonly FileDescriptor[]): string {
  const links = countLinks(files);
  const count = countOf(files.length - links, "file");
  return links === 0 ? count : `${count}, ${countOf(links, "link")}`;
}

function listParameters({ documents }: ReportedRun, provenance: Provenance): [string, Html][] {
  const { inputs, exclude, command, products, shard } =
    provenance.predicate.buildDefinition.externalParameters;
  const output = documents["run_summary.json"]?.command_output ?? null;
  return [
    ...(command === undefined ? [] : [
      ["Command", renderWords([command.argv.map(shellQuote).join(" ")])] as [string, Html],
      ...(command.env === undefined
        ? []
        : [["Variables that were set", renderWords(command.env)] as [string, Html]]),
    ]),
    ["Paths given as inputs", renderWords(inputs)],
    ...(shard === undefined ? [] : [
      [
        "Shard",
        markup`${
          formatShard(shard)
        }: this run holds a part of the inputs only; kprov merge joins all parts`,
      ] as [string, Html],
    ]),
    ...(products === undefined
      ? []
      : [["Paths given as products", renderWords(products)] as [string, Html]]),
    ...(exclude.length === 0
      ? []
      : [["Left out of directories", renderWords(exclude)] as [string, Html]]),
    ...(command === undefined || output !== null
      ? []
      : [["Output", markup`not captured`] as [string, Html]]),
    ...(output === null ? [] : [
      ["Digest of standard output", renderDigest(output.stdout)] as [string, Html],
      ["Digest of standard error", renderDigest(output.stderr)] as [string, Html],
    ]),
  ];
}

function renderWords(words: readonly string[]): Html {
  return joinHtml(words.map((word) => markup`<code>${word}</code>`), "<br>\n");
}
