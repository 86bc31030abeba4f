import { type Lineage, planStatus } from "../../../mod.ts";
import {
  buildPipelineGraph,
  type PipelineGraph,
  placeBoxes,
} from "../../../src/show/report/pipeline_graph.ts";
import { renderPipelinePicture } from "../../../src/show/report/pipeline_picture.ts";
import { renderTimelineReport } from "../../../src/show/report/timeline_page.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeLineage } from "../../evidence/sample_lineage.ts";
import { parsePage } from "./parse_page.ts";
import { listChain, listManySteps, makePipeline, THREE_STEPS } from "./sample_pipelines.ts";
import { timelineOf } from "./sample_runs.ts";

function graphOf(lineage: Lineage, newest: readonly number[] = []): PipelineGraph {
  return buildPipelineGraph(lineage, newest);
}

/** The files of a graph as `maker > names > takers`, the stale takers in brackets. */
function describe({ files }: PipelineGraph): string[] {
  return files.map(({ maker, names, takers, staleTakers, isStale }) =>
    `${maker ?? "-"} > ${names.join(" ")}${isStale ? "!" : ""} > ${
      takers.map((run) => staleTakers.includes(run) ? `(${run})` : run).join(" ")
    }`
  );
}

Deno.test("buildPipelineGraph() shows the newest runs, those that failed after them, and what lies between", () => {
  const { lineage, newest } = timelineOf(makePipeline(THREE_STEPS));
  const graph = graphOf(lineage, newest.map(({ verified }) => verified?.run ?? 0));
  assertEquals(graph.runs.map(({ depth, state }) => [depth, state]), [
    [0, "current"],
    [2, "stale"],
    [1, "current"],
    [2, "failed"],
  ]);
  assertEquals(describe(graph), [
    "1 > report.md! > ",
    "0 > clean.csv > 1 2",
    "2 > model.json > (1) 3",
    "- > clean.py raw/a.csv raw/b.csv > 0",
    "- > train.py > 2",
    "- > report.py > 1",
    "- > check.py > 3",
  ]);
});

Deno.test("buildPipelineGraph() names a package of the environment that newer runs found otherwise", () => {
  const on = (version: string) => ({
    toolchain: {
      tools: [{ name: "python3", sha256: "1".repeat(64) }],
      runtimes: [{
        name: "python",
        version: "3.12.1",
        implementation: "cpython",
        sha256: "1".repeat(64),
        packages: [{ name: "pandas", version }],
      }],
    },
  });
  const { products, runs } = graphOf(makeLineage([
    { inputs: { raw: "1" }, products: { clean: "c" }, record: on("2.1") },
    { inputs: { clean: "c" }, products: { model: "m" }, record: on("2.2") },
  ]));
  assertEquals(runs.map(({ state }) => state), ["stale", "stale"]);
  assertEquals(products.map(({ because }) => because), [
    [{ kind: "package", name: "pandas" }],
    [{ kind: "package", name: "pandas" }],
  ]);
});

Deno.test("buildPipelineGraph() draws generations of a rewritten file one after the other", () => {
  const graph = graphOf(makeLineage([
    { inputs: { raw: "1" }, products: { table: "t1" } },
    { inputs: { table: "t1" }, products: { table: "t2" } },
    { inputs: { table: "t2" }, products: { table: "t3" } },
  ]));
  assertEquals(graph.runs.map(({ depth, state }) => [depth, state]), [
    [0, "earlier"],
    [1, "earlier"],
    [2, "current"],
  ]);
  assertEquals(describe(graph).filter((file) => file.includes("table")), [
    "2 > table > ",
    "0 > table > 1",
    "1 > table > 2",
  ]);
});

Deno.test("buildPipelineGraph() comes to an end where runs feed each other in a circle", () => {
  const graph = graphOf(makeLineage([
    { inputs: { a: "a1" }, products: { b: "b1" } },
    { inputs: { b: "b1" }, products: { a: "a2" } },
    { inputs: { a: "a2" }, products: { b: "b2" } },
    { inputs: { b: "b1", c: "c" }, products: { d: "d" } },
  ]));
  assertEquals(graph.runs.map(({ depth }) => depth), [0, 1, 2, 3]);
});

Deno.test("buildPipelineGraph() stays bounded: the newest runs, and few groups of their files", () => {
  const runs = Array.from({ length: 300 }, (_, i) => ({
    id: `2026-02-15T20-13-00Z-${i + 2}`,
    inputs: Object.fromEntries(
      Array.from({ length: 40 }, (_, k) => [`in/${(i * 7 + k * k) % 500}`, "1"]),
    ),
    products: { [`out/${i}`]: "o" },
  }));
  const lineage = makeLineage(runs);
  const graph = graphOf(lineage);
  assertEquals([graph.runs.length, graph.omitted, graph.products.length], [120, 180, 300]);
  assert(graph.files.length <= 240, `${graph.files.length}`);
  assertEquals(planStatus(lineage).products.length, 300);
});

Deno.test("placeBoxes() overlaps nothing, and crosses no lines where it need not", () => {
  const boxes = [0, 0, 0, 1, 1, 1].map((column) => ({ column, height: 20 }));
  const { tops, height } = placeBoxes(boxes, [[0, 5], [1, 4], [2, 3]]);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = tops;
  assertEquals([a < b, b < c, f < e, e < d], [true, true, true, true]);
  assertEquals([a, b, c], [f, e, d]);
  assertEquals(height, 3 * 20 + 2 * 14);
});

Deno.test("placeBoxes() leads a line around the boxes that it passes", () => {
  const boxes = [0, 1, 1, 2].map((column) => ({ column, height: 40 }));
  const { tops, crossings } = placeBoxes(boxes, [[0, 1], [0, 2], [0, 3], [1, 3], [2, 3]]);
  const [crossing] = crossings[2] ?? [];
  assert(crossing !== undefined);
  for (const top of [tops[1], tops[2]]) {
    assert(top !== undefined && (crossing < top || crossing > top + 40), `${crossing} ${top}`);
  }
});

/** A box of a picture: its place and what stands in it. */
interface DrawnBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

Deno.test("no two boxes of a picture overlap, and no name is wider than its box, on any sheet", () => {
  for (const steps of [THREE_STEPS, listManySteps(), listChain(60), listChain(1)]) {
    const { lineage, newest } = timelineOf(makePipeline(steps));
    const graph = graphOf(lineage, newest.map(({ verified }) => verified?.run ?? 0));
    const picture = String(renderPipelinePicture(graph, () => "#run-1"));
    const sheets = picture.split('<div class="sheet').slice(1);
    assertEquals(sheets.length, 3);
    for (const [i, sheet] of sheets.entries()) {
      const width = Number(/\swidth="(\d+)"/.exec(sheet)?.[1]);
      assert(width <= [1104, 692, 368][i]!, `${width}`);
      for (const row of sheet.split("<g transform").slice(1)) checkRow(row, width);
    }
  }
});

function checkRow(row: string, width: number): void {
  const boxes: DrawnBox[] = [];
  for (const part of row.split('<rect class="box"').slice(1)) {
    const read = (name: string): number =>
      Number(new RegExp(`[\\s]${name}="([-0-9.]+)"`).exec(part)?.[1]);
    const box = { x: read("x"), y: read("y"), width: read("width"), height: read("height") };
    for (const other of boxes) {
      const isApart = box.x >= other.x + other.width || other.x >= box.x + box.width ||
        box.y >= other.y + other.height || other.y >= box.y + box.height;
      assert(isApart, `${JSON.stringify(box)} ${JSON.stringify(other)}`);
    }
    boxes.push(box);
    assert(box.x >= 0 && box.x + box.width <= width, JSON.stringify(box));
    for (const [, name = "", text = ""] of part.matchAll(/<text class="(\w+)[^>]*>([^<]*)</g)) {
      const shown = text.replace(/&[a-z#0-9]+;/g, "x");
      if (name === "word" || name === "command") {
        assert(shown.length * 7.25 <= box.width - 19, `${text} ${box.width}`);
      }
    }
  }
}

Deno.test("a picture leads to the part of each run, and its names get out of no place", () => {
  const steps = listChain(2).map((step) => ({
    ...step,
    inputs: { ...step.inputs, "<script>\u202e": "1" },
    command: ["sh", "-c", "</svg><script>alert(1)</script>"] as const,
  }));
  const page = renderTimelineReport(timelineOf(makePipeline(steps)), "1.0.0");
  const links = parsePage(page).filter(({ name, attributes }) =>
    name === "a" && attributes.get("class")?.startsWith("run ")
  );
  assertEquals(links.map(({ attributes }) => attributes.get("href")), [
    ...["#run-1", "#run-2"],
    ...["#run-1", "#run-2"],
    ...["#run-1", "#run-2"],
  ]);
});
