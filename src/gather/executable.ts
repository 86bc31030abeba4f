import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { join, resolve } from "../std.ts";
import { isMissing, toKprovError } from "../system/os_error.ts";
import {
  isRunPermitted,
  permissionFlag,
  requireEnv,
  requirePermission,
} from "../system/permissions.ts";
import { askResolution } from "../system/process_resolution.ts";

/** What stands where a program is looked for. */
export type Located =
  | { readonly state: "found"; readonly path: string }
  | { readonly state: "missing" }
  | { readonly state: "unstartable"; readonly reason: string };

/**
 * Finds the file of a program as the system does when it starts one: a name with a `/` is a path, any
 * other is looked for in PATH. Where kprov may start that name, Deno itself is asked, so that what is
 * found is what would be started; else PATH is read, which takes the permission for that variable.
 *
 * @param name The name
 * @param directory The directory that relative paths are relative to
 * @throws {KprovError} `permission` where Deno does not let it be found
 */
export function locateExecutable(name: string, directory: string): Located {
  if (isPath(name)) return inspect(resolve(directory, name));
  if (name === "") return { state: "missing" };
  const answer = isRunPermitted(name) ? askResolution(name, directory) : null;
  if (answer !== null) return answer.path === null ? { state: "missing" } : inspect(answer.path);
  return searchPath(name, directory);
}

/** Whether a program's name is a path, which is not looked for in PATH. */
export function isPath(name: string): boolean {
  return name.includes("/") || (Deno.build.os === "windows" && /[\\:]/.test(name));
}

function inspect(path: string): Located {
  requirePermission("read", path);
  try {
    const { isFile, mode } = Deno.statSync(path);
    if (!isFile) return { state: "unstartable", reason: "it is not a regular file" };
    const isExecutable = mode === null || (mode & 0o111) !== 0;
    return isExecutable
      ? { state: "found", path }
      : { state: "unstartable", reason: "it is not marked as executable" };
  } catch (error) {
    if (isMissing(error)) return { state: "missing" };
    throw toKprovError(error, `Cannot look for a program at ${quote(path)}`, {
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}

function searchPath(name: string, directory: string): Located {
  requireEnv("PATH", `Cannot look for ${quote(name)} in PATH`);
  const isWindows = Deno.build.os === "windows";
  const directories = (Deno.env.get("PATH") ?? "").split(isWindows ? ";" : ":");
  const names = isWindows ? [name, ...[".com", ".exe"].map((end) => `${name}${end}`)] : [name];
  let first: Located = { state: "missing" };
  for (const entry of directories) {
    for (const candidate of names) {
      const found = inspectEntry(join(resolve(directory, entry), candidate));
      if (found.state === "found") return found;
      if (first.state === "missing") first = found;
    }
  }
  return first;
}

/** A directory of PATH that the system does not open is passed over, as the system does. */
function inspectEntry(path: string): Located {
  try {
    return inspect(path);
  } catch (error) {
    if (error instanceof KprovError && error.code === "io") return { state: "missing" };
    throw error;
  }
}
