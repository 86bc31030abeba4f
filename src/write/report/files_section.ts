import { DOCUMENT_NAMES } from "../../evidence/documents.ts";
import type { Material, ResourceDescriptor } from "../../evidence/provenance.ts";
import { formatBytes } from "../../std.ts";
import { type Column, renderDataTable } from "./data_table.ts";
import { formatCount } from "./figures.ts";
import { type Html, markup } from "./markup.ts";
import { listReportedProducts, type ReportedRun, totalInputs } from "./reported_run.ts";

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
