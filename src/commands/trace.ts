import { type Finding, KprovError } from "../base/error.ts";
import { compileGlobs } from "../base/glob.ts";
import { showName } from "../base/quote.ts";
import { basename, dirname, resolve } from "../base/std.ts";
import { checkTrace, traceFile } from "../evidence/lineage.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { hashFile } from "../io/hash/hash_files.ts";
import type { Host } from "../io/host.ts";
import { FollowedPaths } from "../io/list_directory.ts";
import { requirePermission } from "../io/permissions.ts";
import { openLineage } from "../io/run_files.ts";
import { renderFindingLine, streamLines, streamLogSafeJson } from "../show/text.ts";
import { describeTrace, listDotLines, listMermaidLines, listTraceLines } from "../show/trace.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  nameGiven,
  NO_PROGRESS_FLAG,
  readChoice,
  readEffort,
  readRequirements,
  readRunsHome,
  refuseFlags,
  REQUIRE_FLAG,
} from "./flags.ts";

const FORMATS = ["text", "json", "dot", "mermaid"] as const;

/** `kprov trace`. */
export const TRACE: Command = {
  usage: [
    "kprov trace FILE [--runs RUNS]... [--format text|json|dot|mermaid] [--quiet]",
    "kprov trace --check FILE [--origin GLOB]... [--require completed|approved]... [--runs RUNS]...",
  ],
  description: [
    "Digests FILE and finds the runs that made this content, under any name; then the runs that " +
    "made the inputs of those runs, by name and content; and so on. If no run made the file, it " +
    "names the nearest ones. A run is shown in full once, and by its name after that. A run that " +
    "does not verify is marked. A link is traced by its target's text, or if runs with --follow " +
    "name it, by the content behind it; a note says which.",
    "--check judges the whole chain: each run must verify and have completed. With --require " +
    "approved, each must be approved by as many people as the policy in the working directory " +
    "asks for. Every file that no run made must match an --origin. A glob matches whole paths; " +
    "** stands for any directories.",
  ],
  flags: [
    {
      name: "runs",
      value: "RUNS",
      isRepeatable: true,
      summary: "Where the runs are (default: the policy's /run/out, or runs)",
    },
    {
      name: "format",
      value: "FORMAT",
      choices: FORMATS,
      summary: "text (default), json, dot (Graphviz) or mermaid",
    },
    { name: "check", summary: "Judge the whole chain of runs" },
    {
      name: "origin",
      value: "GLOB",
      isRepeatable: true,
      summary: "With --check: files that no run needs to have made",
    },
    REQUIRE_FLAG,
    NO_PROGRESS_FLAG,
  ],
  permissions: "--allow-read=FILE,RUNS; with --require approved, also the policy.",
  examples: [
    ["kprov trace model.bin", "Say where a file came from"],
    ["kprov trace model.bin --format mermaid", "Draw it"],
    [
      "kprov trace --check model.bin --origin 'raw/**' --require approved",
      "Fail where a step failed or waits for review, or a file is foreign",
    ],
  ],
  exitCodes: [
    [0, "it is told; with --check, nothing is wrong"],
    [1, "no run knows the file; with --check, there are findings"],
    EXITS.usage,
    [65, "there is no such file, or no run"],
    EXITS.reading,
    EXITS.permission,
    EXITS.policy,
  ],
  execute: trace,
};

async function trace(flags: ParsedFlags, host: Host): Promise<number> {
  const [given, ...more] = flags.positionals;
  if (given === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot trace: expected one file", {
      hint: "kprov trace FILE [--runs RUNS]",
    });
  }
  const format = readChoice("format", flags.value("format"), FORMATS);
  const isCheck = flags.has("check");
  if (!isCheck) refuseFlags(flags, ["origin", "require"], "it needs --check");
  const isOrigin = compileOrigins(flags.values("origin"));
  const { progress } = readEffort(flags, host);
  const { approvals } = await readRequirements(flags, ".");
  requirePermission("read", given);
  const found = hashFile(given, nameGiven(given), "file");
  const words = flags.values("runs");
  const home = await readRunsHome(words);
  const options = { progress, takesBroken: true, home };
  const { lineage } = openLineage(words.length === 0 ? [home] : words, options);
  const isUnknownLink = found.kind === "symlink" && lineage.findContent(found).length === 0;
  const behind = isUnknownLink && lineage.findName(found.name) !== null
    ? hashBehindLink(given, found.name)
    : null;
  if (isUnknownLink && !flags.has("quiet")) {
    const what = behind === null
      ? "its target's text is traced, not what is there"
      : "what it leads to is traced";
    host.writeStderr(`note: ${showName(found.name)} is a symbolic link: ${what}\n`);
  }
  const traced = traceFile(lineage, behind ?? found);
  const findings = isCheck ? checkTrace(lineage, traced, { approvals, isOrigin }) : null;
  if (format === "json") {
    streamLogSafeJson(describeTrace(lineage, traced, findings), host.writeStdout);
  } else {
    const list = { text: listTraceLines, dot: listDotLines, mermaid: listMermaidLines }[format];
    streamLines(list(lineage, traced, host), host.writeStdout);
    reportFindings(findings ?? [], format === "text" ? host.writeStdout : host.writeStderr);
  }
  const isKnown = traced.madeBy.length > 0 || traced.nearest[0]?.relation === "input";
  return (findings?.length ?? 0) === 0 && isKnown ? 0 : 1;
}

/** With --follow, runs call a link by its name what it leads to. Null where it leads to no file. */
function hashBehindLink(given: string, name: string): RecordedFile | null {
  const directory = dirname(resolve(given));
  try {
    const paths = new FollowedPaths({ given: directory, path: directory }, "file");
    return hashFile(paths.follow(basename(given)).path, name, "file");
  } catch (error) {
    if (error instanceof KprovError && error.code === "data") return null;
    throw error;
  }
}

function reportFindings(findings: readonly Finding[], write: (text: string) => void): void {
  streamLines(findings.map((finding) => `finding: ${renderFindingLine(finding)}`), write);
}

function compileOrigins(globs: readonly string[]): (name: string) => boolean {
  try {
    return compileGlobs(globs.map((glob) => glob.replace(/^\.\//, "")));
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    const message = error.message.replace(/^Cannot use glob /, "Cannot use --origin ");
    throw new KprovError("usage", message, { cause: error });
  }
}
