/**
 * Says why a text cannot be the name of an environment variable (POSIX.1-2024, 8.1).
 *
 * @param name The candidate
 * @returns The reason, to be read after "it", or null where the name is good
 */
export function describeVariableFault(name: string): string | null {
  if (name === "") return "is empty";
  if (!name.isWellFormed() || name.includes("\uFFFD")) return "is not valid Unicode";
  if (name.includes("\0")) return "holds a NUL character";
  return name.includes("=") ? 'holds "=", which ends a name' : null;
}
