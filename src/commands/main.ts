import { EXIT_CODE_OF_ERROR, KprovError } from "../base/error.ts";
import { escapeOutput, escapeText, quote } from "../base/quote.ts";
import { KPROV_VERSION } from "../base/std.ts";
import { type Host, Interruption } from "../io/host.ts";
import type { CommandEntry } from "./command.ts";

/**
 * The command line, of arguments without the program's name. Nothing else in kprov decides an exit
 * code, and nothing in here ends the process: the caller does.
 */
export async function main(args: readonly string[], host: Host): Promise<number> {
  const safeHost = makeHostLogSafe(host);
  try {
    return await dispatch(args, safeHost);
  } catch (error) {
    return reportError(error, safeHost);
  }
}

async function dispatch(args: readonly string[], host: Host): Promise<number> {
  const [first] = args;
  if (first === "--version" || first === "-V") return print(host, `kprov ${KPROV_VERSION}\n`);
  if (first === undefined) {
    throw new KprovError("usage", "Cannot run: no input is given", {
      hint: "kprov INPUT... records files and directories; kprov --help shows more",
    });
  }
  if (first === "help") return await help(args.slice(1), host);
  if (first === "--help" || first === "-h") return await help([], host);
  const named = findCommand(first);
  if (named !== undefined) return await execute(named, args.slice(1), host);
  await refuseMisspelt(first);
  if (first.startsWith("-")) await refuseLateCommand(args);
  return await execute(RUN, args, host);
}

/** A command behind flags would be read as an input, and be missing as one. */
async function refuseLateCommand(args: readonly string[]): Promise<void> {
  const { loadCommand, parseFlags } = await import("./command.ts");
  const { positionals: [word = ""] } = parseFlags(args, await loadCommand(RUN));
  if (findCommand(word) === undefined) return;
  const { isAbsent } = await import("../io/paths.ts");
  if (!isAbsent(word)) return;
  throw new KprovError("usage", `Cannot use ${quote(word)}: a command comes before its flags`, {
    hint: `kprov ${word} --help shows them`,
  });
}

/** The overview, or the help of the command named. */
async function help([name]: readonly string[], host: Host): Promise<number> {
  const { renderOverview } = await import("./command.ts");
  if (name === undefined || name.startsWith("-")) return print(host, renderOverview(COMMANDS));
  const named = findCommand(name);
  if (named !== undefined) return await execute(named, ["--help"], host);
  const nearest = await findNearestCommand(name);
  throw new KprovError("usage", `Cannot show help for ${quote(name)}: no such command`, {
    hint: nearest === null ? "kprov --help lists the commands" : `did you mean kprov ${nearest}?`,
  });
}

/** What is most likely a misspelt command is no input, unless there is something of that name. */
async function refuseMisspelt(word: string): Promise<void> {
  const nearest = await findNearestCommand(word);
  if (nearest === null) return;
  const { isAbsent } = await import("../io/paths.ts");
  if (!isAbsent(word)) return;
  throw new KprovError("usage", `Cannot use ${quote(word)}: no such command or input`, {
    hint: `did you mean kprov ${nearest}?`,
  });
}

async function findNearestCommand(word: string): Promise<string | null> {
  if (word === "version" || word === "-v") return "--version";
  if (!/^(?:--v)?[a-z]+$/i.test(word)) return null;
  const { findNearest } = await import("../base/quote.ts");
  const names = [...COMMANDS.map(({ name }) => name), "help", "--version"];
  const [begun, ...more] = names.filter((name) => name.startsWith(word.toLowerCase()));
  if (begun !== undefined && more.length === 0 && word.length > 2) return begun;
  return findNearest(word.toLowerCase(), names);
}

function findCommand(name: string): CommandEntry | undefined {
  return COMMANDS.find((entry) => entry.name === name);
}

async function execute(entry: CommandEntry, args: readonly string[], host: Host): Promise<number> {
  const { loadCommand, parseFlags, renderCommandHelp } = await import("./command.ts");
  const command = await loadCommand(entry);
  const flags = parseFlags(args, command);
  if (flags.has("help")) return print(host, renderCommandHelp(command));
  try {
    return await command.execute(flags, host);
  } finally {
    // Deno keeps the code that it compiled when its event loop turns, which few commands ever let it do.
    // A timer would never come under a clock that stands still.
    for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

function print(host: Host, text: string): number {
  host.writeStdout(text);
  return 0;
}

function reportError(thrown: unknown, host: Host): number {
  let error = thrown;
  // What could not be cleaned up on the way out is not why.
  while (error instanceof SuppressedError) error = error.suppressed;
  const known = error instanceof KprovError
    ? error
    : describeMissingModule(error) ?? describeFault(error);
  // Names are shown escaped where they are put in; one that was forgotten goes no further than here.
  const hint = known.hint === null ? "" : `hint: ${escapeText(known.hint)}\n`;
  try {
    host.writeStderr(`error: ${escapeText(known.message)}\n${hint}`);
  } catch {
    // Nobody listens; the exit code still tells.
  }
  return known instanceof Interruption ? known.exitCode : EXIT_CODE_OF_ERROR[known.code];
}

/** Deno could not load a module of kprov: it was started without its configuration, or is not complete. */
function describeMissingModule(error: unknown): KprovError | null {
  if (!(error instanceof Error && "code" in error)) return null;
  if (error.code !== "ERR_MODULE_NOT_FOUND") return null;
  const [reason] = error.message.split("\n");
  return new KprovError("io", "Cannot load a module of kprov", {
    reason: reason?.replace(/\.$/, ""),
    hint: "kprov was started in a way that leaves out some of its files; " +
      "https://github.com/carcodez1/kprovengine/blob/main/docs/install.md shows the ways that work",
    cause: error,
  });
}

/** An error that nobody foresaw: a fault in kprov, told in one line without its stack. */
function describeFault(error: unknown): KprovError {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new KprovError("fault", `kprov failed: ${escapeText(text)}`, {
    hint:
      "this is a fault in kprov; please report it at https://github.com/carcodez1/kprovengine/issues",
    cause: error,
  });
}

/**
 * Makes the one way out of kprov: whatever a command prints, nothing in it acts on a terminal or is
 * a command to a CI system. Names are escaped where they are put in, since only there it is known
 * where they end; this holds for what was forgotten there. What a wrapped command prints passes.
 */
export function makeHostLogSafe(host: Host): Host {
  return {
    ...host,
    writeStdout: (text, form) => {
      const isSafe = form === "workflow commands";
      host.writeStdout(isSafe ? text : escapeOutput(text, () => host.isColored));
    },
    writeStderr: (text) => host.writeStderr(escapeOutput(text, () => host.messageWidth() !== null)),
  };
}

const RUN: CommandEntry = {
  name: "run",
  summary: "Record inputs, and a command with its products; the default command",
  load: async () => (await import("./run.ts")).RUN,
};

/** Every command, in the order of the overview. */
export const COMMANDS: readonly CommandEntry[] = [
  RUN,
  {
    name: "record",
    summary: "Record a run around a command that someone else runs",
    load: async () => (await import("./record.ts")).RECORD,
  },
  {
    name: "verify",
    summary: "Check the documents of runs, and the files that they name",
    load: async () => (await import("./verify.ts")).VERIFY,
  },
  {
    name: "log",
    summary: "List runs, newest first",
    load: async () => (await import("./log.ts")).LOG,
  },
  {
    name: "status",
    summary: "Say which products are current, stale, modified or missing",
    load: async () => (await import("./status.ts")).STATUS,
  },
  {
    name: "trace",
    summary: "Say where a file came from, run by run",
    load: async () => (await import("./trace.ts")).TRACE,
  },
  {
    name: "diff",
    summary: "Say how two runs differ, and why",
    load: async () => (await import("./diff.ts")).DIFF,
  },
  {
    name: "review",
    summary: "Record a person's decision about a run",
    load: async () => (await import("./review.ts")).REVIEW,
  },
  {
    name: "reproduce",
    summary: "Run a recorded command again and compare its products",
    load: async () => (await import("./reproduce.ts")).REPRODUCE,
  },
  {
    name: "merge",
    summary: "Join shards into the run that one machine would have written",
    load: async () => (await import("./merge.ts")).MERGE,
  },
  {
    name: "guard",
    summary: "Check a repository against its policy",
    load: async () => (await import("./guard.ts")).GUARD,
  },
  {
    name: "preflight",
    summary: "Run every guard, then the policy's steps, as CI does",
    load: async () => (await import("./preflight.ts")).PREFLIGHT,
  },
  {
    name: "init",
    summary: "Write a starter policy and its lock, or renew the lock",
    load: async () => (await import("./init.ts")).INIT,
  },
  {
    name: "report",
    summary: "Show a run, or a directory of runs, as one HTML page",
    load: async () => (await import("./report.ts")).REPORT,
  },
  {
    name: "schema",
    summary: "Print the JSON Schema of a document",
    load: async () => (await import("./schema.ts")).SCHEMA,
  },
  {
    name: "toolchain",
    summary: "Show the toolchain that a run would record",
    load: async () => (await import("./toolchain.ts")).TOOLCHAIN,
  },
  {
    name: "completions",
    summary: "Print the completions of a shell",
    load: async () => (await import("./completions/completions.ts")).createCompletions(COMMANDS),
  },
];
