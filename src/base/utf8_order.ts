// In UTF-16 a supplementary character starts with 0xD800 to 0xDFFF and so sorts before 0xE000 to
// 0xFFFF; in UTF-8 it sorts after. Moving the two ranges past each other makes the orders agree.
function rankCodeUnit(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/**
 * Compares two strings by the bytes of their UTF-8 forms, the order of `LC_ALL=C sort`.
 *
 * @param a A well-formed string
 * @param b A well-formed string
 * @returns Negative, zero or positive, as {@linkcode Array.prototype.sort} takes it
 *
 * @example
 * ```ts
 * import { compareUtf8 } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["\u{1F600}", "\uFF5E", "a"].sort(compareUtf8), ["a", "\uFF5E", "\u{1F600}"]);
 * ```
 */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rankCodeUnit(x) - rankCodeUnit(y);
  }
  return a.length - b.length;
}
