import { escapeText, showName } from "../base/quote.ts";
import type { Lineage, Trace } from "../evidence/lineage.ts";
import { toPosixPath } from "./text.ts";
import { describeMore, describeState, isBad, listShownInputs } from "./trace.ts";

/** A file or a run in the picture. */
interface GraphNode {
  readonly id: string;
  readonly kind: "file" | "run" | "more";
  readonly lines: readonly string[];
  readonly isBad: boolean;
}

/** A file that goes into a run, or comes out of one. */
type GraphEdge = readonly [from: string, to: string];

/** Files and runs of a trace, numbered as they come. */
function* listGraph(lineage: Lineage, trace: Trace): Generator<GraphNode | GraphEdge> {
  const files = new Map<string, string>();
  const runs = new Map(trace.runs.map((run, i) => [run, `run${i}`]));
  const drawn = new Set<string>();
  const makers = new Set(trace.madeBy);
  const introduce = function* (key: string, name: string): Generator<GraphNode, string> {
    const known = files.get(key);
    if (known !== undefined) return known;
    const id = `file${files.size}`;
    files.set(key, id);
    yield { id, kind: "file", lines: [showName(name)], isBad: false };
    return id;
  };
  const target = yield* introduce(`${trace.file.name}\0${trace.file.sha256}`, trace.file.name);
  for (const [run, id] of runs) {
    const record = lineage.runs[run];
    if (record === undefined) continue;
    const lines = [showName(toPosixPath(record.run)), describeState(record)];
    yield { id, kind: "run", lines, isBad: isBad(record) };
    if (makers.has(run)) {
      drawn.add(`${id} ${target}`);
      yield [id, target];
    }
    for (const input of listShownInputs(lineage, run)) {
      if ("more" in input) {
        yield { id: `${id}_more`, kind: "more", lines: [describeMore(input.more)], isBad: false };
        yield [`${id}_more`, id];
        continue;
      }
      const { file, madeBy } = input;
      const source = yield* introduce(`${file.name}\0${file.sha256}`, file.name);
      yield [source, id];
      for (const maker of madeBy) {
        const from = runs.get(maker);
        if (from === undefined) continue;
        if (drawn.has(`${from} ${source}`)) continue;
        drawn.add(`${from} ${source}`);
        yield [from, source];
      }
    }
  }
}

/** The trace as a graph for Graphviz, left to right. */
export function* listDotLines(lineage: Lineage, trace: Trace): Generator<string> {
  yield "digraph trace {";
  yield "  rankdir=LR;";
  for (const part of listGraph(lineage, trace)) {
    if (!("id" in part)) {
      yield `  ${part[0]} -> ${part[1]};`;
      continue;
    }
    const shape = part.kind === "run" ? "box" : part.kind === "file" ? "note" : "plain";
    const label = part.lines.map(escapeDot).join("\\n");
    yield `  ${part.id} [shape=${shape}, label="${label}"${part.isBad ? ", color=red" : ""}];`;
  }
  yield "}";
}

function escapeDot(text: string): string {
  return escapeText(text).replace(/["\\]/g, "\\$&");
}

/** The trace as a flowchart for Mermaid, left to right. */
export function* listMermaidLines(lineage: Lineage, trace: Trace): Generator<string> {
  yield "flowchart LR";
  yield "  classDef bad stroke:#c00,stroke-width:3px";
  for (const part of listGraph(lineage, trace)) {
    if (!("id" in part)) {
      yield `  ${part[0]} --> ${part[1]}`;
      continue;
    }
    const label = part.lines.map(escapeMermaid).join("<br>");
    const [open, close] = part.kind === "run" ? ["[", "]"] : ["([", "])"];
    yield `  ${part.id}${open}"${label}"${close}${part.isBad ? ":::bad" : ""}`;
  }
}

/** Mermaid has entities of its own: `#` and a number in decimal. */
function escapeMermaid(text: string): string {
  return escapeText(text).replace(/[^A-Za-z0-9 ./_:,()=+@-]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x80 ? `#${code};` : character;
  });
}
