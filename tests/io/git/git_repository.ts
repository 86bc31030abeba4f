import { join } from "../../../src/base/std.ts";

const ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_CEILING_DIRECTORIES: "/",
  GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
  GIT_COMMITTER_DATE: "2026-01-01T00:00:00Z",
  LC_ALL: "C",
  PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
};

const IDENTITY = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];

/** What a git command gave. */
export interface GitResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** A repository made by git itself in a temporary directory. */
export interface GitRepository {
  /** Its worktree, without symbolic links in the path. */
  readonly path: string;
  /** Runs git in it and throws where git fails. */
  readonly git: (...args: string[]) => Uint8Array;
  /** Runs git in it. */
  readonly tryGit: (...args: string[]) => GitResult;
  /** Writes a file, with the directories above it. */
  readonly write: (path: string, text?: string) => void;
  /** Adds empty files to the index without writing them. */
  readonly trackAll: (paths: readonly string[], mode?: string) => void;
  /** Git's own list. */
  readonly list: () => string[];
}

/** Runs git hermetically. */
export function runGit(directory: string, args: readonly string[]): GitResult {
  const result = new Deno.Command("git", {
    args: [...IDENTITY, ...args],
    cwd: directory,
    env: ENVIRONMENT,
    clearEnv: true,
  }).outputSync();
  return {
    code: result.code,
    stdout: result.stdout,
    stderr: new TextDecoder().decode(result.stderr),
  };
}

/** Wraps a directory that git may work in. */
export function openRepository(path: string): GitRepository {
  const tryGit = (...args: string[]): GitResult => runGit(path, args);
  const git = (...args: string[]): Uint8Array => {
    const result = tryGit(...args);
    if (result.code !== 0) throw new Error(`git ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  };
  return {
    path,
    git,
    tryGit,
    write: (name, text = `${name}\n`) => {
      Deno.mkdirSync(join(path, name, ".."), { recursive: true });
      Deno.writeTextFileSync(join(path, name), text);
    },
    trackAll: (paths, mode = "100644") => {
      const id = new TextDecoder().decode(git("hash-object", "-w", "/dev/null")).trim();
      const list = join(path, ".git", "list");
      Deno.writeTextFileSync(list, paths.map((name) => `${mode} ${id}\t${name}\0`).join(""));
      const script = `git update-index -z --index-info < .git/list`;
      git("-c", `alias.feed=!${script}`, "feed");
      Deno.removeSync(list);
    },
    list: () => splitList(git("ls-files", "-z")),
  };
}

/** The paths of a list as `git ls-files -z` prints it, each once. */
export function splitList(bytes: Uint8Array): string[] {
  const paths = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split("\0");
  return [...new Set(paths.slice(0, -1))];
}

/**
 * Makes a repository, hands it to a test and removes it.
 *
 * @param args For `git init`
 * @param use The test
 */
export function withRepository(args: readonly string[], use: (repo: GitRepository) => void): void {
  const path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "kprov-index-" }));
  try {
    const repo = openRepository(path);
    repo.git("init", "-q", ...args);
    use(repo);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}
