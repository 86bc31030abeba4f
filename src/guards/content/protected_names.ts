import type { IdentityPolicy } from "../policy.ts";

/**
 * Lists the names of a project that nothing may be mistaken for: the technical name, the display
 * name, and the owner and the name of the repository.
 *
 * @param identity The policy's section
 * @returns Each name once
 */
export function listProtectedNames(identity: IdentityPolicy): readonly string[] {
  const names = [
    identity.technical_name,
    identity.display_name,
    ...splitRepository(identity.repository ?? ""),
  ];
  return [...new Set(names.filter((name) => name !== undefined && name !== ""))] as string[];
}

/** Owner and name, the last two parts of `https://host/owner/name` or `git@host:owner/name.git`. */
function splitRepository(repository: string): readonly string[] {
  const path = repository.replace(/^(?:[a-z+]+:\/\/[^/]*|[^/]*:)/i, "").replace(/\.git\/?$/, "");
  return path.split("/").filter((part) => part !== "").slice(-2);
}
