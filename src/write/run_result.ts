import { renderLogSafeJson } from "./log_safe.ts";
import { DOCUMENT_NAMES } from "../evidence/documents.ts";
import type { Finding } from "../finding.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { type Outcome, sumFiles } from "../evidence/run_summary.ts";
import { formatShard, type Shard } from "../evidence/shard.ts";
import { showName } from "../quote.ts";
import { shellQuote } from "../shell_quote.ts";
import { formatBytes } from "../std.ts";
import { choosePaint, type TextOptions } from "./paint.ts";
import { toPosixPath } from "./posix_path.ts";

/** What a command that writes a run tells about it. */
export interface RunResult {
  /** The run directory's name. */
  readonly runId: string;
  /** Its path, as this system writes it. */
  readonly runDirectory: string;
  /** Digest of provenance.json. */
  readonly evidenceDigest: string;
  /** How the wrapped command ended. */
  readonly outcome: Outcome;
  /** The exit code. */
  readonly exitCode: number;
  /** The files that went in. */
  readonly materials: readonly RecordedFile[];
  /** The files that came out; null where the run was not made around a command. */
  readonly products: readonly RecordedFile[] | null;
  /** The part of the inputs that was recorded; null where it is all of them. */
  readonly shard: Shard | null;
  /** What there is to say about it, sorted; null where nothing was looked at but other runs. */
  readonly findings: readonly Finding[] | null;
}

/** The result as one JSON document; `outputs` are the paths of the documents. */
export function renderRunJson(result: RunResult): string {
  return renderLogSafeJson({
    run_id: result.runId,
    run_dir: toPosixPath(result.runDirectory),
    evidence_digest: result.evidenceDigest,
    outcome: result.outcome,
    exit_code: result.exitCode,
    outputs: DOCUMENT_NAMES.map((name) => `${toPosixPath(result.runDirectory)}/${name}`),
    ...(result.findings === null ? {} : { findings: result.findings }),
  });
}

/** The result for people; no line but one of a long path is wider than 80 columns. */
export function renderRunText(result: RunResult, options: TextOptions): string {
  const paint = choosePaint(options);
  const path = toPosixPath(result.runDirectory);
  const failure = `Command  ${paint(`failed with exit code ${result.exitCode}`, "bad")}`;
  return [
    `Run      ${showName(path)}`,
    `Evidence sha256:${result.evidenceDigest}`,
    ...(result.shard === null ? [] : [`Shard    ${formatShard(result.shard)}`]),
    `Inputs   ${describeFiles(result.materials)}`,
    ...(result.products === null ? [] : [`Products ${describeFiles(result.products)}`]),
    ...(result.exitCode === 0 ? [] : [failure]),
    `Next     kprov verify ${shellQuote(path)}`,
    "",
  ].join("\n");
}

function describeFiles(files: readonly RecordedFile[]): string {
  const { count, bytes } = sumFiles(files);
  return `${count} ${count === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;
}
