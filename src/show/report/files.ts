import { shellQuote } from "../../base/quote.ts";
import { formatBytes } from "../../base/std.ts";
import type { Outcome } from "../../evidence/command.ts";
import { DOCUMENT_NAMES } from "../../evidence/documents.ts";
import type { ReviewStatus } from "../../evidence/human_review.ts";
import { type FileDescriptor, formatShard, type Provenance } from "../../evidence/provenance.ts";
import type { RecordedTool } from "../../evidence/toolchain.ts";
import {
  type Column,
  countOf,
  DIGEST,
  formatCount,
  type Html,
  joinHtml,
  markup,
  NAME,
  renderDataTable,
  renderDigest,
  renderFacts,
  shorten,
} from "./html.ts";
import {
  countLinks,
  describeTotals,
  listReportedProducts,
  renderUnreadable,
  type ReportedRun,
  totalInputs,
} from "./verdict.ts";

const KIND = "Kind";
const BYTES: Column = { title: "Bytes", kind: "number" };
const WHOLE = "provenance.json";

/** The files that went in, as a table. */
export function renderInputs({ documents }: ReportedRun): Html {
  const provenance = documents["provenance.json"];
  if (provenance === undefined) return renderUnlisted();
  const { resolvedDependencies, externalParameters } = provenance.predicate.buildDefinition;
  const { count, bytes } = totalInputs(provenance);
  const table = renderDataTable(resolvedDependencies, {
    id: "inputs-table",
    caption: "Inputs",
    columns: [NAME, KIND, BYTES, DIGEST],
    toCells: (file) => [file.name, ...describeContent(file), file.digest.sha256],
    whole: WHOLE,
  });
  const reading = externalParameters.links === "follow"
    ? "Links were followed: the content behind each link is recorded under the link's name."
    : "A link is recorded as a link: its digest and size are those of its target's text.";
  return markup`<p>${formatCount(count)} in all, ${
    formatCount(countLinks(resolvedDependencies))
  } of them links, ${formatCount(bytes)} bytes (${formatBytes(bytes)}). ${reading}</p>
${table}`;
}

/** The files that came out, as a table, each held against the input of its name. */
export function renderProducts(run: ReportedRun): Html {
  const provenance = run.documents["provenance.json"];
  const products = listReportedProducts(run);
  if (provenance === undefined || products === null) return renderUnlisted();
  if (products.length === 0) {
    return markup`<p>None. The evidence vouches for the inputs as they were.</p>\n`;
  }
  const isLeft = provenance.predicate.runDetails.byproducts?.length !== 1;
  const before = findDigests(provenance.predicate.buildDefinition.resolvedDependencies, products);
  const table = renderDataTable(products, {
    id: "products-table",
    caption: isLeft ? "What the failed command left" : "Products",
    columns: [NAME, "Compared with the inputs", KIND, BYTES, DIGEST],
    toCells: (file) => [
      file.name,
      describeChange(before.get(file.name), file.digest.sha256),
      ...describeContent(file),
      file.digest.sha256,
    ],
    whole: WHOLE,
  });
  if (!isLeft) return table;
  return markup`<p>The command failed: the evidence does not vouch for what it left of its products.</p>
${table}`;
}

function describeContent({ annotations }: FileDescriptor): [kind: string, bytes: string] {
  return [annotations.kind === "file" ? "file" : "link", formatCount(annotations.size)];
}

/** The documents of the run with the digests of their bytes, as they were read for this page. */
export function renderDocuments({ digests }: ReportedRun): Html {
  const present = DOCUMENT_NAMES.flatMap((name) => {
    const sha256 = digests[name];
    return sha256 === undefined ? [] : [{ name, sha256 }];
  });
  return renderDataTable(present, {
    id: "documents-table",
    caption: "Documents of the run",
    columns: [NAME, DIGEST],
    toCells: ({ name, sha256 }) => [name, sha256],
    whole: WHOLE,
  });
}

function findDigests(
  materials: readonly FileDescriptor[],
  products: readonly FileDescriptor[],
): ReadonlyMap<string, string> {
  const names = new Set(products.map(({ name }) => name));
  return new Map(
    materials.filter(({ name }) => names.has(name)).map((
      { name, digest },
    ) => [name, digest.sha256]),
  );
}

function describeChange(before: string | undefined, after: string): string {
  if (before === undefined) return "new";
  return before === after ? "unchanged input" : "changed input";
}

function renderUnlisted(): Html {
  return markup`<p>Unknown: the documents that list them cannot be read.</p>\n`;
}

/** What went in, what ran and what came out: the picture, and what the run was asked to do. */
export function renderFlow(run: ReportedRun): Html {
  const provenance = run.documents["provenance.json"];
  const digest = run.digests["provenance.json"];
  if (provenance === undefined || digest === undefined) {
    return renderUnreadable("provenance.json");
  }
  return markup`${renderFlowPicture(describeFlow(run, provenance, digest))}
${renderFacts(listParameters(run, provenance))}`;
}

function describeFlow(run: ReportedRun, provenance: Provenance, evidenceDigest: string): Flow {
  const { inputs, command, products: given, shard } =
    provenance.predicate.buildDefinition.externalParameters;
  const products = listReportedProducts(run);
  return {
    inputs: {
      total: describeTotals(
        totalInputs(provenance),
        countLinks(provenance.predicate.buildDefinition.resolvedDependencies),
      ),
      paths: [...(shard === undefined ? [] : [`shard ${formatShard(shard)} of`]), ...inputs],
    },
    argv: command?.argv ?? null,
    hasCommand: given !== undefined,
    outcome: run.documents["run_summary.json"]?.outcome ?? null,
    tools: run.documents["toolchain.json"]?.tools ?? [],
    products: products === null ? null : {
      total: describeCounts(products),
      names: products.slice(0, 100).map(({ name }) => name),
    },
    evidenceDigest,
    review: run.documents["human_review.json"]?.status ?? null,
  };
}

function describeCounts(files: readonly FileDescriptor[]): string {
  const links = countLinks(files);
  const count = countOf(files.length - links, "file");
  return links === 0 ? count : `${count}, ${countOf(links, "link")}`;
}

function listParameters({ documents }: ReportedRun, provenance: Provenance): [string, Html][] {
  const { inputs, exclude, command, products, shard } =
    provenance.predicate.buildDefinition.externalParameters;
  const output = documents["run_summary.json"]?.command_output ?? null;
  return [
    ...(command === undefined ? [] : [
      ["Command", renderWords([command.argv.map(shellQuote).join(" ")])] as [string, Html],
      ...(command.env === undefined
        ? []
        : [["Variables that were set", renderWords(command.env)] as [string, Html]]),
      ...(command.stdin === undefined ? [] : [
        [
          "Digest of standard input",
          markup`${renderDigest(command.stdin.sha256)}, ${formatBytes(command.stdin.size)}`,
        ] as [string, Html],
      ]),
    ]),
    ["Paths given as inputs", renderWords(inputs)],
    ...(shard === undefined ? [] : [
      [
        "Shard",
        markup`${
          formatShard(shard)
        }: this run holds a part of the inputs only; kprov merge joins all parts`,
      ] as [string, Html],
    ]),
    ...(products === undefined
      ? []
      : [["Paths given as products", renderWords(products)] as [string, Html]]),
    ...(exclude.length === 0
      ? []
      : [["Left out of directories", renderWords(exclude)] as [string, Html]]),
    ...(command === undefined || output !== null
      ? []
      : [["Output", markup`not captured`] as [string, Html]]),
    ...(output === null ? [] : [
      ["Digest of standard output", renderDigest(output.stdout)] as [string, Html],
      ["Digest of standard error", renderDigest(output.stderr)] as [string, Html],
    ]),
  ];
}

function renderWords(words: readonly string[]): Html {
  return joinHtml(words.map((word) => markup`<code>${word}</code>`), "<br>\n");
}

/** What the picture of a run shows. */
interface Flow {
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
  /** What came out and its names; null where it is unknown. */
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
 */
function renderFlowPicture(flow: Flow): Html {
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
      : ["the inputs were recorded", "as they were"],
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

function renderPicture(direction: "across" | "down", boxes: readonly Box[], flow: Flow): Html {
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
      <desc id="${id}-desc">${describePicture(boxes, flow)}</desc>
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

function describePicture(boxes: readonly Box[], { tools, review }: Flow): Html {
  const steps = boxes.map(({ label, figure }) => markup`${label.toLowerCase()}: ${figure}; `);
  const named = tools.length === 0 ? "" : `${countOf(tools.length, "tool")} recorded by digest; `;
  return markup`${steps}${named}one evidence digest binds all of it; ${
    review === null ? "the review cannot be read" : `the review of it is ${review}`
  }.`;
}
