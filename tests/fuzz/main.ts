/**
 * Fuzzes what reads foreign bytes: `deno task fuzz [--seconds N] [--seed N] [--out DIR] [TARGET...]`.
 * A failing input is written to DIR, and becomes a fixture in tests/testdata/fuzz/TARGET/.
 *
 * @module
 */
import { parseArgs } from "../../src/std.ts";
import { fuzz, nameCrash } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

const args = parseArgs(Deno.args, {
  string: ["seconds", "seed", "out", "_"],
  boolean: [],
  collect: [],
  "--": true,
  unknown: () => true,
});
const seconds = Number(args["seconds"] ?? 60);
const seed = Number(args["seed"] ?? Date.now() % 2 ** 31);
const out = String(args["out"] ?? Deno.cwd());
const names = (args["_"] as readonly unknown[]).map(String);
const targets = TARGETS.filter(({ name }) => names.length === 0 || names.includes(name));
if (targets.length === 0 || !Number.isFinite(seconds) || !Number.isInteger(seed)) {
  console.error(`usage: deno task fuzz [--seconds N] [--seed N] [--out DIR] [TARGET...]`);
  console.error(`targets: ${TARGETS.map(({ name }) => name).join(" ")}`);
  Deno.exit(64);
}

console.log(`seed ${seed}, ${seconds} s for ${targets.length} targets`);
let isClean = true;
for (const target of targets) {
  const end = performance.now() + seconds * 1000 / targets.length;
  const { tries, crash } = await fuzz(target, seed, () => performance.now() >= end);
  console.log(
    `${target.name.padEnd(24)} ${tries} inputs${crash === null ? "" : ", and one fails:"}`,
  );
  if (crash === null) continue;
  isClean = false;
  const path = `${out}/${nameCrash(crash)}`;
  Deno.writeFileSync(path, crash.input);
  console.log(`  ${crash.error}\n  the input is in ${path}; again: --seed ${seed} ${target.name}`);
}
Deno.exit(isClean ? 0 : 1);
