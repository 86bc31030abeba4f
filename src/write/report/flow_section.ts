import type { Provenance } from "../../evidence/provenance.ts";
import { formatShard } from "../../evidence/shard.ts";
import { shellQuote } from "../../shell_quote.ts";
import { countOf, describeTotals, renderDigest, renderFacts } from "./figures.ts";
import { type Flow, renderFlowPicture } from "./flow_picture.ts";
import { type Html, joinHtml, markup } from "./markup.ts";
import { listReportedProducts, type ReportedRun, totalInputs } from "./reported_run.ts";

/**
 * What went in, what ran and what came out: the picture, and what the run was asked to do.
 *
 * @param run The run
 */
export function renderFlow(run: ReportedRun): Html {
  const provenance = run.documents["provenance.json"];
  const digest = run.digests["provenance.json"];
  if (provenance === undefined || digest === undefined) {
    return markup`<p>Cannot be told: provenance.json cannot be read.</p>\n`;
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
      total: describeTotals(totalInputs(provenance)),
      paths: [...(shard === undefined ? [] : [`shard ${formatShard(shard)} of`]), ...inputs],
    },
    argv: command?.argv ?? null,
    hasCommand: given !== undefined,
    outcome: run.documents["run_summary.json"]?.outcome ?? null,
    tools: run.documents["toolchain.json"]?.tools ?? [],
    products: products === null ? null : {
      total: countOf(products.length, "file"),
      names: products.slice(0, 100).map(({ name }) => name),
    },
    evidenceDigest,
    review: run.documents["human_review.json"]?.status ?? null,
  };
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
