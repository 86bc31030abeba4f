/** Characters behind which a `/` starts a pattern and no division. */
const BEFORE_PATTERN = "(,=:[!&|?{};+-*%~^<>";

/**
 * Blanks out everything in TypeScript that is no expression or statement: comments, the insides of
 * strings, templates and patterns, imports, and declarations of types. What remains stands where it
 * stood, so that a search in it finds places of the source.
 *
 * @param source TypeScript, formatted by `deno fmt`
 * @returns Text of the same length
 */
export function maskCode(source: string): string {
  const masked = [...maskLiterals(source)];
  const text = masked.join("");
  const declarations =
    /^(?:export )?(?:(?:declare )?type|interface|import) [\s\S]*?(?:;\n|\n?\}\n)/gm;
  for (const { index, 0: { length } } of text.matchAll(declarations)) {
    for (let i = index; i < index + length; i++) if (masked[i] !== "\n") masked[i] = " ";
  }
  return masked.join("");
}

function maskLiterals(source: string): string {
  let masked = "";
  while (masked.length < source.length) {
    const end = findLiteralEnd(source, masked);
    masked += end === null
      ? source[masked.length] ?? ""
      : source.slice(masked.length, end).replace(/[^\n]/g, " ");
  }
  return masked;
}

/** The end of the literal or comment that starts behind what is masked, or null where none does. */
function findLiteralEnd(source: string, masked: string): number | null {
  const start = masked.length;
  switch (source[start]) {
    case '"':
    case "'":
      return skipQuoted(source, start, source[start] ?? "");
    case "`":
      return skipTemplate(source, start);
    case "/":
      if (source[start + 1] === "/") return endOf(source, "\n", start);
      if (source[start + 1] === "*") return endOf(source, "*/", start) + 2;
      return startsPattern(masked) ? skipPattern(source, start) : null;
    default:
      return null;
  }
}

function endOf(source: string, mark: string, from: number): number {
  const end = source.indexOf(mark, from);
  return end < 0 ? source.length : end;
}

function startsPattern(before: string): boolean {
  const text = before.trimEnd();
  return BEFORE_PATTERN.includes(text.at(-1) ?? "(") || /\breturn$/.test(text);
}

function skipQuoted(source: string, start: number, quote: string): number {
  let i = start + 1;
  while (i < source.length && source[i] !== quote) i += source[i] === "\\" ? 2 : 1;
  return i + 1;
}

function skipPattern(source: string, start: number): number {
  let isInClass = false;
  let i = start + 1;
  for (; i < source.length && (source[i] !== "/" || isInClass); i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "[") isInClass = true;
    else if (source[i] === "]") isInClass = false;
  }
  return i + 1;
}

/** A template is blanked whole, the expressions in it too. */
function skipTemplate(source: string, start: number): number {
  let i = start + 1;
  while (i < source.length && source[i] !== "`") {
    if (source.startsWith("${", i)) i = skipExpression(source, i + 2);
    else i += source[i] === "\\" ? 2 : 1;
  }
  return i + 1;
}

function skipExpression(source: string, start: number): number {
  let i = start;
  for (let depth = 1; i < source.length && depth > 0;) {
    const character = source[i] ?? "";
    if (character === "{") depth++;
    if (character === "}") depth--;
    if (character === "`") i = skipTemplate(source, i);
    else if (character === '"') i = skipQuoted(source, i, '"');
    else i++;
  }
  return i;
}
