import { compareBranches, readBranches } from "../../../src/guards/parity/branch_filter.ts";
import type { YamlNode } from "../../../src/guards/yaml_node.ts";
import { parseYaml } from "../../../src/io/parse_yaml.ts";
import { assert, assertEquals } from "../../assert.ts";

function parse(text: string): YamlNode {
  const parsed = parseYaml(text);
  assert(parsed.ok, text);
  return parsed.node;
}

/** What a workflow leaves out that ignores branches by a pattern: whether `main` is among them. */
const IGNORED: readonly (readonly [pattern: string, matchesMain: boolean])[] = [
  ["main", true],
  ["mai", false],
  ["main2", false],
  ["m*n", true],
  ["m*i*n", true],
  ["m*x*n", false],
  ["m*i*i*n", false],
  ["*in", true],
  ["*x", false],
  ["x*", false],
  ["**", true],
  ["m**n", true],
  ["releases/**", false],
  ["main?", true],
  [`${"*".repeat(255)}x`, true],
  [`${"*".repeat(254)}x`, false],
];

for (const [pattern, matchesMain] of IGNORED) {
  Deno.test(`a branch filter ${matchesMain ? "may be" : "is not"} main: ${pattern.slice(0, 20)}`, () => {
    const { faults } = readBranches("ci.yml", parse(`branches-ignore: ["${pattern}"]`), "push");
    assertEquals(faults.length, matchesMain ? 1 : 0);
  });
}

/** The branches of push and of pull_request, and whether one is gated on both. */
const PAIRS: readonly (readonly [push: string, pull: string, isShared: boolean])[] = [
  ["main", "main", true],
  ["main", "'m*'", true],
  ["'m*'", "main", true],
  ["main", "master", false],
  ["[main, dev]", "dev", true],
  ["['!main', dev]", "main", false],
  ["release/1", "'release/*'", true],
  ["release/1/2", "'release/*'", false],
  ["release/1/2", "'release/**'", true],
];

for (const [push, pull, isShared] of PAIRS) {
  Deno.test(`push to ${push} and pull requests to ${pull} share ${isShared ? "a" : "no"} branch`, () => {
    const [ours, theirs] = [push, pull].map((branches) => parse(`branches: ${branches}`));
    assert(ours !== undefined && theirs !== undefined);
    assertEquals(compareBranches("ci.yml", ours, theirs).length, isShared ? 0 : 1);
  });
}

Deno.test("a filter that only excludes names no branch", () => {
  const messages = readBranches("ci.yml", parse("branches: ['!dev']"), "push").faults
    .map(({ message }) => message);
  assertEquals(messages, ["push names no branch"]);
});
