import { Instrumenter } from "../stryker.ts";

/** One small way to break a file. */
export interface Mutant {
  /** Its number, which switches it on. */
  readonly id: number;
  /** The file. */
  readonly file: string;
  /** What kind of change it is, such as `EqualityOperator`. */
  readonly kind: string;
  /** Where the change starts, an index into the source. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** What stands there instead. */
  readonly replacement: string;
  /** The line, from 1. */
  readonly line: number;
}

/** Files with all of their mutants in them, each behind a switch. */
export interface MutatedFiles {
  /** The mutants, by their number. */
  readonly mutants: readonly Mutant[];
  /** The code of each file. */
  readonly code: ReadonlyMap<string, string>;
}

/**
 * Other wording is no fault, and an object without its fields is refused by the type checker. Patterns
 * are left out for their number: they are tested by tables of cases and by fuzzing.
 */
const EXCLUDED = ["StringLiteral", "ObjectLiteral", "Regex"];

/** What stands in each file for Stryker's own switches, which are slower. */
const SWITCHES = `
const mutationSwitch = globalThis.kprovMutation ??
  { active: -1, counts: null, hits: 0, most: Infinity, looks: 0, mostLooks: Infinity };
function stryCov_9fa48(...ids) {
  for (const id of ids) mutationSwitch.counts[id]++;
}
function stryMutAct_9fa48(id) {
  // A loop without an end need not come past the mutant that made it so.
  if (++mutationSwitch.looks > mutationSwitch.mostLooks) throw new Error("the mutant has no end");
  if (mutationSwitch.active !== id) return false;
  if (++mutationSwitch.hits > mutationSwitch.most) throw new Error("the mutant has no end");
  return true;
}
`;

const silent = (): void => {};
const LOGGER = {
  ...{ isTraceEnabled: () => false, isDebugEnabled: () => false, isInfoEnabled: () => false },
  ...{ isWarnEnabled: () => false, isErrorEnabled: () => false, isFatalEnabled: () => false },
  ...{ trace: silent, debug: silent, info: silent, warn: silent, error: silent, fatal: silent },
};

/**
 * Puts all mutants of some files into their code: flipped conditions, emptied blocks and lists, bounds
 * that are off by one, other operators and methods.
 *
 * @param sources TypeScript, by its path
 */
export async function mutateFiles(sources: ReadonlyMap<string, string>): Promise<MutatedFiles> {
  const { files, mutants } = await new Instrumenter(LOGGER).instrument(
    [...sources].map(([name, content]) => ({ name, content, mutate: true })),
    { excludedMutations: EXCLUDED, ignorers: [], plugins: null },
  );
  const kept = mutants.filter(({ mutatorName }) => !EXCLUDED.includes(mutatorName));
  return {
    mutants: kept.map(({ id, fileName, mutatorName, location, replacement }) => {
      const lines = (sources.get(fileName) ?? "").split("\n");
      const [start, end] = [location.start, location.end].map(({ line, column }) =>
        lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, column)
      );
      const place = { start: start ?? 0, end: end ?? 0, line: location.start.line + 1 };
      return { id: Number(id), file: fileName, kind: mutatorName, replacement, ...place };
    }),
    code: new Map(files.map(({ name, content }) => [name, putSwitches(content)])),
  };
}

function putSwitches(code: string): string {
  const numbered = code.replace(
    /\b(stryMutAct_9fa48|stryCov_9fa48)\(("[0-9", ]+")\)/g,
    (_, name, ids) => {
      const call = `${name}(${ids.replaceAll('"', "")})`;
      return name === "stryCov_9fa48" ? `(mutationSwitch.counts && ${call})` : call;
    },
  );
  const start = numbered.indexOf("function stryNS_9fa48");
  const last = "return isActive(id);\n}";
  const end = numbered.indexOf(last, start) + last.length;
  return start < 0 ? code : numbered.slice(0, start) + SWITCHES + numbered.slice(end);
}

/** The source with a mutant in it. */
export function applyMutant(source: string, { start, end, replacement }: Mutant): string {
  const isStatement = /^(\{|case\b|default\b)/.test(replacement);
  const text = isStatement ? replacement : `(${replacement})`;
  return source.slice(0, start) + text + source.slice(end);
}

/** The mutant in one line, for people. */
export function describeMutant(source: string, { start, end, replacement, kind }: Mutant): string {
  const shorten = (text: string): string => {
    const line = text.replace(/\s+/g, " ").trim();
    return line.length > 100 ? `${line.slice(0, 60)} … ${line.slice(-35)}` : line;
  };
  return `${kind}: ${shorten(source.slice(start, end))} -> ${shorten(replacement)}`;
}
