// Sorts, filters and pages the tables. Without it the page reads whole; nothing in here adds anything
// that is not in the page already.

/** How many rows of a long table are laid out at once. */
const ROWS_OF_A_PAGE = 200;

/** A printer gets every row of a table up to this many, and of a longer one what is on the screen. */
const MOST_PRINTED_ROWS = 5000;

class DataTable {
  #body;
  #all;
  #matching;
  #order = null;
  #first = 0;
  #isWhole = false;
  #texts = null;
  #controls;

  constructor(box) {
    this.#body = box.querySelector("tbody");
    this.#all = [...box.querySelectorAll("tbody tr")];
    this.#matching = this.#all;
    this.#controls = box.querySelector(".controls");
    const headers = this.#all.length > 1 ? [...box.querySelectorAll("thead th")] : [];
    headers.forEach((header, column) => this.#makeSortable(header, column));
    if (this.#controls !== null) this.#serveControls(this.#controls);
    this.#show();
    joinParts(box);
  }

  /** Shows every row that the filter lets through while the page is printed, see above. */
  setPrinting(isPrinting) {
    this.#isWhole = isPrinting && this.#matching.length <= MOST_PRINTED_ROWS;
    this.#show();
  }

  #makeSortable(header, column) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const next = { null: "ascending", ascending: "descending", descending: null };
      const direction = next[header.getAttribute("aria-sort")];
      for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
      if (direction !== null) header.setAttribute("aria-sort", direction);
      this.#order = direction === null
        ? null
        : { column, direction, isNumber: header.classList.contains("number") };
      this.#select();
    });
  }

  #serveControls(controls) {
    controls.hidden = false;
    controls.querySelector("input").addEventListener("input", () => this.#select());
    controls.querySelector(".previous").addEventListener("click", () => this.#turn(-1));
    controls.querySelector(".next").addEventListener("click", () => this.#turn(1));
  }

  #select() {
    this.#matching = this.#sort(this.#filter());
    this.#first = 0;
    this.#show();
  }

  #filter() {
    const query = this.#controls?.querySelector("input").value.trim().toLowerCase() ?? "";
    if (query === "") return this.#all;
    this.#texts ??= this.#all.map(readRow);
    return this.#all.filter((_, i) => this.#texts[i].includes(query));
  }

  #sort(rows) {
    if (this.#order === null) return rows;
    const { column, direction, isNumber } = this.#order;
    const keyed = rows.map((row) => {
      const text = row.cells[column].textContent;
      return { row, key: isNumber ? Number(text.replaceAll(",", "")) : text };
    });
    const sign = direction === "ascending" ? 1 : -1;
    keyed.sort((a, b) => a.key < b.key ? -sign : a.key > b.key ? sign : 0);
    return keyed.map(({ row }) => row);
  }

  #turn(pages) {
    const first = this.#first + pages * ROWS_OF_A_PAGE;
    if (first < 0 || first >= this.#matching.length) return;
    this.#first = first;
    this.#show();
  }

  #show() {
    const count = this.#matching.length;
    const first = this.#isWhole ? 0 : this.#first;
    const last = this.#isWhole ? count : Math.min(first + ROWS_OF_A_PAGE, count);
    this.#fill(this.#matching.slice(first, last));
    if (this.#controls !== null) this.#tell(first, last);
  }

  #tell(first, last) {
    const count = this.#matching.length;
    const shown = count === 0 ? "none" : `${group(first + 1)} to ${group(last)}`;
    const of = count === this.#all.length
      ? `of ${group(count)}`
      : `of ${group(count)} that match, from ${group(this.#all.length)}`;
    this.#controls.querySelector(".shown").textContent = `Showing ${shown} ${of}`;
    this.#controls.querySelector(".pager").hidden = last - first === count;
    // Not `disabled`: a button that loses itself loses the keyboard's place too.
    this.#controls.querySelector(".previous").setAttribute("aria-disabled", first === 0);
    this.#controls.querySelector(".next").setAttribute("aria-disabled", last === count);
  }

  #fill(rows) {
    const fragment = document.createDocumentFragment();
    for (const row of rows) fragment.append(row);
    this.#body.replaceChildren(fragment);
  }
}

/** Makes one table of the parts of a long one; the rows are all in the first. */
function joinParts(box) {
  const [first, ...others] = box.querySelectorAll(".part");
  for (const part of others) part.remove();
  first?.classList.replace("part", "joined");
}

/** The text of a row, of which no word reaches from one cell into the next. */
function readRow(row) {
  return [...row.cells].map((cell) => cell.textContent.toLowerCase()).join("\n");
}

function group(count) {
  return String(count).replace(/\B(?=([0-9]{3})+$)/g, ",");
}

// Before the tables are there: the style sheet hides the parts of long ones, which are joined at once.
document.documentElement.classList.add("scripted");
document.addEventListener("DOMContentLoaded", () => {
  const tables = [...document.querySelectorAll(".table")].map((box) => new DataTable(box));
  addEventListener("beforeprint", () => tables.forEach((table) => table.setPrinting(true)));
  addEventListener("afterprint", () => tables.forEach((table) => table.setPrinting(false)));
});
