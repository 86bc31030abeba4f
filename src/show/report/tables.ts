import { formatCount, type Html, type HtmlValue, markup } from "./html.ts";

/** More rows than this make a page that no browser opens in reasonable time. */
export const MOST_ROWS = 100_000;

/** From this many rows on, a table can be filtered. */
const FILTERED_ROWS = 8;

/** A longer table stands in parts of this many rows. */
const ROWS_OF_A_PART = 500;

/** A column of a table. */
export interface Column {
  /** What stands above it. */
  readonly title: string;
  /** How its cells are sorted and set. */
  readonly kind: "text" | "prose" | "number" | "name" | "digest";
}

/** How things are shown as a table. */
interface DataTableOptions<T> {
  /** The table's id, unique in the page. */
  readonly id: string;
  /** What the table lists. */
  readonly caption: string;
  /** Its columns; the first one names the row. */
  readonly columns: readonly Column[];
  /** The cells of a row, one a column. */
  readonly toCells: (item: T) => readonly HtmlValue[];
  /** Where everything stands that is beyond {@linkcode MOST_ROWS}. */
  readonly whole: string;
}

/**
 * A table that reads whole without the page's script, and sorts and filters with it.
 *
 * @param items A row each, in the order in which they are shown
 * @param options What the rows hold
 */
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
function renderTables<T>(
  items: readonly T[],
  title: Html,
  options: DataTableOptions<T>,
): readonly Html[] {
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

function renderTable<T>(
  items: readonly T[],
  title: Html,
  { columns, toCells }: DataTableOptions<T>,
): Html {
  return markup`
    <table>
      ${title}<thead><tr>${columns.map(renderHeader)}</tr></thead>
      <tbody>
        ${items.map((item) => renderRow(columns, toCells(item)))}</tbody>
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
