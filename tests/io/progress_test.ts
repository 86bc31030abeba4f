import { readRun } from "../../mod.ts";
import { KprovError } from "../../src/base/error.ts";
import { DocumentMeter, type Progress, type WorkDone } from "../../src/base/progress.ts";
import { writeRun } from "../../src/commands/write_run.ts";
import { makeDocuments } from "../../src/evidence/documents.ts";
import { writeRunDirectory } from "../../src/io/run_directory.ts";
import { gatherRun, measureRuns } from "../../src/io/run_files.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../sample_facts.ts";
import { PROCESS_HOST } from "../../src/io/host.ts";
import { makeTree } from "../temporary_tree.ts";

/** Keeps all that is told. */
function listen(): { readonly told: (WorkDone | "end")[]; readonly progress: Progress } {
  const told: (WorkDone | "end")[] = [];
  return {
    told,
    progress: { tick: (describe) => told.push(describe()), end: () => told.push("end") },
  };
}

const TARGET = { createdAt: "2026-02-15T20:13:00Z" };

Deno.test("the writing and the reading of a run are told byte by byte, and end", async () => {
  using tree = makeTree();
  const writing = listen();
  const content = { facts: SAMPLE_FACTS, circumstances: SAMPLE_CIRCUMSTANCES };
  const { path } = await writeRunDirectory(
    { ...TARGET, out: tree.path, progress: writing.progress },
    (runId) => makeDocuments({ ...content, runId }),
  );
  const size = [...Deno.readDirSync(path)]
    .reduce((sum, { name }) => sum + Deno.statSync(`${path}/${name}`).size, 0);
  const last = { files: 3, totalFiles: 4, bytes: size, isMoreAhead: true };
  assertEquals(writing.told.slice(-2), [{ ...last, totalBytes: null }, "end"]);

  const reading = listen();
  {
    const totals = measureRuns([path]);
    assertEquals(totals, { documents: 4, bytes: size });
    using meter = new DocumentMeter(reading.progress, totals);
    assertEquals(readRun(gatherRun(path, meter)).findings, []);
  }
  assertEquals(reading.told.slice(-2), [{ ...last, totalBytes: size }, "end"]);
});

Deno.test("writing that fails ends what is shown", async () => {
  using tree = makeTree();
  const { told, progress } = listen();
  await assertRejects(
    () =>
      writeRunDirectory({ ...TARGET, out: tree.path, progress }, function* () {
        yield { name: "toolchain.json", value: {} };
        throw new KprovError("data", "no more");
      }),
    KprovError,
  );
  assertEquals(told.at(-1), "end");
});

Deno.test("writeRun() tells the one who is told of the reading", async () => {
  using tree = makeTree();
  const { told, progress } = listen();
  const request = {
    ...TARGET,
    isTimeGiven: true,
    root: tree.path,
    out: tree.at("runs"),
    format: "text" as const,
    isQuiet: false,
    result: null,
    effort: { jobs: 1, progress },
  };
  const { runtime_policy, policy, source } = SAMPLE_CIRCUMSTANCES;
  await writeRun(request, { runtimePolicy: runtime_policy, policy, source }, SAMPLE_FACTS, {
    host: PROCESS_HOST,
  });
  assertEquals(told.length > 4 && told.at(-1), "end");
});

Deno.test("measureRuns() counts what is not there as nothing", () => {
  using tree = makeTree({ "run/provenance.json": "{}\n" });
  assertEquals(measureRuns([tree.at("run"), tree.at("gone")]), { documents: 8, bytes: 3 });
});
