import { shellQuote } from "../../base/quote.ts";
import { formatBytes } from "../../base/std.ts";
import type { Material, Provenance, ResourceDescriptor } from "../../evidence/provenance.ts";
import { DOCUMENT_NAMES } from "../../evidence/run.ts";
import { formatShard } from "../../evidence/shard.ts";
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
import { listReportedProducts, type ReportedRun, totalInputs } from "./page.ts";
import { type Flow, renderFlowPicture } from "./pictures.ts";

const NAME: Column = { title: "Name", kind: "name" };
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
  const { count, bytes } = totalInputs(provenance);
  const table = renderDataTable(provenance.predicate.buildDefinition.resolvedDependencies, {
    id: "inputs-table",
    caption: "Inputs",
    columns: [
      NAME,
      { title: "Kind", kind: "text" },
      { title: "Bytes", kind: "number" },
      DIGEST,
    ],
    toCells: ({ name, annotations, digest }: Material) => [
      name,
      annotations.kind === "file" ? "file" : "link",
      formatCount(annotations.size),
      digest.sha256,
    ],
    whole: WHOLE,
  });
  return markup`<p>${formatCount(count)} in all, ${formatCount(bytes)} bytes (${
    formatBytes(bytes)
  }). A link is recorded as a link: its digest and size are those of its target's text.</p>
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
  const before = findDigests(provenance.predicate.buildDefinition.resolvedDependencies, products);
  return renderDataTable(products, {
    id: "products-table",
    caption: "Products",
    columns: [NAME, { title: "Against the inputs", kind: "text" }, DIGEST],
    toCells: ({ name, digest }) => [
      name,
      describeChange(before.get(name), digest.sha256),
      digest.sha256,
    ],
    whole: WHOLE,
  });
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
  materials: readonly Material[],
  products: readonly ResourceDescriptor[],
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
      total: describeTotals(totalInputs(provenance)),
      paths: [...(shard === undefined ? [] : [`shard ${formatShard(shard)} of`]), ...inputs],
    },
    argv: command?.argv ?? null,
    hasCommand: given !== undefined,
    outcome: run.documents["run_summary.json"]?.outcome ?? null,
    tools: run.documents["toolchain.json"]?.tools ?? [],
    products: products === null ? null : {
      total: countOf(products.length, "file"),
      names: products.slice(0, 100).map(({ name }) => name),
    },
    evidenceDigest,
    review: run.documents["human_review.json"]?.status ?? null,
  };
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
