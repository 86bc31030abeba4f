import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { dirname, KPROV_VERSION } from "../base/std.ts";
import { probeFile, refuseWriting, writeFileAtomically } from "../io/atomic_file.ts";
import type { Host } from "../io/host.ts";
import { isBelow } from "../io/paths.ts";
import { isMissing, requireOutputPlace, toReadError } from "../io/permissions.ts";
import { locateRuns, readAnyRun, readWhateverStands } from "../io/run_files.ts";
import { renderRunReport } from "../show/report/run_page.ts";
import { buildTimeline } from "../show/report/timeline.ts";
import { renderTimelineReport } from "../show/report/timeline_page.ts";
import { renderReportJson, renderReportText } from "../show/results.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import { FORMAT_FLAG, QUIET_FLAG, readFormat, readRunsHome } from "./flags.ts";

/** `kprov report`. */
export const REPORT: Command = {
  usage: ["kprov report RUN [--out FILE] [--format text|json] [--quiet]"],
  description: [
    "Writes one page that needs only a browser. Its first line says whether the run verifies, " +
    "how it ended and what was decided. Below are the inputs, the command and its tools, the " +
    "products, the toolchain, the permissions, the review, and the commands that check all of it" +
    " again. The page loads nothing, is complete without scripts, and can be printed. The same " +
    "run gives the same page, to the byte.",
    "For a directory of runs, the page shows the pipeline as a picture, with failed runs and " +
    "products that are stale by the evidence alone; the runs that wait for review, with the " +
    "command to type; and what changed from each run to the next of the same step. Runs with the" +
    " same product paths are one step.",
    "A run that does not verify gets its page too, with everything that is wrong; the exit code " +
    "is then 1. A table shows at most 100,000 rows, and says where to find the others.",
  ],
  flags: [
    {
      name: "out",
      short: "o",
      value: "FILE",
      summary: "Write the page to FILE, whole or not at all, instead of standard output",
    },
    {
      ...FORMAT_FLAG,
      summary: "text (default) or json: the verdict, and without --out the page in it",
    },
    QUIET_FLAG,
  ],
  permissions: "--allow-read=RUN; with --out FILE, also --allow-read and --allow-write for the " +
    "directory of FILE.",
  examples: [
    ["kprov report runs/2026-02-15T20-13-00Z --out report.html", "Show one run"],
    [
      "kprov report runs --out pipeline.html",
      "Show a pipeline, and what changed in it from run to run",
    ],
  ],
  exitCodes: [
    [0, "the page is written, and every run on it verifies"],
    [1, "the page is written, and a run on it does not verify"],
    EXITS.usage,
    [65, "there is no such run"],
    [73, "FILE cannot be created, or lies in a run"],
    EXITS.writing,
    EXITS.permission,
    EXITS.policy,
  ],
  execute: report,
};

/** A page, with what `--out` tells about it. */
interface Report {
  readonly page: string;
  readonly runs: number;
  readonly failed: number;
}

async function report(flags: ParsedFlags, host: Host): Promise<number> {
  const [given, ...more] = flags.positionals;
  if (given === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot report: expected one run, or one directory of runs", {
      hint: "kprov report RUN [--out FILE]",
    });
  }
  const format = readFormat(flags.value("format"));
  const { paths, isDirectory } = locateRuns(given, await readRunsHome([given]));
  const out = flags.value("out");
  if (out !== null) await checkPlace(out, paths);
  const { page, ...counts } = isDirectory
    ? makeTimelinePage(paths)
    : makeRunPage(paths[0] ?? given);
  if (out !== null) await writeFileAtomically(out, page);
  if (format === "json") host.writeStdout(renderReportJson({ path: out, ...counts }, page));
  else if (out === null) host.writeStdout(page);
  else if (!flags.has("quiet")) {
    host.writeStdout(renderReportText({ path: out, ...counts }, host));
  }
  return counts.failed === 0 ? 0 : 1;
}

/** The page must not become part of what it reports: a run holds its four documents and nothing else. */
async function checkPlace(out: string, runs: readonly string[]): Promise<void> {
  requireOutputPlace(dirname(out));
  const directory = resolvePath(dirname(out), out);
  const run = runs.find((path) => isBelow(resolvePath(path, path), directory));
  if (run !== undefined) {
    throw new KprovError("cannot_create", `Cannot write ${quote(out)}: it lies in a run`, {
      hint: "a run holds its four documents and nothing else",
    });
  }
  await probeFile(out);
}

function resolvePath(path: string, shown: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (isMissing(error)) throw refuseWriting(error, shown, "cannot_create");
    throw toReadError(error, `Cannot write ${quote(shown)}`, { path, refused: "cannot_create" });
  }
}

function makeRunPage(path: string): Report {
  const run = readAnyRun(path);
  const failed = run.findings.length === 0 ? 0 : 1;
  return { page: renderRunReport(run, KPROV_VERSION), runs: 1, failed };
}

function makeTimelinePage(paths: readonly string[]): Report {
  const timeline = buildTimeline(paths.map((path) => () => readWhateverStands(path)));
  const failed = timeline.entries.filter(({ verified }) => verified === null).length;
  return {
    page: renderTimelineReport(timeline, KPROV_VERSION),
    runs: timeline.entries.length,
    failed,
  };
}
