import { CHANGE_KINDS, type ChangeKind } from "../../evidence/diff_runs.ts";
import { type Html, markup } from "./markup.ts";
import type { TimelineEntry } from "./timeline_entry.ts";

/** More runs than this are no picture any more; the newest are drawn. */
export const MOST_DRAWN = 40;

const LABELS: Readonly<Record<ChangeKind, string>> = {
  input: "Inputs",
  product: "Products",
  parameter: "Parameters",
  toolchain: "Toolchain",
  policy: "Policy",
};

const LEFT = 96;
const STEP = 22;
const ROW = 26;
const ROWS = CHANGE_KINDS.length + 2;

/**
 * Draws runs from left to right: whether each verifies, what changed since the one before, and which
 * decision it holds.
 *
 * @param entries The timeline, oldest first
 */
export function renderTimelinePicture(entries: readonly TimelineEntry[]): Html {
  const drawn = entries.slice(-MOST_DRAWN);
  const [width, height] = [LEFT + Math.max(drawn.length, 12) * STEP, ROWS * ROW + 30];
  const rows = ["Verifies", ...CHANGE_KINDS.map((kind) => LABELS[kind]), "Decision"];
  const [oldest, newest] = [drawn[0]?.name ?? "", drawn.at(-1)?.name ?? ""];
  const columns = drawn.map((entry, i) => renderColumn(entry, LEFT + i * STEP));
  const bound = entries.length > MOST_DRAWN ? ` The newest ${MOST_DRAWN} runs are drawn.` : "";
  return markup`
    <div class="scroll" role="region" aria-label="Picture of the timeline" tabindex="0">
      <svg class="strip" role="img" aria-labelledby="strip-title strip-desc"
        viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
        <title id="strip-title">What changed from run to run</title>
        <desc id="strip-desc">A column for each run, from ${oldest} to ${newest}; the table below says
          the same in words.</desc>
        ${rows.map(renderLabel)}${columns}${renderEnds(drawn.length)}</svg>
    </div>
    <p class="note">A tick: the run verifies; a cross: it does not. A large dot: something of this
      kind changed since the run before; a small one: nothing did. A: approved, R: rejected, a small
      dot: nobody has decided.${bound}</p>
  `;
}

/** In which direction time runs; a few runs leave room for one word only. */
function renderEnds(drawn: number): Html {
  const y = ROWS * ROW + 20;
  const newest = markup`<text class="label" x="${
    LEFT + drawn * STEP
  }" y="${y}" text-anchor="end">newest</text>\n`;
  return markup`<text class="label" x="${LEFT}" y="${y}">oldest</text>
${drawn > 4 ? [newest] : []}`;
}

function renderLabel(label: string, row: number): Html {
  return markup`<text x="0" y="${row * ROW + 18}">${label}</text>\n`;
}

function renderColumn({ name, verified }: TimelineEntry, x: number): Html {
  const middle = x + STEP / 2;
  const verdict = verified === null
    ? markup`<path class="mark bad" d="M${middle - 5} 8l10 10m0 -10l-10 10"/>`
    : markup`<path class="mark good" d="M${middle - 6} 13l4 5l8 -10"/>`;
  const changed = new Set(verified?.since?.changes.map(({ kind }) => kind));
  const cells = verified === null || verified.since === null
    ? []
    : CHANGE_KINDS.map((kind, i) => renderDot(changed.has(kind), middle, (i + 1) * ROW + 13));
  const decision = renderDecision(verified?.review.status, middle, (ROWS - 1) * ROW);
  return markup`<g><title>${name}</title>${verdict}${cells}${decision}</g>\n`;
}

function renderDot(isChanged: boolean, x: number, y: number): Html {
  return isChanged
    ? markup`<circle class="changed" cx="${x}" cy="${y}" r="6"/>`
    : markup`<circle class="unchanged" cx="${x}" cy="${y}" r="2"/>`;
}

function renderDecision(status: string | undefined, x: number, y: number): Html {
  if (status === undefined) return markup``;
  if (status === "PENDING") return renderDot(false, x, y + 13);
  const [tone, letter] = status === "APPROVED" ? ["good", "A"] : ["bad", "R"];
  return markup`<text class="${tone}" x="${x}" y="${y + 18}" text-anchor="middle">${letter}</text>`;
}
