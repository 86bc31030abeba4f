import type { Shard } from "./shard.ts";

/** What the run was asked to do. */
export interface ExternalParameters {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
  /** The wrapped command, where kprov started one. */
  readonly command?: RecordedCommand;
  /** The product paths as given, normalised, where the run was made around a command. */
  readonly products?: readonly string[];
  /** The part of the inputs that was recorded, where it was not all of them. */
  readonly shard?: Shard;
}

/** A wrapped command as it was given. */
export interface RecordedCommand {
  /** The command and its arguments. */
  readonly argv: readonly string[];
  /** Environment variables that were said to matter, and were set; their values are not recorded. */
  readonly env?: readonly string[];
}
