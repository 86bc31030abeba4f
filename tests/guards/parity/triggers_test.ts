import { matchesBranch, readTriggers } from "../../../src/guards/parity/triggers.ts";
import { parseYaml } from "../../../src/guards/actions/yaml.ts";
import { assert, assertEquals } from "../../assert.ts";
import { PURE } from "./parity_facts.ts";

const PATTERNS: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ["main", "main", true],
  ["mai", "main", false],
  ["main2", "main", false],
  ["m*n", "main", true],
  ["m*i*n", "main", true],
  ["m*x*n", "main", false],
  ["m*i*i*n", "main", false],
  ["*in", "main", true],
  ["*x", "main", false],
  ["x*", "main", false],
  ["**", "main", true],
  ["m**n", "main", true],
  ["releases/**", "main", false],
  ["releases/**", "releases/a/b", true],
  ["releases/*", "releases/a/b", false],
  ["main?", "main", true],
  ["main?", "mai", true],
  ["mai?n", "man", true],
  ["ma+in", "maaain", true],
  ["ma+in", "min", false],
  ["m[ab]in", "main", true],
  ["m[b-z]in", "main", false],
  ["m[a-z]+n", "main", true],
  ["v[12].[0-9]+", "v1.10", true],
  ["\\*", "*", true],
  ["\\*", "x", false],
  ["m[ain", "main", false],
  ["m[]in", "main", false],
  ["m[-a]in", "main", false],
  ["m[z-b]in", "main", false],
  ["m[a-b]in", "m[in", false],
  ["ma[x]n", "main", false],
  ["ma?", "maa", false],
  ["a*", "a/b", false],
  ["a*b", "a/b", false],
  ["a**b", "a/b", true],
  ["+", "main", false],
  ["ma[a-z]", "main", false],
  ["main", "maain", false],
  ["[m][a][i][n]", "main", true],
  ["[a-c]ain", "main", false],
  ["[]?main", "main", false],
  ["**", "release/main", true],
  [`${"*".repeat(254)}x`, "main", false],
  [`${"*".repeat(255)}x`, "main", false],
];

for (const [pattern, name, matches] of PATTERNS) {
  Deno.test(
    `the pattern ${pattern.slice(0, 20)} ${matches ? "matches" : "does not match"} ${name}`,
    PURE,
    () => {
      assertEquals(matchesBranch(pattern, name), matches);
    },
  );
}

function readFaults(on: string, defaultBranch: string | null): string[] {
  const parsed = parseYaml(`on: ${on}`);
  assert(parsed.ok, on);
  const { missing, swallowed } = readTriggers("ci.yml", parsed.node, defaultBranch);
  return [...missing, ...swallowed].map(({ message }) => message);
}

/** What starts a workflow, the default branch, and how many faults there are. */
const FILTERS: readonly (readonly [on: string, defaultBranch: string | null, faults: number])[] = [
  ["[push, pull_request]", null, 0],
  ["{push: {branches: [main]}, pull_request: }", "main", 0],
  ["{push: {branches: [mian]}, pull_request: }", "main", 1],
  ["{push: {branches: [mian]}, pull_request: }", null, 1],
  ["{push: {branches: [master]}, pull_request: }", "main", 1],
  ["{push: {branches: [master]}, pull_request: }", null, 0],
  ["{push: {branches: [main]}, pull_request: {branches: [main]}}", null, 0],
  ["{push: {branches: [main]}, pull_request: {branches: [master]}}", null, 1],
  ["{push: {branches: [main]}, pull_request: {branches: [develop]}}", null, 1],
  ["{push: {branches: [main]}, pull_request: {branches: [develop]}}", "main", 1],
  ["{push: {branches: [develop]}, pull_request: {branches: [develop]}}", "develop", 0],
  ["{push: {branches: [develop]}, pull_request: {branches: [develop]}}", null, 2],
  ["{push: {branches: ['**', '!main']}, pull_request: }", "main", 1],
  ["{push: {branches: ['**', '!main', 'ma*']}, pull_request: }", "main", 0],
  ["{push: {branches: ['!dev']}, pull_request: }", "main", 1],
  ["{push: {branches: []}, pull_request: }", "main", 1],
  ["{push: {branches: }, pull_request: }", "main", 1],
  ["{push: {branches: ['$default-branch']}, pull_request: }", "main", 1],
  ["{push: {branches-ignore: [ma*]}, pull_request: }", "main", 1],
  ["{push: {branches-ignore: [ma*]}, pull_request: }", null, 1],
  ["{push: {branches-ignore: ['dependabot/**']}, pull_request: }", null, 0],
  ["{push: {branches-ignore: [dev, main]}, pull_request: }", "main", 1],
  ["{push: {branches-ignore: [main, dev]}, pull_request: }", "main", 1],
  ["{push: {branches-ignore: main}, pull_request: }", "main", 1],
  ["{push: {branches: main}, pull_request: }", "main", 0],
  ["[workflow_call, push, pull_request]", null, 0],
  ["[workflow_call, push]", null, 1],
  ["{push: , pull_request: {types: [opened, synchronize, reopened, closed]}}", null, 0],
  ["{push: , pull_request: {types: opened}}", null, 1],
  ["{push: , pull_request: {types: }}", null, 0],
  ["{push: {tags: ['v*']}, pull_request: }", null, 1],
  ["{push: {tags: ['v*'], branches: ['**']}, pull_request: }", null, 0],
  ["{push: {paths: ['**']}, pull_request: {paths-ignore: []}}", null, 0],
  ["{push: {paths: ['**', '!docs/**']}, pull_request: }", null, 1],
  ["{push: {paths: ['!docs/**', '**']}, pull_request: }", null, 0],
  ["{push: {paths: ['*']}, pull_request: }", null, 1],
  ["{push: , pull_request: {paths-ignore: ['**.md']}}", null, 1],
  ["{push: , pull_request: {types: [opened, reopened]}}", null, 1],
  ["push", null, 1],
  ["workflow_call", null, 2],
];

for (const [on, defaultBranch, faults] of FILTERS) {
  Deno.test(
    `${faults} faults, where the default branch is ${defaultBranch}, in on: ${on}`,
    PURE,
    () => {
      assertEquals(readFaults(on, defaultBranch).length, faults);
    },
  );
}

Deno.test("a filter's fault names the default branch, or the names that it may have", PURE, () => {
  const on = "{push: {branches: [x]}, pull_request: }";
  assertEquals(readFaults("push", null), ["it does not run on pull_request"]);
  assertEquals(readFaults("pull_request", null), ["it does not run on push"]);
  assertEquals(readFaults(on, "dev"), ['push does not start it for the default branch, "dev"']);
  assertEquals(readFaults(on, null), [
    "push does not start it for the default branch, main, master or trunk",
  ]);
});

Deno.test(
  "readTriggers() knows whether every push is gated, and which types of requests",
  PURE,
  () => {
    const read = (on: string): readonly [boolean, readonly string[], readonly string[]] => {
      const parsed = parseYaml(`on: ${on}`);
      assert(parsed.ok, on);
      const { isEveryPushGated, types, present } = readTriggers("ci.yml", parsed.node, null);
      return [isEveryPushGated, types, present];
    };
    const usual = ["opened", "synchronize", "reopened"];
    const both = ["push", "pull_request"];
    assertEquals(read("[push, pull_request]"), [true, usual, both]);
    assertEquals(read("{push: , pull_request: }"), [true, usual, both]);
    assertEquals(read("{push: {branches: ['**']}, pull_request: }"), [false, usual, both]);
    assertEquals(read("pull_request"), [false, usual, ["pull_request"]]);
    assertEquals(read("{push: , pull_request: {types: [opened, x]}}"), [
      true,
      ["opened", "x"],
      both,
    ]);
    assertEquals(readFaults("{push: , pull_request: {types: opened}}", null), [
      "pull_request does not start it when the request is synchronize or reopened",
    ]);
  },
);
