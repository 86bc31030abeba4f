import type { Circumstances, EndedCommand, RunFacts } from "../mod.ts";
import { isInShard } from "../src/evidence/provenance.ts";

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
  runtime_policy: [
    { runtime: "deno", range: ">=2.8.2 <2.10.0", version: "2.9.6", satisfied: true },
  ],
  policy: { path: "docs/governance/policy.json", sha256: digestOf("f") },
  source: {
    repository: "https://example.org/a/b",
    commit: "0123456789".repeat(4),
    state: "committed",
  },
  permissions: {
    read: "partial",
    write: "partial",
    run: "denied",
    net: "denied",
    env: "denied",
  },
  observation: null,
};

/** How the command of the next ones ended where it succeeded. */
const COMMAND: EndedCommand = {
  argv: ["sh", "clean.sh", "data/in.csv"],
  productPaths: ["out"],
  products: [
    { name: "out/clean.csv", kind: "file", size: 9, sha256: digestOf("9") },
    { name: "out/latest", kind: "symlink", size: 9, sha256: digestOf("8") },
  ],
  exitCode: 0,
  signal: null,
  output: { stdout: digestOf("1"), stderr: digestOf("2") },
};

/** The same run with a wrapped command, its runtimes and its products. */
export const SAMPLE_COMMAND_FACTS: RunFacts = {
  ...SAMPLE_FACTS,
  command: COMMAND,
  toolchain: {
    ...SAMPLE_FACTS.toolchain,
    tools: [{ name: "sh", sha256: digestOf("3") }],
    runtimes: [
      {
        name: "python",
        version: "3.12.1",
        implementation: "cpython",
        sha256: digestOf("4"),
        packages: [
          { name: "pandas", version: "2.1.0", sha256: digestOf("5") },
          {
            name: "mylib",
            version: null,
            source: { url: "https://example.org/mylib", commit: "0123456789".repeat(4) },
            editable: true,
          },
          { name: "left-pad", version: "1.3.0", integrity: "sha512-CCCC", manager: "conda" },
        ],
      },
      {
        name: "node",
        version: null,
        implementation: null,
        sha256: digestOf("6"),
        packages: null,
        packages_omitted: true,
      },
    ],
  },
};

/** The same run, in which the command failed and left its products. */
export const SAMPLE_FAILED_FACTS: RunFacts = {
  ...SAMPLE_COMMAND_FACTS,
  command: { ...COMMAND, exitCode: 3 },
};

/** One of two shards of the run of files. */
export const SAMPLE_SHARD_FACTS: RunFacts = {
  ...SAMPLE_FACTS,
  materials: SAMPLE_FACTS.materials.filter(({ name }) => isInShard(name, { count: 2, index: 1 })),
  shard: { count: 2, index: 1 },
};

/** What the golden runs are made of. */
export const GOLDEN_FACTS: Readonly<Record<"files" | "command" | "failed" | "shard", RunFacts>> = {
  files: SAMPLE_FACTS,
  command: SAMPLE_COMMAND_FACTS,
  failed: SAMPLE_FAILED_FACTS,
  shard: SAMPLE_SHARD_FACTS,
};
