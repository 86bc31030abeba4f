import { DOCUMENT_NAMES } from "../../mod.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";
import { callKprov } from "./call_kprov.ts";
import { type Call, type Traced, traceKprov, whyNotTraced } from "./strace.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";
const RUN = `runs/${RUN_ID}`;

const reason = await whyNotTraced();

/** What reading can fail with, taken in turn; after EINTR it is called again. */
const ERRORS = ["EIO", "EMFILE", "EACCES", "EINTR", "ENOSPC"] as const;

/** Calls by which files are looked at and read. */
const READING = "openat,read,pread64,statx,fstat,newfstatat,getdents64";

/** A command that reads, with what it reads in a tree where a run stands. */
interface Reader {
  readonly args: readonly string[];
  readonly paths: readonly string[];
  readonly prepare?: (tree: TemporaryTree) => Promise<void>;
}

const DOCUMENTS = [RUN, ...DOCUMENT_NAMES.map((name) => `${RUN}/${name}`)];

async function call(...args: string[]): Promise<void> {
  const { code, stderr } = await callKprov(args);
  assertEquals([code, stderr], [0, ""]);
}

const READERS: readonly Reader[] = [
  { args: ["verify", "runs", "--root", "."], paths: ["runs", ...DOCUMENTS, "a.txt"] },
  { args: ["merge", RUN, "--out", "merged", "--at", AT], paths: DOCUMENTS },
  { args: ["report", RUN], paths: DOCUMENTS },
  { args: ["log", "runs"], paths: ["runs", ...DOCUMENTS] },
  {
    args: ["record", "finish", "--state", "s.json", "--products", "b.txt", "--out", "made"]
      .concat("--at", AT, "--quiet"),
    paths: ["s.json", "a.txt", "b.txt"],
    prepare: async (tree) => {
      const start = ["record", "start", tree.at("a.txt"), "--root", tree.path, "--quiet"];
      await call(...start, "--products", tree.at("b.txt"), "--state", tree.at("s.json"));
      Deno.writeTextFileSync(tree.at("b.txt"), "b");
    },
  },
];

async function disturb(
  { args, paths, prepare }: Reader,
  inject: string | null,
): Promise<Traced & { readonly made: readonly string[] }> {
  using tree = makeTree({ "a.txt": "a" });
  const shard = ["--shard", "1/1", "--at", AT, "--quiet"];
  await call(tree.at("a.txt"), "--root", tree.path, "--out", tree.at("runs"), ...shard);
  await prepare?.(tree);
  const traced = await traceKprov(args, {
    cwd: tree.path,
    permissions: ["--allow-read", "--allow-write"],
    trace: READING,
    paths: paths.map(tree.at),
    ...(inject === null ? {} : { inject }),
  });
  const made = ["merged", "made"].flatMap((name) => {
    try {
      return listNames(tree.at(name));
    } catch {
      return [];
    }
  });
  return { ...traced, made };
}

/** Nothing is lost in silence: what ends with 0 says what it says undisturbed. */
function check(ended: Awaited<ReturnType<typeof disturb>>, whole: typeof ended, at: string): void {
  assert(ended.isInjected, at);
  if (ended.code === 0 && !ended.stdout.includes("DOES NOT VERIFY")) {
    return assertEquals([ended.stdout, ended.made], [whole.stdout, whole.made], at);
  }
  if (ended.code === 0) return;
  assert([1, 65, 73, 74].includes(ended.code), `${at}: ${ended.code} ${ended.stderr}`);
  assertMatch(ended.stderr, /^((error|hint|note|finding): [^\n]*\n)*$/, at);
  assert(ended.stderr !== "" || ended.stdout !== whole.stdout, at);
  assertEquals(ended.made, [], at);
}

for (const reader of READERS) {
  const name = `kprov ${reader.args.slice(0, 2).join(" ")} says so, whichever look at a file fails`;
  Deno.test(...unless(reason, name), async () => {
    const whole = await disturb(reader, null);
    assertEquals([whole.code, whole.stderr], [0, ""]);
    const faults = whole.calls.map(({ name, nth, line }: Call, i) => ({
      inject: `${name}:error=${ERRORS[i % ERRORS.length]}:when=${nth}`,
      line,
    }));
    assert(faults.length > 5);
    for (const { inject, line } of faults) {
      check(await disturb(reader, inject), whole, `${inject}: ${line}`);
    }
  });
}
