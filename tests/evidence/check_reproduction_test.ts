import type { RecordedTool, RunFacts } from "../../mod.ts";
import { listProducts } from "../../src/evidence/provenance.ts";
import {
  checkReproduction,
  checkTools,
  type Reproduction,
} from "../../src/evidence/reproduction.ts";
import { assertEquals } from "../assert.ts";
import { makeRun } from "../make_run.ts";
import {
  digestOf,
  SAMPLE_COMMAND_FACTS,
  SAMPLE_FACTS,
  SAMPLE_FAILED_FACTS,
} from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const RUN = makeRun(SAMPLE_FAILED_FACTS);
const CLEAN = {
  name: "out/clean.csv",
  kind: "file",
  size: 9,
  sha256: digestOf("9"),
} as const;

const LINK = { name: "out/latest", kind: "symlink", size: 9, sha256: digestOf("8") } as const;

const CASES: readonly (readonly [string, Reproduction, readonly string[]])[] = [
  ["the same", { exitCode: 3, products: [CLEAN, LINK] }, []],
  ["another exit code", { exitCode: 0, products: [CLEAN, LINK] }, ["command.exit_code"]],
  ["another content", { exitCode: 3, products: [{ ...CLEAN, sha256: digestOf("8") }, LINK] }, [
    "out/clean.csv product.changed",
  ]],
  ["a file in the place of a link", { exitCode: 3, products: [CLEAN, { ...LINK, kind: "file" }] }, [
    "out/latest product.changed",
  ]],
  ["no product", { exitCode: 3, products: [] }, [
    "out/clean.csv product.missing",
    "out/latest product.missing",
  ]],
  ["one product more", { exitCode: 3, products: [{ ...CLEAN, name: "out/b" }, CLEAN, LINK] }, [
    "out/b product.unexpected",
  ]],
  ["everything", { exitCode: 1, products: [{ ...CLEAN, name: "out/b" }] }, [
    "command.exit_code",
    "out/b product.unexpected",
    "out/clean.csv product.missing",
    "out/latest product.missing",
  ]],
];

for (const [what, made, expected] of CASES) {
  Deno.test(`checkReproduction() judges ${what}`, PURE, () => {
    const findings = checkReproduction(RUN, made);
    const found = findings.map(({ path, code }) => path === null ? code : `${path} ${code}`);
    assertEquals(found, expected);
  });
}

Deno.test("listProducts() does not take inputs for products", PURE, () => {
  const list = (facts: RunFacts): readonly string[] =>
    listProducts(makeRun(facts).documents["provenance.json"]).map(({ name }) => name);
  assertEquals(list(SAMPLE_COMMAND_FACTS), ["out/clean.csv", "out/latest"]);
  assertEquals(list(SAMPLE_FAILED_FACTS), ["out/clean.csv", "out/latest"]);
  assertEquals(list(SAMPLE_FACTS), []);
});

const TOOLS: readonly (readonly [string, readonly RecordedTool[], readonly string[]])[] = [
  ["the same", [{ name: "sh", sha256: digestOf("3") }], []],
  ["another", [{ name: "sh", sha256: digestOf("4") }], ["tool.changed"]],
  ["none", [], ["tool.missing"]],
  ["one more", [{ name: "sh", sha256: digestOf("3") }, { name: "zz", sha256: digestOf("3") }], [
    "tool.unexpected",
  ]],
];

for (const [what, found, expected] of TOOLS) {
  Deno.test(`checkTools() judges ${what}`, PURE, () => {
    assertEquals(checkTools(RUN, found).map(({ code }) => code), expected);
  });
}
