/** Where a text was looked for as a whole token. */
export type TokenSearch =
  | { readonly found: "whole" }
  /** Only as a part of something longer, which starts there. */
  | { readonly found: "part"; readonly index: number; readonly longer: string }
  | { readonly found: "nowhere" };

const NAME_CHARACTER = /[\p{L}\p{M}\p{N}_-]/u;
const NAME_BEFORE = /[\p{L}\p{M}\p{N}_-]$/u;
// More of a name, or of a path: `-x`, `.git`, `/x`, `%2e`.
const NAME_BEHIND = /^(?:[\p{L}\p{M}\p{N}_-]|\.[\p{L}\p{N}]|\/[\p{L}\p{N}_.~-]|%[0-9a-f]{2})/iu;
const LONGEST_SHOWN = 200;

/**
 * Looks for a text that stands as a whole: not inside a longer name, and not followed by more of
 * a name or path.
 *
 * @param content Where
 * @param token What
 */
export function findWholeToken(content: string, token: string): TokenSearch {
  let part: TokenSearch = { found: "nowhere" };
  const startsWithName = startsName(token);
  const endsWithName = endsName(token);
  for (
    let index = content.indexOf(token);
    index !== -1;
    index = content.indexOf(token, index + 1)
  ) {
    const before = content.slice(Math.max(0, index - 2), index);
    const behind = content.slice(index + token.length, index + token.length + 4);
    const isCut = startsWithName && NAME_BEFORE.test(before) ||
      endsWithName && NAME_BEHIND.test(behind);
    if (!isCut) return { found: "whole" };
    if (part.found === "nowhere") part = { found: "part", ...widen(content, index, token.length) };
  }
  return part;
}

function startsName(token: string): boolean {
  return NAME_CHARACTER.test(String.fromCodePoint(token.codePointAt(0) ?? 0));
}

// A URL that ends in "/" goes on with the name that follows.
function endsName(token: string): boolean {
  return NAME_BEFORE.test(token) || token.endsWith("/");
}

/** The run of visible characters around a place. */
function widen(
  content: string,
  index: number,
  length: number,
): { readonly index: number; readonly longer: string } {
  const before = /[\p{L}\p{M}\p{N}_-]*$/u.exec(content.slice(Math.max(0, index - 50), index));
  const start = index - (before?.[0].length ?? 0);
  const behind = /^[^\s"'`<>()[\]{},;]*/u.exec(
    content.slice(index + length, index + length + LONGEST_SHOWN),
  );
  return { index: start, longer: content.slice(start, index + length) + (behind?.[0] ?? "") };
}
