import { KprovError } from "./error.ts";
import { quote } from "./quote.ts";

/** How large a JSON text may be. */
export interface JsonLimits {
  /** Most bytes. */
  readonly maxBytes: number;
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number;
}

/** Limits for files that people write. */
export const SMALL_JSON: JsonLimits = { maxBytes: 16 * 2 ** 20, maxDepth: 64 };

/**
 * Decodes UTF-8 and refuses everything that another reader might see differently.
 *
 * @param bytes The file's bytes
 * @returns The text
 * @throws {KprovError} `data` on a byte order mark or on invalid UTF-8
 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new KprovError("data", "it starts with a byte order mark");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KprovError("data", "it is not valid UTF-8", { cause });
  }
}

/**
 * Parses JSON (RFC 8259) without the freedoms that let two readers see two documents: no duplicate
 * keys, no `__proto__`, no key of one escaped character, no lone surrogates, no byte order mark; size and depth are bounded before
 * anything is parsed.
 *
 * @param bytes The file's bytes
 * @param limits How large it may be
 * @returns The value
 * @throws {KprovError} `data`; the message is a reason such as `it is not valid UTF-8`
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  if (bytes.length > limits.maxBytes) {
    throw new KprovError("data", `it is larger than ${limits.maxBytes} bytes`);
  }
  const text = decodeUtf8(bytes);
  checkStructure(text, limits.maxDepth);
  return parseJsonText(text);
}

/**
 * Parses JSON text.
 *
 * @param text The text
 * @returns The value
 * @throws {KprovError} `data`: it is not JSON
 */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KprovError("data", "it is not JSON", { cause });
  }
}

/**
 * Walks over JSON text once, before it is parsed. What is not JSON at all is left to the parser.
 *
 * @param text The text
 * @param maxDepth Deepest nesting that passes
 * @throws {KprovError} `data` on deeper nesting, a duplicate key, `__proto__` or a lone surrogate
 */
export function checkStructure(text: string, maxDepth: number): void {
  const keysOfOpenObjects: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "{":
      case "[":
        keysOfOpenObjects.push(text[i] === "{" ? new Set() : null);
        if (keysOfOpenObjects.length > maxDepth) {
          throw new KprovError("data", `it is nested deeper than ${maxDepth}`);
        }
        break;
      case "}":
      case "]":
        keysOfOpenObjects.pop();
        break;
      case '"': {
        const end = findStringEnd(text, i);
        checkString(text.slice(i, end), isKey(text, end) ? keysOfOpenObjects.at(-1) ?? null : null);
        i = end - 1;
      }
    }
  }
}

/** The index behind the closing quotation mark, or the text's end where there is none. */
function findStringEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return Math.min(i + 1, text.length);
}

function isKey(text: string, end: number): boolean {
  let i = end;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\r" || text[i] === "\t") i++;
  return text[i] === ":";
}

function checkString(token: string, keys: Set<string> | null): void {
  if (keys === null && !token.includes("\\u")) return;
  // A token between quotation marks is a string, or no JSON.
  const value = parseJsonText(token) as string;
  if (!value.isWellFormed()) {
    throw new KprovError("data", `it holds a lone surrogate in ${quote(value)}`);
  }
  if (keys === null) return;
  if (value === "__proto__") throw new KprovError("data", 'it has a key "__proto__"');
  if (keys.has(value)) throw new KprovError("data", `it has the key ${quote(value)} twice`);
  // JSON.parse() may read such a key as "\\" where it met that key before
  // (https://github.com/nodejs/node/issues/63785).
  if (value.length === 1 && token.length > 3) {
    throw new KprovError("data", `it has the key ${quote(value)}, which is read in two ways`);
  }
  keys.add(value);
}
