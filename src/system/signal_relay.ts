/** What a signal is passed on to. */
export interface SignalReceiver {
  /** Sends a signal. */
  readonly kill: (signal: Deno.Signal) => void;
}

/** Takes signals in place of the system, which would end kprov, until it is disposed of. */
export interface SignalRelay extends Disposable {
  /** Resolves when the first signal comes. */
  readonly first: Promise<Deno.Signal>;
  /** The first signal, or null where none has come. */
  readonly received: () => Deno.Signal | null;
  /** Passes on what comes from now on, and what came already. */
  readonly passTo: (receiver: SignalReceiver) => void;
}

/** What ends a program from outside: Ctrl-C, and the request of a process manager. */
export const ENDING_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * Starts to take signals. Deno asks for no permission for that.
 *
 * @param signals Which ones
 */
export function relaySignals(signals: readonly Deno.Signal[]): SignalRelay {
  const received: Deno.Signal[] = [];
  const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
  let receiver: SignalReceiver | null = null;
  const listeners = signals.map((signal) => {
    const listen = (): void => {
      received.push(signal);
      resolve(signal);
      if (receiver !== null) send(receiver, signal);
    };
    Deno.addSignalListener(signal, listen);
    return () => Deno.removeSignalListener(signal, listen);
  });
  return {
    first: promise,
    received: () => received[0] ?? null,
    passTo: (next) => {
      receiver = next;
      for (const signal of received) send(next, signal);
    },
    [Symbol.dispose]: () => listeners.forEach((remove) => remove()),
  };
}

function send(receiver: SignalReceiver, signal: Deno.Signal): void {
  try {
    receiver.kill(signal);
  } catch {
    // It has ended already, or this system does not send this signal; then it has come there by itself.
  }
}
