import { buildEvidence, buildRunDocuments } from "../evidence/documents.ts";
import { gatherSource } from "../gather/git_metadata.ts";
import { findOutputName, resolveRoot } from "../gather/input_path.ts";
import { gatherInputs } from "../gather/inputs.ts";
import { gatherPolicy } from "../gather/policy_file.ts";
import { KprovError } from "../kprov_error.ts";
import type { Host } from "../system/host.ts";
import { gatherPermissions, requirePermission } from "../system/permissions.ts";
import { writeRunDirectory } from "../write/run_directory.ts";
import { renderRunJson, renderRunText, type RunResult } from "../write/run_result.ts";
import { checkRuntime } from "./check_runtime.ts";
import type { Command, ParsedFlags } from "./command.ts";
import { AT_FLAG, FORMAT_FLAG, readFormat, readTime } from "./read_options.ts";
import { gatherToolchainFacts } from "./toolchain.ts";

/** `kprov run`. */
export const RUN: Command = {
  name: "run",
  summary: "Record what goes in, and with what; the default command",
  usage: [
    "kprov [run] INPUT... [--out DIR] [--root DIR] [--exclude GLOB]... [--at TIME] [--format text|json]",
  ],
  description: [
    "Digests every file and directory given and writes one directory, OUT/RUN_ID, with four documents: " +
    "provenance.json, toolchain.json, human_review.json and run_summary.json. The same inputs, kprov and " +
    "runtime give the same first three to the byte, wherever and whenever they are read.",
    "Symbolic links are recorded as links. .git, the output directory and what --exclude matches are left " +
    "out of directories. Whatever cannot be read exactly refuses the run.",
  ],
  flags: [
    { name: "out", value: "DIR", summary: "Where the run directory goes (default: runs)" },
    {
      name: "root",
      value: "DIR",
      summary: "What names are relative to (default: the working directory)",
    },
    {
      name: "exclude",
      value: "GLOB",
      isRepeatable: true,
      summary: "Leave out of directories what matches; a glob without / matches at any depth",
    },
    AT_FLAG,
    FORMAT_FLAG,
    { name: "quiet", summary: "Print nothing but errors and the JSON that --format json asks for" },
  ],
  permissions:
    "--allow-read=ROOT --allow-write=OUT. SOURCE_DATE_EPOCH is read where --allow-env grants it.",
  examples: [
    ["kprov input.txt --out runs", "Record one file"],
    ["kprov run data models --exclude '*.tmp'", "Record two directories but for temporary files"],
    [
      "kprov run . --at 2026-02-15T20:13:00Z --format json",
      "Record everything here, with a fixed time",
    ],
  ],
  exitCodes: [
    [0, "the run directory stands"],
    [1, "this Deno is outside the range in force"],
    [64, "the command line is wrong"],
    [65, "an input is missing, changes, or cannot be recorded exactly"],
    [73, "the output directory cannot be used"],
    [74, "reading or writing failed"],
    [77, "a permission of Deno is missing; the message names its flag"],
    [78, "the policy cannot be used"],
  ],
  execute: run,
};

function run(flags: ParsedFlags, host: Host): number {
  const request = readRequest(flags, host);
  const root = resolveRoot(request.root);
  const policy = gatherPolicy(root);
  const runtime = checkRuntime(policy);
  requirePermission("write", request.out);
  requirePermission("read", request.out);
  const outputName = findOutputName(request.out, root);
  const inputs = gatherInputs({ ...request, root, outputName });

  const evidence = buildEvidence({ ...inputs, toolchain: gatherToolchainFacts() });
  const circumstances = {
    created_at: request.createdAt,
    runtime_policy: runtime,
    policy: policy === null ? null : { path: policy.path, sha256: policy.sha256 },
    source: gatherSource(root.path),
    permissions: gatherPermissions({ read: request.root, write: request.out }),
  };
  const written = writeRunDirectory(
    request,
    (runId) => buildRunDocuments(evidence, circumstances, runId),
  );

  const result: RunResult = {
    runId: written.runId,
    runDirectory: written.path,
    evidenceDigest: evidence.digest,
    outcome: "completed",
    exitCode: 0,
    materials: inputs.materials,
  };
  if (request.format === "json") host.writeStdout(renderRunJson(result));
  else if (!flags.has("quiet")) host.writeStdout(renderRunText(result));
  return result.exitCode;
}

interface RunRequest {
  readonly inputs: readonly string[];
  readonly exclude: readonly string[];
  readonly root: string;
  readonly out: string;
  readonly createdAt: string;
  readonly format: "text" | "json";
}

function readRequest(flags: ParsedFlags, host: Host): RunRequest {
  if (flags.rest !== null) {
    throw new KprovError("usage", "Cannot run a command: this version records files only", {
      hint: "leave out -- and what follows it",
    });
  }
  if (flags.positionals.length === 0) {
    throw new KprovError("usage", "Cannot run: no input is given", {
      hint: "kprov INPUT... records files and directories",
    });
  }
  return {
    inputs: flags.positionals,
    exclude: flags.values("exclude"),
    root: flags.value("root") ?? ".",
    out: flags.value("out") ?? "runs",
    createdAt: readTime(flags.value("at"), host),
    format: readFormat(flags.value("format")),
  };
}
