import { compileKprov } from "../compile_kprov.ts";
import { CLI, WIDE } from "../run_kprov.ts";

/** A program and its arguments. */
export interface Program {
  /** As the table calls it. */
  readonly name: string;
  /** The executable. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
}

/** A form in which kprov is started: what stands before its own arguments. */
export type Kprov = Program;

/** By which arguments a program tells its version. */
const VERSION_ARGS: Readonly<Record<string, string>> = { openssl: "version", hashdeep: "-V" };

/**
 * Lists the forms of kprov that can be measured: as the user of a checkout starts it and, where
 * DENORT_BIN names the base binary, compiled.
 *
 * @param directory Where the binary goes
 */
export async function listKprovs(directory: string): Promise<readonly Kprov[]> {
  const checkout = {
    name: "kprov",
    command: Deno.execPath(),
    args: ["run", "--quiet", "--no-prompt", ...WIDE, "--allow-run", CLI],
  };
  if (Deno.env.get("DENORT_BIN") === undefined) return [checkout];
  const binary = `${directory}/kprov`;
  await compileKprov("compile:run", binary);
  return [checkout, { name: "kprov, compiled", command: binary, args: [] }];
}

/**
 * Asks a program for its version.
 *
 * @param command The executable
 * @returns The first line of its answer, or null where it is not installed
 */
export async function readVersion(command: string): Promise<string | null> {
  try {
    const args = [VERSION_ARGS[command] ?? "--version"];
    const { stdout, stderr } = await new Deno.Command(command, { args }).output();
    const text = new TextDecoder().decode(stdout.length > 0 ? stdout : stderr);
    return text.split("\n")[0]?.trim() ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
