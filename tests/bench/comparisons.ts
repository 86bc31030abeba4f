import { TRACED_CALLS } from "../../src/io/trace/file_history.ts";
import { type Inputs, ONE_TOKEN, SMALL_BYTES, TOKENS } from "./inputs.ts";
import type { Program } from "./programs.ts";

/** What kprov and a peer do with the same input. */
export interface Task {
  /** Where both are started. */
  readonly cwd: string;
  /** kprov's arguments. */
  readonly kprov: readonly string[];
  /** The peer's arguments. */
  readonly peer: readonly string[];
}

/** A comparison with a peer. */
export interface Comparison {
  /** Selects it on the command line. */
  readonly name: string;
  /** What is done, as the table has it. */
  readonly what: string;
  /** The peer, as the table has it. */
  readonly peer: Pick<Program, "name" | "command">;
  /** kprov's time over the peer's, at most. */
  readonly target: number;
  /** Whether that is of the time of all processors, and not by the clock. */
  readonly isOfProcessors?: true;
  /** Whether every form of kprov is measured, and not the bundle alone. */
  readonly isOfEveryForm?: true;
  /** How often each is executed. */
  readonly rounds: number;
  /** Makes the input. */
  readonly prepare: (inputs: Inputs) => Promise<Task>;
}

const RUN: readonly string[] = ["run", "--quiet"];

/** The command of a peer that is kprov itself, in the form that is measured. */
export const ITSELF = "kprov";

/** Of each file, gcc, the compiler and the assembler are started. */
const BUILT_FILES = 333;

const BUILD = "a build that starts 1,000 processes (make -j2, gcc)";

/** strace's arguments for what kprov has it trace. */
const STRACE: readonly string[] = [
  ...["-f", "--seccomp-bpf", "-y", "-xx", "-q", "-o", "/dev/null"],
  ...["-e", "signal=!SIGCHLD", "-e", "verbose=connect,?clone3,?openat2"],
  ...["-e", `trace=${TRACED_CALLS.join(",")}`],
];

async function prepareBuild(inputs: Inputs, before: readonly string[]): Promise<Task> {
  await inputs.sources(BUILT_FILES);
  const build = ["-s", "-j2", "-C", `sources-${BUILT_FILES}`];
  return {
    cwd: inputs.path,
    kprov: [...RUN, `sources-${BUILT_FILES}`, "--observe", "--", "make", ...build],
    peer: [...before, ...build],
  };
}

/** Every comparison, in the order of the table. */
export const COMPARISONS: readonly Comparison[] = [
  {
    name: "start",
    what: "`kprov --version`",
    peer: { name: "an empty `deno run`", command: Deno.execPath() },
    target: 1.8,
    isOfEveryForm: true,
    rounds: 25,
    prepare: async (inputs) => ({
      cwd: inputs.path,
      kprov: ["--version"],
      peer: ["run", "--quiet", await inputs.emptyProgram()],
    }),
  },
  {
    name: "one-file",
    what: "a run of one small file",
    peer: { name: "an empty `deno run`", command: Deno.execPath() },
    target: 4,
    isOfEveryForm: true,
    rounds: 25,
    prepare: async (inputs) => {
      await inputs.smallFiles(1);
      return {
        cwd: inputs.path,
        kprov: [...RUN, "small-1"],
        peer: ["run", "--quiet", await inputs.emptyProgram()],
      };
    },
  },
  {
    name: "large",
    what: "one file of 1 GiB",
    peer: { name: "`openssl dgst -sha256`", command: "openssl" },
    target: 1.05,
    rounds: 5,
    prepare: async (inputs) => {
      await inputs.largeFile("large-1");
      return digestWithOpenssl(inputs.path, ["large-1"]);
    },
  },
  {
    name: "two-large",
    what: "two files of 1 GiB",
    peer: { name: "`openssl dgst -sha256`, both", command: "openssl" },
    target: 0.55,
    rounds: 5,
    prepare: async (inputs) => {
      await inputs.largeFile("large-1");
      await inputs.largeFile("large-2");
      return digestWithOpenssl(inputs.path, ["large-1", "large-2"]);
    },
  },
  {
    name: "small-in-toto",
    what: `10,000 files of ${SMALL_BYTES} bytes`,
    peer: { name: "`in-toto-run`, materials", command: "in-toto-run" },
    target: 0.4,
    rounds: 5,
    prepare: async (inputs) => {
      await inputs.smallFiles(10_000);
      return {
        cwd: inputs.path,
        kprov: [...RUN, "small-10000"],
        peer: ["-n", "step", "-k", await inputs.key(), "-m", "small-10000", "--no-command"],
      };
    },
  },
  {
    name: "small-hashdeep",
    what: `10,000 files of ${SMALL_BYTES} bytes`,
    peer: { name: "`hashdeep -r -c sha256`", command: "hashdeep" },
    target: 1.2,
    rounds: 5,
    prepare: async (inputs) => {
      await inputs.smallFiles(10_000);
      return {
        cwd: inputs.path,
        kprov: [...RUN, "small-10000"],
        peer: ["-r", "-c", "sha256", "small-10000"],
      };
    },
  },
  {
    name: "wrapped-python",
    what: "a command that does nothing, on Python: its version, packages and digests recorded",
    peer: { name: "`python3 -c pass`", command: "python3" },
    target: 20,
    rounds: 15,
    prepare: async (inputs) => {
      await inputs.smallFiles(1);
      return {
        cwd: inputs.path,
        kprov: [...RUN, "small-1", "--", "python3", "-c", "pass"],
        peer: ["-c", "pass"],
      };
    },
  },
  {
    name: "observe",
    what: `${BUILD}, with \`--observe\` (strace)`,
    peer: { name: "the same build by itself", command: "make" },
    target: 2,
    rounds: 3,
    prepare: (inputs) => prepareBuild(inputs, []),
  },
  {
    name: "observe-strace",
    what: `${BUILD}, with \`--observe\` (strace)`,
    peer: { name: "the same build under strace alone", command: "strace" },
    // What strace costs is the row before; this one says what kprov adds to it.
    target: 1.1,
    rounds: 3,
    prepare: (inputs) => prepareBuild(inputs, [...STRACE, "make"]),
  },
  {
    name: "identity",
    what: "identity guard, 100,000 tracked files of 3.5 kB, with names to protect",
    peer: { name: "`git grep -F`, the same tokens", command: "git" },
    target: 2,
    isOfProcessors: true,
    rounds: 5,
    prepare: async (inputs) => ({
      cwd: await inputs.repository(100_000),
      kprov: ["guard", "identity"],
      peer: ["grep", "-c", "-F", ...TOKENS.flatMap((token) => ["-e", token])],
    }),
  },
  {
    name: "identity-large",
    what: "identity guard, 2,000 tracked files of 2 MB, with names to protect",
    peer: { name: "`git grep -F`, the same tokens", command: "git" },
    target: 2,
    isOfProcessors: true,
    rounds: 5,
    prepare: async (inputs) => ({
      cwd: await inputs.largeRepository(),
      kprov: ["guard", "identity"],
      peer: ["grep", "-c", "-F", ...TOKENS.flatMap((token) => ["-e", token])],
    }),
  },
  {
    name: "identity-overlap",
    what: "identity guard, 3,000 tokens that overlap over 3 MB of one letter",
    // git takes minutes for it.
    peer: { name: "kprov, one token", command: ITSELF },
    target: 10,
    rounds: 3,
    prepare: async (inputs) => {
      const guard = ["guard", "identity"];
      return {
        cwd: await inputs.overlapRepository(),
        kprov: guard,
        peer: [...guard, "--policy", ONE_TOKEN],
      };
    },
  },
  {
    name: "glob-stars",
    what: "10,000 files with names of 200 letters, a glob of 30 stars that almost matches them",
    peer: { name: "kprov, a glob without stars", command: ITSELF },
    target: 1.5,
    isOfProcessors: true,
    rounds: 5,
    prepare: async (inputs) => {
      const name = await inputs.longNames(10_000);
      const run = (glob: string): string[] => [...RUN, name, "--exclude", glob];
      return {
        cwd: inputs.path,
        kprov: run(`${"*a".repeat(30)}b`),
        peer: run("/b"),
      };
    },
  },
  {
    name: "deep",
    // A path may have no more than 4,096 bytes.
    what: "1,900 directories, each in the other, and a file",
    peer: { name: "kprov, 190 directories", command: ITSELF },
    target: 10,
    isOfProcessors: true,
    rounds: 3,
    prepare: async (inputs) => ({
      cwd: inputs.path,
      kprov: [...RUN, await inputs.nested(1900)],
      peer: [...RUN, await inputs.nested(190)],
    }),
  },
  {
    name: "one-directory",
    what: "100,000 small files in one directory",
    peer: { name: "kprov, a thousand to a directory", command: ITSELF },
    target: 1.5,
    isOfProcessors: true,
    rounds: 3,
    prepare: async (inputs) => {
      await inputs.smallFiles(100_000);
      return {
        cwd: inputs.path,
        kprov: [...RUN, await inputs.oneDirectory(100_000)],
        peer: [...RUN, "small-100000"],
      };
    },
  },
  {
    name: "packages",
    what: "toolchain.json with 60,000 packages",
    peer: { name: "kprov, 6,000 packages", command: ITSELF },
    target: 10,
    isOfProcessors: true,
    rounds: 3,
    prepare: async (inputs) => {
      const show = (
        root: string,
      ): string[] => ["toolchain", "--root", root, "--", "deno", "run", "main.ts"];
      return {
        cwd: inputs.path,
        kprov: show(await inputs.packages(60_000)),
        peer: show(await inputs.packages(6000)),
      };
    },
  },
];

function digestWithOpenssl(cwd: string, files: readonly string[]): Task {
  return { cwd, kprov: [...RUN, ...files], peer: ["dgst", "-sha256", ...files] };
}
