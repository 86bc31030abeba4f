import { RULES } from "../../src/guards/policy.ts";
import { assert, assertEquals } from "../assert.ts";
import { fromFileUrl } from "../paths.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };
const SOURCES = fromFileUrl(new URL("../../src", import.meta.url));
const GUARDS: readonly string[] = ["artifacts", "identity", "runtime", "parity", "lock"];

/** What stands beside the guards: the table itself, and what a run notes of its runtimes. */
const OTHERS: readonly string[] = ["policy.ts", "runtimes"];

/** The TypeScript of a directory at any depth. */
function readSources(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    if (OTHERS.includes(name)) return [];
    if (isDirectory) return readSources(`${directory}/${name}`);
    return [Deno.readTextFileSync(`${directory}/${name}`)];
  });
}

/** The codes of findings that sources name. */
function findCodes(sources: readonly string[]): Set<string> {
  const code = new RegExp(`"((?:${GUARDS.join("|")})\\.[a-z_]+)"`, "g");
  // A code that each guard has: `${guardOf(allowance)}.unused_allowance`.
  const ofEach = /`\$\{guardOf\(\w+\)\}\.([a-z_]+)`/g;
  return new Set(
    sources.flatMap((text) => [
      ...text.matchAll(code).map(([, found = ""]) => found),
      ...text.matchAll(ofEach).flatMap(([, name]) => GUARDS.map((guard) => `${guard}.${name}`)),
    ]).filter((found) => found !== "runtime.txt"),
  );
}

const CODES = RULES.map(({ code }) => code);

Deno.test("every code that the guards report has its rule", () => {
  const used = findCodes(
    ["guards", "io"].flatMap((layer) => readSources(`${SOURCES}/${layer}`)),
  );
  assert(used.size > 0);
  assertEquals([...used].filter((code) => !CODES.includes(code)), []);
});

Deno.test("every rule of a guard that there is can be reported by it", () => {
  const used = findCodes(
    ["guards", "io"].flatMap((layer) => readSources(`${SOURCES}/${layer}`)),
  );
  const present = [...Deno.readDirSync(`${SOURCES}/guards`)].map(({ name }) =>
    name.replace(/\.ts$/, "")
  );
  const expected = CODES.filter((code) => present.includes(code.split(".")[0] ?? ""));
  assert(expected.length > 0);
  assertEquals(expected.filter((code) => !used.has(code)), []);
});

Deno.test("no code has two rules, and the rules stand by guard", PURE, () => {
  assertEquals(new Set(CODES).size, CODES.length);
  const guards = CODES.map((code) => GUARDS.indexOf(code.split(".")[0] ?? ""));
  assertEquals(guards, guards.toSorted((a, b) => a - b));
  assert(!guards.includes(-1));
});

Deno.test("every rule says what is wrong in a line, and the rest in sentences", PURE, () => {
  for (const { code, title, description, remedy } of RULES) {
    assert(/^[A-Z].{10,80}[^.]$/.test(title), code);
    for (const text of [description, remedy]) assert(/^[A-Z][^\n{}]+\.$/.test(text), code);
  }
});
