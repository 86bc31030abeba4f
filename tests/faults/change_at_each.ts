/**
 * Changes the world behind single system calls of a run, and says what must become of the run.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { callKprov } from "./call_kprov.ts";
import { type Call, type Traced, traceKprov } from "./strace.ts";

/** Whatever looks at a path, opens it or reads from it. */
const READING =
  "stat,lstat,fstat,newfstatat,statx,readlink,readlinkat,open,openat,read,pread64,getdents64";

/** Runs kprov, stops it right behind a call, changes what stands at the path, and lets it go on. */
async function changeBehind(
  tree: TemporaryTree,
  input: string,
  behind: Call,
  options: {
    readonly change: () => void;
    readonly permissions: readonly string[];
    readonly watched?: string | undefined;
  },
): Promise<Traced> {
  let isChanged = false;
  const traced = await traceKprov([input, "--quiet"], {
    cwd: tree.path,
    permissions: options.permissions,
    trace: READING,
    paths: [tree.at(options.watched ?? input)],
    inject: `${behind.name}:signal=STOP:when=${behind.nth}`,
    whenStopped: () => {
      options.change();
      isChanged = true;
    },
  });
  assert(isChanged, `kprov did not stop behind ${behind.line}`);
  return traced;
}

/** The calls of a run that nobody disturbs. */
export async function listCalls(
  files: Readonly<Record<string, string | Uint8Array>>,
  input: string,
  permissions: readonly string[],
  watched = input,
): Promise<readonly Call[]> {
  using tree = makeTree(files);
  const traced = await traceKprov([input, "--quiet"], {
    cwd: tree.path,
    permissions,
    trace: READING,
    paths: [tree.at(watched)],
  });
  assertEquals([traced.code, traced.stderr], [0, ""]);
  return traced.calls;
}

function assertRefused(ended: Traced, tree: TemporaryTree, input: string, at: string): void {
  assertMatch(
    ended.stderr,
    new RegExp(`^error: Cannot read (input|directory) "${input}[^"]*": [^\n]+[^.\n]\n$`),
    at,
  );
  assertEquals([ended.code, ended.stdout], [65, ""], at);
  assertEquals(listNames(tree.at("runs")), [], at);
}

/** Either refused, or recorded as it stands there now: never as a mixture of before and after. */
async function assertRefusedOrExact(
  ended: Traced,
  tree: TemporaryTree,
  input: string,
  at: string,
): Promise<void> {
  if (ended.code !== 0) return assertRefused(ended, tree, input, at);
  const verified = await callKprov(["verify", tree.at("runs"), "--root", tree.path]);
  assertEquals([verified.code, verified.stderr], [0, ""], `${at}\n${verified.stdout}`);
}

/** A call to stop behind, and whether what changes there must refuse the run or may be read instead. */
export type Site = readonly [call: Call | undefined, verdict: "refused" | "refused or exact"];

/** Runs kprov once for each site, with the change right behind its call. */
export async function changeAtEach(
  sites: readonly Site[],
  input: string,
  options: {
    readonly files: Readonly<Record<string, string | Uint8Array>>;
    readonly change: (path: string) => void;
    readonly permissions: readonly string[];
    /** What the calls are about; default: the input. */
    readonly watched?: string;
  },
): Promise<void> {
  await Promise.all(sites.map(async ([call, verdict]) => {
    assert(call !== undefined);
    using tree = makeTree(options.files);
    const ended = await changeBehind(tree, input, call, {
      change: () => options.change(tree.at(input)),
      permissions: options.permissions,
      watched: options.watched,
    });
    const at = `changed behind ${call.line}`;
    if (verdict === "refused") assertRefused(ended, tree, input, at);
    else await assertRefusedOrExact(ended, tree, input, at);
  }));
}
