import { KprovError } from "../base/error.ts";
import type { Shard } from "../evidence/provenance.ts";
import { probeFile } from "../io/atomic_file.ts";
import { listGlobs, noteUnusedGlobs } from "../io/exclusions.ts";
import { gatherSource } from "../io/git/source.ts";
import type { Host } from "../io/host.ts";
import { gatherInputs } from "../io/inputs.ts";
import { type Command, EXITS, type ParsedFlags, readArgv } from "./command.ts";
import {
  explainInput,
  type GivenInputs,
  OBSERVE_FLAG,
  OUT_FLAG,
  type OutputRequest,
  PRODUCTS_FLAG,
  readGivenInputs,
  readObserve,
  readOutputRequest,
  readProducts,
  readProjectDefaults,
  readShard,
  readToolchainFlags,
  RECORDING_FLAGS,
  refuseExpansion,
  refuseFlags,
  ROOT_FLAG,
  SHARD_FLAG,
  TOOL_FLAGS,
} from "./flags.ts";
import {
  gatherToolchainFacts,
  openSetting,
  reportNotes,
  reportRun,
  writeRun,
} from "./write_run.ts";

/** `kprov run`. */
export const RUN: Command = {
  usage: [
    "kprov [run] INPUT... [--inputs-from FILE|-] [--out DIR] [--root DIR] [--exclude GLOB]... [--follow|--links] " +
    "[--at TIME] [--format text|json] [--shard I/N]",
    "kprov [run] INPUT... [--products PATH]... [--tool NAME]... [--no-packages] [--env NAME]... [--redact-arg N]... [--observe[=HOW]] [--no-capture] -- COMMAND ARG...",
  ],
  description: [
    "Digests the given files and directories and writes one directory, OUT/RUN_ID, with four " +
    "documents: provenance.json, toolchain.json, human_review.json and run_summary.json. The " +
    "same inputs, kprov and runtime give the same bytes for the first three, on any machine and " +
    "at any time.",
    "Symbolic links inside directories are recorded as links, with a note where one leads out of " +
    "the inputs. A link that is itself named as an input needs --follow or --links. With " +
    "--follow, kprov reads the content behind every link, wherever it is, and so does verify " +
    "later; the run records --follow.",
    "Of directories, .git, the output directory and everything that --exclude matches are left " +
    "out. Globs work as in .gitignore: node_modules/ is a directory at any depth, /data/*.tmp " +
    "starts at the root, and !keep.tmp takes a file back in. Globs of --exclude-from come before " +
    "those of --exclude. An unused glob is a note. The run is refused if a file cannot be read " +
    "exactly.",
    "With --shard I/N, only the inputs of shard I of N are recorded, by a hash of their names, " +
    "so that N machines can share the work. kprov merge joins the N runs into the one that a " +
    "single machine would have written.",
    "With -- COMMAND, kprov digests the inputs, runs the command in the root, and digests what " +
    "it made as products. Standard input, output and error belong to the command; the result " +
    "comes last, on standard error, and as JSON on standard output with --format json. The exit " +
    "code is the command's own, or 128 + n where signal n ended it. The evidence is written even " +
    "if the command fails, and says how it ended.",
    "The program, the interpreters of a script and each --tool are recorded by digest. A runtime " +
    "among them (python, node, deno, R, java, ruby, perl, julia, go, bash) is asked about itself " +
    "before the command runs, and recorded with its version and packages. The run is refused " +
    "where the policy does not allow that version, or where a version that the policy asks for " +
    "cannot be told.",
    "A file that the command did not touch is not a product. A run is refused if a tool, or an " +
    "input that is not also a product, changed meanwhile, even if it was changed back. Deno " +
    "gives the time of a change in whole seconds: if a file changed in the current second, the " +
    "command starts when that second is over. kprov does not wait for processes that the command " +
    "leaves running; a note says so if one still has the command's output open.",
    "The arguments of the command are recorded as they are given. A note, argv.private, names " +
    "those that hold an absolute path, the value of a variable of --env, or what looks like a " +
    "credential. --redact-arg N records the digest of an argument instead. A short secret can " +
    "still be guessed from its digest, and such a run cannot be reproduced.",
    "kprov digests the command's output and passes it on at once, through pipes. So the command " +
    "does not see a terminal: it may print no colours, or print everything at its end. Text on " +
    "standard output and standard error keeps its order only where some time lies between. With " +
    "--no-capture, the command writes to both directly, on a terminal too, and no digest of them " +
    "is recorded.",
    "With --observe, strace watches every process that the command starts. If the command reads " +
    "a file below the root that is not an input and that it did not write itself, that is a " +
    "finding, input.undeclared: the evidence is written and says that it is not complete, and " +
    "kprov ends with 1 where the command ended with 0. With --observe=declare such files become " +
    "inputs. They are digested after the command, so their times must show that they did not " +
    "change since before it. Every program that ran is recorded as a tool, and a runtime among " +
    "them is asked about itself. Files outside of the root that belong neither to a recorded " +
    "program nor to the system are counted in a note; --observe=strict makes that an error, and " +
    "--observe=names lists them. Written files that are no product, and connections, are notes. " +
    "Join words by commas, as in --observe=declare,strict. Under strace, no program gains rights " +
    "from its file (sudo), and processes that the command leaves running stay traced until they " +
    "end.",
    "The digest and size of standard input are recorded, whether the command reads it or not: " +
    "for a pipe everything that came, for a file its whole content. A terminal, /dev/null and an " +
    "empty input are not recorded. Standard input is not recorded either with --no-capture, or " +
    "where a pipe does not end with the command; a note says so. kprov reads a pipe to its end: " +
    "in a loop of a shell that reads from the same pipe, add < /dev/null.",
    "The first SIGINT, SIGTERM or SIGHUP is passed on to the command, and the evidence says how " +
    "it ended. A second signal, or one while no command runs, kills the command and ends kprov " +
    "with 128 + n; no run is written. SIGKILL ends kprov alone, and the command goes on. Signals " +
    "within a tenth of a second count as one, because timeout signals a process and then its " +
    "group. Ctrl-C on a terminal reaches the command directly, and kprov does not send it again; " +
    "to end the command from elsewhere, use SIGTERM. To let a command outlive the terminal, " +
    "start it as -- nohup COMMAND: Deno takes SIGHUP even if nohup started kprov itself.",
  ],
  flags: [
    OUT_FLAG,
    { ...ROOT_FLAG, summary: `${ROOT_FLAG.summary}; a command runs there` },
    ...RECORDING_FLAGS,
    SHARD_FLAG,
    PRODUCTS_FLAG,
    ...TOOL_FLAGS,
    {
      name: "env",
      value: "NAME",
      isRepeatable: true,
      summary: "Record that the environment variable NAME is set, never its value",
    },
    {
      name: "redact-arg",
      value: "N",
      isRepeatable: true,
      summary: "Record argument N of the command, counted from 1, as a digest",
    },
    OBSERVE_FLAG,
    {
      name: "no-capture",
      summary: "Let the command write its output and errors directly, and record no digest of them",
    },
  ],
  permissions:
    "--allow-read=ROOT,OUT --allow-write=OUT, where OUT is mostly in ROOT; for -- COMMAND also " +
    "--allow-run=COMMAND and read access to its file. --follow takes read access to what links lead to, " +
    "--inputs-from and --exclude-from to FILE. --env NAME takes --allow-env=NAME; --tool NAME read " +
    "access to its file, and --allow-run=NAME, or --allow-env=PATH and read access where PATH leads. A " +
    "runtime is asked where --allow-run grants its program, and takes read access to its real executable; " +
    "--observe takes --allow-run=strace and --allow-read for everything; " +
    "--result FILE read and write access to the directory of FILE. SOURCE_DATE_EPOCH is read where " +
    "--allow-env grants it.",
  examples: [
    ["kprov input.txt --out runs", "Record one file"],
    ["kprov run data models --exclude '*.tmp'", "Record two directories without temporary files"],
    [
      "kprov run . --at 2026-02-15T20:13:00Z --format json",
      "Record everything here, with a fixed time",
    ],
    ["git ls-files -z | kprov --inputs-from -", "Record every file that git tracks"],
    ["kprov run data --shard 3/8", "Record the third of eight parts of a directory"],
    [
      "kprov run raw.csv clean.sh --products clean.csv -- sh clean.sh",
      "Run a transformation and record it (--allow-run=sh)",
    ],
    [
      "kprov run raw.csv --products clean.csv --observe -- sh clean.sh",
      "Find out what else the command reads (--allow-run=strace,sh)",
    ],
  ],
  exitCodes: [
    [0, "the run was written"],
    [
      1,
      "the policy does not allow this Deno version, or that of a runtime of the command; or the " +
      "command succeeded and --observe saw it read an undeclared file",
    ],
    EXITS.usage,
    [
      65,
      "an input is missing, changes, or cannot be recorded exactly; or the command succeeded and" +
      " a product is missing or was not touched",
    ],
    EXITS.output,
    EXITS.writing,
    EXITS.permission,
    EXITS.policy,
    [126, "the command cannot be started or watched; nothing is written"],
    [127, "the command, or strace for --observe, cannot be found; nothing is written"],
  ],
  execute: run,
};

async function run(flags: ParsedFlags, host: Host): Promise<number> {
  refuseExpansion(flags);
  const defaults = await readProjectDefaults(flags.value("root"));
  const inputs = readGivenInputs(flags.positionals, flags, defaults);
  if (inputs.inputs.length === 0) {
    throw new KprovError("usage", "Cannot run: no input is given", {
      hint: "kprov INPUT... records files and directories",
    });
  }
  try {
    const products = readProducts(flags, defaults);
    const request = { ...readOutputRequest(flags, host, defaults), ...inputs, products };
    return await runRequest(request, flags, host);
  } catch (error) {
    throw explainInput(error, flags);
  }
}

type RunRequest = OutputRequest & GivenInputs & { readonly products: readonly string[] };

async function runRequest(request: RunRequest, flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.rest === null) {
    const only = ["products", "tool", "no-packages", "env", "redact-arg", "no-capture", "observe"];
    refuseFlags(flags, only, "it needs a command to run, after --");
    return await runPlain({ ...request, shard: readShard(flags.value("shard")) }, host);
  }
  refuseFlags(flags, ["shard"], "a command takes its inputs whole");
  const isRead = flags.values("inputs-from").includes("-");
  const isCaptured = !flags.has("no-capture");
  const { runWrapped } = await import("./wrapped_run.ts");
  return await runWrapped({
    ...request,
    ...readToolchainFlags(flags),
    env: flags.values("env"),
    redacted: flags.values("redact-arg"),
    stdin: isRead ? "read" : isCaptured ? "recorded" : "inherited",
    isCaptured,
    observe: readObserve(flags),
    argv: readArgv(flags.rest),
  }, host);
}

/** Records inputs, all or those of a shard, without a command. Throws where the run is refused. */
export async function runPlain(
  request: OutputRequest & GivenInputs & { readonly shard: Shard | null },
  host: Host,
): Promise<number> {
  const setting = await openSetting(request, request.result === null ? [] : [request.result]);
  if (request.result !== null) await probeFile(request.result);
  const exclude = listGlobs(request.exclusions, setting.root);
  const gathered = await gatherInputs({ ...request, ...setting, exclude });
  const { usedGlobs, notes, ...inputs } = gathered;
  const source = gatherSource(setting.root.path, { ...inputs, shard: request.shard });
  const facts = {
    ...inputs,
    ...(request.shard === null ? {} : { shard: request.shard }),
    toolchain: gatherToolchainFacts(),
  };
  const use = { used: usedGlobs, root: setting.root, inputs: inputs.inputs };
  const findings = [...notes, ...noteUnusedGlobs(request.exclusions, use)];
  reportNotes(findings, request, host);
  const result = await writeRun(request, { ...setting, source }, facts, { host, findings });
  await reportRun(request, result, host);
  return 0;
}
