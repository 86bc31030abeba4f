import type { Host } from "../system/host.ts";

/** A flag of a command. */
export interface Flag {
  /** Its name, without the dashes. */
  readonly name: string;
  /** What its value is called in the help; a flag without one is a switch. */
  readonly value?: string;
  /** The values that it takes, where they can be listed. */
  readonly choices?: readonly string[];
  /** Whether it may be given more than once. */
  readonly isRepeatable?: boolean;
  /** What it does, in one line. */
  readonly summary: string;
}

/** The arguments of a command, sorted. */
export interface ParsedFlags {
  /** What stands by itself. */
  readonly positionals: readonly string[];
  /** The last value of a flag, or null where it is not given. */
  readonly value: (name: string) => string | null;
  /** Every value of a repeatable flag, in the order given. */
  readonly values: (name: string) => readonly string[];
  /** Whether a switch is given. */
  readonly has: (name: string) => boolean;
  /** What follows `--`, or null without one. */
  readonly rest: readonly string[] | null;
}

/** One exit code of a command with what it means there. */
export type ExitCodeMeaning = readonly [code: number, meaning: string];

/** A command: what its help says, and what it does. */
export interface Command {
  /** Its name. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** How it is called, one line a form. */
  readonly usage: readonly string[];
  /** What it does, in paragraphs. */
  readonly description: readonly string[];
  /** Its flags, but for `--help`. */
  readonly flags: readonly Flag[];
  /** Flags of its sisters that it has no use for, by name, each with the reason. */
  readonly refusedFlags?: Readonly<Record<string, string>>;
  /** The words that can stand by themselves in its arguments, where they can be listed. */
  readonly operands?: readonly string[];
  /** The permissions it needs. */
  readonly permissions: string;
  /** Commands to try, each with what it does. */
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Its exit codes. */
  readonly exitCodes: readonly ExitCodeMeaning[];
  /** Does it; returns the exit code. */
  readonly execute: (flags: ParsedFlags, host: Host) => number | Promise<number>;
}

/** A row of the command table: enough for the overview, the rest is loaded when it is called. */
export interface CommandEntry {
  /** The command's name. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Loads it. */
  readonly load: () => Promise<Command>;
}
