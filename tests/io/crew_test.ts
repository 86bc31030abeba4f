import { startWorkerThread, type WorkerCode } from "../../src/io/crew.ts";
import sharedWork from "../../src/io/shared_work.js" with { type: "text" };
import { assertEquals } from "../assert.ts";

const DOUBLE = "globalThis.onmessage = ({ data }) => globalThis.postMessage(data * 2);";

const DIE = 'globalThis.onmessage = () => { throw new Error("no"); };';

function fromScript(script: string): WorkerCode {
  return {
    name: "a worker",
    url: new URL("../system/nowhere.ts", import.meta.url),
    start: () => {
      throw new Error("the script is what is started");
    },
    script,
  };
}

function fromModule(text: string): WorkerCode {
  const url = new URL(`data:application/javascript,${encodeURIComponent(text)}`);
  return { name: "a worker", url, start: () => new Worker(url, { type: "module" }) };
}

for (
  const [form, code] of [["a script", fromScript(DOUBLE)], [
    "a module",
    fromModule(DOUBLE),
  ]] as const
) {
  Deno.test(`startWorkerThread() starts ${form}, which answers its tasks in their order`, async () => {
    using thread = startWorkerThread<number, number>(code);
    assertEquals(await Promise.all([thread?.ask(21), thread?.ask(4)]), [42, 8]);
    assertEquals(await thread?.ask(1), 2);
  });
}

for (const [what, script] of [["throws", DIE], ["cannot be loaded", 'import "npm:"']] as const) {
  Deno.test(`a worker that ${what} answers null, every time`, async () => {
    using thread = startWorkerThread<number, number>(fromScript(script));
    assertEquals(await Promise.all([thread?.ask(1), thread?.ask(1)]), [null, null]);
    assertEquals(await thread?.ask(1), null);
  });
}

Deno.test({
  name:
    "startWorkerThread() starts a script without any permission, and no module that it may not read",
  permissions: "none",
  fn: async () => {
    using thread = startWorkerThread<number, number>(fromScript(DOUBLE));
    assertEquals(await thread?.ask(1), 2);
    const url = new URL(import.meta.url);
    const start = (): Worker => new Worker(url, { type: "module" });
    assertEquals(startWorkerThread({ name: "a worker", url, start }), null);
  },
});

/** Ticks as often as for 65,536 small files, and says whether what it once made is gone. */
const TICK = `
let unused = null;
answerAs("a worker", (_, { onTick }) => {
  unused ??= new WeakRef({});
  for (let i = 0; i < 2 ** 16; i++) onTick?.();
  return unused.deref() === undefined;
});`;

Deno.test({
  name: "a worker lets go of what it does not use any more, now and then",
  permissions: "none",
  fn: async () => {
    using thread = startWorkerThread<unknown, { readonly share: boolean }>(
      fromScript(sharedWork + TICK),
    );
    const names = { bytes: new Uint8Array(), blockEnds: new Float64Array() };
    const isGone = async (): Promise<boolean | undefined> =>
      (await thread?.ask({ work: null, names, thread: 1 }))?.share;
    assertEquals(await isGone(), false);
    // What a reference was made of lives until the worker's event loop turns.
    for (let i = 0; i < 5 && await isGone() === false; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals(await isGone(), true);
  },
});
