import type { Command } from "./command.ts";

/** A row of the command table: enough for the overview, the rest is loaded when it is called. */
export interface CommandEntry {
  /** The command's name. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Loads it. */
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the overview. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "Record what goes in, and with what; the default command",
    load: async () => (await import("./run.ts")).RUN,
  },
  {
    name: "toolchain",
    summary: "Show the toolchain that this kprov records",
    load: async () => (await import("./toolchain.ts")).TOOLCHAIN,
  },
];
