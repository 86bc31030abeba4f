/**
 * Says why a text cannot stand as the name of an input or a product. A name is a path relative to
 * the root, in POSIX form, that means the same on every machine.
 *
 * @param name The candidate
 * @returns The reason, to be read after "it", or null where the name is good
 *
 * @example
 * ```ts
 * import { describeNameFault } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(describeNameFault("data/input.csv"), null);
 * assertEquals(describeNameFault("../input.csv"), 'has a part ".."');
 * ```
 */
export function describeNameFault(name: string): string | null {
  if (name === "") return "is empty";
  if (!name.isWellFormed()) return "holds a lone surrogate";
  if (name.includes("\0")) return "holds a NUL character";
  if (name.includes("\uFFFD")) return "is not valid UTF-8, or holds U+FFFD, which stands for that";
  if (name.includes("\\")) return "holds a backslash, which separates folders on other systems";
  if (name.startsWith("/")) return "is absolute";
  for (const part of name.split("/")) {
    if (part === "") return "has an empty part";
    if (part === "." || part === "..") return `has a part "${part}"`;
  }
  return null;
}
