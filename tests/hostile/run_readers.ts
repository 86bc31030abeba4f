import { COMMANDS } from "../../src/commands/main.ts";

/** Where a command that reads a hostile run finds things. */
export interface Places {
  /** The hostile run. */
  readonly run: string;
  /** A run that verifies. */
  readonly genuine: string;
  /** A directory that holds what the hostile run speaks of, or not. */
  readonly root: string;
  /** Where something may be written. */
  readonly out: string;
}

/** A command that reads runs. */
export interface RunReader {
  /** What it is. */
  readonly name: string;
  /** Its arguments. */
  readonly args: (places: Places) => readonly string[];
  /** Whether it only lists runs: one that does not verify is marked, and no reason to fail. */
  readonly isList?: true;
}

const READERS: readonly RunReader[] = [
  { name: "verify", args: ({ run, root }) => ["verify", run, "--root", root] },
  { name: "verify", args: ({ run }) => ["verify", run, "--format", "json"] },
  { name: "log", args: ({ run }) => ["log", run, "--format", "json"], isList: true },
  { name: "status", args: ({ run, root }) => ["status", run, "--root", root, "--quiet"] },
  {
    name: "trace",
    args: ({ run, genuine }) => [
      ...["trace", `${genuine}/provenance.json`, "--runs", run],
      ...["--check", "--format", "json"],
    ],
  },
  { name: "diff", args: ({ run, genuine }) => ["diff", run, genuine] },
  { name: "diff", args: ({ run, genuine }) => ["diff", genuine, run, "--format", "json"] },
  { name: "review", args: ({ run }) => ["review", run, "--reject", "--reviewer", "Ada"] },
  { name: "reproduce", args: ({ run, root }) => ["reproduce", run, "--root", root] },
  { name: "merge", args: ({ run, out }) => ["merge", run, "--out", out] },
  { name: "report", args: ({ run, out }) => ["report", run, "--out", `${out}/report.html`] },
];

/** Every command that reads runs, in the ways in which it does. */
export const RUN_READERS: readonly RunReader[] = READERS.filter(({ name }) =>
  COMMANDS.some((command) => command.name === name)
);
