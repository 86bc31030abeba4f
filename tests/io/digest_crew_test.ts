import { KprovError } from "../../src/base/error.ts";
import type { Progress } from "../../src/base/progress.ts";
import { DIGEST_CODE, hashFiles, lookAtFiles } from "../../src/io/hash/hash_files.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { exists, leaveToWorkers, listFiles, makeFiles, spread, waitUntil } from "./spread_work.ts";

Deno.test("hashFiles() does without a worker that cannot be loaded", async () => {
  using tree = makeFiles(30);
  const files = listFiles(tree);
  const code = { ...DIGEST_CODE, script: 'import "npm:";' };
  assertEquals(
    await hashFiles(files, { role: "input", ...spread(3, { code }) }),
    await hashFiles(files, { role: "input", ...spread(1) }),
  );
});

/** The worker's code, which leaves a mark in the tree and then breaks, in one way or another. */
const BREAKS: readonly (readonly [string, string, string])[] = [
  ["throws", 'throw new RangeError("out of\\nmemory")', "RangeError: out of\\u000amemory"],
  ["dies", "throwLater()", "it died"],
];

for (const [what, fall, reason] of BREAKS) {
  Deno.test(`a worker that ${what} fails the run with the name of the file that it read`, async () => {
    using tree = makeFiles(20);
    const broken = DIGEST_CODE.script!
      .replace("function digestFile(path, options = {}) {", (head) =>
        `${head}
        Deno.writeTextFileSync(${JSON.stringify(tree.at("mark"))}, path);
        ${fall};`)
      // What it throws past its own handler is what ends a worker.
      .replace(
        /catch \(error\) \{(?=\s+answer =)/,
        "catch (error) { if (String(error).includes('throwLater')) throw error;",
      );
    const progress: Progress = {
      tick: () => waitUntil(() => exists(tree.at("mark"))),
      end: () => {},
    };
    const options = spread(2, {
      code: { ...DIGEST_CODE, script: broken },
      effort: { jobs: 2, progress },
    });
    const error = await assertRejects(
      () => hashFiles(listFiles(tree), { role: "input", ...options }),
      KprovError,
    );
    const name = Deno.readTextFileSync(tree.at("mark")).slice(tree.path.length + 1);
    assertEquals([error.code, error.message], [
      "fault",
      `kprov failed in a worker while it read "${name}": ${reason}`,
    ]);
  });
}

Deno.test("a file that changes under a worker is refused, and so is one that the system does not open", async () => {
  using tree = makeFiles(20);
  const files = listFiles(tree);
  const meddling = `const look = Deno.lstatSync;
Deno.lstatSync = (path) => {
  const stats = look(path);
  if (path.endsWith("/010")) Deno.writeTextFileSync(path, "more", { append: true });
  if (path.endsWith("/011")) throw Object.assign(new Deno.errors.PermissionDenied("no"), { code: "EACCES" });
  return stats;
};
${DIGEST_CODE.script}`;
  // The main thread takes the first file and none of those that the worker meddles with.
  const effort = { jobs: 2, progress: leaveToWorkers(12) };
  const code = { ...DIGEST_CODE, script: meddling };
  const seen = await lookAtFiles(files, spread(2, { effort, code }));
  assertEquals([...seen.faults].sort(([a], [b]) => a - b), [
    [10, { state: "fault", what: "changed" }],
    [11, {
      state: "fault",
      what: "refused",
      name: "PermissionDenied",
      code: "EACCES",
      message: "no",
    }],
  ]);
  // What comes behind the first fault is not read, so that less is done.
  const less = { jobs: 2, progress: leaveToWorkers(7) };
  const error = await assertRejects(
    () => hashFiles(files, { role: "input", ...spread(2, { effort: less, code }) }),
    KprovError,
  );
  assertEquals(error.message, 'Cannot read input "f/010": it changed while it was read');
});

Deno.test("workers start under a permission that reaches the data and not kprov", async () => {
  using tree = makeFiles(30);
  const at = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  Deno.writeTextFileSync(
    tree.at("program.ts"),
    `import { hashFiles } from ${at("../../src/io/hash/hash_files.ts")};
     const names = [...Deno.readDirSync("f")].map(({ name }) => "f/" + name).sort();
     let workers = 0;
     globalThis.Worker = class extends Worker { constructor(...args) { super(...args); workers++; } };
     const progress = { tick: (describe) => { while (describe().files < 15); }, end: () => {} };
     const records = await hashFiles({ directory: Deno.cwd(), names }, {
       role: "input", effort: { jobs: 2, progress }, filesPerThread: 5,
     });
     console.log(workers, records.length);`,
  );
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--config", config, "--allow-read=.", "program.ts"],
    cwd: tree.path,
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  assertEquals([text(stdout), text(stderr)], ["1 30\n", ""]);
});
