import { refuseRun } from "./permissions.ts";

/** What Deno makes of a program's name. */
export interface ProcessResolution {
  /** The file that it would start, absolute; null where it finds none. */
  readonly path: string | null;
}

/**
 * Asks Deno which file it would start for a name, without starting it: no system passes on an
 * argument with a NUL character, and the error names the file. That is the only way to learn it that
 * needs nothing but the permission to start that program; the file is then started by its path, so
 * that a wrong answer could only lead to an error, never to evidence about another file.
 *
 * @param name A name without `/` that kprov is permitted to start
 * @param directory The working directory of the program
 * @returns The answer, or null where this Deno gives none
 * @throws {KprovError} `permission`
 */
export function askResolution(name: string, directory: string): ProcessResolution | null {
  try {
    new Deno.Command(name, { args: ["\0"], cwd: directory, stdin: "null" }).spawn().kill("SIGKILL");
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { path: null };
    if (error instanceof Deno.errors.NotCapable) throw refuseRun(name, error);
    const message = error instanceof Error ? error.message : "";
    const path = /^Failed to spawn '(.+)': nul byte found/s.exec(message)?.[1];
    return path === undefined || !/^(\/|[A-Za-z]:\\)/.test(path) ? null : { path };
  }
}
