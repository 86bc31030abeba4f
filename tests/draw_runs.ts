import { findRuns, readAnyRun } from "../src/io/run_files.ts";
import { buildPipelineGraph } from "../src/show/report/pipeline_graph.ts";
import { drawPipeline } from "../src/show/report/pipeline_picture.ts";
import STYLE from "../src/show/report/report.css" with { type: "text" };
import { buildTimeline } from "../src/show/report/timeline.ts";

/** The command of docs/pipeline.md at which its picture is drawn. */
export const PICTURED = "kprov report runs --out pipeline.html";

/** Around the picture. */
const MARGIN = 18;

/**
 * Draws the pipeline of the runs in a directory as an image of its own, in the page's colours.
 *
 * @param directory Where `runs` is
 */
export function drawRuns(directory: string): string {
  const paths = findRuns(`${directory}/runs`);
  const { lineage, newest } = buildTimeline(paths.map((path) => () => readAnyRun(path)));
  const runs = newest.flatMap(({ verified }) => verified?.run ?? []);
  const picture = String(drawPipeline(buildPipelineGraph(lineage, runs)));
  const [width = 0, height = 0] = ["width", "height"].map((name) =>
    Number(new RegExp(`\\s${name}="([0-9.]+)"`).exec(picture)?.[1])
  );
  const [wide, high] = [width + 2 * MARGIN, height + 2 * MARGIN];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${high}" width="${wide}" height="${high}">
<style>
${chooseStyle()}</style>
<rect class="paper" width="${wide}" height="${high}" rx="8"/>
${picture.replace("<svg ", `<svg x="${MARGIN}" y="${MARGIN}" `)}</svg>
`;
}

/** Of the page's style sheet the colours, and what pictures of pipelines use. */
function chooseStyle(): string {
  const blocks = [
    ...STYLE.matchAll(/^(?:@media[^{]*\{\n(?: {2}.*\n|\n)*\}|[^@\s/*][^{]*\{[^}]*\})\n/gm),
  ]
    .map(([block]) => block);
  const isUsed = (block: string): boolean =>
    /^:root/.test(block) || block.startsWith("@media (prefers-color-scheme") ||
    /^(svg (text|\.(box|line|tip|word|more|command|state|plain))|svg text\.|\.(files|run)[. ])/
      .test(block);
  const size = /\n {2}(height: auto|margin: [^;]*|max-width: [^;]*);/g;
  return `${blocks.filter(isUsed).map((block) => block.replace(size, "")).join("\n")}
.paper {
  fill: var(--paper);
}
`;
}
