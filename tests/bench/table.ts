import type { LineageRow } from "./lineage.ts";
import { MOST_PEAK_BYTES, type ScaleRow } from "./scale.ts";

/** What one program took. */
export interface Medians {
  /** By the clock. */
  readonly wallMs: number;
  /** Of all processors; null where that is not known. */
  readonly cpuMs: number | null;
}

/** How a comparison came out. */
export interface ComparisonRow {
  /** What was done. */
  readonly what: string;
  /** The form of kprov. */
  readonly kprov: string;
  /** What it took. */
  readonly own: Medians;
  /** The peer. */
  readonly peer: string;
  /** What that took. */
  readonly others: Medians;
  /** kprov's time over the peer's, at most. */
  readonly target: number;
  /** Whether that is of the time of all processors, and not by the clock. */
  readonly isOfProcessors: boolean;
}

/** The head of the table of comparisons, in Markdown. */
export const COMPARISON_HEAD: string = renderHead([
  "What",
  "Program",
  "Time",
  "Peer",
  "Its time",
  "Ratio",
  "At most",
  "Met",
  "Processor time",
]);

/**
 * Renders comparisons as rows of that table.
 *
 * @param rows How they came out
 */
export function renderComparisons(rows: readonly ComparisonRow[]): string {
  return renderRows(
    rows.map(({ what, kprov, own, peer, others, target, isOfProcessors }) => {
      const ratio = own.wallMs / others.wallMs;
      const processors = divide(own.cpuMs, others.cpuMs);
      const judged = isOfProcessors ? processors : ratio;
      return [
        what,
        kprov,
        showTime(own.wallMs),
        peer,
        showTime(others.wallMs),
        ratio.toFixed(2),
        `${target.toFixed(2)}${isOfProcessors ? " (processor)" : ""}`,
        judged === null ? "" : judged <= target ? "yes" : "no",
        processors === null ? "Python is missing" : processors.toFixed(2),
      ];
    }),
  );
}

/** The ratio of what both cost the processors, who may have had much else to do meanwhile. */
function divide(own: number | null, others: number | null): number | null {
  return own === null || others === null ? null : own / others;
}

/**
 * Renders what joining and asking many runs took as a table of Markdown.
 *
 * @param row What it took
 */
export function renderLineage(row: LineageRow): string {
  const { runs, files, statusMs, traceMs, keptBytes } = row;
  const kept = `${Math.round(keptBytes / 2 ** 20)} MiB`;
  const head = ["Runs", "Files of each", "Status", "Trace and check", "Memory kept", "At most"];
  const cells = [String(runs), String(files), showTime(statusMs), showTime(traceMs), kept];
  return `${renderHead(head)}\n${renderRows([[...cells, "1 s, 300 MiB"]])}`;
}

/** The head of the table of how time and memory grow, in Markdown. */
export const SCALE_HEAD: string = renderHead([
  "Files",
  "Step",
  "Time",
  "For each file",
  "Growth",
  "Peak memory",
  "Under 1.0 GiB",
]);

/**
 * Renders how time and memory grow as rows of that table.
 *
 * @param rows How the steps did
 */
export function renderScale(rows: readonly ScaleRow[]): string {
  return renderRows(
    rows.map(({ files, step, wallMs, growth, peakBytes }) => [
      files.toLocaleString("en-US"),
      step,
      showTime(wallMs),
      `${(wallMs * 1000 / files).toFixed(1)} µs`,
      growth.toFixed(2),
      peakBytes === null ? "Python is missing" : `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
      peakBytes === null ? "" : peakBytes <= MOST_PEAK_BYTES ? "yes" : "no",
    ]),
  );
}

function showTime(ms: number): string {
  return ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function renderHead(head: readonly string[]): string {
  return renderRows([head, head.map(() => "---")]);
}

function renderRows(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
