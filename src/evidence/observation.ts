import { type Finding, makeFinding } from "../base/error.ts";
import { quote, shellQuote } from "../base/quote.ts";

/** A file below the root that a command read and that the run does not record. */
export interface UndeclaredFile {
  /** Its name, relative to the root. */
  readonly name: string;
  /**
   * What became of it: it is there, and has not changed since before the command; it changed, or may
   * have; it is gone; it was moved to a product; it is a link that leads out of the root; or it can
   * be no input.
   */
  readonly state: "unchanged" | "changed" | "gone" | "moved" | "link" | "unfit";
}

/** What a command did with files that the run does not record. */
export interface ObservedFiles {
  /** What it read below the root, sorted. */
  readonly undeclared: readonly UndeclaredFile[];
  /** Absolute paths of what it read elsewhere, sorted. */
  readonly outside: readonly string[];
  /** The names of what it wrote below the root and left, sorted. */
  readonly products: readonly string[];
}

/** What was asked for beside the observation itself. */
export interface ObservationWishes {
  /** Whether what was read undeclared becomes an input. */
  readonly declares: boolean;
  /** Whether nothing outside of the root may be read. */
  readonly isStrict: boolean;
  /** Whether files outside of the root are named. */
  readonly namesOutside: boolean;
}

/** What else the observation brought. */
interface ObservedProcesses {
  /** How many connections were opened, by kind. */
  readonly connections: ReadonlyMap<string, number>;
  /** Why something may have happened unseen. */
  readonly gaps: Iterable<string>;
  /** How many processes and threads had not ended. */
  readonly running: number;
  /** Whether the command was seen from its beginning to its end. */
  readonly isWhole: boolean;
}

/** More arguments than this are no help. */
const MOST_ARGUMENTS = 10;

/** A note for each of more files than this tells less than one for each directory. */
const MOST_NOTES = 20;

/**
 * Says what a command did that the run does not record.
 *
 * @param files What it did with files
 * @param processes What else was seen
 * @param wishes What was asked for
 * @returns Findings `input.undeclared`; `input.outside`, an error where that was asked for; notes
 * `product.undeclared` and `network.used`; `observation.incomplete`, an error where the trace is broken
 */
export function checkObservation(
  files: ObservedFiles,
  processes: ObservedProcesses,
  wishes: ObservationWishes,
): Finding[] {
  return [
    ...tellUndeclared(files.undeclared, wishes),
    ...tellOutside(files.outside, wishes),
    ...tellProducts(files.products),
    ...tellConnections(processes.connections),
    ...tellGaps(processes),
  ];
}

const STATES: Readonly<Record<UndeclaredFile["state"], string>> = {
  unchanged: "",
  changed: ", and it may have changed since",
  gone: ", and it is gone since",
  moved: "",
  link: ", and it is a link that leads out of the root",
  unfit: ", and it can be no input",
};

function tellUndeclared(
  undeclared: readonly UndeclaredFile[],
  { declares }: ObservationWishes,
): Finding[] {
  const hint = hintInputs(undeclared);
  return undeclared.map(({ name, state }) => {
    const what = state === "moved" ? "made a product of it" : "read it";
    // Whether it changed matters only to who would have it declared.
    const why = state === "changed" && !declares ? "" : STATES[state];
    return makeFinding("input.undeclared", `the command ${what}, and it is no input${why}`, {
      path: showable(name),
      hint: state === "link" ? "--follow records the content behind a link that is named" : hint,
    });
  });
}

/** A name that is not UTF-8 has lone surrogates in place of the bytes that are none. */
function showable(name: string): string {
  return name.replace(
    /[\udc80-\udcff](?<![\ud800-\udbff][\udc80-\udcff])/g,
    (unit) => `\\x${(unit.charCodeAt(0) - 0xdc00).toString(16)}`,
  );
}

function hintInputs(undeclared: readonly UndeclaredFile[]): string | null {
  const names = undeclared.filter(({ state }) => state === "unchanged" || state === "changed")
    .map(({ name }) => name);
  if (names.length === 0) return null;
  const tops = [...new Set(names.map((name) => name.split("/", 1)[0] ?? name))];
  const given = names.length <= MOST_ARGUMENTS ? names : tops;
  const shown = given.slice(0, MOST_ARGUMENTS).map(shellQuote).join(" ");
  const rest = given.length > MOST_ARGUMENTS ? " …" : "";
  return `name them as inputs: ${shown}${rest}; or --observe=declare records what was read as such`;
}

function tellOutside(
  paths: readonly string[],
  { isStrict, namesOutside }: ObservationWishes,
): Finding[] {
  if (paths.length === 0) return [];
  const level = isStrict ? "error" : "note";
  const files = paths.length === 1 ? "1 file" : `${paths.length} files`;
  const message = `the command read ${files} outside of the root, which nothing records`;
  const hint = namesOutside ? null : "--observe=names names them, here and never in the evidence";
  const total = makeFinding("input.outside", message, { level, hint });
  if (!namesOutside) return [total];
  const named = paths.map((path) =>
    makeFinding("input.outside", `the command read ${quote(showable(path))}`, { level: "note" })
  );
  return [total, ...named];
}

function tellProducts(names: readonly string[]): Finding[] {
  const hint = "--products records what the command makes";
  const message = "the command wrote it, and it is no product";
  if (names.length <= MOST_NOTES) {
    return names.map((name) =>
      makeFinding("product.undeclared", message, { level: "note", path: showable(name), hint })
    );
  }
  const counts = new Map<string, number>();
  for (const name of names) {
    const top = name.includes("/") ? name.slice(0, name.indexOf("/")) : name;
    counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  return [...counts].map(([top, count]) => {
    const several = `the command wrote ${count} files below it that are no products`;
    const path = showable(top);
    return makeFinding("product.undeclared", count === 1 ? message : several, {
      level: "note",
      path,
      hint,
    });
  });
}

const CONNECTIONS: Readonly<Record<string, string>> = {
  internet: "over IP",
  local: "to local sockets",
  vsock: "to the host of a virtual machine",
  other: "of another kind",
};

function tellConnections(connections: ReadonlyMap<string, number>): Finding[] {
  if (connections.size === 0) return [];
  const kinds = [...connections].sort(([a], [b]) => a < b ? -1 : 1);
  const total = kinds.reduce((sum, [, count]) => sum + count, 0);
  const list = kinds.map(([kind, count]) => `${count} ${CONNECTIONS[kind] ?? kind}`).join(", ");
  const what = total === 1 ? "1 connection" : `${total} connections`;
  const message = `the command opened ${what}: ${list}; what came that way is not recorded`;
  return [makeFinding("network.used", message, { level: "note" })];
}

function tellGaps({ gaps, running, isWhole }: ObservedProcesses): Finding[] {
  const reasons = [
    ...[...gaps].sort(),
    ...(running === 0 ? [] : ["something that the command started was still running in the end"]),
  ];
  const broken = "the trace does not hold the command from its beginning to its end";
  return [
    ...(isWhole ? [] : [makeFinding("observation.incomplete", broken)]),
    ...reasons.map((reason) =>
      makeFinding("observation.incomplete", `not everything was seen: ${reason}`, { level: "note" })
    ),
  ];
}

/**
 * Whether an observation saw everything, and found nothing that the run does not record.
 *
 * @param findings Its findings
 */
export function isObservationComplete(findings: readonly Finding[]): boolean {
  return findings.every(({ code, level }) => level === "note" && code !== "observation.incomplete");
}
