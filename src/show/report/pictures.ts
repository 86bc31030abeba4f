import { escapeText, shellQuote } from "../../base/quote.ts";
import type { Outcome } from "../../evidence/command.ts";
import type { ReviewStatus } from "../../evidence/human_review.ts";

import type { RecordedTool } from "../../evidence/toolchain.ts";
import { countOf, type Html, markup } from "./html.ts";

/** What the picture of a run shows. */
export interface Flow {
  /** What went in, such as `2 files, 172 B`, and the paths that were given. */
  readonly inputs: { readonly total: string; readonly paths: readonly string[] };
  /** The command; null where kprov started none. */
  readonly argv: readonly string[] | null;
  /** Whether the run was made around a command at all, by whomever it was started. */
  readonly hasCommand: boolean;
  /** How it ended; null where that cannot be read. */
  readonly outcome: Outcome | null;
  /** The command's tools; where there are none, kprov and its runtime did everything. */
  readonly tools: readonly RecordedTool[];
  /** What came out and its names; null where it cannot be told. */
  readonly products: { readonly total: string; readonly names: readonly string[] } | null;
  /** Digest of provenance.json. */
  readonly evidenceDigest: string;
  /** Where the review stands; null where it cannot be read. */
  readonly review: ReviewStatus | null;
}

/** A box of the picture. */
interface Box {
  readonly label: string;
  readonly figure: string;
  readonly lines: readonly string[];
  readonly hasFailed: boolean;
}

const WIDTH = 284;
const HEIGHT = 152;
const GAP = 54;
const MOST_LINES = 4;

/** Letters of 12 px that fit between the margins of a box. */
const COLUMNS = 34;

/**
 * Draws what went in, what ran with which tools, and what came out: side by side, and one below the
 * other for narrow screens. The style sheet shows one of the two.
 *
 * @param flow What to show
 */
export function renderFlowPicture(flow: Flow): Html {
  const boxes = [describeInputs(flow), describeRun(flow), describeProducts(flow)];
  return markup`
    <figure>
      ${renderPicture("across", boxes, flow)}${renderPicture("down", boxes, flow)}</figure>
  `;
}

function describeInputs({ inputs }: Flow): Box {
  return { label: "WHAT WENT IN", figure: inputs.total, lines: inputs.paths, hasFailed: false };
}

function describeRun({ argv, hasCommand, outcome, tools }: Flow): Box {
  const hasFailed = outcome === "command_failed";
  const lines = tools.map(({ name, sha256 }) =>
    `${shorten(name, 16)} sha256:${sha256.slice(0, 8)}…`
  );
  if (argv !== null) {
    const figure = shorten(argv.map(shellQuote).join(" "), 28);
    return { label: hasFailed ? "WHAT RAN, AND FAILED" : "WHAT RAN", figure, lines, hasFailed };
  }
  const figure = hasCommand ? "A command kprov did not start" : "No command";
  return {
    label: "WHAT RAN",
    figure,
    lines: hasCommand
      ? ["the inputs were read before it,", "the products after it"]
      : ["the inputs were recorded", "as they stood"],
    hasFailed,
  };
}

function describeProducts({ products, outcome }: Flow): Box {
  const label = outcome === "command_failed" ? "WHAT IT LEFT" : "WHAT CAME OUT";
  if (products === null) return { label, figure: "Not known", lines: [], hasFailed: false };
  const lines = products.names.length === 0
    ? ["no products: the evidence", "vouches for the inputs"]
    : products.names;
  return { label, figure: products.total, lines, hasFailed: false };
}

function renderPicture(
  direction: "across" | "down",
  boxes: readonly Box[],
  flow: Flow,
): Html {
  const isAcross = direction === "across";
  const step = isAcross ? WIDTH + GAP : HEIGHT + 34;
  const length = 2 * step + (isAcross ? WIDTH : HEIGHT);
  const [width, below] = isAcross ? [length, HEIGHT] : [WIDTH, length];
  const places = boxes.map((_, i) => isAcross ? [i * step, 0] as const : [0, i * step] as const);
  const arrows = places.slice(0, -1).map((place) => renderArrow(direction, place));
  const id = `flow-${direction}`;
  return markup`
    <svg class="${direction}" role="img" aria-labelledby="${id}-title ${id}-desc"
      viewBox="-1 -1 ${width + 2} ${below + 86}" width="${width + 2}" height="${below + 86}">
      <title id="${id}-title">What went in, what ran, what came out</title>
      <desc id="${id}-desc">${describeFlow(boxes, flow)}</desc>
      ${boxes.map((box, i) => renderBox(box, places[i] ?? [0, 0]))}${arrows}${
    renderEvidence(width, below, flow)
  }</svg>
  `;
}

function renderBox(
  { label, figure, lines, hasFailed }: Box,
  [x, y]: readonly [number, number],
): Html {
  const shown = lines.length > MOST_LINES ? lines.slice(0, MOST_LINES - 1) : lines;
  const more = lines.length - shown.length;
  const rows = shown.map((line, i) =>
    markup`<text class="word" x="16" y="${80 + 19 * i}">${shorten(line, COLUMNS)}</text>\n`
  );
  const rest = more === 0
    ? []
    : [markup`<text class="more" x="16" y="${80 + 19 * shown.length}">and ${more} more</text>\n`];
  return markup`
    <svg x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}">
      <rect class="${hasFailed ? "box failed" : "box"}" x="1" y="1" width="${WIDTH - 2}"
        height="${HEIGHT - 2}" rx="5"/>
      <text class="label" x="16" y="27">${label}</text>
      <text class="figure" x="16" y="52">${figure}</text>
      ${rows}${rest}</svg>
  `;
}

function renderArrow(direction: "across" | "down", [x, y]: readonly [number, number]): Html {
  if (direction === "across") {
    const [from, to, middle] = [x + WIDTH + 8, x + WIDTH + GAP - 8, y + HEIGHT / 2];
    return markup`
      <path class="line" d="M${from} ${middle}H${to - 6}"/>
      <path class="tip" d="M${to} ${middle}l-9 -5v10z"/>
    `;
  }
  const [from, to, middle] = [y + HEIGHT + 5, y + HEIGHT + 29, x + WIDTH / 2];
  return markup`
    <path class="line" d="M${middle} ${from}V${to - 6}"/>
    <path class="tip" d="M${middle} ${to}l-5 -9h10z"/>
  `;
}

/** The bracket below the boxes: one digest binds them, and the review judges that digest. */
function renderEvidence(width: number, below: number, { evidenceDigest, review }: Flow): Html {
  const [top, middle] = [below + 8, width / 2];
  const standing = review === null ? "review not readable" : `review: ${review}`;
  return markup`
    <path class="line" d="M1 ${top}v8H${width - 1}v-8M${middle} ${top + 8}v10"/>
    <text class="word" x="${middle}" y="${top + 38}" text-anchor="middle">evidence sha256:${
    evidenceDigest.slice(0, 16)
  }…</text>
    <text x="${middle}" y="${top + 60}" text-anchor="middle">${standing}</text>
  `;
}

function describeFlow(boxes: readonly Box[], { tools, review }: Flow): Html {
  const steps = boxes.map(({ label, figure }) => markup`${label.toLowerCase()}: ${figure}; `);
  const named = tools.length === 0 ? "" : `${countOf(tools.length, "tool")} recorded by digest; `;
  return markup`${steps}${named}one evidence digest binds all of it; ${
    review === null ? "the review cannot be read" : `the review of it is ${review}`
  }.`;
}

/**
 * Cuts a text to what fits into a picture, which does not wrap.
 *
 * @param text Any text; invisible characters are shown escaped
 * @param columns How many letters of a monospaced face fit; letters of wide scripts take two
 */
function shorten(text: string, columns: number): string {
  const shown = [...escapeText(text)];
  let width = 0;
  for (const [i, character] of shown.entries()) {
    width += isWide(character) ? 2 : 1;
    if (width > columns) return `${fit(shown.slice(0, i), columns - 1)}…`;
  }
  return shown.join("");
}

function fit(characters: readonly string[], columns: number): string {
  let width = 0;
  return characters.filter((character) => (width += isWide(character) ? 2 : 1) <= columns).join("");
}

/** From U+1100 on, most scripts are set at twice the width of a Latin letter. */
function isWide(character: string): boolean {
  return (character.codePointAt(0) ?? 0) >= 0x1100 && character !== "…";
}
