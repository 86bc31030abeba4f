/**
 * Asks PyPI's `packaging` which versions its specifiers take, and records the answers for the tests.
 * `deno task update:pep440`; the network of pip is needed.
 *
 * @module
 */

import { ANSWERS_PATH, askPackaging } from "./guards/runtime/packaging.ts";

const directory = Deno.makeTempDirSync();
try {
  const answers = await askPackaging(directory);
  Deno.writeTextFileSync(ANSWERS_PATH, `${JSON.stringify(answers, null, 1)}\n`);
} finally {
  Deno.removeSync(directory, { recursive: true });
}
