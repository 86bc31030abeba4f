import { KprovError } from "../../kprov_error.ts";
import { escapeText } from "../../quote.ts";

/** Markup that may stand in a page as it is. Only this module makes it, so no text slips through. */
class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Markup that may stand in a page as it is. */
export type Html = Markup;

/** What a template takes: markup stands as it is, everything else is escaped. */
export type HtmlValue = Html | string | number | readonly Html[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes markup of a template, without the template's indentation. Values are escaped for element content and for attribute values
 * between quotation marks, which are the only places that a value may stand in.
 *
 * @param strings The markup around the values
 * @param values Text, numbers, or markup of other templates
 */
export function markup(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = dropIndentation(strings);
  let text = parts[0] ?? "";
  for (let i = 0; i < values.length; i++) text += renderValue(values[i]) + parts[i + 1];
  return new Markup(text);
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

/**
 * Puts markup after markup.
 *
 * @param parts In their order
 * @param separator What stands between two of them
 */
export function joinHtml(parts: readonly Html[], separator = ""): Html {
  return new Markup(parts.join(separator));
}

/**
 * The content of the page's own style or script element, which HTML does not escape.
 *
 * @param text Source text of this project, never anything from outside
 * @throws {KprovError} `fault` where the text would end its element
 */
export function embedSource(text: string): Html {
  if (/<\/|<!--/.test(text)) {
    throw new KprovError("fault", "Cannot embed a source: it holds the end of its own element");
  }
  return new Markup(text);
}

function renderValue(value: HtmlValue | undefined): string {
  if (value instanceof Markup) return value.toString();
  if (Array.isArray(value)) return value.join("");
  return escapeHtml(String(value));
}

/** What a reader could overlook is shown escaped, as everywhere in kprov; then HTML's own characters. */
function escapeHtml(text: string): string {
  return escapeText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
