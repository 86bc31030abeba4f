import { KprovError } from "../base/error.ts";
import { isOnTerminal } from "./host.ts";

/** What ends a program from outside: Ctrl-C, the request of a process manager, a terminal that is gone. */
const ENDING_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK", "SIGHUP"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * The signals that wait while something is tried before a command is started: none. A command inherits
 * that nohup(1) ignores SIGHUP, and a shell SIGINT for what runs in the background, but not once kprov
 * has listened to any signal: Deno then takes all three.
 */
export const SIGNALS_BEFORE_COMMAND: readonly Deno.Signal[] = [];

const SIGNAL_NUMBERS: Readonly<Partial<Record<Deno.Signal, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGTERM: 15,
  SIGBREAK: 21,
};

/**
 * A signal that follows the first so soon belongs to the same request: timeout(1), for one, signals
 * the process that it started and then the group that this process is in.
 */
const SAME_REQUEST_MS = 100;

/** The longest time for which work that could be interrupted keeps the event loop from turning. */
const LONGEST_TURN_MS = 50;

/** How long a signal takes to be heard of, and more: from the system by way of a thread of its own. */
const SIGNAL_DELAY_MS = 2;

/** How long a command that was killed is waited for: one that waits for a dead disk never ends. */
const KILL_PATIENCE_MS = 1000;

/** A signal ended kprov before its work was done. */
export class Interruption extends KprovError {
  /** 128 + n, where signal n came. */
  readonly exitCode: number;

  /**
   * Makes one.
   *
   * @param signal What came
   */
  constructor(signal: Deno.Signal) {
    super("interrupted", `Interrupted by ${signal}`);
    this.exitCode = 128 + (SIGNAL_NUMBERS[signal] ?? 0);
  }
}

/**
 * Takes signals in place of the system, which would end kprov at once, until it is disposed of. The
 * first one goes to the command that runs, where one does; every other one stops kprov.
 */
export class SignalWatch implements Disposable {
  readonly #stop = Promise.withResolvers<never>();
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];
  #first: { readonly signal: Deno.Signal; readonly at: number } | null = null;
  #interruption: Interruption | null = null;
  #command: Deno.ChildProcess | null = null;
  #turnedAt = performance.now();

  /**
   * Starts to take signals. Deno asks for no permission for that.
   *
   * @param signals Which ones
   */
  constructor(signals: readonly Deno.Signal[] = ENDING_SIGNALS) {
    // Who does not wait for it learns of it from turn().
    this.#stop.promise.catch(() => {});
    this.#listeners = signals.map((signal) => [signal, () => this.#take(signal)]);
    for (const [signal, listener] of this.#listeners) Deno.addSignalListener(signal, listener);
  }

  /** Rejects with an {@linkcode Interruption} when kprov is to stop; long waits race with it. */
  get stopped(): Promise<never> {
    return this.#stop.promise;
  }

  /** The first signal that came, or null. */
  get received(): Deno.Signal | null {
    return this.#first?.signal ?? null;
  }

  /**
   * Waits for a command to end, and passes the first signal on to it. At the second one the command
   * is killed.
   *
   * @param command The command
   * @throws {Interruption} at the second signal, once the command is gone
   */
  async superviseCommand(command: Deno.ChildProcess): Promise<Deno.CommandStatus> {
    this.#command = command;
    try {
      return await Promise.race([command.status, this.stopped]);
    } catch (error) {
      send(command, "SIGKILL");
      await waitAtMost(command.status, KILL_PATIENCE_MS);
      throw error;
    } finally {
      this.#command = null;
    }
  }

  /**
   * Lets signals come in: listeners are called only when the event loop turns.
   *
   * @throws {Interruption} where kprov is to stop
   */
  async turn(): Promise<void> {
    // In the first turn the loop may only begin to look for signals.
    for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
    this.#turnedAt = performance.now();
    if (this.#interruption !== null) throw this.#interruption;
  }

  /**
   * Waits until signals that came before are heard of, with all that belong to the same request. Without
   * it, one that comes just before a watch ends is lost, which matters where much is still to be done.
   *
   * @throws {Interruption} where kprov is to stop
   */
  async settle(): Promise<void> {
    if (this.#listeners.length === 0) return;
    const rest = this.#first === null ? 0 : this.#first.at + SAME_REQUEST_MS - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(SIGNAL_DELAY_MS, rest)));
    await this.turn();
  }

  /** Whether work should call {@linkcode turn} now. */
  get isTurnDue(): boolean {
    return performance.now() - this.#turnedAt >= LONGEST_TURN_MS;
  }

  /** Leaves signals to the system again. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }

  #take(signal: Deno.Signal): void {
    const at = performance.now();
    const first = this.#first;
    this.#first ??= { signal, at };
    if (first !== null && first.signal === signal && at - first.at < SAME_REQUEST_MS) return;
    if (first === null && this.#command !== null) return relay(this.#command, signal);
    this.#interruption ??= new Interruption(signal);
    this.#stop.reject(this.#interruption);
  }
}

/**
 * Does work that leaves something behind where it is ended in the middle, such as a temporary file.
 * A signal ends it only where the work itself lets it, and so can clean up.
 *
 * @param work The work; it calls `turn()` now and then where it takes long
 * @param taken The signals that wait
 * @throws {Interruption} where a signal came, also when the work is already done
 */
export async function deferSignals<T>(
  work: (signals: SignalWatch) => T | Promise<T>,
  taken: readonly Deno.Signal[] = ENDING_SIGNALS,
): Promise<T> {
  using signals = new SignalWatch(taken);
  try {
    return await work(signals);
  } finally {
    await signals.turn();
  }
}

/**
 * Ctrl-C on a terminal reaches every process in the foreground, so that the command has it already.
 * Nothing tells it from `kill -INT` to kprov alone: there, that reaches the command only by way of the
 * terminal's own key, and SIGTERM is what asks from elsewhere.
 */
function relay(command: Deno.ChildProcess, signal: Deno.Signal): void {
  const isFromTerminal = signal === "SIGINT" && isOnTerminal();
  if (!isFromTerminal) send(command, signal);
}

function send(command: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    command.kill(signal);
  } catch {
    // It has ended already, or this system does not send this signal; then it has come there by itself.
  }
}

/** Waits for something, but not for ever. */
async function waitAtMost(awaited: Promise<unknown>, milliseconds: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([awaited, late]).finally(() => clearTimeout(timer));
}
