import type * as z from "zod/mini";
import { renderCanonicalPart } from "../canonical_json.ts";
import type { JsonItem } from "../json_splitter.ts";
import { listSchemaIssues } from "../schema_issue.ts";
import type { DocumentFaults } from "./document_faults.ts";
import { countLines, readPart } from "./document_part.ts";

/** A long list in a document, which is read item by item. */
export interface ListPlan {
  /** The keys that lead to it, from the outermost object on. */
  readonly keys: readonly string[];
  /** The schema of its items. */
  readonly schema: z.ZodMiniType;
  /** Makes what is kept of an item; the twin is what was kept of the other list at the same index. */
  readonly keep: (item: unknown, twin: unknown) => unknown;
}

/** Reads the items of a document's long lists. */
export class ListReader {
  /** The lists. */
  readonly plans: readonly ListPlan[];
  readonly #faults: DocumentFaults;
  readonly #items: readonly unknown[][];
  readonly #isFilled: boolean[];

  /**
   * Makes a reader for one document.
   *
   * @param plans Its lists, in the order in which they stand in a canonical document
   * @param faults Takes what is wrong
   */
  constructor(plans: readonly ListPlan[], faults: DocumentFaults) {
    this.plans = plans;
    this.#faults = faults;
    this.#items = plans.map(() => []);
    this.#isFilled = plans.map(() => false);
  }

  /**
   * Reads one item.
   *
   * @param item Its text
   * @throws {KprovError} `data` where it is malformed
   */
  read(item: JsonItem): void {
    const isNone = item.isLast && item.index === 0 && /^[ \t\n\r]*$/.test(item.text);
    if (isNone) {
      if (item.text !== "") this.#faults.addDifference(item.line);
      return;
    }
    this.#isFilled[item.list] = true;
    this.#keep(item, this.#parse(item));
  }

  #parse({ list, text, line, isLast }: JsonItem): unknown {
    const outer = "  ".repeat(this.plans[list]?.keys.length ?? 0);
    const inner = `${outer}  `;
    const end = isLast ? `\n${outer}` : "";
    const { value, difference, refusal } = readPart(
      text,
      (value) => `\n${inner}${renderCanonicalPart(value, inner)}${end}`,
    );
    if (refusal !== null) this.#faults.addRefusal(refusal);
    if (difference !== null) this.#faults.addDifference(line + countLines(text, difference));
    return value;
  }

  #keep({ list, index }: JsonItem, value: unknown): void {
    const plan = this.plans[list];
    if (plan === undefined) return;
    this.#faults.addIssues(
      listSchemaIssues(plan.schema, value),
      `/${plan.keys.join("/")}/${index}`,
    );
    // Nothing of a document that has not its form is used.
    if (!this.#faults.fitsSchema) return;
    const twin = this.#items.find((_, i) => i !== list)?.[index];
    this.#items[list]?.push(plan.keep(value, twin));
  }

  /**
   * Puts a mark into each list of an outline that had items, so that the list counts as filled.
   *
   * @param outline The document without the items
   */
  mark(outline: unknown): void {
    this.#put(outline, (list) => this.#isFilled[list] === true ? [null] : []);
  }

  /**
   * Puts the items into the lists of an outline.
   *
   * @param outline The document without them
   */
  fill(outline: unknown): void {
    this.#put(outline, (list) => this.#items[list] ?? []);
  }

  #put(outline: unknown, listOf: (list: number) => readonly unknown[]): void {
    for (const [list, { keys }] of this.plans.entries()) {
      let holder = outline;
      for (const key of keys.slice(0, -1)) holder = isRecord(holder) ? holder[key] : null;
      const last = keys.at(-1) ?? "";
      if (isRecord(holder) && Array.isArray(holder[last])) holder[last] = listOf(list);
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
