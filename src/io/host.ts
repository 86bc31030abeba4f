import { KprovError } from "../base/error.ts";
import { describeSystemError } from "./os_error.ts";

/** What a command may use of the process around it. Files are not in it: those are gather's and write's. */
export interface Host {
  /** Prints part of the result. */
  readonly writeStdout: (text: string) => void;
  /** Prints a message. */
  readonly writeStderr: (text: string) => void;
  /** Whether the result goes to a terminal that shows colours. */
  readonly isColored: boolean;
  /** The width of the terminal that messages go to, in characters; null where they go elsewhere. */
  readonly messageWidth: () => number | null;
  /** Passes on bytes that a command printed, once they are taken. */
  readonly passOn: (stream: "stdout" | "stderr", bytes: Uint8Array) => Promise<void>;
  /** The time. */
  readonly now: () => Date;
  /** An environment variable, where it is set and kprov may already read it. */
  readonly readEnv: (name: string) => string | null;
}

/** The process that kprov runs in. */
export const PROCESS_HOST: Host = {
  writeStdout: (text) => writeAll(Deno.stdout, "standard output", text),
  writeStderr: (text) => writeAll(Deno.stderr, "standard error", text),
  isColored: Deno.stdout.isTerminal() && !Deno.noColor,
  messageWidth: () => Deno.stderr.isTerminal() ? measureTerminal() : null,
  passOn: async (stream, bytes) => {
    for (let written = 0; written < bytes.length;) {
      written += await Deno[stream].write(bytes.subarray(written));
    }
  },
  now: () => new Date(),
  readEnv: (name) => {
    const status = Deno.permissions.querySync({ name: "env", variable: name });
    return status.state === "granted" ? Deno.env.get(name) ?? null : null;
  },
};

function measureTerminal(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // A terminal that does not tell is taken for the narrowest that is common.
    return 80;
  }
}

function writeAll(stream: typeof Deno.stdout, what: string, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) {
      written += stream.writeSync(bytes.subarray(written));
    }
  } catch (error) {
    throw new KprovError("io", `Cannot write to ${what}: ${describeSystemError(error)}`, {
      cause: error,
    });
  }
}
