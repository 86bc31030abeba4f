import type { Progress, WorkDone } from "../base/progress.ts";
import { formatBytes } from "../base/std.ts";

/** Work that is done sooner shows nothing. */
const FIRST_MS = 500;

/** The line is drawn anew no more often. */
const EVERY_MS = 100;

/** Rates are those of about the last seconds, so that they follow when small files end and large ones begin. */
const WINDOW_MS = 3000;

/** How fast some work is. */
export interface WorkRate {
  /** Files in a second. */
  readonly files: number;
  /** Bytes in a second. */
  readonly bytes: number;
}

/**
 * Renders how far some work is, such as `1200 of 5000 files, 1.2 GB of 4.8 GB, 850 MB/s, 0:05 left`.
 *
 * @param work How far it is
 * @param rate How fast it is
 * @param width The room for it; what does not fit is left out from the end
 */
export function renderProgress(work: WorkDone, rate: WorkRate, width: number): string {
  const left = estimateSeconds(work, rate);
  const parts = [
    `${work.files} of ${work.totalFiles} ${work.totalFiles === 1 ? "file" : "files"}`,
    formatBytes(work.bytes) +
    (work.totalBytes === null ? "" : ` of ${formatBytes(work.totalBytes)}`),
    `${formatBytes(Math.round(rate.bytes))}/s`,
    ...(left === null ? [] : [`${formatSeconds(left)} left`]),
  ];
  while (parts.length > 1 && parts.join(", ").length > width) parts.pop();
  return parts.join(", ").slice(0, Math.max(0, width));
}

/** The rest at the present rate; null where nobody knows it. */
function estimateSeconds(work: WorkDone, rate: WorkRate): number | null {
  if (work.totalBytes !== null) return divide(work.totalBytes - work.bytes, rate.bytes);
  return work.isMoreAhead ? null : divide(work.totalFiles - work.files, rate.files);
}

function divide(rest: number, rate: number): number | null {
  return rate > 0 ? Math.ceil(rest / rate) : null;
}

function formatSeconds(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** Where progress is shown. */
interface ProgressTerminal {
  /** Prints on it. */
  readonly write: (text: string) => void;
  /** Milliseconds since any moment. */
  readonly now: () => number;
  /** Its width in characters. */
  readonly width: number;
}

/** How far the work was at some time. */
interface Sample {
  readonly at: number;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Shows on a terminal how far some work is: one line, drawn again in its place, and erased when the
 * work ends.
 *
 * @param terminal Where
 */
export function showProgress({ write, now, width }: ProgressTerminal): Progress {
  let samples: readonly Sample[] = [];
  let next: number | null = null;
  let isShown = false;
  return {
    tick: (describe) => {
      const at = now();
      if (next === null) {
        next = at + FIRST_MS;
        samples = [{ ...describe(), at }];
      }
      if (at < next) return;
      next = at + EVERY_MS;
      const work = describe();
      const [first, ...others] = samples;
      if (first === undefined) return;
      const rate = measureRate(first, { ...work, at });
      samples = [...dropOld(first, others, at), { ...work, at }];
      // The last column stays free: some terminals go to the next line when it is written to.
      write(`\r${renderProgress(work, rate, width - 1)}\x1b[K`);
      isShown = true;
    },
    end: () => {
      if (isShown) write("\r\x1b[K");
      next = null;
      isShown = false;
    },
  };
}

function measureRate(from: Sample, to: Sample): WorkRate {
  const seconds = Math.max(1, to.at - from.at) / 1000;
  return { files: (to.files - from.files) / seconds, bytes: (to.bytes - from.bytes) / seconds };
}

/** Keeps one sample from before the window, so that it is never empty. */
function dropOld(first: Sample, others: readonly Sample[], at: number): readonly Sample[] {
  const start = others.findLastIndex((sample) => at - sample.at >= WINDOW_MS);
  return start < 0 ? [first, ...others] : others.slice(start);
}
