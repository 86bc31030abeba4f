import type { Circumstances, RunFacts } from "../mod.ts";
import { isInShard } from "../src/evidence/shard.ts";

/** A digest that is easy to recognise: one digit, 64 times. */
export function digestOf(digit: string): string {
  return digit.repeat(64);
}

/** The facts of a small run; the golden documents are made of them. */
export const SAMPLE_FACTS: RunFacts = {
  inputs: ["data", "README.md"],
  exclude: ["/runs", ".git", "*.tmp"],
  materials: [
    { name: "data/\u{1F600}.csv", kind: "file", size: 12, sha256: digestOf("b") },
    { name: "data/\uFF5E.csv", kind: "file", size: 0, sha256: digestOf("c") },
    { name: "README.md", kind: "file", size: 5120, sha256: digestOf("a") },
    { name: 'data/"quoted"\n.csv', kind: "symlink", size: 7, sha256: digestOf("d") },
  ],
  toolchain: {
    kprov: "1.0.0",
    runtime: {
      deno: "2.9.6",
      v8: "15.0.245.2-rusty",
      typescript: "6.0.3",
      target: "x86_64-unknown-linux-gnu",
      os: "linux",
      arch: "x86_64",
      standalone: false,
    },
    lockfile: {
      sha256: digestOf("e"),
      packages: [{ name: "zod", version: "4.6.7", integrity: "sha512-AAAA" }],
    },
  },
};

/** The circumstances of that run. */
export const SAMPLE_CIRCUMSTANCES: Circumstances = {
  created_at: "2026-02-15T20:13:00Z",
  runtime_policy: { range: ">=2.8.2 <2.10.0", satisfied: true },
  policy: { path: "docs/governance/policy.json", sha256: digestOf("f") },
  source: { repository: "https://example.org/a/b", commit: "0123456789".repeat(4) },
  permissions: {
    read: "partial",
    write: "partial",
    run: "denied",
    net: "denied",
    env: "denied",
  },
};

/** The same run with a wrapped command and products. */
export const SAMPLE_COMMAND_FACTS: RunFacts = {
  ...SAMPLE_FACTS,
  command: {
    argv: ["sh", "clean.sh", "data/in.csv"],
    productPaths: ["out"],
    products: [{ name: "out/clean.csv", kind: "file", size: 9, sha256: digestOf("9") }],
    exitCode: 3,
    output: { stdout: digestOf("1"), stderr: digestOf("2") },
  },
  toolchain: {
    ...SAMPLE_FACTS.toolchain,
    tools: [{ name: "sh", sha256: digestOf("3") }],
  },
};

/** One of two shards of the run of files. */
export const SAMPLE_SHARD_FACTS: RunFacts = {
  ...SAMPLE_FACTS,
  materials: SAMPLE_FACTS.materials.filter(({ name }) => isInShard(name, { count: 2, index: 1 })),
  shard: { count: 2, index: 1 },
};
