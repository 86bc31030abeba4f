import { renderCanonicalJson } from "../base/canonical_json.ts";
import { KprovError } from "../base/error.ts";
import { quote, showName } from "../base/quote.ts";
import { basename, dirname, join, toPosixPath } from "../base/std.ts";
import { isPersonText, REVIEW_MEANINGS, type ReviewDecision } from "../evidence/human_review.ts";
import { recordDecision } from "../evidence/schemas.ts";
import { replaceFile } from "../io/atomic_file.ts";
import type { Host } from "../io/host.ts";
import { requirePermission, toReadError } from "../io/permissions.ts";
import { findRun, openRun } from "../io/run_files.ts";
import { renderLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  AT_FLAG,
  FORMAT_FLAG,
  QUIET_FLAG,
  readChoice,
  readFormat,
  readRunsHome,
  readTime,
} from "./flags.ts";

/** `kprov review`. */
export const REVIEW: Command = {
  usage: [
    "kprov review RUN --approve|--reject --reviewer NAME [--meaning MEANING] [--note TEXT] [--at TIME] " +
    "[--format text|json] [--quiet]",
  ],
  description: [
    "Writes the decision into human_review.json and moves an earlier one into its history. The " +
    "other documents do not change. kprov refuses a run that does not verify, text with control " +
    "or invisible characters, and a time before the run or before an earlier decision.",
  ],
  flags: [
    { name: "approve", summary: "The decision is APPROVED" },
    { name: "reject", summary: "The decision is REJECTED" },
    { name: "reviewer", value: "NAME", summary: "Who decides" },
    {
      name: "meaning",
      value: "MEANING",
      choices: REVIEW_MEANINGS,
      summary: "In which role: authored, reviewed, approved or responsible",
    },
    { name: "note", value: "TEXT", summary: "Why" },
    AT_FLAG,
    FORMAT_FLAG,
    QUIET_FLAG,
  ],
  permissions: "--allow-read and --allow-write for the directory that RUN is in.",
  examples: [
    ["kprov review runs/2026-02-15T20-13-00Z --approve --reviewer 'Ada Lovelace'", "Approve a run"],
    [
      "kprov review runs/2026-02-15T20-13-00Z --reject --reviewer Ada --note late",
      "Reject it, with the reason",
    ],
  ],
  exitCodes: [
    [0, "the decision is recorded"],
    EXITS.usage,
    [65, "the run is missing, does not verify, or was made after the time of the decision"],
    [73, "the decision cannot be written, or somebody else is writing one"],
    EXITS.writing,
    EXITS.permission,
    EXITS.policy,
  ],
  execute: review,
};

async function review(flags: ParsedFlags, host: Host): Promise<number> {
  const [given, ...more] = flags.positionals;
  if (given === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot review: expected one run", {
      hint: "kprov review RUN --approve|--reject --reviewer NAME",
    });
  }
  const format = readFormat(flags.value("format"));
  const decision = readDecision(flags, host);
  const run = findRun(given, await readRunsHome([given]));
  const directory = resolveDirectory(run);
  const parent = dirname(directory);
  requirePermission("write", parent);
  openRun(run);
  await replaceFile(
    {
      path: join(directory, "human_review.json"),
      directory,
      // Beside the run, not in it: a run holds its four documents and nothing else at every instant.
      temporary: join(parent, `.${basename(directory)}.review.tmp`),
    },
    () => {
      const { documents } = openRun(run);
      const { created_at } = documents["run_summary.json"];
      return renderCanonicalJson(
        recordDecision(documents["human_review.json"], decision, created_at),
      );
    },
  );
  if (format === "json") {
    host.writeStdout(renderLogSafeJson({ run: toPosixPath(run), ...decision }));
  } else if (!flags.has("quiet")) {
    host.writeStdout(
      `${decision.status}  ${showName(run)} by ${
        showName(decision.reviewer)
      } at ${decision.reviewed_at}\n`,
    );
  }
  return 0;
}

function readDecision(flags: ParsedFlags, host: Host): ReviewDecision {
  const isApproved = flags.has("approve");
  const reviewer = flags.value("reviewer");
  if (isApproved === flags.has("reject")) {
    throw new KprovError("usage", "Cannot review: expected either --approve or --reject");
  }
  if (reviewer === null) throw new KprovError("usage", "Cannot review: --reviewer NAME is missing");
  checkText("reviewer", reviewer);
  const note = flags.value("note");
  if (note !== null) checkText("note", note);
  const meaning = flags.value("meaning");
  return {
    status: isApproved ? "APPROVED" : "REJECTED",
    reviewer,
    reviewed_at: readTime(flags.value("at"), host),
    meaning: meaning === null ? null : readChoice("meaning", meaning, REVIEW_MEANINGS),
    note,
  };
}

function checkText(flag: string, text: string): void {
  if (isPersonText(text)) return;
  throw new KprovError(
    "usage",
    `Cannot use --${flag} ${quote(text)}: it holds control or invisible characters`,
  );
}

function resolveDirectory(run: string): string {
  try {
    return Deno.realPathSync(run);
  } catch (error) {
    throw toReadError(error, `Cannot read run ${quote(run)}`, { path: run, missing: "data" });
  }
}
