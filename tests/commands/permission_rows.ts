import { dirname } from "../../src/base/std.ts";
import { locateExecutable } from "../../src/io/tools.ts";
import { assert } from "../assert.ts";
import { OTHER_RUN, PROJECT, RUN, WRAPPED_RUN } from "./sample_project.ts";

/** A command as its help says that it may be run. */
export interface Row {
  /** Its name. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** What its help says of its permissions, for this form: the kind and what it is for. */
  readonly permissions: readonly Permission[];
}

/** Kind and value of one of Deno's flags. */
export type Permission = readonly [kind: "read" | "write" | "run" | "env", value: string];

/** Where the system keeps its programs. */
export const PATH: string = dirname(locate("true"));

function locate(program: string): string {
  const located = locateExecutable(program, "/");
  assert(located.state === "found", program);
  return located.path;
}

const READ: Permission = ["read", "."];
const WRITE: Permission = ["write", "runs"];
const RUN_TRUE: readonly Permission[] = [["run", "true"], [
  "read",
  Deno.realPathSync(`${PATH}/true`),
]];

const RUN_BASH: readonly Permission[] = [["run", "bash"], [
  "read",
  Deno.realPathSync(`${PATH}/bash`),
]];

/** Every command, in the forms that differ in what they need. */
export const ROWS: readonly Row[] = [
  { command: "run", args: ["a.txt"], permissions: [READ, WRITE] },
  {
    command: "run",
    args: ["a.txt", "data", "--root", "data/..", "--out", "o/p", "--exclude", "*.tmp"],
    permissions: [READ, ["write", "o/p"]],
  },
  {
    command: "run",
    args: ["a.txt", "--shard", "1/2", "--out", "../shards"],
    permissions: [READ, ["read", "../shards"], ["write", "../shards"]],
  },
  {
    command: "run",
    args: ["link", "--follow"],
    permissions: [READ, WRITE, ["read", PROJECT.at("store")]],
  },
  {
    command: "run",
    args: ["--inputs-from", "../lists/names", "--exclude-from", "../lists/ignore"],
    permissions: [READ, WRITE, ["read", "../lists"]],
  },
  { command: "run", args: ["a.txt", "--", "true"], permissions: [READ, WRITE, ...RUN_TRUE] },
  {
    command: "run",
    args: ["a.txt", "--", "bash", "--version"],
    permissions: [READ, WRITE, ...RUN_BASH],
  },
  {
    command: "run",
    args: ["a.txt", "--env", "NO_COLOR", "--tool", "false", "--", "true"],
    permissions: [
      READ,
      WRITE,
      ...RUN_TRUE,
      ["env", "NO_COLOR"],
      ["env", "PATH"],
      ["read", Deno.realPathSync(`${PATH}/false`)],
    ],
  },
  {
    command: "run",
    args: ["a.txt", "--result", "../result/r.json"],
    permissions: [READ, WRITE, ["read", "../result"], ["write", "../result"]],
  },
  {
    command: "record",
    args: ["record", "start", "a.txt", "--state", "state/s.json"],
    permissions: [READ, ["write", "state"]],
  },
  {
    command: "record",
    args: ["record", "start", "a.txt", "--state", "../result/s.json"],
    permissions: [READ, ["read", "../result"], ["write", "../result"]],
  },
  {
    command: "record",
    args: ["record", "finish", "--state", "../state.json", "--products", "data/b.txt"],
    permissions: [READ, WRITE, ["read", "../state.json"]],
  },
  {
    command: "merge",
    args: ["merge", "../parts", "--out", "merged"],
    permissions: [["read", "../parts"], ["read", "merged"], ["write", "merged"]],
  },
  { command: "verify", args: ["verify", RUN], permissions: [["read", RUN]] },
  {
    command: "verify",
    args: ["verify", "../runs", "--root", "."],
    permissions: [READ, ["read", "../runs"]],
  },
  { command: "log", args: ["log", "../runs"], permissions: [["read", "../runs"]] },
  {
    command: "status",
    args: ["status", "../runs"],
    permissions: [READ, ["read", "../runs"]],
  },
  {
    command: "trace",
    args: ["trace", "a.txt", "--runs", "../runs"],
    permissions: [["read", "a.txt"], ["read", "../runs"]],
  },
  {
    command: "diff",
    args: ["diff", RUN, OTHER_RUN],
    permissions: [["read", RUN], ["read", OTHER_RUN]],
  },
  {
    command: "review",
    args: ["review", RUN, "--approve", "--reviewer", "Ada"],
    permissions: [["read", "runs"], WRITE],
  },
  { command: "guard", args: ["guard", "artifacts"], permissions: [READ] },
  {
    command: "guard",
    args: ["guard", "lock", "--base-lock", "../lock.json"],
    permissions: [READ, ["read", "../lock.json"]],
  },
  { command: "preflight", args: ["preflight"], permissions: [READ, ["run", "true"]] },
  {
    command: "init",
    args: ["init", "--root", "fresh"],
    permissions: [["read", "fresh"], ["write", "fresh/docs/governance"]],
  },
  {
    command: "init",
    args: ["init", "--root", "unlocked", "--renew-lock"],
    permissions: [["read", "unlocked"], ["write", "unlocked/docs/governance"]],
  },
  {
    command: "reproduce",
    args: ["reproduce", WRAPPED_RUN],
    permissions: [
      // Where the project is in /tmp, as temporary trees mostly are, that is the root too.
      ...(PROJECT.path.startsWith("/tmp/") ? [] : [READ]),
      ["read", "/tmp"],
      ["read", `${PATH}/cp`],
      ["write", "/tmp"],
      ["run", "cp"],
    ],
  },
  { command: "report", args: ["report", RUN], permissions: [["read", RUN]] },
  {
    command: "report",
    args: ["report", "../runs", "--out", "../result/r.html"],
    permissions: [["read", "../runs"], ["read", "../result"], ["write", "../result"]],
  },
  { command: "schema", args: ["schema", "provenance"], permissions: [] },
  { command: "toolchain", args: ["toolchain"], permissions: [] },
  {
    command: "toolchain",
    args: ["toolchain", "--", "bash"],
    permissions: [READ, ...RUN_BASH],
  },
  { command: "completions", args: ["completions", "bash"], permissions: [] },
];

/** The flags of Deno that grant permissions. */
export function toFlags(permissions: readonly Permission[]): string[] {
  const values = Map.groupBy(permissions, ([kind]) => kind);
  return [...values].map(([kind, list]) => `--allow-${kind}=${list.map(([, value]) => value)}`);
}
