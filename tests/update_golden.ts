/**
 * Writes the golden documents anew: `deno run --allow-read --allow-write tests/update_golden.ts`. A
 * test holds them against what is built.
 *
 * @module
 */

import { buildEvidence, buildRunDocuments } from "../mod.ts";
import { RUN_ID } from "./make_run.ts";
import { testdata } from "./paths.ts";
import { GOLDEN_FACTS, SAMPLE_CIRCUMSTANCES } from "./sample_facts.ts";

for (const [name, facts] of Object.entries(GOLDEN_FACTS)) {
  const documents = buildRunDocuments(buildEvidence(facts), SAMPLE_CIRCUMSTANCES, RUN_ID);
  Deno.mkdirSync(testdata(`golden/${name}`), { recursive: true });
  for (const [document, text] of Object.entries(documents)) {
    Deno.writeTextFileSync(testdata(`golden/${name}/${document}`), text);
  }
}
