/** An element of a page. */
export interface PageElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** What stands between its tags, as it stands in the source. */
  readonly source: string;
}

const VOID: ReadonlySet<string> = new Set(["br", "input", "meta"]);
const ENTITY = /^(amp|lt|gt|quot|#39);/;

/**
 * Reads a page as strictly as kprov writes it: every element is closed, every attribute stands between
 * quotation marks, and nothing else looks like markup.
 *
 * @param page The whole document
 * @returns Its elements, in the order in which they end
 * @throws {Error} Where anything is not so
 */
export function parsePage(page: string): PageElement[] {
  const start = "<!DOCTYPE html>\n";
  if (!page.startsWith(start)) throw new Error("no doctype");
  const elements: PageElement[] = [];
  const open: { name: string; attributes: Map<string, string>; from: number }[] = [];
  let at = start.length;
  while (at < page.length) {
    const next = page.indexOf("<", at);
    checkText(page.slice(at, next < 0 ? page.length : next));
    if (next < 0) break;
    const tag =
      /^<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+(?:="[^"<>]*")?|\n[a-zA-Z-]+="[^"<>]*"| [a-zA-Z]+="[^"<>]*")*)(\/?)>/
        .exec(page.slice(next, next + 100_000));
    if (tag === null) throw new Error(`no tag: ${page.slice(next, next + 80)}`);
    const [whole, slash, name = "", written = "", selfClosing] = tag;
    at = next + whole.length;
    if (slash === "/") {
      const last = open.pop();
      if (last?.name !== name) throw new Error(`</${name}> closes <${last?.name}>`);
      elements.push({ name, attributes: last.attributes, source: page.slice(last.from, next) });
      continue;
    }
    const attributes = parseAttributes(written);
    if (VOID.has(name) || selfClosing === "/") elements.push({ name, attributes, source: "" });
    else {
      open.push({ name, attributes, from: at });
      if (name === "style" || name === "script") at = page.indexOf(`</${name}`, at);
    }
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)?.name}> is not closed`);
  return elements;
}

function parseAttributes(written: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = "", value = ""] of written.matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)) {
    if (attributes.has(name)) throw new Error(`${name} stands twice`);
    checkText(value);
    attributes.set(name, value);
  }
  return attributes;
}

function checkText(text: string): void {
  const parts = text.split("&").slice(1);
  if (parts.some((part) => !ENTITY.test(part))) {
    throw new Error(`an open & in ${text.slice(0, 80)}`);
  }
  const hidden = /[^\n\P{Cc}]|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/u.exec(text);
  if (hidden !== null) {
    throw new Error(`a hidden character in ${JSON.stringify(text.slice(0, 80))}`);
  }
}
