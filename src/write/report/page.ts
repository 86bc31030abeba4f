import { sha256Hex } from "../../sha256.ts";
import { embedSource, type Html, markup } from "./markup.ts";
import PAGE_SCRIPT from "./page_script.js" with { type: "text" };
import { PAGE_STYLE } from "./page_style.ts";

/** A part of the page with its own heading. */
export interface Section {
  /** Its id, which the navigation points at. */
  readonly id: string;
  /** Its heading. */
  readonly title: string;
  /** What stands below the heading. */
  readonly content: Html;
}

/** A page. */
export interface Page {
  /** Its title, which is its first heading too. */
  readonly title: string;
  /** What kind of page it is, above the title. */
  readonly kind: string;
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
export function renderPage({ title, kind, sections, kprov }: Page): string {
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
