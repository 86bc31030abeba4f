import { applyMutant, type Mutant } from "./list_mutants.ts";

/**
 * Finds the mutants of a file that the type checker refuses: no test has to find what cannot be
 * written. Each of them becomes a file beside the broken one, and all are checked at once.
 *
 * @param mutants Of one file
 * @param directory A tree in which nothing is broken
 * @returns Their numbers
 */
export async function findUntyped(
  mutants: readonly Mutant[],
  directory: string,
): Promise<ReadonlySet<number>> {
  const refused = new Set<number>();
  const [first] = mutants;
  if (first === undefined) return refused;
  const source = Deno.readTextFileSync(`${directory}/${first.file}`);
  const pathOf = ({ file, id }: Mutant): string => file.replace(/\.ts$/, `__${id}.ts`);
  for (const mutant of mutants) {
    Deno.writeTextFileSync(`${directory}/${pathOf(mutant)}`, applyMutant(source, mutant));
  }
  try {
    for (let isComplete = false; !isComplete;) {
      const left = mutants.filter(({ id }) => !refused.has(id));
      const found = await listRefused(left.map(pathOf), directory);
      for (const id of found.ids) refused.add(id);
      isComplete = found.isComplete;
    }
  } finally {
    for (const mutant of mutants) Deno.removeSync(`${directory}/${pathOf(mutant)}`);
  }
  return refused;
}

/** A file that cannot even be parsed hides the faults of all others. */
async function listRefused(
  files: readonly string[],
  directory: string,
): Promise<{ ids: readonly number[]; isComplete: boolean }> {
  if (files.length === 0) return { ids: [], isComplete: true };
  const { stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--lock=tests/deno.lock", ...files],
    cwd: directory,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
  }).output();
  if (success) return { ids: [], isComplete: true };
  const text = new TextDecoder().decode(stderr);
  const ids = [...text.matchAll(/__([0-9]+)\.ts\b/g)].map(([, id]) => Number(id));
  if (ids.length === 0) throw new Error(`the type checker fails: ${text}`);
  return { ids, isComplete: /^TS[0-9]+ \[ERROR\]/m.test(text) };
}
