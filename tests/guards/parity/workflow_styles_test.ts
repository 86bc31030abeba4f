import { assertEquals } from "../../assert.ts";
import { DENO_CALL_STYLES } from "./deno_call_styles.ts";
import { DENO_STYLES } from "./deno_styles.ts";
import { OTHER_STYLES } from "./other_styles.ts";
import { codes, describe, PURE } from "./parity_facts.ts";

for (const { name, policy, files } of [...DENO_STYLES, ...DENO_CALL_STYLES, ...OTHER_STYLES]) {
  Deno.test(`PARITY finds nothing in the style of ${name}`, PURE, () => {
    assertEquals(describe(files, policy), []);
  });

  Deno.test(
    `PARITY finds the command missing in the style of ${name}, once it is another`,
    PURE,
    () => {
      const parity = { workflow: policy.parity?.workflow ?? "", command: "never run" };
      assertEquals(codes(files, { ...policy, parity }).includes("missing"), true);
    },
  );
}
