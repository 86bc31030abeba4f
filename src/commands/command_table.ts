import type { CommandEntry } from "./command.ts";

/** Every command, in the order of the overview. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "Record what goes in, and with what; the default command",
    load: async () => (await import("./run.ts")).RUN,
  },
  {
    name: "record",
    summary: "Record a run around a command that someone else runs",
    load: async () => (await import("./record.ts")).RECORD,
  },
  {
    name: "verify",
    summary: "Re-check the documents of runs, and the files that they speak of",
    load: async () => (await import("./verify.ts")).VERIFY,
  },
  {
    name: "log",
    summary: "List runs, newest first",
    load: async () => (await import("./log.ts")).LOG,
  },
  {
    name: "status",
    summary: "Tell which products are current, stale, modified or missing",
    load: async () => (await import("./status.ts")).STATUS,
  },
  {
    name: "trace",
    summary: "Tell how a file came to be, back to what no run made",
    load: async () => (await import("./trace.ts")).TRACE,
  },
  {
    name: "diff",
    summary: "Say in what two runs differ, and why",
    load: async () => (await import("./diff.ts")).DIFF,
  },
  {
    name: "review",
    summary: "Record a person's decision about a run",
    load: async () => (await import("./review.ts")).REVIEW,
  },
  {
    name: "reproduce",
    summary: "Run the recorded command again and compare what it makes",
    load: async () => (await import("./reproduce.ts")).REPRODUCE,
  },
  {
    name: "merge",
    summary: "Join shards into the run that one machine would have written",
    load: async () => (await import("./merge.ts")).MERGE,
  },
  {
    name: "guard",
    summary: "Hold a repository against its policy",
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
