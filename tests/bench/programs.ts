import { bundleFile } from "../../.github/release/bundle_file.ts";
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

/** What the docs give the bundle. */
const STANDING_ALONE: readonly string[] = ["--no-config", "--no-npm", "--no-remote"];

/** What starts a form of kprov with Deno. */
function startWithDeno(flags: readonly string[], entry: string): Omit<Program, "name"> {
  const args = ["run", "--quiet", "--no-prompt", ...flags, ...WIDE, "--allow-run", entry];
  return { command: Deno.execPath(), args };
}

/**
 * Lists the forms of kprov that can be measured: the bundle, which a release has and `deno task install`
 * installs, the sources of a checkout and, where DENORT_BIN names the base binary, compiled.
 *
 * @param directory Where what has to be made goes
 * @returns The bundle first
 */
export async function listKprovs(directory: string): Promise<readonly [Kprov, ...Kprov[]]> {
  const bundle = `${directory}/kprov.js`;
  await bundleFile(bundle);
  const forms: readonly [Kprov, Kprov] = [
    { name: "kprov", ...startWithDeno(STANDING_ALONE, bundle) },
    { name: "kprov, a checkout", ...startWithDeno([], CLI) },
  ];
  // Deno keeps what it compiled from the first command on.
  for (const { command, args } of forms) {
    await new Deno.Command(command, { args: [...args, "log"], cwd: directory }).output();
  }
  if (Deno.env.get("DENORT_BIN") === undefined) return forms;
  const binary = `${directory}/kprov`;
  await compileKprov("compile:run", binary);
  return [...forms, { name: "kprov, compiled", command: binary, args: [] }];
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
