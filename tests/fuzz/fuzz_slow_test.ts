import { assert, assertEquals } from "../assert.ts";
import { testdata } from "../paths.ts";
import { listNames } from "../temporary_tree.ts";
import { fuzz, tryInput } from "./fuzz.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

const SEED = 20260215;
const TRIES = 100;

for (const target of TARGETS) {
  Deno.test(`${target.name} takes each of the inputs that are changed`, () => {
    for (const seed of target.seeds) target.run(seed);
  });

  Deno.test(`nothing that is done to its input brings down ${target.name}`, () => {
    const { tries, crash } = fuzz(target, SEED, (n) => n >= TRIES);
    assertEquals([tries, crash], [TRIES, null]);
  });

  for (const name of listNames(testdata(`fuzz/${target.name}`))) {
    Deno.test(`${target.name} stands what once brought it down: ${name}`, () => {
      const input = Deno.readFileSync(testdata(`fuzz/${target.name}/${name}`));
      assertEquals(tryInput(target, input), null);
    });
  }
}

const BROKEN: FuzzTarget = {
  name: "broken",
  seeds: [new TextEncoder().encode("abc")],
  words: ["boom"],
  refusals: [],
  run: (input) => {
    if (new TextDecoder().decode(input).includes("boom")) throw new Error("it broke");
  },
};

Deno.test("fuzz() finds what breaks, and finds it again by the same seed", () => {
  const [one, other] = [
    fuzz(BROKEN, 1, (n) => n > 1000),
    fuzz(BROKEN, 1, (n) => n > 1000),
  ];
  assert(one.crash !== null);
  assertEquals(String(one.crash.error), "Error: it broke");
  assertEquals(one.crash.input, other.crash?.input);
});
