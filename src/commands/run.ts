import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { MOST_SHARDS, parseShard, type Shard } from "../evidence/shard.ts";
import { probeFile } from "../io/atomic_file.ts";
import type { Host } from "../io/host.ts";
import { gatherInputs } from "../io/inputs.ts";
import type { Command, ParsedFlags } from "./command.ts";
import {
  AT_FLAG,
  EXCLUDE_FLAG,
  FORMAT_FLAG,
  JOBS_FLAG,
  OUT_FLAG,
  type OutputRequest,
  PRODUCTS_FLAG,
  QUIET_FLAG,
  readOutputRequest,
  refuseFlags,
  RESULT_FLAG,
  ROOT_FLAG,
} from "./flags.ts";
import { gatherToolchainFacts } from "./toolchain.ts";
import type { Argv } from "./wrapped_run.ts";
import { openSetting, reportRun, writeRun } from "./write_run.ts";

/** `kprov run`. */
export const RUN: Command = {
  name: "run",
  summary: "Record what goes in, and with what; the default command",
  usage: [
    "kprov [run] INPUT... [--out DIR] [--root DIR] [--exclude GLOB]... [--at TIME] [--format text|json] [--shard I/N]",
    "kprov [run] INPUT... [--products PATH]... [--tool NAME]... [--env NAME]... [--no-capture] -- COMMAND ARG...",
  ],
  description: [
    "Digests every file and directory given and writes one directory, OUT/RUN_ID, with four documents: " +
    "provenance.json, toolchain.json, human_review.json and run_summary.json. The same inputs, kprov and " +
    "runtime give the same first three to the byte, wherever and whenever they are read.",
    "Symbolic links are recorded as links. .git, the output directory and what --exclude matches are left " +
    "out of directories. Whatever cannot be read exactly refuses the run.",
    "With --shard I/N, only the inputs whose name hashes into shard I of N are recorded, so that N machines " +
    "share the work. kprov merge joins the N runs into the one that a single machine would have written.",
    "With -- COMMAND, the inputs are digested, the command runs in the root, and what it made is digested " +
    "as products. Standard input, output and error are the command's; the result comes last, on " +
    "standard error, and as JSON on standard output where --format json asks for it. The program, the " +
    "interpreters of a script, and each --tool are recorded by digest. The evidence is written however the " +
    "command ends; what it leaves running is not waited for, and a note says where that still has the " +
    "command's output open. But a run is refused where an input that is no product, or a tool, changed " +
    "meanwhile, also where it was changed back. Deno tells when a file changed in whole seconds: where one " +
    "is of the current second, the command waits until that is over. The exit code is the command's own, " +
    "and 128 + n where signal n ended it.",
    "What the command prints is digested on its way: it passes whole and at once, but through pipes. So a " +
    "command on a terminal does not see the terminal, and may print no colours, or all in the end; standard " +
    "output and error keep their order only where some time lies between them. --no-capture leaves both " +
    "to the command, with the terminal where there is one, and records no digest of them.",
    "The first SIGINT, SIGTERM or SIGHUP is passed on to the command, and the evidence says how it ended. " +
    "A second one, and any that comes when no command runs, ends kprov with 128 + n: the command is killed, " +
    "and no run is written. What comes within a tenth of a second counts as one, as timeout signals a " +
    "process and then its group. Ctrl-C on a terminal reaches the command by itself, and kprov does not send " +
    "it again; there, use SIGTERM to end the command from elsewhere.",
  ],
  flags: [
    OUT_FLAG,
    { ...ROOT_FLAG, summary: `${ROOT_FLAG.summary}; a command runs there` },
    EXCLUDE_FLAG,
    AT_FLAG,
    FORMAT_FLAG,
    JOBS_FLAG,
    QUIET_FLAG,
    RESULT_FLAG,
    {
      name: "shard",
      value: "I/N",
      summary: "Record the inputs of shard I of N; I from 1 to N, or from 0 to N-1",
    },
    PRODUCTS_FLAG,
    {
      name: "tool",
      value: "NAME",
      isRepeatable: true,
      summary: "Another program that the command uses: its name in PATH, or its path",
    },
    {
      name: "env",
      value: "NAME",
      isRepeatable: true,
      summary: "Record that this environment variable is set, never its value",
    },
    {
      name: "no-capture",
      summary: "Leave the command its standard output and error, and record no digest of them",
    },
  ],
  permissions:
    "--allow-read=ROOT,OUT --allow-write=OUT, where OUT is mostly in ROOT; for -- COMMAND also " +
    "--allow-run=COMMAND and read access to its file. --env NAME takes --allow-env=NAME; --tool NAME read " +
    "access to its file, and --allow-run=NAME, or --allow-env=PATH and read access where PATH leads; " +
    "--result FILE read and write access to the directory of FILE. SOURCE_DATE_EPOCH is read where " +
    "--allow-env grants it.",
  examples: [
    ["kprov input.txt --out runs", "Record one file"],
    ["kprov run data models --exclude '*.tmp'", "Record two directories but for temporary files"],
    [
      "kprov run . --at 2026-02-15T20:13:00Z --format json",
      "Record everything here, with a fixed time",
    ],
    ["kprov run data --shard 3/8", "Record the third of eight parts of a directory"],
    [
      "kprov run raw.csv clean.sh --products clean.csv -- sh clean.sh",
      "Run a transformation and record it (--allow-run=sh)",
    ],
  ],
  exitCodes: [
    [0, "the run directory stands"],
    [1, "this Deno is outside the range in force"],
    [64, "the command line is wrong"],
    [
      65,
      "an input is missing, changes, or cannot be recorded exactly; or the command succeeded and a product " +
      "is missing",
    ],
    [73, "the output directory or the result file cannot be used"],
    [74, "reading or writing failed"],
    [77, "a permission of Deno is missing; the message names its flag"],
    [78, "the policy cannot be used"],
    [126, "the command cannot be started; nothing is written"],
    [127, "the command cannot be found; nothing is written"],
  ],
  execute: run,
};

async function run(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length === 0) {
    throw new KprovError("usage", "Cannot run: no input is given", {
      hint: "kprov INPUT... records files and directories",
    });
  }
  const request = {
    ...readOutputRequest(flags, host),
    inputs: flags.positionals,
    exclude: flags.values("exclude"),
  };
  if (flags.rest === null) {
    refuseFlags(
      flags,
      ["products", "tool", "env", "no-capture"],
      "it takes a command to run, behind --",
    );
    return await runPlain({ ...request, shard: readShard(flags.value("shard")) }, host);
  }
  refuseFlags(flags, ["shard"], "a command takes its inputs whole");
  const { runWrapped } = await import("./wrapped_run.ts");
  return await runWrapped({
    ...request,
    products: flags.values("products"),
    tools: flags.values("tool"),
    env: flags.values("env"),
    isCaptured: !flags.has("no-capture"),
    argv: readArgv(flags.rest),
  }, host);
}

function readShard(text: string | null): Shard | null {
  const shard = text === null ? null : parseShard(text);
  if (text === null || shard !== null) return shard;
  throw new KprovError(
    "usage",
    `Cannot use --shard ${
      quote(text)
    }: expected I/N, with N from 1 to ${MOST_SHARDS} and I from 0 to N`,
    { hint: "such as 3/8; 0/8 and 8/8 are the same shard" },
  );
}

export function readArgv(words: readonly string[]): Argv {
  const [program, ...args] = words;
  if (program === undefined || program === "") {
    throw new KprovError("usage", "Cannot run a command: none is given behind --");
  }
  const unclear = words.find((word) => word.includes("\uFFFD") || !word.isWellFormed());
  if (unclear !== undefined) {
    throw new KprovError("usage", `Cannot use ${quote(unclear)}: it is not valid UTF-8`);
  }
  return [program, ...args];
}

/** A run without a command. */
export interface PlainRequest extends OutputRequest {
  /** The inputs, as given. */
  readonly inputs: readonly string[];
  /** The globs of `--exclude`, as given. */
  readonly exclude: readonly string[];
  /** The part of the inputs to record; null for all of them. */
  readonly shard: Shard | null;
}

/**
 * Records inputs without a command.
 *
 * @param request Which ones, and where the run goes
 * @param host The process
 * @returns 0
 * @throws {KprovError} where the run is refused
 */
export async function runPlain(request: PlainRequest, host: Host): Promise<number> {
  const setting = await openSetting(request, request.result === null ? [] : [request.result]);
  if (request.result !== null) await probeFile(request.result);
  const inputs = await gatherInputs({ ...request, ...setting });
  const facts = {
    ...inputs,
    ...(request.shard === null ? {} : { shard: request.shard }),
    toolchain: gatherToolchainFacts(),
  };
  const result = await writeRun(request, setting, facts);
  await reportRun(request, result, host);
  return result.exitCode;
}
