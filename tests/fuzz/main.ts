/**
 * Fuzzes what reads foreign bytes: `deno task fuzz [--seconds N] [--seed N] [--out DIR] [TARGET...]`.
 * A failing input is written to DIR, by default a new temporary one, and becomes a fixture in
 * tests/testdata/fuzz/TARGET/.
 *
 * @module
 */

import { parseArgs } from "../../src/base/std.ts";
import { fuzz, nameCrash } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

const args = parseArgs(Deno.args, {
  string: ["seconds", "seed", "out", "_"],
  "--": true,
  unknown: () => true,
});
const seconds = Number(args["seconds"] ?? 60);
const seed = Number(args["seed"] ?? Date.now() % 2 ** 31);
const names = (args["_"] as readonly unknown[]).map(String);
const targets = TARGETS.filter(({ name }) => names.length === 0 || names.includes(name));
if (
  names.some((name) => !TARGETS.some((target) => target.name === name)) ||
  !Number.isFinite(seconds) || !Number.isInteger(seed)
) {
  console.error(`usage: deno task fuzz [--seconds N] [--seed N] [--out DIR] [TARGET...]`);
  console.error(`targets: ${TARGETS.map(({ name }) => name).join(" ")}`);
  Deno.exit(64);
}

console.log(`seed ${seed}, ${seconds} s for ${targets.length} targets`);
let isClean = true;
for (const target of targets) {
  const end = performance.now() + seconds * 1000 / targets.length;
  const { tries, crash } = fuzz(target, seed, () => performance.now() >= end);
  console.log(
    `${target.name.padEnd(24)} ${tries} inputs${crash === null ? "" : ", and one fails:"}`,
  );
  if (crash === null) continue;
  isClean = false;
  console.log(`  ${crash.error}\n  again: --seed ${seed} ${target.name}`);
  const out = String(args["out"] ?? Deno.makeTempDirSync({ prefix: "kprov-fuzz-" }));
  const path = `${out}/${nameCrash(crash)}`;
  Deno.writeFileSync(path, crash.input);
  console.log(`  the input is in ${path}`);
}
Deno.exit(isClean ? 0 : 1);
