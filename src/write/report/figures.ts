import type { FileTotals } from "../../evidence/run_summary.ts";
import { formatBytes } from "../../std.ts";
import { type Html, markup } from "./markup.ts";

/** A whole number with a comma between groups of three digits, on every machine the same. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=([0-9]{3})+$)/g, ",");
}

/**
 * A number of things.
 *
 * @param count How many
 * @param noun What one of them is called; several of them end in s
 */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Files with their size, such as `2 files, 1.34 kB`. */
export function describeTotals({ count, bytes }: FileTotals): string {
  return `${countOf(count, "file")}, ${formatBytes(bytes)}`;
}

/** A digest that can be copied with one click. */
export function renderDigest(sha256: string): Html {
  return markup`<code class="digest">${sha256}</code>`;
}

/** A UTC second, as the documents write it. */
export function renderTime(time: string): Html {
  return markup`<time datetime="${time}">${time.replace("T", " ").replace("Z", " UTC")}</time>`;
}

/** A word that tells how something stands. */
export type Tone = "good" | "bad" | "open";

/** A word that tells how something stands, by its text first and by its colour beside that. */
export function renderBadge(tone: Tone, word: string): Html {
  return markup`<strong class="badge ${tone}">${word}</strong>`;
}

/** Terms with what they are. */
export function renderFacts(facts: readonly (readonly [term: string, value: Html])[]): Html {
  const rows = facts.map(([term, value]) => markup`<div><dt>${term}</dt><dd>${value}</dd></div>\n`);
  return markup`<dl class="facts">\n${rows}</dl>\n`;
}

/** A word, or a dash where there is none. */
export function renderOptional(text: string | null): Html {
  return text === null ? markup`<span class="muted">not recorded</span>` : markup`${text}`;
}
