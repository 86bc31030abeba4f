import type { Finding } from "../../base/finding.ts";
import { sha256Hex } from "../../base/sha256.ts";
import { type FileDescriptor, listProducts, type Provenance } from "../../evidence/provenance.ts";
import type { DocumentName, DocumentTypes, Run } from "../../evidence/documents.ts";
import { type FileTotals, sumFiles } from "../../evidence/run_summary.ts";
import { embedSource, type Html, markup } from "./html.ts";
import STYLE from "./report.css" with { type: "text" };
import PAGE_SCRIPT from "./report.js" with { type: "text" };

/** A part of the page with its own heading. */
interface Section {
  /** Its id, which the navigation points at. */
  readonly id: string;
  /** Its heading. */
  readonly title: string;
  /** What stands below the heading. */
  readonly content: Html;
}

/** A page. */
interface Page {
  /** Its title, which is its first heading too. */
  readonly title: string;
  /** What kind of page it is, above the title. */
  readonly kind: string;
  /** Where the inputs came from, below the title. */
  readonly source: Html;
  /** Its parts, in their order. */
  readonly sections: readonly Section[];
  /** The kprov that writes it. */
  readonly kprov: string;
}

/**
 * Renders a page that needs nothing but itself: its one style sheet and its one script stand in it,
 * named by their digests in a content security policy that lets through nothing else (CSP Level 3,
 * https://www.w3.org/TR/CSP3/).
 *
 * @param page What it shows
 * @returns An HTML document
 */
export function renderPage({ title, kind, source, sections, kprov }: Page): string {
  return String(markup`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${renderPolicy()}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <meta name="robots" content="noindex">
        <title>${title}</title>
        <style>${embedSource(PAGE_STYLE)}</style>
        <script>${embedSource(PAGE_SCRIPT)}</script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <p class="kind">${kind}</p>
          <h1>${title}</h1>
          ${source}
          <nav aria-label="Parts of this page">
            <ul>
              ${
    sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>\n`)
  }</ul>
          </nav>
        </header>
        <main id="content" tabindex="-1">
          ${sections.map(renderSection)}</main>
        <footer>
          <p>Written by kprov ${kprov} from the documents that it shows alone: the same documents
            give the same page, to the byte. The page loads nothing and sends nothing.</p>
        </footer>
      </body>
    </html>
  `);
}

function renderSection({ id, title, content }: Section): Html {
  return markup`
    <section id="${id}" aria-labelledby="${id}-title">
      <h2 id="${id}-title">${title}</h2>
      ${content}</section>
  `;
}

function renderPolicy(): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${toBase64(sha256Hex(PAGE_STYLE))}'`,
    `script-src 'sha256-${toBase64(sha256Hex(PAGE_SCRIPT))}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function toBase64(hex: string): string {
  const bytes = hex.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(...bytes));
}

/** The style sheet of a page. What paper changes stands last. */
const PAGE_STYLE: string = STYLE;

/** A run as a page shows it: with what is wrong, and with those documents that can be read. */
export interface ReportedRun {
  /** The run directory's name. */
  readonly name: string;
  /** What verify finds, sorted; none where the run verifies. */
  readonly findings: readonly Finding[];
  /** The run, where all its documents have their form. */
  readonly run: Run | null;
  /** The documents that have their form. */
  readonly documents: Partial<DocumentTypes>;
  /** Digests of the bytes of the documents that are well-formed. */
  readonly digests: Partial<Readonly<Record<DocumentName, string>>>;
}

/** The inputs of a run, counted anew. */
export function totalInputs(provenance: Provenance): FileTotals {
  const { resolvedDependencies } = provenance.predicate.buildDefinition;
  return sumFiles(resolvedDependencies.map(({ annotations }) => annotations));
}

/** How many links are among files. */
export function countLinks(files: readonly FileDescriptor[]): number {
  return files.filter(({ annotations }) => annotations.kind === "symlink").length;
}

/**
 * The products of a run, or what a failed command left of them.
 *
 * @returns Null where provenance.json cannot be read
 */
export function listReportedProducts({ documents }: ReportedRun): readonly FileDescriptor[] | null {
  const provenance = documents["provenance.json"];
  return provenance === undefined ? null : listProducts(provenance);
}
