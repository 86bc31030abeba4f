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

/**
 * Renders comparisons as a table of Markdown.
 *
 * @param rows How they came out
 */
export function renderComparisons(rows: readonly ComparisonRow[]): string {
  return renderTable(
    ["What", "Program", "Time", "Peer", "Its time", "Ratio", "At most", "Met", "Processor time"],
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
  return renderTable(
    ["Runs", "Files of each", "Status", "Trace and check", "Memory kept", "At most"],
    [[String(runs), String(files), showTime(statusMs), showTime(traceMs), kept, "1 s, 300 MiB"]],
  );
}

/**
 * Renders how time and memory grow as a table of Markdown.
 *
 * @param rows How the steps did
 */
export function renderScale(rows: readonly ScaleRow[]): string {
  return renderTable(
    ["Files", "Step", "Time", "For each file", "Growth", "Peak memory", "Under 1.0 GiB"],
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

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
