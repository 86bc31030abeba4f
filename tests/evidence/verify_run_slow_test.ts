import { verifyRun } from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/std.ts";
import { assert } from "../assert.ts";
import { makeRunFiles, RUN_ID } from "../make_run.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../sample_facts.ts";

/** A run in which nothing stands that follows from nothing else, so that no byte of it is free. */
const BOUND_CIRCUMSTANCES = { ...SAMPLE_CIRCUMSTANCES, policy: null, source: null };

Deno.test(
  "verifyRun() finds each flipped bit of the documents that bind nothing to others",
  { permissions: "none" },
  () => {
    const facts = {
      ...SAMPLE_FACTS,
      toolchain: { ...SAMPLE_FACTS.toolchain, kprov: KPROV_VERSION },
    };
    const run = makeRunFiles(facts, BOUND_CIRCUMSTANCES);
    for (const name of ["human_review.json", "run_summary.json"]) {
      const bytes = run.files.get(name) ?? new Uint8Array();
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const findings = verifyRun({
          name: RUN_ID,
          files: new Map([...run.files, [name, flipped]]),
        });
        assert(findings.length > 0, `${name}, bit ${bit}`);
      }
    }
  },
);
