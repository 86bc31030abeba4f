import { KprovError } from "../../base/error.ts";
import { escapeText } from "../../base/quote.ts";

/** Markup that may stand in a page as it is. Only this module makes it, so no text slips through. */
class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export type { Html };

/** What a template takes: markup stands as it is, everything else is escaped. */
type HtmlValue = Html | string | number | readonly Html[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes markup of a template, without its indentation. Values are escaped for element content and
 * for attribute values between quotation marks; they may stand nowhere else.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = dropIndentation(strings);
  let text = parts[0] ?? "";
  for (let i = 0; i < values.length; i++) text += renderValue(values[i]) + parts[i + 1];
  return new Html(text);
}

const DROPPED = new WeakMap<TemplateStringsArray, readonly string[]>();

/** The indentation of a template is its source's, not the page's. Found once for each template. */
function dropIndentation(strings: TemplateStringsArray): readonly string[] {
  const known = DROPPED.get(strings);
  if (known !== undefined) return known;
  const parts = strings.map((part) => part.replace(/\n +/g, "\n"));
  parts[0] = parts[0]?.replace(/^\n/, "") ?? "";
  DROPPED.set(strings, parts);
  return parts;
}

/** Puts markup after markup. */
export function joinHtml(parts: readonly Html[], separator = ""): Html {
  return new Html(parts.join(separator));
}

/** The project's own style sheet or script, which HTML does not escape; never text from outside. */
export function embedSource(text: string): Html {
  if (/<\/|<!--/.test(text)) {
    throw new KprovError("fault", "Cannot embed a source: it holds the end of its own element");
  }
  return new Html(text);
}

function renderValue(value: HtmlValue | undefined): string {
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.join("");
  return escapeHtml(String(value));
}

/** What a reader could overlook is shown escaped, as everywhere in kprov; then HTML's own characters. */
function escapeHtml(text: string): string {
  return escapeText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** A whole number with a comma between groups of three digits, on every machine the same. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=([0-9]{3})+$)/g, ",");
}

/** A number of things, of which several end in s. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A digest that can be copied with one click. */
export function renderDigest(sha256: string): Html {
  return markup`<code class="digest">${sha256}</code>`;
}

/** A UTC second, as the documents write it. */
export function renderTime(time: string): Html {
  return markup`<time datetime="${time}">${time.replace("T", " ").replace("Z", " UTC")}</time>`;
}

/** A word that tells how something stands. */
export type Tone = "good" | "bad" | "open";

/** A word that tells how something stands, by its text first and by its colour beside that. */
export function renderBadge(tone: Tone, word: string): Html {
  return markup`<strong class="badge ${tone}">${word}</strong>`;
}

/** Terms with what they are. */
export function renderFacts(facts: readonly (readonly [term: string, value: Html])[]): Html {
  const rows = facts.map(([term, value]) => markup`<div><dt>${term}</dt><dd>${value}</dd></div>\n`);
  return markup`<dl class="facts">\n${rows}</dl>\n`;
}

/** A word, or that there is none. */
export function renderOptional(text: string | null): Html {
  return text === null ? markup`<span class="muted">not recorded</span>` : markup`${text}`;
}

/** More rows than this make a page that no browser opens in reasonable time. */
export const MOST_ROWS = 100_000;

/** From this many rows on, a table can be filtered. */
const FILTERED_ROWS = 8;

/** A longer table stands in parts of this many rows. */
const ROWS_OF_A_PART = 500;

/** A column of a table, with what stands above it. */
export interface Column {
  readonly title: string;
  /** How its cells are sorted and set. */
  readonly kind: "text" | "prose" | "number" | "name" | "digest" | "command";
}

/** The names of files, tools or packages. */
export const NAME: Column = { title: "Name", kind: "name" };

/** Digests. */
export const DIGEST: Column = { title: "SHA-256", kind: "digest" };

/** How things are shown as a table. */
interface DataTableOptions<T> {
  /** Unique in the page. */
  readonly id: string;
  readonly caption: string;
  /** Its columns, those of words by their titles alone; the first one names the row. */
  readonly columns: readonly (Column | string)[];
  /** The cells of a row, one a column. */
  readonly toCells: (item: T) => readonly HtmlValue[];
  /** Where everything stands that is beyond {@linkcode MOST_ROWS}. */
  readonly whole: string;
}

/** A table that reads whole without the page's script, and sorts and filters with it. */
export function renderDataTable<T>(items: readonly T[], options: DataTableOptions<T>): Html {
  const { id, caption, whole } = options;
  const total = formatCount(items.length);
  const note = items.length <= MOST_ROWS ? [] : [
    markup`<p class="note">The first ${formatCount(MOST_ROWS)} of ${total} are shown; all are in
      ${whole}.</p>\n`,
  ];
  const controls = items.length < FILTERED_ROWS ? [] : [renderControls(id, caption)];
  const title = markup`
    <caption id="${id}-caption">${caption} <span class="muted">(${total})</span></caption>
  `;
  const shown = items.slice(0, MOST_ROWS);
  return markup`
    <div class="table" id="${id}">
      ${note}${controls}<div class="scroll" role="region" aria-labelledby="${id}-caption" tabindex="0">
        ${renderTables(shown, title, options)}</div>
    </div>
  `;
}

/** Browsers lay out only those parts that are seen; one table of 100000 rows takes them a minute. */
function renderTables<T>(items: readonly T[], title: Html, options: DataTableOptions<T>): Html[] {
  if (items.length <= ROWS_OF_A_PART) return [renderTable(items, title, options)];
  const parts: Html[] = [];
  for (let first = 0; first < items.length; first += ROWS_OF_A_PART) {
    const part = items.slice(first, first + ROWS_OF_A_PART);
    const continued = markup`
      <caption>${options.caption}, from ${formatCount(first + 1)} on</caption>
    `;
    const table = renderTable(part, first === 0 ? title : continued, options);
    parts.push(markup`<div class="part">${table}</div>\n`);
  }
  return parts;
}

function renderTable<T>(items: readonly T[], title: Html, options: DataTableOptions<T>): Html {
  const columns = options.columns.map((column): Column =>
    typeof column === "string" ? { title: column, kind: "text" } : column
  );
  return markup`
    <table>
      ${title}<thead><tr>${columns.map(renderHeader)}</tr></thead>
      <tbody>
        ${items.map((item) => renderRow(columns, options.toCells(item)))}</tbody>
    </table>
  `;
}

/** What only the script can serve, hidden until it does. */
function renderControls(id: string, caption: string): Html {
  return markup`
    <div class="controls" hidden>
      <label for="${id}-filter">Filter ${caption.toLowerCase()}</label>
      <input id="${id}-filter" type="search" autocomplete="off" spellcheck="false">
      <span class="pager">
        <button type="button" class="previous">Previous</button>
        <button type="button" class="next">Next</button>
      </span>
      <span class="shown" role="status" aria-live="polite"></span>
    </div>
  `;
}

function renderHeader({ title, kind }: Column): Html {
  return markup`<th scope="col" class="${kind}">${title}</th>`;
}

function renderRow(columns: readonly Column[], cells: readonly HtmlValue[]): Html {
  const rendered = cells.map((cell, i) => {
    const kind = columns[i]?.kind ?? "text";
    return i === 0
      ? markup`<th scope="row" class="${kind}">${cell}</th>`
      : markup`<td class="${kind}">${cell}</td>`;
  });
  return markup`<tr>${rendered}</tr>\n`;
}

/** Cuts a text, shown escaped, to the monospaced letters that fit into a picture, which does not wrap. */
export function shorten(text: string, columns: number): string {
  const shown = [...escapeText(text.slice(0, 9 * columns))];
  let width = 0;
  for (const [i, character] of shown.entries()) {
    width += widthOf(character);
    if (width > columns) return `${fit(shown.slice(0, i), columns - 1)}…`;
  }
  return shown.join("");
}

function fit(characters: readonly string[], columns: number): string {
  let width = 0;
  return characters.filter((character) => (width += widthOf(character)) <= columns).join("");
}

/** From U+1100 on, most scripts are set at twice the width of a Latin letter. */
function widthOf(character: string): number {
  return (character.codePointAt(0) ?? 0) >= 0x1100 && character !== "…" ? 2 : 1;
}
