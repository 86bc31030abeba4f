import { startWorkerThread, type WorkerCode } from "../../src/io/crew.ts";
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
