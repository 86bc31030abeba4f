/** What of a page a reader or an attacker could notice, besides the page itself. */
export interface PageEvent {
  /** Such as a request, a script's error, a violation of the page's policy, a dialog. */
  readonly kind: "request" | "exception" | "log" | "issue" | "dialog";
  /** Which one. */
  readonly text: string;
}

/** A page in a browser, driven by the Chrome DevTools Protocol. */
export interface BrowserPage extends AsyncDisposable {
  /** Everything noticed since the page was opened, but for the request of the page itself. */
  readonly events: readonly PageEvent[];
  /** Evaluates an expression in the page; its value must be JSON. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  /** Presses a key, such as `Tab`, `Enter` or ` `. */
  readonly press: (key: string) => Promise<void>;
  /** Types text where the keyboard's focus is. */
  readonly type: (text: string) => Promise<void>;
  /** Sends a command of the protocol. */
  readonly send: (method: string, params?: unknown) => Promise<Record<string, unknown>>;
}

/** How a page is opened. */
export interface PageOptions {
  /** Whether its own scripts run; default: they do. */
  readonly hasScripts?: boolean;
}

/** A browser that runs. */
export interface Browser extends AsyncDisposable {
  /** Opens a page and waits until it is loaded. */
  readonly open: (url: string, options?: PageOptions) => Promise<BrowserPage>;
}

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

/** Headless, with an empty profile, and without anything that would use a network. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--remote-debugging-port=0",
];

/** Longer than any start or answer that comes at all. */
const PATIENCE_MS = 300_000;

/** The path of a Chromium in PATH, or null. */
export function findBrowser(): string | null {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  const paths = PROGRAMS.flatMap((name) => directories.map((directory) => `${directory}/${name}`));
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? null;
}

/**
 * Starts a browser.
 *
 * @param program Its path
 */
export async function startBrowser(program: string): Promise<Browser> {
  const profile = Deno.makeTempDirSync({ prefix: "kprov-test-browser-" });
  const process = new Deno.Command(program, {
    args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const [messages, rest] = process.stderr.tee();
  const drained = rest.pipeTo(new WritableStream());
  const connection = await connect(await readAddress(messages));
  return {
    open: (url, options = {}) => openPage(connection, url, options),
    [Symbol.asyncDispose]: async () => {
      await connection.send("Browser.close");
      connection.close();
      await Promise.all([process.status, drained]);
      Deno.removeSync(profile, { recursive: true });
    },
  };
}

async function readAddress(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`the browser ended: ${text}`);
}

type Message = Readonly<Record<string, unknown>>;
type Listener = (method: string, params: Message, sessionId: string) => void;

/** A connection to the browser: numbered commands, each with its answer, and events. */
interface Connection {
  readonly send: (method: string, params?: unknown, sessionId?: string) => Promise<Message>;
  readonly listen: (listener: Listener) => void;
  readonly close: () => void;
}

async function connect(address: string): Promise<Connection> {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map<number, (message: Message) => void>();
  const listeners: Listener[] = [];
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.id === undefined) {
      for (const listener of listeners) listener(message.method, message.params, message.sessionId);
    } else waiting.get(message.id)?.(message);
  };
  let last = 0;
  const send = async (method: string, params: unknown = {}, sessionId?: string) => {
    const id = ++last;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    waiting.set(id, resolve);
    const timer = setTimeout(() => reject(new Error(`${method} is not answered`)), PATIENCE_MS);
    socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { result, error } = await promise.finally(() => clearTimeout(timer));
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Message;
  };
  return { send, listen: (listener) => listeners.push(listener), close: () => socket.close() };
}

/** Sends a command to one page. */
type Send = BrowserPage["send"];

async function openPage(
  connection: Connection,
  url: string,
  { hasScripts = true }: PageOptions,
): Promise<BrowserPage> {
  const { targetId } = await connection.send("Target.createTarget", { url: "about:blank" });
  const attached = await connection.send("Target.attachToTarget", { targetId, flatten: true });
  const sessionId = String(attached["sessionId"]);
  const send: Send = (method, params) => connection.send(method, params, sessionId);
  const { events, loaded } = watch(connection, sessionId, url);
  for (const domain of ["Page", "Runtime", "Log", "Network", "Audits"]) {
    await send(`${domain}.enable`);
  }
  await send("Emulation.setScriptExecutionDisabled", { value: !hasScripts });
  await send("Page.navigate", { url });
  await loaded;
  return {
    events,
    send,
    evaluate: (expression) => evaluate(send, expression),
    press: (key) => press(send, key),
    type: async (text) => void await send("Input.insertText", { text }),
    [Symbol.asyncDispose]: async () => {
      await connection.send("Target.closeTarget", { targetId });
    },
  };
}

/** Gathers what happens in a page from now on, and closes its dialogs, which would hold it up. */
function watch(
  connection: Connection,
  page: string,
  url: string,
): { readonly events: readonly PageEvent[]; readonly loaded: Promise<void> } {
  const events: PageEvent[] = [];
  const loaded = Promise.withResolvers<void>();
  connection.listen((method, params, sessionId) => {
    if (sessionId !== page) return;
    if (method === "Page.loadEventFired") loaded.resolve();
    if (method === "Page.javascriptDialogOpening") {
      connection.send("Page.handleJavaScriptDialog", { accept: false }, page);
    }
    const event = describeEvent(method, params);
    if (event !== null && !(event.kind === "request" && event.text === url)) events.push(event);
  });
  return { events, loaded: loaded.promise };
}

async function evaluate(send: Send, expression: string): Promise<unknown> {
  const { result, exceptionDetails } = await send("Runtime.evaluate", {
    expression,
    returnByValue: true,
    awaitPromise: true,
  });
  if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
  return (result as Message)["value"];
}

const KEY_CODES: Readonly<Record<string, number>> = { Tab: 9, Enter: 13, Escape: 27, " ": 32 };

async function press(send: Send, key: string): Promise<void> {
  const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
  const event = {
    key,
    code: key === " " ? "Space" : key,
    windowsVirtualKeyCode: KEY_CODES[key],
    text,
  };
  const type = text === undefined ? "rawKeyDown" : "keyDown";
  await send("Input.dispatchKeyEvent", { type, ...event });
  await send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
}

function describeEvent(method: string, params: Message): PageEvent | null {
  switch (method) {
    case "Network.requestWillBeSent":
      return { kind: "request", text: String((params["request"] as Message)["url"]) };
    case "Runtime.exceptionThrown":
      return { kind: "exception", text: JSON.stringify(params["exceptionDetails"]) };
    case "Runtime.consoleAPICalled":
    case "Log.entryAdded":
      return { kind: "log", text: JSON.stringify(params) };
    case "Audits.issueAdded":
      return { kind: "issue", text: JSON.stringify(params["issue"]) };
    case "Page.javascriptDialogOpening":
      return { kind: "dialog", text: String(params["message"]) };
    default:
      return null;
  }
}
