/**
 * What git makes of broken indexes, kept as golden data: git has to be started once for each.
 * `deno task update:git` asks it anew.
 *
 * @module
 */

import { join } from "../../../src/base/std.ts";
import { testdata } from "../../paths.ts";
import { type GitRepository, splitList } from "./git_repository.ts";
import type { IndexVariant } from "./index_variants.ts";

/** The paths that git lists, or null where it fails. */
export type Verdict = readonly string[] | null;

/** An index that is broken in one place. */
export interface BrokenIndex {
  /** What was done to it. */
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** An index with git's verdicts. */
export interface KeptIndex {
  /** The files of a git directory that say what is tracked, by their names; `index` among them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What git makes of each index that `breakIndex()` gives, in its order. */
  readonly verdicts: readonly Verdict[];
}

const VERDICTS = "verdicts.json";

/** How the verdicts are kept: many are the same. */
interface VerdictFile {
  readonly lists: readonly (readonly string[])[];
  /** For each broken index the number of a list, or null. */
  readonly verdicts: readonly (number | null)[];
}

/** Cuts an index to every length, and flips one bit of every byte. */
export function* breakIndex(bytes: Uint8Array): Generator<BrokenIndex> {
  for (let length = 0; length < bytes.length; length++) {
    yield { what: `${length} bytes`, bytes: bytes.subarray(0, length) };
  }
  for (let i = 0; i < bytes.length; i++) {
    const flipped = bytes.slice();
    flipped[i] = (flipped[i] ?? 0) ^ 0x01;
    yield { what: `byte ${i} flipped`, bytes: flipped };
  }
}

/** Takes out of a git directory what says what is tracked, the index without its checksum. */
export function takeIndexFiles(
  gitDir: string,
  init: IndexVariant["init"],
): Map<string, Uint8Array> {
  const hashLength = init.includes("--object-format=sha256") ? 32 : 20;
  const names = [...Deno.readDirSync(gitDir)].map(({ name }) => name)
    .filter((name) => /^(HEAD|config|config\.worktree|index|sharedindex\..*)$/.test(name));
  const files = new Map(names.sort().map((name) => [name, Deno.readFileSync(join(gitDir, name))]));
  files.get("index")?.fill(0, -hashLength);
  return files;
}

/** Puts such files into a git directory. */
export function putIndexFiles(gitDir: string, files: KeptIndex["files"]): void {
  for (const [name, bytes] of files) Deno.writeFileSync(join(gitDir, name), bytes);
}

/** Asks git what is tracked. */
export function askGit(repo: GitRepository): Verdict {
  const { code, stdout } = repo.tryGit("-c", "index.threads=1", "ls-files", "-z");
  return code === 0 ? splitList(stdout) : null;
}

function directoryOf(variant: IndexVariant): string {
  return testdata(`index/${variant.name.replace(/[^a-zA-Z0-9]+/g, "_")}`);
}

/** Reads what is kept of a form of an index. */
export function readKeptIndex(variant: IndexVariant): KeptIndex {
  const directory = directoryOf(variant);
  const files = new Map(
    [...Deno.readDirSync(directory)].map(({ name }) => [
      name,
      Deno.readFileSync(join(directory, name)),
    ]),
  );
  const text = new TextDecoder().decode(files.get(VERDICTS));
  files.delete(VERDICTS);
  const { lists, verdicts }: VerdictFile = JSON.parse(text);
  return { files, verdicts: verdicts.map((n) => n === null ? null : lists[n] ?? null) };
}

/** Keeps it. */
export function writeKeptIndex(variant: IndexVariant, { files, verdicts }: KeptIndex): void {
  const directory = directoryOf(variant);
  Deno.mkdirSync(directory, { recursive: true });
  putIndexFiles(directory, files);
  const texts = [...new Set(verdicts.map((verdict) => JSON.stringify(verdict)))]
    .filter((text) => text !== "null");
  const numbers = verdicts.map((verdict) =>
    verdict === null ? null : texts.indexOf(JSON.stringify(verdict))
  );
  const [lists, kept] = [`[\n${texts.join(",\n")}\n]`, JSON.stringify(numbers)];
  Deno.writeTextFileSync(
    join(directory, VERDICTS),
    `{"lists": ${lists},\n"verdicts": ${kept.replace(/(.{90}[^,]*,)/g, "$1\n")}}\n`,
  );
}
