import { join } from "../../../src/base/std.ts";
import type { GitRepository } from "./git_repository.ts";

/** A form that git gives its index. */
export interface IndexVariant {
  /** What is special about it. */
  readonly name: string;
  /** Arguments for `git init`. */
  readonly init: readonly string[];
  /** Brings the index of an empty repository into the form. */
  readonly build: (repo: GitRepository) => void;
  /** Tells from the index's bytes that git did write that form. */
  readonly isThere: (bytes: Uint8Array, repo: GitRepository) => boolean;
}

/** Names that a careless parser gets wrong, in no order. */
export const AWKWARD_NAMES: readonly string[] = [
  "a",
  "a b",
  "a\nb",
  "a/b/c",
  "a0",
  "a-",
  "dir/\u{FEFF}bom",
  "\u{FEFF}bom",
  "dir/\u00E9",
  "dir/\uFF5E",
  "dir/\u{1F600}",
  "...",
  ".gitignore",
  "x/.gitx/y",
  'quote"\\back',
  "n".repeat(200) + "/" + "m".repeat(99),
  "n".repeat(300),
  "n".repeat(5000),
];

function holds(bytes: Uint8Array, text: string): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(text);
}

function versionOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4);
}

function addThree(repo: GitRepository): void {
  for (const name of ["dir/one", "dir/two", "three"]) repo.write(name);
  repo.git("add", ".");
}

function splitWithChanges(repo: GitRepository): void {
  for (const name of ["b", "dir/one", "dir/two", "three", "z"]) repo.write(name);
  repo.git("add", ".");
  repo.git("-c", "splitIndex.maxPercentChange=100", "update-index", "--split-index");
  repo.git("config", "splitIndex.maxPercentChange", "100");
  repo.write("dir/one", "changed\n");
  repo.git("add", "dir/one");
  repo.git("rm", "-q", "--cached", "dir/two");
  repo.trackAll(["a", "dir/twofold", "zz"]);
}

function conflict(repo: GitRepository): void {
  repo.write("both");
  repo.write("clean");
  repo.git("add", ".");
  repo.git("commit", "-qm", "base");
  repo.git("checkout", "-qb", "other");
  repo.write("both", "theirs\n");
  repo.write("only-theirs");
  repo.git("add", ".");
  repo.git("commit", "-qm", "theirs");
  repo.git("checkout", "-q", "-");
  repo.write("both", "ours\n");
  repo.git("commit", "-qam", "ours");
  repo.tryGit("merge", "-q", "other");
}

function useFsmonitor(repo: GitRepository): void {
  addThree(repo);
  const hook = join(repo.path, ".git/hooks/none");
  Deno.mkdirSync(join(repo.path, ".git/hooks"), { recursive: true });
  Deno.writeTextFileSync(hook, "#!/bin/sh\nprintf 'token\\0/\\0'\n", { mode: 0o755 });
  repo.git("-c", `core.fsmonitor=${hook}`, "update-index", "--fsmonitor");
  repo.git("-c", `core.fsmonitor=${hook}`, "status");
}

/** The forms of an index, each small. */
export const VARIANTS: readonly IndexVariant[] = [
  {
    name: "version 2",
    init: [],
    build: addThree,
    isThere: (bytes) => versionOf(bytes) === 2,
  },
  {
    name: "version 3, with intent-to-add and skip-worktree",
    init: [],
    build: (repo) => {
      addThree(repo);
      repo.write("later");
      repo.git("add", "-N", "later");
      repo.git("update-index", "--skip-worktree", "three");
      repo.git("update-index", "--assume-unchanged", "dir/one");
    },
    isThere: (bytes) => versionOf(bytes) === 3,
  },
  {
    name: "version 4",
    init: [],
    build: (repo) => {
      addThree(repo);
      repo.git("update-index", "--index-version", "4");
    },
    isThere: (bytes) => versionOf(bytes) === 4,
  },
  {
    name: "version 4 with extended flags",
    init: [],
    build: (repo) => {
      addThree(repo);
      repo.write("later");
      repo.git("add", "-N", "later");
      repo.git("update-index", "--index-version", "4");
    },
    isThere: (bytes) => versionOf(bytes) === 4,
  },
  {
    name: "SHA-256",
    init: ["--object-format=sha256"],
    build: addThree,
    isThere: (bytes) => (bytes.length - 12 - 32 - 3 * 8) > 3 * (40 + 32),
  },
  {
    name: "SHA-256, version 4, split",
    init: ["--object-format=sha256"],
    build: (repo) => {
      repo.git("config", "index.version", "4");
      splitWithChanges(repo);
    },
    isThere: (bytes) => holds(bytes, "link") && versionOf(bytes) === 4,
  },
  {
    name: "split",
    init: [],
    build: splitWithChanges,
    isThere: (bytes) => holds(bytes, "link"),
  },
  {
    name: "split without changes",
    init: [],
    build: (repo) => {
      addThree(repo);
      repo.git("update-index", "--split-index");
    },
    isThere: (bytes) => holds(bytes, "link"),
  },
  {
    name: "sparse with nothing collapsed",
    init: [],
    build: (repo) => {
      addThree(repo);
      repo.git("commit", "-qm", "all");
      repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "dir");
    },
    isThere: (bytes) => holds(bytes, "sdir"),
  },
  {
    name: "a conflict",
    init: [],
    build: conflict,
    isThere: (_, repo) => repo.git("ls-files", "-u").length > 0,
  },
  {
    name: "a resolved conflict, with a record of it",
    init: [],
    build: (repo) => {
      conflict(repo);
      repo.git("add", "both");
    },
    isThere: (bytes) => holds(bytes, "REUC"),
  },
  {
    name: "a symbolic link, a submodule and an executable",
    init: [],
    build: (repo) => {
      Deno.symlinkSync("nowhere", join(repo.path, "link"));
      repo.write("run.sh");
      Deno.chmodSync(join(repo.path, "run.sh"), 0o755);
      repo.git("add", ".");
      repo.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},vendor/lib`);
    },
    isThere: (bytes) => holds(bytes, "vendor/lib"),
  },
  {
    name: "the cached trees",
    init: [],
    build: (repo) => {
      addThree(repo);
      repo.git("commit", "-qm", "all");
    },
    isThere: (bytes) => holds(bytes, "TREE"),
  },
  {
    name: "the cache of untracked files",
    init: [],
    build: (repo) => {
      addThree(repo);
      repo.git("update-index", "--force-untracked-cache");
    },
    isThere: (bytes) => holds(bytes, "UNTR"),
  },
  {
    name: "the file system monitor",
    init: [],
    build: useFsmonitor,
    isThere: (bytes) => holds(bytes, "FSMN"),
  },
  {
    name: "the end-of-entries and offset tables",
    init: [],
    build: (repo) => {
      repo.git("config", "index.threads", "2");
      repo.git("config", "index.version", "4");
      addThree(repo);
    },
    isThere: (bytes) => holds(bytes, "EOIE") && holds(bytes, "IEOT"),
  },
  {
    name: "no entries",
    init: [],
    build: (repo) => {
      repo.trackAll(["gone"]);
      repo.git("rm", "-q", "--cached", "gone");
    },
    isThere: (bytes) => bytes.length === 12 + 20 || holds(bytes, "TREE"),
  },
];
